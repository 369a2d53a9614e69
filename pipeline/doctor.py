"""What tilepress sees of the machine it is on: for a person, line by line."""

import platform
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import numpy as np
import psutil

from config.database import Database
from config.errors import TilepressError
from config.units import format_bytes
from pipeline.governor import REFUSE_AT, WARN_AT
from pipeline.machine import anonymous_bytes, cpu_count, free_disk_bytes, memory_limit
from tiles.sinks.deflate import CANDIDATES, Deflater, best_deflater
from tiles.vips import formats, versions


def examine(folder: Path, database_url: str) -> Iterator[tuple[str, str]]:
    """Yield (subject, finding) pairs; nothing is changed."""
    limit = memory_limit()
    yield "memory limit", f"{format_bytes(limit.bytes)} ({limit.source}); the host has {_host_memory()}"
    yield "memory policy", f"warns at {WARN_AT:.0%}, begins nothing more at {REFUSE_AT:.0%} = {_ceiling(limit.bytes)}"
    yield "memory in use", f"{format_bytes(anonymous_bytes())} anonymous, in this process and its children"
    yield "CPUs", f"{cpu_count()} usable of {psutil.cpu_count()}"
    yield "python", f"{platform.python_version()} on {platform.platform(terse=True)}, numpy {np.__version__}"
    yield "libvips", versions()
    yield "formats", ", ".join(name for name, there in formats().items() if there)
    missing = [name for name, there in formats().items() if not there]
    if missing:
        yield "missing", f"{', '.join(missing)}: libvips was built without"
    yield "deflate", describe_deflater(best_deflater())
    yield "disk", f"{format_bytes(free_disk_bytes(folder))} free at {folder}"
    yield "database", _database(database_url, folder)


def describe_deflater(used: Deflater) -> str:
    """Say which library compresses the sheets, and which would do so in less time."""
    faster = [candidate.name for candidate in takewhile(lambda candidate: candidate.name != used.name, CANDIDATES)]
    missing = f"; {' or '.join(faster)} is faster, and not installed" if faster else ""
    return f"{used.name}, level {used.level}{missing}"


def _host_memory() -> str:
    return format_bytes(psutil.virtual_memory().total)


def _ceiling(limit_bytes: int) -> str:
    return format_bytes(limit_bytes * REFUSE_AT)


def _database(url: str, folder: Path) -> str:
    try:
        database = Database(url, folder)
        database.check()
    except TilepressError as error:
        return f"{error.message}. {error.remedy}"
    return f"{database.address} answers and has its tables"
