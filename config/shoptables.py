"""A shop's tables as they are, under the names that the settings give them and their columns.

Nothing is assumed of a table but what reflection finds: a name that is not there is an error, never SQL. Values are
compared as the text that people call them by, in the column's own type where an index may depend on it. Knows tables
and columns; not what is printed from them.
"""

import difflib
import json
import uuid
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import NoSuchTableError, SAWarning

from config.errors import ConfigurationError
from config.schema import CanvasTable, DatabaseSettings, ItemTable, OrderTable, PrinterTable

Section = Literal["printers", "canvas_configs", "orders", "order_items"]
Column = sa.ColumnClause[Any]

SECTIONS: tuple[Section, ...] = ("printers", "canvas_configs", "orders", "order_items")
_REQUIRED: dict[Section, tuple[str, ...]] = {
    "printers": ("name", "max_width_inches", "dpi"),
    "canvas_configs": ("name",),
    "orders": ("reference",),
    "order_items": ("design", "quantity"),  # a column that is called otherwise must not mean one copy of each
}
_JOINED: dict[Section, tuple[str, ...]] = {"orders": ("id",), "order_items": ("order_id",)}
_MAX_NAMED = 40  # names of columns in one message
_LARGEST = 2**63 - 1  # that a column of whole numbers can hold
_YES = {"1", "true", "t", "yes", "y"}


@dataclass(frozen=True, slots=True)
class ShopTable:
    """A table that is there: its columns by tilepress's names for them, as far as it has them, and its primary key."""

    source: sa.TableClause
    columns: Mapping[str, Column]
    key: tuple[Column, ...]

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def value(self, name: str) -> sa.ColumnElement[Any]:
        """Return a column for reading as the driver gives it, NULL if there is none; what it holds may be anything."""
        column = self.columns.get(name)
        return (sa.null() if column is None else sa.type_coerce(column, sa.types.NULLTYPE)).label(name)


class _AsWritten(sa.types.UserDefinedType[str]):
    """The type of a text that the database takes for what its column is, as it does with text in its own language."""

    cache_ok = True


class Shop:
    """The tables that the settings name, each looked up once, when it is first needed."""

    def __init__(self, settings: DatabaseSettings, address: str, dialect: str) -> None:
        """Take what the settings call the tables; `address` is for messages."""
        self._settings, self._address, self._dialect = settings, address, dialect
        self._found: dict[str, tuple[sa.TableClause, tuple[Column, ...]] | None] = {}

    @property
    def has_one_table(self) -> bool:
        """Whether orders and their lines are one table, where each line names its order itself."""
        return self._settings.orders.table == self._settings.order_items.table

    def tables(self, connection: sa.Connection, *sections: Section, status: bool = False) -> list[ShopTable]:
        """Return these tables; orders with their status, if that is needed.

        Raises ConfigurationError naming all that is missing: tables, or columns that are required or that the
        settings name.
        """
        for section in sections:
            name = self._mapping(section).table
            if name not in self._found:
                self._found[name] = _reflect(connection, name)
        tables = [self._table(section) for section in sections]
        missing = [section for section, table in zip(sections, tables, strict=True) if table is None]
        if missing:
            raise self._no_table(connection, missing)
        there = [table for table in tables if table is not None]
        self._check_columns(dict(zip(sections, there, strict=True)), status)
        return there

    def equals(self, column: Column, text: str) -> sa.ColumnElement[bool]:
        """Return the condition that a column's value is what people write as `text`."""
        if isinstance(column.type, sa.Enum):
            return column == self.literal(column, text)
        return self.is_one_of(column, [text])

    def is_one_of(self, column: Column, texts: Sequence[str]) -> sa.ColumnElement[bool]:
        """Return the condition that a column's value is what people write as one of the texts: as many as may be."""
        kind = column.type
        compared: sa.ColumnElement[Any] = column
        values: list[Any] = list(texts)
        item_type: sa.types.TypeEngine[Any] = sa.String()
        if isinstance(kind, sa.Integer):
            values, item_type = list(_whole_numbers(texts)), sa.BigInteger()
        elif isinstance(kind, sa.Uuid):
            values, item_type = list(_uuids(texts)), sa.Uuid()
        elif not isinstance(kind, sa.String) or isinstance(kind, sa.Enum):
            compared = as_text(column)
        if self._dialect == "postgresql":
            return compared == sa.any_(sa.literal(values, postgresql.ARRAY(item_type)))
        payload = sa.literal(json.dumps(values, ensure_ascii=False), sa.String())
        return compared.in_(sa.select(sa.func.json_each(payload).table_valued("value").c.value))

    def literal(self, column: Column, text: str) -> sa.ColumnElement[Any]:
        """Return `text` as a value of the column's type; ConfigurationError if it is no such value."""
        kind = column.type
        if isinstance(kind, sa.Enum):
            if text not in kind.enums:
                raise ConfigurationError(
                    f"{self._address}: the column {column.name} of {column.table} can never be {text!r}",
                    f"It can be: {', '.join(kind.enums)}.",
                )
            return sa.literal(text, kind)
        if isinstance(kind, sa.Boolean) and self._dialect == "sqlite" and text.lower() in {"true", "false"}:
            return sa.literal(text.lower() == "true", kind)
        return sa.literal(text, _AsWritten())

    def column_of(self, section: Section, table: ShopTable, name: str) -> Column:
        """Return a column by its own name, or by tilepress's; ConfigurationError if the table has neither."""
        if name in table.source.c:
            return table.source.c[name]
        if name in table:
            return table[name]
        raise ConfigurationError(
            f"{self._address}: the table {self._mapping(section).table} has no column {name}; it has {_list(table)}",
            "Correct orders.mark.column in the pipeline file.",
        )

    def _mapping(self, section: Section) -> PrinterTable | CanvasTable | OrderTable | ItemTable:
        mapping: PrinterTable | CanvasTable | OrderTable | ItemTable = getattr(self._settings, section)
        return mapping

    def _names(self, section: Section) -> dict[str, str]:
        """Return what the columns of a table are called, by tilepress's names for them."""
        names: dict[str, str] = dict(self._mapping(section).columns)
        return names

    def _table(self, section: Section) -> ShopTable | None:
        found = self._found[self._mapping(section).table]
        if found is None:
            return None
        source, key = found
        names = self._names(section).items()
        return ShopTable(source, {own: source.c[name] for own, name in names if name in source.c}, key)

    def _needed(self, section: Section, status: bool) -> list[str]:
        named = self._mapping(section).columns.model_fields_set
        joined = () if self.has_one_table else _JOINED.get(section, ())
        chosen = ("status",) if status and section == "orders" else ()
        return [name for name in self._names(section) if name in {*_REQUIRED[section], *named, *joined, *chosen}]

    def _check_columns(self, tables: Mapping[Section, ShopTable], status: bool) -> None:
        problems, keys = [], []
        for section, table in tables.items():
            names = self._names(section)
            missing = [name for name in self._needed(section, status) if name not in table]
            if missing:
                looked_for = ", ".join(names[name] for name in missing)
                problems.append(
                    f"the table {self._mapping(section).table} has no column {looked_for}; it has {_list(table)}"
                )
                keys += [
                    f"database.{section}.columns.{name}{_like(names[name], table.source.c.keys())}" for name in missing
                ]
        if problems:
            raise ConfigurationError(
                f"{self._address}: {'; '.join(problems)}", f"Say in the pipeline file what is meant: {', '.join(keys)}."
            )

    def _no_table(self, connection: sa.Connection, missing: Sequence[Section]) -> ConfigurationError:
        inspector = sa.inspect(connection)
        names = sorted({self._mapping(section).table for section in missing})
        message = f"{self._address}: no table {', '.join(names)}"
        if all(self._mapping(section).table == section for section in missing):
            return ConfigurationError(
                message,
                "Create the tables with: tilepress db init --pipeline FILE. Those that a shop has are named in the "
                "pipeline file: database.orders.table …",
            )
        there = [*inspector.get_table_names(), *inspector.get_view_names()]
        keys = [f"database.{section}.table{_like(self._mapping(section).table, there)}" for section in missing]
        return ConfigurationError(message, f"Correct in the pipeline file: {', '.join(keys)}.")


