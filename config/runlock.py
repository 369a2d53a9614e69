"""The lock that lets one run of a pipeline work on a database at a time; a dead run holds nothing.

PostgreSQL: an advisory lock of the session, so it lasts as long as the connection. SQLite: a file beside the database,
locked by the kernel for as long as the process lives.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from config.database import Database
from config.errors import LockError, StorageError

_KEY_BYTES = 8


@contextmanager
def locked(database: Database, connection: sa.Connection, pipeline: str) -> Iterator[None]:
    """Hold the pipeline's lock on the database, in PostgreSQL by this connection.

    Raises LockError if another run holds it, StorageError if it cannot be taken.
    """
    taken = LockError(
        f"another run of pipeline {pipeline} is at work on {database.address}", "Wait until it has ended."
    )
    if database.file is not None:
        lock = _held_file(lock_file(database.file, pipeline), taken)
    else:
        lock = _held_session(database, connection, lock_key(pipeline), taken)
    with lock:
        yield


def lock_key(pipeline: str) -> int:
    """Return the number that PostgreSQL's advisory lock goes by."""
    digest = hashlib.sha256(f"tilepress:{pipeline}".encode()).digest()
    return int.from_bytes(digest[:_KEY_BYTES], "big", signed=True)


def lock_file(database: Path, pipeline: str) -> Path:
    """Return the file that is locked for a SQLite database: the same one under whatever name that is reached."""
    file = database.resolve()
    return file.with_name(f".{file.name}.{pipeline}.lock")


@contextmanager
def _held_file(file: Path, taken: LockError) -> Iterator[None]:
    lock = FileLock(file)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise taken from None
    except OSError as error:
        raise StorageError(
            f"{file}: {error.strerror or error}", "The database's folder must be writable: the lock lies there."
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _held_session(database: Database, connection: sa.Connection, key: int, taken: LockError) -> Iterator[None]:
    number = sa.literal(key, sa.BigInteger)
    with database.explained(), connection.begin():
        connection.execute(_STAY_WHILE_IDLE)
        got = connection.scalar(sa.select(sa.func.pg_try_advisory_lock(number)))
    if not got:
        raise taken
    try:
        yield
    finally:
        if not connection.invalidated:  # else the server has let go of it, and SQLAlchemy would connect anew
            with suppress(SQLAlchemyError), connection.begin():  # at once; the server may see the end a little later
                connection.execute(sa.select(sa.func.pg_advisory_unlock(number)))


# A server may be set to close sessions that do nothing for a while, as this one does while a part is rendered; from
# PostgreSQL 14 on, which knows the setting.
_STAY_WHILE_IDLE = sa.select(sa.func.set_config("idle_session_timeout", "0", False)).where(
    sa.func.current_setting("idle_session_timeout", True).is_not(None)
)
