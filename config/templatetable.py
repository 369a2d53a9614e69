"""The table of mock-up templates: the name of each, and what its YAML would say as JSON.

It is tilepress's own, whatever a shop calls its tables, and like the others the same in SQLite and PostgreSQL. Other
programs may write to it too: what a template says is not judged here.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from config.errors import ConfigurationError
from config.shoptables import as_text, is_yes

TemplateSection = Literal["mockup_templates"]

_MAX_NAMED = 40  # templates in one message

metadata = sa.MetaData()

mockup_templates = sa.Table(
    "mockup_templates",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("template", sa.JSON, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()),
)


@dataclass(frozen=True, slots=True)
class TemplateRecord:
    """A template of the database. `data` is what its JSON says, or the text itself where that is no JSON."""

    name: str
    data: Any
    is_active: bool = True

    def summary(self) -> dict[str, Any]:
        """Return what a list shows of it: its name, if it is active, its background, its number of areas."""
        content = self.data if isinstance(self.data, Mapping) else {}
        background, areas = content.get("background"), content.get("areas")
        return {
            "name": self.name,
            "is_active": self.is_active,
            "background": background if isinstance(background, str) else None,
            "areas": len(areas) if isinstance(areas, list) else None,
        }


def read_templates(connection: sa.Connection) -> list[TemplateRecord]:
    """Return all templates, active or not, by name."""
    table = mockup_templates.c
    query = sa.select(table.name, as_text(table.template), as_text(table.is_active))  # SQLite holds what it is given
    records = [TemplateRecord(name, _content(text), is_yes(active)) for name, text, active in connection.execute(query)]
    return sorted(records, key=lambda record: record.name)


def choose_templates(
    records: Sequence[TemplateRecord], names: Sequence[str] | None, address: str
) -> list[TemplateRecord]:
    """Return the active ones of the templates, or those with these names, in the order that they have.

    Raises ConfigurationError, with `address` in it, naming those that are not there or not active.
    """
    active = [record for record in records if record.is_active]
    if names is None:
        return active
    known, usable = {record.name for record in records}, {record.name for record in active}
    lacking = [name for name in dict.fromkeys(names) if name not in usable]
    if lacking:
        states = [f"{name!r} is {'not active' if name in known else 'not there'}" for name in lacking]
        there = _list(record.name for record in active)
        raise ConfigurationError(
            f"{address}: of the mock-up templates, {_list(states)}",
            f"Active are: {there}" if there else "None is active; bring some in with: tilepress db import",
        )
    return [record for record in active if record.name in names]


def _content(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _list(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_MAX_NAMED]) + (" …" if len(listed) > _MAX_NAMED else "")
