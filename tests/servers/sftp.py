"""A real SFTP server for tests, which can be told to misbehave."""
