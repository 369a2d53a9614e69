"""A mock-up as rows: its background as it is read, with artwork, tints, shades, watermark and caption on it.

Strips are asked for from top to bottom. Only the rows of a strip exist at a time; artwork stays in the tile store,
mapped, and is warped over its area only. Blocks of a strip are worked on by several threads; the pixels do not depend
on how many there are.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyvips

from config.errors import ArtworkError
from tiles.blending import SAMPLE, Plane, lay, level
from tiles.canvas import Strip
from tiles.geometry import spans
from tiles.header import reason_of
from tiles.overlay import OverlayLayer
from tiles.prepare import OPAQUE
from tiles.resample import Rgba
from tiles.rows import RowReader
from tiles.scene import PhotoFormat, Scene, Surface
from tiles.sinks import open_photo_sink
from tiles.sinks.sink import SheetFile, SheetFormat
from tiles.strips import render
from tiles.vips import disk_error, srgb_profile
from tiles.warp import Outline, Sample, Warp

_BLOCK_ROWS = 48  # worked on at once: some dozen planes of them fit a core's cache
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32) * SAMPLE  # ITU-R BT.709-6, 3.2: a mask's brightness
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)  # where a mask is transparent it hides, where a shade is, it shades not


@dataclass(frozen=True, slots=True)
class _Block:
    """Some rows and columns of a strip whose first row is `top`."""

    left: int
    top: int
    width: int
    rows: int

    def of(self, pixels: Rgba, strip_top: int) -> Rgba:
        """Return the block's view of pixels whose first row is `strip_top`."""
        first = self.top - strip_top
        return pixels[first : first + self.rows, self.left : self.left + self.width]


def render_photo(scene: Scene, target: Path, form: PhotoFormat, threads: int, scratch: Path) -> SheetFile:
    """Render a scene strip by strip into the file `target`; room for temporaries is taken beside `scratch`."""
    sheet = SheetFormat(scene.width, scene.height, form.dpi, srgb_profile(), threads, bands=scene.bands)
    try:
        with Photo(scene, threads, scratch) as photo:
            return render(photo, open_photo_sink(form, target, sheet, scratch), before_naming=photo.finish)
    except pyvips.Error as error:
        raise disk_error(error) or ArtworkError(f"it cannot be rendered: {reason_of(error)}") from None


class Photo:
    """A scene, opened: a context manager. Its strips are taken once each, from the top, by one thread."""

    def __init__(self, scene: Scene, threads: int, beside: Path) -> None:
        """Open nothing yet; room for temporaries is taken beside the path."""
        self.width, self.height = scene.width, scene.height
        self._scene = scene
        self._open = ExitStack()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="mix")
        self._background = self._reader(RowReader(scene.background, _named(beside, "background"), scene.ground))
        self._surfaces = [
            _OpenSurface(surface, self._open, _named(beside, f"{number}"))
            for number, surface in enumerate(scene.surfaces)
        ]
        self._overlays = [OverlayLayer(overlay, scene.width, scene.height) for overlay in scene.overlays]

    def _reader(self, reader: RowReader) -> RowReader:
        return self._open.enter_context(reader)

    def strip(self, top: int, rows: int) -> Strip:
        """Return rows `top` to `top + rows`, with alpha only where the scene keeps it."""
        pixels = self._background.take(rows)
        for surface in self._surfaces:
            surface.advance(rows)
            blocks = surface.blocks(top, rows, self.width)
            list(self._pool.map(lambda block: surface.mix(pixels, top, block), blocks))  # noqa: B023 - waited for here
        for overlay in self._overlays:
            overlay.mix(pixels, top)
        return pixels

    def finish(self) -> None:
        """Make sure, after the last strip, that no picture changed while it was read."""
        self._background.finish()
        for surface in self._surfaces:
            surface.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._open.close()


