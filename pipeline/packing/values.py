"""The nouns of packing: spots and packings outside; lots, poses and bins inside. Whole pixels, y downwards.

Inside, every box is as large as its pixels plus the gap, and so is the bin: two such boxes that merely do not overlap
are a gap apart, and the gap at the bin's far edges costs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, NoReturn, TypeAlias


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


@dataclass(frozen=True, slots=True, eq=False)  # there is one of each; looking at them is most of the work
class Pose:
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

_SHARES = 64  # more would make searching slow where all boxes are equal, fewer would leave it little choice


@dataclass(frozen=True, slots=True)
class Lots:
    """Boxes of one size are one lot: `members` are their indices, `poses` how they may lie.

    `areas` is what one box of each lot covers; it and the bin's `width` and `height` include the gap.
    """

    width: int
    height: int
    gap_y: int
    members: tuple[tuple[int, ...], ...]
    poses: tuple[tuple[Pose, ...], ...]
    areas: tuple[int, ...]

    @property
    def counts(self) -> list[int]:
        """How many boxes each lot has."""
        return [len(each) for each in self.members]

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
    """Group boxes of one size: with `merge` all of them, otherwise only those that follow one another.

    All of one size are still split into shares of a 64th of all boxes, because the boxes of a lot come one after the
    other in any order, the same way up; a pinwheel of four equal boxes needs two each way, alternately.
    Raises ValueError with the index of a box that fits the sheet in no allowed way.
    """
    groups = _shares(sizes) if merge else _runs(sizes)
    return Lots(
        width=sheet[0] + gaps[0],
        height=sheet[1] + gaps[1],
        gap_y=gaps[1],
        members=tuple(tuple(members) for _, members in groups),
        poses=tuple(
            _poses(lot, size, sheet, gaps, rotate=rotate) or _refuse(members[0], size, sheet)
            for lot, (size, members) in enumerate(groups)
        ),
        areas=tuple((width + gaps[0]) * (height + gaps[1]) for (width, height), _ in groups),
    )


def _runs(sizes: Sequence[tuple[int, int]]) -> list[tuple[tuple[int, int], list[int]]]:
    return [(size, list(run)) for size, run in groupby(range(len(sizes)), key=sizes.__getitem__)]


def _shares(sizes: Sequence[tuple[int, int]]) -> list[tuple[tuple[int, int], list[int]]]:
    found: dict[tuple[int, int], list[int]] = {}
    for index, size in enumerate(sizes):
        found.setdefault(size, []).append(index)
    most = -(-len(sizes) // _SHARES)
    return [(size, all_[i : i + most]) for size, all_ in found.items() for i in range(0, len(all_), most)]


def _poses(
    lot: int, size: tuple[int, int], sheet: tuple[int, int], gaps: tuple[int, int], *, rotate: bool
) -> tuple[Pose, ...]:
    """Return the ways in which a box fits the sheet; a square is never turned."""
    (width, height), (most_width, most_height) = size, sheet
    ways = [(width, height, False)]
    if rotate and width != height:
        ways.append((height, width, True))
    return tuple(
        Pose(w + gaps[0], h + gaps[1], lot, turned)
        for w, h, turned in ways
        if 0 < w <= most_width and 0 < h <= most_height
    )


def _refuse(index: int, size: tuple[int, int], sheet: tuple[int, int]) -> NoReturn:
    raise ValueError(f"box {index} of {size[0]}×{size[1]} px does not fit a bin of {sheet[0]}×{sheet[1]} px")
