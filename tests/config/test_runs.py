"""The book of runs: what is written survives any death, one writer at a time, and no copy is forgotten."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config import VERSION, runs, runs_tables
from config.database import Database
from config.errors import ConfigurationError, ExitCode, LockError, StorageError, TilepressError
from config.runlock import lock_file, locked
from config.runs import (
    CopyRange,
    NewPart,
    PartEntry,
    RunBook,
    RunEntry,
    copies_delivered,
    find_run,
    list_runs,
    open_run_book,
)

if TYPE_CHECKING:
    from tests.servers.postgres import PostgresServer

REPOSITORY = Path(__file__).parents[2]
DEADLINE_S = 60.0
HASH = "ab" * 32
PARTS = (
    NewPart(1, "Sheet_1.png", (CopyRange("1001", "a.png", 1, 3), CopyRange("1002", "b.png", 1, 2))),
    NewPart(2, "Sheet_2.png", (CopyRange("1001", "a.png", 4, 2),)),
)


def made(url: str) -> Iterator[Database]:
    """Yield the database of this URL, with the tables."""
    database = Database(url)
    database.init()
    yield database
    database.engine.dispose()


@pytest.fixture
def database(any_database: str) -> Iterator[Database]:
    yield from made(any_database)


@pytest.fixture
def book(database: Database) -> Iterator[RunBook]:
    with open_run_book(database, "shop") as book:
        yield book


@pytest.fixture
def statements(database: Database) -> list[str]:
    """Collect the SQL that is sent to the database about its runs; what begins a transaction is left out."""
    seen: list[str] = []

    def remember(_c: object, _k: object, statement: str, *_: object) -> None:
        if "tilepress_" in statement:
            seen.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", remember)
    return seen


def begin(book: RunBook, run: str = "r1", job: str = "uvdtf", parts: tuple[NewPart, ...] = PARTS) -> RunEntry:
    return book.begin(run, job, "out", '{"ticket": 1}', parts)


def deliver(book: RunBook, run: str, *parts: int) -> None:
    for part in parts:
        book.rendered(run, part, 1000 + part, HASH)
        book.delivered(run, part)


def states(book: RunBook, run: str = "r1") -> list[str]:
    entry = book.find(run)
    assert entry is not None
    return [part.state for part in entry.parts]


def wait_for(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.005)


# What is planned


def test_a_run_is_found_as_it_was_planned(book: RunBook) -> None:
    before = datetime.now(UTC)
    entry = begin(book)
    assert before <= entry.planned_at <= datetime.now(UTC)
    assert entry.planned_at.tzinfo is UTC
    assert entry == RunEntry(
        "r1", "shop", "uvdtf", "out", '{"ticket": 1}', entry.planned_at, None, VERSION,
        (
            PartEntry(1, "Sheet_1.png", "planned", None, None, None, None),
            PartEntry(2, "Sheet_2.png", "planned", None, None, None, None),
        ),
    )  # fmt: skip
    assert book.find("r1") == entry
    assert book.find("r") is None


def test_a_run_that_is_there_already_is_returned_as_it_is(book: RunBook) -> None:
    first = begin(book)
    assert book.begin("r1", "uvdtf", "elsewhere", "another", [NewPart(7, "x.png", ())]) == first
    deliver(book, "r1", 1, 2)
    book.finished("r1")
    again = begin(book)
    assert [part.state for part in again.parts] == ["delivered", "delivered"]
    assert again.finished_at is not None


def test_a_run_is_written_whole_or_not_at_all(book: RunBook) -> None:
    twice = (PARTS[0], NewPart(2, "x.png", PARTS[1].copies), NewPart(2, "y.png", ()))
    with pytest.raises(TilepressError):
        begin(book, parts=twice)
    assert book.find("r1") is None
    assert [part.file for part in begin(book).parts] == ["Sheet_1.png", "Sheet_2.png"]


def test_a_run_of_nothing_can_be_finished(book: RunBook) -> None:
    begin(book, parts=())
    book.finished("r1")
    assert book.unfinished("uvdtf") == []


@pytest.mark.parametrize(("pipeline", "job"), [("shop", "other"), ("other", "uvdtf")])
def test_a_run_is_of_one_pipeline_and_one_job(book: RunBook, database: Database, pipeline: str, job: str) -> None:
    begin(book)
    other = book if pipeline == "shop" else None
    with pytest.raises(TilepressError, match="it cannot be begun for another") as caught:
        if other is not None:
            begin(other, job=job)
        else:
            with open_run_book(database, pipeline) as stranger:
                begin(stranger, job=job)
    assert caught.value.exit_code == ExitCode.BUG


# How far each part came


def test_a_part_moves_from_planned_to_rendered_to_delivered(book: RunBook) -> None:
    begin(book)
    before = datetime.now(UTC)
    book.rendered("r1", 2, 5_000_000_000, HASH)
    (planned, rendered) = book.unfinished("uvdtf")[0].parts
    assert (planned.state, rendered.state, rendered.bytes, rendered.sha256) == ("planned", "rendered", 5 * 10**9, HASH)
    assert rendered.rendered_at is not None
    assert rendered.delivered_at is None
    book.delivered("r1", 2)
    delivered = book.unfinished("uvdtf")[0].parts[1]
    assert (delivered.state, delivered.sha256, delivered.rendered_at) == ("delivered", HASH, rendered.rendered_at)
    assert delivered.delivered_at is not None
    assert before <= rendered.rendered_at <= delivered.delivered_at <= datetime.now(UTC)


def test_a_part_that_is_rendered_again_has_the_new_hash(book: RunBook) -> None:
    begin(book)
    book.rendered("r1", 1, 10, "old")
    book.rendered("r1", 1, 20, "new")
    part = book.unfinished("uvdtf")[0].parts[0]
    assert (part.state, part.bytes, part.sha256) == ("rendered", 20, "new")


def test_a_part_that_is_gone_is_planned_again(book: RunBook) -> None:
    first = begin(book)
    book.rendered("r1", 1, 10, HASH)
    book.retry("r1", [1, 2])
    assert book.find("r1") == first


IMPOSSIBLE: dict[str, Callable[[RunBook], object]] = {
    "planned; it cannot become delivered": lambda book: book.delivered("r1", 2),
    "delivered; it cannot become delivered": lambda book: book.delivered("r1", 1),
    "delivered; it cannot become rendered": lambda book: book.rendered("r1", 1, 1, HASH),
    "part 3 of run r1 is unknown; it cannot become rendered": lambda book: book.rendered("r1", 3, 1, HASH),
    "part 1 of run r2 is unknown; it cannot become delivered": lambda book: book.delivered("r2", 1),
    "run r1 cannot be finished": lambda book: book.finished("r1"),
    "run r2 cannot be finished": lambda book: book.finished("r2"),
}


@pytest.mark.parametrize("message", IMPOSSIBLE)
def test_an_impossible_move_is_a_bug_and_changes_nothing(book: RunBook, message: str) -> None:
    begin(book)
    deliver(book, "r1", 1)
    before = book.find("r1")
    with pytest.raises(TilepressError, match=message) as caught:
        IMPOSSIBLE[message](book)
    assert caught.value.exit_code == ExitCode.BUG
    assert book.find("r1") == before


def test_runs_of_another_pipeline_are_neither_seen_nor_changed(book: RunBook, database: Database) -> None:
    begin(book)
    deliver(book, "r1", 1)
    with open_run_book(database, "other") as other:
        assert other.find("r1") is None
        assert other.unfinished("uvdtf") == []
        assert other.copies_delivered("uvdtf", ["1001"]) == {}
        for move in (
            lambda: other.rendered("r1", 2, 1, HASH),
            lambda: other.finished("r1"),
            lambda: other.retry("r1"),
            lambda: other.forget("r1"),
        ):
            with pytest.raises(TilepressError):
                move()
    assert states(book) == ["delivered", "planned"]
    assert book.copies_delivered("uvdtf", ["1001"]) == {("1001", "a.png"): [(1, 3)]}


notes = sa.Table("notes", sa.MetaData(), sa.Column("text", sa.Text))


def make_notes(database: Database) -> None:
    with database.writing() as connection:
        notes.create(connection)


def test_what_is_written_with_a_delivery_is_written_with_it_or_neither_is(book: RunBook, database: Database) -> None:
    make_notes(database)
    begin(book)
    book.rendered("r1", 1, 1, HASH)

    def note(connection: sa.Connection) -> None:
        connection.execute(notes.insert(), {"text": "printed"})

    def note_and_fail(connection: sa.Connection) -> None:
        note(connection)
        raise StorageError("no more", "try later")

    def count() -> int | None:
        with database.reading() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(notes))

    with pytest.raises(StorageError, match="no more"):
        book.delivered("r1", 1, note_and_fail)
    assert (states(book), count()) == (["rendered", "planned"], 0)
    book.delivered("r1", 1, note)
    assert (states(book), count()) == (["delivered", "planned"], 1)
    with pytest.raises(TilepressError):
        book.delivered("r1", 1, note)
    assert count() == 1


def test_what_the_database_refuses_besides_a_delivery_undoes_it(book: RunBook) -> None:
    begin(book)
    book.rendered("r1", 1, 1, HASH)
    with pytest.raises(TilepressError):
        book.delivered("r1", 1, lambda connection: connection.execute(notes.insert(), {"text": "x"}))
    assert states(book) == ["rendered", "planned"]


def test_a_run_is_finished_when_all_of_it_is_delivered_and_stays_so(book: RunBook) -> None:
    begin(book)
    deliver(book, "r1", 1, 2)
    book.finished("r1")
    first = book.find("r1")
    assert first is not None
    assert first.finished_at is not None
    assert first.finished_at >= first.planned_at
    book.finished("r1")
    assert book.find("r1") == first


def test_unfinished_runs_come_in_the_order_of_planning_whatever_the_clock_says(
    book: RunBook, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count()
    monkeypatch.setattr(runs, "_now", lambda: datetime(2026, 1, 1, tzinfo=UTC) - timedelta(days=next(clock)))
    for run in ("c", "a", "d", "b"):
        begin(book, run)
    begin(book, "e", job="other")
    deliver(book, "a", 1, 2)
    book.finished("a")
    deliver(book, "d", 1)
    found = book.unfinished("uvdtf")
    assert [entry.id for entry in found] == ["c", "d", "b"]
    assert [[part.state for part in entry.parts] for entry in found] == [
        ["planned", "planned"],
        ["delivered", "planned"],
        ["planned", "planned"],
    ]
    assert [line.id for line in list_runs(database)] == ["c", "a", "d", "b", "e"]


# Which copies were delivered


def test_only_copies_on_delivered_parts_count(book: RunBook) -> None:
    begin(book)
    assert book.copies_delivered("uvdtf", ["1001", "1002"]) == {}
    book.rendered("r1", 1, 1, HASH)
    assert book.copies_delivered("uvdtf", ["1001", "1002"]) == {}
    book.delivered("r1", 1)
    assert book.copies_delivered("uvdtf", ["1001", "1002"]) == {
        ("1001", "a.png"): [(1, 3)],
        ("1002", "b.png"): [(1, 2)],
    }
    deliver(book, "r1", 2)
    assert book.copies_delivered("uvdtf", ["1001"]) == {("1001", "a.png"): [(1, 3), (4, 2)]}
    assert book.copies_delivered("other", ["1001"]) == {}
    assert book.copies_delivered("uvdtf", []) == {}


def test_what_was_delivered_is_seen_without_the_lock(book: RunBook, database: Database) -> None:
    begin(book)
    deliver(book, "r1", 1)
    assert copies_delivered(database, "shop", "uvdtf", ["1002"]) == {("1002", "b.png"): [(1, 2)]}
    assert copies_delivered(database, "other", "uvdtf", ["1002"]) == {}


_orders = st.sampled_from(["1", "2", "x' OR '1'='1", "ä", "Ä", " 1", "1%"])
_ranges = st.builds(CopyRange, _orders, st.sampled_from(["a.png", "b.png"]), st.integers(1, 9), st.integers(1, 9))
_runs = st.lists(st.lists(st.tuples(st.lists(_ranges, max_size=4), st.booleans()), max_size=3), max_size=3)
_example = itertools.count()


@pytest.fixture(scope="module")
def shared_book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunBook]:
    """A book for many examples, each in a job of its own."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('runs')}/runs.db")
    database.init()
    with open_run_book(database, "shop") as book:
        yield book


