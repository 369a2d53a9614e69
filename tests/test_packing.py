"""Packing: nothing overlaps, nothing is lost, little film is wasted, and no clock has a say in it."""

import ast
import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline.packing
from pipeline.packing import Effort, Packing, pack, packings
from pipeline.packing.bounds import fewest_bins
from pipeline.packing.values import lots

REPOSITORY = Path(__file__).parents[1]
EFFORTS: list[Effort] = ["fast", "normal", "thorough"]
BENCHMARKS = Path(__file__).parents[2] / "shared" / "data" / "packing"
Size = tuple[int, int]

sides = st.integers(1, 30)
sizes = st.lists(st.tuples(sides, sides), max_size=14)
gaps = st.integers(0, 6)


def rectangles(packing: Packing, boxes: Sequence[Size]) -> list[tuple[int, int, int, int, int]]:
    """Return (bin, x, y, width, height) as laid."""
    return [
        (spot.bin, spot.x, spot.y, *((h, w) if spot.turned else (w, h)))
        for spot, (w, h) in zip(packing.spots, boxes, strict=True)
    ]


def apart(one: tuple[int, ...], other: tuple[int, ...], gap_x: int, gap_y: int) -> bool:
    """Return whether two rectangles lie in two bins, or far enough from one another."""
    (bin_1, x1, y1, w1, h1), (bin_2, x2, y2, w2, h2) = one, other
    across = x2 >= x1 + w1 + gap_x or x1 >= x2 + w2 + gap_x
    return bin_1 != bin_2 or across or y2 >= y1 + h1 + gap_y or y1 >= y2 + h2 + gap_y


def assert_sound(packing: Packing, boxes: list[Size], sheet: Size, gap_x: int = 0, gap_y: int = 0) -> None:
    """Check a packing from scratch, sharing no code with the one who made it."""
    width, height = sheet
    laid = rectangles(packing, boxes)
    assert len(laid) == len(boxes)
    for _, x, y, w, h in laid:
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
    assert all(apart(one, other, gap_x, gap_y) for one, other in combinations(laid, 2))
    used = {number: max(y + h for b, _, y, _, h in laid if b == number) for number, *_ in laid}
    assert packing.heights == tuple(used[number] for number in range(len(used)))


def sticker_sizes(count: int) -> list[Size]:
    """Return random stickers of 0.5 to 6 inches at 400 dpi."""
    rng = random.Random(count)
    return [(rng.randint(200, 2400), rng.randint(200, 2400)) for _ in range(count)]


@given(boxes=sizes, gap_x=gaps, gap_y=gaps, rotate=st.booleans())
@settings(deadline=None, max_examples=60)
def test_every_candidate_lays_every_box_once_inside_and_apart(
    boxes: list[Size], gap_x: int, gap_y: int, rotate: bool
) -> None:
    found = list(packings(boxes, 40, 30, gap_x=gap_x, gap_y=gap_y, rotate=rotate, effort="fast"))
    assert found
    for packing in found:
        assert_sound(packing, boxes, (40, 30), gap_x, gap_y)
        assert rotate or not any(spot.turned for spot in packing.spots)


@given(boxes=sizes, rotate=st.booleans())
@settings(deadline=None, max_examples=30)
def test_the_best_is_no_worse_than_any_construction(boxes: list[Size], rotate: bool) -> None:
    best = pack(boxes, 30, 45, gap_x=1, gap_y=2, rotate=rotate, effort="fast")
    first = next(packings(boxes, 30, 45, gap_x=1, gap_y=2, rotate=rotate, effort="fast"))
    assert_sound(best, boxes, (30, 45), 1, 2)
    assert (len(best.heights), sum(best.heights)) <= (len(first.heights), sum(first.heights))


@given(boxes=sizes, rotate=st.booleans())
@settings(deadline=None, max_examples=60)
def test_no_packing_beats_the_lower_bound(boxes: list[Size], rotate: bool) -> None:
    bound = fewest_bins(lots(boxes, (30, 30), (2, 1), rotate=rotate))
    assert bound <= len(pack(boxes, 30, 30, gap_x=2, gap_y=1, rotate=rotate, effort="fast").heights)


