"""The database: which sheet a printer and a canvas give, which orders are to be printed, how rows get in.

Reads a shop's own tables as they are, or those that tilepress made. Knows nothing of pixels. Nothing is written but
to tables that tilepress made, and the one column of orders that it is told to set.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from config import tables
from config.access import Access, begin_writing, is_there
from config.errors import ConfigurationError, StorageError
from config.migrations import Migration, is_made, migrate, tables_made
from config.orderqueries import OrderQueries
from config.schema import Choice, DatabaseSettings, Mark
from config.shoptables import SECTIONS, Section, Shop, ShopTable, is_yes
from config.templatetable import TemplateRecord, TemplateSection, choose_templates, mockup_templates, read_templates

__all__ = ["Database", "OrderLine", "SheetRecord", "TemplateRecord", "begin_writing"]

Values = dict[str, Any]
Row = dict[str, Any]

_PENDING = Choice(status="pending")
_MAX_IN = 10_000.0
_RANGES: tuple[tuple[str, float, float], ...] = (  # what the import lets in; see config.schema
    ("max_width_inches", 0.001, _MAX_IN),
    ("max_height_inches", 0.001, _MAX_IN),
    ("dpi", 10, 9600),
    ("spacing_width_inches", 0, _MAX_IN),
    ("spacing_height_inches", 0, _MAX_IN),
)
_ITEM = ("design", "quantity", "width_inches", "height_inches")
_MAX_NAMED = 40  # printers or canvases in one message


@dataclass(frozen=True, slots=True)
class SheetRecord:
    """What the database says of a sheet. Lengths in inches; spacing None where the canvas names none."""

    width_in: float
    height_in: float
    dpi: int
    spacing_x_in: float | None
    spacing_y_in: float | None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of an order by the order's reference; sizes in inches, None where not given.

    A shop's columns may hold anything: quantity and sizes are numbers where they can be, else what stands there.
    """

    order: str
    position: int
    design: str
    quantity: int
    width_in: float | None
    height_in: float | None


