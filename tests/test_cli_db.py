"""The command line where it meets configuration and database: what it says, and what it ends with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from cli import command_line
from config import tables
from config.database import Database
from config.errors import ConfigurationError

SHOP = """\
printers: [{name: Main UV, max_width_inches: 16, max_height_inches: 20, dpi: 400, is_default: true}]
canvas_configs: [{name: UVDTF 16oz, max_height_inches: 20}]
orders: [{order: 1001, items: [{design: a.png, quantity: 3}, {design: b.png, quantity: 2}]}]
mockup_templates:
  - {name: mug, template: {background: mug.jpg, areas: [{name: front, box: {x: 1, y: 2, width: 3, height: 4}}]}}
"""
PIPELINE = """\
version: 1
name: nightly
database: {database}
jobs:
  - kind: gangsheet
    name: uvdtf
    sheet: {{printer: Main UV, canvas: UVDTF 16oz}}
    orders: {{database: pending}}
    output: {{to: out}}
"""

Tilepress = Callable[..., Any]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder, as a user with no environment set up does."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "GANGSHEET_DYNAMIC_SIZING"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def call(*arguments: str, **environ: str) -> Result:
    return CliRunner(env=environ).invoke(command_line, arguments, catch_exceptions=False)


def test_help_lists_the_commands_and_the_exit_codes(here: Path) -> None:
    text = " ".join(call("--help").output.split())
    for command in ("run", "plan", "check", "verify", "demo", "doctor", "db", "store"):
        assert f" {command} " in text
    assert "4 storage or database out of reach" in text


@pytest.mark.parametrize("command", ["init", "show", "import"])
def test_every_db_command_explains_itself(here: Path, command: str) -> None:
    result = call("db", command, "--help")
    assert (result.exit_code, "--database URL" in result.output) == (0, True)


def test_init_makes_the_default_database_and_says_so(here: Path) -> None:
    last = f"sqlite:///{here}/tilepress.db has tilepress's tables, version 3\n"
    assert call("db", "init").output == (
        "made canvas_configs, orders, printers, order_items, "
        "tilepress_runs, tilepress_parts, tilepress_copies, mockup_templates\n" + last
    )
    assert (here / "tilepress.db").is_file()
    assert call("db", "init").output == last


def test_init_says_what_it_left_alone_and_an_import_leaves_it_alone_too(here: Path, any_database: str) -> None:
    database = Database(any_database)
    (here / "shop.yaml").write_text(SHOP)
    (here / "shop.db").touch()
    with database.writing() as connection:
        connection.execute(sa.text("CREATE TABLE printers (name VARCHAR(9), max_width_inches INTEGER, dpi INTEGER)"))
        connection.execute(sa.text("INSERT INTO printers VALUES ('Theirs', 22, 300)"))
    environment = {"DATABASE_URL": any_database}
    assert call("db", "init", **environment).output.splitlines() == [
        "made canvas_configs, orders, order_items, tilepress_runs, tilepress_parts, tilepress_copies, mockup_templates",
        "left alone, as the shop's own: printers",
        f"{database.address} has tilepress's tables, version 3",
    ]
    with pytest.raises(ConfigurationError, match="printers is the shop's own table; nothing was imported"):
        call("db", "import", "shop.yaml", **environment)
    assert call("db", "show", **environment).output == (
        "printers:\n  name Theirs, max_width_inches 22, dpi 300\ncanvas_configs:\norders:\nmockup_templates:\n"
    )


def test_init_says_what_it_took_over(here: Path) -> None:
    tables.metadata.create_all(sa.create_engine(f"sqlite:///{here}/tilepress.db", poolclass=sa.NullPool))
    assert call("db", "init").output.splitlines()[1] == (
        "took over, from before versions were kept: canvas_configs, orders, printers, order_items"
    )


def test_a_shop_s_tables_are_shown_by_the_names_of_the_pipeline_file(here: Path, any_database: str) -> None:
    mapping = "{{url: '{url}', printers: {{table: machines, columns: {{name: label, dpi: resolution}}}}}}"
    (here / "p.yaml").write_text(PIPELINE.format(database=mapping.format(url=any_database)))
    call("db", "init", "--pipeline", "p.yaml")
    with Database(any_database).writing() as connection:
        connection.execute(
            sa.text("CREATE TABLE machines (label VARCHAR(9), max_width_inches FLOAT, resolution INTEGER)")
        )
        connection.execute(sa.text("INSERT INTO machines VALUES ('Roll', 22, 300)"))
    assert call("db", "show", "printers", "--pipeline", "p.yaml").output == (
        "printers:\n  name Roll, max_width_inches 22.0, dpi 300\n"
    )


def test_import_says_what_it_brought_and_show_shows_it(here: Path, any_database: str) -> None:
    environment = {"DATABASE_URL": any_database}
    (here / "shop.yaml").write_text(SHOP)
    call("db", "init", **environment)
    imported = call("db", "import", "shop.yaml", **environment)
    assert imported.output == "shop.yaml: 1 printers, 1 canvas_configs, 1 orders, 1 mockup_templates\n"
    assert call("db", "show", **environment).output == (
        "printers:\n"
        "  name Main UV, max_width_inches 16.0, max_height_inches 20.0, dpi 400, is_active True, is_default True\n"
        "canvas_configs:\n"
        "  name UVDTF 16oz, max_height_inches 20.0, is_active True\n"
        "orders:\n"
        "  reference 1001, status pending, items 2, copies 5\n"
        "mockup_templates:\n"
        "  name mug, is_active True, background mug.jpg, areas 1\n"
    )
    shown = call("db", "show", "orders", **environment)
    assert shown.output == "orders:\n  reference 1001, status pending, items 2, copies 5\n"


def test_templates_are_imported_by_their_own_files_and_shown(here: Path, any_database: str) -> None:
    environment = {"DATABASE_URL": any_database}
    (here / "mug.yaml").write_text("background: mug.jpg\nareas: [{name: a, box: {x: 1, y: 2, width: 3, height: 4}}]\n")
    (here / "cup.json").write_text(
        '{"background": "cup.jpg", "areas": [{"name": "a", "box": {"x": 1, "y": 2, "width": 3, "height": 4}}]}'
    )
    call("db", "init", **environment)
    assert call("db", "import", "mug.yaml", "cup.json", **environment).output == (
        "mug.yaml: 1 mockup_templates\ncup.json: 1 mockup_templates\n"
    )
    assert call("db", "show", "mockup_templates", **environment).output == (
        "mockup_templates:\n"
        "  name cup, is_active True, background cup.jpg, areas 1\n"
        "  name mug, is_active True, background mug.jpg, areas 1\n"
    )


def test_the_database_is_named_by_option_environment_or_pipeline_file(here: Path) -> None:
    (here / "shop").mkdir()
    (here / "shop" / "p.yaml").write_text(PIPELINE.format(database="sqlite:///file.db"))
    call("db", "init", "--database", "sqlite:///option.db", DATABASE_URL="sqlite:///environment.db")
    call("db", "init", DATABASE_URL="sqlite:///environment.db")
    call("db", "init", "--pipeline", "shop/p.yaml", DATABASE_URL="sqlite:///environment.db")
    made = sorted(str(path.relative_to(here)) for path in here.rglob("*.db"))
    assert made == ["environment.db", "option.db", "shop/file.db"]


# Exit codes, of the program as it is started


def test_a_database_out_of_reach_ends_with_4_and_the_remedy(here: Path, tilepress: Tilepress) -> None:
    outcome = tilepress("db", "show", "--database", f"sqlite:///{here}/none.db")
    assert (outcome.exit_code, outcome.stderr) == (
        4,
        f"error: sqlite:///{here}/none.db: no such database\n"
        "  Create it with: tilepress db init --pipeline FILE (or --database URL)\n",
    )


def test_missing_tables_end_with_2_and_the_remedy(here: Path, tilepress: Tilepress) -> None:
    (here / "empty.db").touch()
    outcome = tilepress("db", "show", "--database", f"sqlite:///{here}/empty.db")
    assert outcome.exit_code == 2
    assert outcome.stderr.splitlines()[1].startswith("  Create the tables with: tilepress db init --pipeline FILE. ")


def test_an_import_that_fails_ends_with_2_and_leaves_nothing(here: Path, tilepress: Tilepress) -> None:
    (here / "shop.yaml").write_text(SHOP.replace("quantity: 2", "quantity: 0"))
    database = f"sqlite:///{here}/shop.db"
    assert tilepress("db", "init", "--database", database).exit_code == 0
    outcome = tilepress("db", "import", "--database", database, here / "shop.yaml")
    assert (outcome.exit_code, outcome.stderr.splitlines()) == (
        2,
        [
            f"error: {here}/shop.yaml:3: orders[0].items[1].quantity: must be at least 1",
            "  Nothing was imported. See docs/first-steps.md for the form.",
        ],
    )
    assert tilepress("db", "show", "--database", database).stdout == (
        "printers:\ncanvas_configs:\norders:\nmockup_templates:\n"
    )


def test_an_order_that_is_imported_twice_ends_with_2(here: Path, tilepress: Tilepress) -> None:
    (here / "shop.yaml").write_text(SHOP)
    database = f"sqlite:///{here}/shop.db"
    tilepress("db", "init", "--database", database)
    codes = [tilepress("db", "import", "--database", database, here / "shop.yaml").exit_code for _ in range(2)]
    assert codes == [0, 2]


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("db", "import"), ("db", "show", "nonsense"), ("run",), ("run", "p.yaml", "--nonsense")],
)
def test_wrong_usage_ends_with_2(here: Path, tilepress: Tilepress, arguments: tuple[str, ...]) -> None:
    outcome = tilepress(*arguments)
    assert (outcome.exit_code, "Error: " in outcome.stderr) == (2, True)


@pytest.mark.parametrize("command", ["run", "plan", "check"])
def test_a_broken_pipeline_file_ends_with_2_and_names_every_mistake(
    here: Path, tilepress: Tilepress, command: str
) -> None:
    file = here / "p.yaml"
    file.write_text(PIPELINE.format(database="${DATABASE_URL}") + "finish: matt\n")
    outcome = tilepress(command, file, "--set", "jobs.uvdtf.sheet.margin_in=wide")
    assert (outcome.exit_code, outcome.stderr.splitlines()) == (
        2,
        [
            "error: --set jobs.uvdtf.sheet.margin_in: jobs[0].sheet.margin_in: "
            "must be a number, without quotes or unit",
            f"{file}:3: database: the environment variable DATABASE_URL is not set, or empty; "
            "set it or write ${DATABASE_URL:-default}",
            f"{file}:10: finish: unknown key; remove it. Known here: database, jobs, memory, name, run, "
            "storage, store, threads, version",
            "  See docs/pipeline-file.md.",
        ],
    )


def test_postgresql_is_reached_by_the_environment_s_address(here: Path, postgres: str, tilepress: Tilepress) -> None:
    (here / "shop.yaml").write_text(SHOP)
    address = {"DATABASE_URL": postgres.replace("postgresql:", "postgres:")}
    codes = [tilepress("db", *words, **address).exit_code for words in (("init",), ("import", "shop.yaml"), ("init",))]
    assert codes == [0, 0, 0]
    assert tilepress("db", "show", "orders", **address).stdout == (
        "orders:\n  reference 1001, status pending, items 2, copies 5\n"
    )


def test_a_table_that_is_called_otherwise_ends_with_2_and_says_where_to_name_it(
    here: Path, postgres: str, tilepress: Tilepress
) -> None:
    (here / "p.yaml").write_text(PIPELINE.format(database=f"{{url: '{postgres}', printers: {{table: printer}}}}"))
    tilepress("db", "init", "--database", postgres)
    outcome = tilepress("check", here / "p.yaml")
    assert outcome.exit_code == 2
    assert "no table printer" in outcome.text
    assert "database.printers.table (printers?)" in outcome.text


@pytest.mark.parametrize(
    "database",
    [
        "postgresql+psycopg://shop:hunter2@localhost:1/shop",
        "postgresql://shop:p@hunter2/x@localhost/shop",
        "hunter2",
        "sqlite:////nowhere/x.db?password=hunter2",
    ],
)
@pytest.mark.parametrize("flags", [(), ("-v",)])
def test_a_password_is_never_shown_not_even_by_v(
    here: Path, tilepress: Tilepress, database: str, flags: tuple[str, ...]
) -> None:
    outcome = tilepress(*flags, "db", "show", "--database", database)
    assert outcome.exit_code in {2, 4}
    assert "hunter2" not in outcome.text
