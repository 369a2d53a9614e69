"""The workbench: a child that dies, hangs or swells costs one design, and no child outlives the run."""

import ctypes
import operator
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest
from pebble.pool.process import PoolManager
from PIL import Image

from config.errors import ArtworkError, BudgetError, ExitCode, LostError, StorageError
from tiles.children import Task
from tiles.design import Geometry, Limits
from tiles.header import read_header
from tiles.store import TileStore
from tiles.tasks import prepare_into
from tiles.trade import DECODING, Trade
from tiles.workbench import Workbench

if TYPE_CHECKING:
    from tests.tiles.conftest import DesignOf

REPOSITORY = Path(__file__).parents[2]
MEMORY_BYTES = 300_000_000
DEADLINE_S = 30


TRADES = {"shared": DECODING, "one-off": replace(DECODING, one_off=True)}


@pytest.fixture(scope="module", params=TRADES)
def bench(request: pytest.FixtureRequest) -> Iterator[Workbench]:
    with Workbench(2, MEMORY_BYTES, 60, TRADES[request.param]) as bench:
        yield bench


def write_pid_and_stay(path: Path) -> None:
    """Tell who is at work, in a child, and stay at it."""
    aside = path.with_suffix(".aside")
    aside.write_text(str(os.getpid()))
    aside.rename(path)
    time.sleep(600)


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def test_the_answer_comes_from_a_child(bench: Workbench) -> None:
    assert bench.submit(os.getpid).result() != os.getpid()


