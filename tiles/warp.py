"""Artwork seen in perspective: samples of prepared artwork for any pixels of a photograph, by libvips' mapim.

Artwork comes at one size or several, each half the one before, premultiplied. Where a slant shows it smaller than the
largest of them, two sizes are mixed by the local scale (trilinear filtering: L. Williams, Pyramidal Parametrics, 1983),
so that nothing aliases; where it is shown larger than it is, it is interpolated bicubically.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyvips
from numpy.typing import NDArray

from tiles.blending import Plane
from tiles.design import BYTES_PER_PX, PreparedDesign
from tiles.fitting import SHARPEST
from tiles.geometry import Corners
from tiles.homography import Grid, Jacobian, Matrix, corner_planes, half_planes, jacobian_at

_SAMPLE, _ONE = np.float32(1 / 255), np.float32(1)
_STEEPEST = np.float32(2**20)
_ALONE = np.float32(np.log2(SHARPEST))  # octaves from a size on that it is seen alone in
_INSIDE = 0.5  # pixels from a side, from which on all of a pixel is covered, as far as that side goes
_LOOKED_AT, _SURELY = 4, 0.9  # points along a block's sides, and how far below the limit all of them are
_BEYOND_PX = 1.0  # how far from the outermost pixels' centres mapim knows that their colour goes on
_ENLARGED = 1.25  # shown this much larger than it is, artwork shows its pixels if it is interpolated linearly


@dataclass(frozen=True, slots=True)
class Sample:
    """Artwork at a block of pixels: three planes of premultiplied colour and one of alpha, from 0 to 1."""

    colours: tuple[Plane, Plane, Plane]
    alpha: Plane


class Warp:
    """Artwork laid on a photograph. Used by several threads at once."""

    def __init__(self, levels: Sequence[PreparedDesign], to_picture: Matrix) -> None:
        """Open prepared artwork, the largest first.

        `to_picture` maps its unit square onto the photograph, with positive depth wherever artwork is seen. Its middle
        need not be: artwork that covers an area may jut out beyond the horizon.
        """
        self._levels = [pyvips.Image.new_from_file(str(level.path), access="random") for level in levels]
        self._size = (levels[0].width_px, levels[0].height_px)
        self._to_unit = np.linalg.inv(to_picture).astype(np.float64)
        self._interpolate = pyvips.Interpolate.new("bicubic" if self._is_enlarged(to_picture) else "bilinear")

    def _is_enlarged(self, to_picture: Matrix) -> bool:
        (a, b, c, d) = (to_picture @ np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1]])).T
        corners = [point[:2] / point[2] for point in (a, b, c, d)]
        across = max(np.hypot(*(corners[1] - corners[0])), np.hypot(*(corners[2] - corners[3])))
        down = max(np.hypot(*(corners[3] - corners[0])), np.hypot(*(corners[2] - corners[1])))
        width, height = self._size
        return bool(across > _ENLARGED * width or down > _ENLARGED * height)

    def sample(self, left: int, top: int, width: int, rows: int) -> Sample:
        """Return the artwork at the pixels of a block of the photograph; outside of it, its edge goes on."""
        grid = Grid(self._to_unit, left, top, width, rows)
        if len(self._levels) == 1 or self._is_plain(left, top, width, rows):
            return _planes(self._fetch(0, grid))
        return self._mixed(grid)

    def _is_plain(self, left: int, top: int, width: int, rows: int) -> bool:
        """Tell whether the largest size alone is seen in a block: without a doubt, as told from some of its points."""
        x, y = np.linspace(left, left + width, _LOOKED_AT), np.linspace(top, top + rows, _LOOKED_AT)
        points = np.column_stack([grid.ravel() for grid in np.meshgrid(x, y)])
        depth = np.column_stack([points, np.ones(len(points))]) @ self._to_unit[2]
        if depth.min() <= 0:
            return False
        scaled = jacobian_at(self._to_unit, points) * np.array(self._size)[None, :, None]
        return float(np.linalg.svd(scaled, compute_uv=False).max()) <= SHARPEST * _SURELY

    def _mixed(self, grid: Grid) -> Sample:
        """Mix the levels by how much the artwork is shrunk at each pixel."""
        octave = _mixed_octave(self._steepness(grid)).clip(0, len(self._levels) - 1)
        first, last = int(octave.min()), int(np.ceil(octave.max()))
        mixed: list[Plane] | None = None
        for level in range(first, last + 1):
            weight = np.maximum(1 - np.abs(octave - np.float32(level)), 0)
            sample = _planes(self._fetch(level, grid))
            parts = [plane * weight for plane in (*sample.colours, sample.alpha)]
            mixed = parts if mixed is None else [one + other for one, other in zip(mixed, parts, strict=True)]
        assert mixed is not None
        return Sample((mixed[0], mixed[1], mixed[2]), mixed[3])

    def _steepness(self, grid: Grid) -> Plane:
        """Return how many pixels of the largest size one pixel of the photograph spans, at most."""
        unit, (width, height) = grid.jacobian(), map(np.float32, self._size)
        scaled = Jacobian(unit.u_x * width, unit.u_y * width, unit.v_x * height, unit.v_y * height)
        return scaled.steepest()

    def _fetch(self, level: int, grid: Grid) -> NDArray[np.uint8]:
        image = self._levels[level]
        rows, width = grid.u.shape
        index = np.empty((rows, width, 2), np.float32)
        for band, (unit, side) in enumerate(((grid.u, image.width), (grid.v, image.height))):
            place = unit * side - 0.5  # libvips counts from pixels' centres
            np.clip(place, -_BEYOND_PX, side - 1 + _BEYOND_PX, out=index[..., band], casting="unsafe")
        where = pyvips.Image.new_from_memory(index.data, width, rows, 2, "float")
        warped = image.mapim(where, interpolate=self._interpolate, extend="copy", premultiplied=True)
        fetched = pyvips.Region.new(warped).fetch(0, 0, width, rows)
        return np.frombuffer(fetched, np.uint8).reshape(rows, width, BYTES_PER_PX)


def _mixed_octave(steepness: Plane) -> Plane:
    """Return which size is seen, 0 the largest, by how many of its pixels one of the photograph spans; or between two.

    A size is seen alone from where it is shown as large as it is to where it is shown by SHARPEST smaller. It is gone
    where it is shown at half: every other of its pixels would be seen there, and a fine pattern as its first colour.
    """
    octave = np.log2(np.fmin(np.fmax(steepness, _ONE), _STEEPEST))  # near a horizon there may be no number
    whole = np.floor(octave)
    return np.asarray(whole + np.maximum(octave - whole - _ALONE, 0) / (_ONE - _ALONE), np.float32)


def _planes(pixels: NDArray[np.uint8]) -> Sample:
    """Return interleaved samples as planes; colours never exceed alpha, whatever the interpolation made of them."""
    alpha = pixels[..., 3] * _SAMPLE
    colours = [np.minimum(pixels[..., band] * _SAMPLE, alpha) for band in range(3)]
    return Sample((colours[0], colours[1], colours[2]), alpha)


class Outline:
    """A convex quadrilateral on a photograph: which pixels it covers, and how much of each."""

    def __init__(self, corners: Corners) -> None:
        """Take the corners, clockwise."""
        self._corners = np.array(corners)
        self._planes = np.concatenate([half_planes(corners), corner_planes(corners)])

    def columns(self, top: int, rows: int) -> tuple[int, int]:
        """Return the columns, from and to, outside of which it covers nothing of these rows."""
        low, high = top - 1.0, top + rows + 1.0  # what it covers of a pixel reaches half of one beyond its side
        reached: list[float] = []
        for (x0, y0), (x1, y1) in zip(self._corners, np.roll(self._corners, -1, axis=0), strict=True):
            if max(y0, y1) < low or min(y0, y1) > high:
                continue
            for y in (max(low, min(y0, y1)), min(high, max(y0, y1))):
                reached.append(x0 if y0 == y1 else x0 + (x1 - x0) * (y - y0) / (y1 - y0))
            if y0 == y1:
                reached.append(x1)
        if not reached:
            return 0, 0
        return int(np.floor(min(reached))) - 1, int(np.ceil(max(reached))) + 1

    def rows(self) -> tuple[int, int]:
        """Return the rows, from and to, outside of which it covers nothing."""
        y = self._corners[:, 1]
        return int(np.floor(y.min())) - 1, int(np.ceil(y.max())) + 1

    def cover(self, left: int, top: int, width: int, rows: int) -> Plane:
        """Return how much of each pixel of a block is covered, from 0 to 1: by its centre's distance from the sides.

        Beyond an acute corner, where the sides meet far outside of it, its distance from the corner counts.
        """
        x, y = np.arange(left, left + width) + 0.5, (np.arange(top, top + rows) + 0.5)[:, None]
        cover = np.ones((rows, width), np.float32)
        for a, b, c in self._planes:
            if min(a * x[0], a * x[-1]) + min(b * y[0, 0], b * y[-1, 0]) + c >= _INSIDE:
                continue
            distance = (a * x).astype(np.float32) + (b * y + c + 0.5).astype(np.float32)
            np.minimum(cover, distance, out=cover)
        return np.maximum(cover, 0, out=cover)
