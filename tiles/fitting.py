"""How artwork lies on an area of a photograph: its place on the surface, and the pixels that it needs there. Pure.

A surface is the flat piece of a product that an area shows: width `ratio`, height 1, y downwards. Angles are degrees,
counter-clockwise for whoever looks at it.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tiles.geometry import Corners
from tiles.homography import UNIT, Matrix, image_of, jacobian_at, unit_to_quad

Fit = Literal["contain", "cover", "stretch"]

SHARPEST = 2 ** (1 / 3)  # pixels of artwork to one of the photograph: so many, one size alone shows without moiré
_SOFTEST = SHARPEST  # times as large as it is, artwork may be shown at the near end of a slant, to spare a second size
_SPARED = 1.125  # times as large as it is prepared, artwork may be shown, where the next size is twice that
_MOST_PX = 30_000  # of a side of vector artwork: a map may show one end of it endlessly large
_SAMPLES = 17  # along each side of an area, where local scales are looked at: they change evenly
_MOST_LEVELS = 8  # a slant that shrinks beyond 2⁸ shows nothing


@dataclass(frozen=True, slots=True)
class Lie:
    """Where artwork lies: `to_picture` maps its unit square onto the photograph, `clip` is what of it is seen."""

    to_picture: Matrix
    clip: Corners


@dataclass(frozen=True, slots=True)
class Manner:
    """How artwork is fitted to an area: `align` (x, y) from 0 (left, top) to 1; `inset` a share of the shorter side."""

    fit: Fit
    align: tuple[float, float]
    inset: float
    rotate: float


def lay(corners: Corners, ratio: float, size: tuple[int, int], manner: Manner) -> Lie:
    """Lay artwork of a pixel size (width, height) on the area with these corners, whose surface is `ratio` wide."""
    free = manner.inset * min(ratio, 1.0)
    inner = (ratio - 2 * free, 1.0 - 2 * free)
    angle = math.radians(manner.rotate)
    cos, sin = math.cos(angle), math.sin(angle)
    width, height = _extent(size, inner, manner.fit, cos, sin)
    middle_x, middle_y = _middle(inner, (width, height), manner, cos, sin)
    turn = np.array([[cos, sin], [-sin, cos]])  # counter-clockwise, as y runs downwards
    to_surface = np.eye(3)
    to_surface[:2, :2] = turn @ np.diag([width, height])
    to_surface[:2, 2] = np.array([free + middle_x, free + middle_y]) - turn @ np.array([width, height]) / 2
    to_picture = unit_to_quad(corners) @ np.diag([1 / ratio, 1.0, 1.0])
    whole = to_picture @ to_surface
    if manner.fit != "cover":
        return Lie(whole, image_of(whole, UNIT))
    left, top, right, bottom = free, free, ratio - free, 1.0 - free
    return Lie(whole, image_of(to_picture, ((left, top), (right, top), (right, bottom), (left, bottom))))


def _extent(size: tuple[int, int], inner: tuple[float, float], fit: Fit, cos: float, sin: float) -> tuple[float, float]:
    """Return width and height of artwork on the surface, along its own sides."""
    (width, height), (room_x, room_y) = size, inner
    across, down = abs(cos), abs(sin)
    if fit == "stretch":  # a quarter turn, or none
        return (room_x, room_y) if across > down else (room_y, room_x)
    if fit == "contain":
        scale = min(room_x / (width * across + height * down), room_y / (width * down + height * across))
    else:
        scale = max((room_x * across + room_y * down) / width, (room_x * down + room_y * across) / height)
    return width * scale, height * scale


def _middle(
    inner: tuple[float, float], extent: tuple[float, float], manner: Manner, cos: float, sin: float
) -> tuple[float, float]:
    """Return the artwork's middle on the surface: what room is left, or juts out, is shared as `align` says."""
    (room_x, room_y), (width, height) = inner, extent
    across, down = abs(cos), abs(sin)
    if manner.fit != "cover":
        box_x, box_y = width * across + height * down, width * down + height * across
        return (
            box_x / 2 + manner.align[0] * (room_x - box_x),
            box_y / 2 + manner.align[1] * (room_y - box_y),
        )
    jut_u = width - (room_x * across + room_y * down)  # along the artwork's own sides
    jut_v = height - (room_x * down + room_y * across)
    want_x, want_y = 1 - 2 * manner.align[0], 1 - 2 * manner.align[1]
    shift_u = _within(want_x * cos - want_y * sin) * jut_u / 2
    shift_v = _within(want_x * sin + want_y * cos) * jut_v / 2
    return room_x / 2 + shift_u * cos + shift_v * sin, room_y / 2 - shift_u * sin + shift_v * cos


