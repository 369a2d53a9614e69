"""How the course looks: paper, margins, colours, sizes of type, and its chapters. Lengths in points."""

from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "config" / "examples"
SHIPPED = EXAMPLES / "lessons.pdf"
FONT_FILE = REPOSITORY / "tiles" / "fonts" / "TilepressSans.ttf"

INCH, MM = 72.0, 72 / 25.4
A4 = (210 * MM, 297 * MM)
A4_LANDSCAPE = (297 * MM, 210 * MM)
A3_LANDSCAPE = (420 * MM, 297 * MM)

LEFT, RIGHT = 56.0, 56.0  # margins
FOOT = 62.0
MAIN = 322.0  # the column that is read
SIDE = 138.0  # the one of notes beside it
GUTTER = A4[0] - LEFT - RIGHT - MAIN - SIDE

NAVY, INK, MUTED = "#15203B", "#262B38", "#6A7180"
RULE, TINT, WHITE, FILM = "#D8D3C9", "#F6F3ED", "#FFFFFF", "#E4EBF2"
TEAL, CORAL, VIOLET, BLUE, AMBER = "#12867D", "#D9503A", "#6B4A9B", "#22699E", "#B97309"
CYAN, MAGENTA, YELLOW, BLACK = "#00A0DC", "#E0218A", "#FFD31A", "#1C1C1C"
GLUE = "#C9B48A"

BODY, LEADING = 9.3, 14.4
SMALL, SMALL_LEADING = 7.7, 11.2
HEADING = 13.0


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter: its number (0 is what comes before the first), its colour, and the page it begins on, from 1."""

    number: int
    title: str
    summary: str
    colour: str
    page: int

    @property
    def key(self) -> str:
        """What links to it say."""
        return f"chapter-{self.number}"


FRONT = Chapter(0, "Film in twelve pages", "What is inside, and six words to begin with.", NAVY, 1)
INTRODUCTION = Chapter(
    1, "Introduction", "Two kinds of film, one idea: print first, decide later what it goes onto.", TEAL, 3
)
ARTWORK = Chapter(
    2, "Artwork", "A file is good enough or it is not, and both can be known before it is printed.", CORAL, 4
)
COLOUR = Chapter(3, "Colour", "What the numbers mean, what ink can do, and why there is a fifth one.", VIOLET, 7)
GANG_SHEETS = Chapter(4, "Gang sheets", "Many orders on one film: less waste, and one mistake shared by all.", BLUE, 9)
AT_THE_PRESS = Chapter(
    5, "At the press", "Heat, pressure, time, and patience to peel at the right\u00a0moment.", AMBER, 11
)
CHAPTERS = (FRONT, INTRODUCTION, ARTWORK, COLOUR, GANG_SHEETS, AT_THE_PRESS)
PAGES = 12
