"""Curves on a plane: smooth ones through points, what they enclose, how far away they are. Lengths are centimetres."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bench.products.texture import Field

Line = NDArray[np.float64]  # (points, 2): x to the right, y down
_PIECES = 16  # straight ones, between two points of a curve


def curve(*points: tuple[float, float]) -> Line:
    """Return a smooth curve through points (Catmull and Rom, 1974)."""
    given = np.array(points, np.float64)
    held = np.vstack((2 * given[0] - given[1], given, 2 * given[-1] - given[-2]))
    share = np.linspace(0, 1, _PIECES, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(held, held[1:], held[2:], held[3:], strict=False):
        bend = (2 * a - 5 * b + 4 * c - d) * share**2 + (3 * b - a - 3 * c + d) * share**3
        pieces.append((2 * b + (c - a) * share + bend) / 2)
    return np.vstack((*pieces, given[-1:]))


def mirrored(line: Line) -> Line:
    """Return a curve on the other side of the axis x = 0, run through backwards."""
    return line[::-1] * (-1, 1)


def joined(*lines: Line) -> Line:
    """Return the closed line through curves, one after the other."""
    return np.vstack((*lines, lines[0][:1]))


def inside(outline: Line, x: Field, y: Field) -> NDArray[np.bool_]:
    """Return which places a closed line goes round, by how often a ray to the right crosses it."""
    within = np.zeros(np.broadcast_shapes(x.shape, y.shape), bool)
    for (x0, y0), (x1, y1) in pairwise(outline):
        if y0 != y1:
            within ^= ((y0 > y) != (y1 > y)) & (x < x0 + (x1 - x0) * (y - y0) / (y1 - y0))
    return within


def away(lines: Sequence[Line], x: Field, y: Field) -> tuple[Field, Field]:
    """Return how far each place is from the nearest of the lines, and how far along that line the nearest point is."""
    nearest = np.full(np.broadcast_shapes(x.shape, y.shape), np.inf, np.float32)
    along = np.zeros_like(nearest)
    for line in lines:
        done = 0.0
        for (x0, y0), (x1, y1) in pairwise(line):
            length = float(np.hypot(x1 - x0, y1 - y0))
            if not length:
                continue
            right, down = (x1 - x0) / length, (y1 - y0) / length
            part = np.clip((x - x0) * np.float32(right) + (y - y0) * np.float32(down), 0, length)
            square = (x - x0 - part * np.float32(right)) ** 2 + (y - y0 - part * np.float32(down)) ** 2
            closer = square < nearest
            nearest = np.where(closer, square, nearest).astype(np.float32)
            along = np.where(closer, done + part, along).astype(np.float32)
            done += length
    return np.sqrt(nearest), along


def depth_within(outline: Line, x: Field, y: Field) -> Field:
    """Return how deep within a closed line each place lies; negative outside."""
    return np.where(inside(outline, x, y), 1, -1).astype(np.float32) * away([outline], x, y)[0]
