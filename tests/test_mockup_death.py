"""Mock-ups killed, interrupted, out of disk or memory, locked out: what is finished stays, and nothing else is left."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from config.errors import ExitCode
from tests.conftest import begin
from tests.mockups import area
from tests.test_death import end, kill_at, mount, opened_by, wait_for

if TYPE_CHECKING:
    from tests.mockups import PhotoShop

MOCKUPS = 20
PHOTO = (900, 700)  # large enough that a run is never over before it is disturbed


def noted(shop: "PhotoShop") -> list[str]:
    """Return the mock-ups that the manifest lists by now."""
    try:
        return [entry["file"] for entry in shop.manifest["mockups"]]
    except (OSError, json.JSONDecodeError):
        return []


@pytest.fixture
def twenty(photo_shop: "PhotoShop") -> "PhotoShop":
    """Ten designs on two templates."""
    shop = photo_shop
    for number in range(MOCKUPS // 2):
        shop.noise(f"{number}.png", (400, 300), number)
    shop.photo("photo.png", PHOTO)
    for name in ("card", "mug"):
        shop.template(name, area(corners=[[50, 60], [850, 90], [800, 640], [90, 600]]), background="photo.png")
    return shop


def begun(shop: "PhotoShop", made: int) -> "subprocess.Popen[bytes]":
    """Start a run, and return it stopped (SIGSTOP) when so many mock-ups are written down in the manifest."""
    process = begin("run", shop.write())
    wait_for(lambda: len(noted(shop)) >= made or process.poll() is not None, f"{made} mock-ups")
    process.send_signal(signal.SIGSTOP)
    assert process.poll() is None, "the run was over before it could be disturbed"
    assert len(noted(shop)) < MOCKUPS
    return process


def children_of(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def gone(children: list[psutil.Process]) -> bool:
    return not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


def test_after_kill_9_the_next_run_makes_only_what_is_missing(twenty: "PhotoShop") -> None:
    shop = twenty
    process = begun(shop, 1)
    children = children_of(process)
    end(process, signal.SIGKILL)
    wait_for(lambda: gone(children), "the children")
    known, kept = noted(shop), shop.inodes()
    proof = shop.verify()

    again = shop.run()

    assert proof.exit_code == ExitCode.INCOMPLETE
    assert f"the run was not finished: {len(known)} of {MOCKUPS} mock-ups are there" in proof.stdout
    assert again.exit_code == 0
    assert shop.manifest["totals"] == {"asked": MOCKUPS, "made": MOCKUPS, "unchanged": len(known), "failed": 0}
    assert {file: shop.inodes()[file] for file in known} == {file: kept[file] for file in known}
    assert shop.leftovers() == []
    undisturbed = shop.folder / "undisturbed"
    assert shop.run("--out", undisturbed).exit_code == 0
    assert {name: (undisturbed / name).read_bytes() for name in shop.files()} == {
        name: (shop.out / name).read_bytes() for name in shop.files()
    }


def test_what_a_killed_run_left_half_made_is_removed_even_if_it_is_not_asked_for_any_more(twenty: "PhotoShop") -> None:
    shop = twenty
    process = begin("run", shop.write())
    wait_for(lambda: list(shop.out.glob("*.partial")) or process.poll() is not None, "the first mock-up")
    children = children_of(process)
    end(process, signal.SIGKILL)
    wait_for(lambda: gone(children), "the children")
    for number in range(MOCKUPS // 2 - 1):
        (shop.folder / f"designs/{number}.png").unlink()

    assert shop.run().exit_code == 0

    assert shop.files() == ["9_card.jpg", "9_mug.jpg"]
    assert shop.leftovers() == []


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("number", "exit_code", "words"),
    [
        (signal.SIGTERM, 4, "stopped by SIGTERM"),
        (signal.SIGINT, 130, "interrupted"),
    ],
)
def test_sigterm_and_ctrl_c_keep_what_is_finished_and_leave_no_partial(
    twenty: "PhotoShop", number: signal.Signals, exit_code: int, words: str, workers: int
) -> None:
    shop = twenty
    shop.job["workers"] = workers
    process = begun(shop, 1)

    code, stdout, stderr = end(process, number)

    assert code == exit_code
    assert words in stdout + stderr  # the job says so if a mock-up was being delivered, which is then finished
    assert "Traceback" not in stdout
    assert 0 < len(shop.files()) < MOCKUPS
    assert set(noted(shop)) <= set(shop.files())
    unlisted = len(shop.files()) - len(noted(shop))  # they may have their names, and not yet their lines
    assert unlisted <= workers + 1  # that many are handed over to children at once
    assert list(shop.folder.rglob("*.partial")) == []


def test_at_the_deadline_nothing_more_is_begun_and_what_is_done_is_kept(twenty: "PhotoShop") -> None:
    shop = twenty
    shop.keys["run"] = {"deadline": "10m"}
    process = begun(shop, 1)

    code, stdout, _ = end(process, signal.SIGALRM)  # which is how the deadline is heard of

    assert code == ExitCode.STORAGE
    assert "Job job: the run's deadline of 600 s has passed" in stdout
    done = shop.inodes()
    assert 0 < len(done) < MOCKUPS
    assert sorted(noted(shop)) == sorted(done)
    again = shop.run()
    assert again.exit_code == 0
    assert shop.manifest["totals"]["unchanged"] == len(done)
    assert {file: shop.inodes()[file] for file in done} == done
    assert shop.leftovers() == []


def test_a_deadline_before_anything_can_be_made_leaves_nothing(twenty: "PhotoShop") -> None:
    shop = twenty
    shop.keys["run"] = {"deadline": "0.01s"}

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.STORAGE
    assert "the run's deadline of 0.01 s has passed" in outcome.text
    assert not shop.out.exists() or shop.files() == []


def test_a_second_run_on_the_same_output_ends_with_6(twenty: "PhotoShop") -> None:
    shop = twenty
    process = begun(shop, 1)

    second = shop.run()

    end(process, signal.SIGTERM)
    assert second.exit_code == ExitCode.LOCKED
    assert f"Job job: another run writes to {shop.out}" in second.messages


@pytest.mark.parametrize("kind", ["jpg", "webp"])
def test_a_child_that_is_killed_costs_its_mockup_only(twenty: "PhotoShop", kind: str) -> None:
    shop, count = twenty, 6
    shop.job["designs"]["glob"] = "[0-2].png"
    shop.output(format=kind)
    process = begin("run", shop.write())
    killed = wait_for_kill(process)
    _, stderr = process.communicate(timeout=120)

    assert (process.returncode, stderr) == (ExitCode.INCOMPLETE, b"")
    assert shop.reasons() == {killed: "the decoder died (SIGKILL)"}
    assert len(shop.files()) == count - 1
    assert shop.manifest["totals"] == {"asked": count, "made": count - 1, "unchanged": 0, "failed": 1}
    assert list(shop.folder.rglob("*.partial")) == []

    again = shop.run()

    assert again.exit_code == 0
    assert shop.manifest["totals"] == {"asked": count, "made": count, "unchanged": count - 1, "failed": 0}
    assert shop.leftovers() == []


def wait_for_kill(process: "subprocess.Popen[bytes]") -> str:
    """Kill the first child that is seen making a mock-up; return the name of its file."""
    killed: list[str] = []

    def kill() -> bool:
        for child in children_of(process):
            for path in opened_by(child):
                if path.endswith(".partial") and "/out/" in path and not killed and kill_at(child, path):
                    killed.append(Path(path).name.removesuffix(".partial"))
        return bool(killed)

    wait_for(lambda: kill() or process.poll() is not None, "a mock-up under way")
    (file,) = killed
    return file


def test_a_memory_budget_too_small_ends_with_5_before_anything_is_read(twenty: "PhotoShop") -> None:
    outcome = twenty.run("--set", "memory.budget=40MB")

    assert outcome.exit_code == ExitCode.BUDGET
    assert any(text.startswith("Job job: memory: ") for text in outcome.messages)
    assert not twenty.out.exists() or twenty.files() == []


def test_a_mockup_that_no_memory_here_suffices_for_fails_for_itself(photo_shop: "PhotoShop") -> None:
    """WebP's encoder holds the whole picture, at twelve bytes for a pixel."""
    shop = photo_shop
    shop.design("a.png")
    shop.photo("huge.png", (4000, 4000))
    shop.template("huge", background="huge.png")
    shop.template("mug")
    shop.output(format="webp")

    outcome = shop.run("--set", "memory.budget=250MB")

    assert outcome.exit_code == ExitCode.INCOMPLETE
    assert shop.files() == ["a_mug.webp"]
    assert shop.reasons()["a_huge.webp"].startswith("it needs about ")


