"""An existing shop's tables, read as they are: other names, other types, columns that are not there, and no SQL let in.

What a shop has is made by plain SQL, mostly in PostgreSQL, as its own software would.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from config.database import Database, OrderLine, SheetRecord
from config.errors import ConfigurationError, StorageError
from config.schema import Choice, DatabaseSettings, Mark

if TYPE_CHECKING:
    from tests.servers.postgres import PostgresServer

FACTS = """
CREATE TABLE printers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(100) NOT NULL,
    max_width_inches numeric(6,2) NOT NULL,
    max_height_inches numeric(6,2),
    dpi integer NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    is_default boolean NOT NULL DEFAULT false,
    location point
);
CREATE TABLE canvas_configs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    width_inches numeric(6,2),
    height_inches numeric(6,2),
    dpi smallint,
    spacing_width_inches numeric(4,3),
    spacing_height_inches real,
    is_active boolean NOT NULL DEFAULT true
);
CREATE TYPE order_status AS ENUM ('pending', 'printed', 'cancelled');
CREATE TABLE orders (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    reference varchar(40) NOT NULL UNIQUE,
    status order_status NOT NULL DEFAULT 'pending',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE order_items (
    id bigserial PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    position smallint NOT NULL,
    design text NOT NULL,
    quantity numeric(8,2) NOT NULL,
    width_inches numeric(6,3),
    height_inches double precision
);
INSERT INTO printers (name, max_width_inches, max_height_inches, dpi, is_default) VALUES
    ('Main UV', 16.50, 100, 400, true), ('Old', 10, 10, 200, false);
INSERT INTO canvas_configs (name, width_inches, height_inches, dpi, spacing_width_inches, spacing_height_inches) VALUES
    ('UVDTF 16oz', 9.5, 4.2, 300, 0.125, 0.25);
INSERT INTO orders (reference, status, created_at) VALUES
    ('B-2', 'pending', '2026-01-02'), ('A-1', 'pending', '2026-01-03'), ('C-3', 'printed', '2026-01-01');
INSERT INTO order_items (order_id, position, design, quantity, width_inches, height_inches)
    SELECT id, 1, reference || '.png', 3, 4.500, NULL FROM orders;
"""
DEADLINE_S = 60.0
PRINTED = Mark(column="status", value="printed")


Sql = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def sql(postgres_server: "PostgresServer", postgres: str) -> Sql:
    """Return a way to run SQL as the shop's own software."""
    return lambda statements: postgres_server.psql(statements, postgres)


def mapped(url: str, **keys: Any) -> Database:
    """Return the database with the settings as they come from YAML."""
    return Database(DatabaseSettings.model_validate({"url": url, **keys}))


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        action()
    return str(caught.value)


def references(database: Database, choice: Choice | None = None, *named: str) -> list[str]:
    """Return the orders chosen, one for each line; make sure that their own query names the same."""
    chosen = [line.order for line in database.order_lines(choice, named)]
    with database.reading() as connection:
        assert set(connection.scalars(database.chosen_references(choice, named))) == set(chosen)
    return chosen


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def marked(database: Database, mark: Mark, orders: Sequence[str], expected: str | None = None) -> list[str]:
    database.check_mark(mark)
    with database.writing() as connection:
        return database.mark_orders(connection, mark, orders, expected)


# The schema that the defaults fit


def test_the_defaults_fit_the_usual_schema(sql: Sql, postgres: str) -> None:
    sql(FACTS)
    database = Database(postgres)
    assert database.sheet(None, None) == SheetRecord(16.5, 100.0, 400, None, None)
    assert database.sheet("Main UV", "UVDTF 16oz") == SheetRecord(16.5, 100.0, 300, 0.125, 0.25)
    assert list(database.order_lines()) == [
        OrderLine("B-2", 1, "B-2.png", 3, 4.5, None),
        OrderLine("A-1", 1, "A-1.png", 3, 4.5, None),
    ]
    assert database.rows("printers")[0] == {
        "name": "Main UV",
        "max_width_inches": 16.5,
        "max_height_inches": 100,
        "dpi": 400,
        "is_active": True,
        "is_default": True,
    }
    assert [tuple(row.values()) for row in database.rows("orders")] == [
        ("C-3", "printed", 1, 3),
        ("B-2", "pending", 1, 3),
        ("A-1", "pending", 1, 3),
    ]


def test_a_canvas_s_own_height_counts_where_it_has_one(sql: Sql, postgres: str) -> None:
    sql(FACTS)
    sql("ALTER TABLE canvas_configs ADD max_height_inches numeric; UPDATE canvas_configs SET max_height_inches = 20")
    assert Database(postgres).sheet("Main UV", "UVDTF 16oz").height_in == 20.0


def test_a_status_may_be_an_enum(sql: Sql, postgres: str) -> None:
    sql(FACTS)
    database = Database(postgres)
    assert references(database, Choice(status="printed")) == ["C-3"]
    assert marked(database, PRINTED, ["A-1"], "pending") == []
    assert sql("SELECT reference FROM orders WHERE status = 'printed' ORDER BY 1") == [("A-1",), ("C-3",)]


def test_a_status_that_an_enum_does_not_know_is_said_with_those_it_does(sql: Sql, postgres: str) -> None:
    sql(FACTS)
    database = Database(postgres)
    for action in (
        lambda: list(database.order_lines(Choice(status="Pending"))),
        lambda: database.check_mark(Mark(column="status", value="Pending")),
    ):
        assert refused(action) == (
            f"{database.address}: the column status of orders can never be 'Pending'\n"
            "  It can be: pending, printed, cancelled."
        )


def test_an_order_that_is_being_cancelled_is_waited_for_and_left_alone(sql: Sql, postgres: str) -> None:
    sql(FACTS)
    database, outcome = Database(postgres), list[list[str]]()
    marking = threading.Thread(target=lambda: outcome.append(marked(database, PRINTED, ["A-1", "B-2"], "pending")))
    with Database(postgres).writing() as connection:
        connection.execute(sa.text("UPDATE orders SET status = 'cancelled' WHERE reference = 'A-1'"))
        marking.start()
        wait_for(lambda: sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'") or outcome)
        assert outcome == []
    marking.join()
    assert outcome == [["A-1"]]
    assert sql("SELECT reference FROM orders WHERE status = 'printed' ORDER BY 1") == [("B-2",), ("C-3",)]


# Other names


NAMES = """
CREATE SCHEMA "the shop";
CREATE TABLE "the shop"."Machines" ("%s" text, "max ""w"" in" real, "Höhe" real, select_ int, "on" char(1), std text);
CREATE TABLE "the shop".canvas (label text, gap real);
CREATE TABLE "the shop".jobs (no bigint PRIMARY KEY, state int, ordered_on date);
CREATE TABLE "the shop".lines (job bigint, art text, n int, w real);
INSERT INTO "the shop"."Machines" VALUES ('Roll', 22, 200, 300, 'Y', 'true'), ('Gone', 10, 10, 100, 'N', 'false');
INSERT INTO "the shop".canvas VALUES ('Long', 0.5);
INSERT INTO "the shop".jobs VALUES (9, 1, '2026-01-01'), (10, 1, '2026-01-01'), (7, 2, '2026-01-02');
INSERT INTO "the shop".lines VALUES (9, 'a.png', 1, 2.5), (10, 'b.png', 2, NULL), (7, 'c.png', 3, 1);
"""
MAPPING: dict[str, Any] = {
    "printers": {
        "table": "the shop.Machines",
        "columns": {
            "name": "%s",
            "max_width_inches": 'max "w" in',
            "max_height_inches": "Höhe",
            "dpi": "select_",
            "is_active": "on",
            "is_default": "std",
        },
    },
    "canvas_configs": {"table": "the shop.canvas", "columns": {"name": "label", "spacing_width_inches": "gap"}},
    "orders": {
        "table": "the shop.jobs",
        "columns": {"id": "no", "reference": "no", "status": "state", "created_at": "ordered_on"},
    },
    "order_items": {
        "table": "the shop.lines",
        "columns": {"order_id": "job", "design": "art", "quantity": "n", "width_inches": "w"},
    },
}


def test_tables_and_columns_may_be_called_anything(sql: Sql, postgres: str) -> None:
    sql(NAMES)
    database = mapped(postgres, **MAPPING)
    assert database.sheet(None, "Long") == SheetRecord(22.0, 200.0, 300, 0.5, None)
    assert "'Gone' is not active" in refused(lambda: database.sheet("Gone", None))
    assert list(database.order_lines(Choice(status="1"))) == [
        OrderLine("9", 1, "a.png", 1, 2.5, None),
        OrderLine("10", 1, "b.png", 2, None, None),
    ]
    assert marked(database, Mark(column="state", value="2"), ["9"], "1") == []
    assert marked(database, Mark(column="status", value="3"), ["10", "7"], "1") == ["7"]
    assert sql('SELECT no, state FROM "the shop".jobs ORDER BY no') == [(7, 2), (9, 2), (10, 3)]
    assert [row["reference"] for row in database.rows("orders")] == ["9", "10", "7"]


def test_a_shop_in_sqlite_may_call_them_anything_too(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript(NAMES_IN_SQLITE)
    database = mapped(f"sqlite:///{tmp_path}/shop.db", **MAPPING_IN_SQLITE)
    assert database.sheet(None, None) == SheetRecord(22.0, 200.0, 300, None, None)
    assert list(database.order_lines(Choice(status="1"))) == [
        OrderLine("A-9", 1, "a.png", 1, 2.5, None),
        OrderLine("10", 1, "b.png", 2, None, None),
    ]
    assert references(database, None, "10", "A-9") == ["A-9", "10"]
    assert marked(database, Mark(column="state", value="2"), ["10", "7"], "1") == ["7"]
    assert {row["reference"]: row["status"] for row in database.rows("orders")} == {"A-9": "1", "10": "2", "7": "3"}


NAMES_IN_SQLITE = """
CREATE TABLE "Machines; --" ("%s", "max ""w"" in", "Höhe", select_, "on", std);
CREATE TABLE jobs (key INTEGER PRIMARY KEY, no, state INTEGER, ordered_on);
CREATE TABLE lines (job, art, n, w);
INSERT INTO "Machines; --" VALUES ('Roll', 22, 200, 300, 'yes', 1), ('Gone', 10, 10, 100, 'no', 1);
INSERT INTO jobs VALUES (1, 'A-9', 1, '2026-01-01'), (2, 10, 1, '2026-01-02'), (3, 7, 3, NULL);
INSERT INTO lines VALUES (1, 'a.png', 1, 2.5), (2, 'b.png', 2, NULL), (3, 'c.png', 3, 1);
"""
MAPPING_IN_SQLITE: dict[str, Any] = {
    "printers": {**MAPPING["printers"], "table": "Machines; --"},
    "orders": {
        "table": "main.jobs",
        "columns": {"id": "key", "reference": "no", "status": "state", "created_at": "ordered_on"},
    },
    "order_items": {**MAPPING["order_items"], "table": "lines"},
}


@pytest.mark.parametrize(
    "name",
    [
        'orders"; DROP TABLE printers; --',
        "orders; DROP TABLE printers",
        "(SELECT * FROM orders) AS orders",
        "pg_sleep(60)",
        "%(x)s",
        ":x",
        "nowhere.orders",
        "public.orders.reference",
        ".",
        "x" * 10_000,
    ],
)
def test_a_name_of_a_table_is_never_sql(any_database: str, name: str) -> None:
    Database(any_database).init()
    database = mapped(any_database, orders={"table": name}, printers={"table": name})
    for action in (database.check, lambda: database.sheet("x", None), lambda: list(database.order_lines())):
        message = refused(action)
        assert message.startswith(f"{database.address}: no table {name}\n  Correct in the pipeline file: database.")


@pytest.mark.parametrize(
    "name",
    ["name, (SELECT 1)", 'name" FROM printers; DROP TABLE printers; --', "now()", "ctid", "rowid", "*", "%s", " "],
)
def test_a_name_of_a_column_is_never_sql(any_database: str, name: str) -> None:
    Database(any_database).init()
    database = mapped(any_database, printers={"columns": {"name": name}})
    message = refused(lambda: database.sheet("x", None))
    assert message.startswith(
        f"{database.address}: the table printers has no column {name}; it has id, name, max_width"
    )
    mark = Mark(column=name, value="x")
    assert f"the table orders has no column {name}; it has id, reference" in refused(lambda: database.check_mark(mark))
    with pytest.raises(ConfigurationError), database.writing() as connection:
        database.mark_orders(connection, mark, ["1"])


def test_a_name_that_no_table_can_have_is_no_bug(any_database: str) -> None:
    Database(any_database).init()
    refused(mapped(any_database, orders={"table": "a\0b"}).check)
    refused(mapped(any_database, orders={"columns": {"status": "a\0b"}}).check)


# What is not there


def make(database: Database, *statements: str) -> Database:
    """Write to a database of either kind by plain SQL."""
    database.init()
    with database.writing() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    return database


def test_a_missing_table_is_named_with_those_like_it(any_database: str) -> None:
    database = mapped(any_database, printers={"table": "printer"}, orders={"table": "custom.orders"})
    Database(any_database).init()
    assert refused(database.check) == (
        f"{database.address}: no table custom.orders, printer\n"
        "  Correct in the pipeline file: database.printers.table (printers?), database.orders.table (orders?)."
    )


def test_missing_tables_of_tilepress_s_own_are_named_with_the_command_that_makes_them(any_database: str) -> None:
    if any_database.startswith("sqlite"):
        Path(any_database.removeprefix("sqlite:///")).touch()
    database = Database(any_database)
    assert refused(database.check) == (
        f"{database.address}: no table canvas_configs, order_items, orders, printers\n"
        "  Create the tables with: tilepress db init --pipeline FILE. Those that a shop has are named in the "
        "pipeline file: database.orders.table …"
    )


def test_missing_columns_are_named_all_at_once_with_what_is_there_instead(any_database: str) -> None:
    database = make(
        mapped(any_database, orders={"table": "jobs"}, order_items={"table": "job_lines"}),
        "CREATE TABLE jobs (id INTEGER, order_reference TEXT, state TEXT)",
        "CREATE TABLE job_lines (order_id INTEGER, designs TEXT, qty INTEGER)",
    )
    assert refused(lambda: list(database.order_lines())) == (
        f"{database.address}: the table jobs has no column reference, status; it has id, order_reference, state; "
        "the table job_lines has no column design, quantity; it has order_id, designs, qty\n"
        "  Say in the pipeline file what is meant: database.orders.columns.reference (order_reference?), "
        "database.orders.columns.status (state?), database.order_items.columns.design (designs?), "
        "database.order_items.columns.quantity."
    )


def test_a_column_that_may_be_missing_may_not_when_it_is_named(any_database: str) -> None:
    database = mapped(any_database, canvas_configs={"columns": {"dpi": "resolution"}})
    Database(any_database).init()
    assert "the table canvas_configs has no column resolution; it has " in refused(lambda: database.sheet("x", "y"))
    assert "no printer is called 'x'" in refused(lambda: database.sheet("x", None))  # which asks for no canvas


BARE = (
    "CREATE TABLE devices (name TEXT, max_width_inches FLOAT, max_height_inches FLOAT, dpi INTEGER)",
    "INSERT INTO devices VALUES ('Roll', 22, 200, 300)",
    "CREATE TABLE jobs (id INTEGER, reference TEXT)",
    "INSERT INTO jobs VALUES (1, 'b'), (2, 'a'), (3, NULL)",
    "CREATE TABLE job_lines (line INTEGER PRIMARY KEY, order_id INTEGER, design TEXT, quantity INTEGER)",
    "INSERT INTO job_lines VALUES (9, 1, '9.png', 1), (4, 1, '4.png', 1), (6, 2, '6.png', 1), (1, 3, NULL, 0)",
)
BARE_TABLES = {"printers": {"table": "devices"}, "orders": {"table": "jobs"}, "order_items": {"table": "job_lines"}}


def test_tables_may_have_no_more_than_what_is_needed(any_database: str) -> None:
    database = make(mapped(any_database, **BARE_TABLES), *BARE)
    assert database.sheet("Roll", None) == SheetRecord(22.0, 200.0, 300, None, None)
    assert "no active printers are the default" in refused(lambda: database.sheet(None, None))
    assert list(database.order_lines(Choice(ids=("a", "b")))) == [
        OrderLine("a", 1, "6.png", 1, None, None),
        OrderLine("b", 1, "4.png", 1, None, None),
        OrderLine("b", 2, "9.png", 1, None, None),
    ]
    assert "no column status" in refused(lambda: list(database.order_lines(Choice(status="pending"))))
    assert [tuple(row.values()) for row in database.rows("orders") if row["reference"]] == [("a", 1, 1), ("b", 2, 2)]


def test_a_line_whose_order_has_no_reference_is_of_the_order_without_a_name(any_database: str) -> None:
    database = make(
        mapped(any_database, **BARE_TABLES),
        *BARE,
        "ALTER TABLE jobs ADD status TEXT",
        "UPDATE jobs SET status = 'pending'",
    )
    assert list(database.order_lines())[-1] == OrderLine("", 1, "", 0, None, None)


def test_a_printer_that_is_there_twice_is_an_error_unless_one_is_active(any_database: str) -> None:
    database = make(mapped(any_database, **BARE_TABLES), *BARE, "INSERT INTO devices VALUES ('Roll', 30, 200, 300)")
    assert "printer 'Roll' is there 2 times" in refused(lambda: database.sheet("Roll", None))
    again = mapped(any_database, **BARE_TABLES)
    with again.writing() as connection:
        connection.execute(sa.text("ALTER TABLE devices ADD is_active INTEGER"))
        connection.execute(sa.text("UPDATE devices SET is_active = CASE max_width_inches WHEN 30 THEN 1 ELSE 0 END"))
    assert again.sheet("Roll", None).width_in == 30.0


def test_a_printer_without_a_width_is_an_error(any_database: str) -> None:
    database = make(mapped(any_database, **BARE_TABLES), *BARE, "UPDATE devices SET max_width_inches = NULL")
    assert "printer 'Roll' has no max_width_inches" in refused(lambda: database.sheet("Roll", None))


# One table for orders and lines


ONE_TABLE: dict[str, Any] = {
    "orders": {"table": "jobs", "columns": {"reference": "job", "created_at": "at"}},
    "order_items": {"table": "jobs"},
}
ONE_TABLE_ROWS = (
    "CREATE TABLE jobs (line INTEGER PRIMARY KEY, job INTEGER, status TEXT, at DATE, design TEXT, quantity INTEGER)",
    """INSERT INTO jobs VALUES
        (1, 10, 'pending', '2026-01-05', 'a.png', 1), (2, 9, 'pending', '2026-01-02', 'b.png', 2),
        (3, 10, 'pending', '2026-01-01', 'c.png', 3), (4, 9, 'printed', '2026-01-01', 'd.png', 4),
        (5, 8, 'pending', NULL, 'e.png', 5), (6, 7, 'printed', '2026-01-04', 'f.png', 6)""",
)


@pytest.mark.parametrize(
    ("choice", "named", "lines"),
    [
        (Choice(status="pending"), (), ["10 1 a", "10 2 c", "9 1 b", "8 1 e"]),
        (Choice(status="pending", limit=2), (), ["10 1 a", "10 2 c", "9 1 b"]),
        (Choice(ids=(9, 7)), (), ["9 1 b", "9 2 d", "7 1 f"]),
        (Choice(ids=(9, 7), limit=1), (), ["9 1 b", "9 2 d"]),
        (Choice(status="pending", limit=1), ("7", "8", "07"), ["7 1 f", "8 1 e"]),
    ],
)
def test_lines_may_name_their_orders_themselves(
    any_database: str, choice: Choice, named: tuple[str, ...], lines: list[str]
) -> None:
    database = make(mapped(any_database, **ONE_TABLE), *ONE_TABLE_ROWS)
    found = list(database.order_lines(choice, named))
    assert [f"{line.order} {line.position} {line.design.removesuffix('.png')}" for line in found] == lines
    assert set(references(database, choice, *named)) == {line.order for line in found}


def test_lines_that_name_their_orders_are_marked_with_their_order(any_database: str) -> None:
    database = make(
        mapped(any_database, **ONE_TABLE), *ONE_TABLE_ROWS, "UPDATE jobs SET status = 'void' WHERE line = 5"
    )
    assert marked(database, PRINTED, ["10", "9", "8"], "pending") == ["8"]
    rows = {(row["reference"], row["status"]): row["items"] for row in database.rows("orders")}
    assert rows == {("10", "printed"): 2, ("9", "printed"): 2, ("8", "void"): 1, ("7", "printed"): 1}


# Types


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", ["1001", "007", "a b", "é"]),
        ("char(8)", ["1001", "007"]),
        ("integer", ["7", "10", "-3"]),
        ("bigint", ["7", "9223372036854775807"]),
        ("numeric", ["7", "12345678901234567890"]),
        ("uuid", ["00000000-0000-0000-0000-000000000001", "f0000000-0000-0000-0000-000000000002"]),
        ("inet", ["10.0.0.1/32"]),
        ("name_of_order", ["A-1"]),
    ],
)
def test_an_order_is_called_by_the_text_of_its_reference_whatever_its_type(
    sql: Sql, postgres: str, kind: str, values: list[str]
) -> None:
    sql("CREATE DOMAIN name_of_order AS varchar(20)")
    sql(f"CREATE TABLE orders (id serial, reference {kind}, status text DEFAULT 'pending')")
    sql("CREATE TABLE order_items (order_id integer, design text, quantity integer)")
    for number, value in enumerate(values, start=1):
        sql(f"INSERT INTO orders (reference) VALUES ('{value}'); INSERT INTO order_items VALUES ({number}, 'a', 1)")
    database = Database(postgres)
    assert sorted(references(database)) == sorted(values)
    strangers = ["none", "07", "+7", " 7", "9" * 19, "9" * 5_000, "٣", "1e3", "F0000000-0000-0000-0000-000000000002"]
    assert references(database, None, *strangers) == []
    for value in values:
        assert references(database, None, value, *strangers) == [value]
        assert marked(database, PRINTED, [value, "none"], "pending") == ["none"]
    assert sql("SELECT count(*) FROM orders WHERE status = 'printed'") == [(len(values),)]


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("text", "printed", "printed"),
        ("integer", "2", 2),
        ("boolean", "true", True),
        ("boolean", "False", False),
        ("numeric(5,2)", "1.5", 1.5),
        ("state", "done", "done"),
        ("other.state", "ok", "ok"),
        ("short", "done", "done"),
    ],
)
def test_a_mark_is_stored_in_its_column_s_type(sql: Sql, postgres: str, kind: str, value: str, stored: object) -> None:
    sql(STATES)
    sql(f"CREATE TABLE orders (id integer, reference text, mark {kind}); INSERT INTO orders VALUES (1, 'A', NULL)")
    assert marked(Database(postgres), Mark(column="mark", value=value), ["A"]) == []
    assert sql("SELECT mark FROM orders") == [(stored,)]


