"""Laying boxes on as many equal bins (sheets, rolls) as it takes: two-dimensional bin packing on whole pixels.

Every box is laid once, upright or turned by 90 degrees; two boxes of one bin are at least `gap_x` apart horizontally or
`gap_y` vertically, and none leaves the bin, whose edges need no gap. Pure arithmetic: the same input gives the same
packing, and effort is a count of steps, never a time. A greater effort goes on from where the lesser one ends, so that
it never costs more film.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from random import Random
from typing import Literal, TypeAlias

from pipeline.packing import bounds
from pipeline.packing.height import lower
from pipeline.packing.orders import by_size, in_order
from pipeline.packing.search import Meter, drained, fewer_bins
from pipeline.packing.values import Bin, Lots, Packing, Spot, lots, top

__all__ = ["Effort", "Packing", "Spot", "pack", "packings"]

Effort: TypeAlias = Literal["fast", "normal", "thorough"]

_STEPS: dict[Effort, tuple[int, int]] = {
    "fast": (1_500_000, 60_000),
    "normal": (2_500_000, 7_940_000),
    "thorough": (36_000_000, 72_000_000),
}
"""What each effort adds to the one before it: poses looked at to save a bin, and to save height.

A million takes about 0.1 s; a hopeless search for a bin less ends long before (see `search`).
"""


def packings(
    sizes: Sequence[tuple[int, int]],
    width: int,
    height: int,
    *,
    gap_x: int = 0,
    gap_y: int = 0,
    rotate: bool = True,
    effort: Effort = "normal",
) -> Iterator[Packing]:
    """Yield several complete packings of boxes (width, height) in bins of width × height pixels.

    The first ones keep to the order given, so that neighbours stay together, and so does the last; those between save
    most. The caller chooses. Those of a lesser effort are all among those of a greater one, but for the last when the
    greater effort saves a bin. Raises ValueError, with its index, for a box that fits the bin in no allowed way.
    """
    sheet, gaps = (width, height), (gap_x, gap_y)
    runs = lots(sizes, sheet, gaps, rotate=rotate, merge=False)
    ordered = list(in_order(runs))
    yield from map(runs.packing, ordered)
    merged = lots(sizes, sheet, gaps, rotate=rotate)
    saving: list[Bin] = []
    for saving in _saving(merged, effort):
        yield merged.packing(saving)
    if saving:
        yield from map(runs.packing, _closer(runs, min(ordered, key=_cost), len(saving), effort))


def pack(
    sizes: Sequence[tuple[int, int]],
    width: int,
    height: int,
    *,
    gap_x: int = 0,
    gap_y: int = 0,
    rotate: bool = True,
    effort: Effort = "normal",
) -> Packing:
    """Return the best of `packings`: fewest bins, then least used height in all, then the lowest last bin."""
    sheet, gaps = (width, height), (gap_x, gap_y)
    runs = lots(sizes, sheet, gaps, rotate=rotate, merge=False)
    merged = lots(sizes, sheet, gaps, rotate=rotate)
    found = chain(map(runs.packing, in_order(runs)), map(merged.packing, _saving(merged, effort)))
    return min(found, key=lambda each: each.cost)


def _cost(bins: Sequence[Bin]) -> tuple[int, int]:
    return len(bins), sum(map(top, bins))


def _saving(lots: Lots, effort: Effort) -> Iterator[list[Bin]]:
    """Yield fillings by size, then the best of them, improved again and again.

    None for boxes of one kind, which can lie one way only.
    """
    if len({(pose.width, pose.height) for ways in lots.poses for pose in ways}) <= 1:
        return
    found = list(by_size(lots))
    yield from found
    bins, rng = min(found, key=_cost), Random(0)
    for steps_for_bins, steps_for_height in _stages(effort):
        bins = _improved(lots, bins, rng, steps_for_bins, steps_for_height)
        yield bins


def _stages(effort: Effort) -> list[tuple[int, int]]:
    """Return the steps of an effort and of the lesser ones before it."""
    efforts = list(_STEPS)
    return [_STEPS[each] for each in efforts[: efforts.index(effort) + 1]]


def _closer(runs: Lots, bins: list[Bin], goal: int, effort: Effort) -> Iterator[list[Bin]]:
    """Yield the filling in the order given with no more bins than the goal, when breaking up a few can do it."""
    rng, meter = Random(0), Meter(sum(steps_for_bins for steps_for_bins, _ in _stages(effort)))
    while len(bins) > goal and (fewer := fewer_bins(runs, bins, rng, meter)):
        bins = fewer
        if len(bins) == goal:
            yield _numbered(runs, bins)


def _improved(lots: Lots, bins: list[Bin], rng: Random, steps_for_bins: int, steps_for_height: int) -> list[Bin]:
    """Return a packing with fewer bins, and then with less height, as far as the steps go; never a worse one."""
    meter = Meter(steps_for_bins)
    least = bounds.fewest_bins(lots)
    while len(bins) > least and (fewer := fewer_bins(lots, bins, rng, meter)):
        bins = fewer
    meter = Meter(steps_for_height // 2)
    *full, last = _numbered(lots, drained(lots, bins, rng, meter))
    steps = meter.left + steps_for_height // 2  # half of them for the last bin, which has most to give
    lowered = [lower(lots, each, rng, Meter(steps // 2 // len(full))) for each in full]
    steps -= steps // 2 if full else 0
    return _numbered(lots, [*lowered, lower(lots, last, rng, Meter(steps))])


def _numbered(lots: Lots, bins: list[Bin]) -> list[Bin]:
    """Return the bins in the order of the boxes in them, but the lowest, which has room left, last."""
    lowest = min(range(len(bins)), key=lambda number: top(bins[number]))
    last = bins.pop(lowest)
    return [*sorted(bins, key=lambda each: sum(lots.members[p.pose.lot][0] for p in each) / len(each)), last]
