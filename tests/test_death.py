"""Killed, interrupted, out of disk or memory, locked out: what is finished stays, and nothing else is left."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from config.errors import ExitCode
from config.loader import load_pipeline
from pipeline.log import NoProgress
from pipeline.runner import run_jobs
from pipeline.surroundings import build_context
from tiles.sinks.sink import AtomicFile

if TYPE_CHECKING:
    from tests.conftest import Shop

DEADLINE_S = 120.0
PARTS = 10


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Poll until the condition holds."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.002)


@pytest.fixture
def many_parts(shop: "Shop") -> "Shop":
    """Orders for ten parts of incompressible artwork: enough that a run is never over before it is disturbed."""
    shop.design("noise.png", 700, 700, noise=True)
    shop.job["sheet"] = {"width_in": 29, "height_in": 36, "dpi": 100}
    shop.orders([(order, "noise.png", 20) for order in range(PARTS)])
    shop.write()
    return shop


def begin_part_2(shop: "Shop", begin: "Callable[..., subprocess.Popen[bytes]]") -> "subprocess.Popen[bytes]":
    """Start a run, and return it stopped (SIGSTOP) when it has begun its second part."""
    process = begin("run", shop.pipeline)
    wait_for(lambda: list(shop.out.glob("GangSheet_Part_[2-9].png*")) or process.poll() is not None, "part 2")
    process.send_signal(signal.SIGSTOP)
    assert process.poll() is None, "the run was over before it could be disturbed"
    return process


def opened_by(child: psutil.Process) -> list[str]:
    """Return the paths of the files that a process has opened; none if it is gone."""
    try:
        return [file.path for file in child.open_files()]
    except psutil.Error:
        return []


def kill_at(child: psutil.Process, path: str) -> bool:
    """Kill a process that was seen at work on a file, if it still is; tell whether it was."""
    with suppress(psutil.NoSuchProcess):
        child.suspend()
        if path in opened_by(child):
            child.kill()
            return True
        child.resume()
    return False


def end(process: "subprocess.Popen[bytes]", number: signal.Signals) -> "tuple[int, str, str]":
    """Send a signal to a stopped process, let it go on with that, and wait for its end."""
    process.send_signal(number)
    process.send_signal(signal.SIGCONT)
    stdout, stderr = process.communicate(timeout=DEADLINE_S)
    return process.returncode, stdout.decode(), stderr.decode()


def test_after_kill_9_part_1_is_proven_and_running_again_completes(
    many_parts: "Shop", begin: "Callable[..., subprocess.Popen[bytes]]"
) -> None:
    shop = many_parts
    process = begin_part_2(shop, begin)
    children = psutil.Process(process.pid).children(recursive=True)
    end(process, signal.SIGKILL)

    wait_for(lambda: not any(child.is_running() and child.status() != "zombie" for child in children), "the children")
    whole = [path for path in shop.parts() if path.suffix == ".png"]
    assert [path.name for path in whole] == [f"GangSheet_Part_{part}.png" for part in range(1, len(whole) + 1)]
    assert {path.name for path in shop.parts()} - {path.name for path in whole} <= {
        f"GangSheet_Part_{len(whole) + 1}.png.partial"
    }
    proof = shop.verify()
    assert proof.exit_code == 3
    proven = len(shop.manifest["parts"])
    assert len(whole) - proven in {0, 1}  # a part may have its name, and not yet its line in the manifest
    assert proof.stdout.splitlines() == [
        f"the run was not finished: {proven} of {PARTS} parts are there",
        f"{proven} parts, {20 * proven} placements verified: 1 problems",
    ]
    before = (shop.out / "GangSheet_Part_1.png").stat()

    again = shop.run()

    assert again.exit_code == 0
    assert "Part 1 is whole already: GangSheet_Part_1.png" in again.messages
    assert (shop.out / "GangSheet_Part_1.png").stat().st_ino == before.st_ino
    assert [path.name for path in shop.parts()] == sorted(f"GangSheet_Part_{part}.png" for part in range(1, PARTS + 1))
    assert shop.verify().exit_code == 0


@pytest.mark.parametrize(
    ("number", "exit_code", "words"),
    [
        (signal.SIGTERM, 4, "stopped by SIGTERM; what is done is kept: run again, and the rest is made"),
        (signal.SIGINT, 130, "interrupted"),
    ],
)
def test_sigterm_and_ctrl_c_keep_finished_parts_and_leave_no_partial(
    many_parts: "Shop",
    begin: "Callable[..., subprocess.Popen[bytes]]",
    number: signal.Signals,
    exit_code: int,
    words: str,
) -> None:
    shop = many_parts
    process = begin_part_2(shop, begin)

    code, stdout, stderr = end(process, number)

    assert (code, stderr.strip()) == (exit_code, words)
    assert "Traceback" not in stdout
    assert "GangSheet_Part_1.png" in {path.name for path in shop.parts()}
    assert list(shop.folder.rglob("*.partial")) == []


def test_at_the_deadline_no_new_part_is_begun_and_what_is_begun_is_finished(
    many_parts: "Shop", begin: "Callable[..., subprocess.Popen[bytes]]"
) -> None:
    shop = many_parts
    shop.write(run={"deadline": "10m"})
    process = begin_part_2(shop, begin)

    code, stdout, _ = end(process, signal.SIGALRM)  # which is how the deadline is heard of

    assert code == 4
    assert "Job job: the run's deadline of 600 s has passed" in stdout
    whole = {path.name for path in shop.parts()}
    assert whole == {f"GangSheet_Part_{part}.png" for part in range(1, len(whole) + 1)}
    assert 1 < len(shop.manifest["parts"]) == len(whole) < PARTS
    shop.write()
    assert shop.run().exit_code == 0
    assert shop.verify().exit_code == 0


def test_a_deadline_before_anything_can_be_printed_leaves_nothing(many_parts: "Shop") -> None:
    shop = many_parts
    shop.write(run={"deadline": "0.01s"})

    outcome = shop.run()

    assert outcome.exit_code == 4
    assert "the run's deadline of 0.01 s has passed" in outcome.text
    assert list(shop.folder.rglob("GangSheet*")) == []


def test_a_damaged_finished_part_is_made_again(
    many_parts: "Shop", begin: "Callable[..., subprocess.Popen[bytes]]"
) -> None:
    shop = many_parts
    end(begin_part_2(shop, begin), signal.SIGKILL)
    with (shop.out / "GangSheet_Part_1.png").open("r+b") as file:
        file.seek(5000)
        file.write(b"?")

    again = shop.run()

    assert "Part 1 is whole already: GangSheet_Part_1.png" not in again.messages
    assert shop.verify().exit_code == 0


def test_other_orders_after_a_death_begin_anew(
    many_parts: "Shop", begin: "Callable[..., subprocess.Popen[bytes]]"
) -> None:
    shop = many_parts
    end(begin_part_2(shop, begin), signal.SIGKILL)
    shop.orders([("1", "noise.png", 2)])

    again = shop.run()

    assert again.exit_code == 0
    assert [path.name for path in shop.parts()] == ["GangSheet_Part_1.png"]
    assert shop.manifest["totals"]["placed"] == 2


def test_a_second_run_on_the_same_output_ends_with_6(
    many_parts: "Shop", begin: "Callable[..., subprocess.Popen[bytes]]"
) -> None:
    shop = many_parts
    process = begin_part_2(shop, begin)

    second = shop.run()

    end(process, signal.SIGTERM)
    assert second.exit_code == 6
    assert f"Job job: another run writes to {shop.out}" in second.messages
    assert shop.run().exit_code == 0


def test_a_memory_budget_too_small_ends_with_5_before_anything_is_read(shop: "Shop") -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 1)])

    outcome = shop.run("--set", "memory.budget=40MB")

    assert outcome.exit_code == 5
    assert any(text.startswith("Job job: memory: rendering the sheet needs ") for text in outcome.messages)
    assert shop.parts() == []


def mount(folder: Path, options: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def small_disk(shop: "Shop") -> Iterator[Callable[[str], Path]]:
    """A way to put a small file system under the output folder."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting needs root on Linux")
    mounted: list[Path] = []

    def make(options: str) -> Path:
        mount(shop.out, options)
        mounted.append(shop.out)
        return shop.out

    yield make
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_too_small_is_seen_before_the_part_is_begun(
    many_parts: "Shop", small_disk: Callable[[str], Path]
) -> None:
    small_disk("size=6m")

    outcome = many_parts.run()

    assert outcome.exit_code == 5
    assert any(text.startswith("Job job: disk: part 1 needs about ") for text in outcome.messages)
    assert many_parts.parts() == []