STATES = """
CREATE SCHEMA other; CREATE TYPE state AS ENUM ('new', 'done'); CREATE TYPE other.state AS ENUM ('ok');
CREATE DOMAIN short AS text; CREATE TYPE late AS ENUM ('printed'); CREATE DOMAIN brief AS late;
CREATE TABLE order_items (order_id integer, design text, quantity integer)
"""


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("integer", "invalid input syntax for type integer"),
        ("boolean", "invalid input syntax for type boolean"),
        ("varchar(3)", "value too long for type character varying(3)"),
        ("timestamp", "invalid input syntax for type timestamp"),
        ("state", "the column mark of orders can never be 'printed'"),
        ("brief", "operator does not exist: brief = unknown"),
        ("text GENERATED ALWAYS AS (upper(reference)) STORED", 'column "mark" can only be updated to DEFAULT'),
    ],
)
def test_a_mark_that_its_column_cannot_hold_is_refused_before_anything_is_printed(
    sql: Sql, postgres: str, kind: str, reason: str
) -> None:
    sql(STATES)
    sql(f"CREATE TABLE orders (id integer, reference text, mark {kind}); INSERT INTO orders VALUES (1, 'A')")
    assert reason in refused(lambda: Database(postgres).check_mark(Mark(column="mark", value="printed")))


