"""The canvas: however it is asked for its pixels, they are those of the designs pasted where they lie."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.canvas import Canvas, Layer
from tiles.geometry import Rect

if TYPE_CHECKING:
    from tests.tiles.conftest import Lay, Noise, Pixels

Shelf = list[tuple[int, int, int, int]]  # of designs: width, height, rotation, gap to the left


class Studio:
    """Lays designs of noise down, one of each size, and pastes them with numpy."""

    def __init__(self, lay: "Lay", noise: "Noise") -> None:
        self._lay, self._noise = lay, noise
        self._designs: dict[tuple[int, int], tuple[Path, Pixels]] = {}

    def layer(self, place: Rect, rotation: int = 0) -> Layer:
        """Return a layer whose design has the printed size of `place`."""
        size = (place.height, place.width) if rotation else (place.width, place.height)
        if size not in self._designs:
            pixels = self._noise(*size, seed=size[0] * 1000 + size[1])
            self._designs[size] = (self._lay(pixels), pixels)
        return Layer(self._designs[size][0], place, rotation)

    def pasted(self, width: int, height: int, layers: list[Layer]) -> "Pixels":
        sheet = np.zeros((height, width, 4), np.uint8)
        for layer in layers:
            place = layer.place
            size = (place.height, place.width) if layer.rotation else (place.width, place.height)
            pixels = self._designs[size][1]
            sheet[place.y : place.bottom, place.x : place.right] = np.rot90(pixels) if layer.rotation else pixels
        return sheet


@pytest.fixture(scope="module")
def studio(lay: "Lay", noise: "Noise") -> Studio:
    return Studio(lay, noise)


@pytest.fixture(scope="module", autouse=True)
def low_bands() -> Iterator[None]:
    """Make the one-image canvas of several bands, so that designs cross them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tiles.canvas.BAND_ROWS", 32)
        yield


def strips_of(canvas: Canvas, rows: int) -> "Pixels":
    tops = range(0, canvas.height, rows)
    return np.concatenate([canvas.strip(top, min(rows, canvas.height - top)) for top in tops])


def image_of(canvas: Canvas) -> "Pixels":
    pixels = np.frombuffer(canvas.image().write_to_memory(), np.uint8)
    return pixels.reshape(canvas.height, canvas.width, 4)


def arrange(studio: Studio, shelves: list[Shelf]) -> tuple[int, int, list[Layer]]:
    """Return a sheet that the shelves just fill, and its layers: they never overlap, and touch every edge."""
    layers, width, y = [], 1, 0
    for shelf in shelves:
        x = 0
        for design_width, design_height, rotation, gap in shelf:
            layers.append(studio.layer(Rect(x + gap, y, design_width, design_height), rotation))
            x = layers[-1].place.right
        width = max(width, x)
        y = max((layer.place.bottom for layer in layers), default=y)
    return width, max(y, 1), layers


sizes = st.integers(1, 40)
shelves = st.lists(
    st.lists(st.tuples(sizes, sizes, st.sampled_from([0, 90]), st.integers(0, 5)), max_size=6), max_size=5
)


@settings(max_examples=60, deadline=None)
@given(shelves=shelves, rows=st.integers(1, 70), order=st.randoms(use_true_random=False))
def test_strips_the_one_image_and_a_plain_paste_are_the_same(
    shelves: list[Shelf], rows: int, order: Random, studio: Studio
) -> None:
    width, height, layers = arrange(studio, shelves)
    order.shuffle(layers)
    expected = studio.pasted(width, height, layers)
    assert strips_of(Canvas(width, height, layers), rows).tobytes() == expected.tobytes()
    assert image_of(Canvas(width, height, layers)).tobytes() == expected.tobytes()


def test_a_turned_design_is_turned_counter_clockwise(lay: "Lay") -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) + np.uint8(100)
    canvas = Canvas(2, 3, [Layer(lay(pixels), Rect(0, 0, 2, 3), 90)])
    assert canvas.strip(0, 3).tolist() == np.rot90(pixels).tolist()


