"""Drawings of gang sheets: one true to scale, spacing close by, and what rows of film are used for."""

from dataclasses import dataclass

from bench.course.look import BLUE, CORAL, FILM, INK, MUTED, RULE, SMALL, SMALL_LEADING, TINT, WHITE
from bench.course.pictures import artwork
from bench.course.sheet import Area, Sheet

FILM_IN, MARGIN_IN, SPACING_IN = 22.0, 0.25, 0.5
_ROWS: tuple[tuple[tuple[str, float, int], ...], ...] = (  # name, width in inches, copies; each row from the left
    (("whale", 4.8, 3), ("cactus", 1.9, 2)),
    (("rocket", 2.2, 5), ("planet", 3.4, 2)),
    (("sunset", 4.6, 3), ("cactus", 1.9, 2)),
    (("planet", 3.4, 2), ("whale", 4.8, 2), ("rocket", 1.6, 1)),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a copy lies on the film: inches from the left and from the top, and its size."""

    name: str
    left: float
    top: float
    width: float
    height: float


def places() -> tuple[tuple[Place, ...], float]:
    """Return the copies of the sheet drawn, and the length of film that they take, in inches."""
    placed, top = [], MARGIN_IN
    for row in _ROWS:
        left, high = MARGIN_IN, 0.0
        for name, width, copies in row:
            height = width * artwork(name).aspect
            high = max(high, height)
            for _ in range(copies):
                placed.append(Place(name, left, top, width, height))
                left += width + SPACING_IN
        if left - SPACING_IN > FILM_IN - MARGIN_IN:
            raise ValueError(f"a row of the drawing is {left:.2f} in wide")
        top += high + SPACING_IN
    return tuple(placed), top - SPACING_IN + MARGIN_IN


def use() -> float:
    """Return the share of the film of the sheet drawn that lies under designs' rectangles."""
    placed, length = places()
    return sum(place.width * place.height for place in placed) / (FILM_IN * length)


def layout(sheet: Sheet, area: Area) -> None:
    """Draw the sheet with its measures, as large as fits."""
    x, y, width, height = area
    placed, length = places()
    scale = min((width - 34) / FILM_IN, (height - 30) / length)
    left, top = x + 30, y + height - 24
    low = top - length * scale
    sheet.box(left + 3, low - 3, FILM_IN * scale, length * scale, "#DAD6CE")
    sheet.box(left, low, FILM_IN * scale, length * scale, FILM, "#9FB0C3", 0.8)
    for place in placed:
        corner = (left + place.left * scale, top - (place.top + place.height) * scale)
        sheet.box(*corner, place.width * scale, place.height * scale, WHITE, "#B5C3D3", 0.5, dash=(2, 2), alpha=0.55)
        sheet.picture(artwork(place.name), *corner, place.width * scale)
    _measure_across(sheet, left, top + 9, FILM_IN * scale, f"{FILM_IN:g} in of film")
    _measure_up(sheet, left - 9, low, length * scale, f"{length:.1f} in")


def _measure_across(sheet: Sheet, x: float, y: float, width: float, words: str) -> None:
    middle, half = x + width / 2, sheet.width_of(words, SMALL) / 2 + 6
    sheet.arrow((middle - half, y), (x, y), BLUE)
    sheet.arrow((middle + half, y), (x + width, y), BLUE)
    sheet.text(words, middle, y - 2.6, SMALL, BLUE, anchor="centre")


def _measure_up(sheet: Sheet, x: float, y: float, height: float, words: str) -> None:
    middle, half = y + height / 2, sheet.width_of(words, SMALL) / 2 + 6
    sheet.arrow((x, middle - half), (x, y), BLUE)
    sheet.arrow((x, middle + half), (x, y + height), BLUE)
    sheet.canvas.saveState()
    sheet.canvas.translate(x, middle)
    sheet.canvas.rotate(90)
    sheet.text(words, 0, -2.6, SMALL, BLUE, anchor="centre")
    sheet.canvas.restoreState()


def spacing(sheet: Sheet, area: Area) -> None:
    """Draw two designs and the corner of the film, with the two distances that matter."""
    x, y, width, height = area
    sheet.box(x, y, width, height, TINT, radius=4)
    left, low = x + 16, y + 14
    sheet.box(left, low, width - 32, height - 28, FILM, "#9FB0C3", 0.8)
    margin, gap, side = 22.0, 46.0, height - 28 - 44
    first, second = left + margin + 44, left + margin + 44 + side * 1.3 + gap
    for start, name, wide in ((first, "whale", side * 1.3), (second, "sunset", side * 1.3)):
        sheet.box(start, low + margin, wide, side, WHITE, "#9FB0C3", 0.6, dash=(2, 2))
        picture = artwork(name)
        across = min(wide, side / picture.aspect)
        sheet.picture(picture, start + (wide - across) / 2, low + margin + (side - across * picture.aspect) / 2, across)
    middle = low + margin + side / 2
    sheet.arrow((first + side * 1.3 + 14, middle), (first + side * 1.3 + 1, middle), CORAL, 1.1)
    sheet.arrow((second - 14, middle), (second - 1, middle), CORAL, 1.1)
    sheet.text("spacing", (first + side * 1.3 + second) / 2, middle + 8, SMALL, CORAL, anchor="centre")
    sheet.text("½ in", (first + side * 1.3 + second) / 2, middle - 14, SMALL, CORAL, anchor="centre")
    sheet.arrow((left + 34, middle), (left + 1, middle), BLUE, 1.1)
    sheet.arrow((left + 34, middle), (first - 1, middle), BLUE, 1.1)
    sheet.text("margin", (left + first) / 2, middle + 8, SMALL, BLUE, anchor="centre")
    after = second + side * 1.3 + 16
    words = (
        "Spacing is where the knife goes. It is counted between rectangles, not between outlines, so that two round "
        "designs lie further apart than the number says."
    )
    sheet.words(words, after, y + height - 26, x + width - 30 - after, SMALL, SMALL_LEADING, MUTED)


def order(sheet: Sheet, area: Area) -> None:
    """Draw one list of rectangles packed as they come, and packed by height."""
    x, y, width, height = area
    sizes = ((30, 38), (44, 16), (26, 30), (40, 36), (22, 14), (36, 18), (28, 34), (44, 15), (24, 31), (34, 17))
    half = (width - 30) / 2
    most = 0.0
    for index, (title, rows) in enumerate(
        (("as they come", sizes), ("the tallest first", tuple(sorted(sizes, key=lambda size: -size[1]))))
    ):
        left, top = x + index * (half + 30), y + height - 14
        used = _shelves(sheet, left, top, half, rows, draw=False)
        most = most or used
        sheet.box(left, top - most, half, most, TINT)
        sheet.box(left, top - used, half, used, FILM, "#9FB0C3", 0.7)
        _shelves(sheet, left, top, half, rows, draw=True)
        share = "" if used == most else f": {1 - used / most:.0%} less film"
        sheet.text(f"{title}{share}", left, y + height - 8, SMALL + 0.3, INK)
        sheet.line([(left, top - most), (left + half, top - most)], RULE, 0.6)


def _shelves(
    sheet: Sheet, x: float, top: float, width: float, sizes: tuple[tuple[int, int], ...], *, draw: bool
) -> float:
    """Pack rectangles in rows from the left, a new row when one is full; return the length used."""
    left, down, high = 3.0, 3.0, 0.0
    for wide, tall in sizes:
        if left + wide + 3 > width:
            left, down, high = 3.0, down + high + 3, 0.0
        if draw:
            sheet.box(x + left, top - down - tall, wide, tall, BLUE, alpha=0.75)
        left, high = left + wide + 3, max(high, tall)
    return down + high + 3