@pytest.mark.parametrize(
    ("boxes", "bins"),
    [([(6, 6)] * 3, 3), ([(10, 6), (10, 6), (10, 4)], 2), ([(5, 5)] * 9, 3), ([(6, 4)] * 4, 1)],
)
def test_the_lower_bound_knows_that_large_boxes_do_not_share_a_bin(boxes: list[Size], bins: int) -> None:
    assert bins == fewest_bins(lots(boxes, (10, 10), (0, 0), rotate=True))
    assert bins == len(pack(boxes, 10, 10).heights)


@given(boxes=sizes)
@settings(deadline=None, max_examples=10)
def test_the_same_boxes_are_packed_in_the_same_way(boxes: list[Size]) -> None:
    once, again = (list(packings(boxes, 40, 30, gap_x=2, effort="fast")) for _ in range(2))
    assert once == again


def test_nothing_to_pack_takes_no_bin() -> None:
    assert Packing((), ()) == pack([], 100, 100)
    assert {Packing((), ())} == set(packings([], 100, 100))


@pytest.mark.parametrize("box", [(101, 20), (60, 120), (0, 5), (5, -1)])
def test_a_box_that_fits_no_bin_is_named(box: Size) -> None:
    with pytest.raises(ValueError, match="box 2 "):
        pack([(10, 10), (20, 20), box, box], 100, 50)


def test_a_box_that_fits_only_turned_is_turned() -> None:
    assert [spot.turned for spot in pack([(40, 90)], 100, 50).spots] == [True]
    with pytest.raises(ValueError, match="box 0 "):
        pack([(40, 90)], 100, 50, rotate=False)


def test_the_edges_of_a_bin_need_no_gap() -> None:
    assert pack([(100, 100)], 100, 100, gap_x=40, gap_y=40).heights == (100,)
    assert pack([(45, 100)] * 2, 100, 100, gap_x=10, gap_y=10).heights == (100,)
    assert len(pack([(45, 100)] * 2, 100, 100, gap_x=11, gap_y=11).heights) == 2


def test_bars_that_lie_both_ways_are_turned_to_fill_the_sheet() -> None:
    assert pack([(10, 60), (60, 10)] * 3, 60, 60).heights == (60,)


def test_four_equal_boxes_make_a_pinwheel() -> None:
    assert pack([(6, 4)] * 4, 10, 10).heights == (10,)


