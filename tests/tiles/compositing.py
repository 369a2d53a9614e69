"""What becomes of a backdrop under a source: by W3C Compositing and Blending Level 1 itself, and in double precision.

Colours are straight, all values from 0 to 1. Nothing here is taken from tiles.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def multiply(backdrop: Floats, source: Floats) -> Floats:
    return backdrop * source


def screen(backdrop: Floats, source: Floats) -> Floats:
    return backdrop + source - backdrop * source


def hard_light(backdrop: Floats, source: Floats) -> Floats:
    return np.where(source <= 0.5, multiply(backdrop, 2 * source), screen(backdrop, 2 * source - 1))


def soft_light(backdrop: Floats, source: Floats) -> Floats:
    polynomial = ((16 * backdrop - 12) * backdrop + 4) * backdrop
    bright = np.where(backdrop <= 0.25, polynomial, np.sqrt(backdrop))
    darker = backdrop - (1 - 2 * source) * backdrop * (1 - backdrop)
    return np.where(source <= 0.5, darker, backdrop + (2 * source - 1) * (bright - backdrop))


MODES: dict[str, Callable[[Floats, Floats], Floats]] = {  # 10.1: B(Cb, Cs)
    "over": lambda backdrop, source: source,
    "multiply": multiply,
    "screen": screen,
    "overlay": lambda backdrop, source: hard_light(source, backdrop),
    "soft-light": soft_light,
    "hard-light": hard_light,
}


def composited(
    backdrop: Floats, backdrop_alpha: Floats, source: Floats, alpha: Floats, mode: str
) -> tuple[Floats, Floats]:
    """Return the straight colour and the alpha of 5.: blended where both are, and put over by 9.1; all from 0 to 1."""
    blended = (1 - backdrop_alpha) * source + backdrop_alpha * MODES[mode](backdrop, source)
    total = alpha + backdrop_alpha * (1 - alpha)
    premultiplied = alpha * blended + backdrop_alpha * backdrop * (1 - alpha)
    return np.divide(premultiplied, total, out=np.zeros_like(premultiplied), where=total > 0), total
