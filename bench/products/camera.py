"""The camera: which ray each pixel sees along, and which pixel sees a point."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.products.shapes import Scalars, Triple, Vectors, column, unit

_FILM_CM = 3.6  # width of the film that focal lengths are told for


@dataclass(frozen=True, slots=True)
class Camera:
    """A lens at `eye` that looks at `target`, in focus there; `above` is what is up in the picture.

    `focal_mm` as on 36 mm film, along the longer side; `aperture_cm` is the width of the lens's opening.
    """

    eye: Triple
    target: Triple
    width_px: int
    height_px: int
    focal_mm: float
    aperture_cm: float = 0.0
    above: Triple = (0, 0, 1)

    def rays(self, across: Scalars, down: Scalars, lens: tuple[Scalars, Scalars]) -> tuple[Vectors, Vectors]:
        """Return where rays begin and where they go, through points of the picture in pixels from its top left.

        `lens` are two numbers from 0 to 1 for each ray: where it passes the opening.
        """
        right, up, ahead = self._axes()
        step = np.float32(1 / self._pixels_per_unit)
        heading = ahead + right * ((across - self.width_px / 2) * step) - up * ((down - self.height_px / 2) * step)
        radius, angle = np.sqrt(lens[0]) * np.float32(self.aperture_cm / 2), lens[1] * np.float32(math.tau)
        aside = right * (radius * np.cos(angle)) + up * (radius * np.sin(angle))
        focus = heading * np.float32(math.dist(self.eye, self.target))
        return column(self.eye) + aside, unit(focus - aside)

    def see(self, point: NDArray[np.float32]) -> tuple[float, float]:
        """Return where a point of space, (3,), is in the picture: pixels from its top left."""
        right, up, ahead = self._axes()
        away = point[:, None] - column(self.eye)
        depth = float((ahead * away).sum())
        scale = self._pixels_per_unit / depth
        return (
            self.width_px / 2 + float((right * away).sum()) * scale,
            self.height_px / 2 - float((up * away).sum()) * scale,
        )

    @property
    def _pixels_per_unit(self) -> float:
        return max(self.width_px, self.height_px) * self.focal_mm / 10 / _FILM_CM

    def _axes(self) -> tuple[Vectors, Vectors, Vectors]:
        ahead = unit(column(self.target) - column(self.eye))
        right = unit(np.cross(ahead, column(self.above), axis=0))
        return right, np.cross(right, ahead, axis=0), ahead
