"""What a photograph is taken of: things with surfaces, softboxes, and ambient light from all round.

Radiance is linear; 1 is what a white sheet shows that one unit of light falls on squarely.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.products.shapes import Scalars, Shape, Triple, Vectors, column, dot, unit

Colour = Triple | Callable[[Vectors], Vectors]  # linear, 0 to 1: the same all over, or told by the points


@dataclass(frozen=True, slots=True)
class Thing:
    """A shape and how its surface looks.

    `gloss` is how much of the light that comes squarely is mirrored (0.04 for glaze), blurred by `roughness`;
    `bump` gives the vectors by which a point's normal leans.
    """

    shape: Shape
    colour: Colour
    gloss: float = 0.0
    roughness: float = 0.0
    bump: Callable[[Vectors], Vectors] | None = None

    def colours(self, points: Vectors) -> Vectors:
        """Return the share of light that the surface gives back at points, by red, green and blue."""
        if callable(self.colour):
            return self.colour(points)
        return np.broadcast_to(column(self.colour), points.shape)

    def normals(self, points: Vectors) -> Vectors:
        """Return the surface's unit normals at points."""
        normals = self.shape.normals(points)
        return normals if self.bump is None else unit(normals + self.bump(points))


@dataclass(frozen=True, slots=True)
class Softbox:
    """A rectangle that shines evenly: its centre, the half sides `across` and `along`, its radiance.

    `stencil` gives the share of its light that passes a window somewhere, for rays from points towards it.
    """

    centre: Triple
    across: Triple
    along: Triple
    radiance: Triple
    stencil: Callable[[Vectors, Vectors], Scalars] | None = None

    @property
    def facing(self) -> Vectors:
        """The direction it shines in, (3, 1), not of unit length: the area of a quarter of it."""
        return np.cross(column(self.across), column(self.along), axis=0)

    def mirrored(self, origins: Vectors, directions: Vectors) -> Scalars:
        """Return 1 for each ray that meets its shining side, with an edge a little soft, else 0."""
        speed = dot(self.facing, directions)
        with np.errstate(divide="ignore", invalid="ignore"):
            away = dot(self.facing, column(self.centre) - origins) / speed
            met = origins + directions * away - column(self.centre)
            cover = np.ones_like(speed)
            for side in (column(self.across), column(self.along)):
                cover = cover * np.clip((1 - np.abs(dot(side, met)) / dot(side, side)) * 8, 0, 1)
        return np.where((speed < 0) & (away > 0), cover, 0).astype(np.float32)


def softbox(centre: Triple, target: Triple, width: float, height: float, radiance: Triple) -> Softbox:
    """Return a softbox of a size that hangs upright at `centre` and shines at `target`."""
    ahead = unit(column(target) - column(centre))
    across = unit(np.cross(column((0, 0, 1)), ahead, axis=0))
    along = np.cross(ahead, across, axis=0)
    return Softbox(centre, _triple(across * (width / 2)), _triple(along * (height / 2)), radiance)


def _triple(vector: Vectors) -> Triple:
    x, y, z = (float(part) for part in vector[:, 0])
    return x, y, z


@dataclass(frozen=True, slots=True)
class Scene:
    """Things, the softboxes that light them, and the ambient light from above and from below."""

    things: Sequence[Thing]
    softboxes: Sequence[Softbox]
    above: Triple
    below: Triple

    def meet(self, origins: Vectors, directions: Vectors) -> tuple[Scalars, NDArray[np.intp]]:
        """Return how far each ray goes and the index of the thing it meets: infinity and -1 where it meets none."""
        reach, index = np.full(origins.shape[1], np.inf, np.float32), np.full(origins.shape[1], -1)
        for number, thing in enumerate(self.things):
            distance = thing.shape.reach(origins, directions)
            closer = distance < reach
            reach[closer], index[closer] = distance[closer], number
        return reach, index

    def ambient(self, directions: Vectors) -> Vectors:
        """Return the radiance of the dome in directions."""
        height = directions[2] / 2 + np.float32(0.5)
        radiance: Vectors = column(self.below) * (1 - height) + column(self.above) * height
        return radiance
