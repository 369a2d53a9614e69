"""tilepress's own tables: made by version, all or none, from several places at once; a shop's are left alone."""

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from config import runs_tables, tables, templatetable
from config.database import Database
from config.errors import ConfigurationError, StorageError
from config.migrations import Migration
from config.schema import DatabaseSettings

if TYPE_CHECKING:
    from tests.servers.postgres import DatabaseProxy

REPOSITORY = Path(__file__).parents[2]
DEADLINE_S = 120.0
DATA = ("canvas_configs", "orders", "printers", "order_items")
LEDGER = ("tilepress_runs", "tilepress_parts", "tilepress_copies")
TEMPLATES = ("mockup_templates",)
OWN = (*LEDGER, *TEMPLATES)  # whatever a shop has
PRINTER = {"name": "Roll", "max_width_inches": 22.0, "dpi": 300}
ITEM = {"design": "a.png", "quantity": 1}
TEMPLATE = {"name": "mug", "template": {"background": "mug.jpg", "areas": []}}


def mapped(url: str, **keys: Any) -> Database:
    return Database(DatabaseSettings.model_validate({"url": url, **keys}))


def write(url: str, *statements: str) -> None:
    """Write to a database as another program would, one that may be there only now."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def read(url: str, statement: str) -> list[tuple[Any, ...]]:
    with Database(url).reading() as connection:
        return [tuple(row) for row in connection.execute(sa.text(statement))]


def names(url: str) -> set[str]:
    with Database(url).reading() as connection:
        return set(sa.inspect(connection).get_table_names())


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        action()
    return str(caught.value)


def test_an_empty_database_gets_all_tables(any_database: str) -> None:
    assert Database(any_database).init() == Migration(3, (*DATA, *OWN), (), ())
    assert names(any_database) == {"tilepress_schema", *DATA, *OWN}
    assert read(any_database, "SELECT version, made FROM tilepress_schema ORDER BY version") == [
        (1, " ".join(DATA)),
        (2, " ".join(LEDGER)),
        (3, " ".join(TEMPLATES)),
    ]
    Database(any_database).check()


def test_the_tables_have_the_columns_that_the_program_knows(any_database: str) -> None:
    Database(any_database).init()
    with Database(any_database).reading() as connection:
        inspector = sa.inspect(connection)
        for table in (
            table for module in (tables, runs_tables, templatetable) for table in module.metadata.sorted_tables
        ):
            columns = {column["name"]: column["nullable"] for column in inspector.get_columns(table.name)}
            assert columns == {column.name: column.nullable for column in table.columns}


def test_twice_is_as_good_as_once(any_database: str) -> None:
    database = Database(any_database)
    database.init()
    database.load({"printers": [PRINTER]}, [("1001", [ITEM])])
    before = read(any_database, "SELECT * FROM tilepress_schema ORDER BY version")
    assert database.init() == Migration(3, (), (), ())
    assert read(any_database, "SELECT * FROM tilepress_schema ORDER BY version") == before
    assert [row["reference"] for row in database.rows("orders")] == ["1001"]


def test_many_at_once_make_the_tables_once(any_database: str) -> None:
    script = (
        "import sys; from config.database import Database\n"
        "sys.stdin.readline()\n"
        "print(len(Database(sys.argv[1]).init().made))"
    )
    command = [sys.executable, "-W", "error", "-c", script, any_database]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, cwd=REPOSITORY, text=True, **pipes) for _ in range(3)]
    for process in processes:
        process.stdin.write("\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    ends = [(*process.communicate(timeout=DEADLINE_S), process.returncode) for process in processes]
    assert sorted(ends) == [("0\n", "", 0), ("0\n", "", 0), ("8\n", "", 0)]


def test_who_comes_second_waits_for_the_first(any_database: str) -> None:
    first, done = Database(any_database), []
    second = threading.Thread(target=lambda: done.append(Database(any_database).init()))

    def begin_second(*_: object, **__: object) -> None:
        if not second.ident:
            second.start()

    sa.event.listen(runs_tables.runs, "before_create", begin_second)  # when half of the tables are made
    try:
        assert len(first.init().made) == 8
    finally:
        sa.event.remove(runs_tables.runs, "before_create", begin_second)
    second.join(DEADLINE_S)
    assert done == [Migration(3, (), (), ())]


def test_what_breaks_halfway_leaves_no_table(any_database: str) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise OSError

    sa.event.listen(runs_tables.copies, "before_create", breaks)
    try:
        with pytest.raises(OSError):
            Database(any_database).init()
    finally:
        sa.event.remove(runs_tables.copies, "before_create", breaks)
    assert names(any_database) == set()
    assert len(Database(any_database).init().made) == 8


@pytest.mark.parametrize("words", [b"CREATE TABLE tilepress_parts", b"COMMIT\0"])
def test_a_line_that_breaks_leaves_no_table(postgres: str, database_proxy: "DatabaseProxy", words: bytes) -> None:
    database_proxy.cut_before(words)
    with pytest.raises(StorageError):
        Database(database_proxy.url(postgres)).init()
    assert names(postgres) == set()


# Before versions were kept


def make_former(url: str) -> None:
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
    tables.metadata.create_all(engine)


def test_the_tables_of_a_tilepress_without_versions_are_taken_over_with_their_rows(any_database: str) -> None:
    make_former(any_database)
    write(any_database, "INSERT INTO orders (id, reference) VALUES ('00000000-0000-0000-0000-000000000001', 'old')")
    database = Database(any_database)
    assert f"{database.address}: tilepress's own tables have not been made\n" in refused(database.check)
    assert "have not been made" in refused(lambda: database.load({"printers": [PRINTER]}, []))
    assert database.init() == Migration(3, OWN, DATA, ())
    database.load({"printers": [PRINTER]}, [("new", [ITEM])])
    assert {row["reference"] for row in database.rows("orders")} == {"old", "new"}
    assert database.init() == Migration(3, (), (), ())


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE printers ADD COLUMN location VARCHAR(20)",
        "ALTER TABLE orders RENAME COLUMN reference TO number",
        "ALTER TABLE canvas_configs RENAME TO canvases",
    ],
)
def test_tables_that_only_look_like_tilepress_s_are_the_shop_s(any_database: str, change: str) -> None:
    make_former(any_database)
    write(any_database, change)
    there = set(DATA) & names(any_database)
    done = Database(any_database).init()
    assert (set(done.left), done.taken_over) == (there, ())
    assert set(done.made) == {*OWN, *DATA} - there


# A shop's tables


SHOP = (
    "CREATE TABLE orders (id INTEGER, reference VARCHAR(20), status VARCHAR(20))",
    "CREATE TABLE printers (name VARCHAR(20), max_width_inches INTEGER, dpi INTEGER)",
    "INSERT INTO printers VALUES ('Theirs', 10, 100)",
)


def test_a_shop_s_tables_are_left_alone_and_never_written_to(any_database: str) -> None:
    write(any_database, *SHOP)
    database = Database(any_database)
    done = Migration(3, ("canvas_configs", *OWN), (), ("printers", "orders"))
    assert database.init() == done
    assert database.init() == Migration(3, (), (), done.left)
    for name, load in (
        ("printers", lambda: database.load({"printers": [PRINTER]}, [])),
        ("orders", lambda: database.load({"canvas_configs": [{"name": "new"}]}, [("1001", [ITEM])])),
    ):
        assert refused(load) == (
            f"{database.address}: {name} is the shop's own table; nothing was imported\n"
            "  Let the shop's own software write to it."
        )
    database.load({"canvas_configs": [{"name": "A4"}]}, [])
    assert [row["name"] for row in database.rows("canvas_configs")] == ["A4"]
    assert read(any_database, "SELECT * FROM printers") == [("Theirs", 10, 100)]


def test_tables_that_are_called_otherwise_are_not_made(any_database: str) -> None:
    settings = {"printers": {"table": "machines"}, "orders": {"columns": {"reference": "number"}}}
    database = mapped(any_database, **settings)
    assert database.init() == Migration(3, ("canvas_configs", *OWN), (), ())
    assert "no table machines\n" in refused(lambda: database.sheet("x", None))
    assert "machines is the shop's own table" in refused(lambda: database.load({"printers": [PRINTER]}, []))


def test_tables_that_are_wanted_later_are_made_then(any_database: str) -> None:
    mapped(any_database, printers={"table": "machines"}, order_items={"table": "lines"}).init()
    database = Database(any_database)
    assert database.init() == Migration(3, ("orders", "printers", "order_items"), (), ())
    database.load({"printers": [PRINTER]}, [("1001", [ITEM])])
    database.check()


def test_a_shop_in_another_schema_is_left_alone(postgres: str) -> None:
    name = sa.make_url(postgres).database
    write(postgres, "CREATE SCHEMA own", f"ALTER DATABASE {name} SET search_path = own, public", *SHOP)
    assert Database(postgres).init().left == ("printers", "orders")
    places = read(
        postgres, "SELECT table_schema, table_name FROM information_schema.tables WHERE table_name LIKE 't%_runs'"
    )
    assert places == [("own", "tilepress_runs")]


@pytest.mark.parametrize("name", ["tilepress_parts", "mockup_templates"])
def test_a_table_with_a_name_that_only_tilepress_s_can_have_is_refused(any_database: str, name: str) -> None:
    write(any_database, f"CREATE TABLE {name} (id INTEGER)")
    database = Database(any_database)
    assert refused(database.init).endswith(
        f": the table {name} is there, and tilepress did not make it here\n  Rename it."
    )
    assert names(any_database) == {name}


def test_a_shop_s_table_of_templates_is_neither_read_nor_written_to(any_database: str) -> None:
    write(
        any_database,
        "CREATE TABLE mockup_templates (id INTEGER, name VARCHAR(9), template VARCHAR(9), is_active INTEGER)",
        "INSERT INTO mockup_templates VALUES (1, 'theirs', '{}', 1)",
    )
    database = Database(any_database)
    assert database.rows("mockup_templates") == []
    for action in (database.templates, lambda: database.load({}, [], [TEMPLATE])):
        assert "tilepress's own tables have not been made" in refused(action)
    assert read(any_database, "SELECT name FROM mockup_templates") == [("theirs",)]


# Other versions


def test_tables_of_a_newer_tilepress_are_not_touched(any_database: str) -> None:
    database = Database(any_database)
    database.init()
    write(any_database, "UPDATE tilepress_schema SET version = 4 WHERE version = 3")
    actions: Sequence[Callable[[], object]] = (
        database.init,
        database.check,
        database.check_made,
        lambda: database.load({"printers": [PRINTER]}, []),
    )
    for action in actions:
        assert refused(action) == (
            f"{database.address}: a newer tilepress made its tables, version 4; this one knows 3\n"
            "  Install that tilepress here too."
        )


@pytest.mark.parametrize(("version", "later"), [(1, OWN), (2, TEMPLATES)])
def test_tables_of_an_older_tilepress_are_brought_up_to_date(
    any_database: str, version: int, later: tuple[str, ...]
) -> None:
    database = Database(any_database)
    database.init()
    database.load({"printers": [PRINTER]}, [("1001", [ITEM])])
    write(
        any_database,
        *(f"DROP TABLE {name}" for name in reversed(later)),
        f"DELETE FROM tilepress_schema WHERE version > {version}",
    )
    for action in (database.check_made, database.templates, lambda: database.load({}, [], [TEMPLATE])):
        assert refused(action) == (
            f"{database.address}: tilepress's own tables are of version {version}, not 3\n"
            "  Make them, or bring them up to date, with: tilepress db init --pipeline FILE (or --database URL)"
        )
    assert database.rows("mockup_templates") == []
    assert database.init() == Migration(3, later, (), ())
    database.load({}, [], [TEMPLATE])
    assert [row["name"] for row in database.rows("mockup_templates")] == ["mug"]
    assert [row["reference"] for row in database.rows("orders")] == ["1001"]
