"""The promises of a plan, recomputed from scratch: no overlap, gaps kept, inside the sheet, nothing lost or doubled.

Pure; shares no code with packing, so that a mistake there is seen here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.items import Item, Rejection
from pipeline.plan import Placement
from tiles.geometry import Rect


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy as a plan or a manifest places it."""

    order: str
    design: str
    copy: int
    rect: Rect

    def __str__(self) -> str:
        return f"order {self.order}, {self.design}, copy {self.copy}"


def copy_of(placement: Placement) -> Copy:
    """Return the copy that a placement places."""
    return Copy(placement.order, placement.design, placement.copy, placement.rect)


def check_places(copies: Sequence[Copy], sheet: Rect, margin_px: int, spacing_px: tuple[int, int]) -> list[str]:
    """Return what is wrong with the places on one part: overlaps, gaps below the spacing, places outside.

    Two placements keep the spacing when they are `spacing_px[0]` apart across or `spacing_px[1]` apart down.
    """
    inside = sheet.inset(margin_px)
    problems = [f"{copy} leaves the sheet or its margin" for copy in copies if not inside.contains(copy.rect)]
    problems += [f"{copy} has no area" for copy in copies if copy.rect.area <= 0]
    ordered = sorted(copies, key=lambda copy: copy.rect.y)
    for index, first in enumerate(ordered):
        reach = first.rect.grow(*spacing_px)
        for second in ordered[index + 1 :]:
            if second.rect.y >= reach.bottom:
                break
            if first.rect.intersect(second.rect).area:
                problems.append(f"{first} and {second} overlap")
            elif reach.intersect(second.rect.grow(*spacing_px)).area:
                problems.append(f"{first} and {second} are closer than the spacing")
    return problems


def check_conservation(
    ordered: Mapping[tuple[str, str], int], placed: Iterable[Copy], rejected: Iterable[Rejection]
) -> list[str]:
    """Return where ordered ≠ placed + rejected, item by item, and which copies are placed twice.

    `ordered` counts copies by (order, design).
    """
    copies = list(placed)
    twice = Counter((copy.order, copy.design, copy.copy) for copy in copies)
    problems = [
        f"order {order}, {design}, copy {copy} is placed {count} times"
        for (order, design, copy), count in twice.items()
        if count > 1
    ]
    found = Counter((copy.order, copy.design) for copy in copies)
    for rejection in rejected:
        found[rejection.order, rejection.design] += rejection.copies
    for order, design in sorted(set(ordered) | set(found)):
        asked, accounted = ordered.get((order, design), 0), found[order, design]
        if asked != accounted:
            problems.append(f"order {order}, {design}: {asked} ordered, {accounted} placed or rejected")
    return problems


def count_ordered(items: Iterable[Item], rejected: Iterable[Rejection]) -> dict[tuple[str, str], int]:
    """Return the copies asked for by (order, design): of the items read, and of the lines rejected on reading."""
    counts: Counter[tuple[str, str]] = Counter()
    for item in items:
        counts[item.order, item.design] += item.quantity
    for rejection in rejected:
        counts[rejection.order, rejection.design] += rejection.copies
    return dict(counts)