def test_a_truth_is_stored_as_one_in_sqlite_too(any_database: str) -> None:
    database = make(Database(any_database), "ALTER TABLE orders ADD COLUMN is_printed BOOLEAN")
    database.load({}, [("A", [{"design": "a.png", "quantity": 1}])])
    assert marked(database, Mark(column="is_printed", value="true"), ["A"]) == []
    with database.reading() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM orders WHERE is_printed")) == 1


# Views, permissions, time


def test_a_view_is_as_good_as_a_table(sql: Sql, postgres: str) -> None:
    sql(FACTS)
    sql("""
        CREATE VIEW open_orders AS
            SELECT id, 'X' || reference AS reference, status FROM orders WHERE status = 'pending';
        CREATE MATERIALIZED VIEW devices AS SELECT * FROM printers
    """)
    database = mapped(postgres, orders={"table": "public.open_orders"}, printers={"table": "devices"})
    assert references(database, Choice(status="pending")) == ["XA-1", "XB-2"]
    assert database.sheet(None, None).width_in == 16.5
    assert marked(database, PRINTED, ["XA-1"]) == ["XA-1"]  # it is set, and so no longer in the view
    assert sql("SELECT reference FROM orders WHERE status = 'printed' ORDER BY 1") == [("A-1",), ("C-3",)]


