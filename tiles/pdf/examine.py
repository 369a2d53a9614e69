"""Looking into a PDF section as a print shop would before it prints it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pikepdf
import pypdfium2

from config.errors import ArtworkError
from tiles.pdf.boxes import Box, boxes_of, user_unit_of
from tiles.pdf.eachpage import each_page
from tiles.pdf.facts import FontFacts, PageFacts, SectionFacts, UnreadablePage
from tiles.pdf.findings import findings_of, is_coarse
from tiles.pdf.headings import headings_of
from tiles.pdf.images import PlacedImage, StoredImages, placed
from tiles.pdf.ink import LONGEST_PX, drawn_small, ink_of
from tiles.pdf.marks import Marks, marks_on
from tiles.pdf.pdfium import opened_pages
from tiles.pdf.reachable import Reachable
from tiles.pdf.text import text_of
from tiles.pdf.values import POINTS_PER_INCH

MAX_IMAGES = 200  # listed of a section: more are strips and tiles, which are alike
MAX_FONTS = 200
_FEWEST_PX = 16  # a side: less is a fill, a gradient or a pattern, whose pixels are meant to be large
_SIZE_DIGITS = 3
_POINT_DIGITS = 2
_REMEDY = "Export the document again."
_UNREADABLE = "it cannot be read"


@dataclass(frozen=True, slots=True)
class _Build:
    """What a PDF says of itself: UserUnit and boxes page by page, and what these can reach."""

    user_units: tuple[float, ...]
    boxes: tuple[dict[str, Box], ...]
    reachable: Reachable
    stored: StoredImages


@dataclass(slots=True)
class _Found:
    """What was found so far; `images` are the first `MAX_IMAGES`."""

    pages: list[PageFacts | UnreadablePage] = field(default_factory=list)
    images: list[PlacedImage] = field(default_factory=list)
    font_names: set[str] = field(default_factory=set)


def examine(pdf: Path, pages: Sequence[int]) -> SectionFacts:
    """Return what is found in the PDF of a section, whose pages have these numbers in the document.

    One page is held at a time. A page that cannot be read is one among the others; ArtworkError is raised if the PDF
    cannot be opened, or does not hold as many pages.
    """
    build = _build_of(pdf)
    found = _Found()
    with opened_pages(pdf) as document:
        if len(document) != len(pages):
            raise ArtworkError(f"the section has {len(document):,} pages where {len(pages):,} were to be in it")
        if len(document) != len(build.boxes):
            raise ArtworkError("the PDF is damaged: it is not clear how many pages it has", _REMEDY)
        headings = headings_of(document, pages)
    for index, page in enumerate(each_page(pdf)):
        found.pages.append(_page_facts(page, index, pages[index], build, found))
    fonts = _fonts_of(build.reachable, found.font_names, pages)
    readable = [page for page in found.pages if isinstance(page, PageFacts)]
    return SectionFacts(
        words=sum(page.words for page in readable),
        characters=sum(page.characters for page in readable),
        headings=headings,
        pages=tuple(found.pages),
        images=tuple(found.images),
        images_left_out=sum(page.images for page in readable) - len(found.images),
        fonts=tuple(fonts[:MAX_FONTS]),
        fonts_left_out=len(fonts[MAX_FONTS:]),
        findings=findings_of(found.pages, fonts, build.reachable.complete),
    )


def _build_of(pdf: Path) -> _Build:
    reachable = Reachable()
    user_units, boxes = [], []
    try:
        with pikepdf.Pdf.open(pdf) as document:
            for number, page in enumerate(document.pages, start=1):
                user_units.append(user_unit_of(page.obj))
                boxes.append(boxes_of(page.obj))
                reachable.add_page(page.obj, number)
    except pikepdf.PdfError:
        raise ArtworkError("the PDF cannot be read: it is damaged", _REMEDY) from None
    return _Build(tuple(user_units), tuple(boxes), reachable, StoredImages(reachable.images))


def _page_facts(
    page: pypdfium2.PdfPage | None, index: int, number: int, build: _Build, found: _Found
) -> PageFacts | UnreadablePage:
    """Return what is found on a page; its images and fonts are added to what was found before."""
    if page is None:
        return UnreadablePage(number, _UNREADABLE)
    try:
        unit = build.user_units[index]
        marks = marks_on(page)
        images = placed(page, number, unit, marks.images, build.stored)
        facts = _facts(page, number, build.boxes[index], unit, marks, images)
    except pypdfium2.PdfiumError:
        return UnreadablePage(number, _UNREADABLE)
    found.images.extend(images[: MAX_IMAGES - len(found.images)])
    found.font_names |= marks.fonts
    return facts


def _facts(
    page: pypdfium2.PdfPage,
    number: int,
    boxes: dict[str, Box],
    unit: float,
    marks: Marks,
    images: Sequence[PlacedImage],
) -> PageFacts:
    text = text_of(page)
    words = text.split()
    judged = [image.dpi for image in images if min(image.width_px, image.height_px) >= _FEWEST_PX]
    return PageFacts(
        page=number,
        width_in=round(page.get_width() * unit / POINTS_PER_INCH, _SIZE_DIGITS),
        height_in=round(page.get_height() * unit / POINTS_PER_INCH, _SIZE_DIGITS),
        boxes=boxes,
        words=len(words),
        characters=sum(map(len, words)),
        images=len(images),
        coarse_images=sum(map(is_coarse, judged)),
        least_dpi=min(judged, default=None),
        least_text_pt=_points(marks.least_text_pt, unit),
        least_line_pt=_points(marks.least_line_pt, unit),
        transparency=marks.transparency or any(image.transparent for image in images),
        complete=marks.complete,
        ink=ink_of(drawn_small(page, LONGEST_PX)),
    )


def _fonts_of(reachable: Reachable, names: set[str], pages: Sequence[int]) -> list[FontFacts]:
    """Return the fonts, told by the `names` that pdfium gives whether they are used.

    If it names one that is not there, that goes by another name with it: then all may be used. Type3 has no names.
    """
    is_sure = names <= {"" if font.type == "Type3" else font.name for font in reachable.fonts}
    return [
        FontFacts(
            name=font.name,
            type=font.type,
            embedded=font.embedded,
            subset=font.subset,
            used=not is_sure or reach.aside or font.type == "Type3" or font.name in names,
            page=pages[reach.page - 1],
        )
        for font, reach in reachable.fonts.items()
    ]


def _points(length: float | None, unit: float) -> float | None:
    return None if length is None else round(length * unit, _POINT_DIGITS)
