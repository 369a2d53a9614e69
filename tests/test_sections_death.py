"""Section runs killed, interrupted, out of time; processes that die, hang or swell: what is finished stays."""

import json
import re
import signal
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pikepdf
import pytest
from pikepdf import Array, Name

from config.errors import ExitCode
from tests.conftest import Outcome, begin
from tests.mockups import sha256
from tests.sections import children_of, gone, lasting, listed_files
from tests.test_death import end, kill_at, opened_by, wait_for

if TYPE_CHECKING:
    from tests.sections import PdfShop

SECTIONS = 40
TIMES = re.compile(r"<div><b>[^<]*</b>(seconds|peak memory)</div>|, \d{4}-\d\d-\d\dT[^<]*</p>")
TURN_S = 10  # within which a run that is told to end has to


def journal_of(shop: "PdfShop") -> list[int]:
    """Return which sections the journal says have ended."""
    try:
        lines = (shop.out / ".tilepress.journal").read_bytes().splitlines(keepends=True)
    except OSError:
        return []
    return [json.loads(line)["number"] for line in lines if line.endswith(b"\n")]


def begun(shop: "PdfShop", ended: int, **environment: str) -> "subprocess.Popen[bytes]":
    """Start a run, and return it stopped (SIGSTOP) when so many sections have ended."""
    process = begin("run", shop.write(), **environment)
    wait_for(lambda: len(journal_of(shop)) >= ended or process.poll() is not None, f"{ended} sections")
    process.send_signal(signal.SIGSTOP)
    assert process.poll() is None, "the run was over before it could be disturbed"
    return process


@pytest.fixture
def forty(pdf_shop: "PdfShop") -> "PdfShop":
    """A course of forty sections; a page each."""
    shop = pdf_shop
    shop.document(pages=SECTIONS)
    shop.job["sections"] = {"every": 1}
    return shop


def made_by(outcome: Outcome) -> list[int]:
    """Return the sections that a run tells of having made."""
    lines = (json.loads(line) for line in outcome.stdout.splitlines() if line.startswith("{"))
    return [line["section"] for line in lines if "bytes" in line and "section" in line]


def test_killed_in_section_17_of_40_the_next_run_does_17_to_40_only(forty: "PdfShop") -> None:
    shop = forty
    process = begun(shop, 16)
    children = children_of(process)
    end(process, signal.SIGKILL)
    wait_for(lambda: gone(children), "the children")
    ended = journal_of(shop)
    assert ended == [*range(1, len(ended) + 1)]
    assert 16 <= len(ended) < SECTIONS
    files = [entry for number in ended for entry in shop.out.glob(f"{number:03}_*")]
    before = {path.name: path.stat() for path in files}
    assert len(before) == 3 * len(ended)
    unfinished = shop.verify()

    again = shop.run()

    assert unfinished.exit_code == ExitCode.INCOMPLETE
    assert "the run was not finished: " in unfinished.stdout
    assert again.exit_code == 0
    missing = SECTIONS - len(ended)
    assert f"lessons.pdf: 40 pages, 40 sections; {len(ended)} are there and unchanged, {missing} to be made" in (
        again.messages
    )
    assert made_by(again) == [*range(len(ended) + 1, SECTIONS + 1)]
    after = {name: (shop.out / name).stat() for name in before}
    assert {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in after.items()} == {
        name: (stat.st_ino, stat.st_mtime_ns) for name, stat in before.items()
    }
    assert shop.totals() == (SECTIONS, SECTIONS, len(ended), 0)
    assert shop.leftovers() == []
    compare_with_undisturbed(shop)


def compare_with_undisturbed(shop: "PdfShop") -> None:
    """Have it all made elsewhere: the same, but for times and memory."""
    hashes, manifest, summary = shop.hashes(), shop.manifest, shop.summary
    shop.output(to="undisturbed/out")
    other = type(shop)(shop.folder / "undisturbed")
    assert shop.run().exit_code == 0
    assert other.hashes() == hashes
    assert lasting(other.sections) == lasting(manifest["sections"])
    different = {"started_at", "finished_at", "totals", "memory", "seconds", "sections"}
    assert {key: value for key, value in other.manifest.items() if key not in different} == {
        key: value for key, value in manifest.items() if key not in different
    }
    assert TIMES.sub("", other.summary) == TIMES.sub("", summary)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("number", "exit_code", "words"),
    [(signal.SIGTERM, ExitCode.STORAGE, "stopped by SIGTERM"), (signal.SIGINT, 130, "interrupted")],
)
def test_sigterm_and_ctrl_c_keep_what_is_finished_and_leave_nothing_half_made(
    forty: "PdfShop", number: signal.Signals, exit_code: int, words: str, workers: int
) -> None:
    shop = forty
    shop.job |= {"workers": workers, "pages": {"dpi": 1500}}  # long enough that a section is always under way
    process = begun(shop, 2)
    children = children_of(process)
    process.send_signal(number)
    process.send_signal(signal.SIGCONT)

    stdout, stderr = (said.decode() for said in process.communicate(timeout=TURN_S))

    assert process.returncode == exit_code
    assert words in stdout + stderr
    assert "Traceback" not in stdout + stderr
    wait_for(lambda: gone(children), "the children")
    listed = [file for entry in shop.sections for file in listed_files(entry)]
    assert 2 <= len(shop.sections) < SECTIONS
    unlisted = {name[:3] for name in shop.files() if name not in listed and name != ".tilepress.journal"}
    assert len(unlisted) <= (number == signal.SIGINT)  # one may have ended, and not yet be written down
    assert {name: sha256(shop.out / name) for name in listed} == {
        file["file"]: file["sha256"] for entry in shop.sections for file in entry["files"]
    }
    assert list(shop.folder.rglob("*.partial")) == []


