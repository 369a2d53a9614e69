"""What shops do between two nights: nothing that was delivered is taken away, printed again, or left out."""

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import tilepress
from tests.servers.farshop import FarShop, artwork, begin, copies_printed, wait_for

if TYPE_CHECKING:
    from tests.servers.http import HttpServer
    from tests.servers.sftp import SftpServer


@pytest.fixture
def shop(tmp_path: Path, sftp_server: "SftpServer") -> Iterator[FarShop]:
    """A shop with two designs, whose sheets of twelve copies go to a folder."""
    shop = FarShop(tmp_path / "far", f"sqlite:///{tmp_path}/shop.db", sftp_server)
    for index in range(2):
        (sftp_server.root / "art" / f"{index}.png").write_bytes(artwork(index, 150, 100))
    shop.job["output"] = {"to": str(shop.folder / "out")}
    shop.init()
    yield shop
    shop.close()


def out(shop: FarShop) -> Path:
    return shop.folder / "out"


def manifests(shop: FarShop) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(out(shop).rglob("manifest.json"))]


def printed(shop: FarShop) -> Counter[tuple[str, str]]:
    """Return how many copies the manifests list, by order and design; every part they list is there, and no other."""
    for path in out(shop).rglob("manifest.json"):
        listed = {part["file"] for part in json.loads(path.read_text())["parts"]}
        assert listed == {file.name for file in path.parent.glob("*.png")}, path
    return Counter((order, design) for order, design, _ in copies_printed(manifests(shop)))


def kill_after_part_1(shop: FarShop) -> None:
    delivered = "SELECT part FROM tilepress_parts WHERE state = 'delivered'"
    process = begin(shop)
    wait_for(lambda: shop.execute(delivered) or process.poll() is not None, "part 1")
    process.kill()
    process.wait()


def run_id(shop: FarShop) -> str:
    """Return the name of the run that was planned last."""
    return str(shop.execute("SELECT id FROM tilepress_runs ORDER BY number DESC")[0][0])


def test_a_rejected_order_takes_no_sheet_of_the_night_before_away(shop: FarShop) -> None:
    good, bad = shop.order([("0.png", 3)]), shop.order([("gone.png", 2)])
    assert shop.run().exit_code == 3

    assert shop.run().exit_code == 3

    assert printed(shop)[good, "0.png"] == 3
    assert shop.states() == {good: "printed", bad: "pending"}


def test_each_run_of_a_day_keeps_its_sheets(shop: FarShop) -> None:
    orders = []
    for _ in range(3):
        orders.append(shop.order([("0.png", 2)]))
        assert shop.run().exit_code == 0
    assert printed(shop) == Counter({(order, "0.png"): 2 for order in orders})


def test_what_lies_there_of_others_is_not_overwritten(shop: FarShop) -> None:
    out(shop).mkdir()
    (out(shop) / "GangSheet_Part_1.png").write_text("mine")
    order = shop.order([("0.png", 1)])
    assert shop.run().exit_code == 0
    assert (out(shop) / "GangSheet_Part_1.png").read_text() == "mine"
    assert copies_printed(manifests(shop)) == [(order, "0.png", 1)]


def test_orders_from_a_csv_are_not_printed_twice_when_a_killed_run_is_run_again(shop: FarShop) -> None:
    (shop.folder / "orders.csv").write_text("order,design,quantity\n1,0.png,60\n2,1.png,60\n")
    shop.job["orders"] = {"csv": "orders.csv"}
    kill_after_part_1(shop)

    assert shop.run().exit_code == 0

    assert printed(shop) == Counter({("1", "0.png"): 60, ("2", "1.png"): 60})


def test_an_order_that_grows_while_it_is_printed_is_not_marked_before_all_of_it_is(shop: FarShop) -> None:
    order = shop.order([("0.png", 90)])
    kill_after_part_1(shop)
    shop.execute("UPDATE purchase_lines SET copies = 93")

    outcome = shop.run()

    assert outcome.exit_code == 0, outcome.text
    assert f"Order {order} has changed since it was planned" in outcome.stdout
    assert printed(shop) == Counter({(order, "0.png"): 93})
    assert shop.states() == {order: "printed"}


