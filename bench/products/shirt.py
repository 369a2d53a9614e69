"""A T-shirt laid on a concrete floor, seen from above, as it is and dyed: its folds, its seams, where its print goes.

Places are told on the pattern, as if the shirt lay smooth: x from its middle, y down from the corners of its neck.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.products import relief
from bench.products.curves import depth_within
from bench.products.develop import display, save_gray, save_photograph, smoothed
from bench.products.drape import Lay, laid_down
from bench.products.pattern import FRONT, WHOLE, back_seams, edge, front_seams
from bench.products.template import Point, corners, write_template
from bench.products.texture import Field, noise

_PICTURE = (90.0, 80.0)
_TOP = -4.6  # of the picture
_PIXELS_PER_CM = 20.0
_PRINT = (-14.5, 14.0, 14.5, 49.0)  # left, top, right, bottom

_TEMPLATE = """\
# A shirt: ink soaks into cloth, so that artwork is multiplied with the photograph; the shade deepens the folds on it.
version: 1
background: shirt.jpg

areas:
  - name: chest
    corners: $chest
    align: top
    blend: multiply
    shade: shirt-shade.jpg
"""

_DYED = """\
# The same photograph, dyed: an area without artwork tints the shirt, as far as its mask goes. The print is opaque ink,
# laid over the cloth; the shade gives it the cloth's folds back.
version: 1
background: shirt.jpg

areas:
  - name: cloth
    box: {x: 0, y: 0, width: $width, height: $height}
    design: none
    tint: "#b3202c"
    mask: shirt-mask.png
  - name: chest
    corners: $chest
    align: top
    blend: over
    shade: shirt-shade.jpg
"""


@dataclass(frozen=True, slots=True)
class _Surface:
    """What is seen of the shirt, by pixel: heights, and how much of the pixel is shirt at all."""

    heights: Field
    cover: Field


def make(folder: Path, scale: float) -> None:
    """Render the photograph, the shirt's mask and the shade of its folds, and write both templates."""
    per_cm = _PIXELS_PER_CM * scale
    width, height = (round(side * per_cm) for side in _PICTURE)
    x = (np.arange(width, dtype=np.float32) + np.float32(0.5)) / np.float32(per_cm) - np.float32(_PICTURE[0] / 2)
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(per_cm) + np.float32(_TOP)
    across, down = np.meshgrid(x, y)
    lay = laid_down()
    surface = _surface(lay, across, down, per_cm)
    light = _light(surface, per_cm) * _falloff(across, down)[..., None]
    save_photograph(_colours(surface.cover, scale) * light, folder / "shirt.jpg")
    save_gray(surface.cover, folder / "shirt-mask.png")
    save_gray(_shade(light, surface.cover, scale), folder / "shirt-shade.jpg")
    chest = corners(_print_corners(lay, per_cm))
    write_template(folder / "shirt.yaml", _TEMPLATE, chest=chest)
    write_template(folder / "shirt-red.yaml", _DYED, chest=chest, width=str(width), height=str(height))


def _surface(lay: Lay, across: Field, down: Field, per_cm: float) -> _Surface:
    x, y = across, down
    for _ in range(3):  # where on the pattern each pixel is: it went there from where it now is, roughly, then closer
        right, low, height = lay.at(x, y)
        x, y = across - right, down - low
    height = 2.4 * np.tanh(np.maximum(smoothed(height, 0.3 * per_cm), 0) / 2.4)
    whole, front = depth_within(WHOLE, x, y), depth_within(FRONT, x, y)
    top = height * np.clip(front / 1.2 + 0.35, 0, 1) + 0.12 + edge(front, 0.30) + front_seams(x, y)
    back = 0.10 + edge(whole, 0.25) + back_seams(x, y)
    heights = np.where(front > 0, top, np.where(whole > 0, back, 0)).astype(np.float32)
    cover = np.clip(whole * np.float32(per_cm) + np.float32(2.1), 0, 1)  # as far as the blurred edge catches light
    return _Surface(smoothed(heights, 0.8), cover)


def _light(surface: _Surface, per_cm: float) -> NDArray[np.float32]:
    fibres = 0.0017 * noise(surface.heights.shape, (0.05 * per_cm, 0.04 * per_cm), 31) * surface.cover
    beams = relief.softbox(140, 34, 12, (1.50, 1.42, 1.31)) + relief.dome((0.20, 0.21, 0.23))
    light = relief.light_on((surface.heights + fibres).astype(np.float32), 1 / per_cm, beams)
    between = 0.10 * np.clip(1 - light.mean(axis=-1), 0, 1)  # what the cloth sends into its folds
    lit: NDArray[np.float32] = light + between[..., None]
    return lit


def _falloff(across: Field, down: Field) -> Field:
    """Return how the light wanes away from the window."""
    way = across / np.float32(_PICTURE[0]) + (down - 35) / np.float32(_PICTURE[1])
    return np.float32(1.08) - np.float32(0.24) * way


def _colours(cover: Field, scale: float) -> NDArray[np.float32]:
    shape = cover.shape
    flecks = noise(shape, (0.9 * scale, 3.5 * scale), 41) + noise(shape, (3.5 * scale, 0.9 * scale), 43)
    cloth = (0.64 - 0.022 * np.clip(flecks, -1, 3))[..., None] * np.array((1, 0.995, 0.98), np.float32)
    cloud = sum(
        part * noise(shape, (size * scale, size * scale), 50 + size) for part, size in ((0.5, 60), (0.3, 12), (0.25, 3))
    )
    pits = np.clip(noise(shape, (1.2 * scale, 1.2 * scale), 54) - 2.4, 0, 1)
    floor = (0.36 * (1 + 0.06 * cloud) - 0.1 * pits)[..., None] * np.array((1, 0.975, 0.94), np.float32)
    colours: NDArray[np.float32] = (floor + (cloth - floor) * cover[..., None]).astype(np.float32)
    return colours


def _shade(light: NDArray[np.float32], cover: Field, scale: float) -> Field:
    """Return how much darker the folds are than cloth that lies flat, without its weave: ink covers that."""
    tones = smoothed(display(light * np.float32(0.64)), 1.5 * scale)
    flat = np.median(tones[cover > 0.5])
    folds = np.minimum(tones / flat, 1) ** 1.4  # deeper than they are, or a bright print would look pasted on
    return np.where(cover > 0.5, folds, 1).astype(np.float32)


def _print_corners(lay: Lay, per_cm: float) -> list[Point]:
    """Return the corners of the print in pixels: where the cloth under them came to lie."""
    left, top, right, bottom = _PRINT
    x, y = np.array([[left, right, right, left]], np.float32), np.array([[top, top, bottom, bottom]], np.float32)
    aside, low, _ = lay.at(x, y)
    places = zip((x + aside)[0], (y + low)[0], strict=True)
    return [((float(x) + _PICTURE[0] / 2) * per_cm, (float(y) - _TOP) * per_cm) for x, y in places]