def test_a_design_may_lie_upright_and_turned_side_by_side(lay: "Lay", noise: "Noise") -> None:
    pixels = noise(30, 30)
    path = lay(pixels)
    layers = [Layer(path, Rect(0, 0, 30, 30)), Layer(path, Rect(30, 0, 30, 30), 90), Layer(path, Rect(60, 9, 30, 30))]
    expected = np.zeros((40, 90, 4), np.uint8)
    expected[:30, :30], expected[:30, 30:60], expected[9:39, 60:] = pixels, np.rot90(pixels), pixels
    assert strips_of(Canvas(90, 40, layers), 16).tobytes() == expected.tobytes()


def test_every_colour_at_every_alpha_is_copied_as_it_is(lay: "Lay") -> None:
    colour, alpha = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    pixels = np.stack([colour, colour[:, ::-1], alpha, alpha], axis=-1)
    pixels[0] = 0
    canvas = Canvas(258, 256, [Layer(lay(pixels), Rect(1, 0, 256, 256))])
    assert canvas.strip(0, 256)[:, 1:-1].tobytes() == pixels.tobytes()


def test_an_empty_canvas_is_transparent() -> None:
    assert not strips_of(Canvas(7, 50, []), 16).any()
    assert not image_of(Canvas(7, 50, [])).any()


def test_500_designs_in_one_band_are_no_trouble(studio: Studio) -> None:
    layers = [studio.layer(Rect(number * 5, number % 7, 4, 20)) for number in range(500)]
    expected = studio.pasted(2500, 30, layers)
    assert Canvas(2500, 30, layers).strip(0, 30).tobytes() == expected.tobytes()
    assert image_of(Canvas(2500, 30, layers)).tobytes() == expected.tobytes()


def test_5000_designs_on_one_sheet_are_no_trouble(studio: Studio) -> None:
    layers = [studio.layer(Rect(x * 9, y * 10, 8, 9)) for x in range(50) for y in range(100)]
    expected = studio.pasted(450, 1000, layers)
    assert strips_of(Canvas(450, 1000, layers), 64).tobytes() == expected.tobytes()
    assert image_of(Canvas(450, 1000, layers)).tobytes() == expected.tobytes()


@given(shelves=shelves, top=st.integers(0, 150), rows=st.integers(1, 70))
@settings(max_examples=60, deadline=None)
def test_a_band_is_made_of_the_designs_that_touch_it(shelves: list[Shelf], top: int, rows: int, studio: Studio) -> None:
    width, height, layers = arrange(studio, shelves)
    band = Rect(0, top, width, rows)
    touching = {layer for layer in layers if layer.place.intersect(band).area}
    found = Canvas(width, height, layers).touching(top, rows)
    assert set(found) == touching
    assert len(found) == len(touching)


def open_files() -> set[str]:
    """Return what this process holds open or mapped."""
    mapped = {line.split(maxsplit=5)[-1] for line in Path("/proc/self/maps").read_text().splitlines()}
    return mapped | {str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}


def test_a_file_is_open_from_its_first_row_to_its_last(lay: "Lay", noise: "Noise") -> None:
    paths = [lay(noise(10, 40, seed)) for seed in range(3)]
    layers = [Layer(path, Rect(0, 50 * number, 10, 40)) for number, path in enumerate(paths)]
    canvas = Canvas(30, 150, [*layers, Layer(paths[0], Rect(20, 100, 10, 40))])
    held = []
    for top in range(0, 150, 10):
        canvas.strip(top, 10)
        held.append([number for number, path in enumerate(paths) if str(path) in open_files()])
    assert held == [[0]] * 3 + [[]] * 2 + [[1]] * 3 + [[]] * 2 + [[0, 2]] * 3 + [[]] * 2


def test_files_in_use_do_not_grow_with_the_sheet(lay: "Lay", noise: "Noise") -> None:
    paths = [lay(noise(4, 4, seed)) for seed in range(60)]
    canvas = Canvas(4, 240, [Layer(path, Rect(0, 4 * number, 4, 4)) for number, path in enumerate(paths)])
    for top in range(0, 240, 16):
        canvas.strip(top, 16)
        assert len({str(path) for path in paths} & open_files()) <= 1
