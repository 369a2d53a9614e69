"""Chapter 1: what film is for, and the two kinds of it."""

from bench.course import figures_film
from bench.course.column import Column
from bench.course.furniture import columns, page
from bench.course.look import INTRODUCTION
from bench.course.pictures import artwork, photograph
from bench.course.sheet import Area, Sheet

_MUG = (420, 170, 1220, 1070)


def draw(sheet: Sheet) -> None:
    """Draw its page."""
    with page(sheet, INTRODUCTION, 3) as top:
        main, side = columns(sheet, INTRODUCTION, top)
        main.heading("Why print on film at all")
        main.words(
            "A printer that prints on film need not know where the print will end. Cotton, polyester, a canvas bag: "
            "the film is the same. It is printed when the machine is free, it keeps for months in a dry drawer, and "
            "it is put onto the product when somebody has bought one."
        )
        main.words(
            "What makes it work is white. On film every colour has a layer of white with it, so that a yellow stays "
            "yellow on a black shirt. What makes it pay is the gang sheet, to which chapter 4 belongs."
        )
        main.heading("DTF: for cloth")
        main.words(
            "Direct to film prints the colours first, mirrored, and the white on top of them. Powder of hot-melt "
            "adhesive sticks to the wet ink, is melted, and the sheet is dry. In the press the stack turns over: "
            "adhesive below, colours on top."
        )
        main.figure(108, figures_film.dtf)
        main.heading("UV-DTF: for hard things")
        main.words(
            "UV ink is cured by light and needs no heat. White goes down first, then the colours, then varnish, and a "
            "second film is laminated on top. Nothing is mirrored: what you see is what you get."
        )
        main.figure(112, figures_film.uv_dtf)
        _side(side)


def _side(side: Column) -> None:
    side.figure(155, _mug, "A UV-DTF decal on a mug: no press, no heat, a thumb to rub it down.")
    side.gap(14)
    side.note(
        "Mirrored or not?",
        "DTF is printed mirrored, UV-DTF is not. Most RIPs do it by the print mode. Do not mirror the artwork as "
        "well: twice is not at all.",
    )
    side.note(
        "What film is not",
        "It is no sublimation: nothing dyes the cloth. It is no vinyl either: no blade follows the outline, so the "
        "finest detail need not be cut, only held.",
    )
    side.note(
        "Shelf life",
        "Printed DTF film keeps for about half a year, flat, dry and dark. Damp powder is the usual end of it.",
    )


def _mug(sheet: Sheet, area: Area) -> None:
    sheet.picture(photograph("mug", _MUG, 420), area.x, area.y, area.width)
    sheet.picture(artwork("whale"), area.x + 22, area.y + 58, 52)
