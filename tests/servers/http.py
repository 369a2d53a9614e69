"""A real HTTP server for tests, which can be slow, cut off, lie and redirect."""
