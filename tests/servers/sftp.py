"""A real SFTP server for tests, which can be told to misbehave.

It runs on a thread of the test's own process; clients may be in any. `faults` may be changed while it serves.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncssh
import pytest

from pipeline.storage.address import Address
from pipeline.storage.contracts import SftpAccess
from tests.servers.ports import KeptPort

USER = "shop"
PASSWORD = "canary-sftp-pass"
SLOWLY_S = 0.05
_STUCK_S = 10

T = TypeVar("T")


@dataclass
class Faults:
    """What goes wrong. Counts are of bytes of files since the last `heal`."""

    cut_after_written: int | None = None  # then the connection is gone
    cut_after_read: int | None = None
    full_after: int | None = None
    full_says: Callable[[str], asyncssh.SFTPError] = asyncssh.SFTPNoSpaceOnFilesystem  # OpenSSH says SFTPFailure
    hang: bool = False  # requests are never answered
    hang_after_written: int | None = None
    slow_after_written: int | None = None  # then each block takes a while
    deny_rename: bool = False
    deny_open: int = 0  # flags: opening for any of these is forbidden
    corrupt: bool = False  # one bit of each write is lost


class SftpServer:
    """The server: `root` is what clients see as "/"."""

    def __init__(self, folder: Path) -> None:
        self.root, self.known_hosts, self.key_file = folder / "root", folder / "known_hosts", folder / "key"
        self.password = PASSWORD
        self.faults = Faults()
        self.on_open: Callable[[], object] = lambda: None  # a test's hooks
        self.on_rename: Callable[[], object] = lambda: None
        self.stopping = False
        self._kept = KeptPort()
        self.written = self.read = self.attempts = self.logins = self.port = 0
        self.root.mkdir(parents=True)
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(self.key_file)
        self.key_file.chmod(0o600)
        self._authorized = asyncssh.import_authorized_keys(key.export_public_key().decode())
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sftp server", daemon=True)
        self._thread.start()
        self.change_host_key()
        self.known_hosts.write_text(self.host_key_line + "\n")

    @property
    def host_key_line(self) -> str:
        """The line of a known_hosts file that the server is known by."""
        return f"[127.0.0.1]:{self.port} {self._host_key.export_public_key().decode().strip()}"

    @property
    def fingerprint(self) -> str:
        return self._host_key.get_fingerprint()

    @property
    def access(self) -> SftpAccess:
        """How a client may get in."""
        return SftpAccess(known_hosts=self.known_hosts, user=USER, key_file=self.key_file)

    def address(self, path: str = "/") -> Address:
        return Address("sftp", "127.0.0.1", self.port, path)

    def url(self, path: str = "/") -> str:
        return str(self.address(path))

    def change_host_key(self) -> None:
        """Be another server from now on, at the same port."""
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.refuse()
        self.accept()

    def refuse(self) -> None:
        """Drop all connections and listen no more."""
        self._do(self._close())
        if self.port:
            self._kept.keep(self.port)

    def accept(self) -> None:
        """Listen again, at the port of before."""
        self._do(self._listen())
        self._kept.release()

    def heal(self) -> None:
        """Misbehave no more."""
        self.faults = Faults()
        self.written = self.read = 0

    def stop(self) -> None:
        self.refuse()
        self._kept.release()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self) -> None:
        self.stopping = False
        self._acceptor = await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_host_keys=[self._host_key],
            server_factory=lambda: _Gate(self),
            sftp_factory=lambda chan: _Files(self, chan),
            authorized_client_keys=self._authorized,
            config=None,
            reuse_address=True,
        )
        self.port = self._acceptor.get_port()

    async def _close(self) -> None:
        acceptor, self._acceptor = self._acceptor, None
        self.stopping = True
        if acceptor is not None:
            acceptor.close()
        for connection in list(self._connections):
            connection.abort()
            await connection.wait_closed()
        if acceptor is not None:
            await acceptor.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:  # which notice that their connections are gone
            _, stuck = await asyncio.wait(others, timeout=_STUCK_S)
            assert not stuck


class _Gate(asyncssh.SSHServer):
    """Lets users in."""

    def __init__(self, server: SftpServer) -> None:
        self._server = server

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._server._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        self._server.attempts += 1
        return True

    def auth_completed(self) -> None:
        self._server.logins += 1

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return username == USER and password == PASSWORD


class _Files(asyncssh.SFTPServer):
    """Serves the files below the root, as well as the faults allow."""

    def __init__(self, server: SftpServer, chan: "asyncssh.SSHServerChannel[bytes]") -> None:
        super().__init__(chan, chroot=os.fsencode(server.root))
        self._server = server

    async def stat(self, path: bytes) -> Any:
        await self._answering()
        return super().stat(path)

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        await self._answering()
        if pflags & self._server.faults.deny_open:
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        self._server.on_open()
        return super().open(path, pflags, attrs)

    async def read(self, file_obj: object, offset: int, size: int) -> Any:
        await self._answering()
        self._server.read += size
        self._cut(self._server.faults.cut_after_read, self._server.read)
        return super().read(file_obj, offset, size)

    async def write(self, file_obj: object, offset: int, data: bytes) -> Any:
        self._server.written += len(data)
        await self._answering()
        faults = self._server.faults
        self._cut(faults.cut_after_written, self._server.written)
        if faults.full_after is not None and self._server.written > faults.full_after:
            raise faults.full_says("Failure")
        if faults.slow_after_written is not None and self._server.written > faults.slow_after_written:
            await asyncio.sleep(SLOWLY_S)
        if faults.corrupt:
            data = bytes([data[0] ^ 1]) + data[1:]
        return super().write(file_obj, offset, data)

    def rename(self, oldpath: bytes, newpath: bytes) -> Any:
        self._server.on_rename()
        if self._server.faults.deny_rename:
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        return super().rename(oldpath, newpath)

    async def _answering(self) -> None:
        """Return at once; of a server that hangs, never do what was asked for, even if it is healed later."""
        hung = False
        while self._hangs():
            hung = True
            await asyncio.sleep(0.01)
        if hung:
            self.connection.abort()
            raise asyncssh.SFTPConnectionLost("hung")

    def _hangs(self) -> bool:
        server = self._server
        after = server.faults.hang_after_written
        return not server.stopping and (server.faults.hang or (after is not None and server.written > after))

    def _cut(self, after: int | None, count: int) -> None:
        if after is not None and count > after:
            self.connection.abort()
            raise asyncssh.SFTPConnectionLost("cut off")


@pytest.fixture
def sftp_server(tmp_path: Path) -> Iterator[SftpServer]:
    server = SftpServer(tmp_path / "sftp")
    yield server
    server.stop()