@settings(max_examples=50)
@given(planned=_runs, asked=st.lists(_orders))
def test_the_copies_delivered_are_those_of_all_delivered_parts(
    shared_book: RunBook, planned: list[list[tuple[list[CopyRange], bool]]], asked: list[str]
) -> None:
    job = f"job-{next(_example)}"
    expected: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for index, contents in enumerate(planned):
        parts = [NewPart(number, "x.png", tuple(ranges)) for number, (ranges, _) in enumerate(contents, start=1)]
        shared_book.begin(f"{job}-{index}", job, "out", "{}", parts)
        for part, (ranges, is_delivered) in zip(parts, contents, strict=True):
            if is_delivered:
                deliver(shared_book, f"{job}-{index}", part.part)
                for range_ in ranges:
                    if range_.order in asked:
                        expected.setdefault((range_.order, range_.design), []).append((range_.first, range_.count))
    assert shared_book.copies_delivered(job, asked) == {key: sorted(ranges) for key, ranges in expected.items()}


def test_orders_can_be_chosen_by_the_database(book: RunBook, database: Database, statements: list[str]) -> None:
    orders = sa.Table("shop_orders", sa.MetaData(), sa.Column("reference", sa.String(50)), sa.Column("state", sa.Text))
    with database.writing() as connection:
        orders.create(connection)
        connection.execute(
            orders.insert(), [{"reference": "1001", "state": "pending"}, {"reference": "1002", "state": ""}]
        )
    begin(book)
    deliver(book, "r1", 1)
    statements.clear()
    pending = sa.select(orders.c.reference).where(orders.c.state == "pending").order_by(orders.c.reference).limit(5)
    assert book.copies_delivered("uvdtf", pending) == {("1001", "a.png"): [(1, 3)]}
    assert len(statements) == 1


