"""A real S3 server for tests, which can be told to misbehave."""
