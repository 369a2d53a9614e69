"""From a pipeline file to a run's context: the one place where settings meet the machine."""

import gc
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from config.schema import DatabaseSettings, Pipeline
from config.units import parse_bytes
from pipeline.context import Context, Progress
from pipeline.governor import Governor
from pipeline.machine import MemoryLimit, anonymous_bytes, cpu_count, memory_limit
from tiles.heap import limit_arenas
from tiles.store import TileStore

if TYPE_CHECKING:
    from config.database import Database

MALLOC_ARENAS = 2


def build_context(pipeline: Pipeline, file: Path, progress: Progress, orders: tuple[str, ...] = ()) -> Context:
    """Return the context of a run of `pipeline`, read from `file`; sets the allocator up for it."""
    folder = file.absolute().parent
    now = datetime.now(UTC)
    threads = cpu_count() if pipeline.threads == "auto" else pipeline.threads
    limit_arenas(MALLOC_ARENAS)
    gc.freeze()  # what was imported stays: the collection after every part need not look at it
    return Context(
        folder=folder,
        run=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        started_at=now.isoformat(timespec="seconds"),
        database=_database(pipeline.database, folder) if pipeline.database else None,
        store=TileStore(folder / pipeline.store.path),
        store_max_bytes=parse_bytes(pipeline.store.max_bytes),
        governor=Governor(budget(pipeline), anonymous_bytes),
        threads=threads,
        chosen_orders=orders,
        progress=progress,
    )


def budget(pipeline: Pipeline) -> MemoryLimit:
    """Return the memory limit of a run: the machine's, or the pipeline's budget within it."""
    detected = memory_limit()
    allowed = pipeline.memory.limit_of(detected.bytes)
    return detected if allowed == detected.bytes else MemoryLimit(allowed, f"memory.budget, within {detected.source}")


def _database(settings: DatabaseSettings, folder: Path) -> "Database":
    from config.database import Database  # noqa: PLC0415 - costs time that a run without a database spares

    return Database(settings, folder)
