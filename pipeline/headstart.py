"""What is begun before the run itself is even imported, where it is certain to be needed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config import DEFAULT_STORE
from config.errors import TilepressError
from config.yamlfile import read_yaml


def start_early(file: Path, environ: Mapping[str, str]) -> None:
    """Start the children's server if there will be work for it.

    So there is for mock-ups and for sections, and if the pipeline's tile store is empty, as in a fresh container: all
    artwork is new. The file is not judged yet; what is wrong with it is said by whoever reads it to run it.
    """
    data = _read(file, environ)
    store = _store(data, file)
    if store is None:
        return
    from pipeline.sections.trade import SDK_MODULES, SECTIONING  # noqa: PLC0415
    from tiles.server import start_server  # noqa: PLC0415 - costs time that other runs spare
    from tiles.store import TileStore  # noqa: PLC0415
    from tiles.trade import DECODING  # noqa: PLC0415

    kinds = _kinds(data)
    modules = SECTIONING.modules if "sections" in kinds else ()
    modules += SDK_MODULES if _asks_gemini(data) else ()
    if "mockups" in kinds or ("gangsheet" in kinds and TileStore(store).is_empty()):
        modules += DECODING.modules
    if modules:
        start_server(modules)


def _read(file: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what the pipeline file holds, as far as it can be told."""
    try:
        data = read_yaml(file, environ).data
    except TilepressError:
        return {}
    return data if isinstance(data, dict) else {}


def _asks_gemini(data: Mapping[str, Any]) -> bool:
    jobs = data.get("jobs")
    analyzers = [job.get("analyzer") for job in jobs if isinstance(job, dict)] if isinstance(jobs, list) else []
    return any(isinstance(analyzer, dict) and analyzer.get("kind") == "gemini" for analyzer in analyzers)


def _kinds(data: Mapping[str, Any]) -> set[str]:
    """Return the kinds of the pipeline's jobs, as they are written."""
    jobs = data.get("jobs")
    listed = jobs if isinstance(jobs, list) else []
    return {str(job.get("kind")) for job in listed if isinstance(job, dict)}


def _store(data: Mapping[str, Any], file: Path) -> Path | None:
    """Return the folder of the pipeline's tile store."""
    store = data.get("store")
    path = store.get("path", DEFAULT_STORE) if isinstance(store, dict) else DEFAULT_STORE
    return file.absolute().parent / path if data and isinstance(path, str) else None
