"""Chapter 3: profiles, gamuts, white, and sums of ink."""

from bench.course import figures_colour
from bench.course.furniture import across, columns, page
from bench.course.look import COLOUR
from bench.course.sheet import Sheet


def draw(sheet: Sheet) -> None:
    """Draw its two pages."""
    _profiles(sheet)
    _white(sheet)


def _profiles(sheet: Sheet) -> None:
    with page(sheet, COLOUR, 7) as top:
        main, side = columns(sheet, COLOUR, top)
        main.heading("What the numbers mean")
        main.words(
            "Red 200, green 30, blue 60 is not a colour. It becomes one together with a profile, which says how "
            "these numbers look. The RIP reads the profile of the artwork, reads the one of film and ink, and looks "
            "for the drops of ink that come nearest."
        )
        main.words(
            "Without a profile it has to guess, and it guesses sRGB, the colours of an ordinary screen. That is "
            "mostly right, and the reason why files should come in sRGB with the profile embedded."
        )
        main.heading("Three outlines")
        main.figure(300, figures_colour.gamut)
        main.words(
            "Inks cannot follow a screen everywhere. Neon green, pure blue and glowing orange lie outside of what "
            "four inks reach, and come out duller. No setting changes that; a proof on film, shown early, changes "
            "what the customer expects."
        )
        side.note("Ask for", "PNG or PDF, sRGB, profile embedded, eight bits a channel, transparent background.")
        side.note(
            "CMYK files",
            "A file made for offset printing has been squeezed into another press’s colours already. Ask for the RGB "
            "that it was made from.",
        )
        side.note(
            "Intent",
            "Perceptual keeps gradients smooth and moves all colours a little. Relative colorimetric keeps what can "
            "be kept, and clips the rest: right for logos.",
        )
        side.note(
            "Brand colours",
            "Print the swatch on your own film with your own white, keep it, and write down the numbers that hit it. "
            "Screens are no witness.",
        )
        side.note(
            "The same every week",
            "Nozzle check, same film, same mode, same temperature. A profile describes one machine in one state.",
        )


def _white(sheet: Sheet) -> None:
    with page(sheet, COLOUR, 8) as top:
        main, side = columns(sheet, COLOUR, top)
        main.heading("White, the fifth ink")
        main.words(
            "Colours are transparent. On a dark shirt they need white below, as paint needs a primer. The RIP makes "
            "that white from the alpha of the artwork: wherever there is something, there is white, and nowhere else."
        )
        main.words(
            "White is laid down by other nozzles than the colours, at another moment, on film that gives a little. "
            "It never fits to the hair. So it is drawn in by one to three pixels on all sides, which is the choke."
        )
        side.note(
            "How much white",
            "Full on dark cloth, about two thirds on light, none where the cloth shall show through. It costs more "
            "than all colours together.",
        )
        side.note(
            "Too much choke",
            "Lines thinner than twice the choke lose their white altogether, and vanish on black. Mind small type.",
        )
        whole = across(sheet, COLOUR, min(main.top, side.top) - 2)
        whole.figure(124, figures_colour.choke)
        whole.heading("How much ink film can bear")
        whole.words(
            "Film does not drink. What is more than it can hold runs together, stays wet, and takes powder where "
            "there should be none. The sum of all colours is therefore limited, often to somewhere between 180 and "
            "250%, without the white. The RIP cuts off what is more; dark photographs show how well."
        )
        whole.figure(84, figures_colour.sums)
        whole.heading("A strip worth keeping")
        whole.words(
            "Print these on the edge of a sheet now and then. If last month’s strip looks different, so does every "
            "order."
        )
        whole.figure(44, figures_colour.strip)
        whole.checklist(
            "Colour, in six ticks",
            (
                "Profile embedded: sRGB unless agreed otherwise.",
                "Loud colours shown to the customer on film.",
                "Black type in plain black, not in four inks.",
                "White generated once: by the RIP, not in the file too.",
                "Choke of one to three pixels, and no line thinner than two.",
                "Nozzle check printed, looked at, dated, kept.",
            ),
            columns=2,
        )
