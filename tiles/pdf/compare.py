"""Whether two PDFs show the same: as many pages, of the same sizes, with the same text and the same picture."""

from pathlib import Path

import numpy as np

from tiles.pdf.ink import small_page
from tiles.pdf.pdfium import opened_pages
from tiles.pdf.text import page_texts

LONGEST_PX = 600  # of a page's picture: letters are still told apart
SAME_LEVELS = 2.0  # that pictures may differ by, on the average of their worst row


def compare(one: Path, other: Path) -> str:
    """Return how two PDFs differ, in one line; "" if they show the same. ArtworkError if one cannot be read."""
    with opened_pages(one) as first, opened_pages(other) as second:
        if len(first) != len(second):
            return f"it has {len(first)} pages, not {len(second)}"
        for index, (text, other_text) in enumerate(zip(page_texts(one), page_texts(other), strict=True)):
            if text != other_text:
                return f"its page {index + 1} has another text"
            pictures = [small_page(document, index, LONGEST_PX) for document in (first, second)]
            if pictures[0].shape != pictures[1].shape:
                return f"its page {index + 1} has another size"
            apart = np.abs(pictures[0].astype(np.int16) - pictures[1]).mean(axis=(1, 2)).max()
            if apart > SAME_LEVELS:
                return f"its page {index + 1} looks different"
    return ""
