"""PNG: 8-bit RGBA, filter Up, deflated in strips (W3C PNG, third edition)."""

import struct
import zlib
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from config.units import dpi_to_px_per_metre
from tiles.canvas import Strip
from tiles.design import BYTES_PER_PX
from tiles.sinks.deflate import DEFLATE_END, ZLIB_HEADER, Deflated, OrderedWork, combine_adler, deflate_piece
from tiles.sinks.sink import AtomicFile, RowCount, SheetFile, SheetFormat

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FILTER_UP = 2  # each byte less the one above it: flat artwork becomes zeros
_RGBA = 6
_METRE = 1


class PngSink:
    """A PNG with pHYs and ICC profile; a sink as in sink.py."""

    def __init__(self, path: Path, sheet: SheetFormat) -> None:
        """Open nothing yet."""
        self._file, self._sheet = AtomicFile(path), sheet
        self._rows = RowCount(sheet)
        self._above: Strip = np.zeros((1, sheet.width, BYTES_PER_PX), np.uint8)
        self._adler = zlib.adler32(b"")
        self._work: OrderedWork[Deflated] = OrderedWork(sheet.threads, self._append)

    def write(self, strip: Strip) -> None:
        """Take the next rows."""
        self._rows.take(strip)
        self._work.begin(partial(_pack, strip, self._above))
        self._above = strip[-1:].copy()  # a view would keep the whole strip

    def finish(self) -> SheetFile:
        """Complete the file, and give it its name."""
        self._rows.check_complete()
        self._work.drain()
        self._chunk(b"IDAT", DEFLATE_END + self._adler.to_bytes(4, "big"))
        self._chunk(b"IEND", b"")
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

    def _begin(self) -> None:
        """Write what stands before the pixels."""
        sheet = self._sheet
        per_metre = dpi_to_px_per_metre(sheet.dpi)
        self._file.write(SIGNATURE)
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", sheet.width, sheet.height, 8, _RGBA, 0, 0, 0))
        self._chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(sheet.profile, 9))
        self._chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, _METRE))
        self._chunk(b"IDAT", ZLIB_HEADER)

    def _append(self, piece: Deflated) -> None:
        self._adler = combine_adler(self._adler, piece.adler, piece.length)
        self._chunk(b"IDAT", piece.data)

    def _chunk(self, kind: bytes, data: bytes) -> None:
        self._file.write(len(data).to_bytes(4, "big") + kind)
        self._file.write(data)
        self._file.write(zlib.crc32(data, zlib.crc32(kind)).to_bytes(4, "big"))


def _pack(strip: Strip, above: Strip) -> Deflated:
    """Filter and compress a strip; `above` is the row before it."""
    rows = len(strip)
    pixels = strip.reshape(rows, -1)
    filtered = np.empty((rows, 1 + pixels.shape[1]), np.uint8)
    filtered[:, 0] = _FILTER_UP
    np.subtract(pixels[:1], above.reshape(1, -1), out=filtered[:1, 1:])
    np.subtract(pixels[1:], pixels[:-1], out=filtered[1:, 1:])
    return deflate_piece(filtered.data.cast("B"))
