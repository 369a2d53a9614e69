"""What is still owed: the copies that were ordered, without those that earlier runs have delivered. Pure.

Copies are told apart by their numbers, which an order's design counts through its lines.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from pipeline.items import Item, Rejection

Ranges = Sequence[tuple[int, int]]  # (first copy, count), in any sequence


def still_owed(items: Iterable[Item], delivered: Mapping[tuple[str, str], Ranges]) -> list[Item]:
    """Return the items without their delivered copies; one with a gap among its copies becomes two."""
    return [rest for item in items for rest in _rest(item, delivered.get((item.order, item.design), ()))]


def settled_orders(items: Sequence[Item], owed: Sequence[Item], rejected: Sequence[Rejection]) -> list[str]:
    """Return the orders that have lines, all of whose copies were delivered before, with nothing rejected."""
    waiting = {item.order for item in owed} | {rejection.order for rejection in rejected}
    return [order for order in dict.fromkeys(item.order for item in items) if order not in waiting]


def _rest(item: Item, ranges: Ranges) -> Iterator[Item]:
    """Yield the item's stretches of copies that no range covers."""
    first, end = item.first_copy, item.first_copy + item.quantity
    for begin, count in sorted(ranges):
        if begin > first and first < end:
            yield replace(item, first_copy=first, quantity=min(begin, end) - first)
        first = max(first, begin + count)
    if first < end:
        yield replace(item, first_copy=first, quantity=end - first)
