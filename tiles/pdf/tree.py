"""Reading what may be anything: entries of a PDF's dictionaries, whatever stands where something else should."""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pikepdf

from tiles.pdf.text import plain

_MAX_PARENTS = 100  # of a page; trees of pages are shallow, and damaged ones may be circles


def entry(holder: Any, key: str) -> Any:
    """Return a dictionary's or stream's entry; None if there is none, or `holder` is neither."""
    return holder.get(key) if isinstance(holder, pikepdf.Dictionary | pikepdf.Stream) else None


def entries(holder: Any) -> Iterator[Any]:
    """Yield the values of a dictionary; nothing if it is none."""
    if isinstance(holder, pikepdf.Dictionary):
        for _, value in holder.items():  # a key that is no UTF-8 cannot be asked for
            yield value


def items_of(array: Any) -> list[Any]:
    """Return an array's items; none if it is no array."""
    return list(array) if isinstance(array, pikepdf.Array) else []


def number_of(value: Any) -> float | None:
    """Return a finite number; None if `value` is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def name_of(value: Any) -> str:
    """Return a name without its slash, control characters left out; "" if `value` is no name."""
    if not isinstance(value, pikepdf.Name):
        return ""
    try:
        name = str(value)
    except UnicodeDecodeError:
        name = bytes(value).decode("latin-1")
    return plain(name).replace("\n", " ").removeprefix("/")


def inherited(page: Any, key: str) -> Any:
    """Return an entry of a page, or else of what it stands in."""
    holder = page
    for _ in range(_MAX_PARENTS):
        value = entry(holder, key)
        if value is not None:
            return value
        holder = entry(holder, "/Parent")
    return None
