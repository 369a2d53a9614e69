"""Sheets by every library that deflates: the very pixels, and on any number of threads the same file."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from tiles.sinks import open_sink
from tiles.sinks.deflate import CANDIDATES, Candidate, choose_deflater
from tiles.sinks.sink import SheetFile, SheetFormat
from tiles.vips import srgb_profile

if TYPE_CHECKING:
    from tests.tiles.conftest import Noise, Pixels

KINDS = pytest.mark.parametrize("kind", ["png", "tiff"])
EVERY_LIBRARY = pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.name)

sizes = st.tuples(st.integers(1, 50), st.integers(1, 30), st.just(4))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sheets")


def write(pixels: "Pixels", path: Path, kind: str, candidate: Candidate, threads: int, rows: int = 16) -> SheetFile:
    height, width, _ = pixels.shape
    sheet = SheetFormat(width, height, 400, srgb_profile(), threads, choose_deflater([candidate]))
    with open_sink(kind, path, sheet) as sink:
        for top in range(0, height, rows):
            sink.write(pixels[top : top + rows])
        return sink.finish()


def assert_decoded(path: Path, pixels: "Pixels") -> None:
    """Decode twice: Pillow, and libvips, which unlike Pillow minds every check sum."""
    with Image.open(path) as image:
        assert np.array(image).tobytes() == pixels.tobytes()
    assert bytes(pyvips.Image.new_from_file(str(path), fail_on="warning").write_to_memory()) == pixels.tobytes()


@KINDS
@EVERY_LIBRARY
@given(pixels=arrays(np.uint8, sizes), threads=st.integers(1, 4))
def test_decoders_give_the_very_pixels(
    pixels: "Pixels", threads: int, candidate: Candidate, kind: str, folder: Path
) -> None:
    assert_decoded(write(pixels, folder / f"{candidate.name}.{kind}", kind, candidate, threads).path, pixels)


@KINDS
@EVERY_LIBRARY
def test_any_number_of_threads_gives_the_same_file(
    candidate: Candidate, kind: str, tmp_path: Path, noise: "Noise"
) -> None:
    pixels = noise(300, 500)
    pixels[100:300] = pixels[100]  # noise cannot be compressed; this can
    files = [write(pixels, tmp_path / f"{threads}", kind, candidate, threads, rows=64) for threads in (1, 2, 4)]
    assert len({file.path.read_bytes() for file in files}) == 1
    assert len({file.sha256 for file in files}) == 1
    assert_decoded(files[0].path, pixels)


@KINDS
@EVERY_LIBRARY
def test_flat_artwork_costs_next_to_nothing(candidate: Candidate, kind: str, tmp_path: Path) -> None:
    flat = np.full((480, 1000, 4), (200, 30, 60, 255), np.uint8)
    assert write(flat, tmp_path / "sheet", kind, candidate, threads=2).bytes < 30_000


@KINDS
def test_the_library_that_is_asked_for_does_the_work(kind: str, tmp_path: Path, noise: "Noise") -> None:
    pixels = np.repeat(noise(50, 40), 4, axis=1)
    files = [write(pixels, tmp_path / candidate.name, kind, candidate, threads=1).sha256 for candidate in CANDIDATES]
    assert len(set(files)) == len(CANDIDATES)  # each compresses in its own way
