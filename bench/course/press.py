"""Chapter 5: the press, and a poster to hang beside it."""

from bench.course import figures_film, poster
from bench.course.furniture import across, columns, page
from bench.course.look import AT_THE_PRESS
from bench.course.sheet import Sheet


def draw(sheet: Sheet) -> None:
    """Draw its two pages, the second one a fold-out."""
    with page(sheet, AT_THE_PRESS, 11) as top:
        whole = across(sheet, AT_THE_PRESS, top)
        whole.heading("Heat, pressure, time")
        whole.figure(162, figures_film.press)
        main, side = columns(sheet, AT_THE_PRESS, whole.top)
        main.words(
            "Heat melts the adhesive, pressure drives it into the weave, time lets both arrive. Too little of one is "
            "not made good by more of another. Press the bare shirt for three seconds first: damp cloth steals heat."
        )
        main.table(
            ("cloth", "temperature", "time"),
            (
                ("cotton, canvas", "150 to 160 °C", "12 to 15 s"),
                ("cotton and polyester", "140 to 150 °C", "10 to 15 s"),
                ("polyester", "125 to 140 °C", "8 to 12 s"),
                ("nylon, softshell", "115 to 130 °C", "8 to 12 s"),
            ),
            (0.44, 0.32, 0.24),
        )
        main.words(
            "These are where tests begin. What the maker of film and powder prints on the box comes first, and "
            "a strip of test prints on the very cloth comes before an order of two hundred."
        )
        side.note(
            "Dye that wanders",
            "Polyester dye turns to gas at about 140 °C and tints the white from below. Stay cool, or take film that "
            "blocks it.",
        )
        side.note(
            "Measure it",
            "Plates are cooler at the edges, and displays are optimists. A stick-on strip tells the truth for little "
            "money.",
        )
        side.note("Pressure", "Medium: a sheet of paper under the closed press can just be pulled out.")
        last = across(sheet, AT_THE_PRESS, min(main.top, side.top) - 2)
        last.heading("Peel, and press again")
        last.words(
            "Hot-peel film comes off at once, cold-peel film when you can leave your hand on it, about half a minute "
            "later. "
            "Pull low and evenly along the cloth. Then press again for five seconds or so under paper: the print "
            "sinks in and turns matt."
        )
        last.table(
            ("what you see", "most likely", "what to do"),
            (
                ("edges lift in the wash", "too cold, too short, no second press", "more heat by 5 °C, then more time"),
                ("the print stays on the film", "peeled too early, or powder not melted", "wait; look at the oven"),
                ("white looks dirty", "dye has wandered", "less heat, film that blocks dye"),
                ("a rough, sandy rim", "powder stuck where ink was thin", "hard edges in the artwork: chapter 2"),
            ),
            (0.28, 0.36, 0.36),
        )
    poster.draw(sheet)
