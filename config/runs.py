"""The book of runs: which were planned, how far each part came, and which copies of which orders were delivered.

Knows a run's parts by number and file name; nothing of pixels, nor of what a ticket says. A part moves planned →
rendered → delivered, every step in a transaction of its own, so that a run may die at any moment.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from config import VERSION, runs_tables
from config.database import Database, begin_writing
from config.errors import ConfigurationError, StorageError, TilepressError
from config.runlock import locked

State = Literal["planned", "rendered", "delivered"]
Orders = sa.Select[str] | Sequence[str]  # by their references
Delivered = dict[tuple[str, str], list[tuple[int, int]]]  # of (order, design): (first, count) of ranges of copies

_MAX_VALUES = 30_000  # in one statement: SQLite takes 32,766 of them, PostgreSQL 65,535
_MAX_SHOWN = 10  # runs in an error message
_RUNS, _PARTS, _COPIES = runs_tables.runs, runs_tables.parts, runs_tables.copies
_UNKNOWN = {"bytes": None, "sha256": None, "rendered_at": None, "delivered_at": None}  # of a part that is planned


@dataclass(frozen=True, slots=True)
class CopyRange:
    """Copies `first` … `first + count - 1` of an order's design, all on one part."""

    order: str
    design: str
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class NewPart:
    """A part as it is planned: its number, the name of its file, the copies on it."""

    part: int
    file: str
    copies: tuple[CopyRange, ...]


