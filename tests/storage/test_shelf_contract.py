"""What every shelf promises, whatever it speaks: deliveries are whole or not there, and never take another's place."""

import hashlib
import logging
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from config.errors import ArtworkError, ConfigurationError, StorageError, TilepressError, TransientError
from pipeline.storage.address import Address
from pipeline.storage.contracts import Patience, S3Access, SftpAccess, Shelf
from pipeline.storage.opening import open_shelf, open_source
from pipeline.storage.s3 import PART_BYTES
from tests.servers import s3 as s3_servers
from tests.servers import sftp as sftp_servers
from tests.servers.s3 import S3Server
from tests.servers.sftp import SftpServer

REPOSITORY = Path(__file__).parents[2]
SECRETS = (sftp_servers.PASSWORD, s3_servers.SECRET_KEY, s3_servers.ACCESS_KEY, "canary")
PATIENT = Patience(connect_s=10, read_s=10, total_s=60)
HASTY = Patience(connect_s=10, read_s=0.3, total_s=60)
DEADLINE_S = 60.0
FOLDER = "shop/sheets of today"
TWO_PARTS = PART_BYTES + 1_000_000


class Place(Protocol):
    """A server with the folder of the shelf, as a test sees it from behind."""

    @property
    def server(self) -> SftpServer | S3Server:
        """The server itself, with its faults."""

    @property
    def sftp(self) -> SftpAccess:
        """How SFTP servers are got into."""

    @property
    def s3(self) -> S3Access:
        """Where S3 is."""

    def address(self, name: str = "") -> Address:
        """Return where a name of the folder lies."""

    def content(self, name: str) -> bytes | None:
        """Return what lies in the folder."""

    def put(self, name: str, content: bytes) -> None:
        """Lay a file there."""

    def leftovers(self) -> list[str]:
        """Return the names of deliveries that were begun and neither finished nor cleaned up."""

    def leave_half(self, name: str) -> None:
        """Leave what a killed delivery does."""