def test_a_reason_found_in_a_child_arrives_as_it_was_given(bench: Workbench, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    outcome = bench.submit(read_header, tmp_path / "empty.png", Limits()).outcome()
    assert isinstance(outcome, ArtworkError)
    assert outcome.message == "the file is empty"


@pytest.mark.parametrize(
    ("fatal", "argument", "reason"),
    [
        (os._exit, 7, "the decoder died (exit code 7)"),
        (signal.raise_signal, signal.SIGABRT, "the decoder died (SIGABRT)"),
        (ctypes.string_at, 0, "the decoder died (SIGSEGV)"),
        (bytearray, 2 * MEMORY_BYTES, "decoding needs more memory than the run may use"),
    ],
)
def test_a_child_that_fails_costs_its_design_and_no_other(
    fatal: Callable[..., Any], argument: int, reason: str, bench: Workbench
) -> None:
    def begin(number: int) -> Task[object]:
        return bench.submit(fatal, argument) if number == 1 else bench.submit(operator.neg, number)

    outcomes = dict(bench.outcomes(range(4), begin, lambda *_: True))
    failure = outcomes.pop(1)
    assert isinstance(failure, ArtworkError)
    assert failure.message == reason
    assert outcomes == {0: 0, 2: -2, 3: -3}


@pytest.mark.parametrize("trade", TRADES.values(), ids=TRADES)
def test_a_child_that_hangs_is_ended(trade: Trade) -> None:
    with Workbench(1, MEMORY_BYTES, 2, trade) as bench:
        outcome = bench.submit(time.sleep, 600).outcome()
        assert isinstance(outcome, LostError)
        assert outcome.message == "decoding took longer than 2 s"
        assert bench.submit(operator.neg, 1).result() == -1


def test_pieces_of_work_may_have_a_process_each() -> None:
    with Workbench(1, MEMORY_BYTES, 60, TRADES["one-off"]) as bench:
        assert len({bench.submit(os.getpid).result() for _ in range(3)}) == 3


def test_children_at_work_end_with_their_bench(tmp_path: Path) -> None:
    with Workbench(1, MEMORY_BYTES, 60, TRADES["one-off"]) as bench:
        told = tmp_path / "pid"
        task = bench.submit(_tell_and_sleep, told)
        wait_until(lambda: told.exists() and told.read_text())
        bench.close()
        assert not psutil.pid_exists(int(told.read_text()))
    assert isinstance(task.outcome(), LostError)


def _tell_and_sleep(told: Path) -> None:
    told.write_text(str(os.getpid()))
    time.sleep(600)


def test_a_decoder_that_swells_costs_its_design(tmp_path: Path, design_of: "DesignOf") -> None:
    for name, side in (("large.webp", 6000), ("small.webp", 60)):
        Image.new("RGBA", (side, side), "red").save(tmp_path / name)
    store = TileStore(tmp_path / "store")
    with Workbench(1, 100_000_000, timeout_s=60) as bench:
        large = bench.submit(prepare_into, store, design_of(tmp_path / "large.webp"), Geometry(50, 50)).outcome()
        small = bench.submit(prepare_into, store, design_of(tmp_path / "small.webp"), Geometry(50, 50)).outcome()
    assert isinstance(large, ArtworkError)
    assert "\n" not in large.message
    assert small == store.find(design_of(tmp_path / "small.webp"), Geometry(50, 50))


CRAMPED = """
import operator, resource
import tiles.children
from tiles.workbench import Workbench

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_DATA, (20_000_000, 20_000_000))
    with Workbench(1, 1_000_000, 60) as bench:
        for _ in range(2):
            try:
                print(bench.submit(operator.neg, 1).outcome())
            except Exception as error:
                print(type(error).__name__, error)
"""


def test_too_little_memory_to_begin_with_is_not_mistaken_for_bad_artwork(tmp_path: Path) -> None:
    (tmp_path / "cramped.py").write_text(CRAMPED)
    said = subprocess.run(
        [sys.executable, tmp_path / "cramped.py"],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    ).stdout
    assert said.count("BudgetError memory: no process can be started to read artwork in") == 2


def die_once(flag: Path) -> int:
    """Die, in a child, unless it has been tried before; return the process."""
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def test_a_child_that_dies_before_it_is_known_what_it_does_does_not_sink_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it happens now and then to one that dies as soon as it has begun: pebble gives up the whole pool."""
    breaks = [BrokenProcessPool("All workers expired")]
    look_up = PoolManager.find_expired_task

    def find_expired_task(manager: PoolManager, worker: int) -> object:
        if breaks:
            raise breaks.pop()
        return look_up(manager, worker)

    monkeypatch.setattr(PoolManager, "find_expired_task", find_expired_task)
    with Workbench(2, MEMORY_BYTES, 60) as bench:
        bench.submit(write_pid_and_stay, tmp_path / "pid")
        wait_until((tmp_path / "pid").exists)
        dying, other = bench.submit(die_once, tmp_path / "flag"), bench.submit(operator.neg, 2)
        assert dying.result() != os.getpid()
        assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))  # it would write what is made anew
        assert other.result() == -2
        assert bench.submit(operator.neg, 3).result() == -3
    assert not breaks


def test_a_child_knows_its_limits(bench: Workbench) -> None:
    assert bench.submit(resource.getrlimit, resource.RLIMIT_DATA).result() == (MEMORY_BYTES, MEMORY_BYTES)


def test_a_bug_is_not_mistaken_for_bad_artwork(bench: Workbench) -> None:
    with pytest.raises(ZeroDivisionError):
        bench.submit(operator.truediv, 1, 0).outcome()


def test_a_full_disk_is_not_mistaken_for_bad_artwork(bench: Workbench) -> None:
    with pytest.raises(BudgetError, match="disk: No space left on device") as failure:
        bench.submit(Path.write_bytes, Path("/dev/full"), b"pixels").outcome()
    assert failure.value.exit_code == ExitCode.BUDGET


def test_a_full_store_is_not_mistaken_for_bad_artwork(
    bench: Workbench, tmp_path: Path, tiny_disk: Path, design_of: "DesignOf"
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1000, 4), np.uint8)
    Image.fromarray(noise).save(tmp_path / "artwork.png")
    with pytest.raises(BudgetError, match="disk: No space left on device"):
        bench.submit(
            prepare_into, TileStore(tiny_disk), design_of(tmp_path / "artwork.png"), Geometry(1000, 1000)
        ).outcome()
    assert list(tiny_disk.rglob("*.v")) == []


def test_a_store_out_of_reach_is_not_mistaken_for_bad_artwork(
    bench: Workbench, tmp_path: Path, design_of: "DesignOf"
) -> None:
    Image.new("RGBA", (9, 9), "red").save(tmp_path / "artwork.png")
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"the tile store cannot be used: Not a directory: .*file"):
        bench.submit(
            prepare_into, TileStore(tmp_path / "file"), design_of(tmp_path / "artwork.png"), Geometry(9, 9)
        ).outcome()


def test_all_results_come_with_one_more_in_flight_than_there_are_workers(bench: Workbench) -> None:
    begun: list[int] = []
    finished: list[tuple[int, object]] = []
    most = 0

    def begin(number: int) -> Task[object]:
        nonlocal most
        begun.append(number)
        most = max(most, len(begun) - len(finished))
        return bench.submit(operator.neg, number)

    for outcome in bench.outcomes(range(20), begin, lambda *_: True):
        finished.append(outcome)
    assert sorted(finished) == [(number, -number) for number in range(20)]
    assert most == bench.workers + 1


def test_another_is_begun_only_if_it_may_be(bench: Workbench) -> None:
    asked: list[tuple[int, list[int]]] = []

    def may_begin(number: int, under_way: list[int]) -> bool:
        asked.append((number, under_way))
        return False

    outcomes = list(bench.outcomes(range(3), lambda number: bench.submit(operator.neg, number), may_begin))
    assert outcomes == [(0, 0), (1, -1), (2, -2)]
    assert asked == [(1, [0]), (2, [1])]


PARENT = """
import sys, time
from pathlib import Path
from tiles.workbench import Workbench

if __name__ == "__main__":
    with Workbench(2, 300_000_000, 600) as bench:
        flags = [Path(sys.argv[1]), Path(sys.argv[2])]
        for task in [bench.submit(Path.touch, flag) for flag in flags]:
            task.result()
        tasks = [bench.submit(time.sleep, 600) for _ in flags]
        Path(sys.argv[3]).touch()
        tasks[0].result()
"""


@pytest.fixture
def parent(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Return a process whose children are at work."""
    flags = [tmp_path / name for name in ("one", "two", "ready")]
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    process = subprocess.Popen(
        [sys.executable, script, *flags],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_until(flags[2].exists)
    yield process
    process.kill()
    process.wait()


def children_of(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    return children


def have_ended(processes: list[psutil.Process]) -> bool:
    return all(not child.is_running() or child.status() == psutil.STATUS_ZOMBIE for child in processes)


def test_children_end_when_their_parent_is_killed(parent: "subprocess.Popen[bytes]") -> None:
    children = children_of(parent)
    parent.kill()
    wait_until(lambda: have_ended(children))


def test_children_end_when_the_run_is_interrupted(parent: "subprocess.Popen[bytes]") -> None:
    children = children_of(parent)
    os.killpg(parent.pid, signal.SIGINT)  # as a terminal does
    assert parent.wait(DEADLINE_S) != 0
    wait_until(lambda: have_ended(children))


@pytest.mark.parametrize("trade", TRADES)
def test_who_fails_cleans_up_where_no_child_writes_any_more(trade: str, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Workbench(1, MEMORY_BYTES, 60, TRADES[trade]) as bench:
        bench.submit(write_pid_and_stay, tmp_path / "pid")
        wait_until((tmp_path / "pid").exists)
        raise KeyboardInterrupt
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize(("error", "told"), [("EOFError()", False), ("ValueError('a bug')", True)])
def test_a_child_whose_run_has_gone_says_nothing_and_a_bug_is_told(error: str, told: bool) -> None:
    script = f"import tiles.manners\nraise {error}"
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ("a bug" in done.stderr) == told
    assert bool(done.stderr) == told
