"""Making a packing better by taking parts of it out and laying them again; seeded and counted, so it repeats exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from pipeline.packing import bounds
from pipeline.packing.orders import RANKS, slacks
from pipeline.packing.skyline import ANY, Rule, fill
from pipeline.packing.values import Bin, Lots, Pose, top

_PLACE = 30  # finding and taking a place costs as much as looking at so many poses
_NOISE = 0.5  # of 0.1, 0.3, 0.5, 1 and 2 this settled most of the 500 instances of the literature
_WORSE = 0.1  # likewise, of 0, 0.02, 0.05, 0.1, 0.3
_SWITCH = 0.1  # how often a trial has another rule; from 0.02 to 0.5 it matters little
_STEP = 32  # a trial aims lower by this part of what the floor would allow


@dataclass(slots=True)
class Meter:
    """The work that may still be done, in poses looked at; a million takes about 0.1 s."""

    left: int

    def spend(self, poses: int, boxes: int) -> None:
        """Count one filling: on average half of the poses are still there at each place."""
        self.left -= cost(poses, boxes)


def cost(poses: int, boxes: int) -> int:
    """Return about how many poses are looked at when a bin is filled."""
    return (boxes + 1) * (poses // 2 + _PLACE)


def fewer_bins(lots: Lots, bins: Sequence[Bin], rng: Random, meter: Meter) -> list[Bin] | None:
    """Return the boxes in one bin less, or None when that did not come about.

    The emptiest bin is given up; its boxes go into the others.
    """
    kept = sorted(bins, key=bounds.area_of, reverse=True)
    homeless = [placed.pose.lot for placed in kept.pop()]
    return _settle(lots, kept, homeless, [lots.height] * len(kept), rng, meter)


def drained(lots: Lots, bins: Sequence[Bin], rng: Random, meter: Meter) -> list[Bin]:
    """Return the boxes in as many bins, the last of them lower if that saves height on the whole."""
    best = sorted(bins, key=top, reverse=True)
    others = len(best) - 1
    floor = bounds.least_height(lots, bounds.area(lots)) - others * lots.height
    while meter.left > 0 and (height := top(best[-1])) > max(floor, 0):
        goal = max(floor, height - max(1, height // 8))
        homeless = [placed.pose.lot for placed in best[-1]]
        caps = [lots.height] * others + [goal]
        lower_last = _settle(lots, [*best[:-1], []], homeless, caps, rng, meter)
        if lower_last is None or sum(map(top, lower_last)) >= sum(map(top, best)):
            break
        best = sorted(lower_last, key=top, reverse=True)
    return best


def lower(lots: Lots, placed: Bin, rng: Random, meter: Meter) -> Bin:
    """Return the boxes of one bin, using as little of its height as could be found.

    Local search over the order of the poses (as Wei et al. 2011): below a height slightly less than the best so far,
    an order must leave out no more area than the one before it.
    """
    counts = [0] * len(lots.poses)
    for each in placed:
        counts[each.pose.lot] += 1
    poses = [pose for ways in lots.poses for pose in ways if counts[pose.lot]]
    floor = bounds.least_height(lots, bounds.area_of(placed))
    if len(poses) == 1 or 2 * len(RANKS) * cost(len(poses), len(placed)) > meter.left:
        return placed  # nothing to choose, or no time for it
    best, order, rule = _start(lots, placed, poses, counts, meter)
    out = lots.width * lots.height
    while meter.left > 0 and (height := top(best)) > floor:
        tried = _moved(order, rng)
        how = Rule(rng.choice(slacks(lots))) if rng.random() < _SWITCH else rule
        left = list(counts)
        filled = fill(lots, list(tried), left, how, height - max(1, (height - floor) // _STEP))
        meter.spend(len(tried), len(filled))
        area = sum(lots.area(lot) * n for lot, n in enumerate(left) if n)
        if area <= out:
            out, order, rule = area, tried, how
        if not area:
            best, out = filled, lots.width * lots.height
    return best


def _start(
    lots: Lots, placed: Bin, poses: Sequence[Pose], counts: Sequence[int], meter: Meter
) -> tuple[Bin, list[Pose], Rule]:
    """Return the bin as it is or better, and the best order and rule to begin with."""
    found: list[tuple[int, int, Bin, list[Pose], Rule]] = []
    for rank in RANKS:
        order = sorted(poses, key=rank)
        for slack in slacks(lots):
            filled = fill(lots, list(order), list(counts), Rule(slack), ANY)
            meter.spend(len(order), len(filled))
            found.append((top(filled), len(found), filled, order, Rule(slack)))
    height, _, filled, order, rule = min(found)
    return (filled if height < top(placed) else placed), order, rule


def _settle(
    lots: Lots, bins: list[Bin], homeless: list[int], caps: list[int], rng: Random, meter: Meter
) -> list[Bin] | None:
    """Find room for the homeless: empty two or three bins, fill them anew, keep that if less area is left out.

    Ruin and recreate (Schrimpf et al. 2000, "Record breaking optimization results using the ruin and recreate
    principle"); the area left out may grow a little now and then. `caps` are the heights of the bins.
    """
    rules = [Rule(slack) for slack in slacks(lots)]
    out = sum(map(lots.area, homeless))
    while homeless and meter.left > 0:
        chosen = sorted(rng.sample(range(len(bins)), min(len(bins), rng.choice((2, 2, 3)))))
        pool = homeless + [placed.pose.lot for number in chosen for placed in bins[number]]
        left = dict.fromkeys(sorted(pool), 0)
        for lot in pool:
            left[lot] += 1
        live = _shuffled(lots, left, rng)
        meter.spend(len(chosen) * len(live), len(pool) // len(chosen))
        rule = rng.choice(rules)
        filled = [fill(lots, live, left, rule, caps[number]) for number in chosen]
        area = sum(lots.area(lot) * n for lot, n in left.items())
        if area <= out * (1 + _WORSE * rng.random()):
            out, homeless = area, [lot for lot, n in left.items() for _ in range(n)]
            for number, each in zip(chosen, filled, strict=True):
                bins[number] = each
    return None if homeless else [each for each in bins if each]


def _shuffled(lots: Lots, kinds: Sequence[int] | dict[int, int], rng: Random) -> list[Pose]:
    """Return the poses of some lots, the larger tending to the front, and each lot's poses in either order."""
    rank = {lot: lots.area(lot) * (1 + _NOISE * rng.random()) for lot in kinds}
    poses: list[Pose] = []
    for lot in sorted(rank, key=rank.__getitem__, reverse=True):
        ways = lots.poses[lot]
        poses += rng.choice((ways, ways[::-1]))
    return poses


def _moved(order: Sequence[Pose], rng: Random) -> list[Pose]:
    """Return the order with one to three poses exchanged or moved elsewhere."""
    moved = list(order)
    for _ in range(rng.choice((1, 1, 2, 3))):
        i, j = rng.randrange(len(moved)), rng.randrange(len(moved))
        if rng.choice((True, False)):
            moved.insert(j, moved.pop(i))
        else:
            moved[i], moved[j] = moved[j], moved[i]
    return moved
