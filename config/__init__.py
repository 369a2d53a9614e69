"""The vocabulary: errors, units, the pipeline file, the database. Imports nothing of tilepress outside itself."""

VERSION = "0.1.0"
DEFAULT_STORE = ".tilepress/store"  # from the pipeline file's folder
