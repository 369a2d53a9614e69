"""The cover, and the page of contents with six words to begin with."""

from bench.course.furniture import across, columns, page
from bench.course.look import (
    A4,
    BODY,
    CHAPTERS,
    CYAN,
    FILM,
    FRONT,
    INK,
    LEFT,
    MAGENTA,
    MUTED,
    NAVY,
    RIGHT,
    RULE,
    SMALL,
    SMALL_LEADING,
    WHITE,
    YELLOW,
)
from bench.course.pictures import artwork
from bench.course.sheet import Sheet

_WORDS = (
    ("Film", "Clear sheet or roll that carries a print until it is transferred. Sold in widths from 12 to 24 in."),
    ("Gang sheet", "One length of film with the designs of many orders on it, packed as closely as cutting allows."),
    ("DPI", "Dots per inch. Of artwork: its pixels divided by the inches they are printed over."),
    ("RIP", "Raster image processor: the program that turns a picture into drops of five or more inks."),
    ("White", "The fifth ink. It lies between the colours and whatever they are put on, and makes them opaque."),
    ("Choke", "To draw the white in by a hair on all sides, so that it does not show around the colours."),
)
_FILM_X, _FILM_WIDTH = 352.0, 176.0


def draw(sheet: Sheet) -> None:
    """Draw both pages."""
    _cover(sheet)
    _contents(sheet)


def _cover(sheet: Sheet) -> None:
    width, height = A4
    sheet.begin(A4)
    sheet.entry(FRONT.title, FRONT.key, 0, height)
    sheet.box(0, 0, width, height, NAVY)
    _film(sheet, height)
    sheet.text("A SHORT COURSE", LEFT, height - 132, 9, "#8FA3C8", spacing=2.4)
    for line, words in enumerate(("Film in", "twelve", "pages")):
        sheet.text(words, LEFT - 3, height - 206 - line * 58, 54, WHITE, weight=1.1)
    for index, colour in enumerate((CYAN, MAGENTA, YELLOW, "#000000", WHITE)):
        sheet.box(LEFT + index * 30, height - 366, 30, 9, colour)
    sheet.words(
        "Printing on film for the people between the file and the press: artwork, colour, gang sheets, and what heat "
        "does to all of them.",
        LEFT,
        height - 394,
        242,
        11,
        18,
        "#C9D4EA",
    )
    sheet.text("DTF · UV-DTF · transfers · decals", LEFT, 62, 8.6, "#8FA3C8", spacing=0.5)
    sheet.end()


def _film(sheet: Sheet, height: float) -> None:
    """Draw a printed film that comes down from its roll and leaves the page."""
    x, width, roll = _FILM_X, _FILM_WIDTH, height - 92
    sheet.box(x + 7, -5, width, roll, "#0D1529")  # its shadow
    sheet.box(x, -5, width, roll, FILM)
    for index in range(24):
        y = 10 + index * 31
        for side in (x + 6, x + width - 10):
            sheet.box(side, y, 4, 10, "#C3CEDB", radius=1)
    for name, left, bottom, wide in (
        ("planet", 26, 598, 124),
        ("cactus", 26, 464, 58),
        ("rocket", 92, 460, 58),
        ("whale", 29, 362, 118),
        ("sunset", 30, 250, 116),
        ("cactus", 92, 126, 58),
        ("rocket", 26, 122, 58),
        ("whale", 29, 26, 118),
    ):
        sheet.picture(artwork(name), x + left, bottom, wide)
    for index in range(12):  # a cylinder, lit from above
        shade = (0x8A, 0xA2, 0xBC, 0xD2, 0xE2, 0xEC, 0xE6, 0xD8, 0xC6, 0xB2, 0x9C, 0x86)[index]
        sheet.box(
            x - 10,
            roll + 34 - index * 4.4,
            width + 20,
            4.7,
            f"#{shade:02X}{min(255, shade + 8):02X}{min(255, shade + 18):02X}",
        )
    sheet.ellipse(x - 10, roll + 12.3, 7, 26.4, "#5F7086")
    sheet.ellipse(x - 10, roll + 12.3, 2.8, 10.5, "#22304A")
    sheet.ellipse(x + width + 10, roll + 12.3, 7, 26.4, "#73859C")


def _contents(sheet: Sheet) -> None:
    with page(sheet, FRONT, 2) as top:
        whole = across(sheet, FRONT, top - 22)
        whole.heading("What is inside")
        whole.gap(12)
        y = whole.top
        for chapter in CHAPTERS[1:]:
            sheet.box(LEFT, y - 30, 30, 30, chapter.colour, radius=3)
            sheet.text(str(chapter.number), LEFT + 15, y - 20.5, 15, WHITE, anchor="centre", weight=0.4)
            sheet.text(chapter.title, LEFT + 46, y - 11, 13, INK, weight=0.3)
            sheet.words(chapter.summary, LEFT + 46, y - 17, 390, SMALL + 0.6, SMALL_LEADING, MUTED)
            sheet.text(str(chapter.page), A4[0] - RIGHT, y - 14, 13, chapter.colour, anchor="right", weight=0.3)
            sheet.line([(LEFT + 46, y - 43), (A4[0] - RIGHT, y - 43)], RULE, 0.6)
            sheet.link(chapter.key, LEFT, y - 36, A4[0] - LEFT - RIGHT, 40)
            y -= 58
        main, _ = columns(sheet, FRONT, y - 14)
        main.heading("Six words to begin with")
        for index, (word, meaning) in enumerate(_WORDS):
            column, row = index % 2, index // 2
            x, line = LEFT + column * 250, main.top - 8 - row * 74
            sheet.line([(x, line), (x + 26, line)], NAVY, 1.6)
            sheet.text(word, x, line - 15, BODY + 1, NAVY, weight=0.3)
            sheet.words(meaning, x, line - 19, 224, SMALL + 0.7, SMALL_LEADING + 1)
