"""What stands about in the photographs: a mug, a vase, books, a pencil. Lengths are centimetres."""

import math
from collections.abc import Callable

import numpy as np

from bench.products.scene import Thing
from bench.products.shapes import (
    Box,
    Scalars,
    Solid,
    Triple,
    Vectors,
    column,
    dot,
    smooth_cut,
    smooth_union,
)

MUG_RADIUS, MUG_HEIGHT = 4.15, 9.6
_MUG_WALL, _MUG_FLOOR, _MUG_REACH = 0.34, 0.7, 7.4  # the last one with its handle
_COFFEE_HEIGHT = 8.1
_CERAMIC = (0.80, 0.795, 0.77)
_PAPER = (0.62, 0.57, 0.47)
_BOARD = 0.25

Axes = tuple[Triple, Triple, Triple]


def turned(degrees: float) -> Axes:
    """Return the axes of something upright that is turned counter-clockwise, seen from above."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return (cos, sin, 0), (-sin, cos, 0), (0, 0, 1)


def mug(x: float, y: float, turn: float) -> Thing:
    """Return a white glazed mug that stands on the ground; `turn` is where its handle points to, in degrees."""
    shape = _standing(_mug, x, y, turn, _MUG_REACH, MUG_HEIGHT)
    return Thing(shape, _CERAMIC, gloss=0.05, roughness=0.03)


def coffee(x: float, y: float) -> Thing:
    """Return what is in a mug."""

    def distance(points: Vectors) -> Scalars:
        return _lathe(_length(points[0], points[1]), points[2] - _COFFEE_HEIGHT / 2, 3.9, _COFFEE_HEIGHT / 2, 0.05)

    shape = _standing(distance, x, y, 0, MUG_RADIUS, _COFFEE_HEIGHT)
    return Thing(shape, (0.032, 0.012, 0.005), gloss=0.03, roughness=0.02)


def vase(x: float, y: float, ground: float) -> Thing:
    """Return a vase with a narrow neck that stands at a height."""

    def distance(points: Vectors) -> Scalars:
        return _vase(points - column((0, 0, ground)))

    shape = _standing(distance, x, y, 0, 8, ground + 21)
    return Thing(shape, (0.27, 0.31, 0.285), gloss=0.03, roughness=0.25)


def book(x: float, y: float, ground: float, size: Triple, turn: float, cover: Triple) -> Thing:
    """Return a closed book that lies at a height, its middle above a place: covers, and pages between them."""
    thickness = size[2]

    def colour(points: Vectors) -> Vectors:
        board = np.abs(points[2] - np.float32(ground + thickness / 2)) > thickness / 2 - _BOARD
        return np.where(board, column(cover), column(_PAPER))

    return Thing(Box((x, y, ground + thickness / 2), size, turned(turn)), colour)


def pencil(x: float, y: float, turn: float) -> Thing:
    """Return a sharpened pencil that lies on the ground about a place; `turn` is where its point is, in degrees."""
    shape = _standing(_pencil, x, y, turn, _PENCIL_HALF, 2 * _PENCIL_RADIUS)
    return Thing(shape, lambda points: _pencil_colours(points, x, y, turn), gloss=0.03, roughness=0.2)


def _standing(
    distance: Callable[[Vectors], Scalars], x: float, y: float, turn: float, reach: float, height: float
) -> Solid:
    """Return a solid that is told about the origin, put somewhere and turned."""
    axes = [column(axis) for axis in turned(turn)]

    def placed(points: Vectors) -> Scalars:
        seen = points - column((x, y, 0))
        return distance(np.stack([dot(axis, seen) for axis in axes]))

    return Solid(placed, (x - reach, y - reach, 0), (x + reach, y + reach, height))


def _mug(points: Vectors) -> Scalars:
    x, y, z = points
    radial = _length(x, y)
    up = z - MUG_HEIGHT / 2
    body = _lathe(radial, up, MUG_RADIUS, MUG_HEIGHT / 2, 0.4)
    hollow = _lathe(radial, up - _MUG_FLOOR - 1, MUG_RADIUS - _MUG_WALL, MUG_HEIGHT / 2 + 1, 0.9)
    rise = up - np.clip(up, -1.05, 1.05)  # the handle: a ring, drawn out upwards
    ring = np.abs(_length((x - MUG_RADIUS + 0.15) * np.float32(0.92), rise) - np.float32(2.05))
    handle = _length(ring, np.maximum(np.abs(y) - np.float32(0.3), 0)) - np.float32(0.4)
    return smooth_cut(smooth_union(body, handle, 0.55), hollow, 0.3)


def _lathe(radial: Scalars, up: Scalars, radius: float, half: float, rounding: float) -> Scalars:
    """Return the distance to a cylinder with rounded edges."""
    across, tall = radial - np.float32(radius - rounding), np.abs(up) - np.float32(half - rounding)
    outside = _length(np.maximum(across, 0), np.maximum(tall, 0))
    distance: Scalars = outside + np.minimum(np.maximum(across, tall), 0) - np.float32(rounding)
    return distance


def _vase(points: Vectors) -> Scalars:
    x, y, z = points
    radial = _length(x, y)
    belly = (_length(radial, (z - 9) * np.float32(0.78)) - np.float32(7.2)) * np.float32(0.8)
    neck = np.maximum(np.abs(radial - np.float32(2.1)) - np.float32(0.35), np.abs(z - 17) - 3)
    distance: Scalars = np.maximum(smooth_union(belly, neck, 2.0), -z)
    return distance


_PENCIL_RADIUS, _PENCIL_HALF = 0.36, 8.6
_SHARPNESS = 0.17  # radius by length


def _pencil(points: Vectors) -> Scalars:
    x, y, z = points[0], np.abs(points[1]), np.abs(points[2] - np.float32(_PENCIL_RADIUS))
    sides = np.maximum(z, z * np.float32(0.5) + y * np.float32(0.866)) - np.float32(_PENCIL_RADIUS)
    point = _length(y, z) - (_PENCIL_HALF - x) * np.float32(_SHARPNESS)
    distance: Scalars = np.maximum(np.maximum(sides, point * np.float32(0.98)), np.abs(x) - np.float32(_PENCIL_HALF))
    return distance


def _pencil_colours(points: Vectors, x: float, y: float, turn: float) -> Vectors:
    """Return paint, then bare wood where it is sharpened, then lead."""
    along = dot(column(turned(turn)[0]), points - column((x, y, 0)))
    sharpened = _PENCIL_HALF - _PENCIL_RADIUS / _SHARPNESS
    bare = np.where(along > _PENCIL_HALF - 0.6, column((0.03, 0.03, 0.035)), column((0.55, 0.36, 0.2)))
    return np.where(along > sharpened - 0.1, bare, column((0.72, 0.33, 0.03))).astype(np.float32)


def _length(one: Scalars, other: Scalars) -> Scalars:
    """Return the length of vectors in a plane: five times as fast as numpy's hypot, which minds overflow."""
    return np.sqrt(one * one + other * other)
