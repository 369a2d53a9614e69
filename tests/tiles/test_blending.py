"""Blend modes: those of W3C Compositing and Blending Level 1, whatever is transparent; and no byte beside them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tiles.compositing import MODES, Floats, composited
from tiles.blending import Plane, lay, level, union
from tiles.resample import Rgba

every_mode = pytest.mark.parametrize("mode", MODES)
LEVELS = np.arange(256)
ROUNDING = 0.5 + 1e-3  # of levels: to the nearest of them, from single precision


def pixels_of(colour: Rgba, alpha: int | None) -> Rgba:
    """Return pixels with the same level in all colours; with alpha unless it is None."""
    bands = [colour] * 3 + ([np.full_like(colour, alpha)] if alpha is not None else [])
    return np.ascontiguousarray(np.stack(bands, axis=-1))


def laid(backdrop: Rgba, backdrop_alpha: int | None, source: Floats, alpha: float, mode: str) -> Rgba:
    """Return what becomes of pixels under a source, premultiplied, of one alpha."""
    pixels = pixels_of(backdrop, backdrop_alpha)
    lay(pixels, [source.astype(np.float32)] * 3, np.full(source.shape, alpha, np.float32), mode)
    assert (pixels[..., :1] == pixels[..., :3]).all()
    return pixels


BACKDROPS, SOURCES = (plane.astype(np.uint8) for plane in np.meshgrid(LEVELS, LEVELS, indexing="ij"))


@every_mode
@pytest.mark.parametrize("alpha", [0, 1, 77, 128, 254, 255])
def test_an_opaque_backdrop_becomes_what_the_recommendation_says(mode: str, alpha: int) -> None:
    share = alpha / 255
    found = laid(BACKDROPS, None, SOURCES / 255 * share, share, mode)
    expected, _ = composited(BACKDROPS / 255, np.ones(()), SOURCES / 255, np.array(share), mode)
    assert np.abs(found[..., 0] - 255 * expected).max() <= ROUNDING


@every_mode
@pytest.mark.parametrize("alpha", [1, 77, 128, 255])
@pytest.mark.parametrize("backdrop_alpha", [0, 1, 100, 254, 255])
def test_a_transparent_backdrop_becomes_what_the_recommendation_says(
    mode: str, alpha: int, backdrop_alpha: int
) -> None:
    below, share = backdrop_alpha / 255, alpha / 255
    found = laid(BACKDROPS, backdrop_alpha, SOURCES / 255 * share, share, mode)
    colour, total = composited(BACKDROPS / 255, np.array(below), SOURCES / 255, np.array(share), mode)
    assert np.abs(found[..., 0] - 255 * colour).max() <= ROUNDING
    assert np.abs(found[..., 3] - 255 * total).max() <= ROUNDING


@every_mode
@pytest.mark.parametrize("backdrop_alpha", [None, 255, 128, 40])
def test_artwork_kept_premultiplied_in_8_bits_stays_within_a_level_of_what_is_seen(
    mode: str, backdrop_alpha: int | None
) -> None:
    below = 1.0 if backdrop_alpha is None else backdrop_alpha / 255
    for alpha in range(1, 256, 14):
        kept, share = (SOURCES.astype(int) * alpha + 127) // 255, alpha / 255
        found = laid(BACKDROPS, backdrop_alpha, kept / 255, share, mode)[..., 0]
        colour, total = composited(BACKDROPS / 255, np.array(below), SOURCES / 255, np.array(share), mode)
        # A sample of the store is right to half a level. Hard light doubles that; a faint pixel's colour is divided
        # by its alpha, by which it is multiplied again when it is seen.
        doubled = 2 if mode == "hard-light" else 1
        assert (np.abs(found - 255 * colour) * total).max() <= 0.5 * doubled + ROUNDING
        if backdrop_alpha is None or backdrop_alpha == 255:
            assert np.abs(found - np.rint(255 * colour)).max() <= 1


@every_mode
def test_where_there_is_no_source_the_very_bytes_stay(mode: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 60, 4), np.uint8)
    pixels[:9, :, 3] = 0  # with colour, though it is not seen
    for kept in (pixels, pixels[..., :3]):
        found = np.ascontiguousarray(kept)
        lay(found, [np.zeros((50, 60), np.float32)] * 3, np.zeros((50, 60), np.float32), mode)
        assert found.tolist() == kept.tolist()


@every_mode
@given(seed=st.integers(0, 2**32 - 1), opacity=st.floats(0, 1, width=32), cut=st.integers(1, 299))
def test_a_pixel_does_not_depend_on_those_beside_it(mode: str, seed: int, opacity: float, cut: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (1, 300, 4), np.uint8)
    pixels[0, : cut // 2, 3] = 255
    alpha = rng.integers(0, 256, (1, 300)).astype(np.float32) / np.float32(255) * np.float32(opacity)
    sources = [rng.integers(0, 256, (1, 300)).astype(np.float32) / np.float32(255) * alpha for _ in range(3)]
    whole = pixels.copy()
    lay(whole, sources, alpha, mode)
    for part in (slice(0, cut // 2), slice(cut // 2, cut), slice(cut, 300)):
        if part.start < part.stop:
            lay(pixels[:, part], [source[:, part] for source in sources], alpha[:, part], mode)
    assert whole.tolist() == pixels.tolist()


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20))
def test_with_anything_opaque_the_union_is_opaque(shares: list[float]) -> None:
    alpha: Plane = np.array([shares], np.float32)
    opaque = np.ones_like(alpha)
    assert (union(opaque, alpha) == 1).all()
    assert (union(alpha, opaque) == 1).all()


def test_levels_are_the_nearest_and_stay_within_8_bits() -> None:
    exact = LEVELS.astype(np.float32)[None]
    for shift in (-0.4, 0, 0.4):
        assert level((exact + np.float32(shift)) / np.float32(255)).tolist() == [LEVELS.tolist()]
    assert level(np.array([[-0.1, 1.1, 2.0]], np.float32)).tolist() == [[0, 255, 255]]