def test_a_view_that_cannot_be_written_to_is_refused_before_anything_is_printed(sql: Sql, postgres: str) -> None:
    sql(FACTS)
    sql("CREATE VIEW counted AS SELECT id, reference, status, count(*) FROM orders GROUP BY id, reference, status")
    database = mapped(postgres, orders={"table": "counted"})
    assert references(database, Choice(status="printed")) == ["C-3"]
    assert 'cannot update view "counted"' in refused(lambda: database.check_mark(PRINTED))


def test_a_view_that_writes_is_refused_and_writes_nothing(sql: Sql, postgres: str) -> None:
    sql(FACTS)
    sql("""
        CREATE TABLE spied (at timestamptz);
        CREATE FUNCTION spy() RETURNS integer LANGUAGE sql AS 'INSERT INTO spied VALUES (now()) RETURNING 300';
        CREATE VIEW devices AS SELECT name, max_width_inches, spy() AS dpi FROM printers
    """)
    database = mapped(postgres, printers={"table": "devices"})
    assert "cannot execute INSERT in a read-only transaction" in refused(lambda: database.sheet("Main UV", None))
    assert sql("SELECT count(*) FROM spied") == [(0,)]


def test_a_view_that_takes_too_long_is_out_of_reach(sql: Sql, postgres: str) -> None:
    sql(FACTS)
    sql("CREATE VIEW devices AS SELECT printers.* FROM printers, pg_sleep(60)")
    database = mapped(postgres, printers={"table": "devices"}, statement_timeout_s=0.1)
    with pytest.raises(StorageError, match="statement timeout"):
        database.sheet("x", None)


