"""The database: the sheet of a printer and a canvas, pending orders, and rows that go in all together or not at all."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from config import tables
from config.database import Database, OrderLine, SheetRecord
from config.errors import ConfigurationError, StorageError, TilepressError

MAIN = {"name": "Main UV", "max_width_inches": 16.0, "max_height_inches": 100.0, "dpi": 400, "is_default": True}
CANVAS = {
    "name": "UVDTF 16oz",
    "max_height_inches": 20.0,
    "dpi": 300,
    "spacing_width_inches": 0.32,
    "spacing_height_inches": 0.5,
}
SUNSET = {"design": "sunset.png", "quantity": 4, "width_inches": 4.5, "height_inches": None}

Execute = Callable[..., None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.fixture
def database(file: Path) -> Database:
    database = Database(f"sqlite:///{file}")
    database.init()
    return database


@pytest.fixture
def shop(database: Database) -> Database:
    database.load({"printers": [MAIN], "canvas_configs": [CANVAS]}, [("1001", [SUNSET])])
    return database


@pytest.fixture
def execute(file: Path) -> Execute:
    """Return a way to write to the database as another program would."""

    def run(statement: str, *values: object) -> None:
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(statement, values)

    return run


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        action()
    return str(caught.value)


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
def test_what_is_not_active_is_not_printed_on(shop: Database, execute: Execute, table: str) -> None:
    execute(f"UPDATE {table} SET is_active = 0")
    assert "is not active\n" in refused(lambda: shop.sheet("Main UV", "UVDTF 16oz"))


@pytest.mark.parametrize(("count", "text"), [(0, "no active printers are"), (2, "2 active printers are")])
def test_there_is_one_default_printer_or_an_error(database: Database, count: int, text: str) -> None:
    database.load({"printers": [{**MAIN, "name": str(number)} for number in range(count)]}, [])
    assert f"{text} the default; one must be" in refused(lambda: database.sheet(None, None))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("max_width_inches", 0),
        ("max_width_inches", -16.0),
        ("max_width_inches", float("inf")),
        ("max_width_inches", "wide"),
        ("max_height_inches", 0),
        ("max_height_inches", 1e9),
        ("dpi", 0),
        ("dpi", "fine"),
        ("dpi", 10**12),
    ],
)
def test_a_printer_that_another_program_made_impossible_is_named(
    shop: Database, execute: Execute, column: str, value: object
) -> None:
    execute(f"UPDATE printers SET {column} = ?", value)
    assert f"printer 'Main UV': {column} is {value!r}" in refused(lambda: shop.sheet("Main UV", None))


@pytest.mark.parametrize(("column", "value"), [("dpi", 0), ("spacing_width_inches", -1.0), ("max_height_inches", -1.0)])
def test_a_canvas_that_another_program_made_impossible_is_named(
    shop: Database, execute: Execute, column: str, value: object
) -> None:
    execute(f"UPDATE canvas_configs SET {column} = ?", value)
    assert f"canvas 'UVDTF 16oz': {column} is {value!r}" in refused(lambda: shop.sheet("Main UV", "UVDTF 16oz"))


def test_a_name_that_no_database_can_hold_is_an_error_not_a_bug(shop: Database) -> None:
    assert f"{shop.address}: a value does not fit its column" in refused(lambda: list(shop.order_lines(["\udcff"])))


def test_rows_of_other_programs_may_have_keys_of_their_own_and_leave_defaults_out(
    database: Database, execute: Execute
) -> None:
    execute("INSERT INTO printers (id, name, max_width_inches, dpi) VALUES ('7', 'Roll', 22, 300)")
    execute("INSERT INTO canvas_configs (id, name, max_height_inches) VALUES ('7', 'Long', 215)")
    execute("INSERT INTO orders (id, reference) VALUES ('7', '1001')")
    execute("INSERT INTO order_items (id, order_id, position, design, quantity) VALUES ('7', '7', 1, 'a.png', 2)")
    assert database.sheet("Roll", "Long") == SheetRecord(22.0, 215.0, 300, None, None)
    assert list(database.order_lines()) == [OrderLine("1001", 1, "a.png", 2, None, None)]
    database.load({"printers": [{**MAIN, "name": "Roll"}]}, [])
    assert [row["max_width_inches"] for row in database.rows("printers")] == [16.0]


# Orders


def test_pending_orders_come_oldest_first_with_their_items_in_order(database: Database, execute: Execute) -> None:
    whale = {**SUNSET, "design": "whale.png"}
    database.load({}, [("new", [SUNSET]), ("old", [whale, SUNSET]), ("done", [SUNSET])])
    execute("UPDATE orders SET created_at = '2020-01-01 00:00:00.000000' WHERE reference = 'old'")
    execute("UPDATE orders SET status = 'printed' WHERE reference = 'done'")
    assert list(database.order_lines()) == [
        OrderLine("old", 1, "whale.png", 4, 4.5, None),
        OrderLine("old", 2, "sunset.png", 4, 4.5, None),
        OrderLine("new", 1, "sunset.png", 4, 4.5, None),
    ]


def test_an_order_that_is_named_comes_whatever_its_status(shop: Database, execute: Execute) -> None:
    execute("UPDATE orders SET status = 'printed'")
    assert list(shop.order_lines()) == []
    assert [line.order for line in shop.order_lines(["1001", "none"])] == ["1001"]


def test_a_name_is_a_value_never_sql(shop: Database) -> None:
    name = "x' OR '1'='1"
    assert list(shop.order_lines([name])) == []
    assert "no printer is called" in refused(lambda: shop.sheet(name, None))


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
    assert "NOT NULL" in refused(lambda: shop.load({}, broken))
    assert [row["reference"] for row in shop.rows("orders")] == ["1001"]


def test_orders_are_listed_with_their_items_and_copies(shop: Database, execute: Execute) -> None:
    shop.load({}, [("1002", [SUNSET, SUNSET])])
    execute("INSERT INTO orders (id, reference) VALUES ('7', '1003')")
    rows = {row["reference"]: (row["status"], row["items"], row["copies"]) for row in shop.rows("orders")}
    assert rows == {"1001": ("pending", 1, 4), "1002": ("pending", 2, 8), "1003": ("pending", 0, 0)}


def test_init_leaves_what_is_there(shop: Database) -> None:
    shop.init()
    assert [row["reference"] for row in shop.rows("orders")] == ["1001"]


# Out of reach, or not what it should be


def test_a_database_that_is_not_there_is_out_of_reach(file: Path) -> None:
    with pytest.raises(StorageError) as caught:
        Database(f"sqlite:///{file}").check()
    assert str(caught.value) == f"sqlite:///{file}: no such database\n  Create it with: tilepress db init"


def test_a_database_is_not_made_by_looking_for_it(file: Path) -> None:
    with pytest.raises(StorageError):
        list(Database(f"sqlite:///{file}").order_lines())
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


def test_a_locked_database_is_out_of_reach(shop: Database, file: Path) -> None:
    slow = Database(f"sqlite:///{file}?timeout=0.01")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageError, match="database is locked"):
            slow.load({"printers": [MAIN]}, [])


def test_a_file_that_is_no_database_is_said_so(file: Path) -> None:
    file.write_bytes(b"x" * 4096)
    assert "file is not a database" in refused(Database(f"sqlite:///{file}").check)


def test_missing_tables_are_named_with_the_command_that_makes_them(file: Path) -> None:
    file.touch()
    assert refused(Database(f"sqlite:///{file}").check) == (
        f"sqlite:///{file}: no table canvas_configs, order_items, orders, printers\n"
        "  Create the tables with: tilepress db init"
    )


def test_missing_columns_are_named(database: Database, execute: Execute) -> None:
    execute("ALTER TABLE canvas_configs DROP COLUMN spacing_width_inches")
    assert "the table canvas_configs has no column spacing_width_inches\n" in refused(database.check)


def test_a_relative_path_counts_from_the_folder_given(tmp_path: Path) -> None:
    Database("sqlite:///shop.db", tmp_path).init()
    assert (tmp_path / "shop.db").is_file()


# Addresses and their secrets


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "hunter2://hunter2",
        "postgresql://user:hunter2@host/name",
        "postgresql+psycopg://host/name?password=hunter2",
        "postgresql://user:p@hunter2/x@host/name",
        "postgresql://user:hunter2@host:port/name",
        "postgresql://user:x@host@hunter2/name",
        "sqlite://user:hunter2@/",
        "sqlite:///:memory:",
        "sqlite://",
        "sqlite:///x.db?nonsense=hunter2",
        "mysql+nodriver://u:hunter2@h/d",
    ],
)
def test_an_address_that_cannot_be_used_never_shows_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(TilepressError) as caught:
        Database(url, tmp_path).init()
    shown = f"{caught.value}"
    assert "hunter2" not in shown
    assert caught.value.remedy


def test_a_driver_that_is_missing_is_no_bug() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Database("oracle+oracledb://user:hunter2@host/name")
    assert str(caught.value).startswith("oracle+oracledb://user:***@host/name: the driver for this database")


# PostgreSQL is next: whatever is sent to SQLite must be speakable there


@pytest.mark.parametrize("table", tables.metadata.sorted_tables, ids=str)
def test_the_tables_can_be_made_in_postgresql(table: sa.Table) -> None:
    assert f"CREATE TABLE {table.name}" in str(CreateTable(table).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]


@pytest.fixture
def statements() -> Iterator[list[Any]]:
    """Collect what is executed, as SQLAlchemy's own constructs."""
    seen: list[Any] = []

    def remember(_: object, statement: object, *__: object) -> None:
        seen.append(statement)

    sa.event.listen(sa.Engine, "before_execute", remember)
    yield seen
    sa.event.remove(sa.Engine, "before_execute", remember)


