"""Shrinking: that of a plain reference in double precision, exact whatever adds it up, in a few rows of memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tiles.resample import COLUMN_UNIT, GREATEST_SUM, LOBES, ROW_UNIT, STEPS, Rgba, Shrinker, lanczos

Floats = NDArray[np.float64]

sides = st.one_of(st.integers(1, 12), st.integers(1, 90))


def shrink(pixels: Rgba, width: int, height: int, rows: int | None = None) -> Rgba:
    """Return the pixels shrunk, taken so many rows at once."""
    shrinker = Shrinker((pixels.shape[1], pixels.shape[0]), (width, height))
    rows = min(rows or shrinker.rows_in, shrinker.rows_in)
    strips = (pixels[top : top + rows] for top in range(0, len(pixels), rows))
    return np.concatenate([chunk.copy() for strip in strips for chunk in shrinker.take(strip)])


def matrix(source: int, count: int) -> Floats:
    """Return Lanczos weights, count × source, straight from the definition."""
    scale = source / count
    weights = np.zeros((count, source))
    for pixel in range(count):
        centre = (pixel + 0.5) * scale - 0.5
        for place in range(int(centre - LOBES * scale) - 2, int(centre + LOBES * scale) + 3):
            x = (place - centre) / scale
            if abs(x) < LOBES:
                weights[pixel, min(max(place, 0), source - 1)] += np.sinc(x) * np.sinc(x / LOBES)
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares


def premultiplied(pixels: Rgba) -> Floats:
    exact = pixels.astype(float)
    exact[..., :3] *= exact[..., 3:] / 255
    return exact


def reference(pixels: Rgba, width: int, height: int) -> Floats:
    """Return the pixels shrunk in premultiplied alpha, in double precision; straight colour and alpha are clipped."""
    rows, columns = matrix(pixels.shape[0], height), matrix(pixels.shape[1], width)
    exact: Floats = np.einsum("yj,jic,xi->yxc", rows, premultiplied(pixels), columns, optimize=True)
    alpha = exact[..., 3:]
    straight = np.divide(255 * exact[..., :3], alpha, out=np.zeros_like(exact[..., :3]), where=alpha > 0)
    alpha = alpha.clip(0, 255)
    return np.concatenate([straight.clip(0, 255) * alpha / 255, alpha], axis=-1)


def pixels_of(width: int, height: int, seed: int, kind: str) -> Rgba:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 4), np.uint8)
    if kind == "hard":
        pixels[..., 3] = np.where(pixels[..., 3] < 128, 0, 255)
    elif kind == "sparse":
        pixels[rng.random((height, width)) < 0.9] = 0
    return pixels


@settings(max_examples=150)
@given(
    size=st.tuples(sides, sides),
    share=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    kind=st.sampled_from(["soft", "hard", "sparse"]),
    seed=st.integers(0, 99),
)
def test_it_is_the_reference_but_for_rounding(
    size: tuple[int, int], share: tuple[float, float], kind: str, seed: int
) -> None:
    pixels = pixels_of(*size, seed, kind)
    width, height = (max(1, round(side * part)) for side, part in zip(size, share, strict=True))
    difference = np.abs(premultiplied(shrink(pixels, width, height)) - reference(pixels, width, height))
    # alpha and colour are each rounded by up to half a level; whole-number samples and weights add a tenth or two
    assert difference.max() <= 1.25
    assert difference[..., 3].max() <= 0.75


@settings(max_examples=40)
@given(size=st.tuples(sides, sides), share=st.tuples(st.floats(0, 1), st.floats(0, 1)), rows=st.integers(1, 40))
def test_it_does_not_matter_how_many_rows_come_at_once(
    size: tuple[int, int], share: tuple[float, float], rows: int
) -> None:
    pixels = pixels_of(*size, 1, "soft")
    width, height = (max(1, round(side * part)) for side, part in zip(size, share, strict=True))
    assert np.array_equal(shrink(pixels, width, height, rows), shrink(pixels, width, height))


@given(
    count=st.integers(1, 400),
    more=st.one_of(st.integers(0, 30), st.integers(0, 3000)),
    unit=st.sampled_from([ROW_UNIT, COLUMN_UNIT]),
)
def test_weights_are_whole_add_up_and_never_exceed_what_floating_point_holds(count: int, more: int, unit: int) -> None:
    kernel = lanczos(count + more, count, unit)
    assert np.array_equal(kernel.taps, np.rint(kernel.taps))
    assert (kernel.taps.sum(axis=1) == unit).all()
    assert np.abs(kernel.taps).sum(axis=1).max() <= GREATEST_SUM * unit
    greatest = 255 * STEPS * GREATEST_SUM * ROW_UNIT
    assert greatest < 2**24  # what single precision counts to
    assert greatest * GREATEST_SUM * COLUMN_UNIT < 2**53  # and double


@pytest.mark.parametrize("count", [1, 7, 100, 333])
def test_a_kernels_matrix_is_that_of_the_definition(count: int) -> None:
    kernel = lanczos(333, count, COLUMN_UNIT)
    whole = np.zeros((count, 333))
    for pixel in range(count):
        source = slice(int(kernel.first[pixel]), int(kernel.stop[pixel]))
        whole[pixel, source] = kernel.matrix(slice(pixel, pixel + 1), source)[0]
    assert np.abs(whole / COLUMN_UNIT - matrix(333, count)).max() <= 1 / COLUMN_UNIT


@given(colour=st.tuples(*[st.integers(0, 255)] * 3), alpha=st.integers(1, 255), width=st.integers(1, 60))
def test_a_flat_area_stays_as_it_is(colour: tuple[int, int, int], alpha: int, width: int) -> None:
    pixels = np.full((61, 60, 4), (*colour, alpha), np.uint8)
    found = shrink(pixels, width, 20)
    assert (found[..., 3] == alpha).all()
    assert np.abs(found[..., :3].astype(int) - colour).max() <= 255 / (STEPS * alpha)


@given(colour=st.tuples(*[st.integers(0, 255)] * 3), seed=st.integers(0, 99))
def test_hard_edged_ink_of_one_colour_keeps_it_in_its_faintest_pixel(colour: tuple[int, int, int], seed: int) -> None:
    pixels = pixels_of(70, 50, seed, "hard")
    pixels[..., :3] = np.where(pixels[..., 3:] > 0, np.array(colour, np.uint8), pixels[..., :3])
    found = shrink(pixels, 31, 17)
    assert np.unique(found[found[..., 3] > 0][:, :3], axis=0).tolist() == [list(colour)]
    assert not found[found[..., 3] == 0].any()


def test_rows_held_do_not_grow_with_the_artwork() -> None:
    def held(height: int) -> int:
        shrinker = Shrinker((400, height), (100, height // 4))
        return sum(part.nbytes for part in (shrinker._ring._rows, shrinker._planes, shrinker._share))

    assert held(100_000) == held(1_000)
