"""Going through a PDF's pages one after another, in memory that does not grow with the document."""

from collections.abc import Iterator
from pathlib import Path

import pypdfium2

from tiles.pdf.pdfium import opened_pages

KEPT_BYTES = 16_000_000  # pdfium may hold that much of a document; opening another takes a millisecond or two


def each_page(pdf: Path) -> Iterator[pypdfium2.PdfPage | None]:
    """Yield each page in order, open until the next is asked for; None for one that cannot be read.

    pdfium keeps whatever stream it has read as long as the document is open, so that a large one is opened anew for
    every page. Raises ArtworkError if it cannot be opened.
    """
    is_large = pdf.stat().st_size > KEPT_BYTES
    done, count = 0, 1
    while done < count:
        with opened_pages(pdf) as document:
            count = len(document)
            stop = done + 1 if is_large else count
            for index in range(done, stop):
                yield from _opened(document, index)
            done = stop


def _opened(document: pypdfium2.PdfDocument, index: int) -> Iterator[pypdfium2.PdfPage | None]:
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        yield None
        return
    try:
        yield page
    finally:
        page.close()
