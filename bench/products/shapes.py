"""Shapes that rays meet: planes, boxes, and solids told by a distance function. Lengths are centimetres.

Points and directions are float32 arrays of shape (3, n): x to the right, y away from the viewer, z up.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Scalars = NDArray[np.float32]  # (n,)
Vectors = NDArray[np.float32]  # (3, n)
Triple = tuple[float, float, float]

NEAR = 6e-3  # how close a ray comes to a solid before it has met it
_LEAST_STEP = 2 * NEAR  # that a ray takes, so that it passes a surface that it grazes
_STEPS = 64  # that a ray may take round a solid; one that grazes it longer has passed


class Shape(Protocol):
    """What a ray can meet."""

    def reach(self, origins: Vectors, directions: Vectors) -> Scalars:
        """Return how far along each ray the shape is met first; infinity where it never is."""

    def normals(self, points: Vectors) -> Vectors:
        """Return the unit vectors that point out of the shape at points on its surface."""


@dataclass(frozen=True, slots=True)
class Plane:
    """An endless plane through `point`, seen from the side that `normal`, a unit vector, points to."""

    point: Triple
    normal: Triple

    def reach(self, origins: Vectors, directions: Vectors) -> Scalars:
        """Return how far along each ray the plane is met."""
        normal = column(self.normal)
        speed = dot(normal, directions)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = dot(normal, column(self.point) - origins) / speed
        return np.where((speed < 0) & (distance > 0), distance, np.inf).astype(np.float32)

    def normals(self, points: Vectors) -> Vectors:
        """Return the plane's normal, once for each point."""
        return np.broadcast_to(column(self.normal), points.shape)


@dataclass(frozen=True, slots=True)
class Box:
    """A box about `centre`, `size` long along the three `axes`, which are unit vectors at right angles."""

    centre: Triple
    size: Triple
    axes: tuple[Triple, Triple, Triple] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))

    def reach(self, origins: Vectors, directions: Vectors) -> Scalars:
        """Return how far along each ray the box is entered."""
        near, far = between_slabs(self.local(origins), self._turned(directions), -self._half, self._half)
        return np.where((near < far) & (near > 0), near, np.inf).astype(np.float32)

    def normals(self, points: Vectors) -> Vectors:
        """Return the normal of the face that each point lies on."""
        local = self.local(points)
        face = np.argmin(np.abs(np.abs(local) - self._half), axis=0)
        side = np.sign(np.take_along_axis(local, face[None], axis=0))
        normals: Vectors = (self._axes[face].T * side).astype(np.float32)
        return normals

    def local(self, points: Vectors) -> Vectors:
        """Return points as seen from the box: from its centre, along its axes."""
        return self._turned(points - column(self.centre))

    def _turned(self, vectors: Vectors) -> Vectors:
        return np.stack([dot(column(axis), vectors) for axis in self.axes])

    def point(self, right: float, up: float, out: float) -> NDArray[np.float32]:
        """Return a point of space, (3,), told in half lengths along the axes: 1 is on a face."""
        return (self._axes.T @ (np.array([[right], [up], [out]], np.float32) * self._half) + column(self.centre))[:, 0]

    @property
    def _axes(self) -> NDArray[np.float32]:
        return np.array(self.axes, np.float32)

    @property
    def _half(self) -> NDArray[np.float32]:
        return column(self.size) / np.float32(2)


@dataclass(frozen=True, slots=True)
class Solid:
    """Whatever `distance` is at most 0 in, between the corners `low` and `high`.

    `distance` never says more than how far away the surface is: rays step that far at a time (J. C. Hart, Sphere
    Tracing, The Visual Computer 12, 1996).
    """

    distance: Callable[[Vectors], Scalars]
    low: Triple
    high: Triple

    def reach(self, origins: Vectors, directions: Vectors) -> Scalars:
        """Return how far along each ray the surface is met."""
        met = np.full(origins.shape[1], np.inf, np.float32)
        near, far = between_slabs(origins, directions, column(self.low), column(self.high))
        rays = np.flatnonzero(near < far)
        way, end = np.maximum(near, 0)[rays], far[rays]
        start, heading = origins.take(rays, axis=1), directions.take(rays, axis=1)
        for _ in range(_STEPS):
            if not rays.size:
                break
            gap = self.distance(start + heading * way)
            there = gap < NEAR
            met[rays[there]] = way[there]
            way += np.maximum(gap, np.float32(_LEAST_STEP))
            on = np.flatnonzero(~there & (way < end))
            if on.size < rays.size:
                rays, way, end = rays.take(on), way.take(on), end.take(on)
                start, heading = start.take(on, axis=1), heading.take(on, axis=1)
        return met

    def normals(self, points: Vectors) -> Vectors:
        """Return the direction in which the distance grows, from its values at the corners of a small tetrahedron."""
        total = np.zeros_like(points)
        for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
            total += column(corner) * self.distance(points + column(corner) * np.float32(NEAR))
        return unit(total)


def between_slabs(origins: Vectors, directions: Vectors, low: Vectors, high: Vectors) -> tuple[Scalars, Scalars]:
    """Return where each ray enters and leaves the box between two corners, (3, 1); it misses where near > far."""
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (low - origins) / directions, (high - origins) / directions
    near = np.fmax.reduce(np.fmin(one, other), axis=0)
    far = np.fmin.reduce(np.fmax(one, other), axis=0)
    return near, far


def column(values: Sequence[float]) -> Vectors:
    """Return three numbers as (3, 1), to be reckoned with beside (3, n)."""
    return np.array(values, np.float32)[:, None]


def dot(one: Vectors, other: Vectors) -> Scalars:
    """Return the scalar product of each pair of vectors."""
    products: Scalars = one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
    return products


def unit(vectors: Vectors) -> Vectors:
    """Return vectors of length 1 in the same directions."""
    length: Scalars = np.maximum(np.sqrt(dot(vectors, vectors)), np.float32(1e-12))
    return vectors / length


def smooth_union(one: Scalars, other: Scalars, radius: float) -> Scalars:
    """Return the distance to two solids joined by a fillet (I. Quilez, polynomial smooth minimum)."""
    blend = np.maximum(radius - np.abs(one - other), 0) / np.float32(radius)
    joined: Scalars = np.minimum(one, other) - blend * blend * np.float32(radius / 4)
    return joined


def smooth_cut(one: Scalars, other: Scalars, radius: float) -> Scalars:
    """Return the distance to the first solid without the second, its edge rounded."""
    return -smooth_union(-one, other, radius)


def rounded_box(points: Vectors, half: Sequence[float], radius: float) -> Scalars:
    """Return the distance to a box about the origin, `half` its size, its edges rounded."""
    over = np.abs(points) - (column(half) - np.float32(radius))
    outside = np.maximum(over, 0)
    distance: Scalars = np.sqrt(dot(outside, outside)) + np.minimum(over.max(axis=0), 0) - np.float32(radius)
    return distance
