"""What is still owed: nothing that was delivered is printed again, and nothing else is left out."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.items import Item, Rejection, number_copies
from pipeline.owed import settled_orders, still_owed

FOX = Item("1001", "fox.png", 10, 2.0, None, "order 1001, item 1")

items = st.lists(
    st.builds(
        Item,
        order=st.sampled_from(["1001", "1002"]),
        design=st.sampled_from(["fox.png", "owl.png"]),
        quantity=st.integers(1, 20),
        width_in=st.none(),
        height_in=st.none(),
        where=st.just("somewhere"),
    ),
    max_size=6,
).map(number_copies)
ranges = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 15)), max_size=4)


def copies_of(some: list[Item]) -> list[tuple[str, str, int]]:
    return [
        (item.order, item.design, copy)
        for item in some
        for copy in range(item.first_copy, item.first_copy + item.quantity)
    ]


@given(items, st.dictionaries(st.tuples(st.sampled_from(["1001", "1002"]), st.just("fox.png")), ranges))
def test_owed_is_ordered_without_delivered_copy_by_copy(
    ordered: list[Item], delivered: dict[tuple[str, str], list[tuple[int, int]]]
) -> None:
    gone = {
        (order, design, copy)
        for (order, design), stretches in delivered.items()
        for first, count in stretches
        for copy in range(first, first + count)
    }
    owed = still_owed(ordered, delivered)
    assert copies_of(owed) == [copy for copy in copies_of(ordered) if copy not in gone]
    assert all(item.quantity > 0 for item in owed)


def test_a_gap_in_what_was_delivered_makes_two_items_of_one() -> None:
    assert still_owed([FOX], {("1001", "fox.png"): [(4, 3)]}) == [
        replace(FOX, quantity=3),
        replace(FOX, first_copy=7, quantity=4),
    ]


def test_an_order_is_settled_when_nothing_of_it_is_owed_or_rejected() -> None:
    owl, elk = replace(FOX, order="1002"), replace(FOX, order="1003")
    rejected = [Rejection("1003", "gone.png", 1, 1, "not found")]
    assert settled_orders([FOX, owl, elk], [owl], rejected) == ["1001"]
