"""Filling bins from the bottom of their skyline, box by box."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter

from pipeline.packing.values import Bin, Lots, Placed, Pose

ANY = 1 << 60
"""A slack under which every pose that fits counts as a perfect fit: the first one is taken."""

_width, _height = attrgetter("width"), attrgetter("height")


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

    def __init__(self, width: int, height: int, below: Bin) -> None:
        self.height = height
        self.xs, self.ys, self.widths = [0], [0], [width]
        if below:
            self.xs, self.ys, self.widths = map(list, zip(*_outline(width, below), strict=True))
            for i in reversed(range(len(self.xs) - 1)):
                self._merge(i)

    def lowest(self) -> tuple[int, int, int, int, int]:
        """Return the leftmost of the lowest segments: its number, width, y, and how far its two neighbours stand above.

        The bin's sides reach to its top.
        """
        ys = self.ys
        y = min(ys)
        i = ys.index(y)
        left = ys[i - 1] - y if i else self.height - y
        right = ys[i + 1] - y if i + 1 < len(ys) else self.height - y
        return i, self.widths[i], y, left, right

    def lift(self, i: int, height: int) -> None:
        """Give up segment `i`, as nothing fits on it, up to the lower of its neighbours."""
        self.ys[i] += height
        self._merge(i)

    def put(self, i: int, width: int, height: int, *, at_right: bool) -> tuple[int, int]:
        """Lay a box on segment `i`, at its left or right end; return (x, y)."""
        xs, ys, widths = self.xs, self.ys, self.widths
        x, y, gap = xs[i], ys[i], widths[i]
        if width == gap:
            ys[i] = y + height
            self._merge(i)
            return x, y
        widths[i] = gap - width
        if at_right:
            x += gap - width
            i += 1
        else:
            xs[i] = x + width
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


def _outline(width: int, placed: Bin) -> list[tuple[int, int, int]]:
    """Return the upper outline (x, y, width) of boxes in the order they were laid, from left to right.

    Seen from above, from the last box back: mostly a few dozen hide all the others.
    """
    bare, seen = [(0, width)], []
    for pose, x, y in reversed(placed):
        right, still_bare = x + pose.width, []
        for start, end in bare:
            if start >= right or end <= x:
                still_bare.append((start, end))
                continue
            seen.append((max(start, x), y + pose.height, min(end, right) - max(start, x)))
            still_bare += [(a, b) for a, b in ((start, x), (right, end)) if a < b]
        bare = still_bare
        if not bare:
            break
    return sorted(seen + [(start, 0, end - start) for start, end in bare])


def widest(pose: Pose) -> tuple[int, int, int]:
    """Sort key: the widest pose first, then the tallest."""
    return -pose.width, -pose.height, pose.lot


def fill(
    lots: Lots,
    live: list[Pose],
    left: list[int] | dict[int, int],
    rule: Rule,
    height: int,
    below: Bin | None = None,
) -> Bin:
    """Return what is laid into one bin of the given height, on top of the boxes `below`.

    What went in is taken off `left`, and lots that are used up out of `live`.

    The lowest place is filled first (Burke, Kendall & Whitwell 2004, "A new placement heuristic for the orthogonal
    stock-cutting problem") with the pose that fits it best (after Wei et al. 2011, "A skyline heuristic for the 2D
    rectangular packing and strip packing problems"). Widest first and with any slack it is the former's best fit.
    """
    sky = Skyline(lots.width, height, below or [])
    placed: Bin = []
    if not live:
        return placed
    narrowest = flattest = 1
    if rule.window >= len(live):  # else a place is quickly judged, and this would take longer than it saves
        narrowest, flattest = min(map(_width, live)), min(map(_height, live))
    while live:
        i, gap, y, left_wall, right_wall = sky.lowest()
        room = height - y
        if room < flattest:
            break
        choice = None
        if gap >= narrowest:
            choice = _best(_seen(live, rule, gap), gap, room, left_wall, right_wall, rule.slack)
        if choice is None:
            sky.lift(i, min(left_wall, right_wall))
            continue
        x, y = sky.put(i, choice.width, choice.height, at_right=right_wall > left_wall)
        placed.append(Placed(choice, x, y))
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
        start = bisect_left(live, -gap, key=lambda pose: -pose.width)
        return live[start : start + rule.window]
    return live if rule.window >= len(live) else islice(live, rule.window)


def _best(poses: Iterable[Pose], gap: int, room: int, left: int, right: int, slack: int) -> Pose | None:
    """Return the first pose as wide as the place and level with a wall; else as wide; else level; else the first.

    Half of the whole time is spent here, so that nothing is computed that the choice so far makes idle.
    """
    tight = gap - slack
    low1, high1, low2, high2 = left - slack, left + slack, right - slack, right + slack
    wide: Pose | None = None
    level: Pose | None = None
    other: Pose | None = None
    for pose in poses:
        width, height = pose.width, pose.height
        if width <= gap and height <= room:
            if width >= tight:
                if low1 <= height <= high1 or low2 <= height <= high2:
                    return pose
                if wide is None:
                    wide = pose
            elif wide is None and level is None:
                if low1 <= height <= high1 or low2 <= height <= high2:
                    level = pose
                elif other is None:
                    other = pose
    return wide or level or other


def _drop(live: list[Pose], poses: Iterable[Pose], rule: Rule) -> None:
    for pose in poses:
        if rule.widest_first:
            del live[bisect_left(live, widest(pose), key=widest)]
        else:
            live.remove(pose)
