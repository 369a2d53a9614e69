"""Drawings for the chapter on artwork: what a resolution resolves, and what soft edges become."""

from math import hypot

from bench.course.look import CORAL, INK, MUTED, NAVY, RULE, SMALL, SMALL_LEADING, TINT, WHITE
from bench.course.pictures import artwork
from bench.course.sheet import Area, Sheet, mixed

_GRIDS = (("300 DPI", 36), ("150 DPI", 18), ("75 DPI", 9), ("36 DPI", 4))


def grids(sheet: Sheet, area: Area) -> None:
    """Draw one shape in pixels of four sizes, as an artwork of so many DPI has them in an eighth of an inch or so."""
    x, y, width, height = area
    side = height - 22
    step = (width - side) / (len(_GRIDS) - 1)
    for index, (name, pixels) in enumerate(_GRIDS):
        left, low = x + index * step, y + 22
        sheet.box(left, low, side, side, WHITE)
        _pixels(sheet, left, low, side, pixels)
        sheet.box(left, low, side, side, None, RULE, 0.8)
        sheet.text(name, left + side / 2, y + 9, SMALL + 0.8, INK, anchor="centre")
        sheet.text(f"{pixels} × {pixels} pixels", left + side / 2, y, SMALL - 0.9, MUTED, anchor="centre")


def _pixels(sheet: Sheet, x: float, y: float, side: float, pixels: int) -> None:
    """Draw the pixels of a ring with a dot in it, each as dark as the shape covers it; neighbours are drawn as one."""
    step = side / pixels
    for row in range(pixels):
        run, shade = 0, 0
        for column in range(pixels + 1):
            here = _shade(column, row, pixels) if column < pixels else -1
            if column and here != shade:
                if shade:
                    left = x + (column - run) * step
                    sheet.box(left, y + row * step, run * step, step, mixed(WHITE, NAVY, shade / 8))
                run = 0
            run, shade = run + 1, here


def _shade(column: int, row: int, pixels: int) -> int:
    """Return how much of a pixel the shape covers, in eighths."""
    samples = 8
    spots = [(index + 0.5) / samples for index in range(samples)]
    inside = sum(_covers((column + a) / pixels, (row + b) / pixels) for a in spots for b in spots)
    return round(8 * inside / samples**2)


def _covers(across: float, up: float) -> bool:
    away = hypot(across - 0.5, up - 0.5)
    return 0.3 < away < 0.42 or hypot(across - 0.56, up - 0.58) < 0.11


def edges(sheet: Sheet, area: Area) -> None:
    """Draw a hard edge and a soft one, and below each what the printer makes of it on a black shirt."""
    x, y, width, height = area
    sheet.box(x, y, width, height, TINT, radius=4)
    half, high = width / 2, (height - 66) / 2
    for index, title in enumerate(("A hard edge", "A glow of 40 pixels")):
        left, wide = x + 14 + index * half, half - 28
        sheet.text(title, left, y + height - 17, SMALL + 0.5, INK)
        _strip(sheet, left, y + high + 41, wide, high, soft=bool(index), printed=False)
        _strip(sheet, left, y + 22, wide, high, soft=bool(index), printed=True)
        sheet.text("in the file", left, y + high + 31, SMALL - 0.7, MUTED)
        verdict = "on the shirt: a milky halo" if index else "on the shirt: the same edge"
        sheet.text(verdict, left, y + 11, SMALL - 0.7, MUTED)


def _strip(sheet: Sheet, x: float, y: float, width: float, high: float, *, soft: bool, printed: bool) -> None:
    """Draw alpha from all to nothing: on a checkerboard, or printed on black, where white lies under any of it."""
    rows, fine = 4, 4
    square = high / rows
    step = square / fine
    for index in range(int(width / step) + 1):
        left = x + index * step
        wide = min(step, x + width - left)
        place = (index + 0.5) * step / width
        alpha = max(0.0, min(1.0, (0.85 - place) / 0.55)) if soft else float(place < 0.55)
        for row in range(rows):
            if printed:
                white = 0.3 + 0.7 * alpha if alpha else 0.0
                below = mixed("#16181D", "#F4EFEA", white)
            else:
                below = "#D9D9D9" if (row + index // fine) % 2 else WHITE
            sheet.box(left, y + row * square, wide, square + (0.2 if row < rows - 1 else 0), mixed(below, CORAL, alpha))
    sheet.box(x, y, width, high, None, "#B9B3A7", 0.5)


def sizes(sheet: Sheet, area: Area) -> None:
    """Draw one file printed in three sizes, with its resolution in each."""
    x, y, width, _ = area
    left = x
    for inches, wide in ((4, 30.0), (8, 60.0), (16, 120.0)):
        picture = artwork("whale")
        sheet.picture(picture, left, y + 28, wide)
        sheet.line([(left, y + 20), (left + wide, y + 20)], MUTED, 0.6)
        for end in (left, left + wide):
            sheet.line([(end, y + 17), (end, y + 23)], MUTED, 0.6)
        sheet.text(f"{inches} in", left + wide / 2, y + 9, SMALL, MUTED, anchor="centre")
        sheet.text(f"{1200 // inches} DPI", left + wide / 2, y - 2, SMALL + 0.8, INK, anchor="centre")
        left += wide + 54
    sheet.words(
        "One file, 1200 pixels wide, printed in three sizes. Every doubling halves the resolution: the pixels are "
        "the same, only larger.",
        left - 14,
        y + 62,
        x + width - left + 14,
        SMALL,
        SMALL_LEADING,
        MUTED,
    )


def smallest(sheet: Sheet, area: Area) -> None:
    """Draw lines from thin to thick, with their widths, as a ruler to hold against a proof."""
    x, y, width, height = area
    widths = (0.1, 0.2, 0.3, 0.5, 0.8, 1.2)
    step = width / len(widths)
    for index, mm in enumerate(widths):
        left = x + index * step
        enough = mm >= 0.5
        points = mm * 72 / 25.4
        sheet.line([(left, y + 24), (left + step - 18, y + height - 4)], INK if enough else CORAL, points)
        sheet.text(f"{mm} mm", left, y + 12, SMALL, INK if enough else CORAL)
        sheet.text("holds" if enough else "may lift", left, y + 2, SMALL - 1, MUTED)
