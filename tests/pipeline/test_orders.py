"""What was asked for, from any source: every line is an item or a rejection with its reason, none is lost."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.database import Database
from config.errors import ConfigurationError, StorageError
from config.schema import InlineItem, Orders
from pipeline import orders
from pipeline.items import MAX_INCHES, MAX_QUANTITY, Item, Rejection, number_copies, parse_quantity
from pipeline.orders import OrderBook, read

HEADER = "order,design,quantity,width_in,height_in\n"


def write(folder: Path, text: str | bytes) -> Orders:
    (folder / "orders.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    return Orders(csv="orders.csv")


def from_csv(folder: Path, text: str | bytes, chosen: Sequence[str] = ()) -> OrderBook:
    return read(write(folder, text), folder, None, chosen)


def reasons(book: OrderBook) -> list[str]:
    return [rejection.reason.partition(": ")[2] for rejection in book.rejected]


def refused(folder: Path, text: str | bytes, chosen: Sequence[str] = ()) -> str:
    with pytest.raises(ConfigurationError) as caught:
        from_csv(folder, text, chosen)
    return str(caught.value).replace(f"{folder}/", "")


# A CSV


def test_a_line_becomes_an_item_that_knows_its_place(tmp_path: Path) -> None:
    book = from_csv(tmp_path, HEADER + "1001,sunset.png,4,4.5,\n")
    where = f"{tmp_path}/orders.csv:2"
    assert book == OrderBook((Item("1001", "sunset.png", 4, 4.5, None, where, 1),), ())


def test_sizes_may_be_left_out_and_columns_stand_in_any_order(tmp_path: Path) -> None:
    book = from_csv(tmp_path, "quantity,design,order\n2,a.png,1001\n")
    assert [(item.order, item.quantity, item.width_in) for item in book.items] == [("1001", 2, None)]


def test_a_file_from_a_spreadsheet_is_read(tmp_path: Path) -> None:
    text = "\ufeff" + HEADER.replace("\n", "\r\n") + ' 007 ,"Été, ☀ ""neu"".png",2,"4.5",\r\n\r\n'
    book = from_csv(tmp_path, text)
    assert [(item.order, item.design, item.width_in) for item in book.items] == [("007", 'Été, ☀ "neu".png', 4.5)]


@pytest.mark.parametrize(
    ("quantity", "reason"),
    [
        ("", "the quantity '' is not a number"),
        ("many", "the quantity 'many' is not a number"),
        ("4 pcs", "the quantity '4 pcs' is not a number"),
        ("0", "the quantity is 0; it must be at least 1"),
        ("-3", "the quantity is -3; it must be at least 1"),
        ("2.5", "the quantity 2.5 is not a whole number"),
        ("nan", "the quantity nan is not a whole number"),
        ("inf", "the quantity inf is not a whole number"),
        ("1e999", "the quantity 1e999 is not a whole number"),
        ("1e9", "the quantity 1,000,000,000 is above 100,000, the most one line may ask for"),
        ("100001", "the quantity 100,001 is above 100,000, the most one line may ask for"),
    ],
)
def test_a_quantity_that_cannot_be_meant_is_rejected(tmp_path: Path, quantity: str, reason: str) -> None:
    book = from_csv(tmp_path, HEADER + f"1001,a.png,{quantity},,\n1002,b.png,2,,\n")
    assert reasons(book) == [reason]
    assert [item.order for item in book.items] == ["1002"]


@pytest.mark.parametrize(("text", "quantity"), [("1", 1), ("100000", MAX_QUANTITY), ("5.0", 5), ("1e3", 1000)])
def test_a_quantity_may_be_written_as_a_spreadsheet_does(text: str, quantity: int) -> None:
    assert parse_quantity(text) == quantity


@pytest.mark.parametrize("size", ["0", "-4", "nan", "inf", "-inf", "1e9", "10000.1"])
@pytest.mark.parametrize("name", ["width_in", "height_in"])
def test_a_size_that_no_film_has_is_rejected(tmp_path: Path, name: str, size: str) -> None:
    sizes = f"{size}," if name == "width_in" else f",{size}"
    book = from_csv(tmp_path, HEADER + f"1001,a.png,2,{sizes}\n")
    assert reasons(book) == [f"{name} is {size}; it must be above 0 and at most 10,000 inches"]
    assert MAX_INCHES == 10_000


@pytest.mark.parametrize("size", ['"4"""', "4in", "wide", '"4,5"'])
def test_a_size_that_is_no_number_is_rejected(tmp_path: Path, size: str) -> None:
    assert "is not a number of inches" in reasons(from_csv(tmp_path, HEADER + f"1001,a.png,2,{size},\n"))[0]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",a.png,1,,", "the order is empty"),
        ("  ,a.png,1,,", "the order is empty"),
        ("1001,,1,,", "the design is empty"),
        ("1001,a.png,1,,,extra", "the line has more cells than the header"),
        ("1001", "the design is empty"),
        ("1001," + "x" * 5000 + ",1,,", "the design has 5,000 characters; at most 4,096 are read"),
    ],
)
def test_a_line_that_is_malformed_is_rejected(tmp_path: Path, line: str, reason: str) -> None:
    assert reasons(from_csv(tmp_path, HEADER + line + "\n")) == [reason]


