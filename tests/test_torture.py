"""Killed at random moments: whatever the stage, one more run prints every copy exactly once, byte by byte.

`make torture` kills 200 times, the tests 12 times: TILEPRESS_KILLS.
"""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.servers.farshop import DEADLINE_S, FarShop, artwork, begin, copies_printed
from tests.servers.sftp import SftpServer

KILLS = int(os.environ.get("TILEPRESS_KILLS", "12"))
KILLS_PER_SHOP = 2  # one after another: the second disturbs what was to heal the first
DATABASES = 2
DESIGNS, ORDERS, COPIES = 5, 10, 6


@dataclass(frozen=True)
class Undisturbed:
    """What a run leaves that nobody kills, and how long it takes."""

    files: dict[str, str]
    copies: list[tuple[str, str, int]]
    seconds: float


def set_up(shop: FarShop) -> FarShop:
    for index in range(DESIGNS):
        (shop.sftp.root / "art" / f"{index}.png").write_bytes(artwork(index, 300, 200))
    for index in range(ORDERS):
        shop.order([(f"{index % DESIGNS}.png", COPIES), (f"{(index + 1) % DESIGNS}.png", COPIES)])
    shop.job["sheet"] = {"width_in": 8, "height_in": 10, "dpi": 100, "spacing_in": 0.1}
    shop.init()
    return shop


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    folder = tmp_path_factory.mktemp("undisturbed")
    server = SftpServer(folder / "nas")
    shop = set_up(FarShop(folder / "far", f"sqlite:///{folder}/shop.db", server))
    began = time.monotonic()
    assert begin(shop).wait(DEADLINE_S) == 0
    seconds = time.monotonic() - began
    yield Undisturbed(shop.delivered_files(), copies_printed([shop.manifest]), seconds)
    shop.close()
    server.stop()


def kill_somewhere(shop: FarShop, dice: random.Random, seconds: float) -> str:
    """Start a run and kill it: after any time, or when any number of files have shown on the server; say when."""
    process = begin(shop)
    end = time.monotonic() + DEADLINE_S
    if dice.random() < 0.5:
        moment = dice.uniform(0, 1.1) * seconds
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        when = f"after {moment:.2f} s"
    else:
        wanted, seen = dice.randint(1, 10), set[str]()
        while len(seen) < wanted and process.poll() is None and time.monotonic() < end:
            seen |= {path.name for path in shop.sheets.glob("*")}
        process.send_signal(signal.SIGKILL)
        when = f"when {len(seen)} names had shown"
    process.wait(DEADLINE_S)
    return when


@pytest.mark.parametrize("seed", range(max(1, KILLS // KILLS_PER_SHOP // DATABASES)))
def test_after_one_more_run_every_copy_is_printed_exactly_once(
    far_shop: FarShop, undisturbed: Undisturbed, seed: int
) -> None:
    shop, dice = set_up(far_shop), random.Random(seed)
    moments = [kill_somewhere(shop, dice, undisturbed.seconds) for _ in range(KILLS_PER_SHOP)]

    outcome = shop.run()

    assert outcome.exit_code == 0, f"{moments}\n{outcome.text}"
    assert shop.delivered_files() == undisturbed.files, moments
    assert copies_printed([shop.manifest]) == undisturbed.copies
    assert set(shop.states().values()) == {"printed"}
    store = shop.folder / ".tilepress/store"
    left = [path for folder in ("aside", "outgoing") for path in (store / folder).rglob("*") if path.is_file()]
    assert {path.name for path in left if path.suffix != ".lock"} <= {"manifest.json"}, moments
    assert shop.run().messages[-2] == "Nothing to print: no order lines were found"