class SftpPlace:
    def __init__(self, server: SftpServer) -> None:
        self.server, self.s3 = server, S3Access()
        self.sftp = SftpAccess(known_hosts=server.known_hosts, user=sftp_servers.USER, password=server.password)
        self.folder = server.root / FOLDER

    def address(self, name: str = "") -> Address:
        return self.server.address(f"/{FOLDER}/{name}".rstrip("/"))

    def content(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.exists() else None

    def put(self, name: str, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(content)

    def leftovers(self) -> list[str]:
        return sorted(path.name for path in self.server.root.rglob("*.partial"))

    def leave_half(self, name: str) -> None:
        self.put(f".{name}.partial", b"half")


class S3Place:
    def __init__(self, server: S3Server) -> None:
        self.server, self.s3, self.sftp = server, server.access, SftpAccess()

    def address(self, name: str = "") -> Address:
        return self.server.address(f"{FOLDER}/{name}".rstrip("/"))

    def content(self, name: str) -> bytes | None:
        key = f"{FOLDER}/{name}"
        return self.server.get(key) if key in self.server.keys() else None  # noqa: SIM118 - the server's method

    def put(self, name: str, content: bytes) -> None:
        self.server.put(f"{FOLDER}/{name}", content)

    def leftovers(self) -> list[str]:
        return self.server.uploads()

    def leave_half(self, name: str) -> None:
        self.server.begin_upload(f"{FOLDER}/{name}")


@pytest.fixture(params=["sftp", "s3"])
def place(request: pytest.FixtureRequest) -> Place:
    server = request.getfixturevalue(f"{request.param}_server")
    return SftpPlace(server) if isinstance(server, SftpServer) else S3Place(server)


@pytest.fixture
def open_it(place: Place) -> Iterator[Callable[[Patience], Shelf]]:
    """Open the shelf, with whatever patience."""
    opened: list[Shelf] = []

    def open_one(patience: Patience) -> Shelf:
        opened.append(open_shelf(place.address(), place.sftp, place.s3, patience))
        return opened[-1]

    yield open_one
    for shelf in opened:
        shelf.close()


@pytest.fixture
def shelf(open_it: Callable[[Patience], Shelf]) -> Shelf:
    return open_it(PATIENT)


class Sheet:
    """A finished file of this side."""

    def __init__(self, path: Path, size: int, seed: int = 0) -> None:
        self.path, self.name = path, path.name
        self.content = np.random.default_rng(seed).bytes(size)
        self.path.write_bytes(self.content)
        self.sha256 = hashlib.sha256(self.content).hexdigest()

    def put_on(self, shelf: Shelf) -> None:
        shelf.put(self.path, self.name, self.sha256)


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    return Sheet(tmp_path / "Part_1.png", TWO_PARTS)


def failing(work: Callable[[], object], kind: type[TilepressError]) -> str:
    """Return what the error says that the work fails with; nothing it could be shown by has a secret in it."""
    with pytest.raises(TilepressError) as caught:
        work()
    assert type(caught.value) is kind, caught.value
    for shown in (str(caught.value), repr(caught.value), "".join(traceback.format_exception(caught.value))):
        assert not [secret for secret in SECRETS if secret in shown], shown
    assert caught.value.remedy or kind is ArtworkError
    return caught.value.message


def wait_for(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.002)


SIZES = (0, 1, 262_143, 262_144, 262_145, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_delivered_is_found_and_read_back_whole(place: Place, shelf: Shelf, tmp_path: Path, size: int) -> None:
    sheet = Sheet(tmp_path / "Part_1.png", size)
    assert shelf.find(sheet.name) is None
    assert shelf.hash(sheet.name) is None

    sheet.put_on(shelf)

    assert place.content(sheet.name) == sheet.content
    found = shelf.find(sheet.name)
    assert found is not None and found.bytes == size and found.tells
    assert shelf.hash(sheet.name) == sheet.sha256
    shelf.get(sheet.name, tmp_path / "back", size)
    assert (tmp_path / "back").read_bytes() == sheet.content
    assert place.leftovers() == []


def test_delivering_it_again_sends_nothing(place: Place, shelf: Shelf, sheet: Sheet) -> None:
    sheet.put_on(shelf)
    place.server.heal()

    sheet.put_on(shelf)

    assert place.server.written == 0
    assert place.content(sheet.name) == sheet.content


@pytest.mark.parametrize("other", [b"", b"older artwork", bytes(TWO_PARTS)])
def test_another_file_of_the_name_is_never_overwritten(place: Place, shelf: Shelf, sheet: Sheet, other: bytes) -> None:
    place.put(sheet.name, other)

    message = failing(lambda: sheet.put_on(shelf), StorageError)

    assert message == f"{place.address(sheet.name)} is there already and is another file; it is never overwritten"
    assert place.content(sheet.name) == other
    assert place.server.written == 0
    assert place.leftovers() == []


def test_a_delivery_cut_off_leaves_nothing_under_its_name_and_goes_through_when_tried_again(
    place: Place, shelf: Shelf, sheet: Sheet
) -> None:
    place.server.faults.cut_after_written = PART_BYTES + 1

    message = failing(lambda: sheet.put_on(shelf), TransientError)

    assert message.startswith(f"{place.address().scheme}://") and "broke" in message
    assert place.content(sheet.name) is None
    assert place.leftovers() == []
    place.server.heal()
    sheet.put_on(shelf)
    assert place.content(sheet.name) == sheet.content
    assert place.leftovers() == []


def test_what_a_killed_delivery_left_is_swept_away_and_nothing_else(place: Place, shelf: Shelf) -> None:
    for name in ("Part_1.png", "Part_2.png", "Part_10.png", "Part_1.png.bak"):
        place.leave_half(name)
    place.put("Part_3.png", b"delivered")

    shelf.sweep(("Part_1.png", "Part_2.png", "Part_3.png"))

    assert len(place.leftovers()) == 2
    assert place.content("Part_3.png") == b"delivered"


def test_what_a_killed_delivery_left_does_not_hinder_the_next(place: Place, shelf: Shelf, sheet: Sheet) -> None:
    place.leave_half(sheet.name)

    sheet.put_on(shelf)

    assert place.content(sheet.name) == sheet.content
    assert place.leftovers() == []


def test_a_full_server_is_told_from_a_busy_one(place: Place, shelf: Shelf, sheet: Sheet) -> None:
    place.server.faults.full_after = PART_BYTES

    message = failing(lambda: sheet.put_on(shelf), StorageError)

    assert "full" in message
    assert place.content(sheet.name) is None
    assert place.leftovers() == []


def test_a_server_that_refuses_connections_is_worth_another_try(place: Place, shelf: Shelf, sheet: Sheet) -> None:
    place.server.refuse()

    failing(lambda: shelf.find(sheet.name), TransientError)
    failing(lambda: sheet.put_on(shelf), TransientError)

    place.server.accept()
    assert shelf.find(sheet.name) is None


def test_a_server_that_went_away_between_two_deliveries_is_connected_to_again(
    place: Place, shelf: Shelf, sheet: Sheet, tmp_path: Path
) -> None:
    sheet.put_on(shelf)
    place.server.refuse()
    place.server.accept()

    try:
        shelf.remove(sheet.name)
    except TransientError:  # that the connection is gone may be seen by using it only
        shelf.remove(sheet.name)

    assert place.content(sheet.name) is None


@pytest.mark.parametrize("when", ["at once", "under way"])
def test_a_server_that_says_nothing_is_given_up(
    place: Place, open_it: Callable[[Patience], Shelf], sheet: Sheet, when: str
) -> None:
    shelf = open_it(HASTY)
    place.server.faults.hang = when == "at once"
    place.server.faults.hang_after_written = PART_BYTES

    message = failing(lambda: sheet.put_on(shelf), TransientError)

    assert "nothing was heard for 0.3 s" in message
    place.server.heal()
    patient = open_it(PATIENT)
    patient.sweep((sheet.name,))
    assert place.content(sheet.name) is None
    assert place.leftovers() == []
    sheet.put_on(patient)
    assert place.content(sheet.name) == sheet.content


def test_a_transfer_that_takes_too_long_is_given_up_though_bytes_come(
    place: Place, open_it: Callable[[Patience], Shelf], sheet: Sheet
) -> None:
    shelf = open_it(Patience(connect_s=10, read_s=10, total_s=0.001))

    message = failing(lambda: sheet.put_on(shelf), TransientError)

    assert "not done within 0.001 s" in message
    assert place.content(sheet.name) is None


@pytest.mark.parametrize("size", [1000, TWO_PARTS])
def test_what_reads_back_as_another_file_is_removed(place: Place, shelf: Shelf, tmp_path: Path, size: int) -> None:
    sheet = Sheet(tmp_path / "Part_1.png", size)
    place.server.faults.corrupt = True

    message = failing(lambda: sheet.put_on(shelf), TransientError)

    assert "what was read back is not what was delivered" in message
    place.server.heal()
    assert place.content(sheet.name) is None
    assert place.leftovers() == []


@pytest.mark.parametrize("size", [1000, TWO_PARTS])
def test_a_file_that_is_not_what_was_promised_is_not_delivered(
    place: Place, shelf: Shelf, tmp_path: Path, size: int
) -> None:
    sheet = Sheet(tmp_path / "Part_1.png", size)

    message = failing(lambda: shelf.put(sheet.path, sheet.name, hashlib.sha256(b"").hexdigest()), StorageError)

    assert message == f"{sheet.path}: the file changed since it was made"
    assert place.content(sheet.name) is None
    assert place.leftovers() == []


NAMES = ("Größe 3 – Motiv “A”.png", "a+b&c=d#e?f%20g.png", "naïve café ☕.tiff", "x" * 200 + ".png")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_may_have_any_letters_in_it(place: Place, shelf: Shelf, tmp_path: Path, name: str) -> None:
    sheet = Sheet(tmp_path / "source", 1000)

    shelf.sweep((name,))
    shelf.put(sheet.path, name, sheet.sha256)

    assert place.content(name) == sheet.content
    assert shelf.hash(name) == sheet.sha256
    shelf.remove(name)
    assert place.content(name) is None


def test_removing_and_sweeping_what_is_not_there_is_harmless(place: Place, shelf: Shelf) -> None:
    shelf.remove("Part_1.png")
    shelf.sweep(())
    shelf.sweep(("Part_1.png", "Part_2.png"))


def test_getting_back_keeps_to_its_limit(place: Place, shelf: Shelf, tmp_path: Path) -> None:
    place.put("manifest.json", bytes(1_000_000))
    place.server.heal()

    assert "1,000,000 bytes; at most 999,999" in failing(
        lambda: shelf.get("manifest.json", tmp_path / "back", 999_999), ArtworkError
    )
    assert not (tmp_path / "back").exists()
    assert "not found" in failing(lambda: shelf.get("missing.json", tmp_path / "back", 1), ArtworkError)


def test_a_download_cut_off_is_worth_another_try(place: Place, tmp_path: Path) -> None:
    content = np.random.default_rng(1).bytes(3_000_000)
    place.put("design.png", content)
    place.server.heal()
    place.server.faults.cut_after_read = 1_000_000
    with closing(open_source(place.address().scheme, place.sftp, place.s3, PATIENT)) as source:
        address = place.address("design.png")

        failing(lambda: source.fetch(address, tmp_path / "design", 3_000_000, None), TransientError)

        place.server.heal()
        version = source.fetch(address, tmp_path / "design", 3_000_000, None)
        assert (tmp_path / "design").read_bytes() == content
        assert version is not None and version.bytes == 3_000_000


def test_a_design_that_is_known_is_not_fetched_again_until_it_changes(place: Place, tmp_path: Path) -> None:
    place.put("design.png", b"first")
    with closing(open_source(place.address().scheme, place.sftp, place.s3, PATIENT)) as source:
        address = place.address("design.png")
        known = source.fetch(address, tmp_path / "design", 100, None)
        assert known is not None and known.tells
        place.server.heal()

        assert source.fetch(address, tmp_path / "again", 100, known) is None

        assert place.server.read == 0
        assert not (tmp_path / "again").exists()
        place.put("design.png", b"second")
        assert source.fetch(address, tmp_path / "again", 100, known) != known
        assert (tmp_path / "again").read_bytes() == b"second"


def test_a_disk_of_this_side_that_fails_is_not_taken_for_the_server(place: Place, tmp_path: Path) -> None:
    place.put("design.png", b"content")
    with closing(open_source(place.address().scheme, place.sftp, place.s3, PATIENT)) as source:
        target = tmp_path / "missing" / "design"

        message = failing(lambda: source.fetch(place.address("design.png"), target, 100, None), StorageError)

        assert message.startswith(str(target))


_DELIVER = """
import sys
from pathlib import Path
from config.errors import TransientError
from pipeline.storage.address import Address
from pipeline.storage.contracts import Patience, S3Access, SftpAccess
from pipeline.storage.opening import open_shelf

scheme, host, port, folder, known_hosts, key_file, endpoint, *files = sys.argv[1:]
sftp = SftpAccess(known_hosts=Path(known_hosts), key_file=Path(key_file), user="shop")
shelf = open_shelf(Address(scheme, host, int(port), folder), sftp, S3Access(endpoint=endpoint), Patience(10, 60, 300))
try:
    while files:
        path, sha256, *files = files
        shelf.put(Path(path), Path(path).name, sha256)
        status = Path("/proc/self/status").read_text() if sys.platform == "linux" else "VmHWM: 0"
        print(status.split("VmHWM:")[1].split()[0])
except (KeyboardInterrupt, TransientError) as error:
    sys.exit(130 if isinstance(error, KeyboardInterrupt) else 4)
"""
_CLOSE = "finally:\n    shelf.close()\n"


def deliver_elsewhere(place: Place, *sheets: Sheet, end: str = _CLOSE) -> "subprocess.Popen[str]":
    """Begin deliveries in a process of its own, which tells how much memory it has used at most after each."""
    server, where = place.server, place.address()
    keys = (server.known_hosts, server.key_file) if isinstance(server, SftpServer) else ("", "")
    endpoint = server.endpoint if isinstance(server, S3Server) else ""
    files = [argument for sheet in sheets for argument in (sheet.path, sheet.sha256)]
    arguments = [where.scheme, where.host, where.port, where.path, *keys, endpoint, *files]
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", _DELIVER + end, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_delivery_that_is_interrupted_cleans_up(place: Place, sheet: Sheet) -> None:
    place.server.faults.slow_after_written = PART_BYTES
    process = deliver_elsewhere(place, sheet)
    wait_for(lambda: place.server.written > PART_BYTES or process.poll() is not None, "the delivery")

    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=DEADLINE_S)

    assert (process.returncode, stdout, stderr) == (130, "", "")
    assert place.content(sheet.name) is None
    assert place.leftovers() == []


def test_nothing_is_logged_that_nobody_asked_for(
    place: Place, shelf: Shelf, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sheet = Sheet(tmp_path / "a.png", 1000)
    with caplog.at_level(logging.DEBUG):
        place.server.faults.corrupt = True
        failing(lambda: sheet.put_on(shelf), TransientError)
        place.server.heal()
        sheet.put_on(shelf)

    libraries = ("asyncio", "asyncssh", "aiobotocore", "botocore", "s3fs")
    assert [record for record in caplog.records if record.name.startswith(libraries)] == []
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_of_a_connection_that_breaks_nothing_is_said_but_the_error(place: Place, sheet: Sheet) -> None:
    place.server.faults.cut_after_written = PART_BYTES

    process = deliver_elsewhere(place, sheet)

    stdout, stderr = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, stdout, stderr) == (4, "", "")


def test_a_shelf_that_is_not_closed_does_not_keep_the_process_from_ending(place: Place, tmp_path: Path) -> None:
    process = deliver_elsewhere(place, Sheet(tmp_path / "a.png", 1000), end="")

    process.communicate(timeout=DEADLINE_S)

    assert process.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_memory_does_not_grow_with_the_file(place: Place, tmp_path: Path) -> None:
    small, large = Sheet(tmp_path / "small", 1000), Sheet(tmp_path / "large", 64_000_000)

    process = deliver_elsewhere(place, small, large)
    stdout, stderr = process.communicate(timeout=DEADLINE_S)

    assert (process.returncode, stderr) == (0, "")
    before, after = (int(line) * 1024 for line in stdout.splitlines())
    assert after - before < 50_000_000, f"{after - before:,} bytes more for 64,000,000"
    assert place.content(large.name) == large.content


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nothing_is_delivered_over_http(scheme: str) -> None:
    address = Address(scheme, "shop.example", 443, "/sheets")

    message = failing(lambda: open_shelf(address, SftpAccess(), S3Access(), PATIENT), ConfigurationError)

    assert message.endswith(f"nothing is delivered over {scheme}")


@pytest.mark.parametrize(("scheme", "package"), [("sftp", "asyncssh"), ("s3", "s3fs")])
def test_a_protocol_whose_packages_are_missing_says_how_to_install_them(
    monkeypatch: pytest.MonkeyPatch, scheme: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"pipeline.storage.{scheme}", raising=False)
    monkeypatch.delattr(f"pipeline.storage.{scheme}", raising=False)

    for work in (
        lambda: open_shelf(Address(scheme, "shop", 22, "/"), SftpAccess(), S3Access(), PATIENT),
        lambda: open_source(scheme, SftpAccess(), S3Access(), PATIENT),
    ):
        with pytest.raises(ConfigurationError) as caught:
            work()
        assert f"pip install 'tilepress[{scheme}]'" in caught.value.remedy
