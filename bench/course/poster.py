"""The last page: a poster of A3, to be hung up beside the press."""

from bench.course.column import Column
from bench.course.furniture import page
from bench.course.look import (
    A3_LANDSCAPE,
    AMBER,
    ARTWORK,
    AT_THE_PRESS,
    BLUE,
    COLOUR,
    CORAL,
    FOOT,
    GANG_SHEETS,
    INK,
    INTRODUCTION,
    LEFT,
    MUTED,
    NAVY,
    RIGHT,
    TEAL,
    VIOLET,
    WHITE,
)
from bench.course.pictures import artwork, photograph
from bench.course.sheet import Sheet, mixed

_STEPS = (
    (CORAL, "Look at the file", "Pixels ÷ inches. 150 or more."),
    (CORAL, "Clear the edges", "Transparent, hard, no glow."),
    (VIOLET, "Check the colour", "sRGB, profile embedded."),
    (BLUE, "Gang up", "Packed, counted, numbered."),
    (VIOLET, "Print", "Colours, then white, choked."),
    (TEAL, "Powder and melt", "Even, shaken off, glossy."),
    (AMBER, "Press", "Heat, pressure, time."),
    (AMBER, "Peel, press again", "Low and even. Five seconds."),
)
_SHIRT = (90, 70, 1710, 1530)


def draw(sheet: Sheet) -> None:
    """Draw it."""
    with page(sheet, AT_THE_PRESS, 12, A3_LANDSCAPE) as top:
        width = sheet.size[0] - LEFT - RIGHT
        sheet.entry("From file to shirt", "heading-poster", 1, top + 20)
        sheet.text("From file to shirt", LEFT, top - 34, 44, NAVY, weight=1.0)
        sheet.text("Eight steps, in this order. Hang me beside the press.", LEFT + 2, top - 60, 13, MUTED)
        _steps(sheet, LEFT, top - 268, width)
        taken = _photograph(sheet, LEFT, FOOT - 4, top - 300 - FOOT + 4) + 28
        _lists(sheet, LEFT + taken, top - 300, width - taken)


def _steps(sheet: Sheet, x: float, y: float, width: float) -> None:
    """Draw the steps as a row of cards that point to the next one."""
    gap, high, tip = 10.0, 178.0, 13.0
    each = (width - gap * (len(_STEPS) - 1)) / len(_STEPS)
    for index, (colour, title, words) in enumerate(_STEPS):
        left = x + index * (each + gap)
        last = index == len(_STEPS) - 1
        right = left + each
        head = y + high - 66
        sheet.box(left, y, each, high - 66, mixed(colour, WHITE, 0.9))
        outline = [(left, head), (right, head), (right, y + high), (left, y + high)]
        if not last:
            outline.insert(2, (right + tip - 2, head + 33))
        sheet.area(outline, colour)
        sheet.text(str(index + 1), left + 14, head + 19, 38, WHITE, weight=0.9)
        sheet.words(title, left + 12, head - 12, each - 20, 12.6, 16.5, colour)
        sheet.words(words, left + 12, head - 54, each - 20, 9.6, 14, INK)


def _photograph(sheet: Sheet, x: float, y: float, height: float) -> float:
    """Put the printed shirt down, so high, and return how wide it is."""
    picture = photograph("shirt", _SHIRT, 1000)
    width = height / picture.aspect
    sheet.picture(picture, x, y, width)
    sheet.picture(artwork("sunset"), x + width * 0.36, y + height * 0.44, width * 0.27)
    sheet.box(x, y, width, height, None, "#BDB7AB", 0.6)
    return width


def _lists(sheet: Sheet, x: float, top: float, width: float) -> None:
    half = (width - 24) / 2
    for column, lists in enumerate(
        (
            (
                (
                    ARTWORK.colour,
                    "Before printing",
                    (
                        "Nozzle check: no gaps.",
                        "Film the right way round.",
                        "Parts and copies counted.",
                        "Temperature and damp of the room noted.",
                    ),
                ),
                (
                    COLOUR.colour,
                    "While it prints",
                    (
                        "First half inch looked at.",
                        "White covers, and does not show around.",
                        "Powder even, none beside the print.",
                    ),
                ),
                (TEAL, "In doubt", ("Stop the film first.", "Keep the spoiled piece.", "Ask before the second shirt.")),
            ),
            (
                (
                    GANG_SHEETS.colour,
                    "At the table",
                    ("Each copy cut, counted, with its order.", "Spoiled ones written down at once."),
                ),
                (
                    AT_THE_PRESS.colour,
                    "At the press",
                    (
                        "Plate measured this week.",
                        "Shirt pressed bare for three seconds.",
                        "Placed by the ruler, not by eye.",
                        "Peeled as the film wants it.",
                    ),
                ),
                (
                    INTRODUCTION.colour,
                    "To the customer",
                    ("Wash after a day, inside out, at 30 °C.", "No iron on the print."),
                ),
            ),
        )
    ):
        place = Column(sheet, x + column * (half + 24), top, half, FOOT - 10, AMBER, tick_size=10.4)
        for colour, title, items in lists:
            place.colour = colour
            place.checklist(title, items)
            place.gap(2)
