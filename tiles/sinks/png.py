"""PNG: 8-bit RGBA or RGB, filter Up, deflated in strips (W3C PNG, third edition)."""

import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from config.units import dpi_to_px_per_metre
from tiles.canvas import Strip
from tiles.sinks.deflate import DEFLATE_END, ZLIB_HEADER, Deflated, Deflater, combine_adler
from tiles.sinks.packing_sink import PackingSink
from tiles.sinks.sink import SheetFormat

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FILTER_UP = 2  # each byte less the one above it: flat artwork becomes zeros
_COLOUR_TYPES = {3: 2, 4: 6}  # by bands: truecolour, and with alpha
_METRE = 1


class PngSink(PackingSink[Deflated]):
    """A PNG with pHYs and ICC profile."""

    def __init__(self, path: Path, sheet: SheetFormat) -> None:
        """Open nothing yet."""
        super().__init__(path, sheet)
        self._above: Strip = np.zeros((1, sheet.width, sheet.bands), np.uint8)
        self._adler = zlib.adler32(b"")

    def _begin(self) -> None:
        sheet = self._sheet
        per_metre = dpi_to_px_per_metre(sheet.dpi)
        self._file.write(SIGNATURE)
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", sheet.width, sheet.height, 8, _COLOUR_TYPES[sheet.bands], 0, 0, 0))
        self._chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(sheet.profile, 9))
        self._chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, _METRE))
        self._chunk(b"IDAT", ZLIB_HEADER)

    def _packed(self, strip: Strip) -> Callable[[], Deflated]:
        above, self._above = self._above, strip[-1:].copy()  # a view would keep the whole strip
        return partial(_pack, strip, above, self._sheet.deflater)

    def _append(self, piece: Deflated) -> None:
        self._adler = combine_adler(self._adler, piece.adler, piece.length)
        self._chunk(b"IDAT", piece.data)

    def _end(self) -> None:
        self._chunk(b"IDAT", DEFLATE_END + self._adler.to_bytes(4, "big"))
        self._chunk(b"IEND", b"")

    def _chunk(self, kind: bytes, data: bytes) -> None:
        crc32 = self._sheet.deflater.library.crc32
        self._file.write(len(data).to_bytes(4, "big") + kind)
        self._file.write(data)
        self._file.write(crc32(data, crc32(kind)).to_bytes(4, "big"))


def _pack(strip: Strip, above: Strip, deflater: Deflater) -> Deflated:
    """Filter and compress a strip; `above` is the row before it."""
    rows = len(strip)
    pixels = strip.reshape(rows, -1)
    filtered = np.empty((rows, 1 + pixels.shape[1]), np.uint8)
    filtered[:, 0] = _FILTER_UP
    np.subtract(pixels[:1], above.reshape(1, -1), out=filtered[:1, 1:])
    np.subtract(pixels[1:], pixels[:-1], out=filtered[1:, 1:])
    return deflater.piece(filtered.data.cast("B"))