def test_orders_and_designs_may_be_of_any_length_a_line_may_have(book: RunBook) -> None:
    order, design = "".join(chr(0x1F300 + (n * 7919) % 700) for n in range(4096)), os.urandom(2048).hex()
    begin(book, parts=(NewPart(1, "x.png", (CopyRange(order, design, 1, 2), CopyRange(order[:-1], design, 1, 1))),))
    deliver(book, "r1", 1)
    assert book.copies_delivered("uvdtf", [order]) == {(order, design): [(1, 2)]}


def test_more_orders_than_one_statement_takes_can_be_asked_for(book: RunBook, statements: list[str]) -> None:
    begin(book)
    deliver(book, "r1", 1, 2)
    statements.clear()
    asked = [*map(str, range(70_000)), "1001"]
    assert book.copies_delivered("uvdtf", asked) == {("1001", "a.png"): [(1, 3), (4, 2)], ("1002", "b.png"): [(1, 2)]}
    assert len(statements) == 3


# What it costs


def sent(book: RunBook, statements: list[str], parts: int, ranges: int) -> list[int]:
    """Return how many statements each thing took that is done once for a run."""
    run = f"{parts}x{ranges}"
    plan = [
        NewPart(part, f"{part}.png", tuple(CopyRange(f"{part}-{n}", "a.png", 1, 1) for n in range(ranges)))
        for part in range(1, parts + 1)
    ]
    deeds: list[Callable[[], object]] = [
        lambda: book.begin(run, "uvdtf", "out", "{}", plan),
        lambda: book.unfinished("uvdtf"),
        lambda: book.rendered(run, 1, 1, HASH),
        lambda: book.delivered(run, 1),
        lambda: book.copies_delivered("uvdtf", [f"1-{n}" for n in range(ranges)]),
        lambda: book.retry(run),
        lambda: book.retry(run, range(1, parts + 1)),
        lambda: deliver(book, run, 1),
        lambda: book.abandon(run),
        lambda: book.forget(run),
    ]
    counts = []
    for deed in deeds:
        statements.clear()
        deed()
        counts.append(len(statements))
    return counts


