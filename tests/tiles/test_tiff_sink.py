"""TIFF sheets: any decoder gives back the very pixels, the tags are exact, and 4 GB is no wall."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tiles.sinks.deflate import CANDIDATES, Candidate, choose_deflater
from tiles.sinks.sink import SheetFormat
from tiles.sinks.tiff import CLASSIC_LIMIT, TiffSink, largest_file
from tiles.vips import srgb_profile

if TYPE_CHECKING:
    from tests.tiles.conftest import Noise, Pixels, WriteSheet

SIZES = [(1, 1), (1, 50), (50, 1), (37, 100), (400, 33)]


@pytest.fixture(params=["classic", "big"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have both kinds of TIFF written."""
    if request.param == "big":
        monkeypatch.setattr("tiles.sinks.tiff.CLASSIC_LIMIT", 0)
    return str(request.param)


def assert_decoded(path: Path, pixels: "Pixels") -> None:
    with Image.open(path) as image:
        assert image.mode == "RGBA"
        assert np.array(image).tobytes() == pixels.tobytes()
    by_libvips = pyvips.Image.tiffload(str(path), fail_on="warning")
    assert bytes(by_libvips.write_to_memory()) == pixels.tobytes()


def test_a_sheet_without_alpha_has_three_channels(kind: str, tmp_path: Path, noise: "Noise") -> None:
    pixels = np.ascontiguousarray(noise(37, 100)[..., :3])
    path = tmp_path / "sheet.tif"
    with TiffSink(path, SheetFormat(37, 100, 400, srgb_profile(), 2, bands=3)) as sink:
        sink.write(pixels[:48])
        sink.write(pixels[48:])
        sink.finish()
    with Image.open(path) as image:
        assert image.mode == "RGB"
        assert np.array(image).tobytes() == pixels.tobytes()
    by_libvips = pyvips.Image.tiffload(str(path), fail_on="warning")
    assert bytes(by_libvips.write_to_memory()) == pixels.tobytes()


@pytest.mark.parametrize("rows", [16, 48, 112])
@pytest.mark.parametrize("size", SIZES)
def test_every_decoder_gives_the_very_pixels(
    size: tuple[int, int], rows: int, kind: str, tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet"
) -> None:
    pixels = noise(*size)
    path = write_sheet(tmp_path / "sheet.tif", pixels, "tiff", rows=rows, threads=3).path
    assert path.read_bytes()[:4] == (b"II*\0" if kind == "classic" else b"II+\0")
    assert_decoded(path, pixels)


def tags_of(path: Path) -> dict[int, Any]:
    with Image.open(path) as image:
        return dict(image.tag_v2)  # type: ignore[attr-defined]


@pytest.mark.parametrize("dpi", [72, 300, 360, 400, 720])
def test_the_tags_say_what_a_rip_wants_to_know(
    dpi: int, kind: str, tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet"
) -> None:
    tags = tags_of(write_sheet(tmp_path / "sheet.tif", noise(30, 40), "tiff", dpi=dpi).path)
    inches, deflate, horizontal, unassociated, rgb = 2, 8, 2, (2,), 2
    assert (tags[282], tags[283], tags[296]) == (dpi, dpi, inches)
    assert (tags[259], tags[317]) == (deflate, horizontal)
    assert (tags[262], tags[338], tags[258]) == (rgb, unassociated, (8, 8, 8, 8))
    assert tags[34675] == srgb_profile()
    assert tags[274] == 1


def test_strips_are_of_16_rows_however_they_arrive(tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet") -> None:
    pixels = noise(30, 90)
    files = [write_sheet(tmp_path / f"{rows}.tif", pixels, "tiff", rows=rows).path for rows in (16, 32, 96)]
    assert tags_of(files[0])[278] == 16
    assert files[0].read_bytes() == files[1].read_bytes() == files[2].read_bytes()


def test_a_strip_of_odd_rows_is_refused_unless_it_is_the_last(
    tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet"
) -> None:
    with pytest.raises(ValueError, match="20 rows are no multiple of 16"):
        write_sheet(tmp_path / "sheet.tif", noise(30, 90), "tiff", rows=20)
    assert list(tmp_path.iterdir()) == []


# -- BigTIFF ---------------------------------------------------------------------------------------


def is_big(width: int, height: int) -> bool:
    return TiffSink(Path("never-opened.tif"), SheetFormat(width, height, 400, srgb_profile(), 1)).is_big


def test_big_tiff_is_chosen_before_4_gb_could_be_reached() -> None:
    assert not is_big(9200, 86_000)
    assert not is_big(9200, 115_000)  # 4.232 GB of pixels, with 1 % to spare under 4.295
    assert is_big(9200, 116_000)
    assert is_big(9200, 200_000)


@given(width=st.integers(1, 10**5), height=st.integers(1, 10**6))
def test_a_classic_tiff_has_room_for_all_it_could_hold(width: int, height: int) -> None:
    assert is_big(width, height) == (largest_file(width, height) >= CLASSIC_LIMIT)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3, 1000), (1000, 16), (1000, 100)])
def test_no_file_is_larger_than_was_reckoned_with(
    size: tuple[int, int], tmp_path: Path, write_sheet: "WriteSheet"
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 4), np.uint8)
    assert write_sheet(tmp_path / "sheet.tif", pixels, "tiff").bytes <= largest_file(*size)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.name)
@given(seed=st.integers(0, 1000), length=st.integers(1, 100_000), levels=st.integers(1, 256))
def test_deflate_grows_what_it_cannot_shrink_by_less_than_was_reckoned_with(
    candidate: Candidate, seed: int, length: int, levels: int
) -> None:
    data = np.random.default_rng(seed).integers(0, levels, length).astype(np.uint8).tobytes()
    assert len(choose_deflater([candidate]).whole(data)) <= length * 1.01 + 64
