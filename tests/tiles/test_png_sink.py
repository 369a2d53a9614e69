"""PNG sheets: any decoder gives back the very pixels, and the tags say what a RIP wants to know."""

import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import pyvips
from PIL import Image

from tiles.vips import srgb_profile

if TYPE_CHECKING:
    from tests.tiles.conftest import Noise, WriteSheet

SIZES = [(1, 1), (1, 50), (50, 1), (37, 100), (400, 33)]


@pytest.mark.parametrize("rows", [16, 48, 112])
@pytest.mark.parametrize("size", SIZES)
def test_every_decoder_gives_the_very_pixels(
    size: tuple[int, int], rows: int, tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet"
) -> None:
    pixels = noise(*size)
    path = write_sheet(tmp_path / "sheet.png", pixels, rows=rows, threads=3).path
    with Image.open(path) as image:
        assert image.mode == "RGBA"
        assert np.array(image).tobytes() == pixels.tobytes()
    by_opencv = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert by_opencv is not None
    assert by_opencv[..., [2, 1, 0, 3]].tobytes() == pixels.tobytes()
    by_libvips = pyvips.Image.pngload(str(path), fail_on="warning")
    assert bytes(by_libvips.write_to_memory()) == pixels.tobytes()


def chunks_of(path: Path) -> list[tuple[bytes, bytes]]:
    """Return (type, data) of every chunk, whose check sums are right."""
    data, chunks = path.read_bytes(), []
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        content = data[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + content) == int.from_bytes(data[at + 8 + length : at + 12 + length], "big")
        chunks.append((kind, content))
        at += 12 + length
    return chunks


def test_the_pixels_are_one_sound_stream(tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet") -> None:
    chunks = chunks_of(write_sheet(tmp_path / "sheet.png", noise(37, 100), threads=3).path)
    stream = b"".join(data for kind, data in chunks if kind == b"IDAT")
    assert len(zlib.decompress(stream)) == 100 * (1 + 37 * 4)  # its check sum is right, or this is an error


@pytest.mark.parametrize(("dpi", "per_metre"), [(72, 2835), (300, 11811), (360, 14173), (400, 15748), (720, 28346)])
def test_the_resolution_is_the_nearest_there_is(
    dpi: int, per_metre: int, tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet"
) -> None:
    chunks = dict(chunks_of(write_sheet(tmp_path / "sheet.png", noise(9, 20), dpi=dpi).path))
    assert chunks[b"pHYs"] == struct.pack(">IIB", per_metre, per_metre, 1)


def test_the_chunks_stand_in_the_order_the_standard_demands(
    tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet"
) -> None:
    kinds = [kind for kind, _ in chunks_of(write_sheet(tmp_path / "sheet.png", noise(9, 40)).path)]
    assert list(dict.fromkeys(kinds)) == [b"IHDR", b"iCCP", b"pHYs", b"IDAT", b"IEND"]
    assert kinds.count(b"IEND") == 1


def test_the_colour_profile_is_srgb(tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet") -> None:
    with Image.open(write_sheet(tmp_path / "sheet.png", noise(9, 20)).path) as image:
        assert image.info["icc_profile"] == srgb_profile()


def test_rows_like_the_one_above_cost_next_to_nothing(tmp_path: Path, write_sheet: "WriteSheet") -> None:
    row = np.random.default_rng(0).integers(0, 256, (1, 1000, 4), np.uint8)
    file = write_sheet(tmp_path / "sheet.png", np.repeat(row, 1600, axis=0), rows=160)
    assert file.bytes < 100_000
