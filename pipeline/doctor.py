"""What tilepress sees of the machine it is on, and whether it can work there: for a person, line by line.

Looks at the machine and the installation, never at a pipeline file: that is what `tilepress check` is for.
"""

import multiprocessing
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from itertools import takewhile
from pathlib import Path

import numpy as np
import psutil

from config.database import Database
from config.errors import ConfigurationError, ExitCode, StorageError, TilepressError
from config.units import format_bytes
from pipeline.delivery import storing
from pipeline.governor import REFUSE_AT, WARN_AT
from pipeline.machine import MemoryLimit, anonymous_bytes, cpu_count, free_disk_bytes, memory_limit
from pipeline.prediction import peak_bytes
from tiles.pdf.versions import versions as pdf_versions
from tiles.sinks.deflate import CANDIDATES, Deflater, best_deflater
from tiles.vips import formats, versions

EVERYDAY_PX = 9200  # a film of 23 in at 400 DPI
ESSENTIAL = ("PNG", "JPEG")
IN_MEMORY = {"tmpfs", "ramfs"}
LONGEST_TEMPORARY = 71  # characters: a run's processes meet at a socket 32 below, and 103 is the most systems take
PROTOCOLS = {  # what each is spoken with
    "https": ("httpcore",),
    "s3": ("s3fs",),
    "sftp": ("asyncssh",),
    "postgresql": ("psycopg",),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing seen. `code` is what a run would end with because of it, DONE if nothing would come of it."""

    subject: str
    text: str
    code: ExitCode = ExitCode.DONE
    worry: bool = False  # a run would do, but not as well as it might

    def __str__(self) -> str:
        """Return the finding as a line; problems and worries are marked."""
        mark = "PROBLEM: " if self.code else "warning: " if self.worry else ""
        return f"{self.subject + ':':15} {mark}{self.text}"


def examine(folder: Path, database_url: str | None, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at the machine, at the installation, at `folder` as the place of work, and at the database if one is named.

    Nothing is changed.
    """
    yield from _machine(memory_limit(), cpu_count())
    yield from _installation()
    yield _threads(environ)
    yield locks()
    yield _log(terminal=sys.stdout.isatty())
    yield place("folder", folder)
    yield _temporary(environ.get("TMPDIR"))
    yield _database(database_url, folder)


def describe_deflater(used: Deflater) -> str:
    """Say which library compresses the sheets, and which would do so in less time."""
    faster = [candidate.name for candidate in takewhile(lambda candidate: candidate.name != used.name, CANDIDATES)]
    missing = f"; {' or '.join(faster)} is faster, and not installed" if faster else ""
    return f"{used.name}, level {used.level}{missing}"


def memory_for_a_sheet(limit: MemoryLimit, threads: int) -> Finding:
    """Tell whether the limit lets an everyday sheet be rendered on so many threads."""
    need, ceiling = peak_bytes(EVERYDAY_PX, 1, (), threads), limit.bytes * REFUSE_AT
    text = f"a sheet of {EVERYDAY_PX} pixels' width takes {format_bytes(need)} on {threads} threads"
    if need > ceiling:
        return Finding("memory needed", f"{text}; raise the limit, or set threads lower", ExitCode.BUDGET)
    return Finding("memory needed", f"{text}, and what its designs take to decode")


def readable_formats(there: Mapping[str, bool]) -> Iterator[Finding]:
    """Tell which formats of artwork this libvips reads, and which it should."""
    yield Finding("formats", ", ".join(name for name, readable in there.items() if readable))
    missing = [name for name, readable in there.items() if not readable]
    if missing:
        code = ExitCode.STORAGE if set(missing) & set(ESSENTIAL) else ExitCode.DONE
        yield Finding("missing", f"{', '.join(missing)}: libvips was built without", code, worry=True)


def place(subject: str, folder: Path) -> Finding:
    """Tell whether a folder can be written to, by writing there, and what it is on."""
    try:
        with storing(folder), tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"?")
            file.flush()
    except TilepressError as error:
        return Finding(subject, f"{error.message}. {error.remedy}", error.exit_code)
    kind = file_system(folder)
    text = f"{folder} can be written to, {format_bytes(free_disk_bytes(folder))} free, on {kind}"
    if kind in IN_MEMORY:
        return Finding(subject, f"{text}, which is memory: what lies there counts against the limit", worry=True)
    return Finding(subject, text + (": gone with the container" if kind == "overlay" else ""))


