"""Page ranges as people write them: `1-7`, `3,5,9-`, `-4`, `12-10`. Pages are counted from 1. Pure."""

import re
from collections.abc import Sequence

LARGEST_PAGE = 1_000_000  # more than any document has; beyond, a number is a mistake
_RANGE = re.compile(r"(\d{1,7})|(\d{1,7})?-(\d{1,7})?", re.ASCII)
_WRITE = "write page ranges such as 1-7 or 3,5,9-"


def check_page_ranges(value: str | int) -> str:
    """Return page ranges as text; ValueError if they are none, whatever document they are meant for."""
    text = str(value)
    for piece in text.split(","):
        match = _RANGE.fullmatch(piece.strip())
        if match is None or not any(match.groups()):
            raise ValueError(_WRITE)
        for number in filter(None, match.groups()):
            if int(number) < 1:
                raise ValueError("pages are counted from 1")
            if int(number) > LARGEST_PAGE:
                raise ValueError(f"no document has more than {LARGEST_PAGE:,} pages")
    return text


def parse_page_ranges(text: str, page_count: int) -> tuple[int, ...]:
    """Return the pages, from 1, that `text` means in a document of so many pages, in the order it names them.

    `9-` ends with the document, `-4` begins with it, `12-10` goes backwards. Raises ValueError naming what is outside.
    """
    pages: list[int] = []
    for piece in check_page_ranges(text).split(","):
        first, dash, last = piece.strip().partition("-")
        begin = int(first) if first else 1
        end = (int(last) if last else page_count) if dash else begin
        outside = [number for number in (begin, end) if number > page_count]
        if outside:
            raise ValueError(f"page {max(outside)} is outside the document, which has {pages_of(page_count)}")
        pages += range(begin, end + 1) if begin <= end else range(begin, end - 1, -1)
    return tuple(pages)


def format_page_ranges(pages: Sequence[int]) -> str:
    """Return pages as text that `parse_page_ranges` reads back: `1-7`, `3,5,9-11`."""
    pieces: list[tuple[int, int]] = []
    for page in pages:
        if pieces and page == pieces[-1][1] + 1:
            pieces[-1] = (pieces[-1][0], page)
        else:
            pieces.append((page, page))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in pieces)


def pages_of(count: int) -> str:
    """Return a number of pages in words."""
    return f"{count:,} page" if count == 1 else f"{count:,} pages"
