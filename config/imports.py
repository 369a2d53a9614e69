"""Files of printers, canvases and orders into the database: `tilepress db import`.

YAML may hold all three (`printers:`, `canvas_configs:`, `orders:`), a CSV holds one table by its columns.
Everything is validated before the first row is written.
"""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.database import Database
from config.errors import ConfigurationError, StorageError
from config.schema import Dpi, Inches, PositiveInches
from config.yamlfile import MAX_BYTES, KeyPath, format_path, read_yaml

ORDER_COLUMNS = ("order", "design", "quantity", "width_in", "height_in")


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Row = TypeVar("Row", bound=_Row)


class PrinterRow(_Row):
    """A printer as it is imported."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    max_width_inches: PositiveInches
    max_height_inches: PositiveInches | None = None
    dpi: Dpi
    is_active: bool = True
    is_default: bool = False


class CanvasRow(_Row):
    """A canvas configuration as it is imported."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    max_height_inches: PositiveInches | None = None
    dpi: Dpi | None = None
    spacing_width_inches: Inches | None = None
    spacing_height_inches: Inches | None = None
    is_active: bool = True


class OrderItemRow(_Row):
    """One item of an order; judged for printing when it is printed, not when it is imported."""

    design: Annotated[str, Field(min_length=1, max_length=2000)]
    quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    width_in: PositiveInches | None = None
    height_in: PositiveInches | None = None


class OrderRow(_Row):
    """An order with its items."""

    order: Annotated[str, Field(min_length=1, max_length=200, coerce_numbers_to_str=True)]
    items: Annotated[tuple[OrderItemRow, ...], Field(min_length=1)]


class Import(_Row):
    """What one file brings."""

    printers: tuple[PrinterRow, ...] = ()
    canvas_configs: tuple[CanvasRow, ...] = ()
    orders: tuple[OrderRow, ...] = ()


def import_file(database: Database, path: Path, environ: Mapping[str, str]) -> dict[str, int]:
    """Validate the YAML or CSV file at `path` and write it to the database; return rows written by table."""
    content = _read_csv(path) if path.suffix.lower() == ".csv" else _read_yaml(path, environ)
    orders = [(order.order, [_item_values(item) for item in order.items]) for order in content.orders]
    named = {
        "printers": [row.model_dump() for row in content.printers],
        "canvas_configs": [row.model_dump() for row in content.canvas_configs],
    }
    database.load(named, orders)
    counts = {**{table: len(rows) for table, rows in named.items()}, "orders": len(orders)}
    return {table: count for table, count in counts.items() if count}


def _item_values(item: OrderItemRow) -> dict[str, Any]:
    return {
        "design": item.design,
        "quantity": item.quantity,
        "width_inches": item.width_in,
        "height_inches": item.height_in,
    }


def _read_yaml(path: Path, environ: Mapping[str, str]) -> Import:
    document = read_yaml(path, environ)
    problems = [str(problem) for problem in document.problems]
    try:
        content = Import.model_validate(document.data)
    except ValidationError as error:
        for detail in error.errors(include_input=False, include_url=False):
            key: KeyPath = detail["loc"]
            problems.append(f"{document.where(key)}: {format_path(key)}: {detail['msg']}")
        content = Import()
    if problems:
        raise ConfigurationError("\n".join(problems), "See docs/first-steps.md for the form.")
    return content


def _read_csv(path: Path) -> Import:
    try:
        with path.open("rb") as file:
            raw = file.read(64 * MAX_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}", "Check the path and its permissions.") from error
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8 text", "Save the file as UTF-8.") from None
    if len(raw) > 64 * MAX_BYTES:
        raise ConfigurationError(f"{path}: larger than {64 * MAX_BYTES:,} bytes", "Split it into several files.")
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = tuple(reader.fieldnames or ())
    rows = [(reader.line_num, {key: value for key, value in row.items() if value}) for row in reader]
    if "order" in columns:
        return _orders_of(path, rows)
    table = "printers" if "max_width_inches" in columns else "canvas_configs"
    model = PrinterRow if table == "printers" else CanvasRow
    checked = tuple(_checked(model, row, f"{path}:{line}") for line, row in rows)
    return Import.model_validate({table: checked})


def _orders_of(path: Path, rows: list[tuple[int, dict[str, Any]]]) -> Import:
    grouped: dict[str, list[OrderItemRow]] = {}
    for line, row in rows:
        reference = row.pop("order", "")
        if not reference:
            raise ConfigurationError(f"{path}:{line}: no order reference", "Fill the column order.")
        grouped.setdefault(reference, []).append(_checked(OrderItemRow, row, f"{path}:{line}"))
    return Import(orders=tuple(OrderRow(order=name, items=tuple(items)) for name, items in grouped.items()))


def _checked(model: type[Row], row: dict[str, Any], where: str) -> Row:
    try:
        return model.model_validate(row)
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
        text = "; ".join(f"{format_path(detail['loc'])}: {detail['msg']}" for detail in details)
        raise ConfigurationError(f"{where}: {text}", "Mend the row; nothing was imported.") from None
