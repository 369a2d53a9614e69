"""A part before it is rendered: which prepared designs lie where; pixels exist only when rows are asked for.

`band` and `image` are lazy libvips images. Whatever the number of placements, their graph stays shallow: one
multi-image composite for each band of rows, with only the designs that touch it. `strip` is the fast path for what a
gang sheet is made of. Layers never overlap; that is the plan's promise, and makes both the same, byte by byte.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray

from tiles.design import BYTES_PER_PX
from tiles.geometry import Rect
from tiles.store import V_HEADER_BYTES

BAND_ROWS = 2048  # of the one-image canvas: a roll of 86,000 rows is then 42 bands

Strip = NDArray[np.uint8]
"""`rows × width × 4`, straight alpha; top to bottom, no gaps, the last may be shorter."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A prepared design on a canvas: `place` is as printed; `rotation` 0 or 90 degrees counter-clockwise."""

    path: Path
    place: Rect
    rotation: int = 0


class Canvas:
    """One part as a lazy image of `width` × `height`, transparent where no layer lies. Used by one thread at a time.

    Designs are mapped when a band first needs them and released below their last row, so that files in use, like
    memory, do not grow with the part.
    """

    def __init__(self, width: int, height: int, layers: Iterable[Layer]) -> None:
        """Lay out `layers`, which must not overlap; nothing is opened yet."""
        self.width, self.height = width, height
        self._layers = sorted(layers, key=lambda layer: (layer.place.y, layer.place.x))
        self._tops = [layer.place.y for layer in self._layers]
        self._tallest = max((layer.place.height for layer in self._layers), default=0)
        self._mapped: dict[tuple[Path, int], Strip] = {}

    def touching(self, top: int, rows: int) -> list[Layer]:
        """Return the layers that reach into rows `top` to `top + rows`, from the top left."""
        first = bisect_left(self._tops, top - self._tallest + 1)
        last = bisect_left(self._tops, top + rows)
        return [layer for layer in self._layers[first:last] if layer.place.bottom > top]

    def band(self, top: int, rows: int) -> pyvips.Image:
        """Return rows `top` to `top + rows` as one lazy image.

        The composite is told that its input is premultiplied: over a transparent canvas it then copies every
        sample as it is, where un- and premultiplying would change some by one.
        """
        base = pyvips.Image.black(self.width, rows, bands=BYTES_PER_PX).copy(interpretation="srgb")
        layers = self.touching(top, rows)
        if not layers:
            return base
        return base.composite(
            [_open(layer) for layer in layers],
            ["over"] * len(layers),
            x=[layer.place.x for layer in layers],
            y=[layer.place.y - top for layer in layers],
            premultiplied=True,
        )

    def strip(self, top: int, rows: int) -> Strip:
        """Return rows `top` to `top + rows` as pixels; then release the designs that end within.

        Layers are plain rectangles of finished pixels, so that these are copied: byte by byte what `band` gives, in
        a tenth of its time, and without the many small buffers that it leaves in the heap.
        """
        strip = np.empty((rows, self.width, BYTES_PER_PX), np.uint8)
        window = Rect(0, top, self.width, rows)
        layers = self.touching(top, rows)
        _clear_gaps(strip, [window.intersect(layer.place) for layer in layers])
        for layer in layers:
            place, seen = layer.place, window.intersect(layer.place)
            pixels = self._pixels(layer)
            strip[seen.y - top : seen.bottom - top, seen.x : seen.right] = pixels[
                seen.y - place.y : seen.bottom - place.y, seen.x - place.x : seen.right - place.x
            ]
        self._release(top + rows)
        return strip

    def image(self) -> pyvips.Image:
        """Return the whole canvas as one lazy image."""
        tops = range(0, self.height, BAND_ROWS)
        bands = [self.band(top, min(BAND_ROWS, self.height - top)) for top in tops]
        return pyvips.Image.arrayjoin(bands, across=1).crop(0, 0, self.width, self.height)

    def _pixels(self, layer: Layer) -> Strip:
        key = (layer.path, layer.rotation)
        if key not in self._mapped:
            self._mapped[key] = map_prepared(layer.path, layer.place, layer.rotation)
        return self._mapped[key]

    def _release(self, top: int) -> None:
        """Unmap designs that no layer below `top` needs at once; one that comes again is mapped again."""
        wanted = {(layer.path, layer.rotation) for layer in self.touching(top, 1)}
        self._mapped = {key: pixels for key, pixels in self._mapped.items() if key in wanted}


def _clear_gaps(strip: Strip, covered: Sequence[Rect]) -> None:
    """Make a strip transparent where nothing will cover it: between layers side by side, else everywhere."""
    if any(rect.height < len(strip) for rect in covered):
        strip[...] = 0
        return
    right = 0
    for rect in sorted(covered, key=lambda rect: rect.x):
        strip[:, right : rect.x] = 0
        right = rect.right
    strip[:, right:] = 0


def map_prepared(path: Path, place: Rect, rotation: int) -> Strip:
    """Return a prepared design's pixels as printed on `place`, mapped from its `.v` file; nothing is read yet."""
    height, width = (place.width, place.height) if rotation else (place.height, place.width)
    pixels = np.memmap(path, np.uint8, "r", offset=V_HEADER_BYTES, shape=(height, width, BYTES_PER_PX))
    return np.rot90(pixels) if rotation else pixels


def _open(layer: Layer) -> pyvips.Image:
    image = pyvips.Image.new_from_file(str(layer.path), access="random")
    return image.rot270() if layer.rotation else image  # libvips turns clockwise
