"""Artwork on a surface: in proportion, aligned, turned, within its inset or all over it; the sizes it is needed at."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    solved,
)
from tests.tiles.photos import Studio, box, flat
from tiles.fitting import SHARPEST, Fit, Lie, Manner, lay, level_sizes, octave

FRAME = (400, 300)
UNIT = corners_of(1, 1)
SPARED = 1.125  # times as large as it is prepared, artwork may be shown
FITS: list[Fit] = ["contain", "cover", "stretch"]
NINE = [(x, y) for x in (0.0, 0.5, 1.0) for y in (0.0, 0.5, 1.0)]

any_quad = quads(30, 400, FRAME)
sides = st.integers(1, 3000)
ratios = st.floats(0.1, 10)
insets = st.floats(0, 0.49)
aligns = st.sampled_from(NINE)
angles = st.one_of(st.floats(-360, 360), st.sampled_from([0.0, 90.0, 180.0, -90.0, 270.0, 360.0]))
upright = st.sampled_from([0.0, 90.0, 180.0, 270.0, -90.0])


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


def on_surface(lie: Lie, quad: Quad, ratio: float) -> Floats:
    """Return where the artwork's corners lie on the surface, in its own units."""
    return mapped(solved(quad, corners_of(ratio, 1)), mapped(lie.to_picture, np.array(UNIT)))


def room_in_artwork(lie: Lie, quad: Quad, ratio: float, inset: float) -> Floats:
    """Return where the corners of the room for artwork lie on it, as shares of its width and height."""
    free = inset * min(ratio, 1)
    room = np.array([(free, free), (ratio - free, free), (ratio - free, 1 - free), (free, 1 - free)])
    return mapped(inverse(lie.to_picture), mapped(solved(corners_of(ratio, 1), quad), room))


@given(any_quad, ratios, sides, sides, st.sampled_from(["contain", "cover"]), insets, aligns, angles)
def test_artwork_keeps_its_proportions_and_its_turn(
    quad: Quad,
    ratio: float,
    width: int,
    height: int,
    fit: Fit,
    inset: float,
    align: tuple[float, float],
    rotate: float,
) -> None:
    a, b, _, d = on_surface(lay(quad, ratio, (width, height), Manner(fit, align, inset, rotate)), quad, ratio)
    along, down = b - a, d - a
    assert math.isclose(math.hypot(*along) * height, math.hypot(*down) * width, rel_tol=1e-6)
    assert abs(along @ down) <= 1e-6 * math.hypot(*along) * math.hypot(*down)
    assert along[0] * down[1] > along[1] * down[0]  # it is not mirrored
    turn = math.degrees(math.atan2(-along[1], along[0]))  # counter-clockwise, as y runs downwards
    assert abs((turn - rotate + 180) % 360 - 180) <= 1e-4


@given(any_quad, ratios, sides, sides, insets, aligns, angles)
def test_contained_artwork_lies_in_the_room_and_touches_two_sides_of_it(
    quad: Quad, ratio: float, width: int, height: int, inset: float, align: tuple[float, float], rotate: float
) -> None:
    corners = on_surface(lay(quad, ratio, (width, height), Manner("contain", align, inset, rotate)), quad, ratio)
    free = inset * min(ratio, 1)
    extent, room = np.ptp(corners, axis=0), np.array([ratio, 1.0]) - 2 * free
    assert (extent <= room + 1e-6).all()
    assert (np.abs(extent - room) <= 1e-6 * room).any()
    assert np.allclose(corners.min(axis=0) - free, np.array(align) * (room - extent), atol=1e-6)


@given(any_quad, ratios, sides, sides, insets, aligns, angles)
def test_artwork_that_covers_leaves_nothing_of_the_room_and_is_no_larger_than_it_must(
    quad: Quad, ratio: float, width: int, height: int, inset: float, align: tuple[float, float], rotate: float
) -> None:
    lie = lay(quad, ratio, (width, height), Manner("cover", align, inset, rotate))
    room = room_in_artwork(lie, quad, ratio, inset)
    assert room.min() >= -1e-6
    assert room.max() <= 1 + 1e-6
    assert np.ptp(room, axis=0).max() >= 1 - 1e-6
    shown = mapped(inverse(lie.to_picture), np.array(lie.clip))
    assert np.allclose(shown, room, atol=1e-6)


