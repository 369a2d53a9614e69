"""The database: its address and transactions, the sheet of a printer and a canvas, pending orders, rows that go in.

What can be said of both is tried in SQLite and in PostgreSQL.
"""

import math
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from config.access import Access
from config.database import Database, OrderLine, SheetRecord, begin_writing
from config.errors import ConfigurationError, StorageError, TilepressError
from config.schema import Choice, DatabaseSettings, Mark

if TYPE_CHECKING:
    from tests.servers.postgres import DatabaseProxy, PostgresServer

MAIN = {"name": "Main UV", "max_width_inches": 16.0, "max_height_inches": 100.0, "dpi": 400, "is_default": True}
CANVAS = {
    "name": "UVDTF 16oz",
    "max_height_inches": 20.0,
    "dpi": 300,
    "spacing_width_inches": 0.32,
    "spacing_height_inches": 0.5,
}
DEADLINE_S = 60.0
CANARY = "hunter2"  # a password that must never be seen; no line that a traceback may show says it
SUNSET = {"design": "sunset.png", "quantity": 4, "width_inches": 4.5, "height_inches": None}


@pytest.fixture
def database(any_database: str) -> Database:
    database = Database(any_database)
    database.init()
    return database


@pytest.fixture
def shop(database: Database) -> Database:
    return filled(database)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "local.db"


@pytest.fixture
def local(file: Path) -> Database:
    """A shop in SQLite, for what is SQLite's alone."""
    database = Database(f"sqlite:///{file}")
    database.init()
    return filled(database)


def filled(database: Database) -> Database:
    database.load({"printers": [MAIN], "canvas_configs": [CANVAS]}, [("1001", [SUNSET])])
    return database


def execute(database: Database, statement: str, *values: object) -> None:
    """Write to the database as another program would; each value stands at a `?`."""
    pieces = statement.split("?")
    named = "".join(f"{piece}:v{index}" for index, piece in enumerate(pieces[:-1])) + pieces[-1]
    with database.writing() as connection:
        connection.execute(sa.text(named), {f"v{index}": value for index, value in enumerate(values)})


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        action()
    return str(caught.value)


def out_of_reach(action: Callable[[], object]) -> str:
    with pytest.raises(StorageError) as caught:
        action()
    return str(caught.value)


def in_turn(database: Access, *steps: Callable[[], object]) -> None:
    """Read, do the first step, read again, and so on, in one transaction."""
    with database.reading() as connection:
        connection.execute(sa.select(1))
        for step in steps:
            step()
            connection.execute(sa.select(1))


# The sheet


def test_a_sheet_has_the_printer_s_width_and_the_canvas_s_height_dpi_and_spacing(shop: Database) -> None:
    assert shop.sheet("Main UV", "UVDTF 16oz") == SheetRecord(16.0, 20.0, 300, 0.32, 0.5)


def test_without_a_canvas_the_sheet_is_the_printer_s(shop: Database) -> None:
    assert shop.sheet("Main UV", None) == SheetRecord(16.0, 100.0, 400, None, None)


def test_without_a_printer_s_name_the_default_printer_counts(shop: Database) -> None:
    assert shop.sheet(None, "UVDTF 16oz").width_in == 16.0


@pytest.mark.parametrize(
    ("printer_in", "canvas_in", "sheet_in"),
    [(100.0, 20.0, 20.0), (15.0, 20.0, 15.0), (None, 20.0, 20.0), (15.0, None, 15.0)],
)
def test_a_sheet_is_never_higher_than_the_printer(
    database: Database, printer_in: float | None, canvas_in: float | None, sheet_in: float
) -> None:
    printer, canvas = {**MAIN, "max_height_inches": printer_in}, {**CANVAS, "max_height_inches": canvas_in}
    database.load({"printers": [printer], "canvas_configs": [canvas]}, [])
    assert database.sheet("Main UV", "UVDTF 16oz").height_in == sheet_in


