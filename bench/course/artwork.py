"""Chapter 2: resolution, coarse files, transparency, thin lines and fonts."""

from bench.course import figures_artwork
from bench.course.column import Column
from bench.course.furniture import across, columns, page
from bench.course.look import ARTWORK, BODY, INCH, INK, MUTED, RULE, SMALL, TINT
from bench.course.pictures import on_white
from bench.course.sheet import Area, Sheet

COARSE_DPI, FINE_DPI, PRINTED_IN = 61, 300, 2.0  # the coarse one on purpose: an analyser is to find it
NOT_EMBEDDED = "Helvetica"  # on purpose, too
_BOLD = '<font color="#B23A24">{}</font>'


def draw(sheet: Sheet) -> None:
    """Draw its three pages."""
    _resolution(sheet)
    _coarse(sheet)
    _edges(sheet)


def _resolution(sheet: Sheet) -> None:
    with page(sheet, ARTWORK, 4) as top:
        main, side = columns(sheet, ARTWORK, top)
        main.heading("Resolution is a division")
        main.words(
            "A picture has pixels. It gets a resolution only when somebody says how large it is printed: pixels "
            "divided by inches. A file of 1200 pixels printed 4 inches wide has 300 DPI. Printed 8 inches wide, the "
            "very same file has 150, whatever its properties say."
        )
        main.words(
            "So the number that a file carries in its header is a wish. Check the one that counts: the width in "
            "pixels, and the width on the order."
        )
        side.note("By heart", "Pixels ÷ inches = DPI. For centimetres: pixels ÷ centimetres × 2.54.")
        side.note(
            "72 and 96",
            "These two stand in headers because an editor put them there. They say nothing of the size anybody wants.",
        )
        whole = across(sheet, ARTWORK, min(main.top, side.top) - 4)
        whole.figure(
            128,
            figures_artwork.grids,
            "The same mark in the pixels that it gets at four resolutions, drawn 0.12 in wide on the shirt and "
            "enlarged here. At 75 DPI the dot is a guess, at 36 the ring is one.",
        )
        whole.heading("How much is enough")
        whole.table(
            ("DPI as printed", "what to expect", "good for"),
            (
                ("300 and more", "no pixels seen, even close by", "small type, line art, faces"),
                ("200 to 300", "sharp at arm’s length", "nearly everything on cloth"),
                ("150 to 200", "soft, where edges are fine", "photographs, large backs of shirts"),
                ("100 to 150", "visibly soft", "only if the customer has seen a proof"),
                ("below 100", "steps and squares", "ask for another file"),
            ),
            (0.22, 0.38, 0.40),
        )
        whole.gap(8)
        whole.figure(92, figures_artwork.sizes)


def _coarse(sheet: Sheet) -> None:
    with page(sheet, ARTWORK, 5) as top:
        main, side = columns(sheet, ARTWORK, top)
        main.heading("Five times coarser")
        main.words(
            "Here is one planet twice, both times two inches wide. The left one is 600 pixels wide, which makes "
            f"{FINE_DPI} DPI. The right one was copied from a web page, is 122 pixels wide, and has {COARSE_DPI}. On "
            "a screen at its own size it looked perfect."
        )
        main.figure(172, _planets)
        main.heading("What can be done")
        main.points(
            (
                _BOLD.format("Ask for the original.") + " It exists more often than not: the logo on the web page was "
                "made from a drawing.",
                _BOLD.format("Print it smaller.") + " At half the size it has twice the DPI. A chest print may do "
                "where the back of a shirt does not.",
                _BOLD.format("Draw it again.") + " Flat logos of a few colours are traced in minutes, and are then "
                "sharp at any size.",
                _BOLD.format("Let software enlarge it") + " as the last resort, and look at the result at the size "
                "that it is printed. It invents what is missing, also in letters and faces.",
            )
        )
        main.words(
            "What does not help is to type another number into the header, or to enlarge the file in an editor: that "
            "makes more pixels, and no more picture."
        )
        main.heading("Vectors have none")
        main.words(
            "A drawing of lines and areas, as in most PDF and SVG files, has no pixels until it is printed, and may "
            "be of any size. Beware of pictures inside it. A PDF can hold a logo as vectors and the photograph "
            "behind it at 61 DPI; a program that looks into the file says so, and a glance at the page does not."
        )
        last = across(sheet, ARTWORK, main.top - 4)
        last.checklist(
            "Three questions to the customer",
            (
                "How wide shall it be printed, in inches?",
                "Who drew it, and is there a file from which it was made?",
                "Is this the size at which you looked at it?",
            ),
            columns=3,
        )
        side.note(
            "Look at 100%",
            "Zoom until one pixel of the file is one on the screen. What looks rough there is rough on film.",
        )
        side.note(
            "Screenshots",
            "A screenshot of a whole screen is about 1920 pixels wide: 6.4 in at 300 DPI, for the whole screen. The "
            "logo on it is a tenth of that.",
        )
        side.note(
            "JPEG",
            "Each time a JPEG is saved it loses a little. Blocks and dirt around letters print better than one would "
            "wish.",
        )
        side.note(
            "Too much",
            "More than 400 DPI at the printed size costs time and memory, and nobody sees it. The RIP throws it away.",
        )


