"""The few shapes a chart is made of, as SVG text; and the numbers that an axis shows. Lengths are in pixels.

A picture brings its own background, so that it reads the same on a light and on a dark page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

FONT_PX = 13
TITLE_PX = 15
INK, FAINT, GRID, PAPER = "#24292f", "#57606a", "#d8dee4", "#ffffff"
_CHARACTER = 0.56  # of a letter's height, on average: how wide text becomes, near enough for a legend


@dataclass(frozen=True, slots=True)
class Scale:
    """From figures to pixels: 0 lies at `start_px`, `most` at `end_px`; a negative direction is upwards."""

    most: float
    start_px: float
    end_px: float

    def at(self, value: float) -> float:
        """Return where a figure lies."""
        return self.start_px + (self.end_px - self.start_px) * value / self.most

    def ticks(self, about: int) -> Iterator[float]:
        """Yield round figures, from 0, about as many as asked for."""
        step = round_step(self.most / about)
        yield from (index * step for index in range(int(self.most / step + 1e-9) + 1))


def round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is at least `least`."""
    power = 10.0 ** _exponent(least)
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def text(x: float, y: float, words: str, *, anchor: str = "start", colour: str = INK, size: int = FONT_PX) -> str:
    """Return one line of text whose baseline is at `y`; it stands clear of any line that it crosses."""
    look = f'text-anchor="{anchor}" fill="{colour}" font-size="{size}" stroke="{PAPER}" stroke-width="4"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look} paint-order="stroke">{escape(words)}</text>'


def text_width(words: str, size: int = FONT_PX) -> float:
    """Return about how wide text is."""
    return len(words) * size * _CHARACTER


def rectangle(x: float, y: float, width: float, height: float, colour: str) -> str:
    """Return a filled rectangle."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str = GRID) -> str:
    """Return a thin straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def curve(points: Sequence[tuple[float, float]], colour: str, width: float) -> str:
    """Return a line through points."""
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    look = f'fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-linejoin="round"'
    return f'<polyline points="{way}" {look}/>'


def document(width: float, height: float, title: str, shapes: Sequence[str]) -> str:
    """Return a whole picture; `title` is what a reader who cannot see it is told."""
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" font-family="Helvetica, Arial, sans-serif">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="100%" height="100%" rx="6" fill="{PAPER}"/>\n{body}\n</svg>\n'
    )


def _exponent(value: float) -> int:
    exponent = 0
    while 10.0**exponent > value:
        exponent -= 1
    while 10.0 ** (exponent + 1) <= value:
        exponent += 1
    return exponent
