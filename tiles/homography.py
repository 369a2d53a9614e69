"""Plane projective maps between artwork and photograph: where a point lands, and how much smaller things become there.

Pure numpy; no images. Points are continuous: (0, 0) is the outer top left corner of the top left pixel, whose centre
is (0.5, 0.5). Matrices are 3×3 and act on columns (x, y, 1), up to scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tiles.geometry import Corners

Matrix = NDArray[np.float64]
Single = NDArray[np.float32]
_NEAR = 1e-6  # a depth that no point seen has, if that of an area's first corner is 1
_ACUTE = 1e-9  # cosine of an angle that is less than a right one, however it was rounded
UNIT: Corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def unit_to_quad(corners: Corners) -> Matrix:
    """Return the map of the unit square onto a quadrilateral, corner by corner.

    Source: P. Heckbert, Fundamentals of Texture Mapping and Image Warping, 1989, 2.2.3.
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    sum_x, sum_y = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    right_x, right_y, low_x, low_y = x1 - x2, y1 - y2, x3 - x2, y3 - y2
    cross = right_x * low_y - low_x * right_y
    g, h = (sum_x * low_y - low_x * sum_y) / cross, (right_x * sum_y - sum_x * right_y) / cross
    return np.array([[x1 - x0 + g * x1, x3 - x0 + h * x3, x0], [y1 - y0 + g * y1, y3 - y0 + h * y3, y0], [g, h, 1.0]])


def apply(matrix: Matrix, points: Sequence[tuple[float, float]] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where points, n × 2, are mapped to."""
    columns = np.asarray(points, np.float64)
    mapped = np.column_stack([columns, np.ones(len(columns))]) @ matrix.T
    return mapped[:, :2] / mapped[:, 2:]


def image_of(matrix: Matrix, corners: Corners) -> Corners:
    """Return where the corners of a quadrilateral are mapped to."""
    (a, b, c, d) = apply(matrix, corners).tolist()
    return tuple(a), tuple(b), tuple(c), tuple(d)


@dataclass(frozen=True, slots=True)
class Jacobian:
    """The derivatives of a map at many points: of its first coordinate (u) and second (v), by x and by y."""

    u_x: Single
    u_y: Single
    v_x: Single
    v_y: Single

    def steepest(self) -> Single:
        """Return the greatest singular value: how far the image moves at most for a step of 1.

        It is the sum of what the map turns and scales by, and of what it mirrors and scales by: no sample is raised to
        more than its square, which single precision holds even where the horizon is near.
        """
        turned = np.sqrt((self.u_x + self.v_y) ** 2 + (self.u_y - self.v_x) ** 2)
        mirrored = np.sqrt((self.u_x - self.v_y) ** 2 + (self.u_y + self.v_x) ** 2)
        return cast(Single, (turned + mirrored) / 2)


class Grid:
    """A map at the points (x + 0.5, y + 0.5) of whole columns x and rows y: at pixels' centres.

    The map's depth, its third row, is positive in front of the camera; what lies behind goes far away.
    """

    def __init__(self, matrix: Matrix, left: int, top: int, width: int, rows: int) -> None:
        """Compute in double precision what no pixel can do without; the results are single."""
        x = np.arange(left, left + width) + 0.5
        y = (np.arange(top, top + rows) + 0.5)[:, None]
        self._matrix = matrix
        depth = matrix[2, 0] * x + (matrix[2, 1] * y + matrix[2, 2])
        self._inverse_depth = 1.0 / np.maximum(depth, _NEAR)
        self.u = (matrix[0, 0] * x + (matrix[0, 1] * y + matrix[0, 2])) * self._inverse_depth
        self.v = (matrix[1, 0] * x + (matrix[1, 1] * y + matrix[1, 2])) * self._inverse_depth

    def jacobian(self) -> Jacobian:
        """Return the map's derivatives at the points: (u · w)' = u' w + u w', solved for u'."""
        m, depth = self._matrix, self._inverse_depth.astype(np.float32)
        u, v = self.u.astype(np.float32), self.v.astype(np.float32)
        g, h = np.float32(m[2, 0]), np.float32(m[2, 1])
        return Jacobian(
            u_x=(np.float32(m[0, 0]) - u * g) * depth,
            u_y=(np.float32(m[0, 1]) - u * h) * depth,
            v_x=(np.float32(m[1, 0]) - v * g) * depth,
            v_y=(np.float32(m[1, 1]) - v * h) * depth,
        )


def jacobian_at(matrix: Matrix, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the derivatives of a map at points, n × 2, as n × 2 × 2: of u and v (rows) by x and y (columns)."""
    columns = np.column_stack([points, np.ones(len(points))])
    mapped = columns @ matrix.T
    depth = mapped[:, 2, None, None]
    image = (mapped[:, :2] / mapped[:, 2:])[:, :, None]
    return (matrix[None, :2, :2] - image * matrix[None, 2:, :2]) / depth


def half_planes(corners: Corners) -> NDArray[np.float64]:
    """Return for each side (a, b, c) so that a·x + b·y + c is a point's distance from it, positive inside."""
    points = np.array(corners)
    along = np.roll(points, -1, axis=0) - points
    normal = np.column_stack([-along[:, 1], along[:, 0]]) / np.hypot(along[:, 0], along[:, 1])[:, None]
    return np.column_stack([normal, -(normal * points).sum(axis=1)])


def corner_planes(corners: Corners) -> NDArray[np.float64]:
    """Return, as `half_planes` does for the sides, for each acute corner the line through it across its bisector."""
    points = np.array(corners)
    back, forth = np.roll(points, 1, axis=0) - points, np.roll(points, -1, axis=0) - points
    back, forth = (along / np.hypot(along[:, 0], along[:, 1])[:, None] for along in (back, forth))
    acute = (back * forth).sum(axis=1) > _ACUTE
    inwards = (back + forth)[acute]
    inwards /= np.hypot(inwards[:, 0], inwards[:, 1])[:, None]
    return np.column_stack([inwards, -(inwards * points[acute]).sum(axis=1)])
