"""Outlines of areas: on any photograph, of any size, right or wrong, each one told from the others."""

import io
import math
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tiles.lettering import draw_line
from tiles.outline import OutlinedArea, Point, outline_picture
from tiles.resample import Rgba

Pixels = NDArray[np.uint8]

coordinates = st.one_of(st.floats(-500, 900), st.floats(allow_nan=False, allow_infinity=False))
corners = st.tuples(*[st.tuples(coordinates, coordinates)] * 4)


def photograph(width: int, height: int, level: int = 128) -> Rgba:
    pixels = np.full((height, width, 4), level, np.uint8)
    pixels[..., 3] = 255
    return pixels


def noisy(width: int, height: int) -> Rgba:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 4), np.uint8)
    pixels[..., 3] = 255
    return pixels


def chunks(pixels: Rgba, rows: int) -> Iterator[Rgba]:
    for top in range(0, len(pixels), rows):
        yield pixels[top : top + rows]


def drawn(pixels: Rgba, *areas: OutlinedArea, longest_px: int = 1000, rows: int = 64) -> Pixels:
    """Return the outlined picture as Pillow reads it."""
    size = (pixels.shape[1], pixels.shape[0])
    png = outline_picture(chunks(pixels, rows), size, areas, longest_px)
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.array(image)


def rectangle(x: float, y: float, width: float, height: float, name: str = "front") -> OutlinedArea:
    return OutlinedArea(name, ((x, y), (x + width, y), (x + width, y + height), (x, y + height)))


def box_around(picture: Pixels, x: float, y: float, reach: int) -> Pixels:
    return picture[max(0, round(y) - reach) : round(y) + reach + 1, max(0, round(x) - reach) : round(x) + reach + 1]


def along(start: Point, end: Point) -> Iterator[Point]:
    """Yield points of a side: away from its ends, where there are numbers, and its middle, where the arrow may be."""
    for share in (0.15, 0.25, 0.35, 0.65, 0.75, 0.85):
        yield start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


