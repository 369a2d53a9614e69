"""A page's boxes: what is to remain of it once it is cut."""

from typing import Any

from tiles.pdf.tree import entry, inherited, items_of, number_of
from tiles.pdf.values import POINTS_PER_INCH

_BOXES = {"crop": "/CropBox", "bleed": "/BleedBox", "trim": "/TrimBox"}
_SAME_IN = 0.002  # what rounding to points does
_CORNERS = 4
_MAX_USER_UNIT = 75_000  # ISO 32000-1, table C.1
_DIGITS = 3

Box = tuple[float, float, float, float]  # left, bottom, width, height in inches, from the media box's lower left corner


def user_unit_of(page: Any) -> float:
    """Return how many points make a unit of a page's dictionary: 1, unless it says otherwise and can be right."""
    unit = number_of(entry(page, "/UserUnit"))
    return unit if unit is not None and 0 < unit <= _MAX_USER_UNIT else 1.0


def boxes_of(page: Any) -> dict[str, Box]:
    """Return those of a page's crop, bleed and trim box that are given and differ from its media box.

    They are as the page's dictionary has them, before it is rotated, UserUnit applied.
    """
    scale = user_unit_of(page) / POINTS_PER_INCH
    media = _corners(inherited(page, "/MediaBox"))
    if media is None:
        return {}

    def _in(length: float) -> float:
        return round(length * scale, _DIGITS)

    found = {}
    for name, key in _BOXES.items():
        box = _corners(inherited(page, key) if name == "crop" else entry(page, key))
        if box and any(abs(side - other) * scale > _SAME_IN for side, other in zip(box, media, strict=True)):
            left, bottom, right, top = box
            found[name] = (_in(left - media[0]), _in(bottom - media[1]), _in(right - left), _in(top - bottom))
    return found


def _corners(array: Any) -> Box | None:
    """Return (left, bottom, right, top); None if `array` is no rectangle."""
    values = [number for number in map(number_of, items_of(array)) if number is not None]
    if len(values) != _CORNERS:
        return None
    (left, right), (bottom, top) = sorted(values[::2]), sorted(values[1::2])
    return left, bottom, right, top
