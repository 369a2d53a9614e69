"""Cloth laid on something: a grid of points tied to their neighbours, pushed together until it folds.

Position based dynamics (M. Müller and others, Journal of Visual Communication and Image Representation 18, 2007):
every tie moves its two ends to be its own length apart, over and over, while the cloth sinks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.products.texture import Field

_STEPS = 160
_ROUNDS = 8  # of all ties, in each step
_SINKING_CM = 0.004  # gained in each step
_DAMPING = 0.96
_SLIDING = 0.08  # share of a step that is kept by points that touch the ground
_TOUCH_CM = 0.03
_TIES = (  # rows and columns from one end to the other, and how much of its error each round mends
    ((0, 1), 0.45), ((1, 0), 0.45), ((1, 1), 0.25), ((1, -1), 0.25),  # against stretching and shearing
    ((0, 2), 0.12), ((2, 0), 0.12), ((0, 4), 0.08), ((4, 0), 0.08), ((3, 3), 0.06), ((3, -3), 0.06),  # and bending
)  # fmt: skip

_Cut = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True)
class _Tie:
    """All ties of one kind: the points at one end, those at the other, where both are cloth, their length."""

    one: _Cut
    other: _Cut
    share: Field
    length: np.float32


def settle(points: NDArray[np.float32], present: NDArray[np.bool_], ground: Field, cell_cm: float) -> None:
    """Move points, (3, height, width) as x, y and height, to where the cloth comes to rest above the ground.

    `present` tells where the grid, of `cell_cm`, is cloth at all.
    """
    ties = list(_ties(present, cell_cm))
    speed = np.zeros_like(points)
    for _ in range(_STEPS):
        before = points.copy()
        speed *= _DAMPING
        speed[2] -= _SINKING_CM
        points += speed
        for _ in range(_ROUNDS):
            _mend(points, ties)
            np.maximum(points[2], ground, out=points[2])
        kept = np.where(points[2] < ground + _TOUCH_CM, np.float32(_SLIDING), np.float32(1))
        points[:2] = before[:2] + (points[:2] - before[:2]) * kept
        speed = points - before


def _ties(present: NDArray[np.bool_], cell_cm: float) -> Iterator[_Tie]:
    height, width = present.shape
    for (down, across), stiffness in _TIES:
        rows, columns = slice(0, height - down), slice(max(0, -across), width - max(0, across))
        low, right = slice(down, height), slice(max(0, across), width + min(0, across))
        both = present[rows, columns] & present[low, right]
        length = np.float32(cell_cm * np.hypot(down, across))
        share = both.astype(np.float32) * np.float32(stiffness / 2)
        yield _Tie((slice(None), rows, columns), (slice(None), low, right), share, length)


def _mend(points: NDArray[np.float32], ties: list[_Tie]) -> None:
    for tie in ties:
        gap = points[tie.other] - points[tie.one]
        distance = np.sqrt((gap * gap).sum(axis=0)) + np.float32(1e-9)
        gap *= (1 - tie.length / distance) * tie.share
        points[tie.one] += gap
        points[tie.other] -= gap