@given(any_quad, ratios, sides, sides, insets, aligns)
def test_what_juts_out_is_shared_as_align_says(
    quad: Quad, ratio: float, width: int, height: int, inset: float, align: tuple[float, float]
) -> None:
    room = room_in_artwork(lay(quad, ratio, (width, height), Manner("cover", align, inset, 0)), quad, ratio, inset)
    assert np.allclose(room.min(axis=0), np.array(align) * (1 - np.ptp(room, axis=0)), atol=1e-6)


@given(any_quad, ratios, sides, sides, insets, aligns, upright)
def test_what_juts_out_of_turned_artwork_is_shared_as_align_says_of_the_surface(
    quad: Quad, ratio: float, width: int, height: int, inset: float, align: tuple[float, float], rotate: float
) -> None:
    lie = lay(quad, ratio, (width, height), Manner("cover", align, inset, rotate))
    corners, free = on_surface(lie, quad, ratio), inset * min(ratio, 1)
    jut = np.ptp(corners, axis=0) - (np.array([ratio, 1.0]) - 2 * free)
    assert np.allclose(free - corners.min(axis=0), np.array(align) * jut, atol=1e-6 * max(1, float(jut.max())))


@given(any_quad, ratios, sides, sides, insets, upright)
def test_stretched_artwork_fills_the_room_exactly(
    quad: Quad, ratio: float, width: int, height: int, inset: float, rotate: float
) -> None:
    corners = on_surface(lay(quad, ratio, (width, height), Manner("stretch", (0.5, 0.5), inset, rotate)), quad, ratio)
    free = inset * min(ratio, 1)
    room = np.array([(free, free), (ratio - free, free), (ratio - free, 1 - free), (free, 1 - free)])
    expected = np.roll(room, round(rotate / 90), axis=0)  # its top left corner goes to the bottom left by 90 degrees
    assert np.allclose(corners, expected, atol=1e-6)


# -- the sizes that artwork is needed at -----------------------------------------------------------


def scales(lie: Lie) -> Floats:
    """Return the derivatives of the map onto the artwork's unit square, by small steps, all over what is seen of it."""
    shares = np.stack(np.meshgrid(np.linspace(0, 1, 15), np.linspace(0, 1, 15)), axis=-1).reshape(-1, 2)
    points = mapped(solved(UNIT, lie.clip), shares)
    to_unit, step = inverse(lie.to_picture), 1e-4
    there = mapped(to_unit, points)
    steps = [(mapped(to_unit, points + np.array(by)) - there) / step for by in ((step, 0), (0, step))]
    return np.stack(steps, axis=-1)


@given(any_quad, sides, sides, st.sampled_from(["contain", "cover"]), st.booleans())
def test_the_largest_size_is_about_that_of_the_photograph_and_never_more_than_the_artworks(
    quad: Quad, width: int, height: int, fit: Fit, is_vector: bool
) -> None:
    lie = lay(quad, 1.3, (width, height), Manner(fit, (0.5, 0.5), 0.1, 0))
    shown = 1 / np.linalg.norm(scales(lie), axis=-1).min(axis=0)
    sizes = level_sizes(lie, (width, height), is_vector=is_vector)
    for side, pixels, most in zip((width, height), shown, sizes[0], strict=True):
        expected = max(1.0, min(pixels, 30_000 if is_vector else side))
        # one size alone may be the one that there is, or suit a slight slant; several are made for their area
        spare = SHARPEST if len(sizes) == 1 else 1
        assert expected / (spare * SPARED) * 0.95 - 1 <= most <= expected * spare * 1.05 + 1
        assert is_vector or most <= side


@given(any_quad, sides, sides, st.sampled_from(["contain", "cover"]))
def test_each_size_is_half_the_one_before_down_to_one_that_is_shown_about_as_large_as_it_is(
    quad: Quad, width: int, height: int, fit: Fit
) -> None:
    lie = lay(quad, 1.3, (width, height), Manner(fit, (0.5, 0.5), 0.1, 0))
    sizes = level_sizes(lie, (width, height), is_vector=False)
    for one, other in pairwise(sizes):
        assert other == (math.ceil(one[0] / 2), math.ceil(one[1] / 2))
    steepest = np.linalg.svd(scales(lie) * np.array(sizes[0])[:, None], compute_uv=False).max() / SHARPEST
    rounded = 1.05 + 0.5 / min(sizes[0])  # of a side to whole pixels
    assert steepest < 2 ** (len(sizes) - 1) * rounded or len(sizes) == 9
    assert len(sizes) == 1 or 2 ** (len(sizes) - 2) < steepest * rounded


