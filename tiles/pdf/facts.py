"""What is found in a PDF section: values that become JSON as they stand, under the names of their fields."""

from dataclasses import dataclass

from tiles.pdf.boxes import Box
from tiles.pdf.images import PlacedImage
from tiles.pdf.ink import Ink


@dataclass(frozen=True, slots=True)
class Heading:
    """A bookmark: its level from 1, and the page it leads to, by its number in the document and in the section."""

    title: str
    level: int
    page: int
    section_page: int


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What is found on a page; `page` is its number in the document.

    `width_in`, `height_in` are what is seen of it, rotated as it is shown. `boxes` are those that differ from the media
    box (tiles/pdf/boxes.py). `characters` are those of the text but for white space. `images` are how many are placed,
    `coarse_images` those below 150 DPI, and `least_dpi` the resolution of the coarsest: fills, of fewer than 16 pixels
    a side, are not judged. `least_text_pt` is the smallest type, `least_line_pt` the thinnest stroke, 0 being as thin
    as a device can. They are None where there is nothing of the kind. `transparency` is whether anything
    is blended or see-through. `complete` is False if there are too many objects, of which only the first are looked at.
    """

    page: int
    width_in: float
    height_in: float
    boxes: dict[str, Box]
    words: int
    characters: int
    images: int
    coarse_images: int
    least_dpi: float | None
    least_text_pt: float | None
    least_line_pt: float | None
    transparency: bool
    complete: bool
    ink: Ink


@dataclass(frozen=True, slots=True)
class UnreadablePage:
    """A page that cannot be read, and why."""

    page: int
    error: str


@dataclass(frozen=True, slots=True)
class FontFacts:
    """A font that pages can use, and the document's number of the first; the other fields are those of `Font`.

    `used` is False only if it is sure that no visible text is set in it: many programs name fonts that they do not use.
    """

    name: str
    type: str
    embedded: bool
    subset: bool
    used: bool
    page: int


@dataclass(frozen=True, slots=True)
class SectionFacts:
    """What is found in a section. What goes beyond a list's bound is counted as left out."""

    words: int
    characters: int
    headings: tuple[Heading, ...]
    pages: tuple[PageFacts | UnreadablePage, ...]
    images: tuple[PlacedImage, ...]
    images_left_out: int
    fonts: tuple[FontFacts, ...]
    fonts_left_out: int
    findings: tuple[str, ...]