@pytest.fixture
def small_disk(photo_shop: "PhotoShop") -> Iterator[Callable[[str], Path]]:
    """A way to put a small file system under the output folder."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting needs root on Linux")
    mounted: list[Path] = []

    def make(options: str) -> Path:
        mount(photo_shop.out, options)
        mounted.append(photo_shop.out)
        return photo_shop.out

    yield make
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_too_small_is_seen_before_a_mockup_is_begun(
    twenty: "PhotoShop", small_disk: Callable[[str], Path]
) -> None:
    small_disk("size=400k")

    outcome = twenty.run()

    assert outcome.exit_code == ExitCode.BUDGET
    assert any(text.startswith("Job job: disk: 0_card.jpg needs about ") for text in outcome.messages)
    assert list(twenty.folder.rglob("*.partial")) == []


def test_a_disk_that_fills_up_keeps_what_is_finished_and_leaves_no_partial(
    twenty: "PhotoShop", small_disk: Callable[[str], Path]
) -> None:
    shop = twenty
    out = small_disk("size=2m")

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.BUDGET
    assert any(text.startswith("Job job: disk: ") for text in outcome.messages)
    done = shop.inodes()
    assert 0 < len(done) < MOCKUPS
    assert sorted(noted(shop)) == sorted(done)
    assert list(shop.folder.rglob("*.partial")) == []
    subprocess.run(["mount", "-o", "remount,size=50m", str(out)], check=True)
    assert shop.run().exit_code == 0
    assert shop.manifest["totals"]["unchanged"] == len(done)
    assert {file: shop.inodes()[file] for file in done} == done


def test_a_disk_that_fills_up_under_a_mockup_is_said_to_be_full(
    photo_shop: "PhotoShop", small_disk: Callable[[str], Path]
) -> None:
    """At full quality and resolution of colours, noise takes more bytes than a photograph ever does."""
    shop = photo_shop
    shop.noise("a.png", (600, 600))
    shop.photo("photo.png", (600, 600))
    shop.template("card", area(box={"x": 0, "y": 0, "width": 600, "height": 600}), background="photo.png")
    shop.output(quality=100, chroma="4:4:4")
    small_disk("size=500k")

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.BUDGET
    assert any("disk: " in text for text in outcome.messages), outcome.messages
    assert shop.files() == []


def test_a_read_only_output_ends_with_4(twenty: "PhotoShop", small_disk: Callable[[str], Path]) -> None:
    small_disk("ro")

    outcome = twenty.run()

    assert outcome.exit_code == ExitCode.STORAGE
    assert any(text.startswith(f"Job job: {twenty.out}") and "Read-only" in text for text in outcome.messages)


def test_an_output_that_is_a_file_ends_with_4(twenty: "PhotoShop") -> None:
    twenty.out.write_text("in the way")

    outcome = twenty.run()

    assert outcome.exit_code == ExitCode.STORAGE
    assert twenty.out.read_text() == "in the way"
