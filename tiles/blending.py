"""How artwork and photograph mix: the blend modes of print and web, on planes of samples from 0 to 1. Pure numpy.

Source: W3C Compositing and Blending Level 1 (Candidate Recommendation Draft, 2024), 5 (general formula), 9.1 (source
over) and 10.1 (separable blend modes). With Cb, αb the backdrop and Cs, αs the source,

    co = (1 − αb) · αs · Cs + (1 − αs) · αb · Cb + αs · αb · B(Cb, Cs),    αo = αs + αb · (1 − αs),    Co = co / αo.

The source comes premultiplied, s = αs · Cs, as it is once it was resampled. All modes here can be written so that Cs
never stands alone: what is computed is αs · B(Cb, s / αs), without a division.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tiles.resample import Rgba

Plane = NDArray[np.float32]  # rows × width

SAMPLE = np.float32(1 / 255)  # a level's, from 0 to 1
_LEVELS = np.float32(255)
_ALPHA = 3
_HALF, _ONE, _TWO = np.float32(0.5), np.float32(1), np.float32(2)


def lay(pixels: Rgba, sources: Sequence[Plane], alpha: Plane, mode: str) -> None:
    """Blend three premultiplied planes of colour onto 8-bit pixels, RGB or RGBA with straight alpha, in place.

    Pixels where the source's alpha is 0 keep their very bytes.
    """
    is_opaque = pixels.shape[2] == _ALPHA or pixels[..., _ALPHA].min() == _LEVELS
    backdrop_alpha = alpha if is_opaque else pixels[..., _ALPHA] * SAMPLE
    for band, source in enumerate(sources):
        backdrop = pixels[..., band] * SAMPLE
        if is_opaque:
            pixels[..., band] = level(blend(backdrop, source, alpha, mode))
        else:
            mixed = blend_over_alpha(backdrop, backdrop_alpha, source, alpha, mode)
            pixels[..., band] = level(np.where(alpha > 0, mixed, backdrop))
    if not is_opaque:
        pixels[..., _ALPHA] = level(union(backdrop_alpha, alpha))


def level(plane: Plane) -> Rgba:
    """Return samples from 0 to 1 as 8-bit levels, to the nearest."""
    levels: Rgba = (plane * _LEVELS + _HALF).clip(0, _LEVELS).astype(np.uint8)
    return levels


def blend(backdrop: Plane, source: Plane, alpha: Plane, mode: str) -> Plane:
    """Return what an opaque backdrop becomes under a premultiplied source: (1 − αs) · Cb + αs · B(Cb, Cs)."""
    kept: Plane = (_ONE - alpha) * backdrop
    kept += _MODES[mode](backdrop, source, alpha)
    return kept


def blend_over_alpha(backdrop: Plane, backdrop_alpha: Plane, source: Plane, alpha: Plane, mode: str) -> Plane:
    """Return the straight colour of a backdrop with alpha under a premultiplied source; see `union` for its alpha."""
    seen = blend(backdrop, source, alpha, mode) * backdrop_alpha + (_ONE - backdrop_alpha) * source
    total = union(backdrop_alpha, alpha)
    straight: Plane = np.divide(seen, total, out=np.zeros_like(seen), where=total > 0)
    return straight


def union(one: Plane, other: Plane) -> Plane:
    """Return the alpha of one over the other; exactly 1 where the first is 1."""
    total: Plane = one + other * (_ONE - one)
    return total


def _over(backdrop: Plane, source: Plane, alpha: Plane) -> Plane:  # noqa: ARG001 - B(Cb, Cs) = Cs
    return source


def _multiply(backdrop: Plane, source: Plane, alpha: Plane) -> Plane:  # noqa: ARG001 - B = Cb · Cs
    return backdrop * source


def _screen(backdrop: Plane, source: Plane, alpha: Plane) -> Plane:
    """B = Cb + Cs − Cb · Cs."""
    return backdrop * alpha + source - backdrop * source


def _hard_light(backdrop: Plane, source: Plane, alpha: Plane) -> Plane:
    """B = multiply(Cb, 2 Cs) where Cs ≤ 0.5, else screen(Cb, 2 Cs − 1)."""
    twice = _TWO * source
    return np.where(twice <= alpha, backdrop * twice, _screen(backdrop, twice - alpha, alpha))


def _overlay(backdrop: Plane, source: Plane, alpha: Plane) -> Plane:
    """B = hard-light with the layers swapped."""
    twice = _TWO * backdrop
    return np.where(backdrop <= _HALF, twice * source, source + (twice - _ONE) * (alpha - source))


def _soft_light(backdrop: Plane, source: Plane, alpha: Plane) -> Plane:
    """B = Cb − (1 − 2 Cs) · Cb · (1 − Cb) where Cs ≤ 0.5, else Cb + (2 Cs − 1) · (D(Cb) − Cb)."""
    lift = _TWO * source - alpha  # αs · (2 Cs − 1)
    low = ((np.float32(16) * backdrop - np.float32(12)) * backdrop + np.float32(4)) * backdrop
    bright = np.where(backdrop <= np.float32(0.25), low, np.sqrt(backdrop))  # D(Cb)
    return backdrop * alpha + lift * np.where(lift <= 0, backdrop - backdrop * backdrop, bright - backdrop)


_MODES: dict[str, Callable[[Plane, Plane, Plane], Plane]] = {
    "over": _over,
    "multiply": _multiply,
    "screen": _screen,
    "overlay": _overlay,
    "soft-light": _soft_light,
    "hard-light": _hard_light,
}