def test_statements_do_not_grow_with_parts_or_copies(book: RunBook, statements: list[str]) -> None:
    small, large = sent(book, statements, 2, 1), sent(book, statements, 40, 100)
    assert large == small
    assert max(large) <= 8


def test_the_connection_is_never_left_in_a_transaction(
    in_postgres: Database, postgres: str, postgres_server: "PostgresServer"
) -> None:
    name = sa.engine.make_url(postgres).database

    def states() -> list[str]:
        return [
            state for (state,) in postgres_server.psql(f"SELECT state FROM pg_stat_activity WHERE datname = '{name}'")
        ]

    with open_run_book(in_postgres, "shop") as book:
        deeds: list[Callable[[], object]] = [
            lambda: begin(book),
            lambda: book.find("r1"),
            lambda: book.unfinished("uvdtf"),
            lambda: book.rendered("r1", 1, 1, HASH),
            lambda: book.delivered("r1", 1),
            lambda: book.copies_delivered("uvdtf", ["1001"]),
        ]
        for deed in deeds:
            deed()
            wait_for(lambda: states() == ["idle"], "the one session to be idle")
        with pytest.raises(TilepressError):
            book.finished("r1")
        assert states() == ["idle"]


def test_a_run_at_work_keeps_no_other_program_from_writing(book: RunBook, database: Database) -> None:
    make_notes(database)
    begin(book)
    book.find("r1")
    with database.writing() as connection:
        connection.execute(notes.insert(), {"text": "x"})
    deliver(book, "r1", 1)