def test_every_statement_can_be_said_in_postgresql(shop: Database, statements: list[Any]) -> None:
    shop.sheet(None, "UVDTF 16oz")
    list(shop.order_lines(["1001"]))
    list(shop.order_lines())
    shop.rows("orders")
    shop.rows("printers")
    shop.load({"printers": [MAIN, {**MAIN, "name": "b"}]}, [("1002", [SUNSET])])
    written = [statement for statement in statements if isinstance(statement, sa.ClauseElement)]
    assert len(written) >= 10
    for statement in written:
        assert not isinstance(statement, sa.TextClause), "plain SQL may be SQLite's own"
        assert statement.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]


def test_no_connection_is_left_behind(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    class Watched(sqlite3.Connection):
        closed = False

        def close(self) -> None:
            self.closed = True
            super().close()

    def watch(*arguments: Any, **options: Any) -> sqlite3.Connection:
        opened.append(connect(*arguments, **{**options, "factory": Watched}))
        return opened[-1]

    monkeypatch.setattr("sqlite3.dbapi2.connect", watch)
    actions: Sequence[Callable[[], object]] = [
        shop.check,
        lambda: shop.sheet("Main UV", None),
        lambda: list(shop.order_lines()),
        lambda: shop.rows("orders"),
        lambda: shop.load({}, [("1002", [SUNSET])]),
        lambda: refused(lambda: shop.load({}, [("1002", [SUNSET])])),
        lambda: refused(lambda: shop.sheet("none", None)),
    ]
    for action in actions:
        action()
    assert len(opened) >= len(actions)
    assert all(getattr(connection, "closed") for connection in opened)  # noqa: B009
