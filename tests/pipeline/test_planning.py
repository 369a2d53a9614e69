"""The plan: what is promised of it holds for any orders."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.checker import Copy, check_conservation, check_places, count_ordered
from pipeline.items import Item, Rejection, number_copies
from pipeline.packing import Effort
from pipeline.plan import Part, Plan, PreparedKey, Printable, Sheet
from pipeline.planning import plan_sheets
from tiles.geometry import Rect


def sheet(
    width: int, height: int, *, spacing: tuple[int, int] = (0, 0), margin: int = 0, dynamic: bool = False
) -> Sheet:
    return Sheet(width / 100, height / 100, 100, width, height, *spacing, margin, dynamic, "pipeline file")


def printable(order: str, design: str, quantity: int, width: int, height: int) -> Printable:
    return Printable(Item(order, design, quantity, None, None, "here"), PreparedKey(design * 8, width, height))


def plan(
    printables: list[Printable],
    on: Sheet,
    *,
    rotate: bool = True,
    rejected: tuple[Rejection, ...] = (),
    effort: Effort = "fast",
) -> Plan:
    items = number_copies([entry.item for entry in printables])
    numbered = [Printable(item, entry.key) for item, entry in zip(items, printables, strict=True)]
    return plan_sheets(numbered, on, rotate=rotate, file_name="Part_{}.png".format, rejected=rejected, effort=effort)


def film(result: Plan) -> tuple[int, int]:
    """Return parts, and the rows of pixels that leave the printer."""
    return len(result.parts), sum(part.height_px for part in result.parts)


def problems(part: Part, on: Sheet) -> list[str]:
    copies = [Copy(place.order, place.design, place.copy, place.rect) for place in part.placements]
    return check_places(
        copies, Rect(0, 0, part.width_px, part.height_px), on.margin_px, (on.spacing_x_px, on.spacing_y_px)
    )


orders = st.lists(
    st.builds(
        printable,
        st.sampled_from("1234"),
        st.sampled_from("abcde"),
        st.integers(1, 12),
        st.integers(1, 130),
        st.integers(1, 130),
    ),
    max_size=12,
)
sheets = st.builds(
    sheet,
    st.integers(60, 300),
    st.integers(60, 300),
    spacing=st.tuples(st.integers(0, 20), st.integers(0, 20)),
    margin=st.integers(0, 25),
    dynamic=st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(orders, sheets, st.booleans())
def test_nothing_overlaps_leaves_the_sheet_loses_its_gap_or_gets_lost(
    printables: list[Printable], on: Sheet, rotate: bool
) -> None:
    result = plan(printables, on, rotate=rotate)

    assert [problem for part in result.parts for problem in problems(part, on)] == []
    copies = [Copy(place.order, place.design, place.copy, place.rect) for place in result.placements()]
    ordered = count_ordered([entry.item for entry in printables], ())
    assert check_conservation(ordered, copies, result.rejected) == []
    assert [part.number for part in result.parts] == list(range(1, len(result.parts) + 1))
    for part in result.parts:
        assert part.placements
        assert part.width_px <= on.width_px
        assert part.height_px <= on.height_px
    for place in result.placements():
        size = (place.rect.width, place.rect.height)
        wanted = (place.key.width_px, place.key.height_px)
        assert size == (wanted[::-1] if place.rotation else wanted)
        assert rotate or not place.rotation


@settings(max_examples=25, deadline=None)
@given(orders, sheets)
def test_the_same_orders_give_the_same_plan(printables: list[Printable], on: Sheet) -> None:
    assert plan(printables, on).digest() == plan(printables, on).digest()


def test_another_place_is_another_plan() -> None:
    one = plan([printable("1", "a", 1, 10, 10)], sheet(100, 100))
    other = plan([printable("1", "a", 1, 10, 10)], sheet(100, 100, margin=1))
    assert one.digest() != other.digest()


def test_a_full_sheet_keeps_its_size_and_a_dynamic_one_shrinks_to_content_and_margin() -> None:
    copies = [printable("1", "a", 1, 40, 30)]
    (full,) = plan(copies, sheet(200, 300, margin=7), rotate=False).parts
    assert (full.width_px, full.height_px) == (200, 300)
    (shrunk,) = plan(copies, sheet(200, 300, margin=7, dynamic=True), rotate=False).parts
    assert (shrunk.width_px, shrunk.height_px) == (54, 44)


def test_65_equal_copies_take_the_parts_that_a_grid_takes() -> None:
    on = sheet(6400, 8000, spacing=(40, 40))
    result = plan([printable(str(index), "abcde"[index], 13, 1240, 1240) for index in range(5)], on)
    assert [len(part.placements) for part in result.parts] == [30, 30, 5]


def test_copies_of_an_order_stay_together_where_that_costs_no_film() -> None:
    """Forty equal copies of four orders, on sheets of ten: no order is on two of them."""
    printables = [printable(order, order, 5, 100, 100) for order in "1234"] * 2
    result = plan(printables, sheet(500, 200))
    orders_of_parts = [sorted({place.order for place in part.placements}) for part in result.parts]
    assert orders_of_parts == [["1"], ["2"], ["3"], ["4"]]


def test_film_is_saved_before_orders_are_kept_together() -> None:
    """Each order alone would take a sheet; together they fit on fewer."""
    printables = [printable(order, order, 3, 100, 100) for order in "1234"]
    result = plan(printables, sheet(200, 200))
    assert len(result.parts) == 3


@settings(max_examples=40, deadline=None)
@given(orders, sheets)
def test_keeping_orders_together_costs_no_film_and_what_it_uses_of_full_sheets_is_stated(
    printables: list[Printable], on: Sheet
) -> None:
    """Beside the plan of the same copies as one order, of which nothing can be kept together."""
    ranks = {order: rank for rank, order in enumerate(dict.fromkeys(entry.item.order for entry in printables))}
    printables.sort(key=lambda entry: ranks[entry.item.order])
    result = plan(printables, on)
    lowest = plan([replace(entry, item=replace(entry.item, order="one")) for entry in printables], on)

    assert film(lowest) == film(result)
    used, least = (sum(part.used_height_px for part in each.parts) for each in (result, lowest))
    assert used - least == result.kept_together_px
    assert lowest.kept_together_px == 0
    assert not (on.dynamic_sizing and result.kept_together_px)


def test_orders_are_kept_together_at_a_stated_cost_of_full_sheets() -> None:
    """With the tall copies of both orders side by side, and the short one alone, less of the sheets would be used."""
    two_orders = [printable("1", "a", 1, 100, 160), printable("1", "b", 1, 100, 80), printable("2", "a", 1, 100, 160)]
    result = plan(two_orders, sheet(200, 200))
    assert [{place.order for place in part.placements} for part in result.parts] == [{"1"}, {"2"}]
    assert sum(part.used_height_px for part in result.parts) == 160 + 160
    assert result.kept_together_px == result.as_json()["kept_together_px"] == 320 - 240
    assert result.kept_together_in == 0.8
    shrinking = plan(two_orders, sheet(200, 200, dynamic=True))
    assert film(shrinking) == (2, 160 + 80)


@settings(max_examples=15, deadline=None)
@given(orders, sheets)
def test_more_effort_never_takes_more_film(printables: list[Printable], on: Sheet) -> None:
    fast, normal = (film(plan(printables, on, effort=effort)) for effort in ("fast", "normal"))
    assert normal <= fast


@pytest.mark.parametrize(
    ("rotate", "reason"),
    [
        (
            True,
            "9.00×1.00 in does not fit on the sheet of 4×5 in with a margin of 0.5 in; 4.00×0.44 in would",
        ),
        (
            False,
            "9.00×1.00 in does not fit unrotated on the sheet of 4×5 in with a margin of 0.5 in; 3.00×0.33 in would",
        ),
    ],
)
def test_what_fits_no_sheet_is_rejected_with_the_size_that_would_fit(rotate: bool, reason: str) -> None:
    result = plan([printable("1", "a", 2, 900, 100)], sheet(400, 500, margin=50), rotate=rotate)
    assert result.parts == ()
    assert result.rejected == (Rejection("1", "a", 1, 2, reason),)


def test_earlier_rejections_stand_in_the_plan() -> None:
    earlier = Rejection("9", "z", 1, 4, "not found: z")
    result = plan([printable("1", "a", 1, 10, 10)], sheet(100, 100), rejected=(earlier,))
    assert result.rejected == (earlier,)


def test_an_order_naming_a_design_twice_numbers_its_copies_on() -> None:
    result = plan([printable("1", "a", 2, 10, 10), printable("1", "a", 3, 20, 20)], sheet(100, 100))
    assert sorted(place.copy for place in result.placements()) == [1, 2, 3, 4, 5]
    assert Counter(place.rect.width for place in result.placements()) == {10: 2, 20: 3}