def test_a_disk_that_fills_up_under_way_leaves_finished_parts_and_no_partial(
    shop: "Shop", small_disk: Callable[[str], Path]
) -> None:
    for index in range(8):  # flat artwork by its own compression, but a thousand small copies hold far more edges
        shop.design(f"{index}.png", 800, 800, seed=index)
    shop.job["sheet"] = {"width_in": 30, "height_in": 40, "dpi": 100}
    shop.orders([(index, f"{index}.png", 500, 0.3, 0.3) for index in range(8)])
    small_disk("size=256k")

    outcome = shop.run()

    assert outcome.exit_code == 5
    assert any("disk: full while writing to" in text for text in outcome.messages), outcome.messages
    assert list(shop.folder.rglob("*.partial")) == []


def test_a_disk_that_fills_up_in_part_2_keeps_part_1(many_parts: "Shop", monkeypatch: pytest.MonkeyPatch) -> None:
    """The same without a mount: the file system refuses the second part's bytes."""
    write = AtomicFile.write

    def refuse(file: AtomicFile, data: bytes | memoryview) -> None:
        if "Part_2" in file.path.name and file.position > 1_000_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(file, data)

    monkeypatch.setattr(AtomicFile, "write", refuse)
    pipeline = load_pipeline(many_parts.pipeline, {})
    _, code = run_jobs(pipeline.jobs, build_context(pipeline, many_parts.pipeline, NoProgress()))

    assert code == ExitCode.BUDGET
    assert [path.name for path in many_parts.parts()] == ["GangSheet_Part_1.png"]
    assert many_parts.verify().stdout.startswith("the run was not finished: 1 of 10 parts are there\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes wherever it likes; a read-only mount stands in below")
def test_a_folder_without_permission_ends_with_4(shop: "Shop") -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 1)])
    shop.out.mkdir(mode=0o500)
    assert shop.run().exit_code == 4


def test_a_read_only_output_ends_with_4(shop: "Shop", small_disk: Callable[[str], Path]) -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 1)])
    small_disk("ro")

    outcome = shop.run()

    assert outcome.exit_code == 4
    assert any(text.startswith(f"Job job: {shop.out}") and "Read-only" in text for text in outcome.messages)


def test_an_output_that_is_a_file_ends_with_4(shop: "Shop") -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 1)])
    shop.out.write_text("in the way")

    outcome = shop.run()

    assert outcome.exit_code == 4
    assert shop.out.read_text() == "in the way"
