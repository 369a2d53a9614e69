"""Drawings for the chapter on colour: gamuts in the chromaticity diagram, the choke, and sums of ink."""

from collections.abc import Sequence

from bench.course.look import (
    BLACK,
    CORAL,
    CYAN,
    INK,
    MAGENTA,
    MUTED,
    RULE,
    SMALL,
    TINT,
    VIOLET,
    WHITE,
    YELLOW,
)
from bench.course.sheet import Area, Point, Sheet, mixed

# The spectral locus of the CIE 1931 standard observer, x and y from 380 to 700 nm.
_LOCUS: tuple[Point, ...] = (
    (0.1741, 0.0050),
    (0.1714, 0.0051),
    (0.1644, 0.0109),
    (0.1566, 0.0177),
    (0.1440, 0.0297),
    (0.1241, 0.0578),
    (0.1096, 0.0868),
    (0.0913, 0.1327),
    (0.0687, 0.2007),
    (0.0454, 0.2950),
    (0.0235, 0.4127),
    (0.0082, 0.5384),
    (0.0039, 0.6548),
    (0.0139, 0.7502),
    (0.0389, 0.8120),
    (0.0743, 0.8338),
    (0.1142, 0.8262),
    (0.1547, 0.8059),
    (0.2296, 0.7543),
    (0.3016, 0.6923),
    (0.3731, 0.6245),
    (0.4441, 0.5547),
    (0.5125, 0.4866),
    (0.5752, 0.4242),
    (0.6270, 0.3725),
    (0.6658, 0.3340),
    (0.6915, 0.3083),
    (0.7190, 0.2809),
    (0.7347, 0.2653),
)
_SRGB: tuple[Point, ...] = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_INKS: tuple[Point, ...] = ((0.61, 0.35), (0.44, 0.50), (0.25, 0.55), (0.16, 0.23), (0.20, 0.13), (0.47, 0.24))
_FROM_XYZ = ((3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570))
_CELL = 0.0125


def gamut(sheet: Sheet, area: Area) -> None:
    """Draw what eyes see, what a screen shows, and about what four inks print, in the chromaticity diagram."""
    x, y, _, height = area
    scale = height / 0.88
    left = x + 8

    def at(point: Point) -> Point:
        return left + point[0] * scale, y + point[1] * scale

    with sheet.within([at(point) for point in _LOCUS]):
        for row in range(int(0.86 / _CELL)):
            for column in range(int(0.76 / _CELL)):
                middle = ((column + 0.5) * _CELL, (row + 0.5) * _CELL)
                if _within(middle, _LOCUS, margin=_CELL):
                    corner = at((column * _CELL, row * _CELL))
                    sheet.box(*corner, _CELL * scale + 0.25, _CELL * scale + 0.25, _colour(*middle))
    sheet.area([at(point) for point in _LOCUS], None, "#8B8F99", 0.7)
    sheet.area([at(point) for point in _SRGB], None, WHITE, 1.5)
    sheet.area([at(point) for point in _INKS], None, BLACK, 1.3)
    for point, place, words, note in (
        ((0.115, 0.815), (0.26, 0.845), "all that eyes can see", ""),
        ((0.335, 0.565), (0.40, 0.68), "a screen (sRGB)", "loud greens and blues"),
        ((0.52, 0.435), (0.60, 0.50), "four inks, about", "dull green, but more cyan"),
    ):
        end = at(place)
        sheet.line([at(point), (end[0] - 3, end[1] + 2)], INK, 0.6)
        sheet.text(words, end[0], end[1], SMALL + 0.3, INK)
        if note:
            sheet.text(note, end[0], end[1] - 9.5, SMALL - 0.7, MUTED)


def _within(point: Point, outline: Sequence[Point], margin: float) -> bool:
    """Return whether a point, or one of those a margin beside it, lies in a polygon, by crossings."""
    shifts = ((0, 0), (margin, 0), (-margin, 0), (0, margin), (0, -margin))
    return any(_inside(point[0] + a, point[1] + b, outline) for a, b in shifts)


def _inside(x: float, y: float, outline: Sequence[Point]) -> bool:
    crossings = 0
    for (ax, ay), (bx, by) in zip(outline, (*outline[1:], outline[0]), strict=True):
        if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
            crossings += 1
    return crossings % 2 == 1


def _colour(x: float, y: float) -> str:
    """Return the brightest colour of a chromaticity that a screen has, or what is left of it when that is none."""
    big_x, big_z = x / y, (1 - x - y) / y
    linear = [max(0.0, a * big_x + b + c * big_z) for a, b, c in _FROM_XYZ]
    most = max(linear)
    parts = ((value / most) ** (1 / 2.2) for value in linear)
    return "#" + "".join(f"{round(255 * (0.1 + 0.9 * part)):02X}" for part in parts)


def choke(sheet: Sheet, area: Area) -> None:
    """Draw white below a colour: as large as it, and drawn in, each printed a little out of place."""
    x, y, width, height = area
    sheet.box(x, y, width, height, TINT, radius=4)
    half = width / 2
    side = height - 58
    for index, (title, words, inset) in enumerate(
        (
            ("Without choke", "a rim of white, wherever film shifts", 0.0),
            ("Choked by 2 pixels", "hidden, within what film shifts", 5.0),
        )
    ):
        left, low = x + 14 + index * half, y + 28
        sheet.text(title, left, y + height - 17, SMALL + 0.5, INK)
        sheet.box(left, low, half - 28, side, "#23262E", radius=3)
        wide, high = half - 78, side - 24
        corner = (left + 25, low + 12)
        sheet.box(corner[0] + inset + 2.4, corner[1] + inset - 2.4, wide - 2 * inset, high - 2 * inset, WHITE, radius=9)
        sheet.box(*corner, wide, high, VIOLET, radius=10)
        if inset:
            inner = (corner[0] + inset + 2.4, corner[1] + inset - 2.4, wide - 2 * inset, high - 2 * inset)
            sheet.box(*inner, None, WHITE, 0.6, radius=9, dash=(2, 2))
        sheet.text(words, left, y + 13, SMALL - 0.7, MUTED)


def sums(sheet: Sheet, area: Area) -> None:
    """Draw sums of ink as bars: three mixtures of a black, and where film has had enough."""
    x, y, width, height = area
    rows = (
        ("rich black, as sent", (75, 68, 67, 90)),
        ("the same, limited", (45, 38, 37, 90)),
        ("plain black", (0, 0, 0, 100)),
    )
    label, scale = 112.0, (width - 150) / 320
    step = (height - 16) / len(rows)
    limit = x + label + 220 * scale
    for index, (name, inks) in enumerate(rows):
        base = y + height - (index + 1) * step + 6
        sheet.text(name, x, base + 4, SMALL + 0.4, INK)
        start = x + label
        for share, colour in zip(inks, (CYAN, MAGENTA, YELLOW, BLACK), strict=True):
            sheet.box(start, base, share * scale, step - 10, colour)
            start += share * scale
        beside = limit + 6 if start < limit < start + 40 else start + 6
        sheet.text(f"{sum(inks)}%", beside, base + 4, SMALL + 0.4, INK)
    sheet.line([(limit, y + 8), (limit, y + height)], CORAL, 1.1, (3, 2))
    sheet.text("a limit of 220%", limit, y - 1, SMALL - 0.4, CORAL, anchor="centre")
    sheet.line([(x + label, y + 8), (x + label, y + height)], RULE, 0.6)


def strip(sheet: Sheet, area: Area) -> None:
    """Draw what is printed week by week: each ink from little to all."""
    x, y, width, height = area
    steps = (10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
    inks = (CYAN, MAGENTA, YELLOW, BLACK)
    patches = len(steps) * len(inks)
    side, high = width / patches, height - 16
    for index in range(patches):
        ink, share = inks[index // len(steps)], steps[index % len(steps)]
        sheet.box(x + index * side, y + 16, side, high, mixed(WHITE, ink, share / 100))
    for index, ink in enumerate(("cyan", "magenta", "yellow", "black")):
        left = x + index * len(steps) * side
        sheet.text(f"{ink}, 10 to 100%", left, y + 5, SMALL - 0.7, MUTED)
    sheet.box(x, y + 16, width, high, None, "#B9B3A7", 0.5)
