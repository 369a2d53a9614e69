"""The three contests: tilepress and rectpack by turns on the same boxes in one process, on one core.

Taking turns, box set by box set, a noisy minute strikes both alike. Every packing of tilepress is checked from scratch.
"""

from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import TypeVar

from bench.packing.instances import DPI, Instance, Size, spacing_px
from bench.packing.peer import FORTY, MAX_RECTS, NINE, Setting, heights
from bench.packing.results import Bins, Rolls, Strips
from pipeline.checker import Copy, check_places
from pipeline.packing import Effort, Packing, pack
from tiles.geometry import Rect

T = TypeVar("T")

BINS_EFFORT: Effort = "fast"  # what fits in rectpack's time
STRIPS_EFFORT: Effort = "normal"  # what a plan takes by default
ROLLS_EFFORT: Effort = "fast"  # of thousands, more effort saves another 0.01 % in twice the time


def fill_bins(instances: Sequence[Instance]) -> Bins:
    """Count the bins of all instances; of rectpack, each instance's best of nine, and the time of all nine."""
    own, peer, own_s, peer_s = 0, 0, 0.0, 0.0
    for instance in instances:
        packing, seconds = _timed(partial(pack, instance.boxes, *instance.bin, effort=BINS_EFFORT))
        _check(packing, instance, 0)
        own, own_s = own + len(packing.heights), own_s + seconds
        tries, seconds = _timed(partial(_peer, instance.boxes, instance.bin, NINE))
        peer, peer_s = peer + min(map(len, tries)), peer_s + seconds
    return Bins(len(instances), own, peer, own_s, peer_s)


def fill_strips(instances: Sequence[Instance]) -> Strips:
    """Compare the heights of all strips with the perfect ones; of rectpack, each strip's best of forty."""
    own, peer, own_s, peer_s = [], [], [], []
    for instance in instances:
        perfect = instance.perfect or 1.0
        packing, seconds = _timed(partial(pack, instance.boxes, *instance.bin, effort=STRIPS_EFFORT))
        _check(packing, instance, 0)
        own.append(sum(packing.heights) / perfect - 1)
        own_s.append(seconds)
        tries, seconds = _timed(partial(_peer, instance.boxes, instance.bin, FORTY))
        peer.append(min(map(sum, tries)) / perfect - 1)
        peer_s.append(seconds)
    return Strips(len(instances), own, peer, own_s, peer_s)


def fill_rolls(instance: Instance) -> Rolls:
    """Measure the film of rolls, cut off below the last sticker; of rectpack, the least film and the least time."""
    gap = spacing_px()
    packing, own_s = _timed(partial(pack, instance.boxes, *instance.bin, gap_x=gap, gap_y=gap, effort=ROLLS_EFFORT))
    _check(packing, instance, gap)
    boxes = [(width + gap, height + gap) for width, height in instance.boxes]
    size = instance.bin[0] + gap, instance.bin[1] + gap
    tries = [_timed(partial(heights, boxes, size, setting)) for setting in MAX_RECTS]
    film = [(sum(used) - gap * len(used)) / DPI for used, _ in tries]
    return Rolls(
        stickers=len(instance.boxes),
        rolls=len(packing.heights),
        peer_rolls=min(len(used) for used, _ in tries),
        film_in=sum(packing.heights) / DPI,
        peer_film_in=min(film),
        seconds=own_s,
        peer_seconds=min(seconds for _, seconds in tries),
    )


def _peer(boxes: Sequence[Size], size: Size, settings: Sequence[Setting]) -> list[list[int]]:
    return [heights(boxes, size, setting) for setting in settings]


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what the work comes to, and its seconds."""
    began = perf_counter()
    result = work()
    return result, perf_counter() - began


def _check(packing: Packing, instance: Instance, gap: int) -> None:
    """End the program if a packing of tilepress is none, by the checker that also watches over plans."""
    bins: list[list[Copy]] = [[] for _ in packing.heights]
    for number, (spot, (width, height)) in enumerate(zip(packing.spots, instance.boxes, strict=True)):
        across, down = (height, width) if spot.turned else (width, height)
        bins[spot.bin].append(Copy(instance.name, "box", number, Rect(spot.x, spot.y, across, down)))
    whole = Rect(0, 0, *instance.bin)
    problems = [problem for laid in bins for problem in check_places(laid, whole, 0, (gap, gap))]
    if problems:
        raise SystemExit(f"tilepress packs wrongly: {'; '.join(problems[:5])}")
