"""Making sections: in which order, how many at once, after which pauses, how often; and what is left where it ends."""

import logging
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import ArtworkError, BudgetError, LostError, StoppedError, UnavailableError
from pipeline.sections import making as module
from pipeline.sections.handling import Made, SectionWork
from pipeline.sections.making import FIRST_PAUSE_S, LONGEST_PAUSE_S, Making
from pipeline.sections.register import Register
from pipeline.sections.traces import TRACES, Traces
from pipeline.stopping import Stop
from tests.pipeline.sections.section_parts import LIMIT_BYTES, Reader, Workshop, failed, made
from tiles.children import Task
from tiles.resident import forget_peak, peak_resident_bytes
from tiles.workbench import Workbench

Outcome = Callable[[SectionWork, int], Made]  # of a section's attempt, counted from 1; it may raise


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr("random.uniform", lambda low, high: low)
    return clock


class Signalled(Stop):
    """A run that is told to end when as many sections were begun as were let."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.begun, self.after = 0, after

    def check(self) -> None:
        if self.begun >= self.after:
            raise StoppedError("the run's deadline of 5 s has passed", "Run again.")


@dataclass
class Bench:
    """A workbench whose tasks are over at once, or when they are waited for."""

    outcome: Outcome
    clock: Clock
    begun: list[tuple[int, float]] = field(default_factory=list)  # number of a section, and when
    works: list[SectionWork] = field(default_factory=list)
    under_way: dict[str, tuple[SectionWork, int, "Future[Made]"]] = field(default_factory=dict)
    most: int = 0
    closed: bool = False
    memory_of_each: Callable[[int], None] = lambda count: None
    when_closed: Callable[[], None] = lambda: None
    stop: Signalled | None = None

    def submit(self, function: object, work: SectionWork) -> "Task[Made]":
        number = work.section.number
        self.begun.append((number, self.clock.now))
        self.works.append(work)
        turn = sum(begun == number for begun, _ in self.begun)
        future: Future[Made] = Future()
        self.under_way[work.attempt] = (work, turn, future)
        self.most = max(self.most, len(self.under_way))
        self.memory_of_each(len(self.under_way))
        if self.stop is not None:
            self.stop.begun += 1
        return Task(cast(Any, future), 5.0, cast(Any, module_trade()))

    def end_first(self, tasks: "Collection[Task[Any]]") -> None:
        """Have the attempt end that was begun first, unless one of the tasks is over."""
        if any(task.future.done() for task in tasks):
            return
        attempt = next(iter(self.under_way))
        work, turn, future = self.under_way.pop(attempt)
        self.memory_of_each(len(self.under_way))
        try:
            future.set_result(self.outcome(work, turn))
        except (ArtworkError, BudgetError) as error:
            future.set_exception(error)
        except BaseException:
            self.under_way[attempt] = (work, turn, future)
            raise

    def close(self, *, wait: bool = True) -> None:
        self.closed = True
        self.when_closed()

    @property
    def order(self) -> list[int]:
        return [number for number, _ in self.begun]


def module_trade() -> object:
    from pipeline.sections.trade import SECTIONING  # noqa: PLC0415 - beside what it is for

    return SECTIONING


def well(work: SectionWork, turn: int) -> Made:
    return made(work.section, work.folder)


@dataclass
class Day:
    """A run of `make_all`, and what became of it."""

    bench: Bench
    register: Register
    entries: dict[int, dict[str, Any]]
    forgotten: list[str]
    traces: Traces
    error: BaseException | None = None

    @property
    def errors(self) -> dict[int, str | None]:
        return {number: entry["error"] for number, entry in sorted(self.entries.items())}


@pytest.fixture
def work_on(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Day]:
    """Make all sections of a shop; `down` says that nothing elsewhere can be removed at the moment."""

    def work_on(shop: Workshop, outcome: Outcome = well, *, down: bool = False, **bench_keys: Any) -> Day:
        bench = Bench(outcome, clock, **bench_keys)
        if isinstance(shop.stop, Signalled):
            bench.stop = shop.stop
        monkeypatch.setattr("tiles.children.wait_for_any", bench.end_first)
        forgotten: list[str] = []

        def forget(token: str, within_s: float) -> None:
            forgotten.append(token)
            clock.now += within_s if down else 0.0
            if down:
                raise UnavailableError("the service is down")

        with shop.journal() as journal:
            register = shop.register(journal)
            register.clear()
            traces = Traces(shop.folder / TRACES, forget, shop.analyzer.account)
            making = Making(shop.document, register, shop.outbox, shop.bindery, cast(Workbench, bench), traces)
            error: BaseException | None = None
            try:
                making.make_all()
            except BaseException as raised:
                error = raised
            found = {number: journal.find(number) for number in range(1, len(shop.plan.sections) + 1)}
            entries = {number: dict(entry) for number, entry in found.items() if entry is not None}
        return Day(bench, register, entries, forgotten, traces, error)

    return work_on


WorkOn = Callable[..., Day]


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path, pages=12)  # six sections


def raising(error: BaseException, *, of: int = 1, turns: int = 99) -> Outcome:
    """Return what has the first attempts at one section raise."""

    def outcome(work: SectionWork, turn: int) -> Made:
        if work.section.number == of and turn <= turns:
            raise error
        return well(work, turn)

    return outcome


def failing(
    message: str = "busy", *, of: int = 1, turns: int = 99, passes: bool = True, is_clean: bool = True
) -> Outcome:
    """Return what has the first attempts at one section fail."""

    def outcome(work: SectionWork, turn: int) -> Made:
        bad = work.section.number == of and turn <= turns
        return failed(message, passes=passes, is_clean=is_clean) if bad else well(work, turn)

    return outcome


# Order, and how many at once


def test_sections_are_made_one_after_the_other_in_their_order(shop: Workshop, work_on: WorkOn) -> None:
    day = work_on(shop)
    assert (day.bench.order, day.bench.most, day.error) == ([1, 2, 3, 4, 5, 6], 1, None)
    assert day.errors == dict.fromkeys(range(1, 7))
    assert (day.register.made, shop.progress.ended, shop.progress.total) == (6, 6, 6)


@pytest.mark.parametrize(("workers", "threads", "most"), [(1, 8, 1), (2, 8, 2), (4, 8, 4), (9, 8, 6), ("auto", 3, 3)])
def test_never_more_than_the_workers_are_under_way(
    tmp_path: Path, work_on: WorkOn, workers: object, threads: int, most: int
) -> None:
    day = work_on(Workshop(tmp_path, {"workers": workers}, pages=12, threads=threads))
    assert (day.bench.most, day.bench.order) == (most, [1, 2, 3, 4, 5, 6])
    assert day.errors == dict.fromkeys(range(1, 7))


def test_what_is_there_already_is_not_made_again(shop: Workshop, work_on: WorkOn) -> None:
    work_on(shop, failing(of=3, passes=False))
    assert work_on(shop).bench.order == [3]


def test_a_child_is_told_of_its_section_alone(tmp_path: Path, work_on: WorkOn) -> None:
    keys = {"pages": {"dpi": 96}, "workers": 2, "output": {"to": "out", "filename": "{number}", "preview": False}}
    shop = Workshop(tmp_path, keys, pages=12, threads=5)
    work = work_on(shop).bench.works[1]
    assert (work.section, work.folder) == (shop.plan.sections[1], tmp_path)
    assert (work.text, work.preview, work.threads, work.stamp) == (True, False, 2, (1,))
    assert work.images is not None
    assert work.images.dpi == 96


def test_every_attempt_has_a_token_of_its_own(shop: Workshop, work_on: WorkOn) -> None:
    tokens = [work.attempt for work in work_on(shop, failing(turns=2)).bench.works]
    assert len(set(tokens)) == len(tokens) == 8
    for token in tokens:
        assert 1 <= len(token) <= 40
        assert set(token) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_another_is_begun_beside_only_where_memory_allows(tmp_path: Path, work_on: WorkOn) -> None:
    shop = Workshop(tmp_path, {"workers": 4}, pages=12)

    def take(count: int) -> None:  # two leave no room for a third
        shop.memory.used_bytes = int(LIMIT_BYTES * 0.45) * count

    day = work_on(shop, memory_of_each=take)
    assert (day.bench.most, day.error, day.register.made) == (2, None, 6)


def test_where_no_section_fits_at_all_the_run_says_so(shop: Workshop, work_on: WorkOn) -> None:
    shop.memory.used_bytes = LIMIT_BYTES
    day = work_on(shop)
    assert isinstance(day.error, BudgetError)
    assert "the next section needs" in day.error.message
    assert day.bench.order == []


def test_a_child_that_waits_is_ended_where_the_next_section_needs_its_memory(shop: Workshop, work_on: WorkOn) -> None:
    def take(count: int) -> None:  # what a section took its child keeps
        shop.memory.used_bytes = LIMIT_BYTES

    def give_back() -> None:
        shop.memory.used_bytes = 0

    day = work_on(shop, memory_of_each=take, when_closed=give_back)
    assert (day.bench.order, day.error, day.register.made) == ([1, 2, 3, 4, 5, 6], None, 6)


def test_a_child_goes_on_where_there_is_room(shop: Workshop, work_on: WorkOn) -> None:
    assert not work_on(shop).bench.closed


@pytest.mark.parametrize(("collects", "told"), [(True, 6), (False, 0)])
def test_memory_is_given_back_after_each_section_if_that_is_asked_for(
    tmp_path: Path, work_on: WorkOn, caplog: pytest.LogCaptureFixture, collects: bool, told: int
) -> None:
    with caplog.at_level(logging.INFO):
        work_on(Workshop(tmp_path, {"collect_garbage": collects}, pages=12))
    said = [message for message in caplog.messages if message.startswith("Memory usage after section ")]
    assert len(said) == told


# Pauses between sections


@pytest.mark.parametrize("delay_s", [0.0, 0.1, 2.5])
def test_the_delay_lies_between_sections_and_not_before_the_first(
    tmp_path: Path, work_on: WorkOn, clock: Clock, delay_s: float
) -> None:
    begun = work_on(Workshop(tmp_path, {"delay_s": delay_s})).bench.begun
    assert [round(when - 1000, 6) for _, when in begun] == [0, round(delay_s, 6), round(2 * delay_s, 6)]
    assert all(slept <= module.SLICE_S for slept in clock.slept)  # so soon a deadline is heeded


def test_the_delay_is_counted_from_the_end_of_the_last_one(tmp_path: Path, work_on: WorkOn, clock: Clock) -> None:
    def slowly(work: SectionWork, turn: int) -> Made:
        clock.now += 10.0
        return well(work, turn)

    begun = work_on(Workshop(tmp_path, {"delay_s": 2.0}), slowly).bench.begun
    assert [round(when - 1000, 6) for _, when in begun] == [0, 12, 24]


def test_a_deadline_is_heeded_within_a_pause(tmp_path: Path, work_on: WorkOn, clock: Clock) -> None:
    shop = Workshop(tmp_path, {"delay_s": 3600.0}, stop=Signalled(1))
    day = work_on(shop)
    assert isinstance(day.error, StoppedError)
    assert (day.bench.order, clock.slept) == ([1], [])


# Trying again


def test_what_may_pass_is_tried_again_after_a_pause_behind_the_others(
    shop: Workshop, work_on: WorkOn, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        day = work_on(shop, failing("busy", of=2, turns=1))
    assert day.bench.order == [1, 2, 3, 4, 5, 6, 2]
    assert (day.errors[2], day.entries[2]["attempts"], day.register.failed) == (None, 2, 0)
    assert caplog.messages == ["2. Pages 3-4: busy; trying again in 1.0 s (attempt 2 of 3)"]
    assert shop.progress.ended == 6


def test_pauses_before_attempts_double_up_to_a_bound(tmp_path: Path, work_on: WorkOn) -> None:
    shop = Workshop(tmp_path, {"limits": {"attempts": 9}}, pages=2)
    begun = [when for _, when in work_on(shop, failing()).bench.begun]
    pauses = [round(after - before, 6) for before, after in pairwise(begun)]
    assert pauses == [min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**turn) for turn in range(8)]


def test_chance_makes_a_pause_longer_by_a_half_at_most(
    tmp_path: Path, work_on: WorkOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, float]] = []

    def highest(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    monkeypatch.setattr("random.uniform", highest)
    begun = work_on(Workshop(tmp_path, pages=2), failing(turns=1)).bench.begun
    assert (asked, round(begun[1][1] - begun[0][1], 6)) == ([(1, 1.5)], 1.5)


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_attempts_are_bounded_and_then_the_reason_is_entered(tmp_path: Path, work_on: WorkOn, attempts: int) -> None:
    day = work_on(Workshop(tmp_path, {"limits": {"attempts": attempts}}), failing("busy", of=2))
    assert Counter(day.bench.order) == {1: 1, 2: attempts, 3: 1}
    assert day.errors == {1: None, 2: "busy", 3: None}
    assert (day.entries[2]["attempts"], day.register.failed, day.error) == (attempts, 1, None)


def test_a_lost_child_is_tried_again(shop: Workshop, work_on: WorkOn) -> None:
    day = work_on(shop, raising(LostError("the process at work on it died (SIGSEGV)"), of=2, turns=1))
    assert day.bench.order == [1, 2, 3, 4, 5, 6, 2]
    assert day.errors == dict.fromkeys(range(1, 7))


@pytest.mark.parametrize(
    "outcome", [failing("torn", of=2, passes=False), raising(ArtworkError("torn"), of=2)], ids=["told", "raised"]
)
def test_what_will_not_pass_is_not_tried_again_and_costs_no_other(
    shop: Workshop, work_on: WorkOn, outcome: Outcome
) -> None:
    day = work_on(shop, outcome)
    assert day.bench.order == [1, 2, 3, 4, 5, 6]
    assert day.errors == {1: None, 2: "torn", 3: None, 4: None, 5: None, 6: None}
    assert day.error is None


@settings(max_examples=15)  # each has six sections entered on a disk
@given(st.data())
def test_whatever_happens_every_section_is_entered_once_with_a_result_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    workers, attempts = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3))
    fates = data.draw(st.lists(st.sampled_from(["well", "busy", "lost", "torn"]), min_size=18, max_size=18))
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr(module, "time", clock)
        shop = Workshop(
            tmp_path_factory.mktemp("making"), {"workers": workers, "limits": {"attempts": attempts}}, pages=12
        )

        def outcome(work: SectionWork, turn: int) -> Made:
            fate = fates[(work.section.number - 1) * 3 + turn - 1]
            if fate == "lost":
                raise LostError("lost")
            return well(work, turn) if fate == "well" else failed(fate, passes=fate == "busy")

        day = work_on.__wrapped__(clock, patch)(shop, outcome)  # type: ignore[attr-defined]
    expected: dict[int, str | None] = {}
    for number in range(1, 7):
        for fate in fates[(number - 1) * 3 : (number - 1) * 3 + attempts]:
            expected[number] = None if fate == "well" else fate
            if fate in {"well", "torn"}:
                break
    assert (day.errors, day.error) == (expected, None)
    assert day.bench.most <= workers
    assert shop.progress.ended == 6
    assert {f"{number}.pdf" for number, error in expected.items() if error is None} == {
        name for name in shop.names() if name.endswith(".pdf")
    }


def test_a_file_of_others_costs_its_section_which_is_not_begun(shop: Workshop, work_on: WorkOn) -> None:
    (shop.folder / "2.pdf").write_bytes(b"mine")
    day = work_on(shop)
    assert day.bench.order == [1, 3, 4, 5, 6]
    assert day.errors[2] == "2.pdf: a file of that name lies there that this job did not make"
    assert (shop.folder / "2.pdf").read_bytes() == b"mine"


def test_progress_counts_the_sections_too_that_are_not_begun(shop: Workshop, work_on: WorkOn) -> None:
    for number in (2, 6):
        (shop.folder / f"{number}.pdf").write_bytes(b"mine")
    work_on(shop)
    assert (shop.progress.ended, shop.progress.total) == (6, 6)


# Files that no entry lists


@pytest.mark.parametrize("partial", ["1.pdf", "1.pdf.partial"])
def test_what_a_lost_child_had_finished_is_removed(shop: Workshop, work_on: WorkOn, partial: str) -> None:
    def lost(work: SectionWork, turn: int) -> Made:
        if work.section.number != 1:
            return well(work, turn)
        (work.folder / partial).write_bytes(b"half")
        raise LostError("the process died")

    day = work_on(shop, lost)
    assert day.errors[1] == "the process died"
    assert partial not in shop.names()


def test_what_an_earlier_attempt_had_finished_does_not_stay_when_the_last_one_has_none(
    shop: Workshop, work_on: WorkOn
) -> None:
    def outcome(work: SectionWork, turn: int) -> Made:
        if work.section.number != 1:
            return well(work, turn)
        busy = made(work.section, work.folder, problem=failed("busy", passes=True).problem, analysis=None)
        return busy if turn == 1 else failed("torn")

    day = work_on(shop, outcome)
    assert (day.errors[1], day.entries[1]["files"]) == ("torn", [])
    assert "1.pdf" not in shop.names()


def test_what_an_earlier_attempt_had_finished_is_no_file_of_others(shop: Workshop, work_on: WorkOn) -> None:
    def outcome(work: SectionWork, turn: int) -> Made:
        if turn == 3 or work.section.number != 1:
            return well(work, turn)
        return made(work.section, work.folder, problem=failed("busy", passes=True).problem, analysis=None)

    day = work_on(shop, outcome)
    assert (day.errors[1], day.entries[1]["attempts"], day.register.failed) == (None, 3, 0)


def test_a_file_that_others_put_there_meanwhile_costs_its_section_and_is_not_touched(
    shop: Workshop, work_on: WorkOn
) -> None:
    def outcome(work: SectionWork, turn: int) -> Made:
        if work.section.number == 1:
            (work.folder / "3.pdf").write_bytes(b"mine")
        return well(work, turn)

    day = work_on(shop, outcome)
    assert day.bench.order == [1, 2, 4, 5, 6]
    assert day.errors[3] == "3.pdf: a file of that name lies there that this job did not make"
    assert (shop.folder / "3.pdf").read_bytes() == b"mine"


def test_a_former_version_of_a_section_goes_before_anything_is_made(shop: Workshop, work_on: WorkOn) -> None:
    """A run may end before it comes to it: then nothing lies there under its name, and no old pages."""
    work_on(shop)
    other = replace(shop, keys={"analyzer": {"kind": "none"}}, stop=Signalled(1))
    day = work_on(other)
    assert isinstance(day.error, StoppedError)
    assert {name for name in shop.names() if name.endswith(".pdf")} == {"1.pdf"}


def test_what_cannot_be_removed_does_not_hide_why_the_run_ends(
    shop: Workshop, work_on: WorkOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    def outcome(work: SectionWork, turn: int) -> Made:
        monkeypatch.setattr(Path, "unlink", refuse)
        raise BudgetError("disk: full")

    day = work_on(shop, outcome)
    assert str(day.error) == "disk: full"


def test_what_a_former_run_made_does_not_stay_where_its_section_fails_now(shop: Workshop, work_on: WorkOn) -> None:
    work_on(shop)
    day = work_on(replace(shop, keys={"analyzer": {"kind": "none"}}), failing("torn", of=1, passes=False))
    assert day.entries[1]["files"] == []
    assert "1.pdf" not in shop.names()


# The end before the end


def test_at_a_deadline_those_under_way_are_finished_and_no_other_is_begun(tmp_path: Path, work_on: WorkOn) -> None:
    shop = Workshop(tmp_path, {"workers": 2}, pages=12, stop=Signalled(3))
    day = work_on(shop)
    assert isinstance(day.error, StoppedError)
    assert day.bench.order == [1, 2, 3]
    assert day.errors == {1: None, 2: None, 3: None}
    assert {"1.pdf", "2.pdf", "3.pdf"} <= shop.names()


def test_where_memory_is_short_those_under_way_are_finished(tmp_path: Path, work_on: WorkOn) -> None:
    shop = Workshop(tmp_path, {"workers": 2, "delay_s": 1.0}, pages=12)

    def outcome(work: SectionWork, turn: int) -> Made:
        if work.section.number == 2:
            shop.memory.used_bytes = LIMIT_BYTES
        return well(work, turn)

    day = work_on(shop, outcome)
    assert isinstance(day.error, BudgetError)
    assert set(day.errors) == set(day.bench.order)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError()])
def test_whatever_else_ends_it_what_was_under_way_is_removed(
    tmp_path: Path, work_on: WorkOn, error: BaseException
) -> None:
    def outcome(work: SectionWork, turn: int) -> Made:
        if work.section.number == 1:
            return well(work, turn)
        for name in ("2.pdf", "3.pdf.partial"):
            (work.folder / name).write_bytes(b"half")
        raise error

    shop = Workshop(tmp_path, {"workers": 2}, pages=12)
    day = work_on(shop, outcome)
    assert (day.error, day.bench.closed) == (error, True)
    assert {name for name in shop.names() if ".pdf" in name} == {"1.pdf"}
    assert day.errors == {1: None}


def test_a_disk_that_a_child_finds_full_ends_the_run_and_leaves_no_half_of_a_section(
    shop: Workshop, work_on: WorkOn
) -> None:
    def full(work: SectionWork, turn: int) -> Made:
        (work.folder / f"{work.section.number}.pdf.partial").write_bytes(b"half")
        raise BudgetError("disk: No space left on device", "Free some space.")

    day = work_on(shop, full)
    assert isinstance(day.error, BudgetError)
    assert (day.errors, day.bench.closed) == ({}, True)
    assert not any(".pdf" in name for name in shop.names())


def test_what_the_files_system_refuses_is_an_error_of_the_place(
    shop: Workshop, work_on: WorkOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Register, "add", refuse)
    day = work_on(shop)
    assert isinstance(day.error, BudgetError)
    assert f"disk: full while writing to {shop.folder}" in day.error.message


# What analysers may have left elsewhere


def test_an_analyser_that_leaves_nothing_is_never_asked_to_forget(shop: Workshop, work_on: WorkOn) -> None:
    outcomes: list[Outcome] = [well, failing(), raising(LostError("lost")), raising(KeyboardInterrupt())]
    for outcome in outcomes:
        assert work_on(shop, outcome).forgotten == []
        assert TRACES not in shop.names()


@pytest.fixture
def leaving(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path, analyzer=Reader(leaves_traces=True), pages=2)  # one section


def with_analysis(analysis: dict[str, Any] | None) -> Outcome:
    problem = None if analysis else failed("torn").problem
    return lambda work, turn: made(work.section, work.folder, analysis=analysis, problem=problem, is_clean=False)


def test_a_token_is_written_down_before_its_attempt_begins(leaving: Workshop, work_on: WorkOn) -> None:
    seen: list[bool] = []

    def outcome(work: SectionWork, turn: int) -> Made:
        seen.append(work.attempt in (work.folder / TRACES).read_text())
        return well(work, turn)

    work_on(leaving, outcome)
    assert seen == [True]


@pytest.mark.parametrize(
    ("outcome", "asked", "stays"),
    [
        (well, 0, False),  # gone when it returned
        (failing("torn", passes=False), 0, False),  # the analyser was never asked
        (failing("busy"), 0, False),
        (with_analysis({"kind": "reader", "left": "files/x"}), 1, False),
        (with_analysis(None), 1, False),
        (failing("busy", is_clean=False), 3, False),
        (raising(ArtworkError("torn")), 1, False),
        (raising(BudgetError("disk: full")), 1, False),
        (raising(LostError("lost")), 3, True),  # what it had sent may yet arrive
        (raising(LostError("lost"), turns=1), 1, True),
        (raising(KeyboardInterrupt()), 1, True),
    ],
    ids=[
        *("well", "not asked", "not asked thrice", "left", "failed", "busy", "torn", "disk full"),
        *("lost", "lost once", "interrupted"),
    ],
)
@pytest.mark.parametrize("down", [False, True])
def test_what_an_attempt_may_have_left_is_removed_or_stays_written_down(
    leaving: Workshop, work_on: WorkOn, outcome: Outcome, asked: int, stays: bool, down: bool
) -> None:
    day = work_on(leaving, outcome, down=down)
    tokens = [work.attempt for work in day.bench.works]
    assert len(day.forgotten) == asked
    assert set(day.forgotten) <= set(tokens)
    assert [token for token in tokens if token in written(leaving)] == (day.forgotten if down or stays else [])


def written(shop: Workshop) -> str:
    return (shop.folder / TRACES).read_text() if TRACES in shop.names() else ""


def test_what_a_lost_child_had_sent_is_asked_for_again_at_the_end(leaving: Workshop, work_on: WorkOn) -> None:
    day = work_on(leaving, raising(LostError("lost"), turns=2))
    tokens = [work.attempt for work in day.bench.works]
    assert day.forgotten == tokens[:2]
    day.traces.clear()
    assert (day.forgotten, written(leaving)) == ([*tokens[:2], *tokens[:2]], "")


def test_files_are_removed_even_where_traces_cannot_be(tmp_path: Path, clock: Clock, work_on: WorkOn) -> None:
    """Told to end, with two sections under way: a service that hangs does not keep files from being removed."""
    shop = Workshop(tmp_path, {"workers": 2}, analyzer=Reader(leaves_traces=True), pages=4)

    def outcome(work: SectionWork, turn: int) -> Made:
        for name in ("1.pdf", "2.pdf"):
            (work.folder / name).write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Traces, "remove", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        work_on(shop, outcome)
    assert not any(".pdf" in name for name in shop.names())


def test_a_run_that_is_told_to_end_does_not_wait_long_for_each_trace(
    tmp_path: Path, clock: Clock, work_on: WorkOn
) -> None:
    shop = Workshop(tmp_path, {"workers": 6}, analyzer=Reader(leaves_traces=True), pages=12)
    day = work_on(shop, raising(KeyboardInterrupt()), down=True)
    assert clock.now - 1000 <= module.FORGET_S
    left = (tmp_path / TRACES).read_text()
    assert all(work.attempt in left for work in day.bench.works)


# What is measured of a section's process


def test_the_peak_is_counted_from_when_it_was_forgotten() -> None:
    def touch() -> int:
        block = bytearray(b"x") * 60_000_000
        return len(block)

    forget_peak()
    before = peak_resident_bytes()
    size = touch()
    assert peak_resident_bytes() >= before + size * 0.9
    forget_peak()
    assert peak_resident_bytes() < before + size * 0.5
