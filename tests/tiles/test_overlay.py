"""Watermarks and captions: where they lie, how they show, and the same whatever rows they are laid on."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import ArtworkError
from tests.tiles.compositing import composited
from tests.tiles.photos import Pixels, Studio, flat
from tiles.overlay import OverlayLayer
from tiles.scene import Lettering, Overlay

FRAME = (300, 200)
BLUE, WHITE = (20, 40, 200), (255, 255, 255)
GREY = flat(*FRAME, (90, 90, 90))
NINE = [(x, y) for x in (0.0, 0.5, 1.0) for y in (0.0, 0.5, 1.0)]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


def laid(overlay: Overlay, studio: Studio, pixels: Pixels = GREY, rows: int = 1000) -> Pixels:
    """Return the picture with an overlay on it, laid so many rows at a time."""
    found = pixels.copy()
    layer = OverlayLayer(overlay, studio.store, found.shape[1], len(found))
    for top in range(0, len(found), rows):
        layer.mix(found[top : top + rows], top)
    return found


def changed(found: Pixels, pixels: Pixels = GREY) -> tuple[int, int, int, int]:
    """Return the first and the last column and row that are not what they were."""
    rows, columns = np.nonzero((found != pixels).any(axis=-1))
    return int(columns.min()), int(columns.max()), int(rows.min()), int(rows.max())


def mark(width: int = 40, height: int = 30, seed: int = 0) -> Pixels:
    """Return a picture that is transparent here and there, never in a corner."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    pixels[:: height - 1, :: width - 1, 3] = 255
    return pixels


def line(text: str, size: int, by: Literal["height", "width"] = "height", *, on_ground: bool = False) -> Lettering:
    return Lettering(text, BLUE, size, by, WHITE if on_ground else None)


# -- once ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("align", NINE)
@pytest.mark.parametrize("margin", [0, 17])
def test_a_picture_lies_where_it_is_aligned_within_the_margin(
    align: tuple[float, float], margin: int, studio: Studio
) -> None:
    overlay = Overlay(studio.picture(mark()), align=align, margin_px=margin)
    left, top = margin + align[0] * (300 - 2 * margin - 40), margin + align[1] * (200 - 2 * margin - 30)
    assert changed(laid(overlay, studio)) == (round(left), round(left) + 39, round(top), round(top) + 29)


@pytest.mark.parametrize("align", NINE)
def test_a_caption_on_its_ground_lies_where_it_is_aligned_within_the_margin(
    align: tuple[float, float], studio: Studio
) -> None:
    found = laid(Overlay(line("Größe M", 20, on_ground=True), align=align, margin_px=11), studio)
    left, right, top, low = changed(found)
    assert low - top + 1 == 20 + 2 * 7  # the line, and a third of it all around
    assert (found[top : low + 1, left : right + 1][[0, -1]] == WHITE).all()
    assert (found[top : low + 1, left : right + 1][:, [0, 6, -7, -1]] == WHITE).all()
    letters = found[top + 7 : low - 6, left + 7 : right - 6]
    assert (np.abs(letters.astype(int) - BLUE).sum(axis=-1) < 9).any()
    free_x, free_y = 300 - 22 - (right - left + 1), 200 - 22 - 34
    assert (left, top) == (round(11 + align[0] * free_x), round(11 + align[1] * free_y))


def test_a_caption_without_a_ground_is_nothing_but_letters(studio: Studio) -> None:
    found = laid(Overlay(line("Größe M", 40)), studio)
    share = (found.astype(float) - 90) / (np.array(BLUE) - 90)
    assert np.ptp(share, axis=-1).max() < 0.05
    assert 0.01 < (share.mean(axis=-1) > 0.5).mean() < 0.3


@pytest.mark.parametrize("opacity", [1.0, 0.25, 0.0])
@pytest.mark.parametrize("bands", [3, 4])
def test_a_picture_is_laid_over_as_far_as_it_is_opaque(bands: int, opacity: float, studio: Studio) -> None:
    picture, below = mark(), np.random.default_rng(1).integers(0, 256, (30, 40, bands), np.uint8)
    found = laid(Overlay(studio.picture(picture), opacity), studio, below)
    below_alpha = below[..., 3:] / 255 if bands == 4 else np.ones((30, 40, 1))
    alpha = picture[..., 3:] / 255 * opacity
    colour, total = composited(below[..., :3] / 255, below_alpha, picture[..., :3] / 255, alpha, "over")
    assert (np.abs(found[..., :3] - 255 * colour) * (total > 0)).max() <= 0.51
    if bands == 4:
        assert np.abs(found[..., 3:] - 255 * total).max() <= 0.51
    if opacity == 0:
        assert found.tolist() == below.tolist()


@pytest.mark.parametrize("by", ["height", "width"])
def test_a_line_is_as_large_as_it_says(by: Literal["height", "width"], studio: Studio) -> None:
    left, right, top, low = changed(laid(Overlay(line("PREVIEW", 60 if by == "height" else 150, by)), studio))
    if by == "width":
        assert 147 <= right - left + 1 <= 150
    else:
        assert 30 <= low - top + 1 <= 60


@pytest.mark.parametrize("align", NINE)
def test_a_caption_too_long_is_made_smaller_until_it_fits(align: tuple[float, float], studio: Studio) -> None:
    overlay = Overlay(line("a rather long line of text " * 3, 60, on_ground=True), align=align, margin_px=20)
    left, right, top, low = changed(laid(overlay, studio))
    assert 20 <= left < right < 280
    assert 20 <= top < low < 180


