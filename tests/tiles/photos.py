"""Mock-ups made of arrays: artwork, photographs and areas for the tests, put together as a run puts them together."""

import math
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tiles.design import Design, Geometry, Limits
from tiles.fitting import Manner, lay, level_sizes, octave
from tiles.geometry import Corners, spans
from tiles.header import read_header
from tiles.photo import open_photo
from tiles.scene import Colour, Overlay, Picture, Print, Scene, Surface
from tiles.store import TileStore, hash_file, stamp_of

Pixels = NDArray[np.uint8]

STRETCHED = Manner("stretch", (0.5, 0.5), 0.0, 0.0)
WHITE = (255, 255, 255)
_OPENCV_ORDER = {3: [2, 1, 0], 4: [2, 1, 0, 3]}


class Studio:
    """A folder where artwork lies as files, is prepared, and photographs are taken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = TileStore(folder / "store")
        self._numbers = count()

    def file(self, pixels: Pixels, name: str = "") -> Path:
        """Write pixels, RGB or RGBA, as a PNG."""
        path = self.folder / (name or f"{next(self._numbers)}.png")
        cv2.imwrite(str(path), pixels[..., _OPENCV_ORDER[pixels.shape[2]]], [cv2.IMWRITE_PNG_COMPRESSION, 1])
        return path

    def design(self, pixels: Pixels) -> Design:
        return design_at(self.file(pixels))

    def picture(self, pixels: Pixels, name: str = "picture", size: tuple[int, int] | None = None) -> Picture:
        """Return a picture to be read at a size (width, height), or its own."""
        return picture_at(self.file(pixels), name, size)

    def surface(
        self,
        artwork: Pixels | Design,
        corners: Corners,
        manner: Manner = STRETCHED,
        blend: str = "over",
        opacity: float = 1.0,
        **more: Any,
    ) -> Surface:
        """Return an area with artwork on it, as wide in proportion as its opposite sides are in the mean."""
        design = artwork if isinstance(artwork, Design) else self.design(artwork)
        size = (design.header.width_px, design.header.height_px)
        lie = lay(corners, ratio_of(corners), size, manner)
        sizes = level_sizes(lie, size, is_vector=False)
        geometry = Geometry(*octave(size, sizes[0], is_vector=False), premultiplied=True)
        matrix = tuple(lie.to_picture.ravel().tolist())
        printed = Print(Picture("artwork", design, geometry), sizes, matrix, lie.clip, blend, opacity)
        return Surface(corners, printed, **more)

    def scene(
        self,
        background: Pixels | Picture,
        *surfaces: Surface,
        overlays: Sequence[Overlay] = (),
        ground: Colour | None = WHITE,
    ) -> Scene:
        picture = background if isinstance(background, Picture) else self.picture(background, "background")
        return Scene(picture, surfaces, tuple(overlays), ground)

    def shot(self, scene: Scene, rows: int = 64, threads: int = 1) -> Pixels:
        """Return the whole mock-up, taken so many rows at a time."""
        with open_photo(self.store, scene, threads, self.folder / "scratch") as photo:
            strips = [photo.strip(top, count) for top, count in spans(scene.height, rows)]
            photo.finish()
        return np.concatenate(strips)


def design_at(path: Path) -> Design:
    return Design(hash_file(path), path, path.stat().st_size, stamp_of(path), read_header(path, Limits()))


def picture_at(path: Path, name: str = "picture", size: tuple[int, int] | None = None) -> Picture:
    design = design_at(path)
    return Picture(name, design, Geometry(*(size or (design.header.width_px, design.header.height_px))))


def flat(width: int, height: int, colour: tuple[int, ...] = (200, 200, 200)) -> Pixels:
    return np.full((height, width, len(colour)), colour, np.uint8)


def ratio_of(corners: Corners) -> float:
    a, b, c, d = corners
    return (math.dist(a, b) + math.dist(d, c)) / (math.dist(a, d) + math.dist(b, c))


def box(left: float, top: float, width: float, height: float) -> Corners:
    """Return the corners of an upright rectangle."""
    return (left, top), (left + width, top), (left + width, top + height), (left, top + height)