class TestPicture:
    @given(st.integers(1, 80), st.integers(1, 80), st.integers(1, 100))
    def test_it_is_shrunk_to_the_longest_side_allowed_and_never_enlarged(
        self, width: int, height: int, px: int
    ) -> None:
        shape = drawn(photograph(width, height), longest_px=px).shape
        assert max(shape) == max(3, min(px, max(width, height)))
        assert abs(shape[0] / shape[1] - height / width) <= (height / width + 1) / min(shape[:2])

    def test_where_nothing_is_drawn_and_nothing_shrunk_it_is_the_photograph(self) -> None:
        photo = noisy(70, 50)
        assert np.array_equal(drawn(photo), photo[..., :3])
        outlined = drawn(photo, rectangle(5, 5, 10, 10), longest_px=70)
        assert np.array_equal(outlined[:, 69:], photo[:, 69:, :3])

    @given(st.integers(1, 130))
    def test_how_many_rows_come_at_once_makes_no_difference(self, rows: int) -> None:
        photo = noisy(90, 120)
        for longest_px in (120, 47):
            whole = drawn(photo, rectangle(20, 20, 40, 60), longest_px=longest_px, rows=120)
            assert np.array_equal(drawn(photo, rectangle(20, 20, 40, 60), longest_px=longest_px, rows=rows), whole)

    def test_what_is_transparent_is_grey(self) -> None:
        photo = photograph(40, 30, level=0)
        photo[:, 20:, 3] = 0
        picture = drawn(photo)
        assert np.unique(picture[:, :20]).tolist() == [0]
        assert len(np.unique(picture[:, 20:])) == 1
        assert 100 < picture[0, 20, 0] < 250

    def test_the_whole_photograph_is_never_in_memory(self) -> None:
        width, height, rows = 9_000, 9_000, 100
        strip = photograph(width, rows)
        tracemalloc.start()
        try:
            outline_picture((strip for _ in range(height // rows)), (width, height), [rectangle(9, 9, 99, 99)], 500)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < width * height * 4 / 8


class TestSides:
    @pytest.mark.parametrize("level", [0, 128, 255])
    def test_a_side_has_white_and_dark_on_any_ground(self, level: int) -> None:
        area = OutlinedArea("a", ((150, 120), (850, 160), (820, 620), (180, 580)))
        picture = drawn(photograph(1000, 700, level), area)
        for index in range(4):
            for x, y in along(area.corners[index], area.corners[(index + 1) % 4]):
                near = box_around(picture, x, y, 4).max(axis=2), box_around(picture, x, y, 4).min(axis=2)
                assert near[0].min() < 60
                assert near[1].max() > 195

    def test_sides_lie_where_the_corners_are_also_in_a_shrunk_picture(self) -> None:
        area = rectangle(400, 300, 1200, 600)
        picture = drawn(photograph(2000, 1400, 255), area, longest_px=500)
        dark = np.flatnonzero(picture[190].max(axis=1) < 60)  # a row without numbers and without the label
        assert abs(dark.min() - 100) <= 3
        assert abs(dark.max() - 400) <= 3

    def test_lines_grow_with_the_picture(self) -> None:
        def width_of_a_line(side: int) -> int:
            picture = drawn(
                photograph(side, side), rectangle(side * 0.2, side * 0.2, side * 0.6, side * 0.6), longest_px=side
            )
            return int((picture[side * 3 // 10, : side // 2] != 128).any(axis=1).sum())

        assert 2.5 < width_of_a_line(3000) / width_of_a_line(1000) < 3.5

    def test_the_arrow_is_on_the_first_side_and_shows_its_direction(self) -> None:
        area = rectangle(200, 200, 600, 400)
        a, b, c, d = area.corners
        for first, (x, y), (right, down) in (
            ((a, b, c, d), (500, 200), (1, 0)),
            ((b, c, d, a), (800, 400), (0, 1)),
            ((b, a, d, c), (500, 200), (-1, 0)),
        ):
            picture = drawn(photograph(1000, 800), OutlinedArea("a", first))
            changed = [
                int((box_around(picture, x + step * right, y + step * down, 12) != 128).sum()) for step in (-14, 14)
            ]
            assert changed[0] > 1.2 * changed[1]  # its tail is wider than its head
            assert (box_around(picture, 1000 - x, 800 - y, 8) != 128).sum() < changed[1]

    def test_each_area_has_a_colour_of_its_own(self) -> None:
        areas = [rectangle(50 + 150 * (i % 6), 50 + 300 * (i // 6), 100, 200, f"a{i}") for i in range(12)]
        picture = drawn(photograph(1000, 700), *areas)
        colours = []
        for area in areas:
            x, y = area.corners[2]
            near = box_around(picture, x, y - 60, 3).reshape(-1, 3).astype(int)
            colours.append(near[np.argmax(np.ptp(near, axis=1))])
        distances = [math.dist(one, other) for i, one in enumerate(colours) for other in colours[:i]]
        assert min(distances) > 25


class TestNumbers:
    def test_each_corner_has_its_number_beside_it_and_remains_in_sight(self) -> None:
        area = rectangle(200, 200, 600, 400)
        picture = drawn(photograph(1000, 800, 255), area)
        dots = []
        for (x, y), (right, down) in zip(area.corners, ((-1, -1), (1, -1), (1, 1), (-1, 1)), strict=True):
            dot = box_around(picture, x + 10.6 * right, y + 10.6 * down, 5)
            assert (dot.max(axis=2) < 60).any()
            assert (dot.min(axis=2) > 150).any()
            dots.append(dot)
            assert picture[round(y), round(x)].max() > 195  # the line's own
        assert all(not np.array_equal(one, other) for i, one in enumerate(dots) for other in dots[:i])

    def test_numbers_follow_the_order_of_the_corners(self) -> None:
        a, b, c, d = rectangle(200, 200, 600, 400).corners
        one = drawn(photograph(1000, 800), OutlinedArea("a", (a, b, c, d)))
        other = drawn(photograph(1000, 800), OutlinedArea("a", (b, a, d, c)))
        assert not np.array_equal(box_around(one, 189.4, 189.4, 5), box_around(other, 189.4, 189.4, 5))

    def test_the_numbers_of_a_tiny_area_do_not_hide_one_another(self) -> None:
        picture = drawn(photograph(1000, 800, 255), rectangle(500, 400, 1, 1))
        between = [picture[400, 480:500], picture[400, 502:521], picture[380:399, 500], picture[402:421, 500]]
        assert all((line == 255).all(axis=1).any() for line in between)


class TestLabels:
    @pytest.fixture
    def written(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Return the texts that are drawn, as they are."""
        texts: list[str] = []

        def listen(text: str, **how: object) -> Rgba:
            texts.append(text)
            return draw_line(text, **how)  # type: ignore[arg-type]

        monkeypatch.setattr("tiles.outline.draw_line", listen)
        return texts

    def test_a_name_stands_in_the_middle_of_its_area(self) -> None:
        picture = drawn(photograph(1000, 800), rectangle(200, 200, 600, 400))
        rows, columns = np.nonzero((picture != 128).any(axis=2)[230:570, 230:770])
        assert abs(rows.mean() - 170) < 5
        assert abs(columns.mean() - 270) < 5

    def test_a_small_area_is_not_hidden_by_its_name(self) -> None:
        bare = drawn(photograph(1000, 800), rectangle(480, 380, 40, 40, "a"))
        named = drawn(photograph(1000, 800), rectangle(480, 380, 40, 40, "a-much-longer-name"))
        assert np.array_equal(bare[370:430, 470:530], named[370:430, 470:530])

    def test_names_do_not_hide_one_another(self) -> None:
        one, other = rectangle(200, 200, 600, 400, "first"), rectangle(200, 200, 600, 400, "other")
        both = drawn(photograph(1000, 800), one, other)
        alone = drawn(photograph(1000, 800), one)
        assert np.array_equal(both[385:415, 460:540], alone[385:415, 460:540])

    def test_the_name_of_a_large_area_does_not_hide_a_small_one(self) -> None:
        large, small = rectangle(0, 0, 1000, 800, "all-of-it"), rectangle(470, 370, 60, 60, "badge")
        both, alone = drawn(photograph(1000, 800), large, small), drawn(photograph(1000, 800), small)
        assert np.array_equal(*((picture != 128).any(axis=2)[365:436, 465:536] for picture in (both, alone)))

    def test_corners_outside_are_named(self, written: list[str]) -> None:
        photo = photograph(400, 300)
        drawn(photo, rectangle(10, 10, 50, 50, "in"), rectangle(0, 0, 400, 300, "whole"))
        drawn(photo, rectangle(300, 100, 200, 100, "sleeve"), rectangle(-5, 350, 20, 20, "gone"))
        drawn(photo, OutlinedArea("tip", ((10, -3), (50, 5), (50, 50), (10, 50))))
        names = [text for text in written if not text.isdigit()]
        assert names == [
            "in",
            "whole",
            "sleeve: corners 2, 3 outside",
            "gone: corners 1, 2, 3, 4 outside",
            "tip: corner 1 outside",
        ]


class TestOutside:
    def test_of_an_area_that_is_partly_outside_the_sides_are_drawn_to_the_edge(self) -> None:
        area = OutlinedArea("a", ((300, 200), (1400, 200), (1400, 600), (300, 600)))
        picture = drawn(photograph(1000, 800, 255), area)
        for y in (200, 600):
            dark = picture[y - 4 : y + 5].max(axis=2).min(axis=0) < 60
            assert np.flatnonzero(dark).tolist()[-1] >= 997
            assert dark[310:960].mean() > 0.9

    def test_sides_between_corners_beyond_all_bounds_are_drawn_too(self) -> None:
        area = OutlinedArea("a", ((-1e308, 200), (1e308, 200), (1e308, 600), (-1e308, 600)))
        picture = drawn(photograph(1000, 800, 255), area)
        assert all((picture[y, 100:400].max(axis=1) > 195).all() for y in (200, 600))
        assert all((picture[y - 3 : y + 4, 100:400].max(axis=2).min(axis=0) < 60).all() for y in (200, 600))

    def test_an_area_that_is_wholly_outside_leaves_its_numbers_and_its_name_at_the_edge(self) -> None:
        picture = drawn(photograph(1000, 800), rectangle(1500, 300, 100, 100))
        rows, columns = np.nonzero((picture != 128).any(axis=2))
        assert (rows.min() > 270, rows.max() < 480) == (True, True)
        assert (columns.min() > 600, columns.max() > 990) == (True, True)

    @settings(max_examples=60)
    @given(corners, st.sampled_from([(400, 300), (7, 300), (300, 1)]), st.sampled_from([1, 30, 400]))
    def test_any_corners_give_a_picture(
        self, corners: tuple[Point, Point, Point, Point], size: tuple[int, int], longest_px: int
    ) -> None:
        picture = drawn(photograph(*size), OutlinedArea("any", corners), longest_px=longest_px)
        assert max(picture.shape[:2]) == min(longest_px, max(size))
        assert (picture != 128).any()

    def test_a_hundred_areas_give_a_picture(self) -> None:
        areas = [rectangle(i * 9, i * 6, 50, 40, f"area-{i}") for i in range(100)]
        assert drawn(photograph(1000, 700), *areas).shape == (700, 1000, 3)