def as_text(column: Column) -> sa.Cast[str]:
    """Return a column's value as the text that people call it by."""
    return sa.cast(column, sa.String)


def is_number(column: Column) -> bool:
    """Tell whether a column holds numbers, which can be added up."""
    return isinstance(column.type, sa.Integer | sa.Numeric | sa.Float)


def is_yes(value: Any) -> bool:
    """Tell whether what a column holds says yes, in whichever type it says so."""
    return str(value).strip().lower() in _YES


def _reflect(connection: sa.Connection, name: str) -> tuple[sa.TableClause, tuple[Column, ...]] | None:
    """Return the table or view called so (`schema.name`, or where the database looks by itself), and its key."""
    schema, _, table = name.rpartition(".")
    inspector = sa.inspect(connection)
    if schema and schema not in inspector.get_schema_names():
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # of types that are none of SQLAlchemy's
            found = inspector.get_columns(table, schema or None)
            key = inspector.get_pk_constraint(table, schema or None)["constrained_columns"]
    except NoSuchTableError:
        return None
    columns = [sa.column(_quoted(column["name"]), _plain_type(column["type"])) for column in found]
    source = sa.table(_quoted(table), *columns, schema=_quoted(schema) if schema else None)
    return source, tuple(source.c[column] for column in key)


def _quoted(name: str) -> sa.quoted_name:
    return sa.quoted_name(name, quote=True)


def _plain_type(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """Return the type below a domain of PostgreSQL's."""
    return _plain_type(kind.data_type) if isinstance(kind, postgresql.DOMAIN) else kind


def _whole_numbers(texts: Iterable[str]) -> Iterable[int]:
    """Yield the numbers that are written so; no number is called 007."""
    for text in texts:
        is_short = len(text) <= len(str(-_LARGEST))
        if is_short and text.removeprefix("-").isdecimal() and text == str(int(text)) and abs(int(text)) <= _LARGEST:
            yield int(text)


def _uuids(texts: Iterable[str]) -> Iterable[uuid.UUID]:
    for text in texts:
        try:
            value = uuid.UUID(text)
        except ValueError:
            continue
        if str(value) == text:
            yield value


def _list(table: ShopTable) -> str:
    names = table.source.c.keys()
    return ", ".join(names[:_MAX_NAMED]) + (" …" if len(names) > _MAX_NAMED else "")


def _like(name: str, there: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.rpartition(".")[2], list(there), n=1)
    return f" ({near[0]}?)" if near else ""