@pytest.mark.parametrize(
    ("copies", "width", "height", "shares"),
    [(65, 6400, 8000, [30, 30, 5]), (465, 9200, 86000, [465]), (20_000, 6400, 8000, [30] * 666 + [20])],
)
def test_equal_stickers_stand_in_rows(copies: int, width: int, height: int, shares: list[int]) -> None:
    packing = pack([(1240, 1240)] * copies, width, height, gap_x=40, gap_y=40)
    laid = [0] * len(packing.heights)
    for spot in packing.spots:
        laid[spot.bin] += 1
    assert shares == laid
    rows = -(-shares[-1] // ((width + 40) // 1280))
    assert rows * 1280 - 40 == packing.heights[-1]


def test_the_first_candidate_keeps_neighbours_together() -> None:
    orders = [(order, size) for order in range(40) for size in [(900, 700), (500, 1300), (1200, 1200)] * 2]
    packing = next(packings([size for _, size in orders], 6400, 8000, gap_x=40, gap_y=40))
    spread = {
        order: {spot.bin for spot, (owner, _) in zip(packing.spots, orders, strict=True) if owner == order}
        for order, _ in orders
    }
    assert len(packing.heights) > 3
    assert all(max(bins) - min(bins) <= 1 for bins in spread.values())
    assert sum(len(bins) - 1 for bins in spread.values()) <= 3 * len(packing.heights)


@given(boxes=st.lists(st.tuples(sides, sides), max_size=6), gap_x=gaps, rotate=st.booleans())
@settings(deadline=None, max_examples=8)
def test_more_effort_never_costs_film(boxes: list[Size], gap_x: int, rotate: bool) -> None:
    fast, normal, thorough = (pack(boxes, 40, 30, gap_x=gap_x, rotate=rotate, effort=effort) for effort in EFFORTS)
    assert_sound(thorough, boxes, (40, 30), gap_x)
    assert thorough.cost <= normal.cost <= fast.cost


@pytest.mark.parametrize(("count", "width", "height"), [(40, 8800, 96_000), (60, 6400, 8000)])
def test_more_effort_goes_on_from_what_less_effort_found(count: int, width: int, height: int) -> None:
    boxes = sticker_sizes(count)
    fast, normal = (list(packings(boxes, width, height, gap_x=50, gap_y=50, effort=effort)) for effort in EFFORTS[:2])
    assert set(fast) < set(normal)
    assert min(normal, key=lambda each: each.cost).cost < min(fast, key=lambda each: each.cost).cost


def imports(tree: ast.AST) -> set[str]:
    """Return the modules that a module's source imports."""
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_packing_cannot_tell_the_time_nor_draw_lots_without_a_seed() -> None:
    """Of its imports none knows a clock, and every generator of random numbers is given its seed."""
    harmless = {"bisect", "collections.abc", "dataclasses", "itertools", "operator", "random", "typing"}
    sources = [ast.parse(path.read_text()) for path in Path(pipeline.packing.__path__[0]).glob("*.py")]
    assert len(sources) > 3
    used = set().union(*map(imports, sources))
    assert {name for name in used if not name.startswith("pipeline.packing")} <= harmless
    calls = [node for tree in sources for node in ast.walk(tree) if isinstance(node, ast.Call)]
    seeds = [call.args for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Random"]
    assert seeds
    assert all(len(args) == 1 and isinstance(args[0], ast.Constant) for args in seeds)
    taken = [
        alias.name
        for tree in sources
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if node.module == "random"
    ]
    assert set(taken) == {"Random"}


def test_every_process_packs_in_the_same_way() -> None:
    program = (
        "from tests.test_packing import sticker_sizes, packings\n"
        "print(list(packings(sticker_sizes(20), 6400, 4000, gap_x=50, gap_y=50)))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
    assert found.pop().count("Packing(") > 10


def test_three_thousand_stickers_waste_less_than_a_hundredth_of_the_rolls() -> None:
    boxes = sticker_sizes(3000)
    packing = pack(boxes, 8800, 96_000, gap_x=50, gap_y=50)
    perfect = sum((w + 50) * (h + 50) for w, h in boxes) / 8850
    assert sum(packing.heights) <= 1.01 * perfect


def benchmark(name: str) -> list[dict[str, Any]]:
    """Return published instances; the test is skipped where they are not at hand."""
    path = BENCHMARKS / name
    if not path.exists():
        pytest.skip(f"no {path}")
    instances: list[dict[str, Any]] = json.loads(path.read_text())
    return instances


def boxes_of(instance: dict[str, Any]) -> list[Size]:
    """Return the boxes of an instance, copy by copy."""
    return [(w, h) for w, h, copies in instance["items"] for _ in range(copies)]


def test_bins_of_the_literature_are_within_a_hundredth_of_the_best_known() -> None:
    best_known = made = 0
    for instance in benchmark("bin_packing_2bp.json")[4::10]:
        boxes, (width, height) = boxes_of(instance), instance["bin"]
        packing = pack(boxes, width, height, effort="fast")
        assert_sound(packing, boxes, (width, height))
        best_known += instance["best_known_bins_rotatable"]
        made += len(packing.heights)
    assert best_known <= made <= 1.01 * best_known


def test_strips_of_the_literature_are_within_two_and_a_half_hundredths_of_perfect() -> None:
    excess = []
    for instance in benchmark("strip_packing.json")[::2]:
        boxes, width = boxes_of(instance), instance["strip_width"]
        packing = pack(boxes, width, 10**6)
        assert_sound(packing, boxes, (width, 10**6))
        excess.append(sum(packing.heights) / instance["area_bound"] - 1)
    assert 0 <= sum(excess) / len(excess) <= 0.025