# The lock

HOLD = """
import sys
from config.database import Database
from config.runs import open_run_book
with open_run_book(Database(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(script: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def try_to_open(database: Database, pipeline: str = "shop") -> bool:
    try:
        with open_run_book(database, pipeline):
            return True
    except LockError:
        return False


def test_one_process_at_a_time_works_and_a_dead_one_holds_nothing(database: Database, any_database: str) -> None:
    with another_process(HOLD, any_database, "shop") as holder:
        assert line_of(holder) == "held"
        with pytest.raises(LockError) as caught, open_run_book(database, "shop"):
            pass
        assert caught.value.exit_code == ExitCode.LOCKED
        assert str(caught.value) == (
            f"another run of pipeline shop is at work on {database.address}\n  Wait until it has ended."
        )
        assert try_to_open(database, "other")
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        wait_for(lambda: try_to_open(database), "the dead holder's lock")


def test_the_lock_is_free_at_once_when_the_book_is_closed(database: Database) -> None:
    for _ in range(5):
        with open_run_book(database, "shop"):
            assert not try_to_open(database)
    with pytest.raises(KeyError), open_run_book(database, "shop"):
        raise KeyError
    assert try_to_open(database)


def test_the_lock_does_not_outlive_its_block(database: Database) -> None:
    """Even where the server has not seen the end of the connection yet."""
    with database.engine.connect() as connection:
        with locked(database, connection, "shop"):
            assert not try_to_open(database)
        assert try_to_open(database)


def test_one_thread_at_a_time_works(database: Database) -> None:
    opened: list[bool] = []
    with open_run_book(database, "shop"):
        other = threading.Thread(target=lambda: opened.append(try_to_open(database)))
        other.start()
        other.join()
    assert opened == [False]


def test_looking_needs_no_lock(book: RunBook, database: Database) -> None:
    begin(book)
    assert [line.id for line in list_runs(database)] == ["r1"]
    assert find_run(database, "r1").run == book.find("r1")


MOVES = """
import sys
from config.database import Database
from config.runs import NewPart, open_run_book
with open_run_book(Database(sys.argv[1]), "shop") as book:
    for entry in book.unfinished("uvdtf") or [
        book.begin(sys.argv[2], "uvdtf", "out", "{}", [NewPart(n, f"{n}.png", ()) for n in range(1, 201)])
    ]:
        print("begun", flush=True)
        for part in entry.parts:
            if part.state == "planned":
                book.rendered(entry.id, part.part, 1, "hash")
                print("rendered", flush=True)
            if part.state != "delivered":
                book.delivered(entry.id, part.part)
                print("delivered", flush=True)
