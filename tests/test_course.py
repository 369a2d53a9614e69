"""The embedded example's document, and the program that draws it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from bench.course.artwork import COARSE_DPI, NOT_EMBEDDED
from bench.course.book import make
from bench.course.column import Column
from bench.course.look import CHAPTERS, FOOT, PAGES, SHIPPED, TEAL
from bench.course.sheet import Area, Sheet
from config.loader import load_pipeline
from config.sections import ByOutline, SectionsJob

LARGEST_BYTES = 500_000
LEAST_DPI = 150  # of every picture but the one that is coarse on purpose
Box = tuple[int, int]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("course") / "lessons.pdf"
    make(file)
    return file


@pytest.fixture
def shipped() -> Iterator[pikepdf.Pdf]:
    with pikepdf.open(SHIPPED) as document:
        yield document


def test_what_ships_is_what_the_program_draws(drawn: Path, shipped: pikepdf.Pdf) -> None:
    with pikepdf.open(drawn) as again:
        assert outline(shipped) == outline(again)
        assert [looks(page) for page in shipped.pages] == [looks(page) for page in again.pages]


def test_the_same_bytes_are_drawn_again(drawn: Path, tmp_path: Path) -> None:
    make(tmp_path / "again.pdf")

    assert (tmp_path / "again.pdf").read_bytes() == drawn.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.pdf"]


def test_it_has_twelve_pages_one_across_and_one_to_fold_out_and_stays_small(shipped: pikepdf.Pdf) -> None:
    upright, across, poster = (210, 297), (297, 210), (420, 297)

    assert [size_mm(page) for page in shipped.pages] == [*[upright] * 8, across, *[upright] * 2, poster]
    assert len(shipped.pages) == PAGES
    assert SHIPPED.stat().st_size < LARGEST_BYTES


def test_the_outline_has_every_chapter_where_it_begins_and_headings_below(shipped: pikepdf.Pdf) -> None:
    entries = outline(shipped)

    chapters = [(title, page) for level, title, page in entries if level == 1]
    assert [page for _, page in chapters] == [chapter.page for chapter in CHAPTERS]
    assert [title for title, _ in chapters] == [chapter.title for chapter in CHAPTERS]
    assert {level for level, _, _ in entries} == {1, 2}
    assert len([level for level, _, _ in entries if level == 2]) > 15


def test_the_contents_lead_to_the_chapters(shipped: pikepdf.Pdf) -> None:
    targets = [target(shipped, annotation.Dest) for annotation in list(shipped.pages[1].Annots)]

    assert targets == [chapter.page for chapter in CHAPTERS[1:]]


def test_one_font_is_missing_on_one_page_and_all_others_are_there(shipped: pikepdf.Pdf) -> None:
    missing = [(number, name) for number, name, embedded in fonts(shipped) if not embedded]

    assert missing == [(6, NOT_EMBEDDED)]
    assert all("TilepressSans" in name for _, name, embedded in fonts(shipped) if embedded)


def test_one_picture_is_coarse_and_no_other(shipped: pikepdf.Pdf) -> None:
    found = [(number, dpi) for number, page in enumerate(shipped.pages, 1) for dpi in resolutions(page)]

    coarse = [(number, round(dpi)) for number, dpi in found if dpi < LEAST_DPI]
    assert coarse == [(5, COARSE_DPI)]
    assert len({number for number, _ in found}) == 7


def test_a_page_has_only_the_pictures_that_it_shows(shipped: pikepdf.Pdf) -> None:
    assert [len(images(page)) for page in shipped.pages] == [5, 0, 2, 1, 2, 0, 0, 0, 5, 2, 0, 2]


def test_too_much_for_a_page_is_an_error(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "full.pdf", "Full", "A page that overflows")
    sheet.begin((200, 200))
    column = Column(sheet, 20, FOOT + 50, 160, FOOT, TEAL)

    with pytest.raises(ValueError, match="points too much on page 1"):
        column.figure(70, draw_nothing)


def test_the_example_takes_it_apart_by_its_chapters() -> None:
    (job,) = load_pipeline(SHIPPED.with_name("sections.yaml"), {}).jobs

    assert isinstance(job, SectionsJob)
    assert (job.document, job.sections) == (SHIPPED.name, ByOutline(outline=True, depth=1))


def draw_nothing(sheet: Sheet, area: Area) -> None:
    pass


def size_mm(page: pikepdf.Page) -> Box:
    left, low, right, high = (float(edge) for edge in page.mediabox.as_list())
    return round((right - left) / 72 * 25.4), round((high - low) / 72 * 25.4)


def looks(page: pikepdf.Page) -> tuple[Box, bytes, list[Box]]:
    """Return what a page is made of; how streams are compressed, and pictures encoded, is their libraries' business."""
    pictures = [(int(image.Width), int(image.Height)) for _, image in sorted(images(page).items())]
    return size_mm(page), page.Contents.read_bytes(), pictures


def outline(document: pikepdf.Pdf) -> list[tuple[int, str, int]]:
    """Return (level, title, page), from 1, of every entry."""
    with document.open_outline() as opened:
        return [entry for item in opened.root for entry in entries_of(document, item, 1)]


def entries_of(document: pikepdf.Pdf, item: pikepdf.OutlineItem, level: int) -> list[tuple[int, str, int]]:
    own = (level, item.title, target(document, item.destination))
    return [own, *(entry for child in item.children for entry in entries_of(document, child, level + 1))]


def target(document: pikepdf.Pdf, destination: Any) -> int:
    """Return the page that a destination leads to, from 1."""
    if not isinstance(destination, pikepdf.Array):
        destination = document.Root.Dests[f"/{str(destination).removeprefix('/')}"]
    return [page.objgen for page in document.pages].index(destination[0].objgen) + 1


def fonts(document: pikepdf.Pdf) -> list[tuple[int, str, bool]]:
    """Return (page, name, whether it is embedded) of every font of every page."""
    found = []
    for number, page in enumerate(document.pages, 1):
        for font in page.Resources.Font.as_dict().values():
            embedded = "/FontDescriptor" in font and "/FontFile2" in font.FontDescriptor
            found.append((number, str(font.BaseFont).removeprefix("/"), embedded))
    return found


def images(page: pikepdf.Page) -> dict[str, pikepdf.Object]:
    """Return a page's pictures by their names."""
    return dict(page.Resources.get("/XObject", pikepdf.Dictionary()).items())


def resolutions(page: pikepdf.Page) -> list[float]:
    """Return the dots per inch of every picture that a page puts down, which its program does by `cm` before `Do`."""
    found, wide, pictures = [], 0.0, images(page)
    for instruction in pikepdf.parse_content_stream(page, "cm Do"):
        if str(instruction.operator) == "cm":
            wide = float(instruction.operands[0])
        else:
            found.append(int(pictures[str(instruction.operands[0])].Width) / wide * 72)
    return found
