"""Draws photographs: a blank sheet on a wall, in uneven light, out of focus behind it, and grain; always the same.

Run as a process of its own, `python -m bench.mockups.photographs FOLDER SIDE_PX NUMBER...`: the libraries it needs
are then not mapped by the benchmark, whose pages would be free for a program in a cage.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from bench.mockups.shapes import corners
from bench.mockups.shoot import photograph_name

QUALITY = 92  # of the photographs themselves
GRAIN = 6.0  # standard deviation, of 255: what a camera leaves at ISO 1600, and what makes files of 2.5 MB
COLOUR_GRAIN = 1.5
BLURRED = 8  # what is out of focus is drawn this much smaller
PAPER, SHADE = (236, 234, 229), (38, 36, 40)

Plane = NDArray[np.float32]


def draw(number: int, folder: Path, side_px: int) -> None:
    """Draw one photograph into its file, which appears whole."""
    rng = np.random.default_rng(1000 + number)
    picture = _background(rng, side_px)
    sheet = corners(number, side_px)
    picture.paste(Image.new("RGB", picture.size, SHADE), mask=_shadow(sheet, side_px))
    ImageDraw.Draw(picture).polygon(sheet, fill=PAPER)
    pixels = np.asarray(picture, np.float32) * _light(rng, side_px)[..., None]
    pixels += _grain(rng, side_px, GRAIN)[..., None]
    for band in range(3):
        pixels[..., band] += _grain(rng, side_px, COLOUR_GRAIN)
    target = folder / photograph_name(number)
    aside = target.with_suffix(".partial")
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(aside, "JPEG", quality=QUALITY)
    aside.replace(target)


def _background(rng: np.random.Generator, side_px: int) -> Image.Image:
    """Return a wall in one colour with things in front of it, all out of focus."""
    side = max(16, side_px // BLURRED)
    wall, *things = rng.integers(60, 230, (8, 3)).tolist()
    small = Image.new("RGB", (side, side), tuple(wall))
    pencil = ImageDraw.Draw(small)
    for colour in things:
        x, y = rng.uniform(-0.1, 0.9, 2) * side
        width, height = rng.uniform(0.1, 0.5, 2) * side
        pencil.ellipse((x, y, x + width, y + height), fill=tuple(colour))
    blurred = small.filter(ImageFilter.GaussianBlur(side / 60))
    return blurred.resize((side_px, side_px), Image.Resampling.BICUBIC)


def _shadow(sheet: tuple[tuple[float, float], ...], side_px: int) -> Image.Image:
    """Return how dark the sheet's shadow is: it falls down and to the right, and is soft."""
    side = max(16, side_px // BLURRED)
    scale, off = side / side_px, side / 60
    small = Image.new("L", (side, side))
    ImageDraw.Draw(small).polygon([(x * scale + off, y * scale + off) for x, y in sheet], fill=150)
    return small.filter(ImageFilter.GaussianBlur(side / 80)).resize((side_px, side_px), Image.Resampling.BICUBIC)


def _light(rng: np.random.Generator, side_px: int) -> Plane:
    """Return how much light there is: most around one point, less towards the corners."""
    x, y = rng.uniform(0.2, 0.8, 2)
    axis = ((np.arange(side_px) + 0.5) / side_px).astype(np.float32)
    light: Plane = np.float32(1.05) - np.float32(0.3) * (
        (axis[None, :] - np.float32(x)) ** 2 + (axis[:, None] - np.float32(y)) ** 2
    )
    return light


def _grain(rng: np.random.Generator, side_px: int, strength: float) -> Plane:
    """Return grain as cameras leave it: of neighbours, each has a part of the other's."""
    noise = rng.standard_normal((side_px + 1, side_px + 1), np.float32) * np.float32(strength)
    mixed: Plane = (noise[:-1, :-1] + noise[1:, :-1] + noise[:-1, 1:] + noise[1:, 1:]) / 2
    return mixed


def main() -> None:
    """Draw what the command line asks for, on all cores where that is worth starting processes for."""
    folder, side_px, *numbers = sys.argv[1:]
    one = partial(draw, folder=Path(folder), side_px=int(side_px))
    if int(side_px) > 1000:
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            list(pool.map(one, map(int, numbers)))
    else:
        list(map(one, map(int, numbers)))


if __name__ == "__main__":
    main()
