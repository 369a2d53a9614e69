"""Artwork in perspective, measured in the picture's pixels: its place, its sharpness, and no moiré at any slant."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.tiles.perspective import (
    Floats,
    Quad,
    area_of,
    centres,
    corners_of,
    depth_inside,
    inverse,
    mapped,
    quads,
    seen,
    solved,
)
from tests.tiles.photos import Pixels, Studio, box, flat
from tiles.fitting import Manner
from tiles.scene import Surface
from tiles.warp import Outline

FRAME = (300, 220)
GROUND = (0, 90, 255)
PHOTO = flat(*FRAME, GROUND)
HALF_DIAGONAL = 0.75  # a pixel whose centre is farther from an area than half its diagonal has no part of it

NEAR_HORIZON = ((-2.0, -0.75), (2.0, -0.75), (2.0, 3.25), (-0.5, 1.75))  # it runs through the block of pixels
SHARP = ((288.9, 4.5), (288.5, 4.0), (289.7, 4.6), (291.3, 6.3))


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


def ramps(width: int, height: int, low: int = 0, high: int = 255) -> Pixels:
    """Return artwork whose red says how far to the right, whose green says how far down; its blue is a soft hill."""
    right = np.broadcast_to((np.arange(width) + 0.5) / width, (height, width))
    down = np.broadcast_to(((np.arange(height) + 0.5) / height)[:, None], (height, width))
    hill = np.sin(math.pi * right) * np.sin(math.pi * down)
    return np.asarray(np.rint(low + (high - low) * np.stack([right, down, hill], axis=-1)), np.uint8)


def checkerboard(fields: int, field_px: int) -> Pixels:
    parity = np.add.outer(np.arange(fields), np.arange(fields)) % 2 * np.uint8(255)
    return np.dstack([np.kron(parity, np.ones((field_px, field_px), np.uint8))] * 3).astype(np.uint8)


def shot(studio: Studio, surface: Surface, photo: Pixels = PHOTO) -> Pixels:
    return studio.shot(studio.scene(photo, surface))


def size_of(surface: Surface) -> tuple[int, int]:
    assert surface.print is not None
    return surface.print.sizes[0]


# -- where artwork lands ---------------------------------------------------------------------------


def zigzags(width: int, height: int, folds: int) -> Pixels:
    """Return artwork whose red goes from black to full and back while it goes to the right, its green downwards."""
    right, down = (np.abs((np.arange(side) + 0.5) / side * folds % 2 - 1) for side in (width, height))
    planes = np.broadcast_arrays(1 - right, 1 - down[:, None], 0.5)
    return np.asarray(np.rint(255 * np.stack(planes, axis=-1)), np.uint8)


def corners_told_by_colour(pixels: Pixels, quad: Quad, folds: int) -> Floats:
    """Return where the corners of `zigzags` lie: by the map that the colours of the pixels within agree with best.

    Where they should lie tells only which of its folds a pixel belongs to.
    """
    points = centres(*FRAME)
    fold = np.floor(mapped(solved(quad, corners_of(folds, folds)), points))
    shares = pixels[..., :2] / 255
    inside = (depth_inside(quad, points) >= 1) & (np.abs(shares - 0.5) < 0.45).all(axis=-1)
    places = (fold + np.where(fold % 2 == 0, shares, 1 - shares)) / folds
    to_unit, _ = cv2.findHomography(points[inside][:, None] / 100, places[inside][:, None])
    return mapped(inverse(np.asarray(to_unit, np.float64)), np.array(corners_of(1, 1))) * 100


@settings(max_examples=35)
@given(
    st.one_of(
        st.tuples(quads(16, 80, FRAME, 0.5, 0.5), st.just(1)), st.tuples(quads(80, 290, FRAME, 0.4, 0.35), st.just(3))
    )
)
def test_the_corners_of_artwork_lie_on_the_corners_of_its_area(studio: Studio, area: tuple[Quad, int]) -> None:
    quad, folds = area
    pixels = shot(studio, studio.surface(zigzags(400, 300, folds), quad))
    assert np.linalg.norm(corners_told_by_colour(pixels, quad, folds) - quad, axis=-1).max() <= 0.5


@settings(max_examples=15)
@given(quads(200, 216, FRAME, 0.3, 0.3))
def test_straight_lines_of_artwork_are_straight_and_where_they_belong(studio: Studio, quad: Quad) -> None:
    grey = shot(studio, studio.surface(checkerboard(4, 75), quad))[..., 0].astype(np.float32)
    onto, measured = solved(corners_of(4, 4), quad), 0
    for line, along in (
        (line, along) for line in (1, 2, 3) for along in np.arange(0.3, 4, 0.2) if 0.2 < along % 1 < 0.8
    ):
        for flip in (False, True):
            places = np.array([(line, along), (line, along + 0.01), (line - 0.7, along), (line + 0.7, along)])
            here, next_, left, right = mapped(onto, places[:, ::-1] if flip else places)
            offset = distance_of_edge(grey, here, next_ - here, min(abs_across(left, right, here, next_)))
            if offset is not None:
                measured += 1
                assert abs(offset) <= 0.5
    assert measured >= 6


def abs_across(left: Floats, right: Floats, here: Floats, next_: Floats) -> tuple[float, float]:
    """Return how far two points lie from the line through two others."""
    x, y = (next_ - here) / np.linalg.norm(next_ - here)
    return abs(float((left - here) @ (-y, x))), abs(float((right - here) @ (-y, x)))


def distance_of_edge(grey: NDArray[np.float32], here: Floats, along: Floats, room: float) -> float | None:
    """Return how far from a point, across a line, black turns to white; None without 6 pixels of each."""
    if room < 7:
        return None
    x, y = along / np.linalg.norm(along)
    steps = np.arange(-3, 3.1, 0.25)
    places = (here - 0.5 + steps[:, None] * np.array([-y, x])).astype(np.float32)
    profile = cv2.remap(grey, places[None, :, 0], places[None, :, 1], cv2.INTER_LINEAR)[0] - 127.5
    turns = np.flatnonzero(np.diff(profile > 0))
    places = steps[turns] + 0.25 * profile[turns] / (profile[turns] - profile[turns + 1])
    return float(places[np.abs(places).argmin()])


@settings(max_examples=45)
@given(
    st.one_of(quads(60, 290, FRAME, 0.4, 0.35), quads(150, 290, FRAME, 0.2, 0.25), quads(290, 3000, FRAME)),
    st.sampled_from([(400, 300), (90, 120), (300, 500)]),
)
def test_a_picture_agrees_with_plain_perspective_within_the_area_and_is_the_photograph_outside(
    studio: Studio, quad: Quad, size: tuple[int, int]
) -> None:
    artwork = ramps(*size, low=60, high=200)
    pixels = shot(studio, studio.surface(artwork, quad))
    depth = depth_inside(quad, centres(*FRAME))
    assert (pixels[depth < -HALF_DIAGONAL] == GROUND).all()
    inside = depth >= 0.75
    if inside.sum() >= 16:
        assert np.abs(pixels - seen(artwork, quad, FRAME))[inside].mean() < 1.5


@settings(max_examples=30)
@given(quads(2, 30, FRAME, flattest=0.1, narrowest=0.1))
@example(NEAR_HORIZON)
@example(SHARP)
def test_even_a_tiny_area_shows_its_artwork_and_nothing_beside_it(studio: Studio, quad: Quad) -> None:
    pixels = shot(studio, studio.surface(ramps(400, 300, low=100, high=160), quad))
    depth = depth_inside(quad, centres(*FRAME))
    assert (pixels[depth < -HALF_DIAGONAL] == GROUND).all()
    inside = depth >= 0.75
    assert (np.abs(pixels[inside].astype(int) - 130) <= 31).all()


@settings(max_examples=15)
@given(st.lists(st.tuples(st.floats(0, 6), st.floats(0, 6)), min_size=4, max_size=4), st.integers(0, 99))
def test_noise_shown_about_as_large_as_it_is_agrees_with_plain_perspective(
    studio: Studio, shifts: list[tuple[float, float]], seed: int
) -> None:
    artwork = np.random.default_rng(seed).integers(0, 256, (150, 200, 3), np.uint8)
    outwards = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    a, b, c, d = (
        (40 + x + dx * sx, 30 + y + dy * sy)
        for (x, y), (sx, sy), (dx, dy) in zip(corners_of(200, 150), outwards, shifts, strict=True)
    )
    surface = studio.surface(artwork, (a, b, c, d))
    assert size_of(surface) == (200, 150)
    inside = depth_inside((a, b, c, d), centres(*FRAME)) >= 1
    assert np.abs(shot(studio, surface) - seen(artwork, (a, b, c, d), FRAME))[inside].mean() < 1.5


@pytest.mark.parametrize("size", [(1, 1), (7, 1), (97, 51)])
def test_artwork_as_large_as_its_area_is_copied_byte_by_byte(studio: Studio, size: tuple[int, int]) -> None:
    width, height = size
    artwork = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    expected = PHOTO.copy()
    expected[23 : 23 + height, 41 : 41 + width] = artwork
    assert shot(studio, studio.surface(artwork, box(41, 23, width, height))).tolist() == expected.tolist()


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("is_nearer_at_the_right", [False, True])
def test_artwork_may_jut_out_beyond_the_horizon(studio: Studio, *, is_nearer_at_the_right: bool, share: float) -> None:
    quad = ((30.0, 20.0), (270.0, 80.0), (270.0, 140.0), (30.0, 200.0))
    if is_nearer_at_the_right:
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad
        quad = ((ax, by), (bx, ay), (cx, dy), (dx, cy))
    surface = studio.surface(ramps(2000, 100), quad, Manner("cover", (share, 0.5), 0, 0))
    row = shot(studio, surface)[110, 35:265, 0].astype(int)
    assert (np.diff(row) >= 0).all()
    assert abs((int(row[0]) + int(row[-1])) / 2 - 255 * (0.5 + (share - 0.5) * 0.9)) < 15


# -- what covers a pixel ---------------------------------------------------------------------------


@settings(max_examples=30)
@given(quads(4, 290, FRAME, narrowest=0.15), st.sampled_from([(1, 1), (300, 200), (64, 500)]))
@example(quad=box(20, 20, 101.3, 33.7), size=(192, 64))
def test_artwork_of_one_colour_ends_with_its_area(studio: Studio, quad: Quad, size: tuple[int, int]) -> None:
    pixels = shot(studio, studio.surface(flat(*size, (255, 255, 255)), quad), flat(*FRAME, (0, 0, 0)))
    cover = Outline(quad).cover(0, 0, *FRAME)
    assert np.abs(pixels - 255 * cover[..., None]).max() <= 0.51


@given(quads(3, 400, FRAME, flattest=0.05, narrowest=0.1))
def test_an_outline_covers_what_lies_within_and_nothing_beside(quad: Quad) -> None:
    cover, depth = Outline(quad).cover(0, 0, *FRAME), depth_inside(quad, centres(*FRAME))
    assert (cover[depth >= 0.5] == 1).all()
    assert not cover[depth < -HALF_DIAGONAL].any()
    assert (cover[depth > 0.01] > 0.5).all()


PIXELS_OF_A_SIDE = 0.061  # a side's length times this: how far what it covers may be off, wherever pixels lie


@given(quads(10, 200, (299, 219), flattest=0.4, narrowest=0.6))
@example(quad=((34.38, 91.2552), (2.0, 37.87), (32.68, 2.75), (83.19, 42.6054)))  # a side along pixels' diagonals
def test_what_an_outline_covers_adds_up_to_its_area(quad: Quad) -> None:
    """Of the sides at 45 degrees, which are the worst, as many pixels are half covered as lie on one line: 1 or 2.

    What those err by depends on where the line lies between the pixels; over all places it is nothing.
    """
    area, perimeter = area_of(quad), sum(math.dist(quad[index - 1], corner) for index, corner in enumerate(quad))
    errors = []
    for step in range(8):
        a, b, c, d = ((x + step / 8, y) for x, y in quad)
        errors.append(float(Outline((a, b, c, d)).cover(0, 0, *FRAME).sum(dtype=np.float64)) - area)
    assert max(map(abs, errors)) <= 1 + perimeter * PIXELS_OF_A_SIDE
    assert abs(np.mean(errors)) <= 2  # at corners


@given(quads(3, 400, FRAME, flattest=0.05, narrowest=0.1), st.integers(-5, 230), st.integers(1, 60))
def test_an_outline_covers_nothing_beside_the_columns_and_rows_that_it_tells(quad: Quad, top: int, rows: int) -> None:
    outline = Outline(quad)
    cover = outline.cover(-100, top, 500, rows)
    left, right = outline.columns(top, rows)
    columns = np.arange(-100, 400)
    assert not cover[:, (columns < left) | (columns >= right)].any()
    first, last = outline.rows()
    lines = np.arange(top, top + rows)
    assert not cover[(lines < first) | (lines >= last)].any()


# -- smaller, larger -------------------------------------------------------------------------------


def fields_in_a_pixel(fields: int, quad: Quad) -> Floats:
    """Return how many fields of a checkerboard a pixel spans where they are shown shortest: at every pixel."""
    matrix, step = solved(quad, corners_of(fields, fields)), 1e-3
    points = centres(*FRAME)
    there = mapped(matrix, points)
    steps = [(mapped(matrix, points + np.array(by)) - there) / step for by in ((step, 0), (0, step))]
    return np.asarray(np.linalg.svd(np.stack(steps, axis=-1), compute_uv=False)[..., 0])


FLOOR = ((110.0, 12.0), (190.0, 12.0), (292.0, 212.0), (8.0, 212.0))
WALL = ((12.0, 12.0), (288.0, 80.0), (288.0, 140.0), (12.0, 212.0))
TURNED = ((60.0, 10.0), (290.0, 90.0), (230.0, 180.0), (20.0, 205.0))


@pytest.mark.parametrize("quad", [FLOOR, WALL, TURNED], ids=["floor", "wall", "turned"])
@pytest.mark.parametrize(("fields", "field_px"), [(220, 1), (250, 1), (280, 1), (300, 2), (450, 1), (900, 1), (400, 3)])
def test_a_checkerboard_finer_than_pixels_is_even_grey_at_every_distance(
    studio: Studio, quad: Quad, fields: int, field_px: int
) -> None:
    grey = shot(studio, studio.surface(checkerboard(fields, field_px), quad))[..., 0].astype(np.float32)
    spanned, well_inside = fields_in_a_pixel(fields, quad), depth_inside(quad, centres(*FRAME)) > 6
    finer = well_inside & (spanned >= 1)
    assert finer.sum() > 1000
    mean = cv2.blur(grey, (8, 8))
    assert np.abs(mean[finer] - 127.5).max() <= 10
    assert mean[finer].std() <= 1.5
    much_finer = well_inside & (spanned >= 2.5)
    assert np.abs(grey[much_finer] - 127.5).max(initial=0) <= 4


@pytest.mark.parametrize("quad", [FLOOR, WALL, TURNED], ids=["floor", "wall", "turned"])
@pytest.mark.parametrize("field_px", [1, 4, 25])
def test_a_checkerboard_coarser_than_pixels_keeps_its_contrast(studio: Studio, quad: Quad, field_px: int) -> None:
    grey = shot(studio, studio.surface(checkerboard(40, field_px), quad))[..., 0]
    inside = depth_inside(quad, centres(*FRAME)) > 2
    coarser = inside & (fields_in_a_pixel(40, quad) <= 0.33)
    assert coarser.sum() > 5000
    assert np.percentile(grey[coarser], 15) <= 60
    assert np.percentile(grey[coarser], 85) >= 195


def test_a_few_pixels_shown_large_are_smooth(studio: Studio) -> None:
    artwork = np.random.default_rng(2).integers(0, 256, (8, 8, 3), np.uint8)
    pixels = shot(studio, studio.surface(artwork, box(0, 0, 800, 800)), flat(800, 800)).astype(int)
    assert max(np.abs(np.diff(pixels, axis=axis)).max() for axis in (0, 1)) <= 7  # a hundred pixels for 255 levels
    assert np.abs(pixels[50::100, 50::100] - artwork).max() <= 3
    assert len(np.unique(pixels[..., 0])) > 150


@pytest.mark.parametrize("size", [(2000, 100), (100, 2500)])
def test_artwork_may_be_shown_hundreds_of_times_narrower_than_it_is(studio: Studio, size: tuple[int, int]) -> None:
    area = box(10, 10, 4, 100) if size[0] > size[1] else box(10, 10, 100, 4)
    pixels = shot(studio, studio.surface(flat(*size, (255, 255, 255)), area))
    (left, top), _, (right, low), _ = area
    assert (pixels[int(top) : int(low), int(left) : int(right)] >= 254).all()


def test_one_pixel_fills_its_area_with_crisp_edges(studio: Studio) -> None:
    pixels = shot(studio, studio.surface(flat(1, 1, (255, 7, 0)), WALL))
    depth = depth_inside(WALL, centres(*FRAME))
    assert (pixels[depth >= 0.5] == (255, 7, 0)).all()
    assert (pixels[depth <= -0.5] == GROUND).all()
