"""The contract of a sink, and the file that appears only when it is whole."""

import errno
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from io import BufferedRandom
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from tiles.design import BYTES_PER_PX
from tiles.sinks.deflate import Deflater, best_deflater
from tiles.undisturbed import undisturbed

if TYPE_CHECKING:
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
    """What a sink must know before the first strip.

    `bands` are 4 (RGBA, straight alpha), or 3 (RGB) where a format takes them. `threads` encode at once; the bytes do
    not depend on it. They do on `deflater`; the pixels do not.
    """

    width: int
    height: int
    dpi: int
    profile: bytes
    threads: int
    deflater: Deflater = field(default_factory=best_deflater)
    bands: int = BYTES_PER_PX


class Sink(Protocol):
    """Takes strips from one thread, top to bottom, no gaps, and writes one file.

    Entering the context opens the file. `finish` is called after the last row and makes it appear; leaving the
    context without it removes all trace. An error of a background write is raised by the next call. A strip that
    does not fit is a ValueError, as are missing rows.
    """

    def write(self, strip: "Strip") -> None:
        """Take the next rows."""

    def finish(self) -> SheetFile:
        """Complete the file, and give it its name."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class RowCount:
    """Counts a sheet's rows as its strips arrive; `left` are still to come."""

    def __init__(self, sheet: SheetFormat) -> None:
        """Begin at the top."""
        self._row = (sheet.width, sheet.bands)
        self.left = sheet.height

    def take(self, strip: "Strip") -> None:
        """Count a strip; raise ValueError if it is not the sheet's."""
        rows, width, bands = strip.shape
        if (width, bands) != self._row or not 0 < rows <= self.left:
            raise ValueError(f"a strip of {width}×{rows} pixels where {self._row[0]}×{self.left} are left")
        self.left -= rows

    def check_complete(self) -> None:
        """Raise ValueError if rows are missing."""
        if self.left:
            raise ValueError(f"{self.left} rows are missing")


class AtomicFile:
    """A file written as `<name>.partial`, fsynced, then renamed; removed if it is not committed.

    It is opened within the block that discards it, so that no signal can come between.
    """

    _file: BufferedRandom

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is opened yet."""
        self.path = path
        self._partial = path.with_name(path.name + PARTIAL)
        self._hash: hashlib._Hash | None = hashlib.sha256()
        self.position = 0

    def open(self) -> None:
        """Begin the file aside."""
        with undisturbed():  # a signal's exception between opening and knowing it would leave it open
            self._file = self._partial.open("w+b")

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        self._file.write(data)
        self.position += len(data)
        if self._hash is not None:
            self._hash.update(data)

    def reserve(self, length: int) -> None:
        """Append room that will be patched; as that would be in vain, what follows is not hashed while written."""
        self._hash = None
        self.write(bytes(length))

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
        if hasattr(self, "_file"):
            with suppress(OSError):  # closing flushes, which fails again on a full disk
                self._file.close()
        with suppress(NotADirectoryError):
            self._partial.unlink(missing_ok=True)


def write_atomically(path: Path, fill: Callable[[AtomicFile], None]) -> SheetFile:
    """Write a whole small file by `fill(file)`: it appears complete or not at all."""
    file = AtomicFile(path)
    try:
        file.open()
        fill(file)
        return file.commit()
    finally:
        file.discard()


def _sync_folder(folder: Path) -> None:
    """Have the new name survive a power cut, where the file system can do so."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # fsync(2): not for folders here, as on some network shares
            raise
    finally:
        os.close(descriptor)
