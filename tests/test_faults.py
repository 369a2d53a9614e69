"""What goes wrong between a shop and its servers: the exit code that is promised, nothing half-delivered, and a next
run that heals it.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.farshop import FarShop, artwork, begin, copies_printed, wait_for

if TYPE_CHECKING:
    from tests.conftest import Outcome
    from tests.servers.http import HttpServer
    from tests.servers.postgres import DatabaseProxy
    from tests.servers.s3 import S3Server
    from tests.servers.sftp import SftpServer

ORDERS, COPIES = 6, 5
Wreck = Callable[["FarShop"], None]


def stock(shop: FarShop) -> FarShop:
    """Give the shop two designs, and orders for three parts of them."""
    for index in range(2):
        (shop.sftp.root / "art" / f"{index}.png").write_bytes(artwork(index, 150, 100))
    for index in range(ORDERS):
        shop.order([(f"{index % 2}.png", COPIES)])
    shop.keys["storage"] = {
        "attempts": 2,
        "connect_timeout_s": 3,
        "read_timeout_s": 1,
        "sftp": {"known_hosts": str(shop.sftp.known_hosts), "key_file": str(shop.sftp.key_file), "user": "shop"},
    }
    shop.init()
    return shop


def check_nothing_half_delivered(shop: FarShop) -> None:
    """See that what lies under a part's name is whole; a manifest lies there only if all of it does."""
    for path in shop.sheets.glob("GangSheet*"):
        assert path.read_bytes().endswith(b"IEND\xaeB`\x82"), path
    if (shop.sheets / "manifest.json").exists():
        assert {part["file"] for part in shop.manifest["parts"]} <= {path.name for path in shop.sheets.iterdir()}


def check_healed(shop: FarShop, outcome: "Outcome | None" = None) -> None:
    """Run once more, and see that everything is printed exactly once, and nothing else lies there."""
    outcome = outcome or shop.run()
    assert outcome.exit_code == 0, outcome.text
    copies = copies_printed([shop.manifest])
    assert len(set(copies)) == len(copies) == ORDERS * COPIES
    assert set(shop.states().values()) == {"printed"}
    assert set(shop.delivered_files()) == {part["file"] for part in shop.manifest["parts"]}
    assert shop.verify().exit_code == 0


@pytest.fixture
def stocked(far_shop: FarShop) -> FarShop:
    return stock(far_shop)


@pytest.fixture
def nas_shop(tmp_path: Path, sftp_server: "SftpServer") -> Iterator[FarShop]:
    """The shop with its database in SQLite, which is no matter here."""
    shop = stock(FarShop(tmp_path / "far", f"sqlite:///{tmp_path}/shop.db", sftp_server))
    yield shop
    shop.close()


@pytest.fixture
def wired(
    tmp_path: Path, postgres: str, database_proxy: "DatabaseProxy", sftp_server: "SftpServer"
) -> Iterator[tuple[FarShop, "DatabaseProxy"]]:
    """The shop with PostgreSQL at the end of a line that can be cut."""
    shop = stock(FarShop(tmp_path / "far", postgres, sftp_server))
    shop.extra = {"DATABASE_URL": database_proxy.url(postgres)}
    yield shop, database_proxy
    shop.close()


def test_a_database_that_is_gone_before_the_run_ends_it_with_4(wired: "tuple[FarShop, DatabaseProxy]") -> None:
    shop, line = wired
    line.cut()

    outcome = shop.run()

    assert outcome.exit_code == 4
    assert list(shop.sftp.root.rglob("GangSheet*")) == []
    line.mend()
    check_healed(shop)


