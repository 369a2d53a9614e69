"""What every page has: a band where a chapter opens, a running head elsewhere, the page's number, tabs at the edge."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.course.column import Column
from bench.course.look import (
    A4,
    CHAPTERS,
    FOOT,
    FRONT,
    GUTTER,
    LEFT,
    MAIN,
    MUTED,
    PAGES,
    RIGHT,
    RULE,
    SIDE,
    WHITE,
    Chapter,
)
from bench.course.sheet import Point, Sheet, mixed

BAND, HEAD = 172.0, 58.0
_TAB, _TAB_STEP, _TAB_WIDTH = 46.0, 52.0, 11.0


@contextmanager
def page(sheet: Sheet, chapter: Chapter, number: int, size: Point = A4, band: float = BAND) -> Iterator[float]:
    """Draw a page around what is drawn meanwhile; the value is the height that its content begins at.

    A chapter's first page has a band with its title, and stands in the outline.
    """
    sheet.begin(size)
    opens = number == chapter.page
    top = _band(sheet, chapter, band) if opens else _running_head(sheet, chapter)
    _foot(sheet, number)
    _tabs(sheet, chapter)
    yield top
    sheet.end()


def columns(sheet: Sheet, chapter: Chapter, top: float) -> tuple[Column, Column]:
    """Return the column to be read and the one of notes, on an upright page."""
    main = Column(sheet, LEFT, top, MAIN, FOOT, chapter.colour)
    return main, Column(sheet, LEFT + MAIN + GUTTER, top, SIDE, FOOT, chapter.colour)


def across(sheet: Sheet, chapter: Chapter, top: float) -> Column:
    """Return one column from margin to margin."""
    return Column(sheet, LEFT, top, sheet.size[0] - LEFT - RIGHT, FOOT, chapter.colour)


def _band(sheet: Sheet, chapter: Chapter, band: float) -> float:
    width, height = sheet.size
    sheet.entry(chapter.title, chapter.key, 0, height)
    sheet.box(0, height - band, width, band, chapter.colour)
    base = height - band + 62
    if chapter.number:
        large = band * 0.86
        with sheet.within([(0, height - band), (width, height - band), (width, height), (0, height)]):
            sheet.text(
                str(chapter.number),
                width - RIGHT,
                height - band + 18,
                large,
                mixed(chapter.colour, WHITE, 0.2),
                anchor="right",
            )
    sheet.text(chapter.title, LEFT, base, 30, WHITE, weight=0.7)
    sheet.words(chapter.summary, LEFT, base - 10, 300, 10.2, 15, mixed(chapter.colour, WHITE, 0.86))
    return height - band - 30


def _running_head(sheet: Sheet, chapter: Chapter) -> float:
    width, height = sheet.size
    y = height - HEAD + 16
    sheet.box(LEFT, y - 1.2, 7, 7, chapter.colour)
    sheet.text(_title(chapter), LEFT + 13, y, 7.7, MUTED, spacing=0.3)
    if chapter is not FRONT:
        sheet.text(FRONT.title, width - RIGHT, y, 7.7, MUTED, anchor="right", spacing=0.3)
    sheet.line([(LEFT, y - 8), (width - RIGHT, y - 8)], RULE, 0.6)
    return height - HEAD - 16


def _foot(sheet: Sheet, number: int) -> None:
    width = sheet.size[0]
    sheet.text(f"{number} / {PAGES}", width - RIGHT, 34, 7.7, MUTED, anchor="right", spacing=0.3)


def _tabs(sheet: Sheet, chapter: Chapter) -> None:
    """Draw a tab for each chapter, that of this page in its colour."""
    width, height = sheet.size
    for each in CHAPTERS[1:]:
        y = height - 200 - each.number * _TAB_STEP
        colour = each.colour if each is chapter else "#E9E5DD"
        sheet.box(width - _TAB_WIDTH, y, _TAB_WIDTH, _TAB, colour)
        if each is chapter:
            sheet.text(
                str(each.number), width - _TAB_WIDTH / 2, y + _TAB / 2 - 3, 8, WHITE, anchor="centre", weight=0.2
            )


def _title(chapter: Chapter) -> str:
    return f"{chapter.number} · {chapter.title}" if chapter.number else chapter.title
