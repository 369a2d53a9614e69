"""A part as lazy libvips images: which prepared designs lie where, composited when pixels are asked for.

Whatever the number of placements, the graph stays shallow: one multi-image composite for each band of rows, with
only the designs that touch it. Layers never overlap; that is the plan's promise, and makes the composite exact.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray

from tiles.design import BYTES_PER_PX
from tiles.geometry import Rect

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
    """One part as a lazy image of `width` × `height`, transparent where no layer lies. Used by one thread.

    Designs are mapped when a band first needs them and released below their last row, so that files in use, like
    memory, do not grow with the part.
    """

    def __init__(self, width: int, height: int, layers: Iterable[Layer]) -> None:
        """Lay out `layers`, which must not overlap; nothing is opened yet."""
        self.width, self.height = width, height
        self._layers = sorted(layers, key=lambda layer: (layer.place.y, layer.place.x))
        self._tops = [layer.place.y for layer in self._layers]
        self._tallest = max((layer.place.height for layer in self._layers), default=0)
        self._open: dict[tuple[Path, int], pyvips.Image] = {}

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
            [self._image(layer) for layer in layers],
            ["over"] * len(layers),
            x=[layer.place.x for layer in layers],
            y=[layer.place.y - top for layer in layers],
            premultiplied=True,
        )

    def strip(self, top: int, rows: int) -> Strip:
        """Render rows `top` to `top + rows`; then release the designs that end within."""
        pixels = np.frombuffer(self.band(top, rows).write_to_memory(), np.uint8)
        self._release(top + rows)
        return pixels.reshape(rows, self.width, BYTES_PER_PX)

    def image(self) -> pyvips.Image:
        """Return the whole canvas as one lazy image."""
        tops = range(0, self.height, BAND_ROWS)
        bands = [self.band(top, min(BAND_ROWS, self.height - top)) for top in tops]
        return pyvips.Image.arrayjoin(bands, across=1).crop(0, 0, self.width, self.height)

    def _image(self, layer: Layer) -> pyvips.Image:
        key = (layer.path, layer.rotation)
        if key not in self._open:
            image = pyvips.Image.new_from_file(str(layer.path), access="random")
            self._open[key] = image.rot270() if layer.rotation else image  # libvips turns clockwise
        return self._open[key]

    def _release(self, top: int) -> None:
        """Close designs that no layer below `top` needs at once; one that comes again is mapped again."""
        wanted = {(layer.path, layer.rotation) for layer in self.touching(top, 1)}
        self._open = {key: image for key, image in self._open.items() if key in wanted}
