"""Doing with fewer bins: take some of them apart and lay their boxes again. Seeded and counted: it repeats."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from pipeline.packing import bounds
from pipeline.packing.orders import slacks
from pipeline.packing.skyline import Rule, fill
from pipeline.packing.values import Bin, Lots, Pose, top

_PLACE = 50  # finding and taking a place costs as much as looking at so many poses
_NOISE = 0.5  # of 0.1, 0.3, 0.5, 1 and 2 this settled most of the 500 instances of the literature
WORSE = 0.1  # likewise, of 0, 0.02, 0.05, 0.1, 0.3
_TRIALS = 400  # for each box, to find room for the homeless
_LEAST_SHARE = 0.05  # of the steps, before anything is called hopeless


@dataclass(slots=True)
class Meter:
    """The work that may still be done, in poses looked at; a million takes about 0.1 s."""

    left: int

    def spend(self, poses: int, boxes: int) -> bool:
        """Pay for laying so many boxes; return whether that could be afforded, and keep what is left if not."""
        price = (boxes + 3) * (poses // 2 + _PLACE)  # on average half of the poses are there at each place
        if price > self.left:
            return False
        self.left -= price
        return True


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
    area = bounds.area(lots)
    while others := len(best) - 1:
        height = top(best[-1])
        floor = max(1, -(-area // lots.width) - others * lots.height)
        goal = max(floor, height - max(1, height // 8))
        if goal >= height:
            break
        homeless = [placed.pose.lot for placed in best[-1]]
        caps = [lots.height] * others + [goal]
        better = _settle(lots, [*best[:-1], []], homeless, caps, rng, meter)
        if better is None or sum(map(top, better)) >= sum(map(top, best)):
            break
        best = sorted(better, key=top, reverse=True)
    return best


def _settle(
    lots: Lots, bins: list[Bin], homeless: list[int], caps: list[int], rng: Random, meter: Meter
) -> list[Bin] | None:
    """Find room for the homeless: empty two or three bins, fill them anew, keep that if less area is left out.

    Ruin and recreate (Schrimpf et al. 2000, "Record breaking optimization results using the ruin and recreate
    principle"); the area left out may grow a little now and then. `caps` are the heights of the bins.
    """
    rules, budget = [Rule(slack) for slack in slacks(lots)], meter.left
    out = least = sum(lots.areas[lot] for lot in homeless)
    for _ in range(_TRIALS * sum(lots.counts)):
        if not homeless:
            return [each for each in bins if each]
        if budget - meter.left > budget * _promise(lots, least):
            break
        chosen = sorted(rng.sample(range(len(bins)), min(len(bins), rng.choice((2, 2, 3)))))
        pool = homeless + [placed.pose.lot for number in chosen for placed in bins[number]]
        left = dict.fromkeys(sorted(pool), 0)
        for lot in pool:
            left[lot] += 1
        live = shuffled(lots, left, rng)
        if not meter.spend(len(chosen) * len(live), len(pool) // len(chosen)):
            break
        rule = rng.choice(rules)
        filled = [fill(lots, live, left, rule, caps[number]) for number in chosen]
        area = sum(lots.areas[lot] * n for lot, n in left.items())
        if area <= out * (1 + WORSE * rng.random()):
            out, homeless = area, [lot for lot, n in left.items() for _ in range(n)]
            least = min(least, area)
            for number, each in zip(chosen, filled, strict=True):
                bins[number] = each
    return None


def _promise(lots: Lots, out: int) -> float:
    """Return which share of the steps it is worth to go on for, the least area left out so far being this.

    Where half a bin is still left out after many steps, it will be after all of them. Of the 500 instances of the
    literature this takes less than half of the time, and loses 3 of the 96 bins that are saved without it.
    """
    return max(_LEAST_SHARE, (1 - out / (lots.width * lots.height)) ** 3)


def shuffled(lots: Lots, kinds: Iterable[int], rng: Random) -> list[Pose]:
    """Return the poses of some lots, the larger tending to the front, and each lot's poses in either order."""
    rank = {lot: lots.areas[lot] * (1 + _NOISE * rng.random()) for lot in kinds}
    poses: list[Pose] = []
    for lot in sorted(rank, key=rank.__getitem__, reverse=True):
        ways = lots.poses[lot]
        poses += ways if rng.random() < 0.5 else ways[::-1]  # noqa: PLR2004 - a coin is tossed
    return poses