def test_a_sheet_without_any_height_is_an_error(database: Database) -> None:
    database.load({"printers": [{**MAIN, "max_height_inches": None}]}, [])
    assert "neither printer 'Main UV' nor its canvas has max_height_inches" in refused(
        lambda: database.sheet("Main UV", None)
    )


def test_a_canvas_without_dpi_takes_the_printer_s(database: Database) -> None:
    database.load({"printers": [MAIN], "canvas_configs": [{**CANVAS, "dpi": None}]}, [])
    assert database.sheet("Main UV", "UVDTF 16oz").dpi == 400


def test_a_name_that_is_not_there_lists_those_that_are(shop: Database) -> None:
    assert refused(lambda: shop.sheet("Main", None)) == (
        f"{shop.address}: no printer is called 'Main'\n  It has: Main UV"
    )
    assert "no canvas is called 'A4'\n  It has: UVDTF 16oz" in refused(lambda: shop.sheet("Main UV", "A4"))


def test_a_name_in_an_empty_database_says_how_to_fill_it(database: Database) -> None:
    assert "none; bring some in with: tilepress db import" in refused(lambda: database.sheet("Main UV", None))


@pytest.mark.parametrize("table", ["printers", "canvas_configs"])
def test_what_is_not_active_is_not_printed_on(shop: Database, table: str) -> None:
    execute(shop, f"UPDATE {table} SET is_active = ?", False)
    assert "is not active\n" in refused(lambda: shop.sheet("Main UV", "UVDTF 16oz"))


@pytest.mark.parametrize(("count", "text"), [(0, "no active printers are"), (2, "2 active printers are")])
def test_there_is_one_default_printer_or_an_error(database: Database, count: int, text: str) -> None:
    database.load({"printers": [{**MAIN, "name": str(number)} for number in range(count)]}, [])
    assert f"{text} the default; one must be" in refused(lambda: database.sheet(None, None))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("max_width_inches", 0.0),
        ("max_width_inches", -16.0),
        ("max_width_inches", math.inf),
        ("max_height_inches", 0.0),
        ("max_height_inches", 1e9),
        ("dpi", 0),
        ("dpi", 1_000_000),
    ],
)
def test_a_printer_that_another_program_made_impossible_is_named(shop: Database, column: str, value: object) -> None:
    execute(shop, f"UPDATE printers SET {column} = ?", value)
    assert f"printer 'Main UV': {column} is {value!r}; it must be " in refused(lambda: shop.sheet("Main UV", None))


@pytest.mark.parametrize(
    ("column", "value"), [("max_width_inches", "wide"), ("dpi", "fine"), ("dpi", 10**12), ("dpi", 300.5)]
)
def test_what_only_a_column_of_sqlite_can_hold_is_named(local: Database, column: str, value: object) -> None:
    execute(local, f"UPDATE printers SET {column} = ?", value)
    assert f"printer 'Main UV': {column} is {value!r}; it must be " in refused(lambda: local.sheet("Main UV", None))


@pytest.mark.parametrize(("column", "value"), [("dpi", 0), ("spacing_width_inches", -1.0), ("max_height_inches", -1.0)])
def test_a_canvas_that_another_program_made_impossible_is_named(shop: Database, column: str, value: object) -> None:
    execute(shop, f"UPDATE canvas_configs SET {column} = ?", value)
    assert f"canvas 'UVDTF 16oz': {column} is {value!r}" in refused(lambda: shop.sheet("Main UV", "UVDTF 16oz"))


@pytest.mark.parametrize("name", ["\udcff", "a\0b"])
def test_a_name_that_no_database_can_hold_is_an_error_or_not_there_never_a_bug(shop: Database, name: str) -> None:
    try:
        assert list(shop.order_lines(references=[name])) == []
    except ConfigurationError as error:
        assert error.message.startswith(f"{shop.address}: ")


ROWS = """
    INSERT INTO printers (id, name, max_width_inches, dpi) VALUES ('{key}', 'Roll', 22, 300);
    INSERT INTO canvas_configs (id, name, max_height_inches) VALUES ('{key}', 'Long', 215);
    INSERT INTO orders (id, reference) VALUES ('{key}', '1001');
    INSERT INTO order_items (id, order_id, position, design, quantity) VALUES ('{key}', '{key}', 1, 'a.png', 2)
"""


