"""Reading sheets back: what was written is found, and what is damaged is told of."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from config.errors import ArtworkError
from tiles.canvas import map_prepared
from tiles.geometry import Rect
from tiles.readback import SheetReader
from tiles.vips import srgb_profile

if TYPE_CHECKING:
    from tests.tiles.conftest import Lay, Noise, Pixels, WriteSheet

KINDS = pytest.mark.parametrize("kind", ["png", "tiff"])


@pytest.fixture(autouse=True)
def small_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tiles.readback.strip_rows", lambda width: 16)


def read(path: Path) -> "Pixels":
    tops, strips = zip(*SheetReader(path).strips(), strict=True)
    assert list(tops) == list(np.cumsum([0, *(len(strip) for strip in strips[:-1])]))
    return np.concatenate(strips)


@KINDS
@pytest.mark.parametrize("size", [(1, 1), (30, 40), (7, 100)])
def test_a_sheet_is_read_as_it_was_written(
    kind: str, size: tuple[int, int], tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet"
) -> None:
    pixels = noise(*size)
    path = write_sheet(tmp_path / "sheet", pixels, kind).path
    assert read(path).tobytes() == pixels.tobytes()


@KINDS
def test_the_header_of_a_sheet_is_read(kind: str, tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet") -> None:
    header = SheetReader(write_sheet(tmp_path / "sheet", noise(30, 40), kind, dpi=300).path).header
    assert (header.width_px, header.height_px, header.bands) == (30, 40, 4)
    assert (header.dpi_x, header.dpi_y) == pytest.approx((300, 300), abs=0.013)
    assert header.profile == srgb_profile()


def test_a_sheet_without_profile_has_none(tmp_path: Path) -> None:
    Image.new("RGBA", (9, 9)).save(tmp_path / "sheet.png")
    assert SheetReader(tmp_path / "sheet.png").header.profile == b""


def test_a_file_that_is_no_image_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "sheet.png").write_text("no image")
    with pytest.raises(ArtworkError, match=r"^cannot be opened: .+"):
        SheetReader(tmp_path / "sheet.png")


@pytest.mark.parametrize(("mode", "found"), [("RGB", "3 channels of uchar"), ("I;16", "1 channels of ushort")])
def test_a_sheet_that_is_not_8_bit_rgba_is_told_of(mode: str, found: str, tmp_path: Path) -> None:
    Image.new(mode, (9, 9)).save(tmp_path / "sheet.png")
    with pytest.raises(ArtworkError, match=found):
        read(tmp_path / "sheet.png")


@KINDS
def test_a_sheet_with_a_flipped_bit_is_told_of(
    kind: str, tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet"
) -> None:
    path = write_sheet(tmp_path / "sheet", noise(100, 200), kind).path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)
    with pytest.raises(ArtworkError, match=r"^cannot be decoded from row \d+ on: .+"):
        read(path)


def test_a_sheet_cut_short_is_told_of(tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet") -> None:
    path = write_sheet(tmp_path / "sheet.png", noise(100, 200)).path
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with pytest.raises(ArtworkError, match=r"^cannot be decoded from row \d+ on: .+"):
        read(path)


def test_a_prepared_design_is_mapped_as_it_is_printed(lay: "Lay", noise: "Noise") -> None:
    pixels = noise(30, 20)
    path = lay(pixels)
    assert map_prepared(path, Rect(7, 8, 30, 20), 0).tolist() == pixels.tolist()
    assert map_prepared(path, Rect(7, 8, 20, 30), 90).tolist() == np.rot90(pixels).tolist()