"""


def test_what_was_said_to_be_written_is_there_after_kill_9(database: Database, any_database: str) -> None:
    done = 0
    for lines in (3, 40, 0, 75):
        with another_process(MOVES, any_database, "r1") as process:
            for _ in range(lines):
                line_of(process)
            process.send_signal(signal.SIGKILL)
            assert process.stdout is not None
            said = process.stdout.read().split()
            process.wait()
        said_in_all = lines + len(said) - 1 if lines + len(said) else 0  # without "begun"
        wait_for(lambda: try_to_open(database), "the dead run's lock")
        with open_run_book(database, "shop") as book:
            entries = book.unfinished("uvdtf")
        steps = {"planned": 0, "rendered": 1, "delivered": 2}
        taken = [steps[part.state] for entry in entries for part in entry.parts]
        assert len(taken) in ({200} if done or said_in_all else {0, 200})
        assert sorted(taken, reverse=True) == taken
        assert sum(taken) - done in {said_in_all, said_in_all + 1}, "one step may be written and not said yet"
        done = sum(taken)
    assert done >= 100


# A connection that breaks


@pytest.fixture
def in_postgres(postgres: str) -> Iterator[Database]:
    yield from made(postgres)


@pytest.fixture
def end_sessions(postgres: str, postgres_server: "PostgresServer") -> Callable[[], None]:
    """Return a way to end the database's only session, as a server does that is stopped."""

    def end() -> None:
        name = sa.engine.make_url(postgres).database
        count = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"
        wait_for(lambda: postgres_server.psql(count) == [(1,)], "those to end that were there before")
        ended = f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'"
        assert postgres_server.psql(ended) == [(True,)]

    return end


def test_a_run_whose_connection_broke_never_writes_again(
    in_postgres: Database, end_sessions: Callable[[], None]
) -> None:
    with open_run_book(in_postgres, "shop") as book:
        begin(book)
        book.rendered("r1", 1, 1, HASH)
        end_sessions()
        with open_run_book(in_postgres, "shop") as successor:
            for _ in range(2):
                with pytest.raises(StorageError):
                    book.delivered("r1", 1)
            with pytest.raises(StorageError, match="the connection broke, and with it this run's lock"):
                book.find("r1")
            assert states(successor) == ["rendered", "planned"]
            successor.delivered("r1", 1)


def test_a_connection_that_breaks_within_a_write_undoes_it(
    in_postgres: Database, end_sessions: Callable[[], None]
) -> None:
    with open_run_book(in_postgres, "shop") as book:
        begin(book)
        book.rendered("r1", 1, 1, HASH)
        with pytest.raises(StorageError):
            book.delivered("r1", 1, lambda _: end_sessions())
    with open_run_book(in_postgres, "shop") as book:
        assert states(book) == ["rendered", "planned"]


def test_a_server_that_closes_idle_sessions_leaves_the_one_with_the_lock_open(
    in_postgres: Database, postgres: str, postgres_server: "PostgresServer"
) -> None:
    postgres_server.psql(f"ALTER DATABASE {sa.engine.make_url(postgres).database} SET idle_session_timeout = '59min'")
    limit = sa.select(sa.func.current_setting("idle_session_timeout"))
    limits: list[object] = []
    with open_run_book(in_postgres, "shop") as book, in_postgres.engine.connect() as other:
        begin(book)
        book.rendered("r1", 1, 1, HASH)
        book.delivered("r1", 1, lambda connection: limits.append(connection.scalar(limit)))
        limits.append(other.scalar(limit))
    assert limits == ["0", "59min"]


# Out of reach, or not what it should be


def test_without_its_tables_the_book_says_how_to_make_them(any_database: str) -> None:
    database = Database(any_database)
    if database.file is not None:
        database.file.touch()
    for action in (lambda: list_runs(database), lambda: try_to_open(database)):
        with pytest.raises(ConfigurationError) as caught:
            action()
        assert caught.value.message == f"{database.address}: tilepress's own tables have not been made"
        assert caught.value.remedy.endswith("with: tilepress db init --pipeline FILE (or --database URL)")


