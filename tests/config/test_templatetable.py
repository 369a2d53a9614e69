"""Mock-up templates of the database: which are there, which are chosen, whatever other programs wrote."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from config.database import Database
from config.errors import ConfigurationError
from config.templatetable import TemplateRecord, choose_templates

MUG = {"background": "mug.jpg", "areas": [{"name": "a", "box": {"x": 1, "y": 2.5, "width": 3, "height": 4}}]}
CUP = {"background": "Tasse à café ☕.jpg", "areas": []}
NAMES = st.sampled_from("abcdef")


@pytest.fixture
def database(any_database: str) -> Database:
    database = Database(any_database)
    database.init()
    return database


def row(name: str, template: Any, *, is_active: bool = True) -> dict[str, Any]:
    return {"name": name, "template": template, "is_active": is_active}


def write(database: Database, name: str, template: str, more: str = "", value: str = "") -> None:
    """Write a template as another program would: what it takes for JSON, what it leaves to the database."""
    statement = f"INSERT INTO mockup_templates (id, name, template{more}) VALUES (:id, :name, :template{value})"
    with database.writing() as connection:
        connection.execute(sa.text(statement), {"id": uuid.uuid4().hex, "name": name, "template": template})


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        action()
    return str(caught.value)


def test_active_templates_come_in_the_order_of_their_names(database: Database) -> None:
    database.load({}, [], [row("mug", MUG), row("old", MUG, is_active=False), row("Cup", CUP)])
    assert database.templates() == [TemplateRecord("Cup", CUP), TemplateRecord("mug", MUG)]


def test_without_templates_there_are_none(database: Database) -> None:
    assert database.templates() == []


def test_templates_are_chosen_by_name(database: Database) -> None:
    database.load({}, [], [row("mug", MUG), row("cup", CUP), row("pot", MUG)])
    assert database.templates(["pot", "cup", "pot"]) == [TemplateRecord("cup", CUP), TemplateRecord("pot", MUG)]
    assert database.templates([]) == []


def test_names_that_are_not_there_or_not_active_are_all_said(database: Database) -> None:
    database.load({}, [], [row("mug", MUG), row("pot", MUG), row("cup", CUP, is_active=False)])
    assert refused(lambda: database.templates(["mug", "Mug", "cup"])) == (
        f"{database.address}: of the mock-up templates, 'Mug' is not there, 'cup' is not active\n  Active are: mug, pot"
    )


def test_where_none_is_active_it_is_said_how_to_bring_some_in(database: Database) -> None:
    assert refused(lambda: database.templates(["mug"])) == (
        f"{database.address}: of the mock-up templates, 'mug' is not there\n"
        "  None is active; bring some in with: tilepress db import"
    )


def test_a_template_that_is_loaded_again_is_replaced_and_keeps_its_key(database: Database) -> None:
    def keys() -> list[Any]:
        with database.reading() as connection:
            return list(connection.scalars(sa.text("SELECT id FROM mockup_templates")))

    database.load({}, [], [row("mug", CUP)])
    before = keys()
    database.load({}, [], [row("mug", MUG)])
    assert (database.templates(), keys()) == ([TemplateRecord("mug", MUG)], before)


def test_what_breaks_leaves_no_template(database: Database) -> None:
    with pytest.raises(ConfigurationError):
        database.load({}, [], [row("mug", MUG), row("cup", None, is_active=None)])  # type: ignore[arg-type]
    assert database.rows("mockup_templates") == []


def test_a_template_that_another_program_writes_is_active_unless_it_says_otherwise(database: Database) -> None:
    write(database, "mug", json.dumps(MUG))
    write(database, "cup", json.dumps(CUP), ", is_active", ", false")
    assert database.templates() == [TemplateRecord("mug", MUG)]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("null", None),
        ("[1, 2]", [1, 2]),
        ('"text"', "text"),
        ('{"background": 7, "areas": {"a": 1}}', {"background": 7, "areas": {"a": 1}}),
    ],
)
def test_json_of_other_programs_is_for_the_caller_to_judge(database: Database, text: str, data: Any) -> None:
    write(database, "odd", text)
    assert database.templates() == [TemplateRecord("odd", data)]
    assert database.rows("mockup_templates") == [{"name": "odd", "is_active": True, "background": None, "areas": None}]


@pytest.mark.parametrize("text", ["", "{", "no JSON", f"[{'9' * 5000}]", "[" * 100_000])
def test_what_is_no_json_comes_as_the_text_that_it_is(text: str, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/local.db")  # PostgreSQL takes no such text
    database.init()
    write(database, "odd", text)
    assert database.templates() == [TemplateRecord("odd", text)]
    assert database.rows("mockup_templates")[0]["name"] == "odd"


@given(st.dictionaries(NAMES, st.booleans()), st.lists(NAMES))
def test_either_all_that_are_named_come_once_or_it_is_said_why_not(active: dict[str, bool], names: list[str]) -> None:
    records = [TemplateRecord(name, None, is_active) for name, is_active in sorted(active.items())]
    lacking = {name for name in names if not active.get(name)}
    if not lacking:
        assert [record.name for record in choose_templates(records, names, "db")] == sorted(set(names))
        return
    said = refused(lambda: choose_templates(records, names, "db")).splitlines()[0]
    assert {name for name in "abcdef" if repr(name) in said} == lacking
