"""The plan: every copy to a place on a part, or to a rejection. Pure and deterministic.

Film is saved first: parts, and where they shrink to their content the height of all of them. Among packings that take
the same film, the one that spreads the fewest orders over parts is taken; what it uses more of full-size sheets than
the lowest is stated in the plan. Copies of one printed size, which can trade places freely, are dealt out so that
orders stay together.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.items import Rejection, reject
from pipeline.packing import Effort, Packing, Spot, packings
from pipeline.plan import Part, Placement, Plan, Printable, Sheet
from tiles.geometry import Rect


@dataclass(frozen=True, slots=True)
class _Copy:
    """One copy to be placed; `rank` is its order's position among the orders."""

    printable: Printable
    copy: int
    rank: int

    @property
    def size(self) -> tuple[int, int]:
        return self.printable.key.width_px, self.printable.key.height_px


def plan_sheets(
    printables: Sequence[Printable],
    sheet: Sheet,
    *,
    rotate: bool,
    file_name: Callable[[int], str],
    rejected: Sequence[Rejection] = (),
    effort: Effort = "normal",
) -> Plan:
    """Return the plan for `printables` on as many parts of `sheet` as it takes; more effort never takes more film.

    `rejected` are copies given up before; they and the ones that fit no sheet stand in the plan. `file_name` gives
    a part's file its name by the part's number, from 1.
    """
    fitting: list[Printable] = []
    misfits: list[Rejection] = []
    for printable in printables:
        reason = _misfit(printable, sheet, rotate=rotate)
        if reason:
            misfits.append(reject(printable.item, reason))
        else:
            fitting.append(printable)
    laid_out, kept_together_px = _lay_out(list(_copies(fitting)), sheet, rotate=rotate, effort=effort)
    parts = tuple(
        _part(number, placements, sheet, file_name(number)) for number, placements in enumerate(laid_out, start=1)
    )
    return Plan(sheet, parts, (*rejected, *misfits), kept_together_px)


def _misfit(printable: Printable, sheet: Sheet, *, rotate: bool) -> str:
    """Return why a printable fits no part, with the largest size that would; empty if it fits."""
    width, height = printable.key.width_px, printable.key.height_px
    usable = sheet.usable
    room = [(usable.width, usable.height)] + ([(usable.height, usable.width)] if rotate else [])
    if any(width <= across and height <= down for across, down in room):
        return ""
    scale = max(min(across / width, down / height) for across, down in room)
    fit_w, fit_h = (int(side * scale / sheet.dpi * 100) / 100 for side in (width, height))
    turned = "" if rotate else " unrotated"
    return (
        f"{width / sheet.dpi:.2f}×{height / sheet.dpi:.2f} in does not fit{turned} on the sheet of "
        f"{sheet.width_in:g}×{sheet.height_in:g} in with a margin of {sheet.margin_px / sheet.dpi:g} in; "
        f"{fit_w:.2f}×{fit_h:.2f} in would"
    )


def _copies(printables: Sequence[Printable]) -> Iterator[_Copy]:
    """Yield every copy, the orders in the sequence in which they were first named."""
    ranks: dict[str, int] = {}
    for printable in printables:
        ranks.setdefault(printable.item.order, len(ranks))
    for printable in sorted(printables, key=lambda printable: ranks[printable.item.order]):
        item = printable.item
        for copy in range(item.first_copy, item.first_copy + item.quantity):
            yield _Copy(printable, copy, ranks[item.order])


def _lay_out(
    copies: Sequence[_Copy], sheet: Sheet, *, rotate: bool, effort: Effort
) -> tuple[list[list[Placement]], int]:
    """Return the placements of each part, from the top left, and the height in pixels spent on keeping orders together.

    That is what the parts use in all, beyond the lowest packing found on as many parts.
    """
    if not copies:
        return [], 0
    usable = sheet.usable
    candidates = packings(
        [copy.size for copy in copies],
        usable.width,
        usable.height,
        gap_x=sheet.spacing_x_px,
        gap_y=sheet.spacing_y_px,
        rotate=rotate,
        effort=effort,
    )
    packing, assigned, kept_together_px = _choose(copies, candidates, sheet)
    parts: list[list[Placement]] = [[] for _ in packing.heights]
    for copy, spot in assigned:
        parts[spot.bin].append(_placement(copy, spot, usable))
    for placements in parts:
        placements.sort(key=lambda placement: (placement.rect.y, placement.rect.x))
    return parts, kept_together_px


def _choose(
    copies: Sequence[_Copy], candidates: Iterable[Packing], sheet: Sheet
) -> tuple[Packing, list[tuple[_Copy, Spot]], int]:
    """Return the packing that costs least, its copies' spots, and the height it uses beyond the lowest, in pixels.

    Candidates are looked at one by one, as each is as large as the plan.
    """
    used: list[tuple[int, int]] = []

    def dealt() -> Iterator[tuple[Packing, list[tuple[_Copy, Spot]]]]:
        for packing in candidates:
            used.append((len(packing.heights), sum(packing.heights)))
            yield packing, _deal(copies, packing)

    chosen, assigned = min(dealt(), key=lambda pair: _cost(pair[0], pair[1], sheet))
    _, lowest = min(used)  # on as few parts as the chosen one, since parts come first in its cost
    return chosen, assigned, sum(chosen.heights) - lowest


def _deal(copies: Sequence[_Copy], packing: Packing) -> list[tuple[_Copy, Spot]]:
    """Pair copies with spots of their size: spots in reading order, copies in the order of orders."""
    spots: dict[tuple[int, int], list[Spot]] = defaultdict(list)
    for copy, spot in zip(copies, packing.spots, strict=True):
        spots[copy.size].append(spot)
    for same_size in spots.values():
        same_size.sort(key=lambda spot: (spot.bin, spot.y, spot.x), reverse=True)
    return [(copy, spots[copy.size].pop()) for copy in copies]


def _cost(packing: Packing, assigned: Sequence[tuple[_Copy, Spot]], sheet: Sheet) -> tuple[int, ...]:
    """Return what a packing costs: parts, then film where sheets shrink to content, then orders spread, then film."""
    film = sum(packing.heights)
    parts_by_order: dict[int, set[int]] = defaultdict(set)
    for copy, spot in assigned:
        parts_by_order[copy.rank].add(spot.bin)
    spread = sum(len(parts) - 1 for parts in parts_by_order.values())
    return (len(packing.heights), film if sheet.dynamic_sizing else 0, spread, film)


def _placement(copy: _Copy, spot: Spot, usable: Rect) -> Placement:
    width, height = copy.size
    if spot.turned:
        width, height = height, width
    item = copy.printable.item
    return Placement(
        order=item.order,
        design=item.design,
        copy=copy.copy,
        key=copy.printable.key,
        rect=Rect(usable.x + spot.x, usable.y + spot.y, width, height),
        rotation=90 if spot.turned else 0,
    )


def _part(number: int, placements: Sequence[Placement], sheet: Sheet, file: str) -> Part:
    """Return a part at the sheet's full size, or shrunk to its content and margin where that is asked for."""
    width, height = sheet.width_px, sheet.height_px
    if sheet.dynamic_sizing:
        width = min(width, max(placement.rect.right for placement in placements) + sheet.margin_px)
        height = min(height, max(placement.rect.bottom for placement in placements) + sheet.margin_px)
    return Part(number, width, height, tuple(placements), file)
