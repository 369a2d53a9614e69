"""Small pictures for people: a drawing from SVG, and a finished sheet shrunk onto a light ground."""

from pathlib import Path

import pyvips

_LIGHT, _DARK, _SQUARE = 255, 232, 12  # the chequered ground on which transparency is shown


def draw_svg(svg: str) -> bytes:
    """Return SVG text of our own making as a PNG."""
    return bytes(pyvips.Image.svgload_buffer(svg.encode(), unlimited=True).pngsave_buffer())


def shrink_sheet(sheet: Path, longest_px: int) -> bytes:
    """Return a PNG of the sheet with its longer side `longest_px`, on a chequered ground; in one pass."""
    image = pyvips.Image.thumbnail(str(sheet), longest_px, height=longest_px, size="down", fail_on="warning")
    tile = pyvips.Image.black(2 * _SQUARE, 2 * _SQUARE) + _LIGHT
    tile = tile.draw_rect(_DARK, 0, 0, _SQUARE, _SQUARE, fill=True)
    tile = tile.draw_rect(_DARK, _SQUARE, _SQUARE, _SQUARE, _SQUARE, fill=True).cast("uchar")
    ground = tile.replicate(image.width // tile.width + 1, image.height // tile.height + 1)
    ground = ground.crop(0, 0, image.width, image.height).bandjoin([ground.crop(0, 0, image.width, image.height)] * 2)
    flat = ground.copy(interpretation="srgb").composite2(image, "over").flatten()
    return bytes(flat.pngsave_buffer(filter="all", keep="none"))
