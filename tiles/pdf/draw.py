"""Pages of PDFs as pictures: files of any size, and small ones for people. Runs in a child process."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pypdfium2
import pyvips

from config.errors import ArtworkError
from config.units import inches_to_px
from tiles.pdf.boxes import user_unit_of
from tiles.pdf.canvas import Background, opened_canvas
from tiles.pdf.document import opened
from tiles.pdf.ink import small_page
from tiles.pdf.pdfium import opened_pages
from tiles.pdf.values import POINTS_PER_INCH, Document
from tiles.sinks import open_sink
from tiles.sinks.sink import SheetFile, SheetFormat
from tiles.strips import render
from tiles.vips import srgb_profile

Format = Literal["png", "tiff"]

_EXPORT_AGAIN = "Export the document again."
_OPAQUE = 255


@dataclass(frozen=True, slots=True)
class PageSize:
    """What a page measures as it is shown, upright: its CropBox within its MediaBox, after Rotate and UserUnit."""

    width_pt: float
    height_pt: float


def draw_page(
    pdf: Path,
    page: int,
    dpi: int,
    background: Background,
    target: Path,
    format: Format,
    threads: int,
    max_pixels: int,
    password: str = "",
) -> tuple[SheetFile, tuple[int, int]]:
    """Draw a page, counted from 1, into the file `target`, which appears whole or not at all; return its pixels too.

    It is tagged with `dpi` and sRGB, and has alpha if its background is transparent. Raises ArtworkError for a page
    that cannot be drawn or would have more than `max_pixels`, before anything is; OSError for the disk.
    """
    with opened_pages(pdf, password) as document, opened_page(document, page) as shown:
        size = page_px(page_size(shown, user_unit(pdf, page, password)), dpi)
        _check_pixels(size, dpi, max_pixels)
        with opened_canvas(document, shown, size, background) as canvas:
            sheet = SheetFormat(*size, dpi, srgb_profile(), threads, bands=canvas.bands)
            return render(canvas, open_sink(format, target, sheet)), size


def thumbnail(pdf: Path, page: int, longest_px: int, password: str = "") -> bytes:
    """Return a PNG of a page, counted from 1, on white; its longer side has `longest_px`."""
    with opened_pages(pdf, password) as document:
        pixels = small_page(document, page - 1, longest_px)
    height, width, bands = pixels.shape
    image = pyvips.Image.new_from_memory(np.ascontiguousarray(pixels).data, width, height, bands, "uchar")
    return bytes(image.copy(interpretation="srgb").pngsave_buffer(filter="all"))


@contextmanager
def opened_page(document: pypdfium2.PdfDocument, page: int) -> Iterator[pypdfium2.PdfPage]:
    """Yield a page, counted from 1; it is closed at the end. Raises ArtworkError if there is none."""
    _check_number(page, len(document))
    try:
        shown = document[page - 1]
    except pypdfium2.PdfiumError:
        raise ArtworkError("the page cannot be read", _EXPORT_AGAIN) from None
    try:
        yield shown
    finally:
        shown.close()


def page_size(page: pypdfium2.PdfPage, unit: float = 1.0) -> PageSize:
    """Return what a page measures; `unit` is its UserUnit, of which pdfium knows nothing.

    pdfium counts in single precision: what lies behind a thousandth of a point is not the document's. Raises
    ArtworkError for a page without any size.
    """
    width, height = round(page.get_width(), 3) * unit, round(page.get_height(), 3) * unit
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise ArtworkError("the page has no size: its boxes are empty", _EXPORT_AGAIN)
    return PageSize(width, height)


def page_px(size: PageSize, dpi: int) -> tuple[int, int]:
    """Return a page's width and height in pixels; raise ArtworkError if it has not even one."""
    width, height = (inches_to_px(side / POINTS_PER_INCH, dpi) for side in (size.width_pt, size.height_pt))
    if not (width and height):
        raise ArtworkError(f"the page has no pixel at {dpi} DPI: it measures {size.width_pt:g} × {size.height_pt:g} pt")
    return width, height


def user_unit(pdf: Path, page: int, password: str = "") -> float:
    """Return the points that a page's unit stands for (ISO 32000-1, 14.11.2): 1 unless it says more.

    Raises ArtworkError if the document cannot be read, or has no such page.
    """
    with opened(Document("", pdf, password)) as document:
        _check_number(page, len(document.pages))
        return user_unit_of(document.pages[page - 1].obj)


def _check_number(page: int, pages: int) -> None:
    if not 1 <= page <= pages:
        raise ArtworkError(f"there is no page {page:,}: the PDF has {pages:,}")


def _check_pixels(size: tuple[int, int], dpi: int, max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ArtworkError(
            f"it has {width:,} × {height:,} pixels at {dpi} DPI; at most {max_pixels:,} are accepted",
            "Have it drawn at a lower DPI.",
        )
