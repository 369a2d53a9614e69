"""A T-shirt laid on the floor: its back first, its front on it, both pushed together a little, so that they fold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.products.cloth import settle
from bench.products.curves import depth_within
from bench.products.develop import smoothed
from bench.products.pattern import WHOLE
from bench.products.texture import Field, Texture, noise

_CELL = 0.5  # of the grid that the cloth is, in cm
_LEFT, _TOP, _BOTTOM = -44.0, -4.0, 76.0  # of the grid; its right is as far as its left
_SEED = 12
_PUSH = 0.9  # how far places are pushed, in cm


@dataclass(frozen=True, slots=True)
class Lay:
    """The shirt as it lies: how far each place of the pattern went right, down and up; (h, w, 3), in cells."""

    moved: Texture

    def at(self, x: Field, y: Field) -> NDArray[np.float32]:
        """Return how far places of the pattern went, (3, …)."""
        found = self.moved.at((x - np.float32(_LEFT)).ravel(), (y - np.float32(_TOP)).ravel())
        return found.reshape(3, *x.shape)


def laid_down() -> Lay:
    """Return the shirt's front as it comes to lie on its back, which comes to lie on the floor."""
    x, y = np.meshgrid(_steps(_LEFT, -_LEFT), _steps(_TOP, _BOTTOM))
    depth = depth_within(WHOLE, x, y)
    present = depth > -0.3
    rim = np.where(present, 0.55 * (1 - np.exp(-np.maximum(depth, 0) / 1.3)), 0).astype(np.float32)
    back = _dropped(x, y, present, rim, _SEED + 50)
    ground = rim * np.float32(0.8) + smoothed(np.where(present, back[2] - rim, 0), 1.5) * np.float32(0.7)
    front = _dropped(x, y, present, ground, _SEED)
    moved = _carried_on(np.stack((front[0] - x, front[1] - y, front[2])), present)
    return Lay(Texture(np.stack((smoothed(moved[0], 1), smoothed(moved[1], 1), moved[2]), axis=-1), _CELL))


def _dropped(x: Field, y: Field, present: NDArray[np.bool_], ground: Field, seed: int) -> NDArray[np.float32]:
    """Return where the points of the cloth come to rest, pushed together at random, less so where the print goes."""
    push = np.float32(_PUSH) * (1 - np.float32(0.6) * np.exp(-((x / 13) ** 2) - ((y - 27) / 14) ** 2))
    wrinkled = np.abs(noise(x.shape, (3, 3), seed + 3)) * np.float32(0.25)
    points = np.stack((x * np.float32(0.985), (y - 35) * np.float32(0.99) + 35, ground + wrinkled))
    points[0] += push * noise(x.shape, (12, 12), seed + 1)
    points[1] += push * noise(x.shape, (12, 12), seed + 2) * np.float32(0.6)
    settle(points, present, ground, _CELL)
    return points


def _carried_on(moved: NDArray[np.float32], present: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return what the cloth does at its edge carried on outwards, where there is no cloth to tell."""
    for cells in (1.0, 2.5, 6.0):
        near = smoothed(present.astype(np.float32), cells)
        wide = np.stack([smoothed(part * present, cells) for part in moved]) / np.maximum(near, np.float32(1e-4))
        grown = ~present & (near > 0.02)
        moved = np.where(grown, wide, moved)
        present = present | grown
    return moved * present


def _steps(start: float, end: float) -> Field:
    return np.linspace(start, end, round((end - start) / _CELL) + 1, dtype=np.float32)
