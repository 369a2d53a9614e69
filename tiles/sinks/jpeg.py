"""JPEG: strips encoded by libvips, each as a picture of its own, and joined into one.

A baseline scan may be cut by restart markers, at which the encoder begins anew (ITU-T T.81, E.1.4): where every strip
has the same number of coded blocks, their scans follow each other with a marker between them. Strips are so encoded
on several threads, in memory that does not grow with the picture, and the pixels are those of one encoder's.
"""

import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyvips

from tiles.canvas import Strip
from tiles.sinks.packing_sink import PackingSink
from tiles.sinks.sink import ROWS_MULTIPLE, SheetFormat

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_APP0, _APP2, _SOF0, _DRI, _SOS, _RST0 = 0xE0, 0xE2, 0xC0, 0xDD, 0xDA, 0xD0
_RESTARTS = 8  # restart markers are numbered 0 to 7, again and again
_JFIF = struct.Struct(">5sBBBHHBB")  # ISO/IEC 10918-5: name, version, unit, density, size of a thumbnail
_PER_INCH = 1
_PROFILE = b"ICC_PROFILE\0\1\1"  # ICC.1:2022, annex B.4: the first of one chunk


class JpegSink(PackingSink[bytes]):
    """A baseline JPEG with resolution and ICC profile, of RGB strips.

    All have the same rows, a multiple of 16, but for the last, which may have fewer; any other is a ValueError.
    `chroma` is "4:2:0" (colour at half the resolution) or "4:4:4".
    """

    def __init__(self, path: Path, sheet: SheetFormat, quality: int, chroma: str) -> None:
        """Open nothing yet."""
        super().__init__(path, sheet)
        self._encode = partial(_encoded, quality=quality, chroma=chroma)
        self._block = 16 if chroma == "4:2:0" else 8  # T.81, A.2.3: pixels along the side of a coded unit
        self._strips = 0
        self._strip_rows = 0

    def _begin(self) -> None:
        self._file.write(_SOI)
        self._segment(_APP0, _JFIF.pack(b"JFIF", 1, 2, _PER_INCH, self._sheet.dpi, self._sheet.dpi, 0, 0))
        self._segment(_APP2, _PROFILE + self._sheet.profile)

    def _packed(self, strip: Strip) -> Callable[[], bytes]:
        rows = len(strip)
        self._strip_rows = self._strip_rows or rows
        is_alike = rows == self._strip_rows and rows % ROWS_MULTIPLE == 0
        is_last = rows <= self._strip_rows and not self._rows.left
        if not (is_alike or is_last):
            raise ValueError(f"a strip of {rows} rows: all but the last have the same, a multiple of {ROWS_MULTIPLE}")
        return partial(self._encode, strip)

    def _append(self, piece: bytes) -> None:
        header, scan = _split(piece)
        if self._strips == 0:
            self._write_header(header)
        else:
            self._file.write(bytes([0xFF, _RST0 + (self._strips - 1) % _RESTARTS]))
        self._file.write(scan)
        self._strips += 1

    def _end(self) -> None:
        self._file.write(_EOI)

    def _write_header(self, segments: list[tuple[int, bytes]]) -> None:
        """Write the first strip's header as that of the whole picture."""
        for marker, content in segments:
            if marker == _SOF0:
                content = content[:1] + self._sheet.height.to_bytes(2, "big") + content[3:]  # noqa: PLW2901
            if marker == _SOS:
                self._segment(_DRI, self._units_in_a_strip().to_bytes(2, "big"))
            self._segment(marker, content)

    def _units_in_a_strip(self) -> int:
        return -(-self._sheet.width // self._block) * -(-self._strip_rows // self._block)

    def _segment(self, marker: int, content: bytes) -> None:
        self._file.write(bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content)


def _encoded(strip: Strip, quality: int, chroma: str) -> bytes:
    """Return a strip as a JPEG of its own; all have the same tables, as none is optimised."""
    rows, width, bands = strip.shape
    image = pyvips.Image.new_from_memory(strip.data, width, rows, bands, "uchar")
    image = image.copy(interpretation="srgb")
    subsampling = "on" if chroma == "4:2:0" else "off"
    return bytes(image.jpegsave_buffer(Q=quality, subsample_mode=subsampling, keep="none"))


def _split(jpeg: bytes) -> tuple[list[tuple[int, bytes]], memoryview]:
    """Return a JPEG's segments, the scan's header as the last of them, and the scan itself."""
    segments: list[tuple[int, bytes]] = []
    position = len(_SOI)
    while not segments or segments[-1][0] != _SOS:
        length = int.from_bytes(jpeg[position + 2 : position + 4], "big")
        segments.append((jpeg[position + 1], jpeg[position + 4 : position + 2 + length]))
        position += 2 + length
    return segments, memoryview(jpeg)[position : -len(_EOI)]
