"""Drawings of film: its layers before and after the transfer, and of the press that they meet in."""

from bench.course.look import (
    AMBER,
    BLACK,
    CYAN,
    GLUE,
    INK,
    MAGENTA,
    MUTED,
    RULE,
    SMALL,
    TINT,
    WHITE,
    YELLOW,
)
from bench.course.sheet import Area, Sheet

Layer = tuple[str, float, str]  # what it is, how high it is drawn, its colour; "inks" are drawn as four

_PET, _CARRIER = "#B9CBDD", "#C8D8CC"
_DTF_FILM: tuple[Layer, ...] = (
    ("adhesive powder", 15, GLUE),
    ("white", 13, WHITE),
    ("colours", 11, "inks"),
    ("release coat", 6, "#D9E6F2"),
    ("PET film", 18, _PET),
)
_DTF_CLOTH: tuple[Layer, ...] = (
    ("colours", 11, "inks"),
    ("white", 13, WHITE),
    ("adhesive in weave", 15, GLUE),
    ("cloth", 24, "#8C8577"),
)
_UV_FILM: tuple[Layer, ...] = (
    ("film B, carrier", 12, _CARRIER),
    ("varnish", 7, "#EFE9C8"),
    ("colours", 11, "inks"),
    ("white", 13, WHITE),
    ("adhesive", 9, GLUE),
    ("film A, goes first", 14, _PET),
)
_UV_CUP: tuple[Layer, ...] = (
    ("varnish", 7, "#EFE9C8"),
    ("colours", 11, "inks"),
    ("white", 13, WHITE),
    ("adhesive", 9, GLUE),
    ("glass, metal, wood", 24, "#9AA7B5"),
)


def dtf(sheet: Sheet, area: Area) -> None:
    """Draw DTF: on the film, and on cloth."""
    _before_and_after(sheet, area, ("On the film", _DTF_FILM), ("On the shirt", _DTF_CLOTH))


def uv_dtf(sheet: Sheet, area: Area) -> None:
    """Draw UV-DTF: between its films, and on something hard."""
    _before_and_after(sheet, area, ("Between two films", _UV_FILM), ("On the cup", _UV_CUP))


def _before_and_after(
    sheet: Sheet,
    area: Area,
    before: tuple[str, tuple[Layer, ...]],
    after: tuple[str, tuple[Layer, ...]],
) -> None:
    x, y, width, height = area
    sheet.box(x, y, width, height, TINT, radius=4)
    second = width / 2 + 19
    for left, (title, layers) in ((x + 14, before), (x + second, after)):
        sheet.text(title, left, y + height - 17, SMALL + 0.5, INK)
        _layers(sheet, left, y + height - 28, 62, layers)
    sheet.arrow((x + second - 24, y + height / 2 - 7), (x + second - 7, y + height / 2 - 7), MUTED, 1.6, 7)


def _layers(sheet: Sheet, x: float, top: float, width: float, layers: tuple[Layer, ...]) -> None:
    """Draw layers from the top down, each with its name beside it."""
    label = top
    for name, high, colour in layers:
        top -= high
        if colour == "inks":
            for index, ink in enumerate((CYAN, MAGENTA, YELLOW, BLACK, MAGENTA, CYAN)):
                sheet.box(x + index * width / 6, top, width / 6, high, ink)
            sheet.box(x, top, width, high, None, "#8E939E", 0.4)
        else:
            sheet.box(x, top, width, high, colour, "#8E939E", 0.4)
        label = min(label, top + high / 2 - 2.4)
        sheet.line([(x + width, top + high / 2), (x + width + 6, label + 2.4)], RULE, 0.6)
        sheet.text(name, x + width + 8, label, SMALL - 1, MUTED)
        label -= 9.5


def press(sheet: Sheet, area: Area) -> None:
    """Draw a heat press from the side, open enough to see what lies in it."""
    x, y, width, height = area
    sheet.box(x, y, width, height, TINT, radius=4)
    left, wide, base = x + 30, 236.0, y + 26
    stack: tuple[Layer, ...] = (
        ("cover sheet: paper or PTFE", 4, "#E9D9B8"),
        ("film, print side down", 5, _PET),
        ("inks and adhesive", 5, MAGENTA),
        ("cloth, dried and smooth", 10, "#8C8577"),
        ("pad: silicone foam", 15, "#B95C48"),
        ("lower plate", 16, "#6C7686"),
    )
    sheet.box(left - 10, base - 12, wide + 20, 12, "#4A5362", radius=2)
    levels = []
    top = base
    for name, high, colour in reversed(stack):
        inset = 0 if high > 12 else 12 if high == 10 else 34
        sheet.box(left + inset, top, wide - 2 * inset, high, colour)
        levels.append((name, top + high / 2, left + wide - inset))
        top += high
    plate = top + 26
    sheet.box(left, plate, wide, 22, "#8790A0", radius=2)
    for index in range(9):
        sheet.circle(left + 22 + index * 24, plate + 11, 4.2, "#F2A33A", "#C4601D", 0.8)
    sheet.box(left + wide / 2 - 9, plate + 22, 18, 20, "#4A5362")
    levels.append(("upper plate, heated", plate + 11, left + wide))
    for index in range(4):
        at = left + 48 + index * 46
        sheet.arrow((at, plate - 3), (at, top + 5), AMBER, 1.3, 5.5)
    labels = [y + 32 + index * (height - 74) / (len(levels) - 1) for index in range(len(levels))]
    for (name, level, edge), label in zip(levels, labels, strict=True):
        sheet.line([(edge + 1, level), (left + wide + 16, level), (left + wide + 34, label + 2.6)], "#A9A294", 0.6)
        sheet.text(name, left + wide + 38, label, SMALL + 0.3, INK)
