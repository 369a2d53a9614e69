"""The checker sees what a packer must never do."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.checker import Copy, check_conservation, check_places
from pipeline.items import Rejection
from tiles.geometry import Rect

SHEET = Rect(0, 0, 100, 100)


def copies(*rects: Rect) -> list[Copy]:
    return [Copy("1", "a", number, rect) for number, rect in enumerate(rects, start=1)]


def test_neighbours_that_touch_are_fine_without_spacing() -> None:
    assert check_places(copies(Rect(0, 0, 50, 50), Rect(50, 0, 50, 50)), SHEET, 0, (0, 0)) == []


def test_an_overlap_names_both() -> None:
    assert check_places(copies(Rect(0, 0, 50, 50), Rect(49, 49, 9, 9)), SHEET, 0, (0, 0)) == [
        "order 1, a, copy 1 and order 1, a, copy 2 overlap"
    ]


def test_spacing_across_or_down_is_enough() -> None:
    assert check_places(copies(Rect(0, 0, 40, 40), Rect(45, 0, 40, 40)), SHEET, 0, (5, 9)) == []
    assert check_places(copies(Rect(0, 0, 40, 40), Rect(0, 49, 40, 40)), SHEET, 0, (5, 9)) == []
    assert check_places(copies(Rect(0, 0, 40, 40), Rect(44, 48, 40, 40)), SHEET, 0, (5, 9)) == [
        "order 1, a, copy 1 and order 1, a, copy 2 are closer than the spacing"
    ]


def test_the_margin_is_kept_free() -> None:
    assert check_places(copies(Rect(4, 5, 10, 10)), SHEET, 5, (0, 0)) == [
        "order 1, a, copy 1 leaves the sheet or its margin"
    ]


def test_lost_and_doubled_copies_are_named() -> None:
    placed = [Copy("1", "a", 1, SHEET), Copy("1", "a", 1, SHEET)]
    rejected = [Rejection("2", "b", 1, 3, "why")]
    assert check_conservation({("1", "a"): 2, ("2", "b"): 4}, placed, rejected) == [
        "order 1, a, copy 1 is placed 2 times",
        "order 2, b: 4 ordered, 3 placed or rejected",
    ]


def test_what_nobody_ordered_is_named() -> None:
    assert check_conservation({}, [Copy("1", "a", 1, SHEET)], []) == ["order 1, a: 0 ordered, 1 placed or rejected"]


rects = st.builds(Rect, st.integers(0, 90), st.integers(0, 90), st.integers(1, 40), st.integers(1, 40))


@given(st.lists(rects, max_size=7), st.integers(0, 9), st.integers(0, 9))
def test_it_agrees_with_comparing_every_pair(places: list[Rect], gap_x: int, gap_y: int) -> None:
    wide = Rect(0, 0, 1000, 1000)

    def apart(first: Rect, second: Rect) -> bool:
        across = max(second.x - first.right, first.x - second.right)
        down = max(second.y - first.bottom, first.y - second.bottom)
        return across >= max(gap_x, 0) or down >= max(gap_y, 0)

    pairs = sum(not apart(first, second) for index, first in enumerate(places) for second in places[index + 1 :])
    assert len(check_places(copies(*places), wide, 0, (gap_x, gap_y))) == pairs
