"""The contract of a sink, and the file that appears only when it is whole."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tiles.canvas import Strip

ROWS_MULTIPLE = 16  # strips come in multiples of this many rows, the last excepted
PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class SheetFile:
    """A finished file: where, how long, and the SHA-256 of its bytes."""

    path: Path
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SheetFormat:
    """What a sink must know before the first strip. `threads` encode at once; the bytes do not depend on it."""

    width: int
    height: int
    dpi: int
    profile: bytes
    threads: int


class Sink(Protocol):
    """Takes strips from one thread, top to bottom, no gaps, and writes one file.

    `finish` is called after the last row and makes the file appear; leaving the context without it removes all
    trace. An error of a background write is raised by the next call.
    """

    def write(self, strip: Strip) -> None:
        """Take the next rows."""

    def finish(self) -> SheetFile:
        """Complete the file, and give it its name."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class AtomicFile:
    """A file written as `<name>.partial`, fsynced, then renamed; removed if it is not committed."""

    def __init__(self, path: Path) -> None:
        """Open the file aside."""
        self.path = path
        self._partial = path.with_name(path.name + PARTIAL)
        self._file = self._partial.open("w+b")
        self._hash: hashlib._Hash | None = hashlib.sha256()
        self.position = 0

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        self._file.write(data)
        self.position += len(data)
        if self._hash is not None:
            self._hash.update(data)

    def patch(self, offset: int, data: bytes) -> None:
        """Overwrite bytes written before; the hash is then taken from the finished file."""
        self._file.seek(offset)
        self._file.write(data)
        self._file.seek(self.position)
        self._hash = None

    def commit(self) -> SheetFile:
        """Flush to the disk and rename; return the finished file."""
        self._file.flush()
        if self._hash is None:
            self._file.seek(0)
            digest = hashlib.file_digest(self._file, "sha256").hexdigest()
        else:
            digest = self._hash.hexdigest()
        os.fsync(self._file.fileno())
        self._file.close()
        self._partial.replace(self.path)
        _sync_folder(self.path.parent)
        return SheetFile(self.path, self.position, digest)

    def discard(self) -> None:
        """Remove what was not committed; harmless afterwards."""
        with suppress(OSError):  # closing flushes, which fails again on a full disk
            self._file.close()
        self._partial.unlink(missing_ok=True)


def write_atomically(path: Path, fill: Callable[[AtomicFile], None]) -> SheetFile:
    """Write a whole small file by `fill(file)`: it appears complete or not at all."""
    file = AtomicFile(path)
    try:
        fill(file)
        return file.commit()
    finally:
        file.discard()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
