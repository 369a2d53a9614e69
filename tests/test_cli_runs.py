"""`tilepress runs`: what it says of runs in the database, and how they are tried again or forgotten."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from cli import command_line
from config.database import Database
from config.errors import ConfigurationError
from config.runs import (
    CopyRange,
    NewPart,
    PartContent,
    PartEntry,
    RunBook,
    RunDetails,
    RunEntry,
    RunLine,
    open_run_book,
)
from pipeline.runview import describe_run, describe_runs

if TYPE_CHECKING:
    from tests.conftest import Outcome

REPOSITORY = Path(__file__).parents[1]
HASH = "0123456789abcdef" * 4
YESTERDAY, TODAY = "2026-03-01-4f1c", "2026-03-02-77aa"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A SQLite database with two runs, which DATABASE_URL names."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/shop.db")
    return with_two_runs(f"sqlite:///{tmp_path}/shop.db")


def with_two_runs(url: str) -> str:
    """Fill a database with a run that is finished, and one that died after two of its three parts."""
    database = Database(url)
    database.init()
    with open_run_book(database, "shop") as book:
        orders = tuple(CopyRange(str(1000 + number), "a.png", 1, 2) for number in range(12))
        book.begin(YESTERDAY, "uvdtf", "out/uvdtf", "{}", [NewPart(1, "Sheet_1.png", orders)])
        deliver(book, YESTERDAY, 1)
        book.finished(YESTERDAY)
        parts = [
            NewPart(1, "Sheet_1.png", (CopyRange("1012", "a.png", 1, 3), CopyRange("1012", "b.png", 1, 1))),
            NewPart(2, "Sheet_2.png", (CopyRange("1012", "a.png", 4, 1), CopyRange("1013", "a.png", 1, 1))),
            NewPart(3, "Sheet_3.png", (CopyRange("1013", "a.png", 2, 1),)),
        ]
        book.begin(TODAY, "mugs", "s3://sheets/mugs", "{}", parts)
        deliver(book, TODAY, 1)
        book.rendered(TODAY, 2, 2_000_000, HASH)
    return url


def deliver(book: RunBook, run: str, part: int) -> None:
    book.rendered(run, part, 1_500_000, HASH)
    book.delivered(run, part)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(command_line, ["runs", *arguments], catch_exceptions=False)


def entry_of(url: str, run: str) -> RunEntry:
    with open_run_book(Database(url), "shop") as book:
        entry = book.find(run)
    assert entry is not None
    return entry


def states_of(url: str, run: str) -> list[str]:
    return [part.state for part in entry_of(url, run).parts]


# What is said, from values alone

AT = datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)


def test_a_run_is_a_line() -> None:
    lines = [
        RunLine("a1", "shop", "uvdtf", "out", AT, AT, 5, 0, 5, 1200),
        RunLine("b22", "shop", "mugs", "sftp://host/x", AT, None, 5, 1, 3, 20),
        RunLine("c", "shop", "mugs", "/srv/x", AT, None, 1, 0, 0, 1),
    ]
    assert list(describe_runs(lines)) == [
        "a1   shop/uvdtf  2026-03-01 04:05 UTC  finished                            1,200 copies  out",
        "b22  shop/mugs   2026-03-01 04:05 UTC  3 of 5 parts delivered, 1 rendered  20 copies     sftp://host/x",
        "c    shop/mugs   2026-03-01 04:05 UTC  0 of 1 part delivered               1 copy        /srv/x",
    ]
    assert list(describe_runs([])) == ["no runs"]


def test_a_run_is_shown_part_by_part() -> None:
    parts = (
        PartEntry(1, "S_1.png", "delivered", 12_345_678, HASH, AT, AT + timedelta(minutes=3)),
        PartEntry(2, "S_2.png", "rendered", 999, HASH, AT + timedelta(minutes=1), None),
        PartEntry(3, "S_3.png", "planned", None, None, None, None),
    )
    run = RunEntry("4f1c", "shop", "uvdtf", "out", "{}", AT, None, "0.1.0", parts)
    many = tuple(str(number) for number in range(2012))
    contents = (PartContent(1, 5000, many), PartContent(2, 1, ("0",)), PartContent(3, 10, many[:10]))
    assert list(describe_run(RunDetails(run, contents))) == [
        "Run 4f1c: pipeline shop, job uvdtf",
        "  planned: 2026-03-01 04:05:06 UTC, by tilepress 0.1.0",
        "  state: 1 of 3 parts delivered, 1 rendered",
        "  place: out",
        "  3 parts, 5,011 copies of 2,012 orders",
        "  part 1: S_1.png, delivered 2026-03-01 04:08:06 UTC, 12.3 MB, sha256 0123456789ab…",
        "    5,000 copies of 2,012 orders: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2,002 more",
        "  part 2: S_2.png, rendered 2026-03-01 04:06:06 UTC, 999 B, sha256 0123456789ab…",
        "    1 copy of 1 order: 0",
        "  part 3: S_3.png, planned",
        "    10 copies of 10 orders: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
    ]


def test_what_orders_are_called_changes_neither_the_terminal_nor_the_lines() -> None:
    part = PartEntry(1, "S\x1b[2J.png", "planned", None, None, None, None)
    run = RunEntry("4f1c", "shop", "uvdtf", "a\nb", "{}", AT, AT, "0.1.0", (part,))
    lines = list(describe_run(RunDetails(run, (PartContent(1, 1, ("x\r\n" + "y" * 5000,)),))))
    assert all(line.isprintable() for line in lines)
    assert lines[2] == "  state: finished 2026-03-01 04:05:06 UTC"
    assert lines[-1] == f"    1 copy of 1 order: x\\x0d\\x0a{'y' * 77}…"


# The commands


def test_runs_are_listed_the_newest_last(url: str) -> None:
    lines = [re.split("  +", line) for line in call("list").output.splitlines()]
    assert [(run, job, *rest) for run, job, _, *rest in lines] == [
        (YESTERDAY, "shop/uvdtf", "finished", "24 copies", "out/uvdtf"),
        (TODAY, "shop/mugs", "1 of 3 parts delivered, 1 rendered", "7 copies", "s3://sheets/mugs"),
    ]
    assert [line.split()[0] for line in call("list", "--unfinished").output.splitlines()] == [TODAY]
    assert [line.split()[0] for line in call("list", "--job", "uvdtf").output.splitlines()] == [YESTERDAY]
    assert call("list", "--job", "uvdtf", "--unfinished").output == "no runs\n"


def test_a_run_is_shown_by_the_beginning_of_its_id(url: str) -> None:
    shown = call("show", "2026-03-01").output
    assert shown.startswith(f"Run {YESTERDAY}: pipeline shop, job uvdtf\n")
    assert "  1 part, 24 copies of 12 orders\n" in shown
    assert shown.endswith(
        "    24 copies of 12 orders: 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009 and 2 more\n"
    )
    assert call("show", TODAY).output.splitlines()[2] == "  state: 1 of 3 parts delivered, 1 rendered"


@pytest.mark.parametrize("command", [("show",), ("retry",), ("forget", "--yes")])
@pytest.mark.parametrize(
    ("beginning", "message"), [("2026", "several runs begin with '2026'"), ("x", "no run begins with 'x'")]
)
def test_a_run_must_be_named_clearly(url: str, command: tuple[str, ...], beginning: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        call(*command, beginning)
    assert str(caught.value) == f"{message}\n  There are: {TODAY}, {YESTERDAY}."
    assert states_of(url, TODAY) == ["delivered", "rendered", "planned"]


def test_parts_are_tried_again(any_database: str, tilepress: "Callable[..., Outcome]") -> None:
    url = with_two_runs(any_database)
    outcome = tilepress("runs", "retry", TODAY, "--part", "3", "--part", "1", DATABASE_URL=url)
    assert (outcome.exit_code, outcome.stdout) == (
        0,
        f"Run {TODAY}: the next run makes parts 1, 3 again\n  What was marked in the orders stays marked.\n",
    )
    assert states_of(url, TODAY) == ["planned", "rendered", "planned"]


def test_a_whole_run_that_was_finished_is_tried_again(url: str) -> None:
    assert call("retry", YESTERDAY).output.startswith(f"Run {YESTERDAY}: the next run makes part 1 again\n")
    assert entry_of(url, YESTERDAY).finished_at is None
    assert states_of(url, YESTERDAY) == ["planned"]


def test_a_part_that_is_not_there_ends_with_2_and_changes_nothing(
    url: str, tilepress: "Callable[..., Outcome]"
) -> None:
    before = entry_of(url, TODAY)
    outcome = tilepress("runs", "retry", TODAY, "--part", "1", "--part", "4", DATABASE_URL=url)
    assert (outcome.exit_code, outcome.stderr) == (2, f"error: run {TODAY} has no part 4\n  It has: 1, 2, 3.\n")
    assert entry_of(url, TODAY) == before


def test_a_run_is_forgotten(any_database: str, tilepress: "Callable[..., Outcome]") -> None:
    url = with_two_runs(any_database)
    outcome = tilepress("runs", "forget", "2026-03-02", "--yes", DATABASE_URL=url)
    assert (outcome.exit_code, outcome.stdout) == (
        0,
        f"Run {TODAY} is forgotten: its 7 copies of 2 orders count as not printed: "
        "the next run prints those still chosen\n",
    )
    assert [line.split()[0] for line in call("list", "--database", url).output.splitlines()] == [YESTERDAY]


def test_without_a_terminal_a_run_is_forgotten_only_with_yes(url: str, tilepress: "Callable[..., Outcome]") -> None:
    outcome = tilepress("runs", "forget", TODAY, DATABASE_URL=url)
    assert outcome.exit_code == 2
    assert "give --yes" in outcome.stderr
    assert len(call("list").output.splitlines()) == 2


@pytest.mark.parametrize(("answer", "left"), [("y", [YESTERDAY]), ("n", [YESTERDAY, TODAY]), ("", [YESTERDAY, TODAY])])
def test_on_a_terminal_one_is_asked_before_a_run_is_forgotten(url: str, answer: str, left: list[str]) -> None:
    code, screen = on_a_terminal(answer, "runs", "forget", TODAY, "--database", url)
    assert code == 0
    assert (
        f"Forget run {TODAY}? Its 7 copies of 2 orders will count as not printed, "
        "and the next run will print those still chosen [y/N]:"
    ) in screen
    assert ("is forgotten" in screen, "Nothing was forgotten." in screen) == (answer == "y", answer != "y")
    assert [line.split()[0] for line in call("list").output.splitlines()] == left


def on_a_terminal(answer: str, *arguments: str) -> tuple[int, str]:
    """Run the program on a terminal where a person types the answer; return exit code and all that was shown."""
    ours, theirs = pty.openpty()
    command = [sys.executable, str(REPOSITORY / "cli.py"), *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        shown = b""
        with suppress(OSError):  # how Linux says that nobody holds the other end any more
            while data := os.read(ours, 65536):
                shown += data
        os.close(ours)
    return process.returncode, shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("command", [("retry",), ("forget", "--yes")])
def test_while_a_run_is_at_work_nothing_is_changed(
    url: str, tilepress: "Callable[..., Outcome]", command: tuple[str, ...]
) -> None:
    with open_run_book(Database(url), "shop"):
        outcome = tilepress("runs", *command, TODAY, DATABASE_URL=url)
        shown = call("list").output
    assert outcome.exit_code == 6
    assert outcome.stderr.startswith("error: another run of pipeline shop is at work on ")
    assert len(shown.splitlines()) == 2
    assert states_of(url, TODAY) == ["delivered", "rendered", "planned"]


def test_the_database_may_be_a_pipeline_file_s(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    (tmp_path / "p.yaml").write_text(
        f"{{version: 1, name: shop, database: '{url}', jobs: [{{kind: gangsheet, name: uvdtf, "
        "sheet: {width_in: 4, height_in: 5, dpi: 100}, orders: {csv: orders.csv}, output: {to: out}}]}"
    )
    assert call("list", "--pipeline", str(tmp_path / "p.yaml")).output.split()[0] == YESTERDAY
    assert call("list", "--database", url).output.split()[0] == YESTERDAY


def test_a_database_without_runs_says_so(any_database: str, tilepress: "Callable[..., Outcome]") -> None:
    assert tilepress("db", "init", DATABASE_URL=any_database).exit_code == 0
    outcome = tilepress("runs", "list", DATABASE_URL=any_database)
    assert (outcome.exit_code, outcome.stdout) == (0, "no runs\n")


def test_without_a_database_runs_end_with_4(tmp_path: Path, tilepress: "Callable[..., Outcome]") -> None:
    outcome = tilepress("runs", "list", DATABASE_URL=f"sqlite:///{tmp_path}/none.db")
    assert (outcome.exit_code, list(tmp_path.iterdir())) == (4, [])


@pytest.mark.parametrize("command", ["list", "show", "retry", "forget"])
def test_every_command_explains_itself(command: str) -> None:
    shown = call(command, "--help")
    assert (shown.exit_code, "--database URL" in shown.output, "--pipeline FILE" in shown.output) == (0, True, True)


def test_the_group_is_in_the_list_of_commands() -> None:
    assert "runs" in CliRunner().invoke(command_line, ["--help"]).output.split("Commands:")[1].split()
