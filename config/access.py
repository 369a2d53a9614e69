"""The way to the database: its address, its connections, its transactions, and what is said when one fails.

SQLite and PostgreSQL alike: a transaction reads, and cannot write, unless it is begun for writing. Knows nothing of
what stands in the database. An address is shown without its password everywhere.
"""

import logging
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SAWarning, SQLAlchemyError

from config.errors import ConfigurationError, StorageError, TilepressError
from config.schema import DatabaseSettings

_POSTGRESQL = "postgresql+psycopg"
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": _POSTGRESQL,  # as hosts hand it out
    "postgresql": _POSTGRESQL,
    _POSTGRESQL: _POSTGRESQL,
}
_FORMS = "Write it as sqlite:///file.db or postgresql://user:password@host/name."
_GRANT = "Have it granted to the user whom the database's address names."
_CHECK_DATA = "Check the tables and their data."
_WRITING = "tilepress_writing"  # the execution option of a connection whose next transactions write

_LONGEST_LOCK_S = 30.0  # waited for what another program holds, where a statement may take longer
_SILENCE_S = 60  # after which a server that is gone without a word counts as gone
_PROBES = 3
_WRONG_STATEMENT = 1  # SQLite's code for a table, a column or a function that is not there
_NO_PRIVILEGE = "42501"
_REFUSED = {"55000"}  # what a view, for one, cannot do
_TOO_LATE = {"57014", "55P03"}  # a statement's time is up, or a lock's