def test_a_part_is_made_again_and_one_whose_artwork_is_gone_stays(shop: FarShop) -> None:
    order = shop.order([("0.png", 30)])
    assert shop.run().exit_code == 0
    before = {path.name: path.read_bytes() for path in out(shop).glob("*.png")}
    run = run_id(shop)
    retry(shop, run, "2")
    (out(shop) / "GangSheet_Part_2.png").unlink()
    assert shop.run().exit_code == 0
    assert {path.name: path.read_bytes() for path in out(shop).glob("*.png")} == before

    retry(shop, run, "2")
    (shop.sftp.root / "art" / "0.png").unlink()
    new = shop.order([("1.png", 2)])
    outcome = shop.run()

    assert outcome.exit_code == 2
    assert f"tilepress runs forget {run}" in outcome.stdout
    assert {path.name: path.read_bytes() for path in out(shop).glob("*.png")} == before
    assert shop.states() == {order: "printed", new: "printed"}


def test_a_run_that_was_given_up_in_part_can_be_made_again(shop: FarShop) -> None:
    orders = [shop.order([(f"{index}.png", 60)]) for index in range(2)]
    kill_after_part_1(shop)
    run = run_id(shop)
    (shop.sftp.root / "art" / "1.png").write_bytes(artwork(7, 150, 100))
    assert shop.run().exit_code == 0
    assert printed(shop) == Counter({(orders[0], "0.png"): 60, (orders[1], "1.png"): 60})

    retry(shop, run)
    outcome = shop.run()

    assert outcome.exit_code == 0, outcome.text
    assert printed(shop) == Counter({(orders[0], "0.png"): 60, (orders[1], "1.png"): 60})


def test_an_order_that_cannot_be_marked_does_not_keep_sheets_from_being_delivered(shop: FarShop) -> None:
    orders = [shop.order([("0.png", 20)]) for _ in range(2)]
    shop.execute(
        "CREATE TRIGGER no BEFORE UPDATE ON purchases WHEN NEW.number = 'A-0001'"
        " BEGIN SELECT RAISE(ABORT, 'not this one'); END"
    )
    outcome = shop.run()

    assert "cannot be marked" in outcome.stdout
    assert printed(shop) == Counter({(order, "0.png"): 20 for order in orders})
    assert shop.run().exit_code == 0
    assert printed(shop) == Counter({(order, "0.png"): 20 for order in orders})


def test_a_run_that_cannot_be_finished_now_does_not_keep_new_orders_waiting(shop: FarShop) -> None:
    old = shop.order([("0.png", 90)])
    kill_after_part_1(shop)
    run = run_id(shop)
    out(shop).rename(shop.folder / "moved")
    out(shop).write_text("in the way")
    shop.job["output"] = {"to": str(shop.folder / "moved" / "new")}
    new = shop.order([("1.png", 4)])

    outcome = shop.run()

    assert outcome.exit_code == 4
    assert f"Run {run} cannot be finished now" in outcome.stdout
    assert shop.states() == {old: "pending", new: "printed"}
    out(shop).unlink()
    (shop.folder / "moved").rename(out(shop))
    assert shop.run().exit_code == 0
    assert printed(shop) == Counter({(old, "0.png"): 90, (new, "1.png"): 4})


def test_a_run_of_a_job_that_is_gone_is_told_of(shop: FarShop) -> None:
    shop.order([("0.png", 90)])
    kill_after_part_1(shop)
    shop.job["name"] = "renamed"
    shop.job["output"] = {"to": str(shop.folder / "other")}

    outcome = shop.run()

    assert f"Run {run_id_of(shop, 'night')} of job night is not finished, and the pipeline has no such job" in (
        outcome.stdout
    )


@pytest.mark.parametrize(
    ("number", "code", "words"), [(signal.SIGTERM, 4, "stopped by SIGTERM"), (signal.SIGINT, 130, "interrupted")]
)
def test_who_ends_the_run_does_not_wait_for_a_server_that_hangs(
    shop: FarShop, http_server: "HttpServer", number: signal.Signals, code: int, words: str
) -> None:
    shop.http = http_server
    shop.order([(http_server.serve("/slow.png", artwork(1), head_pause_s=600), 1)])
    shop.job["designs"] |= {"private_hosts": ["localhost"]}
    shop.keys["storage"] = {"read_timeout_s": 600}
    process = begin(shop, subprocess.PIPE)
    wait_for(lambda: http_server.asked("/slow.png"), "the fetch")

    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)

    assert process.returncode == code
    assert stderr.decode().strip().startswith(words)
    assert "Traceback" not in stderr.decode()


def retry(shop: FarShop, run: str, *parts: str) -> None:
    """Have parts of a run made again, all where none is named."""
    numbers = [word for part in parts for word in ("--part", part)]
    outcome = tilepress("runs", "retry", run, *numbers, "--pipeline", shop.write(), **shop.environment)
    assert outcome.exit_code == 0, outcome.text


def run_id_of(shop: FarShop, job: str) -> str:
    return str(shop.execute(f"SELECT id FROM tilepress_runs WHERE job = '{job}'")[0][0])
