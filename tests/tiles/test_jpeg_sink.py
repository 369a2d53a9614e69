"""JPEGs joined of strips: any decoder takes them for one encoder's, whatever their size, quality and strips."""

import io
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import pyvips
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.tiles.perspective import Pixels
from tiles.sinks.jpeg import JpegSink
from tiles.sinks.sink import SheetFile, SheetFormat
from tiles.vips import srgb_profile


def write(path: Path, pixels: Pixels, quality: int = 85, chroma: str = "4:2:0", rows: int = 16, dpi: int = 72) -> bytes:
    height, width, _ = pixels.shape
    sheet = SheetFormat(width, height, dpi, srgb_profile(), threads=2, bands=3)
    with JpegSink(path, sheet, quality, chroma) as sink:
        for top in range(0, height, rows):
            sink.write(pixels[top : top + rows])
        assert isinstance(sink.finish(), SheetFile)
    return path.read_bytes()


def by_one_encoder(pixels: Pixels, quality: int, chroma: str) -> bytes:
    """Return the whole picture as libvips writes it in one go."""
    height, width, _ = pixels.shape
    image = pyvips.Image.new_from_memory(pixels.tobytes(), width, height, 3, "uchar").copy(interpretation="srgb")
    return bytes(image.jpegsave_buffer(Q=quality, subsample_mode="on" if chroma == "4:2:0" else "off"))


def decoded(jpeg: bytes) -> Pixels:
    """Return the pixels, if libvips finds nothing to complain of."""
    return np.asarray(pyvips.Image.jpegload_buffer(jpeg, fail_on="warning").numpy(), np.uint8)


def picture(width: int, height: int, seed: int = 0, grain: int = 40) -> Pixels:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 16 + 2, width // 16 + 2, 3), np.uint8)
    smooth = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, 3)
    noise = rng.integers(-grain, grain + 1, smooth.shape)
    return np.asarray((smooth + noise).clip(0, 255), np.uint8)


@settings(max_examples=60)
@given(
    width=st.one_of(st.integers(1, 20), st.integers(1, 120)),
    height=st.one_of(st.integers(1, 20), st.integers(1, 400)),
    rows=st.integers(1, 6).map(lambda count: 16 * count),
    quality=st.integers(1, 100),
    chroma=st.sampled_from(["4:2:0", "4:4:4"]),
    seed=st.integers(0, 99),
)
@example(width=1, height=1, rows=16, quality=90, chroma="4:2:0", seed=0)
@example(width=33, height=16 * 21 + 1, rows=16, quality=90, chroma="4:2:0", seed=0)  # restarts beyond the eighth
@example(width=70, height=90, rows=96, quality=90, chroma="4:4:4", seed=0)  # one strip only
def test_the_pixels_are_those_of_one_encoder(
    width: int,
    height: int,
    rows: int,
    quality: int,
    chroma: str,
    seed: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    pixels = picture(width, height, seed)
    jpeg = write(tmp_path_factory.getbasetemp() / "joined.jpg", pixels, quality, chroma, rows)
    assert decoded(jpeg).tobytes() == decoded(by_one_encoder(pixels, quality, chroma)).tobytes()


@pytest.mark.parametrize("chroma", ["4:2:0", "4:4:4"])
@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (67, 300)])
def test_every_decoder_reads_it(size: tuple[int, int], chroma: str, tmp_path: Path) -> None:
    pixels = picture(*size)
    jpeg = write(tmp_path / "photo.jpg", pixels, 92, chroma, rows=32)
    one = by_one_encoder(pixels, 92, chroma)
    with Image.open(io.BytesIO(jpeg)) as image, Image.open(io.BytesIO(one)) as expected:
        assert (image.size, image.mode) == (size, "RGB")
        assert np.array(image).tobytes() == np.array(expected).tobytes()
    found, expected_too = (cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in (jpeg, one))
    assert found is not None
    assert expected_too is not None
    assert found.tobytes() == expected_too.tobytes()


@pytest.mark.parametrize("chroma", ["4:2:0", "4:4:4"])
def test_it_is_near_the_pixels_and_has_its_chroma(chroma: str, tmp_path: Path) -> None:
    pixels = picture(150, 130, grain=0)
    jpeg = write(tmp_path / "photo.jpg", pixels, 95, chroma)
    assert np.abs(decoded(jpeg) - pixels.astype(int)).mean() < 2
    with Image.open(io.BytesIO(jpeg)) as image:
        _, across, down, _ = image.layer[0]  # type: ignore[attr-defined]
    assert (across, down) == ((2, 2) if chroma == "4:2:0" else (1, 1))


@pytest.mark.parametrize("dpi", [72, 300])
def test_resolution_and_profile_are_there_once(dpi: int, tmp_path: Path) -> None:
    jpeg = write(tmp_path / "photo.jpg", picture(40, 50), dpi=dpi)
    with Image.open(io.BytesIO(jpeg)) as image:
        assert image.info["icc_profile"] == srgb_profile()
        assert (image.info["jfif_version"], image.info["jfif_unit"]) == ((1, 2), 1)
        assert image.info["dpi"] == (dpi, dpi)
        assert not image.getexif()
    assert (jpeg.count(b"JFIF\0"), jpeg.count(b"ICC_PROFILE\0")) == (1, 1)


def test_restart_markers_are_numbered_round_and_round(tmp_path: Path) -> None:
    jpeg = write(tmp_path / "photo.jpg", picture(20, 16 * 19), rows=16)
    numbers = [marker[0] - 0xD0 for marker in re.findall(rb"\xff([\xd0-\xd7])", jpeg)]
    assert numbers == [index % 8 for index in range(18)]


@pytest.mark.parametrize("strips", [[16, 32, 16], [32, 16, 16], [20, 20, 24], [16, 48], [24, 40]])
def test_strips_that_cannot_be_joined_are_refused(strips: list[int], tmp_path: Path) -> None:
    sheet = SheetFormat(20, sum(strips), 72, srgb_profile(), threads=1, bands=3)
    with (
        pytest.raises(ValueError, match="all but the last have the same, a multiple of 16"),
        JpegSink(tmp_path / "photo.jpg", sheet, 90, "4:2:0") as sink,
    ):
        for rows in strips:
            sink.write(np.zeros((rows, 20, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []
