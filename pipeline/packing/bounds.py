"""What no packing can beat: reasons to stop looking for a better one."""

from pipeline.packing.values import Bin, Lots

_MOST_THRESHOLDS = 60  # a side; with 60 the 500 instances of the literature take 5 ms each


def area(lots: Lots) -> int:
    """Return the area of all boxes, gap included."""
    return sum(area * count for area, count in zip(lots.areas, lots.counts, strict=True))


def area_of(placed: Bin) -> int:
    """Return the area of the boxes in one bin, gap included."""
    return sum(pose.width * pose.height for pose, _, _ in placed)


def least_height(lots: Lots, placed: Bin) -> int:
    """Return the height that the boxes of one bin need at least, gap included: by area, and for the flattest poses."""
    flattest = max(min(pose.height for pose in lots.poses[each.pose.lot]) for each in placed)
    return max(flattest, -(-area_of(placed) // lots.width))


def fewest_bins(lots: Lots) -> int:
    """Return a number of bins that every packing needs.

    By area, where a box may first be grown or shrunk by a dual feasible function (Fekete & Schepers 2004, "A general
    framework for bounds for higher-dimensional orthogonal packing problems"): what is longer than the bin less k
    counts as the whole bin, what is shorter than k as nothing. A box that may be turned counts the lesser way.
    """
    wide, tall = lots.width, lots.height
    both = [(ways[0], ways[-1]) for ways in lots.poses]  # upright and turned, where both are allowed
    across = {
        k: [(_counted(p.width, k, wide), _counted(q.width, k, wide)) for p, q in both]
        for k in _thresholds({pose.width for ways in lots.poses for pose in ways}, wide)
    }
    down = {
        k: [(_counted(p.height, k, tall), _counted(q.height, k, tall)) for p, q in both]
        for k in _thresholds({pose.height for ways in lots.poses for pose in ways}, tall)
    }
    pairs = {(a, 0) for a in across} | {(0, b) for b in down}
    for a in across:  # both sides shortened in like measure
        pairs |= {(a, b) for b in down if b * wide >= a * tall and b * wide < (a + 1) * tall}
    most = max(
        sum(n * min(w * h, v * g) for n, (w, v), (h, g) in zip(lots.counts, across[a], down[b], strict=True))
        for a, b in sorted(pairs)
    )
    return -(-most // (wide * tall))


def _thresholds(sides: set[int], whole: int) -> list[int]:
    inner = sorted(side for side in sides if 2 * side <= whole)
    return [0, *inner[:: len(inner) // _MOST_THRESHOLDS + 1], whole // 2]


def _counted(side: int, k: int, whole: int) -> int:
    if side < k:
        return 0
    return whole if side > whole - k else side
