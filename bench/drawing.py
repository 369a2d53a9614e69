"""Draws artwork: flat badges, and grainy discs with soft alpha; the same on every machine.

Run as a process of its own, `python -m bench.drawing FOLDER SIDE_PX SEED...`: the libraries it needs are then not
mapped by the benchmark, whose pages would be free for a program in a cage.
"""

import math
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.artwork import file_name, is_grainy

TAG_DPI = 1161  # 3600 pixels on 3.1 inches
GRAIN = 5.0  # standard deviation, of 255: what a scanned photograph has, and what makes it hard to compress

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Drawing:
    """One artwork to be drawn: a square of `side_px`, told from its siblings by `seed`."""

    path: Path
    seed: int
    side_px: int


def draw_all(drawings: Sequence[Drawing]) -> None:
    """Draw on all cores, where that is worth starting processes for."""
    if sum(drawing.side_px**2 for drawing in drawings) > 5_000_000:
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            list(pool.map(draw, drawings, chunksize=1 + len(drawings) // 20))
    else:
        for drawing in drawings:
            draw(drawing)


def draw(drawing: Drawing) -> None:
    """Draw one artwork into its file, which appears whole."""
    pixels = _grainy(drawing) if is_grainy(drawing.seed) else _flat(drawing)
    aside = drawing.path.with_suffix(".partial")
    Image.fromarray(pixels).save(aside, "PNG", dpi=(TAG_DPI, TAG_DPI))
    aside.replace(drawing.path)


def _flat(drawing: Drawing) -> NDArray[np.uint8]:
    """Return a badge: a dark outline, a fill, a ring and a core, each one colour, with edges one pixel soft."""
    rng = np.random.default_rng(drawing.seed)
    radius, angle = _polar(drawing.side_px)
    petals, depth = int(rng.integers(3, 9)), float(rng.uniform(0.05, 0.2))
    edge = (0.92 / (1 + depth)) * (1 + depth * np.cos(petals * angle + np.float32(rng.uniform(0, math.tau))))
    layers = [edge, edge - 0.05, np.full_like(edge, 0.45), np.full_like(edge, 0.33)]
    colours = [(20, 20, 24), *rng.integers(40, 256, (3, 3)).tolist()]
    return _paint(radius, layers, colours, drawing.side_px)


def _grainy(drawing: Drawing) -> NDArray[np.uint8]:
    """Return a disc in a colour gradient under film grain, its alpha falling off over the outer third."""
    rng = np.random.default_rng(drawing.seed)
    side = drawing.side_px
    radius, angle = _polar(side)
    near, far = rng.uniform(30, 225, (2, 3)).astype(np.float32)
    blend = (0.5 + 0.5 * np.cos(angle + 3 * radius))[..., None]
    pixels = np.empty((side, side, 4), np.uint8)
    grain = rng.standard_normal((side, side, 1), np.float32) * np.float32(GRAIN)
    pixels[..., :3] = np.clip(near * blend + far * (1 - blend) + grain, 0, 255)
    pixels[..., 3] = 255 * np.clip((0.95 - radius) / 0.3, 0, 1)
    pixels[pixels[..., 3] == 0] = 0
    return pixels


def _polar(side_px: int) -> tuple[Plane, Plane]:
    """Return the distance from the centre, 1 at the middle of each side, and the angle."""
    axis = ((np.arange(side_px, dtype=np.float32) + 0.5) * (2 / side_px) - 1).astype(np.float32)
    return np.hypot(axis[:, None], axis[None, :]), np.arctan2(axis[:, None], axis[None, :])


def _paint(radius: Plane, edges: Sequence[Plane], colours: Sequence[Sequence[int]], side_px: int) -> NDArray[np.uint8]:
    """Return straight RGBA with every layer painted over the ones before it, from the outermost in."""
    pixels = np.zeros((side_px, side_px, 4), np.uint8)
    for number, (edge, colour) in enumerate(zip(edges, colours, strict=True)):
        cover = np.clip((edge - radius) * (side_px / 2) + 0.5, 0, 1)[..., None]
        if number == 0:
            pixels[..., 3] = np.rint(255 * cover[..., 0])
            pixels[pixels[..., 3] > 0, :3] = colour
        else:
            under = pixels[..., :3].astype(np.float32)
            pixels[..., :3] = np.rint(under + (np.array(colour, np.float32) - under) * cover)
            pixels[pixels[..., 3] == 0] = 0
    return pixels


def main() -> None:
    """Draw what the command line asks for."""
    folder, side_px, *seeds = sys.argv[1:]
    draw_all([Drawing(Path(folder) / file_name(int(seed)), int(seed), int(side_px)) for seed in seeds])


if __name__ == "__main__":
    main()
