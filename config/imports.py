"""Files of printers, canvases and orders into the database: `tilepress db import`.

YAML may hold all three (`printers:`, `canvas_configs:`, `orders:`), a CSV holds one table by its columns.
Everything is validated before the first row is written.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from config.database import Database
from config.errors import ConfigurationError, StorageError
from config.findings import complain, find_problems
from config.schema import ORDER_COLUMNS, Dpi, Inches, PositiveInches
from config.shoptables import Section
from config.yamlfile import MAX_BYTES, YamlDocument, read_yaml

MAX_CSV_BYTES = 64 * MAX_BYTES


def _written_out(value: Any) -> Any:
    """Turn a whole number into text: order 1001 needs no quotes."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Name = Annotated[str, Field(min_length=1, max_length=200), BeforeValidator(_written_out)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_strip_whitespace=True)


class PrinterRow(_Row):
    """A printer as it is imported."""

    name: Name
    max_width_inches: PositiveInches
    max_height_inches: PositiveInches | None = None
    dpi: Dpi
    is_active: bool = True
    is_default: bool = False


class CanvasRow(_Row):
    """A canvas configuration as it is imported."""

    name: Name
    max_height_inches: PositiveInches | None = None
    dpi: Dpi | None = None
    spacing_width_inches: Inches | None = None
    spacing_height_inches: Inches | None = None
    is_active: bool = True


class OrderItemRow(_Row):
    """One item of an order; judged for printing when it is printed, not when it is imported."""

    design: Annotated[str, Field(min_length=1, max_length=2000), BeforeValidator(_written_out)]
    quantity: Annotated[int, Field(ge=1, le=100_000)] = 1
    width_in: PositiveInches | None = None
    height_in: PositiveInches | None = None


class OrderRow(_Row):
    """An order with its items."""

    order: Name
    items: Annotated[tuple[OrderItemRow, ...], Field(min_length=1, strict=False)]


class Import(_Row):
    """What one file brings."""

    printers: Annotated[tuple[PrinterRow, ...], Field(strict=False)] = ()
    canvas_configs: Annotated[tuple[CanvasRow, ...], Field(strict=False)] = ()
    orders: Annotated[tuple[OrderRow, ...], Field(strict=False)] = ()


class OrderLineRow(OrderItemRow):
    """One line of a CSV of orders; lines of the same order belong together."""

    order: Name


@dataclass(frozen=True, slots=True)
class _Sourced:
    """One file's content, and where each of its rows stands: `file:line` by table and name."""

    content: Import
    places: Sequence[tuple[str, str, str]]  # table, name, where


def import_file(database: Database, path: Path, environ: Mapping[str, str]) -> dict[str, int]:
    """Validate the YAML or CSV file at `path` and write it to the database; return rows written by table."""
    return import_files(database, [path], environ)[0]


def import_files(database: Database, paths: Sequence[Path], environ: Mapping[str, str]) -> list[dict[str, int]]:
    """Validate the files and write them all in one transaction, or nothing; return rows written by table and file."""
    sources = [_read_csv(path) if path.suffix.lower() == ".csv" else _read_yaml(path, environ) for path in paths]
    _check_names(sources)
    named: dict[Section, list[dict[str, Any]]] = {"printers": [], "canvas_configs": []}
    orders = []
    for source in sources:
        named["printers"] += [row.model_dump() for row in source.content.printers]
        named["canvas_configs"] += [row.model_dump() for row in source.content.canvas_configs]
        orders += [(order.order, [_item_values(item) for item in order.items]) for order in source.content.orders]
    database.load(named, orders)
    return [_counts(source.content) for source in sources]


def _counts(content: Import) -> dict[str, int]:
    rows = {
        "printers": len(content.printers),
        "canvas_configs": len(content.canvas_configs),
        "orders": len(content.orders),
    }
    return {table: count for table, count in rows.items() if count}


def _check_names(sources: Sequence[_Sourced]) -> None:
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


def _read_yaml(path: Path, environ: Mapping[str, str]) -> _Sourced:
    document = read_yaml(path, environ)
    problems: list[object] = list(document.problems)
    content = Import()
    try:
        content = Import.model_validate(document.data)
    except ValidationError as error:
        problems += find_problems(error, document, Import, document.problems)
    if problems:
        raise complain(problems, "Nothing was imported. See docs/first-steps.md for the form.")
    places = [
        *(("printers", row.name, document.where(("printers", i))) for i, row in enumerate(content.printers)),
        *(
            ("canvas_configs", c.name, document.where(("canvas_configs", i)))
            for i, c in enumerate(content.canvas_configs)
        ),
        *(("orders", row.order, document.where(("orders", i))) for i, row in enumerate(content.orders)),
    ]
    if not places:
        raise ConfigurationError(f"{path}: holds no rows", "Give it printers, canvas_configs or orders.")
    return _Sourced(content, places)


