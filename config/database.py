"""The database: which sheet a printer and a canvas give, which orders are to be printed, and how both get in.

Knows SQL through SQLAlchemy; knows nothing of pixels. An address is shown without its password everywhere.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError

from config import tables
from config.errors import ConfigurationError, StorageError

Values = dict[str, Any]


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
    """One row of order_items with its order's reference; sizes in inches, None where not given."""

    order: str
    position: int
    design: str
    quantity: int
    width_in: float | None
    height_in: float | None


class Database:
    """One database by its URL. Every method opens its own short transaction and leaves no connection behind.

    Raises StorageError when it cannot be reached, ConfigurationError when its content does not fit.
    """

    def __init__(self, url: str, folder: Path | None = None) -> None:
        """Name the database at `url`; a relative SQLite path counts from `folder` (default: where one stands)."""
        try:
            parsed = sa.engine.make_url(url)
            if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
                parsed = parsed.set(database=str((folder or Path()).absolute() / str(parsed.database)))
            self._engine = sa.create_engine(parsed, poolclass=sa.NullPool)
        except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
            raise ConfigurationError(
                "the database address cannot be used",
                "Write it as sqlite:///file.db or another SQLAlchemy URL.",
            ) from None
        self.address = parsed.render_as_string(hide_password=True)
        self._file = Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None

    def init(self) -> None:
        """Create the tables that are missing; leave those that are there as they are."""
        if self._file is not None and not self._file.parent.is_dir():
            raise StorageError(f"{self._file.parent}: no such folder", "Create it, or name another database file.")
        with self._transaction() as connection:
            tables.metadata.create_all(connection)

    def check(self) -> None:
        """Make sure that the database answers and has the tables."""
        if self._file is not None and not self._file.exists():
            raise StorageError(f"{self.address}: no such database", "Create it with: tilepress db init")
        with self._transaction() as connection:
            present = set(sa.inspect(connection).get_table_names())
        missing = sorted(set(tables.metadata.tables) - present)
        if missing:
            raise ConfigurationError(
                f"{self.address}: no table {', '.join(missing)}", "Create the tables with: tilepress db init"
            )

    def sheet(self, printer: str | None, canvas: str | None) -> SheetRecord:
        """Return the sheet of a printer and a canvas, both by name, both active.

        Its width is the printer's, its height the canvas's and never above the printer's where that is set, its
        DPI the canvas's, else the printer's. Without a printer's name the default printer counts.
        """
        self.check()
        with self._transaction() as connection:
            device = self._printer(connection, printer)
            config = self._named(connection, tables.canvas_configs, "canvas", canvas) if canvas else None
        heights = [
            height
            for height in (config.max_height_inches if config else None, device.max_height_inches)
            if height is not None
        ]
        if not heights:
            raise ConfigurationError(
                f"{self.address}: neither printer {device.name!r} nor its canvas has max_height_inches",
                "Set it with: tilepress db import",
            )
        return SheetRecord(
            width_in=device.max_width_inches,
            height_in=min(heights),
            dpi=(config.dpi if config else None) or device.dpi,
            spacing_x_in=config.spacing_width_inches if config else None,
            spacing_y_in=config.spacing_height_inches if config else None,
        )

    def order_lines(self, references: Sequence[str] = ()) -> Iterator[OrderLine]:
        """Yield the items of pending orders, oldest order first; or of the orders named, whatever their status."""
        self.check()
        orders, items = tables.orders, tables.order_items
        chosen = orders.c.reference.in_(references) if references else orders.c.status == "pending"
        query = (
            sa.select(
                orders.c.reference,
                items.c.position,
                items.c.design,
                items.c.quantity,
                items.c.width_inches,
                items.c.height_inches,
            )
            .join(items, items.c.order_id == orders.c.id)
            .where(chosen)
            .order_by(orders.c.created_at, orders.c.reference, items.c.position)
        )
        with self._transaction() as connection:
            for row in connection.execute(query):
                yield OrderLine(*row)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return all rows of one of tilepress's tables by column name, without its keys, in the order of names."""
        self.check()
        if table == "orders":
            return self._orders_summary()
        source = tables.metadata.tables[table]
        columns = [column for column in source.columns if column.name != "id"]
        with self._transaction() as connection:
            result = connection.execute(sa.select(*columns).order_by(source.c.name))
            return [dict(row._mapping) for row in result]

    def load(self, named: Mapping[str, Sequence[Values]], orders: Sequence[tuple[str, Sequence[Values]]]) -> None:
        """Write rows in one transaction: all of them or none.

        `named` holds printers and canvas configurations by table; a row replaces the one of the same name.
        `orders` are references with their items; they become pending. A reference that is there already is a
        ConfigurationError: an order is never merged in silence.
        """
        self.check()
        with self._transaction() as connection:
            for table, rows in named.items():
                for row in rows:
                    _upsert(connection, tables.metadata.tables[table], row)
            for reference, items in orders:
                self._insert_order(connection, reference, items)

    def _insert_order(self, connection: sa.Connection, reference: str, items: Sequence[Values]) -> None:
        known = sa.select(tables.orders.c.id).where(tables.orders.c.reference == reference)
        if connection.execute(known).scalar() is not None:
            raise ConfigurationError(
                f"order {reference} is in {self.address} already", "Import it under another reference."
            )
        order_id = uuid.uuid4()
        connection.execute(tables.orders.insert().values(id=order_id, reference=reference))
        for position, item in enumerate(items, start=1):
            values = {"id": uuid.uuid4(), "order_id": order_id, "position": position, **item}
            connection.execute(tables.order_items.insert().values(**values))

    def _printer(self, connection: sa.Connection, name: str | None) -> Any:
        if name is not None:
            return self._named(connection, tables.printers, "printer", name)
        query = sa.select(tables.printers).where(tables.printers.c.is_default, tables.printers.c.is_active)
        rows = connection.execute(query).all()
        if len(rows) != 1:
            raise ConfigurationError(
                f"{self.address}: {len(rows)} active printers are the default; one must be",
                "Name the printer under sheet.printer.",
            )
        return rows[0]

    def _named(self, connection: sa.Connection, table: sa.Table, noun: str, name: str) -> Any:
        row = connection.execute(sa.select(table).where(table.c.name == name)).one_or_none()
        if row is None:
            names = connection.execute(sa.select(table.c.name).where(table.c.is_active)).scalars().all()
            raise ConfigurationError(
                f"{self.address}: no {noun} is called {name!r}",
                f"It has: {', '.join(sorted(names)) or 'none'}.",
            )
        if not row.is_active:
            raise ConfigurationError(f"{noun} {name!r} is not active", "Activate it in the database.")
        return row

    def _orders_summary(self) -> list[dict[str, Any]]:
        orders, items = tables.orders, tables.order_items
        query = (
            sa.select(
                orders.c.reference,
                orders.c.status,
                sa.func.count(items.c.id).label("items"),
                sa.func.coalesce(sa.func.sum(items.c.quantity), 0).label("copies"),
            )
            .outerjoin(items, items.c.order_id == orders.c.id)
            .group_by(orders.c.id, orders.c.reference, orders.c.status, orders.c.created_at)
            .order_by(orders.c.created_at, orders.c.reference)
        )
        with self._transaction() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise StorageError(f"{self.address}: {_reason(error)}", "Check that the database is up.") from error
        except SQLAlchemyError as error:
            raise ConfigurationError(f"{self.address}: {_reason(error)}", "Check the tables and their data.") from error


def _upsert(connection: sa.Connection, table: sa.Table, row: Values) -> None:
    found = connection.execute(sa.select(table.c.id).where(table.c.name == row["name"])).scalar()
    if found is None:
        connection.execute(table.insert().values(id=uuid.uuid4(), **row))
    else:
        connection.execute(table.update().where(table.c.id == found).values(**row))


def _reason(error: SQLAlchemyError) -> str:
    """Return the driver's first line; SQLAlchemy's own text would repeat statement and values."""
    lines = str(error.orig if isinstance(error, DBAPIError) else error).splitlines()
    return lines[0] if lines else type(error).__name__
