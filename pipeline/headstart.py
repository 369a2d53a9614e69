"""What is begun before the run itself is even imported, where it is certain to be needed."""

from pathlib import Path

from config.schema import Pipeline
from tiles.server import start_server
from tiles.store import TileStore


def start_early(pipeline: Pipeline, file: Path) -> None:
    """Start the children's server if the tile store is empty, as in a fresh container: all artwork is then new."""
    if TileStore(file.absolute().parent / pipeline.store.path).is_empty():
        start_server()
