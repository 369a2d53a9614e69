"""From a pipeline file to a run's context: the one place where settings meet the machine."""

import gc
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from config.schema import DatabaseSettings, Pipeline
from config.sections import GeminiAnalyzer, SectionsJob
from config.units import parse_bytes, parse_duration
from pipeline.context import Context, Progress
from pipeline.governor import Governor
from pipeline.machine import MemoryLimit, anonymous_bytes, cpu_count, memory_limit
from pipeline.redaction import redactor
from pipeline.servers import Servers
from pipeline.stopping import Stop
from tiles.heap import limit_arenas
from tiles.store import TileStore

if TYPE_CHECKING:
    from config.database import Database

MALLOC_ARENAS = 2


def build_context(pipeline: Pipeline, file: Path, progress: Progress, orders: tuple[str, ...] = ()) -> Context:
    """Return the context of a run of `pipeline`, read from `file`; sets the allocator up for it, and hides secrets."""
    _hide_secrets(pipeline)
    folder = file.absolute().parent
    now = datetime.now(UTC)
    threads = cpu_count() if pipeline.threads == "auto" else pipeline.threads
    limit_arenas(MALLOC_ARENAS)
    gc.freeze()  # what was imported stays: the collection after every part need not look at it
    return Context(
        pipeline=pipeline.name,
        jobs=tuple(job.name for job in pipeline.jobs),
        folder=folder,
        started_at=now.isoformat(timespec="seconds"),
        database=_database(pipeline.database, folder) if pipeline.database else None,
        book=None,
        servers=Servers(pipeline.storage, folder),
        stop=Stop(parse_duration(pipeline.run.deadline) if pipeline.run.deadline else None),
        store=TileStore(folder / pipeline.store.path),
        store_max_bytes=parse_bytes(pipeline.store.max_bytes),
        governor=Governor(budget(pipeline), anonymous_bytes),
        threads=threads,
        chosen_orders=orders,
        progress=progress,
    )


def _hide_secrets(pipeline: Pipeline) -> None:
    """Have what the pipeline file was given as a secret struck out of every log and error."""
    secrets = redactor()
    secrets.hide(pipeline.storage.sftp.password or "")
    secrets.hide_within(pipeline.database.url if pipeline.database else "")
    for job in pipeline.jobs:
        if isinstance(job, SectionsJob):
            secrets.hide(job.password or "")
            secrets.hide(job.analyzer.api_key if isinstance(job.analyzer, GeminiAnalyzer) else "")


def budget(pipeline: Pipeline) -> MemoryLimit:
    """Return the memory limit of a run: the machine's, or the pipeline's budget within it."""
    detected = memory_limit()
    allowed = pipeline.memory.limit_of(detected.bytes)
    return detected if allowed == detected.bytes else MemoryLimit(allowed, f"memory.budget, within {detected.source}")


def _database(settings: DatabaseSettings, folder: Path) -> "Database":
    from config.database import Database  # noqa: PLC0415 - costs time that a run without a database spares

    return Database(settings, folder)
