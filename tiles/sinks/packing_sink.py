"""What all sinks share that pack strips on threads: rows counted, pieces in order, the file whole or not at all."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from tiles.canvas import Strip
from tiles.sinks.ordered_work import OrderedWork
from tiles.sinks.sink import AtomicFile, RowCount, SheetFile, SheetFormat

Piece = TypeVar("Piece")


class PackingSink(ABC, Generic[Piece]):
    """A sink as in sink.py. A format says how it begins, packs a strip, appends what was packed, and ends."""

    def __init__(self, path: Path, sheet: SheetFormat) -> None:
        """Open nothing yet."""
        self._file, self._sheet = AtomicFile(path), sheet
        self._rows = RowCount(sheet)
        self._work: OrderedWork[Piece] = OrderedWork(sheet.threads, self._append)

    def write(self, strip: Strip) -> None:
        """Take the next rows."""
        self._rows.take(strip)
        self._work.begin(self._packed(strip))

    def finish(self) -> SheetFile:
        """Complete the file, and give it its name."""
        self._rows.check_complete()
        self._work.drain()
        self._end()
        return self._file.commit()

    def __enter__(self) -> Self:
        try:
            self._file.open()
            self._begin()
        except BaseException:
            self._file.discard()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._work.close()
        self._file.discard()

    @abstractmethod
    def _begin(self) -> None:
        """Write what stands before the pixels."""

    @abstractmethod
    def _packed(self, strip: Strip) -> Callable[[], Piece]:
        """Return the work of packing a strip, to be done on a thread."""

    @abstractmethod
    def _append(self, piece: Piece) -> None:
        """Write what was packed; in the order of strips, on the thread that writes."""

    @abstractmethod
    def _end(self) -> None:
        """Write what stands behind the pixels."""