@pytest.mark.parametrize("align", NINE)
def test_a_picture_larger_than_the_mock_up_is_cut(align: tuple[float, float], studio: Studio) -> None:
    large = np.random.default_rng(2).integers(0, 256, (260, 380, 3), np.uint8)
    left, top = round(align[0] * 80), round(align[1] * 60)
    found = laid(Overlay(studio.picture(large), align=align), studio)
    assert found.tolist() == large[top : top + 200, left : left + 300].tolist()


def test_a_margin_leaves_at_least_a_pixel(studio: Studio) -> None:
    found = laid(Overlay(studio.picture(flat(1, 1, BLUE)), margin_px=5000), studio)
    assert changed(found) == (150, 150, 100, 100) or changed(found) == (149, 149, 99, 99)


# -- turned ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", [90, 180, 270, -90, 360, 0])
def test_a_quarter_turn_is_exact_and_counter_clockwise(angle: int, studio: Studio) -> None:
    picture = np.random.default_rng(3).integers(0, 256, (30, 40, 3), np.uint8)
    found = laid(Overlay(studio.picture(picture), angle=angle, align=(0, 0)), studio)
    expected = np.rot90(picture, angle // 90)
    assert found[: expected.shape[0], : expected.shape[1]].tolist() == expected.tolist()


@settings(max_examples=20)
@given(angle=st.floats(-360, 360))
def test_a_turned_picture_keeps_its_middle_and_its_area(angle: float, studio: Studio) -> None:
    found = laid(Overlay(studio.picture(flat(80, 50, (255, 255, 255))), angle=angle), studio, flat(*FRAME, (0, 0, 0)))
    share = found[..., 0] / 255
    rows, columns = np.mgrid[:200, :300] + 0.5
    assert abs(share.sum() - 80 * 50) <= 60
    assert abs((share * columns).sum() / share.sum() - 150) <= 2
    assert abs((share * rows).sum() / share.sum() - 100) <= 2
    moments = cv2.moments(share)
    turn = np.degrees(0.5 * np.arctan2(-2 * moments["mu11"], moments["mu20"] - moments["mu02"]))
    assert abs((turn - angle + 90) % 180 - 90) <= 2


# -- all over it -----------------------------------------------------------------------------------

TILED: dict[str, Callable[[Studio], Overlay]] = {
    "a picture": lambda studio: Overlay(studio.picture(mark(13, 21)), 0.5, tiled=True),
    "a turned picture": lambda studio: Overlay(studio.picture(mark(31, 8)), 0.5, 30, tiled=True),
    "a line": lambda _: Overlay(line("PREVIEW", 70, "width"), 0.25, 33, tiled=True),
    "a caption": lambda _: Overlay(line("Größe M", 20, on_ground=True), align=(0.5, 1), margin_px=9),
}


@settings(max_examples=25)
@given(what=st.sampled_from(sorted(TILED)), rows=st.integers(1, 200), bands=st.sampled_from([3, 4]))
def test_strips_leave_no_seams(what: str, rows: int, bands: int, studio: Studio) -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (200, 300, bands), np.uint8)
    overlay = TILED[what](studio)
    assert laid(overlay, studio, pixels, rows).tobytes() == laid(overlay, studio, pixels).tobytes()


@settings(max_examples=20)
@given(width=st.integers(1, 90), height=st.integers(1, 70))
def test_tiles_are_everywhere_and_never_on_each_other(width: int, height: int, studio: Studio) -> None:
    tile, opacity = flat(width, height, (255, 255, 255)), 0.5
    found = laid(Overlay(studio.picture(tile), opacity, tiled=True), studio, flat(*FRAME, (0, 0, 0)))
    assert set(np.unique(found).tolist()) <= {0, 128}
    gap = round(0.6 * height) + 1
    reach = (min(200, height + 2 * gap), min(300, width + 2 * gap))
    inked = cv2.dilate(found[..., 0], np.ones(reach, np.uint8), borderType=cv2.BORDER_REPLICATE)
    assert inked.all()


def test_every_other_row_of_tiles_is_shifted_by_half(studio: Studio) -> None:
    found = laid(Overlay(studio.picture(flat(30, 20, BLUE)), tiled=True), studio)
    is_inked = (found == BLUE).all(axis=-1)
    first, second, third = (np.flatnonzero(np.diff(is_inked[row].astype(int)) == 1) + 1 for row in (5, 38, 71))
    assert np.diff(first).tolist() == [43] * (len(first) - 1)
    assert first.tolist() == third.tolist()
    assert sorted({int(place) % 43 for place in second}) == [21]
    assert {int(place) % 43 for place in first} == {0}


# -- what cannot be laid ---------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_a_line_of_nothing_is_an_error(text: str, studio: Studio) -> None:
    with pytest.raises(ArtworkError, match="nothing would be seen of the text"):
        laid(Overlay(line(text, 20)), studio)


def test_a_picture_that_cannot_be_decoded_is_an_error_with_its_name(studio: Studio, tmp_path: Path) -> None:
    picture = studio.picture(mark(seed=5), "logo.png")
    picture.design.path.write_bytes(picture.design.path.read_bytes()[:900])
    with pytest.raises(ArtworkError, match=r"^logo.png: cannot be decoded"):
        laid(Overlay(picture), studio)
