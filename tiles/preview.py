"""Small pictures for people: a drawing from SVG, and a finished sheet shrunk onto a light ground."""

from collections.abc import Sequence
from pathlib import Path

import pyvips

_PAPER, _SHIM = [255.0, 255.0, 255.0], 8  # of a contact sheet: its ground, and the gap between pictures
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


def contact_sheet(photos: Sequence[Path], columns: int, cell_px: int) -> bytes:
    """Return a JPEG of pictures side by side, `columns` in a row, each within a square of `cell_px`."""
    cells = [
        pyvips.Image.thumbnail(str(photo), cell_px, height=cell_px, fail_on="warning").colourspace("srgb")
        for photo in photos
    ]
    flat = [cell.flatten(background=_PAPER) if cell.hasalpha() else cell for cell in cells]
    sheet = pyvips.Image.arrayjoin(
        flat,
        across=columns,
        shim=_SHIM,
        background=_PAPER,
        hspacing=max(cell.width for cell in flat),
        vspacing=max(cell.height for cell in flat),
        halign="centre",
        valign="centre",
    )
    return bytes(sheet.jpegsave_buffer(Q=88, keep="none"))
