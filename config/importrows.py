"""The rows that `tilepress db import` takes, as pydantic models, and what one file brings of them.

Knows neither files nor the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from config import basis
from config.basis import Dpi, Inches, PositiveInches
from config.templates import Template


def _written_out(value: Any) -> Any:
    """Turn a whole number into text: order 1001 needs no quotes."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Name = Annotated[str, Field(min_length=1, max_length=200), BeforeValidator(_written_out)]
TemplateName = Annotated[basis.Name, BeforeValidator(_written_out)]


class Row(BaseModel):
    """A row as it is imported: strict, frozen, without unknown keys and blanks around text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_strip_whitespace=True)


class PrinterRow(Row):
    """A printer as it is imported."""

    name: Name
    max_width_inches: PositiveInches
    max_height_inches: PositiveInches | None = None
    dpi: Dpi
    is_active: bool = True
    is_default: bool = False


class CanvasRow(Row):
    """A canvas configuration as it is imported."""

    name: Name
    max_height_inches: PositiveInches | None = None
    dpi: Dpi | None = None
    spacing_width_inches: Inches | None = None
    spacing_height_inches: Inches | None = None
    is_active: bool = True


class OrderItemRow(Row):
    """One item of an order; judged for printing when it is printed, not when it is imported."""

    design: Annotated[str, Field(min_length=1, max_length=2000), BeforeValidator(_written_out)]
    quantity: Annotated[int, Field(ge=1, le=100_000)] = 1
    width_in: PositiveInches | None = None
    height_in: PositiveInches | None = None


class OrderRow(Row):
    """An order with its items."""

    order: Name
    items: Annotated[tuple[OrderItemRow, ...], Field(min_length=1, strict=False)]


class OrderLineRow(OrderItemRow):
    """One line of a CSV of orders; lines of the same order belong together."""

    order: Name


class TemplateRow(Row):
    """A mock-up template as it is imported."""

    name: TemplateName
    is_active: bool = True
    template: Template


class Import(Row):
    """What one file brings."""

    printers: Annotated[tuple[PrinterRow, ...], Field(strict=False)] = ()
    canvas_configs: Annotated[tuple[CanvasRow, ...], Field(strict=False)] = ()
    orders: Annotated[tuple[OrderRow, ...], Field(strict=False)] = ()
    mockup_templates: Annotated[tuple[TemplateRow, ...], Field(strict=False)] = ()


@dataclass(frozen=True, slots=True)
class Sourced:
    """One file's content, and where each of its rows stands: `file:line` by table and name."""

    content: Import
    places: Sequence[tuple[str, str, str]]  # table, name, where
