"""Whether two programs cut the same sections: the same pages in each, with the same pictures and the same words.

Run as a process of its own, `python -m bench.sections.likeness FOLDER OTHER_FOLDER`, which prints JSON: the libraries
it needs are then no part of the benchmark.
"""

import hashlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

import pikepdf
import pypdfium2

from bench.sections.results import Likeness

WORDS_OF = 5  # sections whose words are compared, spread evenly: reading takes pdfium far longer than hashing


def compare(folder: Path, other: Path) -> Likeness:
    """Compare the PDFs of two folders, in the order of their names."""
    own, others = (sorted(each.glob("*.pdf")) for each in (folder, other))
    pairs = list(zip(own, others, strict=False))
    read = pairs[:: max(1, len(pairs) // WORDS_OF)]
    return Likeness(
        sections=(len(own), len(others)),
        pages=sum(len(_pictures(file)) for file in own),
        other_pictures=sum(_pictures(one) != _pictures(two) for one, two in pairs),
        other_words=sum(_words(one) != _words(two) for one, two in read),
    )


def _pictures(file: Path) -> list[list[str]]:
    """Return, for each page, the hashes of its pictures as they are encoded."""
    with pikepdf.open(file) as document:
        return [
            sorted(hashlib.sha256(image.read_raw_bytes()).hexdigest() for image in page.get_images().values())
            for page in document.pages
        ]


def _words(file: Path) -> list[str]:
    with pypdfium2.PdfDocument(file) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


if __name__ == "__main__":
    print(json.dumps(asdict(compare(*map(Path, sys.argv[1:3])))))
