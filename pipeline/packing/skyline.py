"""Filling bins from the bottom of their skyline, box by box."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter

from pipeline.packing.values import Bin, Lots, Placed, Pose

ANY = 1 << 60
"""A slack under which every pose that fits counts as a perfect fit: the first one is taken."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which pose goes to a place.

    A pose is as wide as the place, or level with a wall beside it, when at most `slack` pixels are missing. Only the
    first `window` poses that are left are looked at, which bounds the time and keeps to the order. With
    `widest_first` the poses are sorted by `widest`, and those too wide are skipped by bisection.
    """

    slack: int = 0
    window: int = ANY
    widest_first: bool = False


class Skyline:
    """The upper outline of the boxes in one bin: segments (x, y, width) from left to right, y being used height."""

    __slots__ = ("height", "widths", "xs", "ys")

    def __init__(self, width: int, height: int) -> None:
        self.height = height
        self.xs, self.ys, self.widths = [0], [0], [width]

    def lowest(self) -> int:
        """Return the number of the leftmost of the lowest segments."""
        return self.ys.index(min(self.ys))

    def walls(self, i: int) -> tuple[int, int]:
        """Return how far the neighbours of segment `i` stand above it; the bin's sides reach its top."""
        ys, y = self.ys, self.ys[i]
        left = ys[i - 1] - y if i else self.height - y
        right = ys[i + 1] - y if i + 1 < len(ys) else self.height - y
        return left, right

    def lift(self, i: int) -> None:
        """Give up segment `i`: nothing fits on it."""
        self.ys[i] += min(self.walls(i))
        self._merge(i)

    def put(self, i: int, width: int, height: int) -> tuple[int, int]:
        """Lay a box on segment `i` beside its taller wall; return (x, y)."""
        xs, ys, widths = self.xs, self.ys, self.widths
        left, right = self.walls(i)
        x, y, gap = xs[i], ys[i], widths[i]
        if width == gap:
            ys[i] = y + height
            self._merge(i)
            return x, y
        widths[i] = gap - width
        if left >= right:
            xs[i] = x + width
        else:
            x += gap - width
            i += 1
        xs.insert(i, x)
        ys.insert(i, y + height)
        widths.insert(i, width)
        self._merge(i)
        return x, y

    def _merge(self, i: int) -> None:
        xs, ys, widths = self.xs, self.ys, self.widths
        if i + 1 < len(ys) and ys[i + 1] == ys[i]:
            widths[i] += widths[i + 1]
            del xs[i + 1], ys[i + 1], widths[i + 1]
        if i and ys[i - 1] == ys[i]:
            widths[i - 1] += widths[i]
            del xs[i], ys[i], widths[i]


def widest(pose: Pose) -> tuple[int, int, int]:
    """Sort key: the widest pose first, then the tallest."""
    return -pose.width, -pose.height, pose.lot


def fill(lots: Lots, live: list[Pose], left: list[int] | dict[int, int], rule: Rule, height: int) -> Bin:
    """Fill one bin of the given height; take what went in off `left`, and lots that are used up out of `live`.

    The lowest place is filled first (Burke, Kendall & Whitwell 2004, "A new placement heuristic for the orthogonal
    stock-cutting problem") with the pose that fits it best (after Wei et al. 2011, "A skyline heuristic for the 2D
    rectangular packing and strip packing problems"). Widest first and with any slack it is the former's best fit.
    """
    sky = Skyline(lots.width, height)
    placed: Bin = []
    if not live:
        return placed
    narrowest, flattest = min(map(itemgetter(0), live)), min(map(itemgetter(1), live))
    while live:
        i = sky.lowest()
        gap, room = sky.widths[i], height - sky.ys[i]
        if room < flattest:
            break
        choice = None
        if gap >= narrowest:
            choice = _best(_seen(live, rule, gap), gap, room, sky.walls(i), rule.slack)
        if choice is None:
            sky.lift(i)
            continue
        placed.append(Placed(choice, *sky.put(i, choice.width, choice.height)))
        left[choice.lot] -= 1
        if not left[choice.lot]:
            _drop(live, lots.poses[choice.lot], rule)
    return placed


def fill_all(lots: Lots, poses: Sequence[Pose], rule: Rule) -> list[Bin]:
    """Fill one bin after another with all boxes."""
    live, left, bins = list(poses), lots.counts, []
    while live:
        bins.append(fill(lots, live, left, rule, lots.height))
    return bins


def _seen(live: list[Pose], rule: Rule, gap: int) -> Iterable[Pose]:
    if rule.widest_first:
        start = bisect_left(live, (-gap,), key=widest)
        return live[start : start + rule.window]
    return live if rule.window >= len(live) else islice(live, rule.window)


def _best(poses: Iterable[Pose], gap: int, room: int, walls: tuple[int, int], slack: int) -> Pose | None:
    tight = gap - slack
    low1, high1, low2, high2 = walls[0] - slack, walls[0] + slack, walls[1] - slack, walls[1] + slack
    choice, most = None, -1
    for pose in poses:
        width, height = pose[0], pose[1]  # not by name: half of the whole time is spent in these lines
        if width <= gap and height <= room:
            fit = (2 if width >= tight else 0) + (low1 <= height <= high1 or low2 <= height <= high2)
            if fit > most:
                if fit == 3:  # noqa: PLR2004 as wide as the place and level with a wall
                    return pose
                choice, most = pose, fit
    return choice


def _drop(live: list[Pose], poses: Iterable[Pose], rule: Rule) -> None:
    for pose in poses:
        if rule.widest_first:
            del live[bisect_left(live, widest(pose), key=widest)]
        else:
            live.remove(pose)
