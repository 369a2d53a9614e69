"""SFTP: who is trusted and how one is known, whose fault an error is, and what a version tells."""

import hashlib
import os
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from config.errors import ArtworkError, ConfigurationError, StorageError, TilepressError, TransientError
from pipeline.storage.contracts import Patience, SftpAccess
from pipeline.storage.sftp import SftpShelf, SftpSource
from tests.servers.sftp import PASSWORD, USER, SftpServer

PATIENT = Patience(connect_s=10, read_s=10, total_s=60)
CONTENT = b"artwork" * 1000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without keys, known hosts and agent."""
    folder = tmp_path / "home"
    (folder / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return folder


@pytest.fixture
def open_source() -> Iterator[Callable[..., SftpSource]]:
    opened: list[SftpSource] = []

    def open_one(access: SftpAccess, patience: Patience = PATIENT) -> SftpSource:
        opened.append(SftpSource(access, patience))
        return opened[-1]

    yield open_one
    for source in opened:
        source.close()


class Shop:
    """A server with a design, and what a source with some access makes of it."""

    def __init__(self, server: SftpServer, open_source: Callable[..., SftpSource], folder: Path) -> None:
        self.server, self.open_source, self.target = server, open_source, folder / "fetched"
        (server.root / "design.png").write_bytes(CONTENT)

    def fetch(self, access: SftpAccess, user: str = "", patience: Patience = PATIENT) -> bytes:
        address = replace(self.server.address("/design.png"), user=user)
        self.open_source(access, patience).fetch(address, self.target, len(CONTENT), None)
        return self.target.read_bytes()


@pytest.fixture
def shop(sftp_server: SftpServer, open_source: Callable[..., SftpSource], tmp_path: Path) -> Shop:
    return Shop(sftp_server, open_source, tmp_path)


def failing(work: Callable[[], object], kind: type[TilepressError]) -> str:
    """Return the error that the work fails with; the password is nowhere in it."""
    with pytest.raises(TilepressError) as caught:
        work()
    assert type(caught.value) is kind, caught.value
    shown = str(caught.value) + repr(caught.value) + "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in shown
    return str(caught.value)


def test_an_unknown_server_is_told_nothing_and_its_fingerprint_is_shown(shop: Shop) -> None:
    access = replace(shop.server.access, known_hosts=None, password=PASSWORD)

    error = failing(lambda: shop.fetch(access), StorageError)

    assert "the server's key is not known" in error
    assert f"ssh-ed25519 {shop.server.fingerprint}" in error
    assert f"ssh-keyscan -p {shop.server.port} 127.0.0.1" in error
    assert "storage.sftp.host_keys" in error
    assert shop.server.attempts == 0


@pytest.mark.parametrize("algorithm", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
def test_a_server_with_another_key_than_the_known_one_is_told_nothing(shop: Shop, algorithm: str) -> None:
    other = asyncssh.generate_private_key(algorithm).export_public_key().decode()
    shop.server.known_hosts.write_text(f"[127.0.0.1]:{shop.server.port} {other}")

    error = failing(lambda: shop.fetch(replace(shop.server.access, password=PASSWORD)), StorageError)

    assert "the server's key is not the one it is known by" in error
    assert shop.server.fingerprint in error
    assert shop.server.attempts == 0


def test_a_server_that_takes_another_key_while_connected_to_is_not_trusted_again(shop: Shop) -> None:
    source = shop.open_source(shop.server.access)
    source.fetch(shop.server.address("/design.png"), shop.target, len(CONTENT), None)
    shop.server.change_host_key()

    def fetch() -> None:
        try:
            source.fetch(shop.server.address("/design.png"), shop.target, len(CONTENT), None)
        except TransientError:  # that the connection is gone may be seen by using it only
            source.fetch(shop.server.address("/design.png"), shop.target, len(CONTENT), None)

    assert "not the one it is known by" in failing(fetch, StorageError)


def test_a_server_is_known_by_a_pinned_key_alone(shop: Shop) -> None:
    access = replace(shop.server.access, known_hosts=None, host_keys=(shop.server.host_key_line,))

    assert shop.fetch(access) == CONTENT


def test_a_server_is_known_from_the_users_known_hosts(shop: Shop, home: Path) -> None:
    (home / ".ssh" / "known_hosts").write_text(shop.server.host_key_line)

    assert shop.fetch(replace(shop.server.access, known_hosts=None)) == CONTENT


def test_the_users_ssh_configuration_and_certificates_have_no_say(shop: Shop, home: Path) -> None:
    settings = "Host *\nStrictHostKeyChecking no\nUserKnownHostsFile none\nProxyCommand false\nUser nobody\n"
    (home / ".ssh" / "config").write_text(settings)
    (home / ".ssh" / "crt").mkdir()

    assert shop.fetch(shop.server.access) == CONTENT
    assert "not known" in failing(lambda: shop.fetch(replace(shop.server.access, known_hosts=None)), StorageError)


@pytest.mark.parametrize("line", ["nonsense", "@nonsense host key"])
def test_a_line_that_names_no_key_is_refused_where_it_stands(shop: Shop, line: str) -> None:
    error = failing(lambda: shop.fetch(replace(shop.server.access, host_keys=(line,))), ConfigurationError)
    assert "storage.sftp.host_keys" in error
    shop.server.known_hosts.write_text(line)
    assert str(shop.server.known_hosts) in failing(lambda: shop.fetch(shop.server.access), StorageError)


def test_a_known_hosts_file_that_was_named_must_be_there(shop: Shop, tmp_path: Path) -> None:
    access = replace(shop.server.access, known_hosts=tmp_path / "missing", host_keys=(shop.server.host_key_line,))

    assert str(tmp_path / "missing") in failing(lambda: shop.fetch(access), StorageError)


def test_a_password_lets_in_where_no_key_does(shop: Shop) -> None:
    assert shop.fetch(replace(shop.server.access, key_file=None, password=PASSWORD)) == CONTENT


def test_a_key_in_its_usual_place_lets_in_where_nothing_is_named(shop: Shop, home: Path) -> None:
    (home / ".ssh" / "id_ed25519").write_bytes(shop.server.key_file.read_bytes())

    assert shop.fetch(replace(shop.server.access, key_file=None)) == CONTENT


def test_the_user_of_the_url_comes_before_the_one_of_the_settings(shop: Shop) -> None:
    access = replace(shop.server.access, key_file=None, password=PASSWORD, user="nobody")

    assert shop.fetch(access, user=USER) == CONTENT
    assert "does not accept" in failing(lambda: shop.fetch(access), StorageError)


def test_without_any_user_it_is_the_one_who_runs_the_program(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", USER)

    assert shop.fetch(replace(shop.server.access, key_file=None, password=PASSWORD, user="")) == CONTENT


def test_a_wrong_password_is_not_tried_again_and_not_shown(shop: Shop) -> None:
    access = replace(shop.server.access, key_file=None, password=PASSWORD + "?")

    error = failing(lambda: shop.fetch(access), StorageError)

    assert "does not accept the user's key or password" in error


def test_a_key_the_server_does_not_know_is_not_tried_again(shop: Shop, tmp_path: Path) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "other")

    error = failing(lambda: shop.fetch(replace(shop.server.access, key_file=tmp_path / "other")), StorageError)

    assert "does not accept the user's key or password" in error


def test_a_key_with_a_passphrase_is_said_to_have_one(shop: Shop, tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(tmp_path / "locked", "pkcs8-pem", passphrase="canary-phrase")

    error = failing(lambda: shop.fetch(replace(shop.server.access, key_file=tmp_path / "locked")), StorageError)

    assert str(tmp_path / "locked") in error
    assert "passphrase" in error


@pytest.mark.parametrize("content", [None, b"", b"nonsense"])
def test_a_key_file_that_is_none_is_named(shop: Shop, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "none"
    if content is not None:
        path.write_bytes(content)

    assert str(path) in failing(lambda: shop.fetch(replace(shop.server.access, key_file=path)), StorageError)


def test_a_host_that_does_not_exist_is_no_passing_fault(open_source: Callable[..., SftpSource], shop: Shop) -> None:
    address = replace(shop.server.address("/design.png"), host="no-such-host.invalid")

    with pytest.raises(StorageError) as caught:
        open_source(shop.server.access).fetch(address, shop.target, 10, None)
    assert "no-such-host.invalid" in str(caught.value)


def test_a_server_that_takes_connections_and_says_nothing_is_given_up(shop: Shop) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        address = replace(shop.server.address("/design.png"), port=silent.getsockname()[1])
        source = shop.open_source(shop.server.access, Patience(connect_s=0.2, read_s=10, total_s=60))

        error = failing(lambda: source.fetch(address, shop.target, 10, None), TransientError)

    assert "no connection within 0.2 s" in error


def test_a_server_that_speaks_no_ssh_is_worth_another_try(shop: Shop) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        address = replace(shop.server.address("/design.png"), port=other.getsockname()[1])

        def serve() -> None:
            with closing(other.accept()[0]) as connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        failing(lambda: shop.open_source(shop.server.access).fetch(address, shop.target, 10, None), TransientError)
        thread.join()


def test_threads_share_one_connection_to_a_server(shop: Shop, tmp_path: Path) -> None:
    for number in range(16):
        (shop.server.root / f"{number}.png").write_bytes(bytes([number]) * 100_000)
    source = shop.open_source(shop.server.access)

    def fetch(number: int) -> bytes:
        target = tmp_path / f"{number}"
        source.fetch(shop.server.address(f"/{number}.png"), target, 100_000, None)
        return target.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(fetch, range(16))) == [bytes([number]) * 100_000 for number in range(16)]
    assert shop.server.logins == 1


def test_threads_share_the_failure_of_a_connection_and_the_next_try(shop: Shop, tmp_path: Path) -> None:
    source = shop.open_source(shop.server.access)
    shop.server.refuse()

    def fetch(number: int) -> bool:
        try:
            source.fetch(shop.server.address("/design.png"), tmp_path / f"{number}", len(CONTENT), None)
        except TransientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(fetch, range(8)))
        shop.server.accept()
        assert all(pool.map(fetch, range(8)))
    assert shop.server.logins == 1


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/missing.png", "not found"), ("/no/folder/a.png", "not found"), ("/folder", "no regular file")],
)
def test_a_design_that_is_none_is_its_own_fault(shop: Shop, path: str, reason: str) -> None:
    (shop.server.root / "folder").mkdir()
    source = shop.open_source(shop.server.access)

    error = failing(lambda: source.fetch(shop.server.address(path), shop.target, 10, None), ArtworkError)

    assert error == f"{reason}: {shop.server.address(path)}"


def test_a_design_that_may_not_be_read_is_its_own_fault(shop: Shop) -> None:
    shop.server.faults.deny_open = asyncssh.FXF_READ

    error = failing(lambda: shop.fetch(shop.server.access), ArtworkError)

    assert error == f"cannot be read: Permission denied: {shop.server.address('/design.png')}"


def test_a_design_too_large_is_not_read_at_all(shop: Shop) -> None:
    source = shop.open_source(shop.server.access)

    error = failing(
        lambda: source.fetch(shop.server.address("/design.png"), shop.target, len(CONTENT) - 1, None), ArtworkError
    )

    assert "7,000 bytes; at most 6,999 are accepted" in error
    assert shop.server.read == 0


@pytest.mark.parametrize("size", [len(CONTENT) - 1, len(CONTENT) + 1, len(CONTENT)])
def test_a_design_that_changes_while_it_is_read_is_read_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    design = shop.server.root / "design.png"

    def change() -> None:
        design.write_bytes(bytes(size))
        os.utime(design, (1, 1))

    shop.server.on_open = change

    failing(lambda: shop.fetch(shop.server.access), TransientError)

    shop.server.on_open = lambda: None
    (shop.server.root / "design.png").write_bytes(CONTENT)
    assert shop.fetch(shop.server.access) == CONTENT


def test_a_version_tells_by_length_and_time(shop: Shop) -> None:
    design, source = shop.server.root / "design.png", shop.open_source(shop.server.access)
    os.utime(design, (1, 1_700_000_000))
    version = source.fetch(shop.server.address("/design.png"), shop.target, len(CONTENT), None)
    assert version is not None
    assert (version.bytes, version.modified, version.etag) == (len(CONTENT), "1700000000", "")

    os.utime(design, (1, 1_700_000_001))

    assert source.fetch(shop.server.address("/design.png"), shop.target, len(CONTENT), version) is not None


@pytest.fixture
def shelf(sftp_server: SftpServer) -> Iterator[SftpShelf]:
    with closing(SftpShelf(sftp_server.address("/out/of/tree"), sftp_server.access, PATIENT)) as shelf:
        yield shelf


def put(shelf: SftpShelf, folder: Path, content: bytes = CONTENT, name: str = "Part_1.png") -> None:
    (folder / "sheet").write_bytes(content)
    shelf.put(folder / "sheet", name, hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("says", [asyncssh.SFTPFailure, asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded])
def test_a_full_disk_is_recognised_however_the_server_says_it(
    sftp_server: SftpServer, shelf: SftpShelf, tmp_path: Path, says: Callable[[str], asyncssh.SFTPError]
) -> None:
    sftp_server.faults.full_after, sftp_server.faults.full_says = 0, says

    error = failing(lambda: put(shelf, tmp_path), StorageError)

    assert "full" in error
    assert "Free some space" in error
    assert list(sftp_server.root.rglob("*.p*")) == []


def test_a_name_taken_at_the_last_moment_by_another_file_is_not_overwritten(
    sftp_server: SftpServer, shelf: SftpShelf, tmp_path: Path
) -> None:
    final = sftp_server.root / "out/of/tree/Part_1.png"
    sftp_server.on_rename = lambda: final.write_bytes(b"of somebody else")

    assert "never overwritten" in failing(lambda: put(shelf, tmp_path), StorageError)

    assert final.read_bytes() == b"of somebody else"
    assert list(sftp_server.root.rglob("*.partial")) == []


def test_a_name_taken_at_the_last_moment_by_the_same_file_is_fine(
    sftp_server: SftpServer, shelf: SftpShelf, tmp_path: Path
) -> None:
    final = sftp_server.root / "out/of/tree/Part_1.png"
    sftp_server.on_rename = lambda: final.write_bytes(CONTENT)

    put(shelf, tmp_path)

    assert final.read_bytes() == CONTENT
    assert list(sftp_server.root.rglob("*.partial")) == []


def test_a_folder_under_the_name_is_left_alone(sftp_server: SftpServer, shelf: SftpShelf, tmp_path: Path) -> None:
    (sftp_server.root / "out/of/tree/Part_1.png").mkdir(parents=True)

    assert "never overwritten" in failing(lambda: put(shelf, tmp_path), StorageError)


@pytest.mark.parametrize("what", ["rename", "open"])
def test_what_the_server_forbids_is_said_and_nothing_is_left(
    sftp_server: SftpServer, shelf: SftpShelf, tmp_path: Path, what: str
) -> None:
    sftp_server.faults.deny_rename = what == "rename"
    sftp_server.faults.deny_open = asyncssh.FXF_WRITE if what == "open" else 0

    assert "permission denied" in failing(lambda: put(shelf, tmp_path), StorageError)

    assert [path for path in sftp_server.root.rglob("*") if path.is_file()] == []


def test_a_folder_that_is_a_file_is_a_refusal(sftp_server: SftpServer, shelf: SftpShelf, tmp_path: Path) -> None:
    (sftp_server.root / "out").write_bytes(b"in the way")

    failing(lambda: put(shelf, tmp_path), StorageError)

    assert (sftp_server.root / "out").read_bytes() == b"in the way"


def test_an_error_names_the_file_and_a_broken_connection_the_server(
    sftp_server: SftpServer, shelf: SftpShelf, tmp_path: Path
) -> None:
    sftp_server.faults.cut_after_written = 0
    error = failing(lambda: put(shelf, tmp_path), TransientError)
    assert error.startswith(f"{sftp_server.address('/out/of/tree/.Part_1.png.partial')}: the connection broke")
    sftp_server.refuse()
    with closing(SftpShelf(sftp_server.address("/out"), sftp_server.access, PATIENT)) as other:
        error = failing(lambda: put(other, tmp_path), TransientError)
    assert error.startswith(f"{sftp_server.address('/')}: Connection refused")