class _OpenSurface:
    """One area, with its artwork opened and its mask and shade being read beside the background."""

    def __init__(self, surface: Surface, opened: ExitStack, beside: Path) -> None:
        self._print = surface.print
        self._tint = surface.tint
        self._readers = {
            name: opened.enter_context(RowReader(picture, _named(beside, name), ground))
            for name, picture, ground in (("mask", surface.mask, _BLACK), ("shade", surface.shade, _WHITE))
            if picture is not None
        }
        self._rows: dict[str, Rgba] = {}
        self._outline = Outline(surface.corners)
        self._warp: Warp | None = None
        if surface.print is not None:
            self._warp = Warp(surface.print.levels, np.array(surface.print.to_picture).reshape(3, 3))
            self._clip = Outline(surface.print.clip)

    def advance(self, rows: int) -> None:
        """Read the next rows of mask and shade."""
        self._rows = {name: reader.take(rows) for name, reader in self._readers.items()}

    def finish(self) -> None:
        for reader in self._readers.values():
            reader.finish()

    def blocks(self, top: int, rows: int, width: int) -> Iterator[_Block]:
        """Yield the blocks of a strip that the area touches."""
        first, last = self._outline.rows()
        for above, count in spans(rows, _BLOCK_ROWS):
            here = max(first, top + above)
            count = min(last, top + above + count) - here  # noqa: PLW2901
            if count <= 0:
                continue
            left, right = self._outline.columns(here, count)
            left, right = max(0, left), min(width, right)
            if right > left:
                yield _Block(left, here, right - left, count)

    def mix(self, pixels: Rgba, strip_top: int, block: _Block) -> None:
        """Tint a block, and put the artwork on it."""
        here = block.of(pixels, strip_top)
        mask = self._mask(strip_top, block)
        if self._tint is not None:
            _tint(here, self._tint, _times(self._cover(self._outline, block), mask))
        if self._warp is None or self._print is None:
            return
        shown = _times(self._cover(self._clip, block), mask)
        if self._print.opacity < 1:
            shown *= np.float32(self._print.opacity)
        shade = self._rows.get("shade")
        sample = self._warp.sample(block.left, block.top, block.width, block.rows)
        _lay(here, sample, shown, None if shade is None else block.of(shade, strip_top), self._print.blend)

    def _cover(self, outline: Outline, block: _Block) -> Plane:
        return outline.cover(block.left, block.top, block.width, block.rows)

    def _mask(self, strip_top: int, block: _Block) -> Plane | None:
        """Return how much the mask lets through: its brightness, as far as it is opaque.

        Band by band, as a product of matrices rounds by where in a block a pixel lies.
        """
        rows = self._rows.get("mask")
        if rows is None:
            return None
        red, green, blue = np.moveaxis(block.of(rows, strip_top), -1, 0)
        light: Plane = red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2]
        return np.minimum(light, 1)


def _named(beside: Path, what: str) -> Path:
    """Return a path for temporaries of one picture, which may put a suffix to it."""
    return beside.with_name(f"{beside.name}-{what}")


def _times(cover: Plane, mask: Plane | None) -> Plane:
    return cover if mask is None else cover * mask


def _tint(pixels: Rgba, colour: Sequence[int], shown: Plane) -> None:
    """Multiply pixels by a colour, in place, as far as it is shown."""
    for band, part in enumerate(colour):
        plane = pixels[..., band] * SAMPLE
        pixels[..., band] = level(plane * (1 - shown * np.float32(1 - part / OPAQUE)))


def _lay(pixels: Rgba, sample: Sample, shown: Plane, shade: Rgba | None, mode: str) -> None:
    """Blend artwork onto pixels, in place, as far as it is shown, with the shade multiplied onto it."""
    sources = [colour * shown for colour in sample.colours]
    if shade is not None:
        for band, source in enumerate(sources):
            source *= shade[..., band] * SAMPLE  # noqa: PLW2901 - in place
    lay(pixels, sources, sample.alpha * shown, mode)
