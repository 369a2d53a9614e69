"""WebP: encoded whole from a file aside, of which nothing is left, whatever happens."""

import errno
from pathlib import Path

import cv2
import numpy as np
import pytest
import pyvips
from PIL import Image

from tests.tiles.perspective import Pixels
from tiles.sinks.sink import AtomicFile, SheetFile, SheetFormat
from tiles.sinks.webp import WebpSink
from tiles.vips import srgb_profile


def picture(width: int, height: int, bands: int = 3) -> Pixels:
    """Return soft colours, with alpha from nothing at the top to everything at the bottom if there are four bands."""
    small = np.random.default_rng(0).integers(0, 256, (4, 5, 3), np.uint8)
    colours = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, 3)
    alpha = np.broadcast_to(np.linspace(0, 255, height).astype(np.uint8)[:, None, None], (height, width, 1))
    return np.asarray(colours if bands == 3 else np.concatenate([colours, alpha], axis=2), np.uint8)


def sink_of(folder: Path, pixels: Pixels, quality: int = 90, chroma: str = "4:2:0") -> WebpSink:
    height, width, bands = pixels.shape
    sheet = SheetFormat(width, height, 72, srgb_profile(), threads=2, bands=bands)
    return WebpSink(folder / "photo.webp", sheet, quality, chroma, folder / "scratch.v")


def write(folder: Path, pixels: Pixels, quality: int = 90, chroma: str = "4:2:0", rows: int = 16) -> SheetFile:
    with sink_of(folder, pixels, quality, chroma) as sink:
        for top in range(0, len(pixels), rows):
            sink.write(pixels[top : top + rows])
        return sink.finish()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("chroma", ["4:2:0", "4:4:4"])
@pytest.mark.parametrize("bands", [3, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 70), (70, 1), (123, 77)])
def test_size_mode_profile_and_pixels_are_right(size: tuple[int, int], bands: int, chroma: str, tmp_path: Path) -> None:
    pixels = picture(*size, bands)
    file = write(tmp_path, pixels, 95, chroma)
    assert names(tmp_path) == ["photo.webp"]
    with Image.open(file.path) as image:
        assert image.size == size
        assert image.info["icc_profile"] == srgb_profile()
        found = np.array(image.convert("RGBA"))
        is_seen = bands == 4 and pixels[..., 3].min() < 255
        assert image.mode == ("RGBA" if is_seen else "RGB")
    expected = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)]) if bands == 3 else pixels
    assert np.abs(found[..., 3] - expected[..., 3].astype(int)).max() <= 2
    shown, right = (rgba[..., :3] * (rgba[..., 3:] / 255) for rgba in (found, expected))
    assert np.abs(shown - right).mean() < 3
    assert pyvips.Image.webpload(str(file.path), fail_on="warning").avg() >= 0


def test_it_is_the_same_file_however_its_strips_come(tmp_path: Path) -> None:
    pixels, hashes = picture(90, 100), set()
    for rows in (16, 48, 112):
        hashes.add(write(tmp_path, pixels, rows=rows).sha256)
    assert len(hashes) == 1


def test_better_quality_is_nearer_and_larger(tmp_path: Path) -> None:
    pixels = (picture(200, 150).astype(int) + np.random.default_rng(1).integers(-30, 31, (150, 200, 3))).clip(0, 255)
    sizes, distances = [], []
    for quality in (20, 60, 95):
        file = write(tmp_path, pixels.astype(np.uint8), quality)
        sizes.append(file.bytes)
        with Image.open(file.path) as image:
            distances.append(np.abs(np.array(image) - pixels).mean())
    assert sizes == sorted(sizes)
    assert distances == sorted(distances, reverse=True)


def test_sharp_chroma_keeps_colours_where_they_end(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, ::2] = (255, 0, 0)
    errors = []
    for chroma in ("4:2:0", "4:4:4"):
        with Image.open(write(tmp_path, pixels, 95, chroma).path) as image:
            errors.append(np.abs(np.array(image).astype(int) - pixels).mean())
    assert errors[1] < errors[0]


@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), MemoryError()]
)
def test_what_goes_wrong_while_libvips_writes_comes_up_as_what_it_is(
    failure: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: AtomicFile, data: bytes) -> None:
        raise failure

    monkeypatch.setattr(AtomicFile, "write", fail)
    with pytest.raises(type(failure)) as caught:
        write(tmp_path, picture(30, 20))
    assert caught.value is failure
    assert names(tmp_path) == []


def test_a_disk_that_is_full_in_the_end_is_an_error_that_leaves_nothing(tiny_disk: Path, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1000, 1200, 3), np.uint8)
    sheet = SheetFormat(1200, 1000, 72, srgb_profile(), threads=2, bands=3)
    with (
        pytest.raises(OSError, match="No space left") as failure,
        WebpSink(tiny_disk / "photo.webp", sheet, 100, "4:4:4", tmp_path / "scratch.v") as sink,
    ):
        sink.write(pixels)
        sink.finish()
    assert failure.value.errno == errno.ENOSPC
    assert names(tiny_disk) == []
    assert names(tmp_path) == ["tiny"]


def test_a_scratch_file_that_was_damaged_is_an_error_of_libvips(tmp_path: Path) -> None:
    pixels = picture(30, 20)
    with pytest.raises(pyvips.Error), sink_of(tmp_path, pixels) as sink:
        sink.write(pixels)
        sink._pixels.flush()
        (tmp_path / "scratch.v").write_bytes(b"")
        sink.finish()
    assert names(tmp_path) == []


def test_a_scratch_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    sheet = SheetFormat(30, 20, 72, srgb_profile(), threads=2, bands=3)
    with (
        pytest.raises(FileNotFoundError),
        WebpSink(tmp_path / "photo.webp", sheet, 90, "4:2:0", tmp_path / "gone" / "scratch.v"),
    ):
        pytest.fail("it was entered")
    assert names(tmp_path) == []
