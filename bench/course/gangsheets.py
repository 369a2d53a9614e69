"""Chapter 4: a gang sheet true to scale, spacing, and what film costs."""

from bench.course import figures_gangsheet
from bench.course.column import Column
from bench.course.furniture import across, columns, page
from bench.course.look import A4_LANDSCAPE, FOOT, GANG_SHEETS, LEFT, RIGHT
from bench.course.sheet import Sheet

_BAND = 128.0
_FIGURE, _LENGTH = 462.0, 350.0


def draw(sheet: Sheet) -> None:
    """Draw its two pages, the first one landscape."""
    _sheet(sheet)
    _film(sheet)


def _sheet(sheet: Sheet) -> None:
    with page(sheet, GANG_SHEETS, 9, A4_LANDSCAPE, _BAND) as top:
        placed, length = figures_gangsheet.places()
        figure = Column(sheet, LEFT, top + 6, _FIGURE, FOOT, GANG_SHEETS.colour)
        figure.figure(
            _LENGTH,
            figures_gangsheet.layout,
            f"{len(placed)} copies of five designs on {length:.1f} in of film 22 in wide, true to scale. Dashed lines "
            "are "
            "what a program packs: rectangles.",
        )
        x = LEFT + _FIGURE + 28
        words = Column(sheet, x, top, sheet.size[0] - RIGHT - x, FOOT, GANG_SHEETS.colour)
        words.heading("One film, many orders")
        words.words(
            "A printer is paid by the hour and film by the foot. Both want the sheet full. So the designs of a day’s "
            "orders are collected, packed side by side, and printed in one go."
        )
        words.words(
            f"On this one, designs cover {figures_gangsheet.use():.0%} of the film. What remains is spacing, margin, "
            "and "
            "rows that do not come out even."
        )
        words.gap(12)
        words.note(
            "Count twice",
            "Ordered = placed + refused. A copy that is on no sheet and on no list of refusals is found by the "
            "customer.",
        )
        words.note(
            "Sheets have ends",
            "When the film’s length is used up, the rest goes onto a second part, and so on. Parts are numbered.",
        )


def _film(sheet: Sheet) -> None:
    with page(sheet, GANG_SHEETS, 10) as top:
        whole = across(sheet, GANG_SHEETS, top)
        whole.heading("Spacing and margins")
        whole.figure(150, figures_gangsheet.spacing)
        main, side = columns(sheet, GANG_SHEETS, whole.top)
        main.words(
            "An eighth of an inch is enough for a steady hand with a trimmer, half an inch for scissors at the end of "
            "a shift. The margin keeps print away from the rollers that hold the film."
        )
        main.heading("Turned, or upright")
        main.words(
            "A design may be turned by 90 degrees if that saves film; on the shirt nobody knows. The exceptions: "
            "metallic film with a grain, and sheets that a cutter reads by marks."
        )
        main.heading("The order matters")
        main.words(
            "Ten rectangles, packed in rows. As they come, tall ones and flat ones share a row, and the space above "
            "the flat ones is lost. By height, rows are even. A program tries many orders, and keeps the shortest."
        )
        main.figure(124, figures_gangsheet.order)
        side.note("Two spacings", "Across and along may differ: a slitter wants room on one side only.")
        side.note(
            "Duplicates",
            "Ten copies of one design are ten places, but one picture in memory, if the program is a good one.",
        )
        side.note(
            "No empty tail",
            "With dynamic sizing the sheet ends where the last design ends. Without it you print the length that you "
            "paid for, empty film included.",
        )
        side.note(
            "Reprints", "Keep the plan of each sheet. A spoiled copy is then printed again by its place, not by memory."
        )
        last = across(sheet, GANG_SHEETS, min(main.top, side.top) - 6)
        last.heading("What a print takes")
        last.table(
            ("design", "size", "beside each other on 22 in", "film for 20 of them"),
            (
                ("chest logo", "4 × 4 in", "4", "22.5 in"),
                ("sleeve", "3 × 2 in", "6", "10 in"),
                ("back", "11 × 14 in", "1, turned", "230 in"),
                ("back, 10.5 in wide", "10.5 × 14 in", "2", "145 in"),
            ),
            (0.26, 0.2, 0.32, 0.22),
        )
        last.words(
            "With half an inch between designs and a quarter at the edges. A back half an inch narrower saves seven "
            "feet of film."
        )