def test_rows_of_other_programs_may_leave_defaults_out(database: Database) -> None:
    read_others_rows(database, "00000000-0000-0000-0000-000000000007")


def test_rows_of_other_programs_may_have_keys_that_are_no_uuids(file: Path) -> None:
    local = Database(f"sqlite:///{file}")
    local.init()
    read_others_rows(local, "7")


def read_others_rows(database: Database, key: str) -> None:
    for statement in ROWS.format(key=key).split(";"):
        execute(database, statement)
    assert database.sheet("Roll", "Long") == SheetRecord(22.0, 215.0, 300, None, None)
    assert list(database.order_lines()) == [OrderLine("1001", 1, "a.png", 2, None, None)]
    database.load({"printers": [{**MAIN, "name": "Roll"}]}, [])
    assert [row["max_width_inches"] for row in database.rows("printers")] == [16.0]


# Orders


def order(database: Database, reference: str, day: int, status: str = "pending", items: int = 1) -> None:
    """Bring in an order that is as old as this day of January, its designs named for it."""
    lines = [{**SUNSET, "design": f"{reference}-{item}.png"} for item in range(1, items + 1)]
    database.load({}, [(reference, lines)])
    execute(
        database,
        f"UPDATE orders SET status = ?, created_at = '2026-01-{day:02} 00:00:00' WHERE reference = ?",
        status,
        reference,
    )


def chosen(database: Database, choice: Choice | None, *references: str) -> list[str]:
    """Return the designs of the orders chosen, in order; make sure that the orders' own query names the same."""
    lines = list(database.order_lines(choice, references))
    with database.reading() as connection:
        selected = connection.scalars(database.chosen_references(choice, references)).all()
    assert sorted(selected) == sorted({line.order for line in lines})
    return [line.design.removesuffix(".png") for line in lines]


@pytest.fixture
def orders(database: Database) -> Database:
    for reference, day, status, items in [
        ("new", 9, "pending", 1),
        ("old", 1, "pending", 2),
        ("done", 2, "printed", 1),
        ("b", 5, "pending", 1),
        ("a", 5, "pending", 1),
    ]:
        order(database, reference, day, status, items)
    return database


@pytest.mark.parametrize(
    ("choice", "designs"),
    [
        (None, ["old-1", "old-2", "a-1", "b-1", "new-1"]),
        (Choice(status="pending"), ["old-1", "old-2", "a-1", "b-1", "new-1"]),
        (Choice(status="printed"), ["done-1"]),
        (Choice(status="unknown"), []),
        (Choice(status="pending", limit=2), ["old-1", "old-2", "a-1"]),
        (Choice(ids=("new", "done", "none")), ["done-1", "new-1"]),
        (Choice(status="pending", ids=("new", "done")), ["new-1"]),
        (Choice(ids=("new", "done", "old"), limit=2), ["old-1", "old-2", "done-1"]),
        (Choice(status="pending", limit=1_000), ["old-1", "old-2", "a-1", "b-1", "new-1"]),
    ],
)
def test_orders_are_chosen_by_status_by_id_and_by_limit_oldest_first(
    orders: Database, choice: Choice | None, designs: list[str]
) -> None:
    assert chosen(orders, choice) == designs


def test_orders_that_are_named_come_whatever_the_choice_says(orders: Database) -> None:
    assert chosen(orders, Choice(status="pending", limit=1), "done", "new", "none") == ["done-1", "new-1"]


def test_orders_without_items_do_not_hold_up_those_behind_them(orders: Database) -> None:
    execute(orders, "DELETE FROM order_items WHERE design LIKE 'old%'")
    assert chosen(orders, Choice(status="pending", limit=2)) == ["a-1", "b-1"]