def _within(share: float) -> float:
    return max(-1.0, min(1.0, share))


def level_sizes(lie: Lie, size: tuple[int, int], *, is_vector: bool) -> tuple[tuple[int, int], ...]:
    """Return the pixel sizes that artwork is looked at in, the largest first; each of the others is half of one.

    The first has as many pixels as the photograph has where it shows the artwork largest, so that nothing is lost and
    nothing aliases, but no more than the artwork itself; the others are for where a slant shows it smaller. A slight
    slant is shown in one size between both. Where one will do, and the size that artwork is prepared at comes near it,
    it is that.
    """
    to_unit = np.linalg.inv(lie.to_picture)
    derivatives = jacobian_at(to_unit.astype(np.float64), _points(lie.clip))
    shown = 1 / np.hypot(derivatives[:, :, 0], derivatives[:, :, 1]).min(axis=0)  # pixels of the photograph
    most = (_MOST_PX, _MOST_PX) if is_vector else size
    across, down = (max(1, min(round(pixels), limit)) for pixels, limit in zip(shown.tolist(), most, strict=True))
    width, height = _spared(size, (across, down), is_vector=is_vector)
    at_hand = octave(size, (width, height), is_vector=is_vector)
    if _steepest(derivatives, at_hand) <= SHARPEST:
        return (at_hand,)
    steepest = _steepest(derivatives, (width, height)) / SHARPEST
    if 1 < steepest <= _SOFTEST:
        return ((max(1, math.floor(width / steepest)), max(1, math.floor(height / steepest))),)
    octaves = min(_MOST_LEVELS, math.ceil(math.log2(steepest))) if steepest > 1 else 0
    return tuple((max(1, -(-width >> level)), max(1, -(-height >> level))) for level in range(octaves + 1))


def _steepest(derivatives: NDArray[np.float64], size: tuple[int, int]) -> float:
    """Return how many pixels of artwork of this size one pixel of the photograph spans at most, in any direction."""
    return float(np.linalg.svd(derivatives * np.array(size)[None, :, None], compute_uv=False).max())


def octave(size: tuple[int, int], needed: tuple[int, int], *, is_vector: bool) -> tuple[int, int]:
    """Return the size that artwork is prepared at, to be shrunk from there by less than two to the size needed.

    It is the artwork's own, halved as often as may be (or doubled, if it is drawn at any size): so templates share it.
    """
    halvings = math.floor(math.log2(min(own / want for own, want in zip(size, needed, strict=True))))
    width, height = (
        max(want, there) for want, there in zip(needed, _halved(size, halvings, is_vector=is_vector), strict=True)
    )
    return width, height


def _halved(size: tuple[int, int], times: int, *, is_vector: bool) -> tuple[int, int]:
    scale = 2.0 ** -(times if is_vector else max(0, times))
    width, height = (math.ceil(side * scale) for side in size)
    return (min(width, _MOST_PX), min(height, _MOST_PX)) if is_vector else (width, height)


def _spared(size: tuple[int, int], wanted: tuple[int, int], *, is_vector: bool) -> tuple[int, int]:
    """Return the size wanted, or a little less where that spares preparing the artwork twice as large."""
    halvings = math.ceil(math.log2(min(own / want for own, want in zip(size, wanted, strict=True))))
    half = _halved(size, halvings, is_vector=is_vector)
    if any(want > _SPARED * there for want, there in zip(wanted, half, strict=True)):
        return wanted
    return min(wanted[0], half[0]), min(wanted[1], half[1])


def _points(corners: Corners) -> NDArray[np.float64]:
    """Return points all over a quadrilateral, its corners too."""
    shares = np.linspace(0, 1, _SAMPLES)
    u, v = (grid.ravel()[:, None] for grid in np.meshgrid(shares, shares))
    a, b, c, d = np.array(corners)
    return np.asarray((1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * d + u * c), np.float64)
