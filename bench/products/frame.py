"""A framed print on a plastered wall, seen from the side, in the sun that falls through a window."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.products.camera import Camera
from bench.products.develop import display, save_gray, save_photograph, smoothed
from bench.products.light import expose
from bench.products.props import vase
from bench.products.scene import Scene, Thing, softbox
from bench.products.shapes import Box, Plane, Scalars, Solid, Vectors, column, rounded_box, smooth_cut
from bench.products.template import corners, write_template
from bench.products.texture import Texture, noise, wood

_WIDTH, _HEIGHT, _DEPTH, _BAR = 43.0, 53.0, 2.8, 1.7  # of the frame, outside; its bars are as wide
_OPENING = (30.0, 40.0)  # of the mat
_CENTRE = 62.0  # above the floor
_MAT, _PRINT = 1.25, 0.95  # from the wall to their faces
_BOARD = 22.0  # height of the sideboard
_PAPER = (0.80, 0.795, 0.775)

_TEMPLATE = """\
# A framed print, seen in perspective. The corners are those of the mat's opening; the shade is the mat's shadow and the
# sun on the paper.
version: 1
background: frame.jpg

areas:
  - name: print
    corners: $print
    aspect: 0.75                  # width ÷ height as it really is: perspective hides it
    inset: 0.05                   # paper that stays free, of the shorter side
    shade: frame-shade.jpg
"""


def make(folder: Path, scale: float, samples: int) -> None:
    """Render the photograph and its shade, and write the template."""
    shot = expose(_scene(), _camera(scale), samples)
    save_photograph(shot.radiance, folder / "frame.jpg")
    light = smoothed(display(shot.light * np.array(_PAPER, np.float32) * np.float32(1.05)), 1.2 * scale)
    save_gray(np.where(shot.cover[..., 0] > 0, light, 1), folder / "frame-shade.jpg")
    describe(folder, scale)


def describe(folder: Path, scale: float) -> None:
    """Write the template."""
    right, up = _OPENING[0] / 2, _OPENING[1] / 2
    edges = [(-right, up), (right, up), (right, -up), (-right, -up)]
    seen = [_camera(scale).see(np.array((x, -_PRINT, _CENTRE + z), np.float32)) for x, z in edges]
    write_template(folder / "frame.yaml", _TEMPLATE, print=corners(seen))


def _camera(scale: float) -> Camera:
    return Camera((-58, -128, 62), (4, 0, 56), round(1800 * scale), round(1350 * scale), focal_mm=47)


def _scene() -> Scene:
    low, high = (-_WIDTH / 2, _CENTRE - _HEIGHT / 2), (_WIDTH / 2, _CENTRE + _HEIGHT / 2)
    oak = wood((0.50, 0.33, 0.19), (0.26, 0.14, 0.065), seed=11)
    things = [
        Thing(Box((0, -_PRINT / 2, _CENTRE), (_WIDTH - 1, _PRINT, _HEIGHT - 1)), _PAPER),
        Thing(Solid(_mat, (low[0], -_MAT, low[1]), (high[0], -_PRINT, high[1])), (0.82, 0.81, 0.79)),
        Thing(Solid(_frame, (low[0], -_DEPTH, low[1]), (high[0], 0, high[1])), _grained(oak)),
        Thing(Plane((0, 0, 0), (0, -1, 0)), (0.66, 0.62, 0.56), bump=_plaster()),
        Thing(
            Box((10, -17, _BOARD - 1.2), (170, 34, 2.4)),
            lambda points: oak.at(points[0] + 30, points[1] + points[2] + 13),
        ),
        vase(33, -14, _BOARD),
    ]
    sun = replace(softbox((-520, -300, 290), (0, 0, 60), 17, 17, (5900, 5100, 4000)), stencil=_window)
    sky = softbox((-90, -190, 130), (0, 0, 60), 120, 100, (1.95, 2.1, 2.35))
    return Scene(things, [sun, sky], above=(0.34, 0.36, 0.40), below=(0.24, 0.22, 0.20))


def _frame(points: Vectors) -> Scalars:
    x, _, z = seen = points - column((0, -_DEPTH / 2, _CENTRE))
    outside = rounded_box(seen, (_WIDTH / 2, _DEPTH / 2, _HEIGHT / 2), 0.12)
    hole = np.maximum(np.abs(x) - np.float32(_WIDTH / 2 - _BAR), np.abs(z) - np.float32(_HEIGHT / 2 - _BAR))
    return smooth_cut(outside, hole, 0.12)


def _mat(points: Vectors) -> Scalars:
    """Return the distance to a board whose opening widens towards the viewer."""
    x, y, z = points - column((0, 0, _CENTRE))
    board = np.maximum(-np.float32(_MAT) - y, y + np.float32(_PRINT))
    rim = np.maximum(np.abs(x) - np.float32(_OPENING[0] / 2), np.abs(z) - np.float32(_OPENING[1] / 2))
    distance: Scalars = np.maximum(board, (-y - np.float32(_PRINT) - rim) * np.float32(0.7))
    return distance


def _grained(planks: Texture) -> Callable[[Vectors], Vectors]:
    """Return colours of four bars that meet in mitres, their grain along them."""

    def colours(points: Vectors) -> Vectors:
        x, y, z = points - column((0, 0, _CENTRE))
        upright = _WIDTH / 2 - np.abs(x) < _HEIGHT / 2 - np.abs(z)
        along, across = np.where(upright, z, x + 30), np.where(upright, x + 42, z + 3)
        return planks.at(along, (across + y) * np.float32(0.75))

    return colours


def _plaster() -> Callable[[Vectors], Vectors]:
    """Return how the normals of a plastered wall lean."""
    size = (1024, 1024)
    leans = [noise(size, (3, 3), seed) + 1.5 * noise(size, (9, 9), seed + 1) for seed in (5, 7)]
    relief = Texture(np.stack(leans, axis=-1) * np.float32(0.013), 0.12)

    def bump(points: Vectors) -> Vectors:
        aside, up = relief.at(points[0], points[2])
        return np.stack((aside, np.zeros_like(aside), up))

    return bump


def _window(points: Vectors, directions: Vectors) -> Scalars:
    """Return which rays pass the panes of a window in a wall to the left."""
    _, y, z = points + directions * ((-105 - points[0]) / directions[0])
    open_ = (np.abs(y + 68) < 34) & (np.abs(z - 112) < 44)
    bars = (np.abs(y + 56) < 2) | (np.abs(z - 126) < 2)
    passing: Scalars = (open_ & ~bars).astype(np.float32)
    return passing