def test_a_line_has_its_position_quantity_and_sizes(shop: Database) -> None:
    shop.load({}, [("1002", [SUNSET, {**SUNSET, "quantity": 2, "width_inches": None, "height_inches": 3.25}])])
    assert list(shop.order_lines(references=["1002"])) == [
        OrderLine("1002", 1, "sunset.png", 4, 4.5, None),
        OrderLine("1002", 2, "sunset.png", 2, None, 3.25),
    ]


@pytest.mark.parametrize("name", ["x' OR '1'='1", '"; DROP TABLE orders; --', "%(x)s", ":x", "[1]", "{a}", "\\", "%"])
def test_a_name_is_a_value_never_sql(shop: Database, name: str) -> None:
    assert list(shop.order_lines(references=[name])) == []
    assert list(shop.order_lines(Choice(status=name))) == []
    assert "no printer is called" in refused(lambda: shop.sheet(name, None))
    shop.load({"printers": [{**MAIN, "name": name}]}, [(name, [SUNSET])])
    assert [line.order for line in shop.order_lines(references=[name, "none"])] == [name]
    assert shop.sheet(name, None).dpi == 400


@pytest.fixture
def statements(database: Database) -> list[str]:
    """Collect what the database is asked, from now on."""
    seen: list[str] = []

    def remember(_c: object, _k: object, statement: str, *_: object) -> None:
        seen.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", remember)
    return seen


def test_the_number_of_queries_does_not_grow_with_the_number_of_orders(
    database: Database, statements: list[str]
) -> None:
    counts = []
    for first, past in ((0, 10), (10, 1_010)):
        database.load({}, [(str(number), [SUNSET, SUNSET]) for number in range(first, past)])
        statements.clear()
        references = [str(number) for number in range(past)]
        assert len(list(database.order_lines(Choice(status="pending", ids=tuple(references))))) == 2 * past
        assert len(list(database.order_lines(references=references))) == 2 * past
        with database.writing() as connection:
            mark = Mark(column="status", value="printed")
            assert database.mark_orders(connection, mark, references, "pending") == []
            query = database.chosen_references(Choice(status="printed"))
            assert len(connection.scalars(query).all()) == past
        counts.append(len(statements))
        execute(database, "UPDATE orders SET status = 'pending'")
        database.rows("printers")  # what is looked up once has been
    assert counts[1] <= counts[0] < 40


# Marking


PRINTED = Mark(column="status", value="printed")


def marked(database: Database, mark: Mark, references: Sequence[str], expected: str | None = None) -> list[str]:
    with database.writing() as connection:
        return database.mark_orders(connection, mark, references, expected)


def statuses(database: Database) -> dict[str, str]:
    return {row["reference"]: row["status"] for row in database.rows("orders")}


def test_an_order_is_marked_and_no_other(orders: Database) -> None:
    assert marked(orders, PRINTED, ["old", "new"]) == []
    assert statuses(orders) == {"old": "printed", "done": "printed", "a": "pending", "b": "pending", "new": "printed"}


def test_an_order_that_was_cancelled_meanwhile_is_left_alone(orders: Database) -> None:
    execute(orders, "UPDATE orders SET status = 'cancelled' WHERE reference = 'old'")
    assert marked(orders, PRINTED, ["old", "new", "done", "gone"], "pending") == ["old", "gone"]
    assert statuses(orders) == {"old": "cancelled", "done": "printed", "a": "pending", "b": "pending", "new": "printed"}


def test_marks_are_gone_with_the_transaction_they_were_made_in(orders: Database) -> None:
    with pytest.raises(KeyError), orders.writing() as connection:
        orders.mark_orders(connection, PRINTED, ["old"])
        raise KeyError
    assert statuses(orders)["old"] == "pending"


def test_a_mark_is_checked_before_anything_is_printed(orders: Database) -> None:
    orders.check_mark(PRINTED)
    assert statuses(orders)["old"] == "pending"
    assert refused(lambda: orders.check_mark(Mark(column="state", value="x"))) == (
        f"{orders.address}: the table orders has no column state; it has id, reference, status, created_at\n"
        "  Correct orders.mark.column in the pipeline file."
    )


