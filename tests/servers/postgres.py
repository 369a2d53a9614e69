"""A real PostgreSQL for tests: started once for each worker, a database of its own for each test."""
