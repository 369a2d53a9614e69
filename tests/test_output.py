"""Standard output that cannot be written: its reader has gone, or its disk is full. The work is done all the same."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

from config.errors import ExitCode
from tests.conftest import REPOSITORY, TIMEOUT_S, environment

if TYPE_CHECKING:
    from tests.conftest import Shop


def run(output: BinaryIO | int, *arguments: object) -> tuple[int, str]:
    """Run the program with this standard output; return exit code and standard error."""
    command = [sys.executable, str(REPOSITORY / "cli.py"), *map(str, arguments)]
    done = subprocess.run(
        command, stdout=output, stderr=subprocess.PIPE, env=environment({}), timeout=TIMEOUT_S, check=False
    )
    return done.returncode, done.stderr.decode()


@pytest.fixture
def full() -> Iterator[BinaryIO]:
    with Path("/dev/full").open("wb") as file:
        yield file


@pytest.fixture
def unread() -> Iterator[int]:
    """The end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.fixture
def order(shop: "Shop") -> "Shop":
    shop.design("a.png")
    shop.orders([(1, "a.png", 2)])
    shop.write()
    return shop


def test_a_run_goes_on_unheard_and_says_so_once(order: "Shop", full: BinaryIO) -> None:
    code, stderr = run(full, "run", order.pipeline)

    said = "standard output cannot be written: No space left on device; the work goes on unheard\n"
    assert (code, stderr) == (0, said)
    assert order.verify().exit_code == 0


def test_a_run_goes_on_when_nobody_reads(order: "Shop", unread: int) -> None:
    assert run(unread, "run", order.pipeline) == (0, "")
    assert order.verify().exit_code == 0


@pytest.mark.parametrize("command", ["plan", "check"])
def test_what_is_to_be_read_and_cannot_be_written_ends_with_5(order: "Shop", full: BinaryIO, command: str) -> None:
    code, stderr = run(full, command, order.pipeline)

    said = "error: standard output cannot be written: No space left on device\n"
    assert (code, stderr) == (ExitCode.BUDGET, said)


def test_what_nobody_reads_is_no_trouble(order: "Shop", unread: int) -> None:
    assert run(unread, "plan", order.pipeline) == (0, "")
