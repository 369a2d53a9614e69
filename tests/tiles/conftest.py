"""Artwork, prepared designs, sheets and a tiny disk for the tests of pixels."""

import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image

from tiles.design import Design, Geometry, Header, Limits
from tiles.geometry import Rect
from tiles.header import read_header
from tiles.prepare import Preparation, prepare
from tiles.sinks import open_sink
from tiles.sinks.sink import SheetFile, SheetFormat
from tiles.store import V_HEADER_BYTES, hash_file, stamp_of
from tiles.vips import srgb_profile, start

Pixels = NDArray[np.uint8]
LIMITS = Limits(allow_svg=True)

Image.MAX_IMAGE_PIXELS = None
start(threads=2)


class Noise(Protocol):
    def __call__(self, width: int, height: int, seed: int = 0) -> Pixels: ...


class DesignOf(Protocol):
    def __call__(self, path: Path) -> Design: ...


class Prepared(Protocol):
    def __call__(
        self, path: Path, width: int | None = None, height: int | None = None, box: Rect | None = None
    ) -> Pixels: ...


class Lay(Protocol):
    def __call__(self, pixels: Pixels) -> Path: ...


class WriteSheet(Protocol):
    def __call__(
        self, path: Path, pixels: Pixels, kind: str = "png", rows: int = 16, threads: int = 1, dpi: int = 400
    ) -> SheetFile: ...


def noise_of(width: int, height: int, seed: int = 0) -> Pixels:
    """Return RGBA noise; where alpha is 0, so is the colour, as in a prepared design."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    pixels[pixels[..., 3] == 0] = 0
    return pixels


def header_of(path: Path) -> Header:
    return read_header(path, LIMITS)


def design_of(path: Path) -> Design:
    return Design(hash_file(path), path, path.stat().st_size, stamp_of(path), header_of(path))


def read_prepared(path: Path, width: int, height: int) -> Pixels:
    data = path.read_bytes()[V_HEADER_BYTES : V_HEADER_BYTES + width * height * 4]
    return np.frombuffer(data, np.uint8).reshape(height, width, 4)


def write_sheet(
    path: Path, pixels: Pixels, kind: str = "png", rows: int = 16, threads: int = 1, dpi: int = 400
) -> SheetFile:
    """Write a sheet's pixels through a sink, `rows` at a time."""
    height, width, _ = pixels.shape
    with open_sink(kind, path, SheetFormat(width, height, dpi, srgb_profile(), threads)) as sink:
        for top in range(0, height, rows):
            sink.write(pixels[top : top + rows])
        return sink.finish()


@pytest.fixture(scope="session")
def noise() -> Noise:
    return noise_of


@pytest.fixture(scope="session", name="design_of")
def design_of_fixture() -> DesignOf:
    return design_of


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Return a function that prepares a file, at its own size unless told otherwise, and returns the pixels."""
    folder, numbers = tmp_path_factory.mktemp("prepared"), count()

    def prepare_pixels(
        path: Path, width: int | None = None, height: int | None = None, box: Rect | None = None
    ) -> Pixels:
        design = design_of(path)
        whole = box or Rect(0, 0, design.header.width_px, design.header.height_px)
        geometry = Geometry(width or whole.width, height or whole.height, box)
        target = folder / f"{next(numbers)}.v"
        prepare(Preparation(design, geometry, target))
        pixels = read_prepared(target, geometry.width_px, geometry.height_px)
        target.unlink()
        assert list(folder.iterdir()) == []
        return pixels

    return prepare_pixels


@pytest.fixture(scope="session")
def lay(tmp_path_factory: pytest.TempPathFactory) -> Lay:
    """Return a function that lays pixels down as a prepared design."""
    folder, numbers = tmp_path_factory.mktemp("laid"), count()

    def lay_pixels(pixels: Pixels) -> Path:
        height, width, bands = pixels.shape
        path = folder / f"{next(numbers)}.v"
        image = pyvips.Image.new_from_memory(pixels.tobytes(), width, height, bands, "uchar")
        image.copy(interpretation="srgb").write_to_file(str(path))
        return path

    return lay_pixels


@pytest.fixture(scope="session", name="write_sheet")
def write_sheet_fixture() -> WriteSheet:
    return write_sheet


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of one megabyte."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True, text=True, check=False
    )
    if mount.returncode:
        pytest.skip(f"no disk can be mounted here: {mount.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)
