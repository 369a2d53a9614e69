"""Using less of a bin's height: lay its boxes in other orders, or those on top of it anew. Seeded and counted."""

from collections.abc import Sequence
from operator import mul
from random import Random

from pipeline.packing import bounds
from pipeline.packing.orders import RANKS, slacks
from pipeline.packing.search import WORSE, Meter, shuffled
from pipeline.packing.skyline import ANY, Rule, fill
from pipeline.packing.values import Bin, Lots, Pose, top

_SWITCH = 0.1  # how often a trial has another rule; from 0.02 to 0.5 it matters little
_STEP = 32  # a trial aims lower by this part of what the floor would allow
_PATIENCE = 100  # trials without a gain, for each pose, after which a bin is left as it is
_TAIL = 40  # boxes


def lower(lots: Lots, placed: Bin, rng: Random, meter: Meter) -> Bin:
    """Return the boxes of one bin, using as little of its height as could be found."""
    floor = bounds.least_height(lots, placed)
    if len({each.pose for each in placed}) == 1 or top(placed) <= floor:
        return placed
    half = Meter(meter.left // 2)
    meter.left -= half.left
    placed = _reordered(lots, placed, floor, rng, half)
    meter.left += half.left
    return _retopped(lots, placed, floor, rng, meter)


def _goal(height: int, floor: int) -> int:
    """Return the height to aim at next: a little less than the best so far."""
    return height - max(1, (height - floor) // _STEP)


def _reordered(lots: Lots, placed: Bin, floor: int, rng: Random, meter: Meter) -> Bin:
    """Local search over the order of all poses (as Wei et al. 2011).

    Below the height aimed at, an order must leave out no more area than the one before it.
    """
    counts = [0] * len(lots.poses)
    for each in placed:
        counts[each.pose.lot] += 1
    poses = [pose for ways in lots.poses for pose in ways if counts[pose.lot]]
    if not (starts := _starts(lots, poses, counts, meter)):
        return placed
    _, _, best, order, rule = min(starts)
    if top(placed) <= top(best):
        best = placed
    out = nothing = lots.width * top(placed) * 2
    trials = _PATIENCE * len(order)
    while trials > 0 and (height := top(best)) > floor and meter.spend(len(order), len(placed)):
        trials -= 1
        tried = _moved(order, rng)
        how = Rule(rng.choice(slacks(lots))) if rng.random() < _SWITCH else rule
        left = list(counts)
        filled = fill(lots, list(tried), left, how, _goal(height, floor))
        area = sum(map(mul, lots.areas, left))
        if area < out:
            trials = _PATIENCE * len(order)
        if area <= out:
            out, order, rule = area, tried, how
        if not area:
            best, out = filled, nothing
    return best


def _retopped(lots: Lots, placed: Bin, floor: int, rng: Random, meter: Meter) -> Bin:
    """Lay the boxes that went in last anew, on the outline of those before them.

    An early change throws all later boxes about; this keeps what is well laid, which is worth the more the more boxes
    there are. A few to forty boxes are taken off: of 20, 40 and 80 the middle was best for 30 to 600 boxes.
    """
    best = kept = placed
    homeless: list[int] = []
    out = goal = trials = 0
    while trials or not homeless:
        trials -= 1
        if not homeless:
            best = kept
            if (height := top(best)) <= floor:
                break
            goal, trials = _goal(height, floor), 2 * _PATIENCE * len(best)
            homeless = [each.pose.lot for each in best if each.y + each.pose.height > goal]
            kept = [each for each in best if each.y + each.pose.height <= goal]
            out = sum(lots.areas[lot] for lot in homeless)
        below, taken = _cut(kept, rng)
        pool = [*homeless, *(each.pose.lot for each in taken)]
        if not meter.spend(2 * len(pool), len(pool)):
            break
        left = {lot: pool.count(lot) for lot in sorted(pool)}
        live = shuffled(lots, left, rng)
        filled = fill(lots, live, left, Rule(rng.choice(slacks(lots))), goal, below)
        area = sum(lots.areas[lot] * n for lot, n in left.items())
        if area <= out * (1 + WORSE * rng.random()):
            out, kept = area, below + filled
            homeless = [lot for lot, n in left.items() for _ in range(n)]
    return best


def _cut(placed: Bin, rng: Random) -> tuple[Bin, Bin]:
    """Return the boxes laid first, and the last few."""
    at = max(0, len(placed) - rng.randint(3, _TAIL))
    return placed[:at], placed[at:]


def _starts(
    lots: Lots, poses: Sequence[Pose], counts: Sequence[int], meter: Meter
) -> list[tuple[int, int, Bin, list[Pose], Rule]]:
    """Return fillings of one bin: their height, a number to tell equals apart, the filling, its order and rule."""
    found: list[tuple[int, int, Bin, list[Pose], Rule]] = []
    for rank in RANKS:
        order = sorted(poses, key=rank)
        for slack in slacks(lots):
            if not meter.spend(len(poses), sum(counts)):
                return found
            filled = fill(lots, list(order), list(counts), Rule(slack), ANY)
            found.append((top(filled), len(found), filled, order, Rule(slack)))
    return found


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