class Access:
    """One database by its URL. Every transaction has a connection of its own and leaves none behind.

    Raises StorageError when it cannot be reached, ConfigurationError when it refuses what is asked.
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
        self.address = _shown(address)
        self.engine = _make_engine(address, self.settings)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction that cannot write."""
        self._find_file()
        with self.explained(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction that writes: all of it or nothing."""
        self._find_file()
        with self.explained(), self.engine.connect() as connection, begin_writing(connection):
            yield connection

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what the database refuses within the block into the project's errors, without values or passwords."""
        try:
            yield
        except SQLAlchemyError as error:
            raise self._explain(error) from None  # the driver's text may go on with a whole row, or how it dialled

    def _explain(self, error: SQLAlchemyError) -> TilepressError:
        message = f"{self.address}: {_reason(error)}"
        if not isinstance(error, DBAPIError):
            return ConfigurationError(message, _CHECK_DATA)
        state = getattr(error.orig, "sqlstate", None)
        if state in _TOO_LATE:
            return StorageError(
                message, "Try again when less is going on there, or allow more: database.statement_timeout_s."
            )
        is_wrong = state in _REFUSED or getattr(error.orig, "sqlite_errorcode", None) == _WRONG_STATEMENT
        if error.connection_invalidated or (isinstance(error, OperationalError) and not is_wrong):
            return StorageError(message, "Check that the database is up, and may be read and written.")
        if state is None and error.statement is None:  # it did not come to a connection
            return ConfigurationError(message, "Correct the options in the database's address.")
        return ConfigurationError(message, _GRANT if state == _NO_PRIVILEGE else _CHECK_DATA)

    def _find_file(self) -> None:
        """Make sure that the file of an SQLite database is there: looking for it would make it."""
        if self.file is not None and not is_there(self.file):
            raise StorageError(
                f"{self.address}: no such database",
                "Create it with: tilepress db init --pipeline FILE (or --database URL)",
            )


@contextmanager
def begin_writing(connection: sa.Connection) -> Iterator[sa.Connection]:
    """Begin a transaction that may write on a connection that is in none; commit it, or roll it back on an error.

    In SQLite it waits here until it is the only one to write.
    """
    connection.execution_options(**{_WRITING: True})
    try:
        with connection.begin():
            yield connection
    finally:
        connection.execution_options(**{_WRITING: False})


def is_there(path: Path) -> bool:
    """Tell whether a path leads somewhere; raise StorageError if that cannot be told."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no path"
        raise StorageError(f"{path}: {reason}", "Check the path and its permissions.") from error
    return True


def _parse_address(url: str) -> sa.URL:
    """Return the parsed address; what is no address, or may be half a password, is refused without showing it."""
    try:
        address = sa.engine.make_url(url)
        if b"\0" in unquote_to_bytes(url):
            raise ValueError
    except (ArgumentError, ValueError):  # of surrogates, too, which no driver takes
        raise ConfigurationError("the database address cannot be read", _FORMS) from None
    driver = _DRIVERS.get(address.drivername.lower())
    if driver is None:
        raise ConfigurationError("the database address names no kind of database, or no driver, that is known", _FORMS)
    if driver == "sqlite" and address.database in (None, "", ":memory:"):
        raise ConfigurationError(
            "a database in memory is gone before it is read", "Name a file: sqlite:///tilepress.db"
        )
    if driver != "sqlite" and "@" in f"{address.host}{address.database}":
        raise ConfigurationError(
            "the database address has a second @", "In a user name or password write @ as %40 and / as %2F."
        )
    return address.set(drivername=driver)


def _shown(address: sa.URL) -> str:
    """Return the address without its password, which may also stand among its options."""
    return address.set(drivername=address.get_backend_name(), query={}).render_as_string(hide_password=True)


def _make_engine(address: sa.URL, settings: DatabaseSettings) -> sa.Engine:
    is_sqlite = address.get_backend_name() == "sqlite"
    defaults = _sqlite_options(settings) if is_sqlite else _postgresql_options(settings)
    options = {name: value for name, value in defaults.items() if name not in address.query}
    kind: dict[str, Any] = {} if is_sqlite else {"isolation_level": "READ COMMITTED", "use_native_hstore": False}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SAWarning)  # of an option that would be ignored
            engine = sa.create_engine(
                address, poolclass=sa.NullPool, hide_parameters=True, connect_args=options, **kind
            )
    except ImportError:
        raise ConfigurationError(
            f"{_shown(address)}: the driver for this database is not installed",
            'Install psycopg with its library: pip install "psycopg[binary]".',
        ) from None
    except (ArgumentError, NoSuchModuleError, SAWarning, TypeError, ValueError):
        raise ConfigurationError(f"{_shown(address)} has options that it does not take", _FORMS) from None
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # of a line that broke, StorageError tells
    sa.event.listen(engine, "begin", _begin_sqlite if is_sqlite else _begin_postgresql(settings))
    sa.event.listen(engine, "handle_error", _explain_value)
    return engine


def _sqlite_options(settings: DatabaseSettings) -> dict[str, Any]:
    return {
        "timeout": _lock_timeout_s(settings),
        "isolation_level": None,  # transactions begin where SQLAlchemy says, not where the driver guesses
    }


def _postgresql_options(settings: DatabaseSettings) -> dict[str, Any]:
    return {
        "application_name": "tilepress",
        "connect_timeout": math.ceil(settings.connect_timeout_s),
        "keepalives_idle": _SILENCE_S // 2,
        "keepalives_interval": _SILENCE_S // 2 // _PROBES,
        "keepalives_count": _PROBES,
        "tcp_user_timeout": _SILENCE_S * 1000,
        "prepare_threshold": None,  # prepared statements fail behind a pooler such as PgBouncer
    }


def _lock_timeout_s(settings: DatabaseSettings) -> float:
    return min(_LONGEST_LOCK_S, settings.statement_timeout_s)


def _begin_sqlite(connection: sa.Connection) -> None:
    """Begin as SQLAlchemy's documentation says for this driver: tables, too, are then made all or none."""
    writes = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(settings: DatabaseSettings) -> Callable[[sa.Connection], None]:
    """Return what sets each transaction's bounds: a connection's own would go astray behind a pooler."""
    bounds = {
        "statement_timeout": f"{math.ceil(settings.statement_timeout_s * 1000)}ms",
        "lock_timeout": f"{math.ceil(_lock_timeout_s(settings) * 1000)}ms",
    }

    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get(_WRITING, False)
        chosen = bounds if writes else {**bounds, "transaction_read_only": "on"}
        calls = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in chosen.items())
        connection.exec_driver_sql(f"SELECT {calls}")

    return begin


def _explain_value(context: sa.engine.ExceptionContext) -> None:
    """Turn how a driver refuses a value that it cannot hold into the error that says so."""
    error = context.original_exception
    if isinstance(error, TypeError | ValueError | OverflowError) and context.engine is not None:
        raise ConfigurationError(
            f"{_shown(context.engine.url)}: a value does not fit its column ({type(error).__name__})",
            "Check the names given, and rows that other programs wrote.",
        ) from None


def _reason(error: SQLAlchemyError) -> str:
    """Return the driver's first line; SQLAlchemy's own text would repeat statement and values."""
    lines = str(error.orig if isinstance(error, DBAPIError) else error).splitlines()
    return lines[0] if lines else type(error).__name__
