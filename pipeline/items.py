"""What was asked for, in values: items, and the copies that will not be printed with their reasons. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

MAX_QUANTITY = 100_000
MAX_INCHES = 10_000.0


@dataclass(frozen=True, slots=True)
class Item:
    """One order line. Sizes in inches, None where not given; `where` names its place, for messages.

    `reference` says where the artwork is, if the design's name, which anyone may read, does not say it whole.
    Its copies are numbered from `first_copy` on, so that (order, design, copy) names one copy in the whole run.
    """

    order: str
    design: str
    quantity: int
    width_in: float | None
    height_in: float | None
    where: str
    first_copy: int = 1
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Copies of an item that will not be printed: `copies` of them, numbered from `copy` on, and why."""

    order: str
    design: str
    copy: int
    copies: int
    reason: str


def reject(item: Item, reason: str) -> Rejection:
    """Return the rejection of a whole item; one line is the least that was asked for."""
    return Rejection(item.order, item.design, item.first_copy, max(1, item.quantity), reason)


def number_copies(items: Iterable[Item]) -> list[Item]:
    """Return the items with their copies numbered on where an order names a design in several lines."""
    counted: dict[tuple[str, str], int] = {}
    numbered = []
    for item in items:
        key = (item.order, item.design)
        numbered.append(replace(item, first_copy=counted.get(key, 0) + 1))
        counted[key] = counted.get(key, 0) + max(1, item.quantity)
    return numbered


def parse_quantity(text: str) -> int:
    """Return the number of copies that `text` says; raise ValueError with the reason if it says none."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"the quantity {text!r} is not a number") from None
    if not math.isfinite(value) or value != int(value):
        raise ValueError(f"the quantity {text} is not a whole number")
    if value < 1:
        raise ValueError(f"the quantity is {int(value)}; it must be at least 1")
    if value > MAX_QUANTITY:
        raise ValueError(f"the quantity {int(value):,} is above {MAX_QUANTITY:,}, the most one line may ask for")
    return int(value)


def parse_inches(text: str, name: str) -> float | None:
    """Return the inches that `text` says, None when it is empty; raise ValueError with the reason."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{name} {text!r} is not a number of inches") from None
    if not 0 < value <= MAX_INCHES:  # NaN is not either
        raise ValueError(f"{name} is {text}; it must be above 0 and at most {MAX_INCHES:,.0f} inches")
    return value
