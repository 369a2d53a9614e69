"""TIFF: 8-bit RGBA or RGB in deflated strips, horizontal predictor (TIFF 6.0; BigTIFF where 4 GB could be reached)."""

import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from tiles.canvas import Strip
from tiles.design import BYTES_PER_PX
from tiles.sinks.deflate import Deflater
from tiles.sinks.packing_sink import PackingSink
from tiles.sinks.sink import ROWS_MULTIPLE, SheetFormat

ROWS_PER_STRIP = ROWS_MULTIPLE
CLASSIC_LIMIT = 2**32
_GROWTH = 1.01  # deflate makes what it cannot shrink larger by under 1 %
_STRIP_BYTES = 64 + 8  # and by this much; its offset and length
_DIRECTORY_BYTES = 100_000  # with the profile
_SHORT, _LONG, _RATIONAL, _UNDEFINED, _LONG8 = 3, 4, 5, 7, 16
_SIZES = {_SHORT: 2, _LONG: 4, _RATIONAL: 8, _UNDEFINED: 1, _LONG8: 8}
_CODES = {_SHORT: "H", _LONG: "I", _LONG8: "Q"}


class TiffSink(PackingSink[list[bytes]]):
    """A TIFF with resolution and ICC profile, its alpha unassociated; strips come in multiples of ROWS_PER_STRIP."""

    def __init__(self, path: Path, sheet: SheetFormat) -> None:
        """Open nothing yet; choose BigTIFF if the pixels, uncompressed, would not fit in a classic one."""
        super().__init__(path, sheet)
        self.is_big = largest_file(sheet.width, sheet.height, sheet.bands) >= CLASSIC_LIMIT
        self._offsets: list[int] = []
        self._lengths: list[int] = []

    def _begin(self) -> None:
        """Write the header; where the directory is, is filled in at the end."""
        self._file.write(struct.pack("<2sHHH", b"II", 43, 8, 0) if self.is_big else struct.pack("<2sH", b"II", 42))
        self._file.reserve(8 if self.is_big else 4)

    def _packed(self, strip: Strip) -> Callable[[], list[bytes]]:
        if len(strip) % ROWS_PER_STRIP and self._rows.left:
            raise ValueError(f"{len(strip)} rows are no multiple of {ROWS_PER_STRIP}")
        return partial(_pack, strip, self._sheet.deflater)

    def _append(self, piece: list[bytes]) -> None:
        for data in piece:
            self._offsets.append(self._file.position)
            self._lengths.append(len(data))
            self._file.write(data)

    def _end(self) -> None:
        directory = self._write_directory()
        self._file.patch(8 if self.is_big else 4, struct.pack("<Q" if self.is_big else "<I", directory))

    def _write_directory(self) -> int:
        """Write the image file directory and its values; return its offset."""
        sheet, word = self._sheet, _LONG8 if self.is_big else _LONG
        entries: list[tuple[int, int, list[int] | bytes]] = [
            (256, _LONG, [sheet.width]),
            (257, _LONG, [sheet.height]),
            (258, _SHORT, [8] * sheet.bands),
            (259, _SHORT, [8]),  # Adobe deflate
            (262, _SHORT, [2]),  # RGB
            (273, word, self._offsets),
            (274, _SHORT, [1]),  # top row first
            (277, _SHORT, [sheet.bands]),
            (278, _LONG, [ROWS_PER_STRIP]),
            (279, word, self._lengths),
            (282, _RATIONAL, struct.pack("<II", sheet.dpi, 1)),
            (283, _RATIONAL, struct.pack("<II", sheet.dpi, 1)),
            (284, _SHORT, [1]),  # samples interleaved
            (296, _SHORT, [2]),  # inches
            (317, _SHORT, [2]),  # horizontal differencing
            *([(338, _SHORT, [2])] if sheet.bands == BYTES_PER_PX else []),  # extra sample: unassociated alpha
            (34675, _UNDEFINED, sheet.profile),
        ]
        fields = b"".join(self._entry(tag, kind, values) for tag, kind, values in entries)
        self._align()
        offset = self._file.position
        count = struct.pack("<Q" if self.is_big else "<H", len(entries))
        self._file.write(count + fields + bytes(8 if self.is_big else 4))
        return offset

    def _entry(self, tag: int, kind: int, values: list[int] | bytes) -> bytes:
        """Return a directory entry; values too long to stand in it are written before the directory."""
        data = values if isinstance(values, bytes) else struct.pack(f"<{len(values)}{_CODES[kind]}", *values)
        room = 8 if self.is_big else 4
        head = struct.pack("<HHQ" if self.is_big else "<HHI", tag, kind, len(data) // _SIZES[kind])
        if len(data) <= room:
            return head + data.ljust(room, b"\0")
        self._align()
        where = struct.pack("<Q" if self.is_big else "<I", self._file.position)
        self._file.write(data)
        return head + where

    def _align(self) -> None:
        self._file.write(bytes(self._file.position % 2))


def largest_file(width: int, height: int, bands: int = BYTES_PER_PX) -> int:
    """Return what a sheet takes at most, in bytes, if its pixels are noise."""
    strips = -(-height // ROWS_PER_STRIP)
    return int(width * height * bands * _GROWTH) + strips * _STRIP_BYTES + _DIRECTORY_BYTES


def _pack(strip: Strip, deflater: Deflater) -> list[bytes]:
    """Difference and compress rows, ROWS_PER_STRIP at a time."""
    packed = []
    for top in range(0, len(strip), ROWS_PER_STRIP):
        pixels = strip[top : top + ROWS_PER_STRIP]
        differences = np.empty_like(pixels)
        differences[:, :1] = pixels[:, :1]
        np.subtract(pixels[:, 1:], pixels[:, :-1], out=differences[:, 1:])
        packed.append(deflater.whole(differences.data.cast("B")))
    return packed