class Database(Access):
    """One database by its URL, with what stands in it.

    Every method opens its own short transaction, unless it is given a connection. Raises StorageError when the
    database cannot be reached, ConfigurationError when its content does not fit.
    """

    def __init__(self, settings: DatabaseSettings | str, folder: Path | None = None) -> None:
        """Name the database by its URL or its settings.

        A relative SQLite path counts from `folder` (default: where one stands).
        """
        super().__init__(settings, folder)
        self._shop = Shop(self.settings, self.address, self.engine.dialect.name)

    def init(self) -> Migration:
        """Make the tables that are missing, all or none; leave those that a shop has as they are."""
        if self.file is not None and not is_there(self.file.parent):
            raise StorageError(f"{self.file.parent}: no such folder", "Create it, or name another database file.")
        with self.explained(), self.engine.connect() as connection, begin_writing(connection):
            return migrate(connection, self.settings, self.address)

    def check(self) -> None:
        """Make sure that the database answers, has all tables with their columns, and tilepress's own."""
        with self.reading() as connection:
            self._shop.tables(connection, *SECTIONS)
            tables_made(connection, self.address)

    def check_made(self) -> None:
        """Make sure that the database answers and has tilepress's own tables, up to date."""
        with self.reading() as connection:
            tables_made(connection, self.address)

    def sheet(self, printer: str | None, canvas: str | None) -> SheetRecord:
        """Return the sheet of a printer and a canvas, both by name, both active.

        Its width is the printer's, its height the canvas's and never above the printer's where that is set, its
        DPI the canvas's, else the printer's. Without a printer's name the default printer counts.
        """
        sections: tuple[Section, ...] = ("printers", "canvas_configs") if canvas else ("printers",)
        with self.reading() as connection:
            found = self._shop.tables(connection, *sections)
            device = self._printer(connection, found[0], printer)
            config = self._named(connection, found[1], "canvas", canvas) if canvas else {}
        heights = [row["max_height_inches"] for row in (config, device) if row.get("max_height_inches") is not None]
        if not heights:
            raise ConfigurationError(
                f"{self.address}: neither printer {device['name']!r} nor its canvas has max_height_inches",
                "Set it with: tilepress db import",
            )
        return SheetRecord(
            width_in=float(self._given(device, "max_width_inches")),
            height_in=float(min(heights)),
            dpi=config["dpi"] if config.get("dpi") is not None else self._given(device, "dpi"),
            spacing_x_in=_inches(config.get("spacing_width_inches")),
            spacing_y_in=_inches(config.get("spacing_height_inches")),
        )

    def order_lines(self, choice: Choice | None = None, references: Sequence[str] = ()) -> Iterator[OrderLine]:
        """Yield the lines of the orders chosen, oldest order first, in order; of pending ones if nothing is said.

        Orders named by `references` come whatever `choice` says. What stands in quantity and sizes is for the caller
        to judge: the database may let anything in.
        """
        choice = choice or _PENDING
        with self.reading() as connection:
            query = self._queries(connection, choice).lines(choice, references)
            yield from _order_lines(connection.execute(query))

    def chosen_references(self, choice: Choice | None = None, references: Sequence[str] = ()) -> sa.Select[str]:
        """Return a query for the references, as text, of the orders whose lines `order_lines` yields."""
        choice = choice or _PENDING
        with self.reading() as connection:
            return self._queries(connection, choice).references(choice, references)

    def check_mark(self, mark: Mark) -> None:
        """Make sure that `mark` can be set: there is such a column, it takes the value, and it may be written to."""
        with self.reading() as connection:
            queries = self._queries(connection)
            connection.execute(queries.marked(mark, ()))
            sa.event.listen(connection, "before_cursor_execute", _explain_only, retval=True)
            connection.execute(queries.mark(mark, (), None))

    def mark_orders(
        self, connection: sa.Connection, mark: Mark, references: Sequence[str], expected_status: str | None = None
    ) -> list[str]:
        """Set what `mark` says for orders, within the transaction of the caller; return those it is not set for.

        If an expected status is given and the mark is the status, an order that has another by now keeps it; one that
        is gone cannot be marked either. Takes two statements, however many orders there are.
        """
        with self.explained():
            queries = self._queries(connection, Choice(status=expected_status) if expected_status else None)
            connection.execute(queries.mark(mark, references, expected_status))
            marked = set(connection.scalars(queries.marked(mark, references)))
        return [reference for reference in dict.fromkeys(references) if reference not in marked]

    def templates(self, names: Sequence[str] | None = None) -> list[TemplateRecord]:
        """Return the active mock-up templates, or those with these names, in the order of names.

        What stands in them is for the caller to judge: other programs may write them. Raises ConfigurationError if
        one of the names is not there or not active, or if tilepress's own tables are not up to date.
        """
        with self.reading() as connection:
            tables_made(connection, self.address)
            return choose_templates(read_templates(connection), names, self.address)

    def rows(self, section: Section | TemplateSection) -> list[Row]:
        """Return all rows of a table by column name, as far as tilepress knows its columns, in the order of names.

        Orders come oldest first, with what there is of status, and how many items and copies; templates with their
        background and how many areas, and there are none where tilepress has made no table of them.
        """
        with self.reading() as connection:
            if section == "mockup_templates":
                records = read_templates(connection) if is_made(connection, mockup_templates) else []
                return [record.summary() for record in records]
            if section == "orders":
                rows = connection.execute(self._queries(connection).summary())
            else:
                (table,) = self._shop.tables(connection, section)
                rows = connection.execute(_select(table).order_by(table["name"]))
            return [_plain(row) for row in rows]

    def load(
        self,
        named: Mapping[Section, Sequence[Values]],
        orders: Sequence[tuple[str, Sequence[Values]]],
        templates: Sequence[Values] = (),
    ) -> None:
        """Write rows in one transaction: all of them or none, and only to tables that tilepress made.

        `named` holds printers and canvas configurations by table, `templates` mock-up templates; a row replaces the
        one of the same name.
        `orders` are references with their items; they become pending. A reference that is there already is a
        ConfigurationError: an order is never merged in silence.
        """
        written: list[Section] = [section for section, rows in named.items() if rows]
        with self.writing() as connection:
            self._check_own(connection, [*written, "orders", "order_items"] if orders else written)
            for section, rows in named.items():
                for row in rows:
                    _upsert(connection, tables.metadata.tables[section], row)
            for row in templates:
                _upsert(connection, mockup_templates, row)
            if orders:
                self._insert_orders(connection, orders)

    def _check_own(self, connection: sa.Connection, sections: Sequence[Section]) -> None:
        made = tables_made(connection, self.address)
        for section in sections:
            name = getattr(self.settings, section).table
            if name != section or section not in made:
                raise ConfigurationError(
                    f"{self.address}: {name} is the shop's own table; nothing was imported",
                    "Let the shop's own software write to it.",
                )

    def _insert_orders(self, connection: sa.Connection, orders: Sequence[tuple[str, Sequence[Values]]]) -> None:
        column = tables.orders.c.reference
        named = self._shop.is_one_of(column, [reference for reference, _ in orders])
        known = set(connection.scalars(sa.select(column).where(named)))
        keys: dict[str, uuid.UUID] = {}
        for reference, _ in orders:
            if reference in known or keys.setdefault(reference, key := uuid.uuid4()) is not key:
                raise ConfigurationError(
                    f"order {reference} is in {self.address} already; nothing was imported",
                    "Import it under another reference, or take it out of the file.",
                )
        connection.execute(tables.orders.insert(), [{"id": key, "reference": name} for name, key in keys.items()])
        lines = [
            {"id": uuid.uuid4(), "order_id": keys[reference], "position": position}
            | {name: item.get(name) for name in _ITEM}
            for reference, items in orders
            for position, item in enumerate(items, start=1)
        ]
        if lines:
            connection.execute(tables.order_items.insert(), lines)

    def _queries(self, connection: sa.Connection, choice: Choice | None = None) -> OrderQueries:
        status = choice is not None and choice.status is not None
        return OrderQueries(self._shop, *self._shop.tables(connection, "orders", "order_items", status=status))

    def _printer(self, connection: sa.Connection, table: ShopTable, name: str | None) -> Row:
        if name is not None:
            return self._named(connection, table, "printer", name)
        rows = [_plain(row) for row in connection.execute(_select(table))]
        defaults = [row for row in rows if row.get("is_default") and _is_active(row)]
        if len(defaults) != 1:
            raise ConfigurationError(
                f"{self.address}: {len(defaults) or 'no'} active printers are the default; one must be",
                "Name the printer under sheet.printer, or import it with is_default.",
            )
        return self._sound(defaults[0], "printer")

    def _named(self, connection: sa.Connection, table: ShopTable, noun: str, name: str) -> Row:
        query = _select(table).where(self._shop.equals(table["name"], name))
        rows = [_plain(row) for row in connection.execute(query)]
        if not rows:
            others = [_plain(row) for row in connection.execute(_select(table).order_by(table["name"]))]
            names = [str(row["name"]) for row in others if _is_active(row)]
            shown = ", ".join(names[:_MAX_NAMED]) + (" …" if len(names) > _MAX_NAMED else "")
            raise ConfigurationError(
                f"{self.address}: no {noun} is called {name!r}",
                f"It has: {shown or 'none; bring some in with: tilepress db import'}",
            )
        active = [row for row in rows if _is_active(row)]
        if not active:
            raise ConfigurationError(
                f"{self.address}: {noun} {name!r} is not active", "Import it again with is_active, or name another one."
            )
        if len(active) > 1:
            raise ConfigurationError(
                f"{self.address}: {noun} {name!r} is there {len(active)} times", "Leave one of them active."
            )
        return self._sound(active[0], noun)

    def _sound(self, row: Row, noun: str) -> Row:
        """Return a row of printers or canvas_configs whose lengths and DPI can be printed; other programs write too."""
        for column, low, high in _RANGES:
            value = row.get(column)
            is_number = isinstance(value, int if column == "dpi" else int | float)
            if value is not None and not (is_number and low <= value <= high):
                raise ConfigurationError(
                    f"{self.address}: {noun} {row['name']!r}: {column} is {value!r}; "
                    f"it must be {'a whole number ' if column == 'dpi' else ''}from {low:g} to {high:g}",
                    "Correct it with: tilepress db import",
                )
        return row

    def _given(self, printer: Row, column: str) -> Any:
        if printer[column] is None:
            raise ConfigurationError(
                f"{self.address}: printer {printer['name']!r} has no {column}", "Set it with: tilepress db import"
            )
        return printer[column]


