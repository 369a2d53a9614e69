"""Perspective as a test sees it: quadrilaterals, and where and what artwork on them must be, in double precision.

Nothing here is taken from tiles: maps are solved from four pairs of points, colours are interpolated linearly.
"""

import math

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]

_MARGIN = 2.0  # between a quadrilateral and the frame that it lies in


@st.composite
def quads(
    draw: st.DrawFn,
    least: float,
    most: float,
    frame: tuple[int, int],
    flattest: float = 0.2,
    narrowest: float = 0.3,
) -> Quad:
    """Draw convex quadrilaterals, clockwise where y runs downwards: four points on an ellipse, as all of them are.

    The ellipse's longer axis is `least` to `most` pixels long, the shorter one `flattest` of it at least. Of the four
    angles that the points are apart none is smaller than `narrowest` of another. They lie within the frame if they fit.
    """
    longer = draw(st.floats(least, most)) / 2
    shorter = longer * draw(st.floats(flattest, 1))
    apart = np.array([draw(st.floats(narrowest, 1)) for _ in range(4)])
    angles = np.cumsum(apart) / apart.sum() * 2 * math.pi + draw(st.floats(0, 2 * math.pi))
    along, across, turn = longer * np.cos(angles), shorter * np.sin(angles), draw(st.floats(0, 2 * math.pi))
    x = along * math.cos(turn) - across * math.sin(turn)
    y = along * math.sin(turn) + across * math.cos(turn)
    least_x, least_y = (_place(draw, float(np.ptp(axis)), side) for axis, side in ((x, frame[0]), (y, frame[1])))
    places = zip(x - x.min() + least_x, y - y.min() + least_y, strict=True)
    a, b, c, d = ((float(px), float(py)) for px, py in places)
    return a, b, c, d


def _place(draw: st.DrawFn, length: float, side: int) -> float:
    """Draw where something of a length begins along a side: so that it lies within, or all over it if it is longer."""
    last = side - _MARGIN - length
    return draw(st.floats(min(_MARGIN, last), max(_MARGIN, last)))


def corners_of(width: float, height: float) -> Quad:
    """Return the corners of an upright rectangle at the origin."""
    return (0.0, 0.0), (width, 0.0), (width, height), (0.0, height)


def solved(source: Quad, target: Quad) -> Floats:
    """Return the plane projective map of four points to four others, by its eight equations."""
    rows, right = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return np.append(np.linalg.solve(np.array(rows, float), np.array(right, float)), 1.0).reshape(3, 3)


def mapped(matrix: Floats, points: Floats) -> Floats:
    """Return where points (…, 2) are mapped to."""
    image = points @ matrix[:, :2].T + matrix[:, 2]
    places: Floats = image[..., :2] / image[..., 2:]
    return places


def inverse(matrix: Floats) -> Floats:
    return np.asarray(np.linalg.inv(matrix), np.float64)


def centres(width: int, height: int) -> Floats:
    """Return the centres of a picture's pixels: height × width × 2."""
    y, x = np.mgrid[:height, :width] + 0.5
    return np.stack([x, y], axis=-1)


def seen(artwork: Pixels, quad: Quad, frame: tuple[int, int]) -> Floats:
    """Return artwork on an area at every pixel of the frame, interpolated linearly; its edge goes on."""
    height, width = artwork.shape[:2]
    with np.errstate(divide="ignore"):
        places = mapped(solved(quad, corners_of(width, height)), centres(*frame)) - 0.5
    x, y = (np.clip(places[..., axis], 0, side - 1) for axis, side in ((0, width), (1, height)))
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, low = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = (x - left)[..., None], (y - top)[..., None]
    exact = artwork.astype(float)
    above = exact[top, left] * (1 - across) + exact[top, right] * across
    below = exact[low, left] * (1 - across) + exact[low, right] * across
    return np.asarray(above * (1 - down) + below * down)


def depth_inside(quad: Quad, points: Floats) -> Floats:
    """Return how far points (…, 2) lie within a quadrilateral; outside, the distance from it, below 0."""
    corners = np.array(quad)
    inside, outside = np.full(points.shape[:-1], np.inf), np.full(points.shape[:-1], np.inf)
    for one, other in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = other - one
        offset = points - one
        across = (along[0] * offset[..., 1] - along[1] * offset[..., 0]) / np.hypot(*along)
        share = np.clip((offset @ along) / (along @ along), 0, 1)[..., None]
        inside = np.minimum(inside, across)
        outside = np.minimum(outside, np.linalg.norm(offset - share * along, axis=-1))
    return np.where(inside >= 0, inside, -outside)


def area_of(quad: Quad) -> float:
    """Return a quadrilateral's area: half the cross product of its diagonals."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad
    return ((cx - ax) * (dy - by) - (cy - ay) * (dx - bx)) / 2