# Writing


def test_a_row_of_the_same_name_is_replaced(shop: Database) -> None:
    shop.load({"printers": [{**MAIN, "max_width_inches": 22.0}]}, [])
    assert [row["max_width_inches"] for row in shop.rows("printers")] == [22.0]


def test_an_order_that_is_there_already_is_an_error_and_nothing_is_written(shop: Database) -> None:
    more = [("1002", [SUNSET]), ("1001", [SUNSET])]
    message = refused(lambda: shop.load({"printers": [{**MAIN, "dpi": 1200}]}, more))
    assert message.startswith(f"order 1001 is in {shop.address} already; nothing was imported\n")
    assert [row["dpi"] for row in shop.rows("printers")] == [400]
    assert [row["reference"] for row in shop.rows("orders")] == ["1001"]


def test_what_breaks_halfway_leaves_nothing(shop: Database) -> None:
    broken = [("1002", [SUNSET, {**SUNSET, "design": None}])]
    assert "null" in refused(lambda: shop.load({}, broken)).lower()
    assert [row["reference"] for row in shop.rows("orders")] == ["1001"]


def test_rows_are_shown_by_column(shop: Database) -> None:
    assert shop.rows("printers") == [{**MAIN, "is_active": True}]
    assert shop.rows("canvas_configs") == [{**CANVAS, "is_active": True}]


def test_orders_are_listed_with_their_items_and_copies(shop: Database) -> None:
    shop.load({}, [("1002", [SUNSET, SUNSET])])
    execute(shop, "INSERT INTO orders (id, reference) VALUES ('00000000-0000-0000-0000-000000000007', '1003')")
    rows = {row["reference"]: (row["status"], row["items"], row["copies"]) for row in shop.rows("orders")}
    assert rows == {"1001": ("pending", 1, 4), "1002": ("pending", 2, 8), "1003": ("pending", 0, 0)}


# Transactions


def test_a_bug_in_what_is_written_is_not_taken_for_a_value_that_does_not_fit(shop: Database) -> None:
    with pytest.raises(TypeError), shop.writing() as connection:
        connection.execute(sa.text("UPDATE printers SET dpi = 1200"))
        raise TypeError
    assert [row["dpi"] for row in shop.rows("printers")] == [400]


def test_what_reads_cannot_write(shop: Database) -> None:
    with pytest.raises(TilepressError, match=r"read-?only"), shop.reading() as connection:
        connection.execute(sa.text("UPDATE printers SET dpi = 1200"))
    with pytest.raises(TilepressError, match=r"read-?only"), shop.reading() as connection:
        connection.execute(sa.text("CREATE TABLE mine (id INTEGER)"))
    assert [row["dpi"] for row in shop.rows("printers")] == [400]


def test_a_connection_that_is_held_reads_unless_it_is_begun_for_writing(shop: Database) -> None:
    update = sa.text("UPDATE printers SET dpi = dpi + 1")
    with shop.engine.connect() as connection:
        with begin_writing(connection):
            connection.execute(update)
        with pytest.raises(TilepressError, match=r"read-?only"), shop.explained(), connection.begin():
            connection.execute(update)
        with pytest.raises(KeyError), begin_writing(connection):
            connection.execute(update)
            raise KeyError
        with connection.begin():
            assert connection.scalar(sa.text("SELECT dpi FROM printers")) == 401


def test_two_that_write_at_once_wait_for_each_other(shop: Database) -> None:
    written = threading.Event()

    def write() -> None:
        Database(shop.settings).load({"printers": [{**MAIN, "dpi": 800}]}, [])
        written.set()

    other = threading.Thread(target=write)
    with shop.writing() as connection:
        before = connection.scalar(sa.text("SELECT dpi FROM printers"))
        connection.execute(sa.text("UPDATE printers SET dpi = 500"))
        other.start()
        assert connection.scalar(sa.text("SELECT dpi FROM printers")) == 500
        assert not written.is_set()
    other.join()
    assert (before, [row["dpi"] for row in shop.rows("printers")]) == (400, [800])