@pytest.mark.parametrize("how", ["run.deadline", "WORKER_TIMEOUT"])
def test_at_the_deadline_nothing_more_is_begun_and_the_next_run_does_the_rest(forty: "PdfShop", how: str) -> None:
    shop = forty
    shop.job["delay_s"] = 3600  # so the second section is never begun
    shop.keys["run"] = {"deadline": "10m" if how == "run.deadline" else "1h"}
    process = begun(shop, 1, **({"WORKER_TIMEOUT": "600"} if how == "WORKER_TIMEOUT" else {}))

    code, stdout, _ = end(process, signal.SIGALRM)  # which is how the deadline is heard of

    assert code == ExitCode.STORAGE
    assert "the run's deadline of 600 s has passed" in stdout
    assert [entry["number"] for entry in shop.sections] == [1]
    assert shop.manifest["finished_at"] is None
    assert "The run that made these is not finished." in shop.summary
    before = shop.inodes()
    shop.keys["run"] = {}
    shop.job |= {"delay_s": 0, "collect_garbage": False}
    assert shop.run().exit_code == 0
    assert shop.totals() == (SECTIONS, SECTIONS, 1, 0)
    assert {name: shop.inodes()[name] for name in before if name.startswith("001_")} == {
        name: inode for name, inode in before.items() if name.startswith("001_")
    }
    assert shop.leftovers() == []


def test_a_second_run_on_the_same_output_ends_with_6(forty: "PdfShop") -> None:
    process = begun(forty, 1)

    second = forty.run()

    end(process, signal.SIGTERM)
    assert second.exit_code == ExitCode.LOCKED


@contextmanager
def watched(shop: "PdfShop") -> "Iterator[subprocess.Popen[bytes]]":
    """Start a run, and see that it is over at the end, whatever happens."""
    process = begin("run", shop.write())
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def kill_maker(process: "subprocess.Popen[bytes]", name: str) -> bool:
    """Kill the process that is just drawing a page of a section; return whether there is one."""
    opened = ((child, path) for child in children_of(process) for path in opened_by(child))
    drawn = ((child, path) for child, path in opened if Path(path).match(f"{name}*.partial"))
    return any(kill_at(child, path) for child, path in drawn)


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_section_whose_process_died_is_tried_again_and_fails_alone(pdf_shop: "PdfShop", attempts: int) -> None:
    shop = pdf_shop
    shop.document(pages=3)
    shop.job |= {"sections": {"every": 1}, "pages": {"dpi": 2000}, "limits": {"attempts": attempts}}
    with watched(shop) as process:
        wait_for(lambda: kill_maker(process, "002_Page_2_p") or process.poll() is not None, "section 2")
        stdout, stderr = process.communicate(timeout=120)

    assert stderr == b""
    assert [entry["number"] for entry in shop.sections] == [1, 2, 3]
    reason = "the process at work on it died (SIGKILL)"
    if attempts == 2:
        assert (process.returncode, shop.errors()) == (0, {})
        assert [entry["attempts"] for entry in shop.sections] == [1, 2, 1]
        assert f"2. Page 2: {reason}; trying again in " in stdout.decode()
    else:
        assert (process.returncode, shop.errors()) == (ExitCode.INCOMPLETE, {2: reason})
        assert shop.sections[1]["files"] == []
        assert not list(shop.out.glob("002_*"))
        assert f"Not complete: {reason}" in shop.summary
        assert shop.run().exit_code == 0
        assert shop.totals() == (3, 3, 2, 0)
    assert shop.leftovers() == []
    assert shop.verify().exit_code == 0


def test_a_section_that_takes_too_long_fails_alone(pdf_shop: "PdfShop") -> None:
    """Its content is long to draw: paths upon paths."""
    shop = pdf_shop
    document = shop.document(pages=3)
    with pikepdf.open(document, allow_overwriting_input=True) as pdf:
        strokes = b"0 0 m " + b"".join(b"%d %d l " % (x * 7 % 140, x * 13 % 190) for x in range(3000)) + b"S\n"
        pdf.pages[1].Contents = pdf.make_stream(strokes * 3000)
        pdf.save(document)
    shop.job |= {"sections": {"every": 1}, "limits": {"attempts": 1, "timeout_s": 5}, "analyzer": {"kind": "none"}}
    shop.output(text=False)

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.INCOMPLETE
    assert shop.errors() == {2: "taking it apart took longer than 5 s"}
    assert [len(entry["files"]) for entry in shop.sections] == [2, 0, 2]
    assert shop.leftovers() == []


def swell(document: "Path", page: int, size: int) -> None:
    """Give a page content of so many bytes, which nobody sees as long as it is not unpacked."""
    packer = zlib.compressobj(1)
    data = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)), packer.flush()])
    with pikepdf.open(document, allow_overwriting_input=True) as pdf:
        content = pdf.make_stream(zlib.compress(data))
        content.Filter = Array([Name.FlateDecode, Name.FlateDecode])
        pdf.pages[page - 1].Contents = content
        pdf.save(document)


def test_a_section_that_swells_fails_alone(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    swell(shop.document(pages=3), page=2, size=300 << 20)
    shop.job |= {"sections": {"every": 1}, "limits": {"attempts": 1, "memory": "150MB"}}

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.INCOMPLETE
    assert set(shop.errors()) == {2}
    assert [len(entry["files"]) for entry in shop.sections][::2] == [3, 3]
    assert shop.manifest["memory"]["peak_bytes"] < 300_000_000
    assert shop.leftovers() == []
    reason = shop.errors()[2]
    assert reason.startswith("the process at work on it died (") or reason == (
        "it needs more memory than a section may use"
    )
