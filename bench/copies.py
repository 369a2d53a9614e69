"""Many distinct files of few distinct pictures: what a shop's thousands of designs are to whoever reads them."""

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

_IEND = b"\0\0\0\0IEND\xaeB`\x82"


def distinct_copies(pictures: Sequence[Path], count: int, folder: Path) -> list[Path]:
    """Write `count` PNG files into `folder`, each with other bytes, and return them; the pictures come by turns."""
    contents = [picture.read_bytes() for picture in pictures]
    folder.mkdir(parents=True)
    files = [folder / f"{index:03}.png" for index in range(count)]
    for index, file in enumerate(files):
        file.write_bytes(_with_comment(contents[index % len(contents)], file.stem))
    return files


def _with_comment(png: bytes, text: str) -> bytes:
    """Return the PNG with a tEXt chunk (PNG 3rd edition, 11.3.3.2): other bytes, the same picture."""
    chunk = b"tEXtComment\0" + text.encode("latin-1")
    framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return png.removesuffix(_IEND) + framed + _IEND