def test_only_one_at_a_time_begins_to_write_in_sqlite(local: Database, file: Path) -> None:
    hasty = Database(f"sqlite:///{file}?timeout=0.01")
    with local.writing():
        assert "database is locked" in out_of_reach(lambda: hasty.writing().__enter__())
        assert hasty.sheet("Main UV", None).dpi == 400  # and all may read meanwhile


def test_an_error_shows_no_values_not_even_by_v(shop: Database) -> None:
    with pytest.raises(ConfigurationError) as caught:
        shop.load({}, [("1002", [{**SUNSET, "design": None, "quantity": int("9" * 5)}])])
    assert "99999" not in shown(caught.value)


def test_no_connection_is_left_behind(shop: Database) -> None:
    opened: list[Any] = []
    closed: list[Any] = []
    sa.event.listen(shop.engine, "connect", lambda connection, _: opened.append(connection))
    sa.event.listen(shop.engine, "close", lambda connection, _: closed.append(connection))
    actions: Sequence[Callable[[], object]] = [
        shop.check,
        lambda: shop.sheet("Main UV", None),
        lambda: list(shop.order_lines()),
        lambda: next(shop.order_lines()),
        lambda: shop.rows("orders"),
        lambda: shop.load({}, [("1002", [SUNSET])]),
        lambda: refused(lambda: shop.load({}, [("1002", [SUNSET])])),
        lambda: refused(lambda: shop.sheet("none", None)),
    ]
    for action in actions:
        action()
    assert len(opened) >= len(actions)
    assert opened == closed


# Out of reach, or not what it should be


def test_a_database_that_is_not_there_is_out_of_reach(file: Path) -> None:
    assert out_of_reach(Database(f"sqlite:///{file}").check) == (
        f"sqlite:///{file}: no such database\n  Create it with: tilepress db init --pipeline FILE (or --database URL)"
    )


def test_a_database_is_not_made_by_looking_for_it(file: Path) -> None:
    out_of_reach(lambda: list(Database(f"sqlite:///{file}").order_lines()))
    out_of_reach(lambda: Database(f"sqlite:///{file}").load({"printers": [MAIN]}, []))
    assert not file.exists()


def test_a_folder_that_is_not_there_is_out_of_reach(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nowhere: no such folder"):
        Database(f"sqlite:///{tmp_path}/nowhere/shop.db").init()


def test_a_path_that_no_file_can_have_is_out_of_reach(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="File name too long"):
        Database(f"sqlite:///{tmp_path}/{'x' * 300}").check()


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="unable to open database file"):
        Database(f"sqlite:///{tmp_path}").check()


def test_a_locked_database_is_out_of_reach(local: Database, file: Path) -> None:
    slow = Database(f"sqlite:///{file}?timeout=0.01")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "database is locked" in out_of_reach(lambda: slow.load({"printers": [MAIN]}, []))
        assert "database is locked" in out_of_reach(lambda: slow.sheet("Main UV", None))
    assert slow.sheet("Main UV", None).dpi == 400


def test_a_file_that_is_no_database_is_said_so(file: Path) -> None:
    file.write_bytes(b"x" * 4096)
    assert "file is not a database" in refused(Database(f"sqlite:///{file}").check)


def test_a_relative_path_counts_from_the_folder_given(tmp_path: Path) -> None:
    Database("sqlite:///shop.db", tmp_path).init()
    assert (tmp_path / "shop.db").is_file()


# PostgreSQL's own ways of not answering


def setting(database: Access, name: str) -> str:
    with database.reading() as connection:
        return str(connection.scalar(sa.select(sa.func.current_setting(name))))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "POSTGRES"])
def test_an_address_is_taken_as_hosts_hand_it_out(postgres: str, scheme: str) -> None:
    database = Access(postgres.replace("postgresql:", f"{scheme}:"))
    assert database.address == f"postgresql://postgres@/{sa.make_url(postgres).database}"
    assert setting(database, "server_version_num").isdecimal()


