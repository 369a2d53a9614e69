"""Laying boxes on as many equal bins (sheets, rolls) as it takes: two-dimensional bin packing on whole pixels.

Every box is laid once, upright or turned by 90 degrees; two boxes of one bin are at least `gap_x` apart horizontally or
`gap_y` vertically, and none leaves the bin, whose edges need no gap. Pure arithmetic: the same input gives the same
packing, and effort is a count of steps, never a time.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Literal, TypeAlias

from pipeline.packing import bounds
from pipeline.packing.orders import by_size, in_order
from pipeline.packing.search import Meter, drained, fewer_bins, lower
from pipeline.packing.values import Bin, Lots, Packing, Spot, lots, top

__all__ = ["Effort", "Packing", "Spot", "pack", "packings"]

Effort: TypeAlias = Literal["fast", "normal", "thorough"]

_STEPS: dict[Effort, tuple[int, int]] = {
    "fast": (600_000, 150_000),
    "normal": (4_000_000, 5_000_000),
    "thorough": (40_000_000, 50_000_000),
}
"""Poses looked at to save a bin, and to save height; a million takes about 0.1 s."""


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

    The first ones keep to the order given, so that neighbours stay together; the last one saves most. The caller
    chooses. Raises ValueError, with its index, for a box that fits the bin in no allowed way.
    """
    sheet, gaps = (width, height), (gap_x, gap_y)
    runs = lots(sizes, sheet, gaps, rotate=rotate, merge=False)
    merged = lots(sizes, sheet, gaps, rotate=rotate)
    if not sizes:
        yield Packing((), ())
        return
    best: list[Bin] | None = None
    for bins in in_order(runs):
        yield runs.packing(bins)
    for bins in by_size(merged):
        yield merged.packing(bins)
        best = bins if best is None else min(best, bins, key=_cost)
    if best is not None:
        yield merged.packing(_improved(merged, best, effort))


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
    found = packings(sizes, width, height, gap_x=gap_x, gap_y=gap_y, rotate=rotate, effort=effort)
    return min(found, key=lambda each: each.cost)


def _cost(bins: Sequence[Bin]) -> tuple[int, int]:
    return len(bins), sum(map(top, bins))


def _improved(lots: Lots, bins: list[Bin], effort: Effort) -> list[Bin]:
    """Return a packing with fewer bins, and then with less height, as far as the effort goes."""
    if sum(map(len, lots.poses)) == 1:
        return bins  # boxes of one kind that lie one way: there is nothing to choose
    steps_for_bins, steps_for_height = _STEPS[effort]
    rng, meter = Random(len(bins)), Meter(steps_for_bins)
    least = bounds.fewest_bins(lots)
    while len(bins) > least and (fewer := fewer_bins(lots, bins, rng, meter)):
        bins = fewer
    meter = Meter(steps_for_height // 2)
    if len(bins) > 1:
        bins = drained(lots, bins, rng, meter)
    share = (meter.left + steps_for_height // 2) // len(bins)
    return [lower(lots, each, rng, Meter(share)) for each in bins]
