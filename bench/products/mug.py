"""A white mug on a table by a window: light, a mask and a narrow area make a flat print look round."""

import math
from pathlib import Path

import numpy as np

from bench.products.camera import Camera
from bench.products.develop import display, save_gray, save_photograph, smoothed
from bench.products.light import Exposure, expose
from bench.products.props import MUG_RADIUS, book, mug
from bench.products.scene import Scene, Thing, softbox
from bench.products.shapes import Plane, Vectors
from bench.products.template import corners, write_template
from bench.products.texture import Field, wood

_EYE = (3.5, -50.0, 15.5)
_FRONT = math.atan2(_EYE[1], _EYE[0]) - 0.05  # the direction the print looks to, radians
_HALF_ANGLE = math.radians(38)  # from the print's middle to its edge
_FADE = math.radians(3)  # over which it ends
_LOW, _HIGH = 1.3, 8.4  # its edges, above the table
_WALL = 60.0

_TEMPLATE = """\
# A mug: one area on its front. Artwork is put on flat; the shade makes it look round, and the mask ends it where the
# mug turns away.
version: 1
background: mug.jpg

areas:
  - name: front
    corners: $front
    inset: 0.04                   # of the shorter side, free at each edge
    mask: mug-mask.png            # white where artwork shows
    shade: mug-shade.jpg          # multiplied onto the artwork: the light on the mug
"""


def make(folder: Path, scale: float, samples: int) -> None:
    """Render the photograph, its mask and shade, and write the template."""
    shot = expose(_scene(), _camera(scale), samples)
    save_photograph(shot.radiance, folder / "mug.jpg")
    mask = _mask(shot)
    save_gray(mask, folder / "mug-mask.png")
    light = smoothed(display(shot.light * np.float32(0.8)), 4 * scale)
    save_gray(np.where(mask > 0, light / light[mask > 0.5].max(), 1), folder / "mug-shade.jpg")
    describe(folder, scale)


def describe(folder: Path, scale: float) -> None:
    """Write the template."""
    edges = [(-1, _HIGH), (1, _HIGH), (1, _LOW), (-1, _LOW)]
    seen = [_camera(scale).see(_on_mug(side, height)) for side, height in edges]
    write_template(folder / "mug.yaml", _TEMPLATE, front=corners(seen))


def _camera(scale: float) -> Camera:
    return Camera(_EYE, (1.0, -3, 4.8), round(1600 * scale), round(1280 * scale), focal_mm=84, aperture_cm=1.3)


def _scene() -> Scene:
    planks = wood((0.50, 0.32, 0.17), (0.22, 0.11, 0.045), seed=3)

    def table(points: Vectors) -> Vectors:
        x, y = points[0], points[1]
        return planks.at(x * 0.97 + y * 0.24 + 40, y * 0.97 - x * 0.24 + 7.5)

    things = [
        mug(0, 0, -22),
        Thing(Plane((0, 0, 0), (0, 0, 1)), table),
        Thing(Plane((0, _WALL, 0), (0, -1, 0)), (0.40, 0.45, 0.43)),
        book(-15, 27, 0, (22, 15, 2.6), -8, (0.42, 0.13, 0.07)),
        book(-14, 27, 2.6, (19, 13.5, 2.0), 5, (0.06, 0.10, 0.16)),
    ]
    window = softbox((-44, -20, 30), (0, 0, 6), 26, 36, (17.5, 16.5, 15.0))
    room = softbox((40, 4, 26), (0, 0, 5), 12, 34, (2.8, 3.0, 3.4))
    return Scene(things, [window, room], above=(0.46, 0.48, 0.51), below=(0.24, 0.23, 0.22))


def _on_mug(side: float, height: float) -> Vectors:
    """Return a corner of the print: on the left, -1, or on the right, 1, at a height."""
    angle = _FRONT + side * _HALF_ANGLE
    return np.array((MUG_RADIUS * math.cos(angle), MUG_RADIUS * math.sin(angle), height), np.float32)


def _mask(shot: Exposure) -> Field:
    """Return where the print may be: on the mug's outside, not too far round it."""
    x, y = shot.points[..., 0], shot.points[..., 1]
    turn = np.abs((np.arctan2(y, x) - _FRONT + math.pi) % math.tau - math.pi)
    outside = (np.hypot(x, y) > MUG_RADIUS - 0.2) & (shot.cover[..., 0] > 0.99)
    return np.where(outside, np.clip((_HALF_ANGLE - turn) / _FADE, 0, 1), 0).astype(np.float32)