def test_a_server_knows_who_asks_and_how_long_it_may_take(postgres: str) -> None:
    database = Access(DatabaseSettings(url=postgres, statement_timeout_s=12.5))
    names = ("application_name", "statement_timeout", "lock_timeout", "transaction_read_only", "transaction_isolation")
    assert [setting(database, name) for name in names] == ["tilepress", "12500ms", "12500ms", "on", "read committed"]
    with database.writing() as connection:
        assert connection.scalar(sa.text("SHOW transaction_read_only")) == "off"


def test_what_the_address_says_counts_over_what_tilepress_would(postgres: str) -> None:
    database = Access(f"{postgres}&application_name=night&connect_timeout=3&sslmode=prefer")
    assert setting(database, "application_name") == "night"


def test_an_option_that_is_none_is_named(postgres: str) -> None:
    assert refused(lambda: setting(Access(f"{postgres}&nonsense=hunter2"), "x")) == (
        f'{Access(postgres).address}: invalid connection option "nonsense"\n'
        "  Correct the options in the database's address."
    )


def test_a_database_that_the_server_does_not_have_is_out_of_reach(postgres: str) -> None:
    other = sa.make_url(postgres).set(database="none").render_as_string()
    assert 'database "none" does not exist' in out_of_reach(Database(other).check)


def test_a_wrong_password_is_out_of_reach_and_not_shown(postgres_server: "PostgresServer", postgres: str) -> None:
    address = sa.make_url(postgres).set(username="guarded")
    wrong = address.set(password=CANARY).render_as_string(hide_password=False)
    with pytest.raises(StorageError, match="password authentication failed for user") as caught:
        in_turn(Access(wrong))
    assert CANARY not in shown(caught.value)
    right = address.set(password="correct horse").render_as_string(hide_password=False)
    assert setting(Access(right), "application_name") == "tilepress"


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:1", "nowhere.invalid"])
def test_a_server_that_is_not_there_is_out_of_reach_and_no_password_shown(host: str) -> None:
    with pytest.raises(StorageError) as caught:
        in_turn(Access(f"postgres://shop:{CANARY}@{host}/shop"))
    assert shown(caught.value).startswith(f"postgresql://shop:***@{host}/shop: ")
    assert CANARY not in shown(caught.value)


def test_a_server_that_says_nothing_is_out_of_reach(postgres: str, database_proxy: "DatabaseProxy") -> None:
    database_proxy.freeze()
    silent = Access(DatabaseSettings(url=database_proxy.url(postgres), connect_timeout_s=0.1))
    assert "timeout expired" in out_of_reach(lambda: in_turn(silent))


