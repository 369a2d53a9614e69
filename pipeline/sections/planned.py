"""A section that is to be made: its pages, and what its files are called. Known to children too, so it knows little."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.sections import SectionsJob

IMAGE_SUFFIXES = {"png": ".png", "tiff": ".tif"}
PREVIEW_SUFFIX = ".preview.png"


@dataclass(frozen=True, slots=True)
class PlannedSection:
    """A section that is to be made: `number` counts from 1, `pages` are the document's, from 1, in their order.

    `stem` is what its files' names begin with; `key` tells whether what lies there was made of the same.
    """

    number: int
    title: str
    pages: tuple[int, ...]
    stem: str
    key: str

    @property
    def pdf(self) -> str:
        """The file of the section itself."""
        return f"{self.stem}.pdf"

    @property
    def text(self) -> str:
        """The file of its text."""
        return f"{self.stem}.txt"

    @property
    def preview(self) -> str:
        """The file of the small picture of its first page."""
        return f"{self.stem}{PREVIEW_SUFFIX}"

    def image(self, position: int, form: str) -> str:
        """Return the file of a page as an image; `position` is the page's in the section, from 1."""
        return f"{self.stem}_p{position:03}{IMAGE_SUFFIXES[form]}"

    def files(self, job: "SectionsJob") -> Iterator[str]:
        """Yield the files that there are to be of it."""
        yield self.pdf
        if job.output.text:
            yield self.text
        if job.output.preview:
            yield self.preview
        if job.pages is not None:
            yield from (self.image(position, job.pages.format) for position in range(1, len(self.pages) + 1))