def test_a_rejection_names_the_line(tmp_path: Path) -> None:
    book = from_csv(tmp_path, HEADER + '1001,"two\nlines.png",1,,\n1002,a.png,none,,\n')
    assert book.rejected[0].reason == f"{tmp_path}/orders.csv:4: the quantity 'none' is not a number"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "order,design",
        "order;design;quantity",
        "Order,Design,Quantity",
        "order,design,quantity,colour",
        "order,design,quantity,",
        "order,design,quantity,design",
    ],
)
def test_unknown_missing_and_repeated_columns_are_errors_that_show_the_header(tmp_path: Path, header: str) -> None:
    message = refused(tmp_path, header + "\n1001,a.png,1\n" if header else "")
    assert message == (
        f"orders.csv:1: the header is {header or 'nothing'!r}\n"
        "  It must be order,design,quantity,width_in,height_in, separated by commas; the sizes may be left out."
    )


def test_a_csv_without_lines_asks_for_nothing(tmp_path: Path) -> None:
    assert from_csv(tmp_path, HEADER) == OrderBook((), ())


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (HEADER.encode() + b"1001,\xe9t\xe9.png,1,,\n", "not UTF-8 text"),
        (HEADER.encode("utf-16"), "not UTF-8 text"),
        (HEADER.encode() + b"1001," + b"x" * 200_000 + b",1,,\n", "not a CSV file"),
    ],
)
def test_what_is_no_csv_is_an_error(tmp_path: Path, raw: bytes, complaint: str) -> None:
    assert complaint in refused(tmp_path, raw)


def test_a_csv_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.csv: no such file"):
        read(Orders(csv="none.csv"), tmp_path, None)


def test_a_csv_that_cannot_be_read_is_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").mkdir()
    with pytest.raises(StorageError):
        read(Orders(csv="orders.csv"), tmp_path, None)


# Counting


def test_copies_are_numbered_on_where_an_order_names_a_design_in_two_lines(tmp_path: Path) -> None:
    lines = "1001,a.png,3,,\n1001,b.png,1,,\n1002,a.png,1,,\n1001,a.png,2,5,\n"
    book = from_csv(tmp_path, HEADER + lines)
    assert [(item.order, item.design, item.first_copy) for item in book.items] == [
        ("1001", "a.png", 1),
        ("1001", "b.png", 1),
        ("1002", "a.png", 1),
        ("1001", "a.png", 4),
    ]


def test_rejected_copies_are_numbered_too(tmp_path: Path) -> None:
    book = from_csv(tmp_path, HEADER + "1001,a.png,3,-1,\n1001,a.png,2,,\n")
    assert book.rejected == (
        Rejection("1001", "a.png", 1, 3, f"{tmp_path}/orders.csv:2: width_in is -1; it must be above 0 and at most "
                  "10,000 inches"),
    )  # fmt: skip
    assert book.items[0].first_copy == 4
    assert book.ordered == 5


def test_what_is_above_the_most_one_run_prints_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "MAX_COPIES", 10)
    book = from_csv(tmp_path, HEADER + "1001,a.png,6,,\n1002,b.png,5,,\n1003,c.png,4,,\n")
    assert [item.order for item in book.items] == ["1001", "1003"]
    assert reasons(book) == ["the run has 6 copies already; one run prints at most 10"]
    assert book.ordered == 15


