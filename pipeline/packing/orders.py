"""The orders and rules by which bins are filled when nothing is known yet."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from pipeline.packing.skyline import ANY, Rule, fill_all, widest
from pipeline.packing.values import Bin, Lots, Pose

_LOOKS = 4_000_000  # so many poses may be looked at with one order, about 0.4 s; else only the quick rules
_NEAR, _FAR = 24, 256  # poses looked ahead in the order given: a dozen boxes, and enough to fill any hole

Rank: TypeAlias = Callable[[Pose], tuple[int, ...]]


def largest(pose: Pose) -> tuple[int, ...]:
    """Sort key: the largest area first, then the widest."""
    return -pose.width * pose.height, -pose.width


def tallest(pose: Pose) -> tuple[int, ...]:
    """Sort key: the tallest pose first, then the widest."""
    return -pose.height, -pose.width


def longest(pose: Pose) -> tuple[int, ...]:
    """Sort key: the longer side first, then the shorter."""
    return -max(pose.width, pose.height), -min(pose.width, pose.height)


RANKS: tuple[Rank, ...] = (largest, widest, tallest, longest)


def slacks(lots: Lots) -> list[int]:
    """Return the slacks worth trying: exact, two that suit sizes without a grid, and first fit.

    One and two hundredths of the bin's width were the best of 0, 20, 50, 100, 200 px for random stickers of 0.5 to
    6 in on a 22 in roll at 400 dpi.
    """
    return sorted({0, lots.width // 100, lots.width // 50, ANY})


def in_order(lots: Lots) -> Iterator[list[Bin]]:
    """Yield fillings that keep to the order of the lots: neighbours stay together, at some cost in film."""
    poses = [pose for ways in lots.poses for pose in ways]
    for window in (_NEAR, _FAR):
        for slack in (lots.width // 50, ANY):
            yield fill_all(lots, poses, Rule(slack, window))


def by_size(lots: Lots) -> Iterator[list[Bin]]:
    """Yield fillings by falling size; the quick ones, which suit any number of boxes, come first."""
    poses = sorted((pose for ways in lots.poses for pose in ways), key=widest)
    for slack in slacks(lots)[1:]:
        yield fill_all(lots, poses, Rule(slack, _FAR, widest_first=True))
    if len(poses) * sum(lots.counts) <= _LOOKS:
        for rank in RANKS:
            yield fill_all(lots, sorted(poses, key=rank), Rule())
            yield fill_all(lots, sorted(poses, key=rank), Rule(ANY))