def locks() -> Finding:
    """Tell whether processes can share a lock; on Linux these lie in /dev/shm."""
    try:
        multiprocessing.Lock()
    except OSError as error:
        remedy = "On Linux they lie in /dev/shm: have memory (tmpfs) mounted there."
        return Finding("locks", f"none can be made: {error.strerror}. {remedy}", ExitCode.STORAGE)
    return Finding("locks", "can be made")


def file_system(folder: Path) -> str:
    """Return the kind of file system a folder is on."""
    mounted = {}
    with suppress(OSError):
        mounted = {mount.mountpoint: mount.fstype for mount in psutil.disk_partitions(all=True)}
    real = folder.resolve()
    around = (mounted[str(path)] for path in (real, *real.parents) if str(path) in mounted)
    return next(around, "a file system of unknown kind")


def spoken(protocols: Mapping[str, tuple[str, ...]]) -> Iterator[Finding]:
    """Tell which protocols can be spoken, by importing what each is spoken with: it may be there, and broken."""
    there, absent, broken = [], [], []
    for name, packages in protocols.items():
        try:
            for package in packages:
                import_module(package)
            there.append(name)
        except ImportError as error:
            if isinstance(error, ModuleNotFoundError) and error.name in packages:
                absent.append(name)
            else:
                broken.append(f"{name}: {error}")
    yield Finding("protocols", ", ".join(there) + (f"; not installed: {', '.join(absent)}" if absent else ""))
    yield from (Finding("broken", f"{reason}; install it anew", ExitCode.STORAGE) for reason in broken)


def _machine(limit: MemoryLimit, threads: int) -> Iterator[Finding]:
    host = format_bytes(psutil.virtual_memory().total)
    yield Finding("memory limit", f"{format_bytes(limit.bytes)} ({limit.source}); the host has {host}")
    ceiling = format_bytes(limit.bytes * REFUSE_AT)
    yield Finding("memory policy", f"warns at {WARN_AT:.0%}, begins nothing more at {REFUSE_AT:.0%} = {ceiling}")
    used = format_bytes(anonymous_bytes())
    yield Finding("memory in use", f"{used} anonymous, in this process and its children")
    yield memory_for_a_sheet(limit, threads)
    yield Finding("CPUs", f"{threads} usable of {psutil.cpu_count()}")


def _installation() -> Iterator[Finding]:
    release = f"{platform.python_version()} on {platform.platform(terse=True)}"
    yield Finding("python", f"{release}, numpy {np.__version__}")
    yield Finding("libvips", versions())
    yield from readable_formats(formats())
    yield Finding("PDF", pdf_versions())
    used = best_deflater()
    yield Finding("deflate", describe_deflater(used), worry=used.name != CANDIDATES[0].name)
    yield from spoken(PROTOCOLS)


def _threads(environ: Mapping[str, str]) -> Finding:
    arenas = environ.get("MALLOC_ARENA_MAX") or "limited when a run begins"
    blas = environ.get("OPENBLAS_NUM_THREADS") or "as many as there are CPUs"
    return Finding("threads", f"malloc arenas: {arenas}; of numpy's BLAS: {blas}", worry=blas != "1")


def _log(*, terminal: bool) -> Finding:
    if terminal:
        return Finding("log", "text and a progress bar, as standard output is a terminal")
    return Finding("log", "a JSON object a line, as standard output is no terminal")


def _temporary(wished: str | None) -> Finding:
    try:
        used = Path(tempfile.gettempdir())
    except FileNotFoundError:
        return Finding("temporary", "no folder can be written to. Set TMPDIR to one that can.", ExitCode.STORAGE)
    if len(os.fsencode(used)) > LONGEST_TEMPORARY:
        remedy = f"Set TMPDIR to one of at most {LONGEST_TEMPORARY} characters"
        return Finding("temporary", f"{used} is too long a path for sockets in it. {remedy}.", ExitCode.STORAGE)
    found = place("temporary", used)
    if wished and Path(wished).absolute() != used:
        return Finding("temporary", f"TMPDIR is {wished}, which cannot be used; {found.text}", found.code, worry=True)
    return found


def _database(url: str | None, folder: Path) -> Finding:
    if url is None:
        return Finding("database", "none named")
    try:
        database = Database(url, folder)
    except ConfigurationError as error:
        return Finding("database", f"{error.message}. {error.remedy}", error.exit_code)
    try:
        database.check()
    except StorageError as error:
        return Finding("database", f"{error.message}. {error.remedy}", error.exit_code)
    except ConfigurationError as error:  # a pipeline file may give its tables other names
        return Finding("database", f"answers, but {error.message}. {error.remedy}", worry=True)
    return Finding("database", f"{database.address} answers and has its tables")
