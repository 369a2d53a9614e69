"""What is begun before the run itself is even imported, where it is certain to be needed."""

from collections.abc import Mapping
from pathlib import Path

from config import DEFAULT_STORE
from config.errors import TilepressError
from config.yamlfile import read_yaml


def start_early(file: Path, environ: Mapping[str, str]) -> None:
    """Start the children's server if the pipeline's tile store is empty, as in a fresh container: all artwork is new.

    The file is not judged yet; what is wrong with it is said by whoever reads it to run it.
    """
    store = _store(file, environ)
    if store is None:
        return
    from tiles.server import start_server  # noqa: PLC0415 - costs time that other runs spare
    from tiles.store import TileStore  # noqa: PLC0415

    if TileStore(store).is_empty():
        start_server()


def _store(file: Path, environ: Mapping[str, str]) -> Path | None:
    """Return the folder of the pipeline's tile store, as far as it can be told."""
    try:
        data = read_yaml(file, environ).data
    except TilepressError:
        return None
    store = data.get("store") if isinstance(data, dict) else None
    path = store.get("path", DEFAULT_STORE) if isinstance(store, dict) else DEFAULT_STORE
    return file.absolute().parent / path if isinstance(path, str) else None
