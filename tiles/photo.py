"""A mock-up as rows: its background as it is read, with artwork, tints, shades, watermark and caption on it.

Strips are asked for from top to bottom. Only the rows of a strip exist at a time; artwork stays in the tile store,
mapped, and is warped over its area only. Blocks of a strip are worked on by several threads; the pixels do not depend
on how many there are.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvips

from config.errors import ArtworkError
from tiles.blending import SAMPLE, Plane, lay, level
from tiles.canvas import Strip
from tiles.geometry import spans
from tiles.header import reason_of
from tiles.levels import sized
from tiles.overlay import OverlayLayer
from tiles.prepare import OPAQUE
from tiles.resample import Rgba
from tiles.rows import RowReader, prepared_picture
from tiles.scene import Colour, PhotoFormat, Picture, Scene, Surface
from tiles.sinks.photos import open_photo_sink
from tiles.sinks.sink import SheetFile, SheetFormat
from tiles.store import TileStore
from tiles.strips import render
from tiles.vips import disk_error, srgb_profile
from tiles.warp import Outline, Sample, Warp

_BLOCK_ROWS = 64  # worked on at once: some dozen planes of them fit a core's cache
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32) * SAMPLE  # ITU-R BT.709-6, 3.2: a mask's brightness
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)  # where a mask is transparent it hides, where a shade is, it shades not


_Key = tuple[Picture, Colour]  # a picture, and the ground it is read on
_Rows = tuple[Rgba, dict[_Key, Rgba]]  # of the background, and of every mask and shade


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


def render_photo(
    store: TileStore, scene: Scene, target: Path, form: PhotoFormat, threads: int, scratch: Path
) -> SheetFile:
    """Render a scene strip by strip into the file `target`; its artwork is prepared in `store` unless it is there.

    Room for temporaries is taken beside `scratch`.
    """
    sheet = SheetFormat(scene.width, scene.height, form.dpi, srgb_profile(), threads, bands=scene.bands)
    try:
        with open_photo(store, scene, threads, scratch) as photo:
            return render(photo, open_photo_sink(form, target, sheet, scratch), before_naming=photo.finish)
    except pyvips.Error as error:
        raise disk_error(error) or ArtworkError(f"it cannot be rendered: {reason_of(error)}") from None


@contextmanager
def open_photo(store: TileStore, scene: Scene, threads: int, beside: Path) -> "Iterator[Photo]":
    """Yield a scene's rows to be. Its artwork is prepared now, in `store`, unless it is there.

    Room for temporaries is taken beside the path. ArtworkError names the picture that cannot be used.
    """
    with ExitStack() as stack:
        mixers = stack.enter_context(ThreadPoolExecutor(threads, thread_name_prefix="mix"))
        reader = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="read"))
        background = RowReader(scene.background, _beside(beside, "background"), scene.ground)
        pictures = dict.fromkeys(key for surface in scene.surfaces for key in _pictures(surface).values())
        readers = {
            key: stack.enter_context(RowReader(key[0], _beside(beside, f"picture{number}"), key[1]))
            for number, key in enumerate(pictures)
        }
        surfaces = [
            _open_surface(surface, store, stack, _beside(beside, f"{number}"))
            for number, surface in enumerate(scene.surfaces)
        ]
        overlays = [OverlayLayer(overlay, store, scene.width, scene.height) for overlay in scene.overlays]
        photo = Photo(scene, stack.enter_context(background), readers, surfaces, overlays, mixers, reader)
        stack.callback(photo.stop_reading)
        yield photo


class Photo:
    """A scene, opened. Its strips are taken once each, from the top, by one thread; all but the last are as high."""

    def __init__(
        self,
        scene: Scene,
        background: RowReader,
        pictures: Mapping[_Key, RowReader],
        surfaces: "Sequence[_OpenSurface]",
        overlays: Sequence[OverlayLayer],
        mixers: ThreadPoolExecutor,
        reader: ThreadPoolExecutor,
    ) -> None:
        """Take what `open_photo` has opened, and the threads that mix, and the one that reads a strip ahead."""
        self.width, self.height = scene.width, scene.height
        self._background, self._pictures = background, pictures
        self._surfaces, self._overlays = surfaces, overlays
        self._mixers, self._reader = mixers, reader
        self._ahead: Future[_Rows] | None = None

    def strip(self, top: int, rows: int) -> Strip:
        """Return rows `top` to `top + rows`, with alpha only where the scene keeps it."""
        pixels, read = self._read(top, rows)
        for surface in self._surfaces:
            blocks = surface.blocks(top, rows, self.width)
            list(self._mixers.map(lambda block: surface.mix(pixels, read, top, block), blocks))  # noqa: B023 - waited for
        for overlay in self._overlays:
            overlay.mix(pixels, top)
        return pixels

    def _read(self, top: int, rows: int) -> "_Rows":
        """Return the next rows of all pictures, and have those after them read meanwhile."""
        ready = self._take(rows) if self._ahead is None else self._ahead.result()
        following = min(rows, self.height - top - rows)
        self._ahead = self._reader.submit(self._take, following) if following > 0 else None
        return ready

    def _take(self, rows: int) -> "_Rows":
        return self._background.take(rows), {key: reader.take(rows) for key, reader in self._pictures.items()}

    def stop_reading(self) -> None:
        """Wait for what is being read: before its file is closed."""
        if self._ahead is not None:
            self._ahead.cancel()
            wait([self._ahead])

    def finish(self) -> None:
        """Make sure, after the last strip, that no picture changed while it was read."""
        for reader in (self._background, *self._pictures.values()):
            reader.finish()


def _pictures(surface: Surface) -> dict[str, _Key]:
    """Return what is read beside the background for an area; areas may share it."""
    named = (("mask", surface.mask, _BLACK), ("shade", surface.shade, _WHITE))
    return {name: (picture, ground) for name, picture, ground in named if picture is not None}


def _open_surface(surface: Surface, store: TileStore, stack: ExitStack, beside: Path) -> "_OpenSurface":
    """Open an area: its artwork at the sizes it is shown at."""
    if surface.print is None:
        return _OpenSurface(surface, None)
    artwork = prepared_picture(store, surface.print.artwork)
    levels = stack.enter_context(sized(artwork, surface.print.sizes, _beside(beside, "size")))
    return _OpenSurface(surface, Warp(levels, np.array(surface.print.to_picture).reshape(3, 3)))


class _OpenSurface:
    """One area, with its artwork opened and its mask and shade being read beside the background."""

    def __init__(self, surface: Surface, warp: Warp | None) -> None:
        self._print, self._tint = surface.print, surface.tint
        self._pictures, self._warp = _pictures(surface), warp
        self._outline = Outline(surface.corners)
        self._clip = Outline(surface.print.clip) if surface.print is not None else self._outline

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

    def mix(self, pixels: Rgba, read: Mapping[_Key, Rgba], strip_top: int, block: _Block) -> None:
        """Tint a block, and put the artwork on it; `read` are the rows of masks and shades beside `pixels`."""
        here = block.of(pixels, strip_top)
        mask = _light(block.of(read[self._pictures["mask"]], strip_top)) if "mask" in self._pictures else None
        if self._tint is not None:
            _tint(here, self._tint, _times(self._cover(self._outline, block), mask))
        if self._warp is None or self._print is None:
            return
        shown = _times(self._cover(self._clip, block), mask)
        if self._print.opacity < 1:
            shown *= np.float32(self._print.opacity)
        shade = read[self._pictures["shade"]] if "shade" in self._pictures else None
        sample = self._warp.sample(block.left, block.top, block.width, block.rows)
        _lay(here, sample, shown, None if shade is None else block.of(shade, strip_top), self._print.blend)

    def _cover(self, outline: Outline, block: _Block) -> Plane:
        return outline.cover(block.left, block.top, block.width, block.rows)


def _light(mask: Rgba) -> Plane:
    """Return how much a mask lets through: its brightness.

    Band by band, as a product of matrices rounds by where in a block a pixel lies.
    """
    red, green, blue = np.moveaxis(mask, -1, 0)
    light: Plane = red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2]
    return np.minimum(light, 1)


def _beside(beside: Path, what: str) -> Path:
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