def _planets(sheet: Sheet, area: Area) -> None:
    x, y, width, _ = area
    side = PRINTED_IN * INCH
    for left, dpi, words in ((x, FINE_DPI, "600 pixels"), (x + width - side, COARSE_DPI, "122 pixels")):
        picture = on_white("planet", round(dpi * PRINTED_IN))
        sheet.picture(picture, left, y + 22, side)
        sheet.box(left, y + 22, side, side, None, RULE, 0.8)
        sheet.text(f"{dpi} DPI", left, y + 7, SMALL + 0.8, INK)
        sheet.text(f"{words} over 2 in", left + side, y + 7, SMALL, MUTED, anchor="right")


def _edges(sheet: Sheet) -> None:
    with page(sheet, ARTWORK, 6) as top:
        main, side = columns(sheet, ARTWORK, top)
        main.heading("Alpha and edges")
        main.words(
            "Alpha says how much of a pixel is there. On paper, half of red is pink. On film it is half of red with "
            "white below, and on a black shirt that white shows. A drop shadow turns into a grey cloud, a glow into "
            "a halo; where there is little ink, the powder holds badly, and the edge washes out."
        )
        main.words(
            "Make edges hard: all there, or not there. Where a design must fade, let it fade in dots, which a RIP "
            "calls a halftone; each dot is then solid enough to stick."
        )
        side.note(
            "No background",
            "White around a design is printed as white. Only transparency is nothing. Put the file on a loud colour "
            "and look.",
        )
        side.note(
            "Fringes",
            "Cut out from a white page, a design keeps a rim of pale pixels. Shrink the selection by a pixel before "
            "cutting.",
        )
        whole = across(sheet, ARTWORK, min(main.top, side.top) - 2)
        whole.figure(152, figures_artwork.edges)
        whole.heading("Thin lines and small type")
        whole.figure(48, figures_artwork.smallest)
        whole.words(
            "A line needs enough glue to hold on to the cloth. Half a millimetre does, also for gaps between lines; "
            "type below 7 points or so fills up or falls off. Join small islands to something larger."
        )
        whole.heading("Fonts")
        whole.words(
            "A PDF brings its fonts along, or it trusts that the next machine has them. Where it does not, another "
            "font takes their place, and lines run longer or shorter. Have fonts embedded, or type turned into "
            "outlines."
        )
        whole.figure(24, _not_embedded)
        _checklist(whole)


def _not_embedded(sheet: Sheet, area: Area) -> None:
    x, y, width, height = area
    sheet.box(x, y, width, height, TINT, radius=3)
    words = "This line asks for Helvetica, and this file does not contain it. What do you see?"
    sheet.text(words, x + 12, y + 8, BODY + 0.7, INK, font=NOT_EMBEDDED)


def _checklist(column: Column) -> None:
    column.checklist(
        "Before a file leaves your desk",
        (
            "Pixels divided by inches: 150 at the least, 300 for type.",
            "Background transparent, checked on a loud colour.",
            "No glow, no shadow, no half-transparent edge.",
            "Lines and gaps of half a millimetre or more.",
            "Fonts embedded, or outlines.",
            "Not mirrored: that is the RIP’s work.",
        ),
        columns=2,
    )
