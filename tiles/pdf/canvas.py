"""A page of a PDF as strips, drawn by pdfium band by band, in memory that does not grow with the page.

A band is drawn in the coordinates of the whole page, so that it has the very pixels that the page drawn at once would
have there. Content that pdfium draws differently when it is cut (`delicate_spans`) is drawn whole with every band that
shows some of it, as long as that takes no more than DRAWN_BYTES. Of what is larger, an image that stands askew or a
pattern may be out by a pixel from band to band, and edges in a transparency group by up to 3 levels in 255.

What pdfium decodes it decodes whole: an image in the page takes its own size in memory, whatever is drawn, and those
decoded before stay until they take 100 MB.
"""

import ctypes
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from pypdfium2 import raw

from config.errors import ArtworkError
from tiles.design import BYTES_PER_PX
from tiles.pdf.marks import Matrix
from tiles.pdf.placing import Span, delicate_spans, enlargement, to_pixels
from tiles.pdf.window import Bin, Window

Background = Literal["white", "transparent"]
Strip = NDArray[np.uint8]

BAND_BYTES = 16_000_000  # of rows to be shown; each band goes through the whole page: half as much takes twice as long
DRAWN_BYTES = 24_000_000  # of rows drawn for them
MARGIN_ROWS = 16  # drawn round a band: an enlarged image looks at the row beyond
LONGEST_SIDE_PX = 300_000  # 500 in at 600 DPI: longer than any press prints
WINDOW_BYTES = 2**31 - 1  # pdfium counts a bitmap's bytes in 31 bits here and there

_FLAGS = raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER | raw.FPDF_RENDER_LIMITEDIMAGECACHE
_FORMATS = {3: raw.FPDFBitmap_BGR, BYTES_PER_PX: raw.FPDFBitmap_BGRA}
_PAPER = 255


@dataclass(frozen=True, slots=True)
class View:
    """A part of a page as it is shown: shares of its width and height, y downwards."""

    left: float
    top: float
    width: float
    height: float


WHOLE_PAGE = View(0, 0, 1, 1)


