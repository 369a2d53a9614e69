"""What is laid over a whole mock-up: a watermark, once or all over it, or a caption."""

from collections.abc import Iterator

import numpy as np

from tiles.blending import SAMPLE, lay
from tiles.canvas import map_prepared
from tiles.geometry import Rect
from tiles.lettering import draw_line, turned
from tiles.resample import Rgba
from tiles.rows import prepared_picture
from tiles.scene import Lettering, Overlay
from tiles.store import TileStore

_PADDING = 0.35  # of a line's height, around it on its ground
_GAP = 0.6  # of a tile's height, between tiles; every other row is shifted by half a tile
_ALPHA = 3


class OverlayLayer:
    """An overlay drawn for a mock-up of a size, and where it lies."""

    def __init__(self, overlay: Overlay, store: TileStore, width: int, height: int) -> None:
        """Draw it, or prepare its picture in `store`; ArtworkError if nothing of it could be seen."""
        self._frame = Rect(0, 0, width, height)
        self._room = self._frame.inset(min(overlay.margin_px, (min(width, height) - 1) // 2))
        self._pixels = _drawn(overlay, store, (self._room.width, self._room.height))
        self._opacity = np.float32(overlay.opacity)
        self._overlay = overlay

    def mix(self, pixels: Rgba, top: int) -> None:
        """Lay it over rows of the mock-up, of which the first is `top`, in place."""
        window = Rect(0, top, pixels.shape[1], pixels.shape[0])
        for place in self._places(window):
            seen = window.intersect(place)
            if not seen.area:
                continue
            mine = self._pixels[seen.y - place.y : seen.bottom - place.y, seen.x - place.x : seen.right - place.x]
            _over(pixels[seen.y - top : seen.bottom - top, seen.x : seen.right], mine, self._opacity)

    def _places(self, window: Rect) -> Iterator[Rect]:
        rows, width, _ = self._pixels.shape
        if not self._overlay.tiled:
            x, y = self._overlay.align
            room = self._room
            yield Rect(round(room.x + x * (room.width - width)), round(room.y + y * (room.height - rows)), width, rows)
            return
        step_x, step_y = width + round(_GAP * rows) + 1, rows + round(_GAP * rows) + 1
        for row in range(window.y // step_y, window.bottom // step_y + 1):
            for x in range(-(row % 2) * step_x // 2, window.right, step_x):
                yield Rect(x, row * step_y, width, rows)


def _drawn(overlay: Overlay, store: TileStore, room: tuple[int, int]) -> Rgba:
    content = overlay.content
    if isinstance(content, Lettering):
        pixels = _lettered(content, room)
    else:
        prepared = prepared_picture(store, content)
        pixels = map_prepared(prepared.path, Rect(0, 0, prepared.width_px, prepared.height_px), 0)
    return turned(pixels, overlay.angle) if overlay.angle % 360 else pixels


def _lettered(line: Lettering, room: tuple[int, int]) -> Rgba:
    """Draw a line of text within the room, with its ground around it if it has one."""
    size = {"height_px": line.size_px} if line.sized_by == "height" else {"width_px": line.size_px}
    padding = round(_PADDING * line.size_px) if line.ground else 0
    longest = (max(1, room[0] - 2 * padding), max(1, room[1] - 2 * padding))
    letters = draw_line(line.text, **size, longest=longest, colour=line.colour)
    if line.ground is None:
        return letters
    rows, width, _ = letters.shape
    plate = np.empty((rows + 2 * padding, width + 2 * padding, 4), np.uint8)
    plate[...] = (*line.ground, 255)
    _over(plate[padding : padding + rows, padding : padding + width], letters, np.float32(1))
    return plate


def _over(pixels: Rgba, upper: Rgba, opacity: np.float32) -> None:
    """Lay straight-alpha pixels over others, in place."""
    alpha = upper[..., _ALPHA] * (SAMPLE * opacity)
    lay(pixels, [upper[..., band] * SAMPLE * alpha for band in range(_ALPHA)], alpha, "over")
