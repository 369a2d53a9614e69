"""A CSV of printers, canvas configurations or orders: one table, told by its columns."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.errors import ConfigurationError, StorageError
from config.findings import complain, find_problems
from config.importrows import CanvasRow, Import, OrderItemRow, OrderLineRow, OrderRow, PrinterRow, Row, Sourced
from config.schema import ORDER_COLUMNS
from config.yamlfile import MAX_BYTES, YamlDocument

MAX_CSV_BYTES = 64 * MAX_BYTES


def read_csv(path: Path) -> Sourced:
    """Return what the CSV file at `path` brings; ConfigurationError naming all that is wrong, line by line."""
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
    return Sourced(content, [(table, row.name, where) for where, row in rows])


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


def _table_of(path: Path, columns: Sequence[str]) -> tuple[str, type[Row]]:
    """Return the table that a CSV's columns are those of, and its rows' model."""
    kinds: tuple[tuple[str, str, type[Row]], ...] = (
        ("order", "orders", OrderLineRow),
        ("max_width_inches", "printers", PrinterRow),
        ("name", "canvas_configs", CanvasRow),
    )
    table, model = next(((table, model) for column, table, model in kinds if column in columns), ("", Row))
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


def _line_problems(error: ValidationError, texts: dict[str, str], where: str, model: type[Row]) -> Iterator[str]:
    for problem in find_problems(error, YamlDocument(where, texts, {}), model):
        yield str(problem)


def _grouped(rows: Sequence[tuple[str, OrderLineRow]]) -> Sourced:
    grouped: dict[str, list[OrderItemRow]] = {}
    places: dict[str, str] = {}
    for where, row in rows:
        places.setdefault(row.order, where)
        grouped.setdefault(row.order, []).append(row)
    orders = tuple(OrderRow(order=name, items=tuple(items)) for name, items in grouped.items())
    return Sourced(Import(orders=orders), [("orders", name, where) for name, where in places.items()])