def _explain_only(
    _connection: sa.Connection, _cursor: object, statement: str, parameters: object, *_: object
) -> tuple[str, object]:
    """Have a statement thought through, not done: what would hinder it is raised, nothing is changed."""
    return f"EXPLAIN {statement}", parameters


def _select(table: ShopTable) -> sa.Select[Any]:
    """Select those of a table's columns that tilepress knows."""
    return sa.select(*[table.value(name) for name in table.columns])


def _plain(row: sa.Row[Any]) -> Row:
    """Return a row by tilepress's names, with plain numbers and truths for what the driver gives."""
    return {
        name: is_yes(value) if name in {"is_active", "is_default"} else _number(value)
        for name, value in row._mapping.items()
    }


def _is_active(row: Row) -> bool:
    """Tell whether a printer or canvas is in use; where the shop does not say, all of them are."""
    return bool(row.get("is_active", True))


def _number(value: Any) -> Any:
    """Return a number as int if it is whole, or as float; anything else as it is."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)


def _inches(value: float | None) -> float | None:
    return None if value is None else float(value)


def _order_lines(rows: Iterable[Sequence[Any]]) -> Iterator[OrderLine]:
    """Yield what `OrderQueries.lines` selects as lines, numbered where they have no position of their own."""
    for _, order in groupby(rows, key=itemgetter(1)):
        for number, (reference, _, position, design, *amounts) in enumerate(order, start=1):
            place = number if position is None else _number(position)
            yield OrderLine(_text(reference), place, _text(design), *map(_number, amounts))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _has(connection: sa.Connection, column: sa.Column[Any], value: str) -> bool:
    return connection.execute(sa.select(column).where(column == value)).first() is not None


def _upsert(connection: sa.Connection, table: sa.Table, row: Values) -> None:
    if _has(connection, table.c.name, row["name"]):
        connection.execute(table.update().where(table.c.name == row["name"]).values(**row))
    else:
        connection.execute(table.insert().values(id=uuid.uuid4(), **row))
