"""How much ink a page takes, estimated from a small picture of it."""

import math
from dataclasses import dataclass

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from pypdfium2 import raw

from config.errors import ArtworkError

LONGEST_PX = 600  # 1/20 in on a letter: areas are measured to a thousandth, and a page is drawn in some milliseconds
_BLOCK = 8  # pixels: a patch of 1 to 2 mm on a letter, large enough not to be one letter's stem
_WHITE = 250  # of 255: paper that went through JPEG is not quite white
_DIGITS = 3
_FLAGS = raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER | raw.FPDF_RENDER_LIMITEDIMAGECACHE

Picture = NDArray[np.uint8]  # rows × columns × RGB


@dataclass(frozen=True, slots=True)
class Ink:
    """An estimate of a page's ink; all values are shares, 1 being a solid area of one ink on the whole page.

    `covered` of the page is not white. `cyan` to `black` are means over the page, `total` is their sum, and `most` is
    the greatest sum on any patch of 8×8 pixels. Colours are taken for sRGB on white paper and parted by the plain rule
    of PDF (ISO 32000-1, 10.3.4): K = min(1−R, 1−G, 1−B), C = 1−R−K, and so on. As all grey goes into black, sums stay
    below 2; a press profile would put more ink there.
    """

    covered: float
    cyan: float
    magenta: float
    yellow: float
    black: float
    total: float
    most: float


def small_page(document: pypdfium2.PdfDocument, index: int, longest_px: int) -> Picture:
    """Return a page, counted from 0, drawn on white, its longer side `longest_px`; ArtworkError if it is unreadable."""
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        raise ArtworkError(f"page {index + 1} cannot be read", "Export the document again.") from None
    try:
        return drawn_small(page, longest_px)
    finally:
        page.close()


def drawn_small(page: pypdfium2.PdfPage, longest_px: int) -> Picture:
    """Return an open page drawn on white, as it lies when opened, its longer side `longest_px` whatever its size."""
    width_px, height_px = _size_px(page.get_width(), page.get_height(), longest_px)
    bitmap = pypdfium2.PdfBitmap.new_native(width_px, height_px, raw.FPDFBitmap_BGR, rev_byteorder=True)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width_px, height_px)
        raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width_px, height_px, 0, _FLAGS)
        if page.formenv is not None:  # else form fields are drawn as annotations, or not at all
            raw.FPDF_FFLDraw(page.formenv, bitmap, page, 0, 0, width_px, height_px, 0, _FLAGS)
        return np.array(bitmap.to_numpy(), np.uint8)
    finally:
        bitmap.close()


def ink_of(picture: Picture) -> Ink:
    """Return the estimate for a page's picture."""
    red, green, blue = (np.ascontiguousarray(picture[..., light]) for light in range(3))
    black = 255 - np.maximum(np.maximum(red, green), blue)
    mean_black = float(black.mean())
    parts = [(255 - float(light.mean()) - mean_black) / 255 for light in (red, green, blue)]
    parts.append(mean_black / 255)
    covered = float((np.minimum(np.minimum(red, green), blue) < _WHITE).mean())
    inks = np.uint16(3 * 255) - red - green - blue - black - black  # of all four: each light lacking, less the black
    return Ink(*(round(value, _DIGITS) + 0.0 for value in (covered, *parts, sum(parts), _most(inks))))


def _most(inks: NDArray[np.uint16]) -> float:
    """Return the greatest mean of a block, as a share; blocks at the right and bottom may be smaller."""
    heights, widths = (_block_lengths(length) for length in inks.shape)
    totals = _summed(_summed(inks.astype(np.uint32), axis=0), axis=1)
    return float((totals / np.outer(heights, widths)).max()) / 255


def _summed(values: NDArray[np.uint32], axis: int) -> NDArray[np.uint32]:
    return np.add.reduceat(values, np.arange(0, values.shape[axis], _BLOCK), axis=axis)


def _block_lengths(length: int) -> NDArray[np.int64]:
    return np.diff(np.append(np.arange(0, length, _BLOCK), length))


def _size_px(width: float, height: float, longest_px: int) -> tuple[int, int]:
    if not (0 < width < math.inf and 0 < height < math.inf):
        return longest_px, longest_px
    longest = max(width, height)
    return max(1, round(longest_px * width / longest)), max(1, round(longest_px * height / longest))