def test_a_database_is_not_made_by_looking_for_its_runs(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/none.db")
    for action in (lambda: list_runs(database), lambda: try_to_open(database)):
        with pytest.raises(StorageError, match="no such database"):
            action()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def file(tmp_path: Path) -> Path:
    Database(f"sqlite:///{tmp_path}/shop.db").init()
    return tmp_path / "shop.db"


def test_a_file_is_locked_under_all_its_names(file: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "other.db").symlink_to(file)
    with open_run_book(Database(f"sqlite:///{file}"), "shop"):
        assert not try_to_open(Database(f"sqlite:///{tmp_path}/links/other.db"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [".shop.db.shop.lock", "links", "shop.db"]


def test_a_lock_that_cannot_be_taken_is_out_of_reach(file: Path) -> None:
    lock_file(file, "shop").mkdir()
    with pytest.raises(StorageError, match=r"\.shop\.db\.shop\.lock: Is a directory"):
        try_to_open(Database(f"sqlite:///{file}"))


def test_a_file_that_another_program_writes_to_is_waited_for_then_out_of_reach(file: Path) -> None:
    slow = Database(f"sqlite:///{file}?timeout=0.01")
    other = Database(f"sqlite:///{file}")
    with open_run_book(slow, "shop") as book:
        with other.writing(), pytest.raises(StorageError, match="database is locked"):
            begin(book)
        assert [part.state for part in begin(book).parts] == ["planned", "planned"]


# To do again, and to forget


def test_a_run_to_be_tried_again_is_unfinished_and_its_copies_are_owed(book: RunBook) -> None:
    first = begin(book)
    deliver(book, "r1", 1, 2)
    book.finished("r1")
    assert book.retry("r1", [2]) == (2,)
    assert states(book) == ["delivered", "planned"]
    assert [entry.id for entry in book.unfinished("uvdtf")] == ["r1"]
    assert book.copies_delivered("uvdtf", ["1001"]) == {("1001", "a.png"): [(1, 3)]}
    assert book.retry("r1") == (1, 2)
    assert book.find("r1") == first


def test_a_part_that_is_not_there_cannot_be_tried_again(book: RunBook) -> None:
    begin(book)
    deliver(book, "r1", 1, 2)
    book.finished("r1")
    before = book.find("r1")
    with pytest.raises(ConfigurationError) as caught:
        book.retry("r1", [1, 9, 3])
    assert str(caught.value) == "run r1 has no part 3, 9\n  It has: 1, 2."
    assert book.find("r1") == before


def test_a_run_that_is_forgotten_leaves_nothing(book: RunBook, database: Database) -> None:
    begin(book)
    begin(book, "r2")
    deliver(book, "r1", 1, 2)
    deliver(book, "r2", 2)
    held = book.forget("r1")
    assert (held.copies, held.orders) == (7, 2)
    assert book.copies_delivered("uvdtf", ["1001", "1002"]) == {("1001", "a.png"): [(4, 2)]}
    assert [line.id for line in list_runs(database)] == ["r2"]
    with database.reading() as connection:
        for table, rows in ((runs_tables.runs, 1), (runs_tables.parts, 2), (runs_tables.copies, 3)):
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == rows
    assert states_of(begin(book)) == ["planned", "planned"]


def states_of(entry: RunEntry) -> list[str]:
    return [part.state for part in entry.parts]


def test_a_run_that_is_abandoned_is_over_with_what_it_has_delivered(book: RunBook) -> None:
    first = begin(book)
    deliver(book, "r1", 2)
    book.rendered("r1", 1, 1, HASH)
    book.abandon("r1")
    assert book.unfinished("uvdtf") == []
    over = book.find("r1")
    assert over is not None
    assert over.finished_at is not None
    assert [(part.part, part.state) for part in over.parts] == [(2, "delivered")]
    assert over.planned_at == first.planned_at
    assert book.copies_delivered("uvdtf", ["1001", "1002"]) == {("1001", "a.png"): [(4, 2)]}
    assert book.forget("r1").copies == 2


def test_a_run_that_is_abandoned_with_nothing_delivered_can_be_planned_again(book: RunBook, database: Database) -> None:
    begin(book)
    book.rendered("r1", 1, 1, HASH)
    book.abandon("r1")
    assert book.find("r1") is None
    assert [part.state for part in begin(book).parts] == ["planned", "planned"]
    with open_run_book(database, "other") as other, pytest.raises(TilepressError, match="it is unknown"):
        other.abandon("r1")
    assert states(book) == ["planned", "planned"]


@pytest.mark.parametrize("deed", [RunBook.retry, RunBook.forget])
def test_a_run_that_is_gone_can_neither_be_tried_again_nor_forgotten(
    book: RunBook, deed: Callable[[RunBook, str], object]
) -> None:
    with pytest.raises(ConfigurationError, match="pipeline shop has no run r1"):
        deed(book, "r1")


def test_a_run_without_copies_can_be_forgotten(book: RunBook) -> None:
    begin(book, parts=())
    held = book.forget("r1")
    assert (held.copies, held.orders) == (0, 0)


# Looking


def test_runs_are_listed_with_their_progress(book: RunBook, database: Database) -> None:
    begin(book, "r1")
    begin(book, "r2", job="other", parts=())
    begin(book, "r3")
    deliver(book, "r1", 1, 2)
    book.finished("r1")
    deliver(book, "r3", 2)
    book.rendered("r3", 1, 1, HASH)

    def listed(job: str | None = None, *, unfinished: bool = False) -> list[tuple[object, ...]]:
        lines = list_runs(database, job, unfinished=unfinished)
        return [
            (line.id, line.job, line.finished_at is not None, line.parts, line.rendered, line.delivered, line.copies)
            for line in lines
        ]

    assert listed() == [
        ("r1", "uvdtf", True, 2, 0, 2, 7),
        ("r2", "other", False, 0, 0, 0, 0),
        ("r3", "uvdtf", False, 2, 1, 1, 7),
    ]
    assert [row[0] for row in listed("uvdtf")] == ["r1", "r3"]
    assert [row[0] for row in listed("uvdtf", unfinished=True)] == ["r3"]
    assert listed("none") == []


def test_a_run_is_found_by_the_beginning_of_its_id(book: RunBook, database: Database) -> None:
    for run in ("abc", "abd", "ab", "xyz"):
        begin(book, run)
    assert [find_run(database, text).run.id for text in ("abc", "ab", "x")] == ["abc", "ab", "xyz"]
    details = find_run(database, "abc")
    assert [(content.part, content.copies, content.orders) for content in details.contents] == [
        (1, 5, ("1001", "1002")),
        (2, 2, ("1001",)),
    ]


@pytest.mark.parametrize(
    ("beginning", "message"),
    [
        ("a", "several runs begin with 'a'\n  There are: abd, abc."),
        ("A", "no run begins with 'A'\n  There are: x%z, abd, abc."),
        ("ab_", "no run begins with 'ab_'\n  There are: x%z, abd, abc."),
        ("%", "no run begins with '%'\n  There are: x%z, abd, abc."),
        ("", "no run begins with ''\n  There are: x%z, abd, abc."),
    ],
)
def test_a_beginning_that_is_of_no_run_or_of_several_says_what_there_is(
    book: RunBook, database: Database, beginning: str, message: str
) -> None:
    for run in ("abc", "abd", "x%z"):
        begin(book, run)
    with pytest.raises(ConfigurationError) as caught:
        find_run(database, beginning)
    assert str(caught.value) == message


def test_of_many_runs_the_newest_are_named(book: RunBook, database: Database) -> None:
    with pytest.raises(ConfigurationError, match=r"There are no runs\."):
        find_run(database, "x")
    for number in range(12):
        begin(book, f"r{number}", parts=())
    with pytest.raises(ConfigurationError) as caught:
        find_run(database, "r")
    assert caught.value.remedy == "There are: r11, r10, r9, r8, r7, r6, r5, r4, r3, r2 and older ones."
