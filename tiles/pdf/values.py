"""The nouns of PDFs: a document, what it says of itself, and its outline. Nothing is opened here."""

from dataclasses import dataclass, field
from pathlib import Path

POINTS_PER_INCH = 72


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF on this machine: its content's SHA-256, where it lies, and what opens it. `password` is never shown."""

    sha256: str
    path: Path
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An entry of a document's outline that leads to a page, from 1. `level` is 1 for the outermost."""

    title: str
    level: int
    page: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What a document says of itself. `bookmarks` stand in their order; `repairs` say what had to be mended.

    `lost` pages are those that it says it has, and that cannot be read: `pages` counts without them.
    """

    pages: int
    title: str
    encrypted: bool
    bookmarks: tuple[Bookmark, ...]
    repairs: tuple[str, ...]
    lost: int = 0
