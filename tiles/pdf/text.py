"""The text of a PDF, page by page, as plain lines."""

from collections.abc import Iterator
from pathlib import Path

import pypdfium2

from tiles.pdf.eachpage import each_page
from tiles.sinks.sink import AtomicFile, SheetFile, write_atomically

PAGE_END = "\f"
_PLAIN = {
    **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF), ""),
    0x09: " ",
    0x0A: "\n",
    0x0B: "\n",
    0x0C: "\n",
    0x85: "\n",
    0x2028: "\n",
    0x2029: "\n",
    0x02: "-",  # how pdfium marks a hyphen at the end of a line, having joined the next line to it
}


def page_texts(pdf: Path) -> Iterator[str]:
    r"""Yield each page's text in order; "" where there is none, or where the page cannot be read.

    It is what lies on the page, in the order of its content. Lines end with `\n`, the last one has no end; there are
    no other control characters, and no lone surrogates.

    Raises ArtworkError if the PDF cannot be opened.
    """
    for page in each_page(pdf):
        try:
            yield "" if page is None else text_of(page)
        except pypdfium2.PdfiumError:
            yield ""


def write_text(pdf: Path, target: Path) -> SheetFile:
    r"""Write a PDF's text as UTF-8: pages are separated by form feeds, and each line ends with `\n`.

    The file appears whole or not at all. One page is held at a time, and the same PDF gives the same bytes.

    Raises ArtworkError if the PDF cannot be opened.
    """

    def fill(file: AtomicFile) -> None:
        for index, text in enumerate(page_texts(pdf)):
            lines = f"{text}\n" if text else ""
            file.write(f"{PAGE_END if index else ''}{lines}".encode())

    return write_atomically(target, fill)


def text_of(page: pypdfium2.PdfPage) -> str:
    """Return the text of an open page, as `page_texts` does; raise PdfiumError if it cannot be read."""
    text_page = page.get_textpage()
    try:
        return plain(text_page.get_text_bounded(errors="replace"))
    finally:
        text_page.close()


def plain(text: str) -> str:
    r"""Return text with `\n` for every kind of line end, and without other control characters."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").translate(_PLAIN)
    return lines.strip("\n")