CELLS = st.one_of(
    st.sampled_from(["1001", "a.png", "3", "0", "-1", "nan", "inf", "1e9", "4.5", "", " ", "many", "007"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=12),
)


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=7), max_size=12))
def test_every_line_is_an_item_or_a_rejection_and_its_copies_are_counted_once(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("orders")
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    book = from_csv(folder, HEADER + text.getvalue())
    lines = [row for row in rows if len(row) > 5 or any(cell.strip() for cell in row)]  # but empty ones
    assert len(book.items) + len(book.rejected) == len(lines)
    copies = sum(item.quantity for item in book.items) + sum(rejection.copies for rejection in book.rejected)
    assert book.ordered == copies
    assert all(1 <= item.quantity <= MAX_QUANTITY for item in book.items)
    assert all(rejection.reason and rejection.copies >= 1 for rejection in book.rejected)


ITEMS = st.builds(
    Item,
    order=st.sampled_from("ab"),
    design=st.sampled_from("xy"),
    quantity=st.integers(1, 5),
    width_in=st.none(),
    height_in=st.none(),
    where=st.just(""),
)


@settings(deadline=None)
@given(st.lists(ITEMS, max_size=10))
def test_order_design_and_copy_name_one_copy_of_the_run(items: list[Item]) -> None:
    named = [
        (item.order, item.design, item.first_copy + index)
        for item in number_copies(items)
        for index in range(item.quantity)
    ]
    assert len(set(named)) == len(named) == sum(item.quantity for item in items)


# Chosen orders


def test_only_the_orders_chosen_are_read(tmp_path: Path) -> None:
    book = from_csv(tmp_path, HEADER + "1001,a.png,1,,\n1002,b.png,1,,\n1003,,1,,\n", ["1002", "1003"])
    assert [item.order for item in book.items] == ["1002"]
    assert [rejection.order for rejection in book.rejected] == ["1003"]


def test_orders_chosen_that_are_not_there_are_all_named(tmp_path: Path) -> None:
    assert refused(tmp_path, HEADER + "1001,a.png,1,,\n", ["9", "1001", "8"]) == (
        "no such order, or none with items: 8, 9\n  Check the ids given with --order."
    )


# Lines in the pipeline file


def test_inline_items_are_judged_as_lines_of_a_csv(tmp_path: Path) -> None:
    lines = (
        InlineItem(order=1001, design="a.png", quantity=2, width_in=4.5),
        InlineItem(order="1002", design="b.png"),
        InlineItem(order=1003, design="c.png", quantity=float("nan")),
        InlineItem(order=1004, design="d.png", quantity="many"),
        InlineItem(order=1005, design="e.png", width_in=-1.0),
    )
    book = read(Orders(items=lines), tmp_path, None)
    assert [(item.order, item.quantity, item.width_in) for item in book.items] == [("1001", 2, 4.5), ("1002", 1, None)]
    assert [rejection.reason for rejection in book.rejected] == [
        "orders.items[2]: the quantity nan is not a whole number",
        "orders.items[3]: the quantity 'many' is not a number",
        "orders.items[4]: width_in is -1.0; it must be above 0 and at most 10,000 inches",
    ]


# The database


def line(design: str, quantity: object = 1, width_in: object = None) -> dict[str, object]:
    return {"design": design, "quantity": quantity, "width_inches": width_in, "height_inches": None}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database("sqlite:///shop.db", tmp_path)
    database.init()
    return database


def test_pending_orders_come_from_the_database(database: Database, tmp_path: Path) -> None:
    database.load({}, [("1001", [line("a.png", 2, 4.5), line("b.png")])])
    book = read(Orders(database="pending"), tmp_path, database)
    assert book.items == (
        Item("1001", "a.png", 2, 4.5, None, "order 1001, item 1"),
        Item("1001", "b.png", 1, None, None, "order 1001, item 2"),
    )


def test_what_another_program_wrote_is_judged_line_by_line(database: Database, tmp_path: Path) -> None:
    lines = [line("a.png", 0), line(""), line("b.png", 1, -1.0), line("c.png", 1, float("inf")), line("d.png")]
    database.load({}, [("1001", lines)])
    book = read(Orders(database="pending"), tmp_path, database)
    assert [item.design for item in book.items] == ["d.png"]
    assert [rejection.reason.partition(":")[0] for rejection in book.rejected] == [
        "order 1001, item 1",
        "order 1001, item 2",
        "order 1001, item 3",
        "order 1001, item 4",
    ]


def test_an_unknown_order_is_an_error_in_the_database_too(database: Database, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such order, or none with items: 1001"):
        read(Orders(database="pending"), tmp_path, database, ["1001"])


def test_no_pending_order_asks_for_nothing(database: Database, tmp_path: Path) -> None:
    assert read(Orders(database="pending"), tmp_path, database) == OrderBook((), ())


def test_orders_from_a_database_that_is_not_named_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Add the key database"):
        read(Orders(database="pending"), tmp_path, None)
