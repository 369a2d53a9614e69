"""Files of printers, canvases, orders and mock-up templates into the database: `tilepress db import`.

YAML, or JSON, may hold rows of all four (`printers:`, `canvas_configs:`, `orders:`, `mockup_templates:`) or be one
template itself; a CSV holds one table by its columns. Everything is validated before the first row is written.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.csvrows import read_csv
from config.database import Database
from config.errors import ConfigurationError
from config.findings import complain, find_problems
from config.importrows import Import, OrderItemRow, OrderRow, Sourced, TemplateRow
from config.shoptables import Section
from config.templates import validate_template
from config.yamlfile import YamlDocument, read_yaml

_OF_A_TEMPLATE = ("background", "areas")  # keys at the top of a file; one of rows has neither


def import_file(database: Database, path: Path, environ: Mapping[str, str]) -> dict[str, int]:
    """Validate the YAML, JSON or CSV file at `path` and write it to the database; return rows written by table."""
    return import_files(database, [path], environ)[0]


def import_files(database: Database, paths: Sequence[Path], environ: Mapping[str, str]) -> list[dict[str, int]]:
    """Validate the files and write them all in one transaction, or nothing; return rows written by table and file."""
    sources = [read_csv(path) if path.suffix.lower() == ".csv" else _read_yaml(path, environ) for path in paths]
    _check_names(sources)
    named: dict[Section, list[dict[str, Any]]] = {"printers": [], "canvas_configs": []}
    orders, templates = [], []
    for source in sources:
        named["printers"] += [row.model_dump() for row in source.content.printers]
        named["canvas_configs"] += [row.model_dump() for row in source.content.canvas_configs]
        orders += [(order.order, [_item_values(item) for item in order.items]) for order in source.content.orders]
        templates += [_template_values(row) for row in source.content.mockup_templates]
    database.load(named, orders, templates)
    return [{table: len(rows) for table, rows in source.content if rows} for source in sources]


def _check_names(sources: Sequence[Sourced]) -> None:
    first: dict[tuple[str, str], str] = {}
    problems = []
    for table, name, where in [place for source in sources for place in source.places]:
        known = first.setdefault((table, name), where)
        if known is not where:
            problems.append(f"{where}: {table}: the name was there already at {known}; keep one of them")
    if problems:
        raise complain(problems, "Nothing was imported.")


def _item_values(item: OrderItemRow) -> dict[str, Any]:
    return {
        "design": item.design,
        "quantity": item.quantity,
        "width_inches": item.width_in,
        "height_inches": item.height_in,
    }


def _template_values(row: TemplateRow) -> dict[str, Any]:
    """Return a template's row: of its keys, those that were written, so that defaults stay the program's."""
    written = row.template.model_dump(mode="json", exclude_unset=True)
    return {"name": row.name, "is_active": row.is_active, "template": written}


def _read_yaml(path: Path, environ: Mapping[str, str]) -> Sourced:
    """Read a file of rows with its variables, or a template without: it may come from others."""
    document = read_yaml(path, None)
    if isinstance(document.data, Mapping) and any(key in document.data for key in _OF_A_TEMPLATE):
        return _template(path, document)
    return _rows(path, read_yaml(path, environ) if document.problems else document)  # none where it has no variables


def _template(path: Path, document: YamlDocument) -> Sourced:
    template = validate_template(document)
    try:
        row = TemplateRow(name=path.stem, template=template)
    except ValidationError:
        raise ConfigurationError(
            f"{path}: a template is called as its file, and cannot be called {path.stem!r}",
            "Rename it: 1 to 64 letters, digits and . _ -, beginning with a letter or digit.",
        ) from None
    return Sourced(Import(mockup_templates=(row,)), [("mockup_templates", row.name, document.where(()))])


def _rows(path: Path, document: YamlDocument) -> Sourced:
    problems: list[object] = list(document.problems)
    content = Import()
    try:
        content = Import.model_validate(document.data)
    except ValidationError as error:
        problems += find_problems(error, document, Import, document.problems)
    if problems:
        raise complain(problems, "Nothing was imported. See docs/first-steps.md for the form.")
    places = [
        (table, row.order if isinstance(row, OrderRow) else row.name, document.where((table, index)))
        for table, rows in content
        for index, row in enumerate(rows)
    ]
    if not places:
        raise ConfigurationError(
            f"{path}: holds no rows", "Give it printers, canvas_configs, orders or mockup_templates."
        )
    return Sourced(content, places)