@given(sides, sides, st.floats(0.001, 1), st.floats(0.001, 1))
def test_artwork_is_prepared_as_small_as_leaves_it_large_enough(
    width: int, height: int, across: float, down: float
) -> None:
    needed = (max(1, round(width * across)), max(1, round(height * down)))
    prepared = octave((width, height), needed, is_vector=False)
    assert all(want <= most <= own for want, most, own in zip(needed, prepared, (width, height), strict=True))
    assert any(most <= want * 2 + 1 for want, most in zip(needed, prepared, strict=True))


@pytest.mark.parametrize("needed", [(700, 350), (500, 250), (100, 50), (71, 36), (30, 15), (2, 1)])
def test_what_is_drawn_at_any_size_is_prepared_at_any_size(needed: tuple[int, int]) -> None:
    width, height = octave((100, 50), needed, is_vector=True)
    assert needed[0] <= width <= needed[0] * 2 + 1
    assert needed[1] <= height <= needed[1] * 2 + 1


def test_areas_of_about_the_same_size_share_what_is_prepared() -> None:
    prepared = {octave((3000, 2400), (side, side * 4 // 5), is_vector=False) for side in range(400, 1500, 50)}
    assert prepared == {(750, 600), (1500, 1200)}


# -- in pixels -------------------------------------------------------------------------------------

BLACK, WHITE = flat(30, 20, (0, 0, 0)), flat(200, 150, (255, 255, 255))


@settings(max_examples=25)
@given(quads(40, 140, (200, 150)), aligns, angles, st.floats(0, 0.3), st.booleans())
def test_no_pixel_of_a_covered_area_is_without_artwork(
    studio: Studio, quad: Quad, align: tuple[float, float], rotate: float, inset: float, is_tall: bool
) -> None:
    artwork = BLACK.transpose(1, 0, 2) if is_tall else BLACK
    surface = studio.surface(artwork, quad, Manner("cover", align, inset, rotate))
    assert surface.print is not None
    clip = surface.print.clip
    depth = depth_inside(clip, centres(200, 150))
    pixels = studio.shot(studio.scene(WHITE, surface))
    assert not pixels[depth >= 0.5].any()
    assert (pixels[depth < -0.75] == 255).all()
    if inset == 0:
        assert np.allclose(clip, quad)


@settings(max_examples=25)
@given(quads(60, 140, (200, 150), flattest=0.5), aligns, angles, st.booleans())
def test_contained_artwork_is_seen_whole(
    studio: Studio, quad: Quad, align: tuple[float, float], rotate: float, is_tall: bool
) -> None:
    artwork = BLACK.transpose(1, 0, 2) if is_tall else BLACK
    surface = studio.surface(artwork, quad, Manner("contain", align, 0.05, rotate))
    assert surface.print is not None
    pixels = studio.shot(studio.scene(WHITE, surface))
    assert (pixels[depth_inside(quad, centres(200, 150)) < -0.75] == 255).all()
    inked = (255.0 - pixels[..., 0]).sum() / 255
    seen = area_of(surface.print.clip)
    assert abs(inked - seen) <= 0.03 * seen + 4


@pytest.mark.parametrize("rotate", [90, 180, 270, 360, -90])
@pytest.mark.parametrize("size", [(60, 60), (60, 40), (40, 60)])
def test_a_quarter_turn_is_exact(size: tuple[int, int], rotate: int, studio: Studio) -> None:
    artwork = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8)
    expected = np.rot90(artwork, rotate // 90)
    height, width, _ = expected.shape
    for fit in FITS:
        area, manner = box(20, 30, width, height), Manner(fit, (0.5, 0.5), 0, rotate)
        pixels = studio.shot(studio.scene(WHITE, studio.surface(artwork, area, manner)))
        assert pixels[30 : 30 + height, 20 : 20 + width].tolist() == expected.tolist()
