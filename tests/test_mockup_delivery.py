"""Mock-ups on their way to a NAS and to S3: each appears there whole, and stays while it is what it should be."""

import hashlib
import json
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ExitCode
from tests.conftest import REPOSITORY, environment, tilepress
from tests.mockups import BLUE
from tests.servers.sftp import USER
from tests.test_death import wait_for

if TYPE_CHECKING:
    from tests.conftest import Outcome
    from tests.mockups import PhotoShop
    from tests.servers.s3 import S3Server
    from tests.servers.sftp import SftpServer

FOLDER = "photos"
MADE = ["a_card.jpg", "a_mug.jpg", "b_card.jpg", "b_mug.jpg"]


class Nas:
    """A folder on a server that speaks SFTP, as a test sees it from behind."""

    def __init__(self, server: "SftpServer") -> None:
        self.folder, self.url = server.root / FOLDER, server.url(f"/{FOLDER}")
        access = {"known_hosts": str(server.known_hosts), "key_file": str(server.key_file), "user": USER}
        self.keys, self.environment = {"storage": {"sftp": access}}, dict[str, str]()

    def files(self) -> dict[str, bytes]:
        """Return the contents of all files there, by name; what is renamed while they are read is left out."""
        found = {}
        for path in self.folder.glob("*"):
            with suppress(FileNotFoundError):
                found[path.name] = path.read_bytes()
        return found

    def uploads(self) -> dict[str, Any]:
        """Return for each file what is other when it has been uploaded again: a number may be given twice."""
        return {path.name: (path.stat().st_ino, path.stat().st_ctime_ns) for path in self.folder.glob("*.*")}

    def put(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)

    def leftovers(self) -> list[str]:
        """Return the names of deliveries that were begun, and neither finished nor cleaned up."""
        return [path.name for path in self.folder.rglob("*.partial")]


class Bucket:
    """A folder in S3, as a test sees it from behind."""

    def __init__(self, server: "S3Server") -> None:
        self.server, self.url = server, server.url(FOLDER)
        self.keys, self.environment = dict[str, Any](), server.environment

    def files(self) -> dict[str, bytes]:
        keys = [key for key in self.server.keys() if key.startswith(f"{FOLDER}/")]  # noqa: SIM118 - the server's method
        return {key.removeprefix(f"{FOLDER}/"): self.server.get(key) for key in keys}

    def uploads(self) -> dict[str, int]:
        puts = [request.path.rpartition("/")[2] for request in self.server.requests if request.method == "PUT"]
        return {name: puts.count(name) for name in puts}

    def put(self, name: str, content: bytes) -> None:
        self.server.put(f"{FOLDER}/{name}", content)

    def leftovers(self) -> list[str]:
        return self.server.uploads()


Place = Nas | Bucket


@pytest.fixture(params=["sftp", "s3"])
def place(request: pytest.FixtureRequest) -> Place:
    server = request.getfixturevalue(f"{request.param}_server")
    return Nas(server) if request.param == "sftp" else Bucket(server)


@pytest.fixture
def far(photo_shop: "PhotoShop", place: Place) -> "PhotoShop":
    """Two designs on two templates, to be delivered to a server."""
    shop = photo_shop
    shop.design("a.png")
    shop.design("b.png", colour=BLUE)
    shop.template("card")
    shop.template("mug")
    shop.keys.update(place.keys)
    shop.output(to=place.url)
    return shop


def run(shop: "PhotoShop", place: Place) -> "Outcome":
    return shop.run(**place.environment)


def manifest(place: Place) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(place.files()["manifest.json"])
    return content


def verify(shop: "PhotoShop", place: Place) -> "Outcome":
    where = f"{place.url}/manifest.json"
    return tilepress("verify", where, "--pipeline", shop.pipeline, "--work", shop.folder, **place.environment)


def test_mockups_are_delivered_and_proven_where_they_are(far: "PhotoShop", place: Place) -> None:
    outcome = run(far, place)

    assert outcome.exit_code == 0, outcome.text
    files = place.files()
    assert sorted(files) == [*MADE, "manifest.json"]
    assert place.leftovers() == []
    assert list((far.folder / ".tilepress/store/outgoing").rglob("*.jpg")) == []
    proof = verify(far, place)
    assert (proof.exit_code, proof.stdout) == (0, "4 mock-ups verified: all is as the manifest says\n")
    assert {name: hashlib.sha256(files[name]).hexdigest() for name in MADE} == {
        entry["file"]: entry["sha256"] for entry in manifest(place)["mockups"]
    }


def test_what_is_unchanged_is_not_uploaded_again_and_what_has_changed_is(far: "PhotoShop", place: Place) -> None:
    assert run(far, place).exit_code == 0
    place.put("notes.txt", b"not tilepress's")
    before = place.uploads()

    again = run(far, place)

    assert again.exit_code == 0
    assert "4 mock-ups asked for: 4 are there and unchanged, 0 to be made, 0 cannot be made" in again.messages
    assert {name: place.uploads()[name] for name in MADE} == {name: before[name] for name in MADE}

    far.design("a.png", colour=(1, 200, 3))
    (far.folder / "templates/card.yaml").unlink()
    changed = run(far, place)

    assert changed.exit_code == 0
    assert sorted(place.files()) == ["a_mug.jpg", "b_mug.jpg", "manifest.json", "notes.txt"]
    after = place.uploads()
    assert after["b_mug.jpg"] == before["b_mug.jpg"]
    assert after["a_mug.jpg"] != before["a_mug.jpg"]
    assert manifest(place)["totals"] == {"asked": 2, "made": 2, "unchanged": 1, "failed": 0}
    assert verify(far, place).exit_code == 0


def test_a_machine_that_knows_nothing_of_it_goes_by_the_manifest_on_the_server(far: "PhotoShop", place: Place) -> None:
    assert run(far, place).exit_code == 0
    before = place.uploads()
    (far.folder / ".tilepress").rename(far.folder / "lost")

    assert run(far, place).exit_code == 0

    assert {name: place.uploads()[name] for name in MADE} == {name: before[name] for name in MADE}


def test_killed_between_deliveries_the_next_run_delivers_the_rest(far: "PhotoShop", place: Place) -> None:
    for number in range(8):
        far.noise(f"{number}.png", (200, 150), number)
    command = [sys.executable, str(REPOSITORY / "cli.py"), "run", str(far.write())]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment(place.environment))
    wait_for(lambda: len(place.files()) >= 4 or process.poll() is not None, "some deliveries")
    process.kill()
    process.wait()
    there = place.files()
    assert len(there) < 21, "the run was over before it could be killed"
    assert manifest(place)["finished_at"] is None
    unfinished = verify(far, place)
    before = place.uploads()

    outcome = run(far, place)

    assert unfinished.exit_code == ExitCode.INCOMPLETE
    assert "the run was not finished" in unfinished.stdout
    assert outcome.exit_code == 0, outcome.text
    assert len(place.files()) == 21
    assert manifest(place)["totals"]["made"] == 20
    assert place.leftovers() == []
    kept = [name for name, number in place.uploads().items() if before.get(name) == number]
    assert len(kept) >= manifest(place)["totals"]["unchanged"] > 0


def test_a_changed_file_on_the_server_is_named(far: "PhotoShop", place: Place) -> None:
    assert run(far, place).exit_code == 0
    place.put("a_mug.jpg", place.files()["b_mug.jpg"])

    outcome = verify(far, place)

    assert outcome.exit_code == ExitCode.INCOMPLETE
    assert "a_mug.jpg: the file is not the one that was written: its SHA-256 differs" in outcome.stdout