@pytest.fixture
def user(sql: Sql, postgres: str) -> Iterator[tuple[str, str]]:
    """A user of the database who may read the shop's tables: the name, and the database's URL for it."""
    name = f"user_{sa.make_url(postgres).database}"
    sql(FACTS)
    sql(f"CREATE ROLE {name} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
    yield name, sa.make_url(postgres).set(username=name).render_as_string()
    sql(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_who_may_only_read_can_print_and_not_mark(sql: Sql, user: tuple[str, str]) -> None:
    name, url = user
    database = Database(url)
    assert database.sheet(None, "UVDTF 16oz").dpi == 300
    assert references(database) == ["B-2", "A-1"]
    assert refused(lambda: database.check_mark(PRINTED)) == (
        f"{database.address}: permission denied for table orders\n"
        "  Have it granted to the user whom the database's address names."
    )
    assert "permission denied for schema public" in refused(lambda: Database(url).init())
    sql(f"GRANT UPDATE (status) ON orders TO {name}")
    assert marked(database, PRINTED, ["A-1"], "pending") == []
    assert "permission denied" in refused(lambda: database.check_mark(Mark(column="reference", value="x")))


def test_who_may_not_even_read_is_told(sql: Sql, user: tuple[str, str]) -> None:
    name, url = user
    sql(f"REVOKE SELECT ON printers FROM {name}")
    assert "permission denied for table printers" in refused(lambda: Database(url).sheet(None, None))


def test_nothing_is_asked_about_tables_that_are_not_needed(sql: Sql, postgres: str) -> None:
    sql(FACTS)
    sql("DROP TABLE canvas_configs, order_items, orders")
    assert Database(postgres).sheet("Main UV", None).dpi == 400


def test_tables_are_looked_up_once(sql: Sql, postgres: str) -> None:
    sql(FACTS)
    database = Database(postgres)
    asked: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    counts = []
    for _ in range(2):
        asked.clear()
        database.sheet(None, "UVDTF 16oz")
        list(database.order_lines())
        counts.append(len(asked))
    assert counts[1] == 5 < counts[0]  # two beginnings, a printer, a canvas, the lines
