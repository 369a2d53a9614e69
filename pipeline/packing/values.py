"""The nouns of packing: spots and packings outside; lots, poses and bins inside. Whole pixels, y downwards.

Inside, every box is as large as its pixels plus the gap, and so is the bin: two such boxes that merely do not overlap
are a gap apart, and the gap at the bin's far edges costs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, TypeAlias


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one box went: `bin` counts from 0; a `turned` box occupies height × width pixels from (x, y)."""

    bin: int
    x: int
    y: int
    turned: bool


@dataclass(frozen=True, slots=True)
class Packing:
    """One spot per box, in the order given, and the used height of each bin."""

    spots: tuple[Spot, ...]
    heights: tuple[int, ...]

    @property
    def cost(self) -> tuple[int, int, int]:
        """Fewer bins are better, then less used height in all, then a lower last bin."""
        return len(self.heights), sum(self.heights), self.heights[-1] if self.heights else 0


class Pose(NamedTuple):
    """One allowed way to lay a box of a lot: the size it then takes, gap included."""

    width: int
    height: int
    lot: int
    turned: bool


class Placed(NamedTuple):
    """A box of a lot at (x, y)."""

    pose: Pose
    x: int
    y: int


Bin: TypeAlias = list[Placed]


@dataclass(frozen=True, slots=True)
class Lots:
    """Boxes of one size are one lot: `members` are their indices, `poses` how they may lie.

    `width` and `height` are the bin's, gap included.
    """

    width: int
    height: int
    gap_y: int
    members: tuple[tuple[int, ...], ...]
    poses: tuple[tuple[Pose, ...], ...]

    @property
    def counts(self) -> list[int]:
        """How many boxes each lot has."""
        return [len(each) for each in self.members]

    def area(self, lot: int) -> int:
        """Return what one box of a lot covers, gap included."""
        pose = self.poses[lot][0]
        return pose.width * pose.height

    def packing(self, bins: Sequence[Bin]) -> Packing:
        """Name the boxes: those of one lot in the order given, bin after bin."""
        waiting = [iter(each) for each in self.members]
        spots: list[Spot | None] = [None] * sum(self.counts)
        for number, placed in enumerate(bins):
            for pose, x, y in placed:
                spots[next(waiting[pose.lot])] = Spot(number, x, y, pose.turned)
        heights = tuple(top(placed) - self.gap_y for placed in bins)
        return Packing(tuple(spot for spot in spots if spot is not None), heights)


def top(placed: Bin) -> int:
    """Return the used height of a bin, gap included."""
    return max((y + pose.height for pose, _, y in placed), default=0)


def lots(
    sizes: Sequence[tuple[int, int]],
    sheet: tuple[int, int],
    gaps: tuple[int, int],
    *,
    rotate: bool,
    merge: bool = True,
) -> Lots:
    """Group boxes of one size: all of them, or with `merge` off only those that follow one another.

    Raises ValueError with the index of a box that fits the sheet in no allowed way.
    """
    width, height = sheet
    groups: list[tuple[tuple[int, int], list[int]]]
    if merge:
        found: dict[tuple[int, int], list[int]] = {}
        for index, size in enumerate(sizes):
            found.setdefault(size, []).append(index)
        groups = list(found.items())
    else:
        groups = [(size, list(run)) for size, run in groupby(range(len(sizes)), key=sizes.__getitem__)]
    poses = []
    for lot, ((w, h), members) in enumerate(groups):
        if w <= 0 or h <= 0:
            raise ValueError(f"box {members[0]} is {w}×{h}: a side must be at least 1")
        ways = [(w, h, False), (h, w, True)] if rotate and w != h else [(w, h, False)]
        fitting = tuple(Pose(a + gaps[0], b + gaps[1], lot, t) for a, b, t in ways if a <= width and b <= height)
        if not fitting:
            raise ValueError(f"box {members[0]} is {w}×{h} and fits no bin of {width}×{height}")
        poses.append(fitting)
    return Lots(width + gaps[0], height + gaps[1], gaps[1], tuple(tuple(each) for _, each in groups), tuple(poses))
