"""The bookmarks of a section's PDF, as headings."""

import ctypes
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import pypdfium2
from pypdfium2 import raw

from tiles.pdf.facts import Heading
from tiles.pdf.text import plain

MAX_HEADINGS = 500
_MAX_BOOKMARKS = 10_000  # looked at, whether or not they lead to a page
_MAX_DEPTH = 15
_MAX_TITLE = 200  # characters


def headings_of(document: pypdfium2.PdfDocument, pages: Sequence[int]) -> tuple[Heading, ...]:
    """Return the bookmarks that lead to a page, in their order, the first `MAX_HEADINGS`; `pages` are the numbers."""
    return tuple(islice(_headings(document, pages), MAX_HEADINGS))


def _headings(document: pypdfium2.PdfDocument, pages: Sequence[int]) -> Iterator[Heading]:
    for bookmark, level in islice(_bookmarks(document), _MAX_BOOKMARKS):
        destination = raw.FPDFBookmark_GetDest(document, bookmark)
        index = raw.FPDFDest_GetDestPageIndex(document, destination) if destination else -1
        title = _title(bookmark)
        if title and 0 <= index < len(pages):
            yield Heading(title, level, pages[index], index + 1)


def _bookmarks(document: pypdfium2.PdfDocument) -> Iterator[tuple[Any, int]]:
    """Yield (bookmark, level) from top to bottom. An outline that is a circle ends where it would begin again."""
    seen: set[int] = set()
    levels = [raw.FPDFBookmark_GetFirstChild(document, None)]
    while levels:
        bookmark = levels.pop()
        if not bookmark or ctypes.addressof(bookmark.contents) in seen:
            continue
        seen.add(ctypes.addressof(bookmark.contents))
        yield bookmark, len(levels) + 1
        levels.append(raw.FPDFBookmark_GetNextSibling(document, bookmark))
        if len(levels) < _MAX_DEPTH:
            levels.append(raw.FPDFBookmark_GetFirstChild(document, bookmark))


def _title(bookmark: Any) -> str:
    """Return a title on one line."""
    length = raw.FPDFBookmark_GetTitle(bookmark, None, 0)
    buffer = ctypes.create_string_buffer(length)
    raw.FPDFBookmark_GetTitle(bookmark, buffer, length)
    return " ".join(plain(buffer.raw.decode("utf-16-le", errors="replace")).split())[:_MAX_TITLE]
