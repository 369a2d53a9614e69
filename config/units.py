"""The one rule from inches to pixels, and how amounts of memory and of time are written."""

import re
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction

MM_PER_INCH = Decimal("25.4")

_BYTES = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([KMGT]i?)?B?\s*$", re.IGNORECASE)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600}
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def round_half_up(value: float | Decimal) -> int:
    """Return `value` rounded to the nearest whole number, halves upwards.

    A float counts as the decimal number it is written as, so 4.35 × 10 is 43.5 and rounds to 44.
    """
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    return int(exact.to_integral_value(rounding=ROUND_HALF_UP if exact >= 0 else ROUND_HALF_DOWN))


def inches_to_px(inches: float, dpi: float) -> int:
    """Return `round_half_up(inches × dpi)`: the only way from inches to pixels in the project."""
    return round_half_up(Decimal(repr(inches)) * Decimal(repr(dpi)))


def dpi_to_px_per_metre(dpi: int) -> int:
    """Return the whole pixels per metre that a PNG pHYs chunk says for `dpi` (PNG 3rd edition, 11.3.4.3)."""
    per_metre = Decimal(dpi) * 1000 / MM_PER_INCH
    return int(per_metre.to_integral_value(rounding=ROUND_HALF_UP))


def parse_bytes(text: str) -> int:
    """Return the bytes that `text` says: `512MB` (10⁶), `512MiB` (2²⁰), `5GB`, `1000`.

    Raises ValueError, naming the text and the form expected.
    """
    match = _BYTES.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not an amount of bytes; write for example 512MB or 2GiB")
    number, unit = match[1], (match[2] or "").lower()
    base = 1024 if unit.endswith("i") else 1000
    return int(Fraction(number) * base ** _POWERS[unit.rstrip("i")])


def parse_duration(text: str) -> float:
    """Return the seconds that `text` says: `90s`, `55m`, `1.5h`; raise ValueError with the form expected."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError("must be a time with its unit, such as 90s, 55m or 2h")
    return float(match[1]) * _SECONDS[match[2]]


def format_bytes(count: float) -> str:
    """Return `count` bytes as a person reads it: `9.6 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        shown = round(count, 0 if unit == "B" else 1)
        if abs(shown) < 1000:  # noqa: PLR2004 - a thousand is the next unit
            return f"{shown:.0f} {unit}" if unit == "B" else f"{shown:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