@pytest.mark.parametrize("words", [b"BEGIN", b"set_config", b"pg_catalog.pg_class", b"order_items"])
def test_a_line_that_breaks_while_reading_is_out_of_reach_and_that_is_all_that_is_said(
    postgres: str, database_proxy: "DatabaseProxy", words: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(database_proxy.url(postgres))
    database.init()
    for cut in (database_proxy.cut_before, database_proxy.cut_after):
        lines = Database(database.settings).order_lines()
        cut(words)
        with pytest.raises(StorageError):
            list(lines)
        assert database_proxy.was_cut.is_set()
        database_proxy.mend()
    assert caplog.records == []


def test_a_line_that_breaks_while_writing_is_out_of_reach_whenever_it_does(
    postgres_server: "PostgresServer", postgres: str, database_proxy: "DatabaseProxy"
) -> None:
    database = Access(database_proxy.url(postgres))
    postgres_server.psql("CREATE TABLE notes (id INTEGER)", postgres)

    def write() -> None:
        with database.writing() as connection:
            connection.execute(sa.text("INSERT INTO notes VALUES (1)"))

    cuts: Sequence[tuple[Callable[[], None], int]] = (
        (lambda: database_proxy.cut_before(b"INSERT"), 0),
        (lambda: database_proxy.cut_after(b"INSERT"), 0),
        (lambda: database_proxy.cut_before(b"COMMIT\0"), 0),
        (lambda: database_proxy.cut_after(b"COMMIT\0"), 1),
    )
    for cut, written in cuts:
        cut()
        assert "server closed the connection" in out_of_reach(write)
        assert "server closed the connection" in out_of_reach(write)  # which does not even begin
        database_proxy.mend()
        assert postgres_server.psql("SELECT count(*) FROM notes", postgres) == [(written,)]
    write()
    assert postgres_server.psql("SELECT count(*) FROM notes", postgres) == [(2,)]


def test_a_server_that_ends_the_connection_is_out_of_reach(postgres_server: "PostgresServer", postgres: str) -> None:
    database = Access(postgres)
    message = out_of_reach(lambda: in_turn(database, lambda: postgres_server.cut(postgres)))
    assert "terminating connection due to administrator command" in message
    in_turn(database)


def test_a_server_that_grows_tired_of_waiting_is_out_of_reach(postgres_server: "PostgresServer", postgres: str) -> None:
    message = "terminating connection due to idle-in-transaction timeout"
    with pytest.raises(StorageError, match=message), Access(postgres).reading() as connection:
        pid = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        connection.execute(sa.text("SET idle_in_transaction_session_timeout = '1ms'"))
        end = time.monotonic() + DEADLINE_S
        while postgres_server.psql(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid}"):
            assert time.monotonic() < end, "the server waits on"
        connection.execute(sa.select(1))


def test_a_statement_that_takes_too_long_is_out_of_reach(postgres: str) -> None:
    database = Access(DatabaseSettings(url=postgres, statement_timeout_s=0.05))
    timeout = "canceling statement due to statement timeout"
    with pytest.raises(StorageError, match=timeout) as caught, database.reading() as connection:
        connection.execute(sa.text("SELECT pg_sleep(60)"))
    assert "database.statement_timeout_s" in caught.value.remedy


def test_a_lock_that_another_program_keeps_is_out_of_reach(postgres: str) -> None:
    database = Database(postgres)
    database.init()
    hasty = Database(DatabaseSettings(url=postgres, statement_timeout_s=0.05))
    with database.writing() as connection:
        connection.execute(sa.text("LOCK TABLE printers"))
        assert "canceling statement due to " in out_of_reach(lambda: hasty.sheet("Main UV", None))


# Addresses and their secrets


def shown(error: TilepressError) -> str:
    """Return all that -v would print of an error."""
    return "".join([str(error), *traceback.format_exception(error)])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "hunter2://hunter2",
        "postgresql://user:hunter2@host.invalid/name",
        "postgresql+psycopg://host.invalid/name?password=hunter2",
        "postgresql://user:p@hunter2/x@host/name",
        "postgresql://user:hunter2@host:port/name",
        "postgresql://user:x@host@hunter2/name",
        "postgresql+psycopg2://user:hunter2@host/name",
        "postgresql://user:hunter2@127.0.0.1:1/name?sslcert=none",
        "postgresql://user:hunter2%00@127.0.0.1:1/name",
        "postgresql://user:hunter2\udcff@127.0.0.1:1/name",
        "postgresql://user:hunter2@127.0.0.1:1/name?host=a%00b",
        "postgresql://user:hunter2@[::1/name",
        "postgresql://user:hunter2@127.0.0.1:99999/name",
        "sqlite:///a%00hunter2.db",
        "sqlite://user:hunter2@/",
        "sqlite:///:memory:",
        "sqlite://",
        "sqlite:///x.db?nonsense=hunter2",
        "mysql+nodriver://u:hunter2@h/d",
        "oracle+oracledb://user:hunter2@host/name",
    ],
)
def test_an_address_that_cannot_be_used_never_shows_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(TilepressError) as caught:
        Database(url, tmp_path).init()
    assert CANARY not in shown(caught.value)
    assert caught.value.remedy


def test_a_driver_that_is_missing_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert refused(lambda: Database("postgresql://user:hunter2@host/name")).startswith(
        "postgresql://user:***@host/name: the driver for this database is not installed"
    )