def _read_csv(path: Path) -> _Sourced:
    columns, lines = _csv_lines(path)
    table, model = _table_of(path, columns)
    rows: list[tuple[str, Any]] = []
    problems: list[object] = []
    for where, texts, extra in lines:
        if extra:
            problems.append(f"{where}: the line has more cells than the header")
            continue
        try:
            rows.append((where, model.model_validate(texts, strict=False)))
        except ValidationError as error:
            problems += _line_problems(error, texts, where, model)
    if problems:
        raise complain(problems, "Nothing was imported.")
    if not rows:
        raise ConfigurationError(f"{path}: holds no rows below its header", "Add some.")
    if table == "orders":
        return _grouped(rows)
    content = Import.model_validate({table: tuple(row for _, row in rows)})
    return _Sourced(content, [(table, row.name, where) for where, row in rows])


def _csv_lines(path: Path) -> tuple[tuple[str, ...], list[tuple[str, dict[str, str], bool]]]:
    """Return a CSV's columns and its lines: where each stands, its cells that are not empty, and if it has too many."""
    text = _read_text(path)
    reader = csv.reader(io.StringIO(text, newline=""))
    lines = []
    try:
        columns = tuple(cell.strip() for cell in next(reader, ()))
        for cells in reader:
            texts = {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if cell.strip()}
            if texts or any(cells):
                lines.append((f"{path}:{reader.line_num}", texts, len(cells) > len(columns)))
    except csv.Error as error:
        raise ConfigurationError(f"{path}:{reader.line_num}: not a CSV file: {error}", "Export it again.") from None
    return columns, lines


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CSV_BYTES + 1)
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: no such file", "Give the path of a CSV file.") from None
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}", "Check the path and its permissions.") from error
    if len(raw) > MAX_CSV_BYTES:
        raise ConfigurationError(f"{path}: larger than {MAX_CSV_BYTES:,} bytes", "Split it into several files.")
    if b"\0" in raw:
        raise ConfigurationError(f"{path}: not a text file", "Save it as CSV in UTF-8.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{path}:{line}: not UTF-8 text", "Save the file as UTF-8.") from None


def _table_of(path: Path, columns: Sequence[str]) -> tuple[str, type[_Row]]:
    """Return the table that a CSV's columns are those of, and its rows' model."""
    kinds: tuple[tuple[str, str, type[_Row]], ...] = (
        ("order", "orders", OrderLineRow),
        ("max_width_inches", "printers", PrinterRow),
        ("name", "canvas_configs", CanvasRow),
    )
    table, model = next(((table, model) for column, table, model in kinds if column in columns), ("", _Row))
    unknown = [column for column in columns if column not in model.model_fields]
    required = [name for name, member in model.model_fields.items() if member.is_required()]
    missing = [name for name in required if name not in columns]
    if not table:
        raise ConfigurationError(
            f"{path}:1: the header is that of no table: {','.join(columns)[:200] or 'nothing'}",
            f"Orders have {','.join(ORDER_COLUMNS)}; printers name,max_width_inches,dpi; canvas_configs name.",
        )
    if unknown or missing or len(set(columns)) < len(columns):
        raise ConfigurationError(
            f"{path}:1: the header is {','.join(columns)[:200]}",
            f"The columns of {table} are {','.join(model.model_fields)}, each once, "
            f"and of these {','.join(required)} must be there.",
        )
    return table, model


def _line_problems(error: ValidationError, texts: dict[str, str], where: str, model: type[_Row]) -> Iterator[str]:
    for problem in find_problems(error, YamlDocument(where, texts, {}), model):
        yield str(problem)


def _grouped(rows: Sequence[tuple[str, OrderLineRow]]) -> _Sourced:
    grouped: dict[str, list[OrderItemRow]] = {}
    places: dict[str, str] = {}
    for where, row in rows:
        places.setdefault(row.order, where)
        grouped.setdefault(row.order, []).append(row)
    orders = tuple(OrderRow(order=name, items=tuple(items)) for name, items in grouped.items())
    return _Sourced(Import(orders=orders), [("orders", name, where) for name, where in places.items()])
