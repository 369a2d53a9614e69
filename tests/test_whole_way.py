"""The whole way against real servers: orders in the shop's own tables, artwork and sheets on SFTP, S3 and HTTPS."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.farshop import FarShop, artwork, begin, copies_printed, wait_for
from tests.servers.sftp import USER

if TYPE_CHECKING:
    from tests.servers.http import HttpServer
    from tests.servers.s3 import S3Server
    from tests.servers.sftp import SftpServer


@pytest.fixture
def wide_shop(
    tmp_path: Path, any_database: str, sftp_server: "SftpServer", s3_server: "S3Server", http_server: "HttpServer"
) -> Iterator[FarShop]:
    """Twelve orders of 20 lines for 12 artworks on three servers: two lines in five name one that another names too."""
    shop = FarShop(tmp_path / "far", any_database, sftp_server, s3_server, http_server)
    names = []
    for index in range(12):
        content, name = artwork(index), f"Füchse {index}.png"
        if index % 3 == 0:
            (sftp_server.root / "art" / name).write_bytes(content)
            names.append(name)
        elif index % 3 == 1:
            s3_server.put(f"art/{name}", content)
            names.append(s3_server.url(f"art/{name}"))
        else:
            names.append(http_server.serve(f"/art/{index}.png", content, etag=f'"{index}"') + "?sig=s3cret-signature")
            http_server.serve(f"/art/{index}.png?sig=s3cret-signature", content, etag=f'"{index}"')
    lines = [names[index % 12] for index in range(20)]
    for index in range(12):
        shop.order([(lines[(2 * index + step) % 20], 2 + step) for step in range(2)])
    shop.order([(lines[0], 1)], state="cancelled")
    shop.job["designs"] |= {"urls": ["https://", s3_server.url("art")], "private_hosts": ["localhost"]}
    shop.init()
    yield shop
    shop.close()


def test_orders_become_sheets_on_the_nas_and_are_marked(wide_shop: FarShop) -> None:
    shop = wide_shop

    outcome = shop.run()

    assert outcome.exit_code == 0, outcome.text
    assert shop.manifest["totals"] == {"ordered": 12 * 5, "placed": 12 * 5, "rejected": 0}
    assert set(shop.delivered_files()) == {part["file"] for part in shop.manifest["parts"]}
    assert shop.states() == {**dict.fromkeys([f"A-{key:04}" for key in range(1, 13)], "printed"), "A-0013": "cancelled"}
    assert "24 order lines name 12 files on servers: 12 fetched, 0 unchanged since they last were; " in outcome.stdout
    assert "12 downloads spared" in outcome.stdout
    assert list((shop.folder / ".tilepress/store/outgoing").rglob("*.png")) == []
    proof = shop.verify()
    signed = [name for name in shop.manifest["designs"] if name.startswith("https")]
    assert len(proof.stdout.splitlines()) == 1 + len(signed), proof.text  # a signature stands in no manifest
    assert "s3cret" not in outcome.text + json.dumps(shop.manifest)

    again = shop.run()

    assert again.exit_code == 0
    assert "Nothing to print: no order lines were found" in again.messages


def test_sheets_are_delivered_to_s3_and_proven_there(wide_shop: FarShop) -> None:
    shop = wide_shop
    assert shop.s3 is not None
    shop.job["output"]["to"] = shop.s3.url("sheets/{date}")

    assert shop.run().exit_code == 0

    keys = shop.s3.keys()
    manifests = [key for key in keys if key.endswith("/manifest.json")]
    assert len(manifests) == 1
    manifest = json.loads(shop.s3.get(manifests[0]))
    folder = manifests[0].rpartition("/")[0]
    assert {key for key in keys if key.startswith("sheets/")} == {
        f"{folder}/{name}" for name in ["manifest.json", *(part["file"] for part in manifest["parts"])]
    }
    assert shop.s3.uploads() == []
    assert len(copies_printed([manifest])) == 60
    proof = shop.verify(shop.s3.url(manifests[0]))
    assert "placements verified" in proof.stdout


def test_what_servers_say_is_unchanged_is_not_fetched_again(wide_shop: FarShop) -> None:
    shop = wide_shop
    assert shop.http is not None
    shop.run()
    shop.execute("UPDATE purchases SET state = 'pending'")
    shop.order([("Füchse 0.png", 1), (shop.http.url("/art/2.png"), 1)])
    shop.http.serve("/art/2.png", artwork(2), etag='"2"')

    outcome = shop.run()

    assert outcome.exit_code == 0, outcome.text
    assert "2 files on servers: 1 fetched, 1 unchanged since they last were" in outcome.stdout


def test_no_secret_is_left_anywhere(wide_shop: FarShop) -> None:
    """Passwords, keys and signatures, after a run that is well and after runs that fail in every way."""
    shop = wide_shop
    assert shop.s3 is not None
    password = "canary-" + shop.sftp.password.replace(" ", "%20")
    secrets = [shop.sftp.password, password, shop.s3.environment["AWS_SECRET_ACCESS_KEY"], "s3cret-signature"]
    access = {"known_hosts": str(shop.sftp.known_hosts), "user": USER, "password": "${NAS_PASSWORD}"}
    shop.keys["storage"] = {"attempts": 1, "connect_timeout_s": 3, "read_timeout_s": 1, "sftp": access}
    said = []

    def run(*arguments: object, nas_password: str = shop.sftp.password, **extra: str) -> int:
        outcome = shop.run(*arguments, NAS_PASSWORD=nas_password, **extra)
        said.append(outcome.text)
        return outcome.exit_code

    assert run(nas_password=password) == 4
    shop.sftp.faults.hang = True
    assert run() == 4
    shop.sftp.heal()
    assert run(AWS_SECRET_ACCESS_KEY="canary-of-s3", AWS_ENDPOINT_URL="http://127.0.0.1:1") == 4
    assert run(DATABASE_URL="postgresql://me:canary-of-the-database@127.0.0.1:1/shop") == 4
    assert run("--set", f"jobs.night.output.to={shop.s3.url('sheets')}") == 0
    for command in ("plan", "check"):
        said.append(shop.run(command=command, NAS_PASSWORD=shop.sftp.password).text)

    left = [path for path in shop.folder.rglob("*") if path.is_file() and "originals" not in path.parts]
    told = "\n".join([*said, *(path.read_bytes().decode("latin-1") for path in left)])
    keys = shop.s3.keys()
    told += "".join(shop.s3.get(key).decode("latin-1") for key in keys if key.endswith(".json"))
    for secret in [*secrets, "canary-of-s3", "canary-of-the-database"]:
        assert secret not in told, secret


@pytest.mark.parametrize("place", ["a folder", "a server"])
def test_what_yesterday_left_is_finished_and_not_cleared_away_by_today(far_shop: FarShop, place: str) -> None:
    shop = far_shop
    for index in range(2):
        (shop.sftp.root / "art" / f"{index}.png").write_bytes(artwork(index, 150, 100))
    old = [shop.order([("0.png", 9)]) for _ in range(2)]
    shop.init()
    root = shop.sheets
    if place == "a folder":
        root = shop.folder / "sheets"
        shop.job["output"]["to"] = str(root)
    killed = begin(shop)
    wait_for(lambda: list(root.glob("GangSheet_Part_1.png")) or killed.poll() is not None, "part 1")
    killed.kill()
    killed.wait()
    new = shop.order([("1.png", 4)])

    outcome = shop.run()

    assert outcome.exit_code == 0, outcome.text
    manifests = {path.parent: json.loads(path.read_text()) for path in root.rglob("manifest.json")}
    assert len(manifests) == 2
    assert {place["order"] for part in manifests[root]["parts"] for place in part["placements"]} == set(old)
    for folder, manifest in manifests.items():
        assert {part["file"] for part in manifest["parts"]} == {path.name for path in folder.glob("GangSheet*")}
    assert len(copies_printed(list(manifests.values()))) == 2 * 9 + 4
    assert shop.states() == dict.fromkeys([*old, new], "printed")


def test_artwork_that_changed_before_its_run_was_finished_is_planned_anew(far_shop: FarShop) -> None:
    shop = far_shop
    for index in range(2):
        (shop.sftp.root / "art" / f"{index}.png").write_bytes(artwork(index, 150, 100))
    orders = [shop.order([(f"{index}.png", 20)]) for index in range(2)]
    shop.init()
    killed = begin(shop)
    wait_for(lambda: (shop.sheets / "GangSheet_Part_1.png").exists() or killed.poll() is not None, "part 1")
    killed.kill()
    killed.wait()
    before = {(order, copy) for order, copy in copies_in_ledger(shop)}
    (shop.sftp.root / "art" / "1.png").write_bytes(artwork(7, 150, 100))
    shop.job["output"]["to"] = shop.sftp.url("/sheets/{date}")

    outcome = shop.run()

    assert outcome.exit_code == 0, outcome.text
    assert any("cannot be finished as planned" in message for message in outcome.messages)
    assert "it has changed since the run was planned" in outcome.stdout
    after = {(order, copy) for order, copy in copies_in_ledger(shop)}
    assert before < after == {(order, copy) for order in orders for copy in range(1, 21)}
    assert shop.states() == dict.fromkeys(orders, "printed")


def copies_in_ledger(shop: FarShop) -> list[tuple[str, int]]:
    """Return every copy that the ledger says is delivered."""
    rows = shop.execute(
        "SELECT c.order_ref, c.first, c.count FROM tilepress_copies c JOIN tilepress_parts p"
        " ON p.run_id = c.run_id AND p.part = c.part WHERE p.state = 'delivered'"
    )
    return [(order, copy) for order, first, count in map(tuple, rows) for copy in range(first, first + count)]