@pytest.mark.parametrize("words", [b"INSERT INTO tilepress_runs", b"UPDATE tilepress_parts", b"COMMIT\0"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_database_that_goes_while_the_run_writes_to_it(
    wired: "tuple[FarShop, DatabaseProxy]", words: bytes, moment: str
) -> None:
    shop, line = wired
    (line.cut_before if moment == "before" else line.cut_after)(words)

    outcome = shop.run()

    assert outcome.exit_code == 4, outcome.text
    assert "Traceback" not in outcome.text
    check_nothing_half_delivered(shop)
    line.mend()
    check_healed(shop)


def refuse(shop: FarShop) -> None:
    shop.sftp.refuse()


def cut_mid_upload(shop: FarShop) -> None:
    shop.sftp.faults.cut_after_written = 300_000


def fill(shop: FarShop) -> None:
    shop.sftp.faults.full_after = 300_000


def hang(shop: FarShop) -> None:
    shop.sftp.faults.hang_after_written = 300_000


def spoil(shop: FarShop) -> None:
    shop.sftp.faults.corrupt = True


@pytest.mark.parametrize("wreck", [refuse, cut_mid_upload, fill, hang, spoil])
def test_a_nas_that_fails_ends_the_run_with_4(nas_shop: FarShop, wreck: Wreck) -> None:
    shop = nas_shop
    wreck(shop)

    outcome = shop.run()

    assert outcome.exit_code == 4, outcome.text
    assert "Traceback" not in outcome.text
    check_nothing_half_delivered(shop)
    assert list(shop.states().values())[-1] == "pending"
    shop.sftp.heal()
    if wreck is refuse:
        shop.sftp.accept()
    check_healed(shop)


def test_a_nas_that_is_another_one_is_not_spoken_to(nas_shop: FarShop) -> None:
    shop = nas_shop
    shop.sftp.change_host_key()

    outcome = shop.run()

    assert outcome.exit_code == 4
    assert shop.sftp.fingerprint in outcome.text
    assert shop.sftp.logins == 0


@pytest.fixture
def cloud_shop(tmp_path: Path, sftp_server: "SftpServer", s3_server: "S3Server") -> Iterator[FarShop]:
    shop = FarShop(tmp_path / "far", f"sqlite:///{tmp_path}/shop.db", sftp_server, s3_server)
    shop.job["output"] = {"to": s3_server.url("sheets")}
    yield stock(shop)
    shop.close()


def s3_refuses(server: "S3Server") -> None:
    server.refuse()


def s3_cuts(server: "S3Server") -> None:
    server.faults.cut_after_written = 300_000


def s3_is_full(server: "S3Server") -> None:
    server.faults.status, server.faults.code, server.faults.of = 507, "InsufficientStorage", "^PUT"


def s3_hangs(server: "S3Server") -> None:
    server.faults.hang_after_written = 300_000


def s3_denies(server: "S3Server") -> None:
    server.faults.status, server.faults.code, server.faults.of = 403, "AccessDenied", "^(PUT|POST)"


@pytest.mark.parametrize("wreck", [s3_refuses, s3_cuts, s3_is_full, s3_hangs, s3_denies])
def test_an_s3_that_fails_ends_the_run_with_4(cloud_shop: FarShop, wreck: "Callable[[S3Server], None]") -> None:
    shop, server = cloud_shop, cloud_shop.s3
    assert server is not None
    wreck(server)

    outcome = shop.run()

    assert outcome.exit_code == 4, outcome.text
    assert "Traceback" not in outcome.text
    server.heal()
    if wreck is s3_refuses:
        server.accept()
    keys = server.keys()
    assert "sheets/manifest.json" not in keys
    assert shop.run().exit_code == 0
    assert set(shop.states().values()) == {"printed"}
    assert server.uploads() == []
    assert shop.verify(server.url("sheets/manifest.json")).exit_code == 0


HOSTS: dict[str, tuple[dict[str, object], str]] = {  # what each does, and a word of what is said of it
    "/gone.png": ({"status": 404}, "404"),
    "/denied.png": ({"status": 403}, "403"),
    "/busy.png": ({"failures": (429, 429)}, "429"),
    "/broken.png": ({"failures": (500, 500)}, "500"),
    "/cut.png": ({"cut_after": 100}, "cut"),
    "/long.png": ({"promise": 100}, "longer than"),
    "/endless.png": ({"endless": True, "until_close": True}, "more bytes"),
    "/slow.png": ({"body_pause_s": 5.0}, "1 s"),
}


def test_hosts_of_urls_that_fail_cost_their_orders_alone(nas_shop: FarShop, http_server: "HttpServer") -> None:
    shop = nas_shop
    shop.http = http_server
    lost, reasons = {}, {}
    for path, (behaviour, reason) in HOSTS.items():
        url = http_server.serve(path, artwork(7), **behaviour)  # type: ignore[arg-type]
        order = shop.order([(url, 2), ("0.png", 1)])
        lost[order], reasons[order] = url, reason
    shop.job["designs"] |= {"private_hosts": ["127.0.0.1", "localhost"], "max_bytes": "1MB"}

    outcome = shop.run()

    assert outcome.exit_code == 3, outcome.text
    rejected = {entry["order"]: entry for entry in shop.manifest["rejected"]}
    assert {order: entry["copies"] for order, entry in rejected.items()} == dict.fromkeys(lost, 2)
    assert {o: rejected[o]["reason"] for o, reason in reasons.items() if reason not in rejected[o]["reason"]} == {}
    assert {shop.states()[order] for order in lost} == {"pending"}
    assert len(copies_printed([shop.manifest])) == ORDERS * COPIES + len(lost)
    for path in HOSTS:
        http_server.serve(path, artwork(7))

    assert shop.run().exit_code == 0

    later = [path for path in shop.sheets.rglob("manifest.json") if path.parent != shop.sheets]  # as the place is taken
    printed = copies_printed([json.loads(path.read_text()) for path in later])
    assert sorted(printed) == sorted((order, url, copy) for order, url in lost.items() for copy in (1, 2))
    assert {shop.states()[order] for order in lost} == {"printed"}


def test_two_runs_at_once_end_the_second_with_6(stocked: FarShop) -> None:
    shop = stocked
    shop.sftp.faults.hang_after_written = 300_000  # the first run is held up
    shop.keys["storage"]["read_timeout_s"] = 30
    first = begin(shop)
    wait_for(lambda: shop.sftp.written >= 300_000, "the first run to get there")

    second = shop.run()

    first.kill()
    first.wait()
    assert second.exit_code == 6
    shop.sftp.heal()
    check_healed(shop)


@pytest.fixture
def small_disk(nas_shop: FarShop) -> Iterator[Callable[[str], None]]:
    """A way to have the work folder on a small disk, and on one of another size with the same content."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting needs root on Linux")
    folder = nas_shop.folder / ".tilepress"
    folder.mkdir(exist_ok=True)
    mounted: list[str] = []

    def make(size: str) -> None:
        options = f"size={size}" if not mounted else f"remount,size={size}"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        mounted.append(size)

    yield make
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_at_any_write_ends_the_run_with_5_until_it_is_not(
    nas_shop: FarShop, small_disk: Callable[[str], None]
) -> None:
    shop, codes = nas_shop, []
    for size in ("16k", "48k", "96k", "160k", "224k", "288k", "600k", "900k", "1400k"):
        small_disk(size)
        outcome = shop.run()
        codes.append(outcome.exit_code)
        assert outcome.exit_code in {0, 5}, f"{size}: {outcome.text}"
        assert "Traceback" not in outcome.text
        check_nothing_half_delivered(shop)
    assert codes[0] == 5
    small_disk("100m")
    outcome = shop.run()
    if 0 in codes:
        assert "Nothing to print: no order lines were found" in outcome.messages
    else:
        check_healed(shop, outcome)
    assert set(shop.states().values()) == {"printed"}


def terminate(process: "subprocess.Popen[bytes]") -> tuple[int, str]:
    """Send SIGTERM; return exit code and standard error. It has half a minute, where ten seconds are promised."""
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=30)
    return process.returncode, stderr.decode()


def test_sigterm_lets_a_delivery_be_finished_that_takes_seconds(nas_shop: FarShop) -> None:
    shop = nas_shop
    arrived, told = threading.Event(), threading.Event()

    def pause() -> None:
        arrived.set()
        told.wait(30)

    shop.sftp.on_rename = pause
    process = begin(shop, subprocess.PIPE)
    assert arrived.wait(60), "no part was delivered"
    shop.sftp.on_rename = lambda: None
    process.send_signal(signal.SIGTERM)
    told.set()
    _, stderr = process.communicate(timeout=30)

    assert (process.returncode, stderr) == (4, b"")
    assert [path.name for path in shop.sheets.iterdir()] == ["GangSheet_Part_1.png"]
    assert shop.execute("SELECT part FROM tilepress_parts WHERE state = 'delivered'") == [(1,)]
    check_healed(shop)


def test_sigterm_gives_up_a_delivery_that_hangs(nas_shop: FarShop) -> None:
    shop = nas_shop
    shop.keys["storage"]["read_timeout_s"] = 300
    shop.sftp.faults.hang_after_written = 300_000
    process = begin(shop, subprocess.PIPE)
    wait_for(lambda: shop.sftp.written >= 300_000, "the delivery to hang")

    code, stderr = terminate(process)

    assert code == 4
    assert stderr == "stopped by SIGTERM; what is done is kept: run again, and the rest is made\n"
    shop.sftp.heal()
    check_healed(shop)