@dataclass(frozen=True, slots=True)
class PartEntry:
    """How far a part came. `bytes` and `sha256` are its file's, known once it is rendered. Times in UTC."""

    part: int
    file: str
    state: State
    bytes: int | None
    sha256: str | None
    rendered_at: datetime | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A run as it was planned, and its parts by number. `ticket` is the caller's own. Times in UTC."""

    id: str
    pipeline: str
    job: str
    place: str
    ticket: str
    planned_at: datetime
    finished_at: datetime | None
    version: str
    parts: tuple[PartEntry, ...]


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in short. Of its `parts`, so many are delivered, and so many rendered but not delivered yet."""

    id: str
    pipeline: str
    job: str
    place: str
    planned_at: datetime
    finished_at: datetime | None
    parts: int
    rendered: int
    delivered: int
    copies: int


@dataclass(frozen=True, slots=True)
class PartContent:
    """How many copies are on a part, and of which orders: each named once, in the order of the plan."""

    part: int
    copies: int
    orders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run, and what is on its parts; parts without copies are left out of `contents`."""

    run: RunEntry
    contents: tuple[PartContent, ...]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many copies a run held, and of how many orders."""

    copies: int
    orders: int


class RunBook:
    """The runs of one pipeline, for as long as nobody else may write to them: see `open_run_book`.

    Used from one thread. Every write is a transaction of its own, over the one connection that PostgreSQL's lock hangs
    on: when that breaks, nothing more is written. Raises StorageError when the database is out of reach, and a plain
    TilepressError for what no sound run asks.
    """

    def __init__(self, database: Database, connection: sa.Connection, pipeline: str) -> None:
        """Write to the pipeline's runs over a connection that the caller holds and closes."""
        self.pipeline = pipeline
        self._database, self._connection = database, connection
        self._ours = _RUNS.c.pipeline == pipeline

    def unfinished(self, job: str | None) -> list[RunEntry]:
        """Return the job's runs that are not finished, all jobs' for None; the one planned first in front."""
        of_job = sa.true() if job is None else _RUNS.c.job == job
        with self._reading() as connection:
            return _entries(connection, self._ours, of_job, _RUNS.c.finished_at.is_(None))

    def find(self, run: str) -> RunEntry | None:
        """Return the run of this id, if this pipeline has it."""
        with self._reading() as connection:
            return next(iter(_entries(connection, self._ours, _RUNS.c.id == run)), None)

    def begin(self, run: str, job: str, place: str, ticket: str, parts: Sequence[NewPart]) -> RunEntry:
        """Write down a planned run, all of it or nothing. One of this id that is there already is returned as it is."""
        row = {"id": run, "pipeline": self.pipeline, "job": job, "place": place, "ticket": ticket}
        with self._writing() as connection:
            there = _entries(connection, _RUNS.c.id == run)
            if not there:
                _insert(connection, {**row, "planned_at": _now(), "version": VERSION}, parts)
                there = _entries(connection, _RUNS.c.id == run)
        (entry,) = there
        if (entry.pipeline, entry.job) != (self.pipeline, job):
            raise _bug(f"run {run} is of pipeline {entry.pipeline}, job {entry.job}; it cannot be begun for another")
        return entry

    def rendered(self, run: str, part: int, size: int, sha256: str) -> None:
        """Write down that a part is whole, with its file's bytes and hash, whatever they were before."""
        known = {"bytes": size, "sha256": sha256, "rendered_at": _now()}
        with self._writing() as connection:
            self._move(connection, run, part, "rendered", ("planned", "rendered"), known)

    def delivered(self, run: str, part: int, also: Callable[[sa.Connection], object] | None = None) -> None:
        """Write down that a rendered part is delivered, and what `also` writes besides: both or neither."""
        with self._writing() as connection:
            self._move(connection, run, part, "delivered", ("rendered",), {"delivered_at": _now()})
            if also is not None:
                also(connection)

    def finished(self, run: str) -> None:
        """Write down that a run is over, all of its parts being delivered."""
        left = _has_parts(run, _PARTS.c.state != "delivered")
        first_time = sa.func.coalesce(_RUNS.c.finished_at, sa.literal(_now(), _RUNS.c.finished_at.type))
        over = _RUNS.update().where(_RUNS.c.id == run, self._ours, ~left).values(finished_at=first_time)
        with self._writing() as connection:
            if not connection.execute(over).rowcount:
                raise _bug(f"run {run} cannot be finished: it is unknown, or not all of its parts are delivered")

    def abandon(self, run: str) -> None:
        """Write down that a run is over as it is: without its parts that are not delivered, or gone if none is."""
        left = sa.and_(_PARTS.c.run_id == run, _PARTS.c.state != "delivered")
        on_them = sa.and_(_COPIES.c.run_id == run, _COPIES.c.part.in_(sa.select(_PARTS.c.part).where(left)))
        this = sa.and_(_RUNS.c.id == run, self._ours)
        with self._writing() as connection:
            connection.execute(_COPIES.delete().where(on_them))
            connection.execute(_PARTS.delete().where(left))
            over = connection.execute(_RUNS.update().where(this, _has_parts(run)).values(finished_at=_now())).rowcount
            if not over and not connection.execute(_RUNS.delete().where(this)).rowcount:
                raise _bug(f"run {run} cannot be abandoned: it is unknown")

    def copies_delivered(self, job: str, orders: Orders) -> Delivered:
        """Return which copies of these orders the job's runs have delivered, the ranges of each design ascending.

        A Select, of one column of text, is looked up where it is: its orders do not leave the database.
        """
        with self._reading() as connection:
            return _delivered(connection, self.pipeline, job, orders)

    def retry(self, run: str, numbers: Sequence[int] = ()) -> tuple[int, ...]:
        """Have the next run make parts of a run again, all of them where none is named; return their numbers.

        Raises ConfigurationError for a run or a part that is not there.
        """
        of_run = _PARTS.c.run_id == run
        chosen = _PARTS.c.part.in_(numbers) if numbers else sa.true()
        with self._writing() as connection:
            reopened = _RUNS.update().where(_RUNS.c.id == run, self._ours).values(finished_at=None)
            if not connection.execute(reopened).rowcount:
                raise self._absent(run)
            there = connection.scalars(sa.select(_PARTS.c.part).where(of_run).order_by(_PARTS.c.part)).all()
            unknown = sorted(set(numbers) - set(there))
            if unknown:
                raise ConfigurationError(f"run {run} has no part {_listed(unknown)}", f"It has: {_listed(there)}.")
            connection.execute(_PARTS.update().where(of_run, chosen).values(state="planned", **_UNKNOWN))
        return tuple(number for number in there if not numbers or number in numbers)

    def forget(self, run: str) -> Forgotten:
        """Take a run out of the book, as if nothing of it had been printed; return what it held.

        Raises ConfigurationError for a run that is not there.
        """
        amounts = (sa.func.coalesce(sa.func.sum(_COPIES.c["count"]), 0), sa.func.count(_COPIES.c.order_ref.distinct()))
        with self._writing() as connection:
            held = connection.execute(sa.select(*amounts).where(_COPIES.c.run_id == run)).one()
            for key in (_COPIES.c.run_id, _PARTS.c.run_id):  # SQLite cascades only where it is told to
                connection.execute(sa.delete(key.table).where(key == run))
            if not connection.execute(_RUNS.delete().where(_RUNS.c.id == run, self._ours)).rowcount:
                raise self._absent(run)
        return Forgotten(*held)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        self._check_connected()
        with self._database.explained(), self._connection.begin():
            yield self._connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        self._check_connected()
        with self._database.explained(), begin_writing(self._connection):
            yield self._connection

    def _check_connected(self) -> None:
        """Raise StorageError after the connection broke: SQLAlchemy would connect anew, and write without the lock."""
        if self._connection.invalidated:
            raise StorageError(
                f"{self._database.address}: the connection broke, and with it this run's lock",
                "Run again: it goes on where this run has ended.",
            )

    def _move(
        self,
        connection: sa.Connection,
        run: str,
        part: int,
        state: State,
        origins: tuple[State, ...],
        known: Mapping[str, object],
    ) -> None:
        """Bring a part from one of `origins` into another state, with what is known of it then."""
        ours = sa.exists().where(_RUNS.c.id == _PARTS.c.run_id, self._ours)
        this = sa.and_(_PARTS.c.run_id == run, _PARTS.c.part == part, ours)
        move = _PARTS.update().where(this, _PARTS.c.state.in_(origins)).values(state=state, **known)
        if not connection.execute(move).rowcount:
            found = connection.scalar(sa.select(_PARTS.c.state).where(this))
            raise _bug(f"part {part} of run {run} is {found or 'unknown'}; it cannot become {state}")

    def _absent(self, run: str) -> ConfigurationError:
        return ConfigurationError(f"pipeline {self.pipeline} has no run {run}", "See: tilepress runs list")