class PageCanvas:
    """A page as strips, rows × width × bands: RGB on white, straight RGBA on nothing.

    Strips of any height come in any order, from one thread at a time; what was returned stays as it is. Where alpha is
    0, so are the colours. Made by `opened_canvas`.
    """

    def __init__(
        self,
        document: pypdfium2.PdfDocument,
        page: pypdfium2.PdfPage,
        size: tuple[int, int],
        background: Background,
        view: View,
    ) -> None:
        """Reserve room for the part `view` of `page` of `document`."""
        self.width, self.height = size
        self.bands = 3 if background == "white" else BYTES_PER_PX
        self._document, self._page = document, page
        self._whole = whole = size[0] / view.width, size[1] / view.height
        self._shift = -view.left * whole[0], -view.top * whole[1]
        self._matrix = enlargement(page, *whole)
        self._delicate = delicate_spans(page, to_pixels(page, *whole).then(Matrix(e=self._shift[0], f=self._shift[1])))
        pitch = self.width * self.bands
        self._band_rows = max(MARGIN_ROWS, BAND_BYTES // pitch)
        self._drawn_rows = max(self._band_rows + 2 * MARGIN_ROWS, DRAWN_BYTES // pitch)
        kind = Bin if document.formenv is not None else Window  # form fields are drawn without a clip
        self._window = kind(min(self.height, WINDOW_BYTES // pitch), pitch)
        self._there = ExitStack()  # of the band shown now
        self._band: Span = (0, 0)
        self._pixels: Strip

    def strip(self, top: int, rows: int) -> Strip:
        """Return rows `top` to `top + rows`."""
        strip = np.empty((rows, self.width, self.bands), np.uint8)
        row = top
        while row < top + rows:
            if not self._band[0] <= row < self._band[1]:
                self._show(row // self._band_rows)
            first, behind = self._band
            count = min(behind, top + rows) - row
            strip[row - top :][:count] = self._pixels[row - first :][:count]
            row += count
        if self.bands == BYTES_PER_PX:
            _clear_unseen(strip)
        return strip

    def close(self) -> None:
        """Give the room back."""
        self._band = (0, 0)
        self._there.close()
        self._window.close()

    def _show(self, number: int) -> None:
        """Draw a band, in place of the one that is there."""
        self._band = (0, 0)
        self._there.close()
        first = number * self._band_rows
        behind = min(self.height, first + self._band_rows)
        drawn_first, drawn_behind = self._drawn(first, behind)
        origin = self._origin(drawn_first)
        memory = self._there.enter_context(self._window.present(drawn_first - origin, drawn_behind - drawn_first))
        if self.bands != BYTES_PER_PX:
            memory.fill(_PAPER)
        self._draw(origin, drawn_first, drawn_behind)
        self._pixels = memory.reshape(-1, self.width, self.bands)[first - drawn_first :]
        self._band = (first, behind)

    def _drawn(self, first: int, behind: int) -> Span:
        """Return the rows to be drawn, for those from `first` to `behind` to be right."""
        drawn_first, drawn_behind = first - MARGIN_ROWS, behind + MARGIN_ROWS
        for top, bottom in self._delicate:
            if top < behind and bottom > first:
                wider = min(drawn_first, top), max(drawn_behind, bottom)
                if min(wider[1], self.height) - max(wider[0], 0) <= self._drawn_rows:
                    drawn_first, drawn_behind = wider
        return max(drawn_first, 0), min(drawn_behind, self.height)

    def _origin(self, drawn_first: int) -> int:
        """Return the page's row that is the window's first; 0 wherever the window is as high as the page."""
        if self.height == self._window.rows:
            return 0
        step = self._window.rows - self._drawn_rows
        return drawn_first // step * step

    def _draw(self, origin: int, first: int, behind: int) -> None:
        """Have pdfium draw rows of the page into the window, where they are there and filled with the ground."""
        matrix, window, (right, down) = self._matrix, self._window, self._shift
        rows = min(
            window.rows, self.height - origin
        )  # a lower bitmap: pdfium goes over what lies within it, clipped or not
        address = ctypes.c_void_p(window.address)
        bitmap = raw.FPDFBitmap_CreateEx(self.width, rows, _FORMATS[self.bands], address, window.pitch)
        if not bitmap:
            raise ArtworkError(f"pdfium makes no bitmap of {self.width:,} × {rows:,} pixels")
        try:
            placed = raw.FS_MATRIX(matrix.a, matrix.b, matrix.c, matrix.d, matrix.e + right, matrix.f + down - origin)
            clip = raw.FS_RECTF(0, first - origin, self.width, behind - origin)
            raw.FPDF_RenderPageBitmapWithMatrix(bitmap, self._page, placed, clip, _FLAGS)
            if self._document.formenv is not None:
                place = (round(right), round(down) - origin, *map(round, self._whole))
                raw.FPDF_FFLDraw(self._document.formenv, bitmap, self._page, *place, 0, _FLAGS)
        finally:
            raw.FPDFBitmap_Destroy(bitmap)


@contextmanager
def opened_canvas(
    document: pypdfium2.PdfDocument,
    page: pypdfium2.PdfPage,
    size: tuple[int, int],
    background: Background,
    view: View = WHOLE_PAGE,
) -> Iterator[PageCanvas]:
    """Yield a page of an open document, or a part of it, as a canvas of this size, width and height in pixels.

    It fills the canvas, whatever its own proportions. Raises ArtworkError for sides beyond LONGEST_SIDE_PX.
    """
    if max(size) > LONGEST_SIDE_PX:
        raise ArtworkError(f"{size[0]:,} × {size[1]:,} pixels: a side has at most {LONGEST_SIDE_PX:,}")
    canvas = PageCanvas(document, page, size, background, view)
    try:
        yield canvas
    finally:
        canvas.close()


def _clear_unseen(strip: Strip) -> None:
    """Set the colours to 0 where alpha is."""
    pixels = strip.view(np.uint32)[..., 0]  # little-endian: alpha is the upper byte
    pixels *= pixels >= 1 << 24
