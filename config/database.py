"""The database: which sheet a printer and a canvas give, which orders are to be printed, and how both get in.

Knows SQL through SQLAlchemy; knows nothing of pixels. An address is shown without its password everywhere.
"""

import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SAWarning, SQLAlchemyError

from config import tables
from config.errors import ConfigurationError, StorageError
from config.schema import DatabaseSettings

Values = dict[str, Any]

_MAX_IN = 10_000.0
_RANGES = (  # what the import lets in; see config.schema
    ("max_width_inches", 0.001, _MAX_IN),
    ("max_height_inches", 0.001, _MAX_IN),
    ("dpi", 10, 9600),
    ("spacing_width_inches", 0, _MAX_IN),
    ("spacing_height_inches", 0, _MAX_IN),
)


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

    def __init__(self, settings: DatabaseSettings | str, folder: Path | None = None) -> None:
        """Name the database by its URL or its settings.

        A relative SQLite path counts from `folder` (default: where one stands).
        """
        self.settings = DatabaseSettings.model_construct(url=settings) if isinstance(settings, str) else settings
        address = _parse_address(self.settings.url)
        self.file = None
        if address.get_backend_name() == "sqlite":
            self.file = (folder or Path()).absolute() / str(address.database)
            address = address.set(database=str(self.file))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", SAWarning)  # of an option that would be ignored
                self.engine = sa.create_engine(address, poolclass=sa.NullPool)
        except ImportError:
            raise ConfigurationError(
                f"{_shown(address)}: the driver for this database is not installed",
                "Install it, e.g. psycopg for postgresql+psycopg://, or use sqlite:///file.db.",
            ) from None
        except (ArgumentError, NoSuchModuleError, SAWarning, TypeError, ValueError):
            raise ConfigurationError(
                "the database address names no kind of database that is known, or has options it does not take",
                "Write it as sqlite:///file.db or postgresql+psycopg://user:password@host/name.",
            ) from None
        self.address = _shown(address)

    def init(self) -> None:
        """Create the tables that are missing; leave those that are there as they are."""
        if self.file is not None and not _is_there(self.file.parent):
            raise StorageError(f"{self.file.parent}: no such folder", "Create it, or name another database file.")
        with self._transaction() as connection:
            tables.metadata.create_all(connection)

    def check(self) -> None:
        """Make sure that the database answers and has the tables with their columns."""
        if self.file is not None and not _is_there(self.file):
            raise StorageError(f"{self.address}: no such database", "Create it with: tilepress db init")
        with self._transaction() as connection:
            inspector = sa.inspect(connection)
            present = set(inspector.get_table_names())
            missing = sorted(set(tables.metadata.tables) - present)
            if missing:
                raise ConfigurationError(
                    f"{self.address}: no table {', '.join(missing)}", "Create the tables with: tilepress db init"
                )
            for name, table in tables.metadata.tables.items():
                columns = {column["name"] for column in inspector.get_columns(name)}
                absent = sorted({column.name for column in table.columns} - columns)
                if absent:
                    raise ConfigurationError(
                        f"{self.address}: the table {name} has no column {', '.join(absent)}",
                        "Add it, or name a database made with: tilepress db init",
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
            dpi=config.dpi if config and config.dpi is not None else device.dpi,
            spacing_x_in=config.spacing_width_inches if config else None,
            spacing_y_in=config.spacing_height_inches if config else None,
        )

    def _sound(self, row: Any, noun: str) -> Any:
        """Return a row of printers or canvas_configs whose lengths and DPI can be printed; other programs write too."""
        for column, low, high in _RANGES:
            value = getattr(row, column, None)
            if value is not None and not (isinstance(value, int | float) and low <= value <= high):
                raise ConfigurationError(
                    f"{self.address}: {noun} {row.name!r}: {column} is {value!r}; it must be from {low:g} to {high:g}",
                    "Correct it with: tilepress db import",
                )
        return row

    def order_lines(self, references: Sequence[str] = ()) -> Iterator[OrderLine]:
        """Yield the items of pending orders, oldest order first; or of the orders named, whatever their status.

        What stands in quantity and sizes is for the caller to judge: the database may let anything in.
        """
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
        with self._transaction() as connection:
            result = connection.execute(_without_id(source).order_by(source.c.name))
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
        if _has(connection, tables.orders.c.reference, reference):
            raise ConfigurationError(
                f"order {reference} is in {self.address} already; nothing was imported",
                "Import it under another reference, or take it out of the file.",
            )
        order_id = uuid.uuid4()
        connection.execute(tables.orders.insert().values(id=order_id, reference=reference))
        for position, item in enumerate(items, start=1):
            values = {"id": uuid.uuid4(), "order_id": order_id, "position": position, **item}
            connection.execute(tables.order_items.insert().values(**values))

    def _printer(self, connection: sa.Connection, name: str | None) -> Any:
        if name is not None:
            return self._named(connection, tables.printers, "printer", name)
        table = tables.printers
        rows = connection.execute(_without_id(table).where(table.c.is_default, table.c.is_active)).all()
        if len(rows) != 1:
            raise ConfigurationError(
                f"{self.address}: {len(rows) or 'no'} active printers are the default; one must be",
                "Name the printer under sheet.printer, or import it with is_default.",
            )
        return self._sound(rows[0], "printer")

    def _named(self, connection: sa.Connection, table: sa.Table, noun: str, name: str) -> Any:
        row = connection.execute(_without_id(table).where(table.c.name == name)).first()
        if row is None:
            names = connection.execute(sa.select(table.c.name).where(table.c.is_active)).scalars().all()
            raise ConfigurationError(
                f"{self.address}: no {noun} is called {name!r}",
                f"It has: {', '.join(sorted(names)) or 'none; bring some in with: tilepress db import'}",
            )
        if not row.is_active:
            raise ConfigurationError(
                f"{self.address}: {noun} {name!r} is not active", "Import it again with is_active, or name another one."
            )
        return self._sound(row, noun)

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
        with self.explained(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what the database refuses within the block into the project's errors, without values or passwords."""
        try:
            yield
        except OperationalError as error:
            raise StorageError(
                f"{self.address}: {_reason(error)}", "Check that the database is up, and may be read and written."
            ) from error
        except SQLAlchemyError as error:
            raise ConfigurationError(f"{self.address}: {_reason(error)}", "Check the tables and their data.") from error
        except (TypeError, ValueError, OverflowError) as error:  # how drivers refuse a value they cannot hold
            raise ConfigurationError(
                f"{self.address}: a value does not fit its column ({type(error).__name__})",
                "Check the names given, and rows that other programs wrote.",
            ) from error


def _parse_address(url: str) -> sa.URL:
    """Return the parsed address; what is no address, or may be half a password, is refused without showing it."""
    try:
        address = sa.engine.make_url(url)
        backend = address.get_backend_name()
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "the database address cannot be read", "Write it as sqlite:///file.db or another SQLAlchemy URL."
        ) from None
    if backend == "sqlite" and address.database in (None, "", ":memory:"):
        raise ConfigurationError(
            "a database in memory is gone before it is read", "Name a file: sqlite:///tilepress.db"
        )
    if backend != "sqlite" and "@" in f"{address.host}{address.database}":
        raise ConfigurationError(
            "the database address has a second @", "In a user name or password write @ as %40 and / as %2F."
        )
    return address


def _shown(address: sa.URL) -> str:
    """Return the address without its password, which may also stand among its options."""
    return address.set(query={}).render_as_string(hide_password=True)


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no path"
        raise StorageError(f"{path}: {reason}", "Check the path and its permissions.") from error
    return True


def _without_id(table: sa.Table) -> sa.Select[Any]:
    """Select a table's columns but its key, which other programs may fill with what is no UUID."""
    return sa.select(*[column for column in table.columns if column.name != "id"])


def _has(connection: sa.Connection, column: sa.Column[Any], value: str) -> bool:
    return connection.execute(sa.select(column).where(column == value)).first() is not None


def _upsert(connection: sa.Connection, table: sa.Table, row: Values) -> None:
    if _has(connection, table.c.name, row["name"]):
        connection.execute(table.update().where(table.c.name == row["name"]).values(**row))
    else:
        connection.execute(table.insert().values(id=uuid.uuid4(), **row))


def _reason(error: SQLAlchemyError) -> str:
    """Return the driver's first line; SQLAlchemy's own text would repeat statement and values."""
    lines = str(error.orig if isinstance(error, DBAPIError) else error).splitlines()
    return lines[0] if lines else type(error).__name__