@contextmanager
def open_run_book(database: Database, pipeline: str) -> Iterator[RunBook]:
    """Open the book for the one process that may write to this pipeline's runs.

    Raises LockError if another does; a dead one does not count. Raises ConfigurationError if there are no tables.
    """
    with _connected(database) as connection, locked(database, connection, pipeline):
        yield RunBook(database, connection, pipeline)


def list_runs(database: Database, job: str | None = None, *, unfinished: bool = False) -> list[RunLine]:
    """Return runs of all pipelines, the one planned last at the end: all, or a job's, or those not finished."""
    states = (
        sa.select(
            _PARTS.c.run_id,
            sa.func.count().label("parts"),
            *[sa.func.sum(sa.case((_PARTS.c.state == state, 1), else_=0)).label(state) for state in _COUNTED],
        )
        .group_by(_PARTS.c.run_id)
        .subquery()
    )
    amounts = (
        sa.select(_COPIES.c.run_id, sa.func.sum(_COPIES.c["count"]).label("copies"))
        .group_by(_COPIES.c.run_id)
        .subquery()
    )
    counts = (states.c.parts, *[states.c[state] for state in _COUNTED], amounts.c.copies)
    query = (
        sa.select(*_BRIEF, *[sa.func.coalesce(count, 0) for count in counts])
        .outerjoin(states, states.c.run_id == _RUNS.c.id)
        .outerjoin(amounts, amounts.c.run_id == _RUNS.c.id)
        .order_by(_RUNS.c.number)
    )
    if job is not None:
        query = query.where(_RUNS.c.job == job)
    if unfinished:
        query = query.where(_RUNS.c.finished_at.is_(None))
    database.check_made()
    with database.reading() as connection:
        return [RunLine(*row) for row in connection.execute(query)]


def copies_delivered(
    database: Database, pipeline: str, job: str, orders: Orders, *, promised: bool = False
) -> Delivered:
    """Return what `RunBook.copies_delivered` does, for who only looks; what unfinished runs have `promised`, too."""
    database.check_made()
    with database.reading() as connection:
        return _delivered(connection, pipeline, job, orders, promised=promised)


def find_run(database: Database, beginning: str) -> RunDetails:
    """Return the run whose id begins so; ConfigurationError, with what there is, unless that is exactly one."""
    database.check_made()
    with database.reading() as connection:
        run = _whole_id(connection, beginning)
        (entry,) = _entries(connection, _RUNS.c.id == run)
        query = (
            sa.select(_COPIES.c.part, _COPIES.c.order_ref, _COPIES.c["count"])
            .where(_COPIES.c.run_id == run)
            .order_by(_COPIES.c.part, _COPIES.c.line)
        )
        contents = []
        for part, group in groupby(connection.execute(query), key=itemgetter(0)):
            lines = list(group)
            orders = dict.fromkeys(order for _, order, _ in lines)
            contents.append(PartContent(part, sum(count for _, _, count in lines), tuple(orders)))
    return RunDetails(entry, tuple(contents))


_COUNTED = ("rendered", "delivered")
_BRIEF = (_RUNS.c.id, _RUNS.c.pipeline, _RUNS.c.job, _RUNS.c.place, _RUNS.c.planned_at, _RUNS.c.finished_at)


