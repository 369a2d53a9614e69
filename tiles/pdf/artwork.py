"""A page of a PDF as artwork: what it measures, and its pixels at any size. Runs in a child process."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from config.errors import ArtworkError
from tiles.geometry import Rect, spans
from tiles.pdf.canvas import WHOLE_PAGE, Strip, View, opened_canvas
from tiles.pdf.draw import opened_page, page_px, page_size, user_unit
from tiles.pdf.pdfium import opened_pages
from tiles.strips import strip_rows


def measured(pdf: Path, page: int | None, dpi: int) -> tuple[int, tuple[int, int]]:
    """Return which page is meant, counted from 1, and its width and height in pixels at `dpi`.

    None means the only page there is. Raises ArtworkError if there are several, or the page cannot be had; OSError if
    there is no such file.
    """
    with opened_pages(pdf) as document:
        if page is None and len(document) > 1:
            name = pdf.name if pdf.suffix.lower() == ".pdf" else "artwork.pdf"
            raise ArtworkError(f"the PDF has {len(document):,} pages; name one: {name}#page=1")
        number = page or 1
        with opened_page(document, number) as shown:
            return number, page_px(page_size(shown, user_unit(pdf, number)), dpi)


def drawn_rows(pdf: Path, page: int, size: tuple[int, int], view: View = WHOLE_PAGE) -> Iterator[Strip]:
    """Yield the rows of a page, or a part of it, drawn `size` pixels large: straight RGBA on nothing, some at a time.

    Raises ArtworkError if it cannot be drawn.
    """
    with (
        opened_pages(pdf) as document,
        opened_page(document, page) as shown,
        opened_canvas(document, shown, size, "transparent", view) as canvas,
    ):
        for top, rows in spans(canvas.height, strip_rows(canvas.width)):
            yield canvas.strip(top, rows)


def ink_box(pdf: Path, page: int, size: tuple[int, int], least_alpha: int) -> Rect:
    """Return the box of pixels at or above an alpha, of a page drawn `size` pixels large; empty if there are none."""
    columns, rows = np.zeros(size[0], np.bool_), []
    for strip in drawn_rows(pdf, page, size):
        inked = strip[..., 3] >= least_alpha
        columns |= inked.any(axis=0)
        rows.append(inked.any(axis=1))
    across, down = np.flatnonzero(columns), np.flatnonzero(np.concatenate(rows))
    if not len(across):
        return Rect(0, 0, 0, 0)
    left, top = int(across[0]), int(down[0])
    return Rect(left, top, int(across[-1]) + 1 - left, int(down[-1]) + 1 - top)