def _whole_id(connection: sa.Connection, beginning: str) -> str:
    """Return the id that is this text, or the only one that begins so."""
    if connection.scalar(sa.select(_RUNS.c.number).where(_RUNS.c.id == beginning)) is not None:
        return beginning
    newest = sa.select(_RUNS.c.id).order_by(_RUNS.c.number.desc()).limit(_MAX_SHOWN + 1)
    alike = newest.where(sa.func.substr(_RUNS.c.id, 1, len(beginning)) == beginning)
    ids: list[str] = list(connection.scalars(alike)) if beginning else []  # nothing names no run, not any
    if len(ids) > 1:
        raise ConfigurationError(f"several runs begin with {beginning!r}", f"There are: {_newest(ids)}.")
    if not ids:
        known = list(connection.scalars(newest))
        raise ConfigurationError(
            f"no run begins with {beginning!r}", f"There are: {_newest(known)}." if known else "There are no runs."
        )
    return ids[0]


def _newest(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_MAX_SHOWN]) + (" and older ones" if len(ids) > _MAX_SHOWN else "")


def _entries(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> list[RunEntry]:
    """Return the runs that fulfil the conditions, with their parts, in the order of planning."""
    found = connection.execute(
        sa.select(*_BRIEF, _RUNS.c.ticket, _RUNS.c.version).where(*which).order_by(_RUNS.c.number)
    ).all()
    rows = connection.execute(
        sa.select(_PARTS)
        .where(_PARTS.c.run_id.in_(sa.select(_RUNS.c.id).where(*which)))
        .order_by(_PARTS.c.run_id, _PARTS.c.part)
    )
    parts = {run: tuple(PartEntry(*row[1:]) for row in group) for run, group in groupby(rows, key=itemgetter(0))}
    return [
        RunEntry(run, pipeline, job, place, ticket, planned_at, finished_at, version, parts.get(run, ()))
        for run, pipeline, job, place, planned_at, finished_at, ticket, version in found
    ]


def _has_parts(run: str, *which: sa.ColumnElement[bool]) -> sa.Exists:
    return sa.exists().where(_PARTS.c.run_id == run, *which)


def _delivered(
    connection: sa.Connection, pipeline: str, job: str, orders: Orders, *, promised: bool = False
) -> Delivered:
    counts = _PARTS.c.state == "delivered"
    if promised:
        counts |= _RUNS.c.finished_at.is_(None)
    found: Delivered = {}
    for some in [orders] if isinstance(orders, sa.Select) else _batches(orders):
        query = (
            sa.select(_COPIES.c.order_ref, _COPIES.c.design, _COPIES.c["first"], _COPIES.c["count"])
            .join(_PARTS, (_PARTS.c.run_id == _COPIES.c.run_id) & (_PARTS.c.part == _COPIES.c.part))
            .join(_RUNS, _RUNS.c.id == _PARTS.c.run_id)
            .where(_RUNS.c.pipeline == pipeline, _RUNS.c.job == job, counts)
            .where(_COPIES.c.order_ref.in_(some))
        )
        for order, design, first, count in connection.execute(query):
            found.setdefault((order, design), []).append((first, count))
    for ranges in found.values():
        ranges.sort()
    return found


def _insert(connection: sa.Connection, run: Mapping[str, object], parts: Sequence[NewPart]) -> None:
    """Write a run that is planned: three statements, however large it is."""
    connection.execute(_RUNS.insert(), run)
    rows = [{"run_id": run["id"], "part": part.part, "file": part.file, "state": "planned"} for part in parts]
    if rows:
        connection.execute(_PARTS.insert(), rows)
    lines = [
        {
            "run_id": run["id"],
            "part": part.part,
            "line": line,
            "order_ref": copies.order,
            "design": copies.design,
            "first": copies.first,
            "count": copies.count,
        }
        for part in parts
        for line, copies in enumerate(part.copies, start=1)
    ]
    if lines:
        connection.execute(_COPIES.insert(), lines)


@contextmanager
def _connected(database: Database) -> Iterator[sa.Connection]:
    """Hold one connection to a database that has the tables."""
    database.check_made()
    with database.explained():
        connection = database.engine.connect()
    try:
        yield connection
    finally:
        with suppress(SQLAlchemyError):
            connection.close()


def _batches(orders: Iterable[str]) -> Iterator[list[str]]:
    """Yield the orders, each once, so many at a time as one statement takes."""
    distinct = list(dict.fromkeys(orders))
    for start in range(0, len(distinct), _MAX_VALUES):
        yield distinct[start : start + _MAX_VALUES]


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _now() -> datetime:
    return datetime.now(UTC)


def _bug(message: str) -> TilepressError:
    return TilepressError(message, "This is a bug in tilepress; please report it.")
