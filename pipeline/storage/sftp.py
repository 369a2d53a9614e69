"""Storage on SFTP servers: artwork is fetched from them, finished files are delivered to them.

Speaks through asyncssh on a loop of its own. A server is known by a key that is pinned or in known_hosts, or nothing
is sent to it; `~/.ssh/config` has no say. A delivery goes to `.<name>.partial`, is read back, and then renamed by the
rename that fails where there is a file already.
"""

import asyncio
import hashlib
import os
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import asyncssh

from config.errors import ArtworkError, ConfigurationError, StorageError, TilepressError, TransientError
from pipeline.delivery import storing
from pipeline.storage.address import Address
from pipeline.storage.contracts import Patience, SftpAccess, Version
from pipeline.storage.remote import (
    AGAIN,
    FAREWELL_S,
    INTERRUPTED_S,
    Arriving,
    Background,
    Leaving,
    RemoteShelf,
    corrupted,
    cut_short,
    deadline,
    in_a_row,
    never_overwritten,
    no_room,
    plain,
)

_BLOCK = 256 * 1024  # bytes asked for, or sent, at once; what OpenSSH takes at most
_UNDER_WAY = 2 * 1024 * 1024  # bytes asked for, or sent, and not answered; as much as a channel's window
_AT_ONCE = 16  # requests that carry no content
_DEFAULT_PORT = 22

T = TypeVar("T")

_LOST = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.SFTPBadMessage)
_MISSING = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
_FULL = (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded)
_DENIED = (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect)


class SftpSource:
    """Artwork on SFTP servers; one connection for each server and user, whichever threads ask."""

    def __init__(self, access: SftpAccess, patience: Patience) -> None:
        """Name how servers are known; nothing is connected yet."""
        self._access, self._patience = access, patience
        self._background = Background("sftp")
        self._servers: dict[tuple[str, str, int], _Server] = {}  # the loop's alone

    def fetch(self, address: Address, target: Path, max_bytes: int, known: Version | None) -> Version | None:
        """Stream a file to `target` and return its version; None if it is still the `known` one."""

        async def work() -> Version | None:
            key = address.user, address.host, address.port
            server = self._servers.setdefault(key, _Server(address, self._access, self._patience))
            return await server.download(address, target, max_bytes, known)

        return self._background.run(work())

    def close(self) -> None:
        """Let go of connections."""

        async def work() -> None:
            await asyncio.gather(*(server.close() for server in self._servers.values()))

        self._background.close(work)


class SftpShelf(RemoteShelf):
    """A folder on an SFTP server that finished files are delivered to."""

    def __init__(self, address: Address, access: SftpAccess, patience: Patience) -> None:
        """Name the folder; it is made with the first delivery."""
        self._server = _Server(address, access, patience)
        super().__init__(address, self._server, Background("sftp"))

    def put(self, source: Path, name: str, sha256: str) -> None:
        """Deliver a file: to `.<name>.partial`, read back and held against `sha256`, then renamed."""
        final, aside = self._address.below(name), self._aside(name)
        self._background.run(self._server.deliver(Leaving(source, sha256), final, aside, sha256))

    def sweep(self, names: tuple[str, ...]) -> None:
        """Remove the `.<name>.partial` that killed deliveries left."""
        self._background.run(self._server.remove(*map(self._aside, names)))

    def _aside(self, name: str) -> Address:
        return self._address.below(f".{name}.partial")


@dataclass(frozen=True, slots=True)
class _Session:
    """A connection, and the SFTP that is spoken over it."""

    connection: asyncssh.SSHClientConnection
    client: asyncssh.SFTPClient


class _Server:
    """One server as one user: connected when it is needed, and again when that broke. Of one event loop."""

    def __init__(self, address: Address, access: SftpAccess, patience: Patience) -> None:
        """Name the server; the path of `address` does not matter."""
        self._address = replace(address, path="/", query="")
        self._access, self._patience = access, patience
        self._opening: asyncio.Task[_Session] | None = None  # done, it holds the session

    async def find(self, address: Address) -> Version | None:
        """Return what lies at the path; None if nothing does."""
        async with self._talk(address) as client:
            return await self._version(client, address)

    async def download(self, address: Address, target: Path, max_bytes: int, known: Version | None) -> Version | None:
        """Stream a file to `target`; None if it is still the `known` one."""
        async with self._talk(address) as client:
            try:
                return await self._fetch(client, address, target, max_bytes, known)
            except _LOST:
                raise
            except asyncssh.SFTPError as error:
                raise ArtworkError(f"cannot be read: {plain(error.reason)}: {address}") from None

    async def hash(self, address: Address) -> str | None:
        """Return the SHA-256 of a file; None if it is not there."""
        async with self._talk(address) as client:
            version = await self._version(client, address)
            return None if version is None else await self._digest(client, address, version.bytes)

    async def remove(self, *addresses: Address) -> None:
        """Remove files; harmless where there is none."""

        async def remove(address: Address) -> None:
            async with self._talk(address) as client:
                with suppress(*_MISSING):
                    await self._heard(client.remove(address.path))

        await in_a_row(map(remove, addresses), _AT_ONCE, lambda nothing: None)

    async def deliver(self, leaving: Leaving, final: Address, aside: Address, sha256: str) -> None:
        """Upload a file to `aside`, read it back, and rename it to `final`, unless it is there already."""
        async with self._talk(final) as client:
            if await self._is_there(client, final, leaving.bytes, sha256):
                return
        try:
            async with self._talk(aside) as client:
                await self._upload(client, leaving, aside)
                leaving.check()
            async with self._talk(aside) as client:
                version = await self._version(client, aside)
                if version is None or version.bytes != leaving.bytes:
                    raise corrupted(aside)
                if await self._digest(client, aside, version.bytes) != sha256:
                    raise corrupted(aside)
            async with self._talk(final) as client:
                await self._rename(client, aside, final, leaving.bytes, sha256)
        except BaseException:
            with suppress(TilepressError, TimeoutError):
                async with asyncio.timeout(min(FAREWELL_S, self._patience.connect_s)):
                    await self.remove(aside)
            raise

    async def close(self) -> None:
        """Let go of the connection."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            with suppress(asyncio.CancelledError, TilepressError):
                session = await opening
                session.connection.close()
                await session.connection.wait_closed()

    async def _fetch(
        self, client: asyncssh.SFTPClient, address: Address, target: Path, max_bytes: int, known: Version | None
    ) -> Version | None:
        before = await self._version(client, address)
        if before is None:
            raise ArtworkError(f"not found: {address}")
        if known is not None and known.tells and known == before:
            return None
        if before.bytes > max_bytes:
            raise ArtworkError(f"the file has {before.bytes:,} bytes; at most {max_bytes:,} are accepted: {address}")
        with Arriving(target) as arriving:
            await self._read(client, address, before.bytes, arriving.write)
        if await self._version(client, address) != before:
            raise TransientError(f"{address}: the file changed while it was read", "Try again.")
        return before

    async def _version(self, client: asyncssh.SFTPClient, address: Address) -> Version | None:
        """Return what lies at the path, None if nothing does; raise ArtworkError if that is no file."""
        try:
            attributes = await self._heard(client.stat(address.path))
        except _MISSING:
            return None
        if attributes.permissions is not None and not stat.S_ISREG(attributes.permissions):
            raise ArtworkError(f"no regular file: {address}")
        if attributes.size is None:
            raise ArtworkError(f"the server does not say how long the file is: {address}")
        return Version(attributes.size, modified="" if attributes.mtime is None else str(attributes.mtime))

    async def _is_there(self, client: asyncssh.SFTPClient, address: Address, length: int, sha256: str) -> bool:
        """Tell whether this content lies at the path; raise StorageError if another does."""
        try:
            version = await self._version(client, address)
        except ArtworkError:
            raise never_overwritten(address) from None
        if version is None:
            return False
        if version.bytes != length or await self._digest(client, address, length) != sha256:
            raise never_overwritten(address)
        return True

    async def _digest(self, client: asyncssh.SFTPClient, address: Address, length: int) -> str:
        digest = hashlib.sha256()
        await self._read(client, address, length, digest.update)
        return digest.hexdigest()

    async def _read(
        self, client: asyncssh.SFTPClient, address: Address, length: int, take: Callable[[bytes], object]
    ) -> None:
        """Read a file to its promised end, so many blocks at once, and `take` them in order."""
        block = min(client.limits.max_read_len or _BLOCK, _BLOCK)
        came = 0

        def count(data: bytes) -> None:
            nonlocal came
            came += len(data)
            take(data)

        file = await self._heard(client.open(address.path, "rb", block_size=0))
        async with _closing(file), deadline(self._patience.total_s, address):
            works = (_read_whole(file, offset, min(block, length - offset)) for offset in range(0, length, block))
            await in_a_row(works, _UNDER_WAY // block, count, self._patience.read_s)
        if came != length:
            raise cut_short(address, came, length)

    async def _upload(self, client: asyncssh.SFTPClient, leaving: Leaving, address: Address) -> None:
        """Write a file, so many blocks at once, and have it survive a power cut where the server can do so."""
        block = min(client.limits.max_write_len or _BLOCK, _BLOCK)
        await self._make_folder(client, address.parent)
        try:
            file = await self._heard(client.open(address.path, "wb", block_size=0))
            async with _closing(file), deadline(self._patience.total_s, address):
                works = _writes(file, leaving, block)
                await in_a_row(works, _UNDER_WAY // block, lambda written: None, self._patience.read_s)
                with suppress(asyncssh.SFTPOpUnsupported):
                    await file.fsync()  # of much that is not on the disk yet: it may take longer than an answer may
                await file.close()
        except asyncssh.SFTPFailure as error:  # how OpenSSH says, of all things, that the disk is full
            raise StorageError(
                f"{address}: the server cannot write it ({plain(error.reason)}); it may be full",
                "Free some space there, or have the user's quota raised, and run again.",
            ) from None

    async def _make_folder(self, client: asyncssh.SFTPClient, folder: Address) -> None:
        try:
            await self._heard(client.stat(folder.path))
        except _MISSING:
            await self._heard(client.makedirs(folder.path, exist_ok=True))

    async def _rename(
        self, client: asyncssh.SFTPClient, aside: Address, final: Address, length: int, sha256: str
    ) -> None:
        """Give a delivered file its name; where another delivery of the same content was faster, that one stays."""
        try:
            await self._heard(client.rename(aside.path, final.path))
        except _LOST:
            raise
        except asyncssh.SFTPError:
            if not await self._is_there(client, final, length, sha256):
                raise
            await self._heard(client.remove(aside.path))

    async def _heard(self, request: Awaitable[T]) -> T:
        """Await an answer, but not for ever."""
        async with asyncio.timeout(self._patience.read_s):
            return await request

    @asynccontextmanager
    async def _talk(self, address: Address) -> AsyncIterator[asyncssh.SFTPClient]:
        """Yield the client; what goes wrong within the block becomes the project's errors about `address`.

        A connection that broke, or is silent, is let go: the next block gets a new one.
        """
        session: _Session | None = None
        try:
            session = await self._session()
            yield session.client
        except TilepressError:
            raise
        except (*_LOST, asyncssh.DisconnectError, OSError) as error:
            if session is not None:
                session.connection.abort()
            reason = f"nothing was heard for {self._patience.read_s:g} s" if isinstance(error, TimeoutError) else ""
            raise TransientError(f"{address}: {reason or 'the connection broke'}", AGAIN) from None
        except (asyncssh.Error, ValueError) as error:
            raise _refusal(error, address) from None

    async def _session(self) -> _Session:
        """Return the connection that is there, or becomes; several that wait for it share its fate."""
        if self._opening is None or not _usable(self._opening):
            self._opening = asyncio.create_task(_open(self._address, self._access, self._patience))
        return await asyncio.shield(self._opening)


def _usable(opening: "asyncio.Task[_Session]") -> bool:
    """Tell whether a connection is on its way, or there and whole."""
    if not opening.done():
        return True
    if opening.cancelled() or opening.exception() is not None:
        return False
    return not opening.result().connection.is_closed()


@asynccontextmanager
async def _closing(file: asyncssh.SFTPClientFile) -> AsyncIterator[None]:
    """Close a file of the server at the end of the block, if the server listens; what the block raises prevails."""
    try:
        yield
    except (*_LOST, asyncssh.DisconnectError, OSError):
        raise  # to be let go with the connection
    except BaseException:
        await _close_now(file)
        raise
    await _close_now(file)


async def _close_now(file: asyncssh.SFTPClientFile) -> None:
    with suppress(asyncssh.Error, OSError):
        async with asyncio.timeout(INTERRUPTED_S / 2):
            await file.close()


async def _read_whole(file: asyncssh.SFTPClientFile, offset: int, length: int) -> bytes:
    """Return a block of the file, however many answers it comes in; shorter only where the file ends."""
    data = b""
    while len(data) < length:
        more: bytes = await file.read(length - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


def _writes(file: asyncssh.SFTPClientFile, leaving: Leaving, length: int) -> Iterator[Coroutine[Any, Any, int]]:
    offset = 0
    for block in leaving.blocks(length):
        yield file.write(block, offset)
        offset += len(block)


def _refusal(error: Exception, address: Address) -> StorageError:
    """Return the error for what a server, or asyncssh, will not do however often it is asked."""
    if isinstance(error, _FULL):
        return no_room(address)
    if isinstance(error, _DENIED):
        return StorageError(f"{address}: permission denied", "Let this user write there, or name another folder.")
    reason = error.reason if isinstance(error, asyncssh.SFTPError) else error
    return StorageError(f"{address}: the server refused: {plain(reason)}", "Check the path and the server.")


async def _open(address: Address, access: SftpAccess, patience: Patience) -> _Session:
    """Connect to a server whose key is known."""
    asyncssh.set_log_level("CRITICAL")  # what matters is raised
    user = address.user or access.user
    known = _known_hosts(access)
    options: dict[str, Any] = {"username": user} if user else {}
    connection: asyncssh.SSHClientConnection | None = None
    try:
        async with asyncio.timeout(patience.connect_s):
            connection = await asyncssh.connect(
                address.host,
                address.port,
                config=None,
                known_hosts=known,
                x509_trusted_certs=None,  # by default those of ~/.ssh: a way around known_hosts
                gss_host=None,  # likewise
                keepalive_interval=patience.read_s / 3,
                keepalive_count_max=2,
                **options,
                **_credentials(access),
            )
            return _Session(connection, await connection.start_sftp_client(path_errors="surrogateescape"))
    except BaseException as error:
        if connection is not None:
            connection.abort()
        if isinstance(error, asyncssh.DisconnectError) and not isinstance(error, asyncssh.PermissionDenied):
            await _check_key(address, known, patience)
        if isinstance(error, Exception) and not isinstance(error, TilepressError):
            raise _unreachable(error, address, patience) from None
        raise


def _known_hosts(access: SftpAccess) -> asyncssh.SSHKnownHosts:
    """Return the keys that servers are known by; with none at all, none is."""
    path = access.known_hosts or Path(os.path.expanduser("~/.ssh/known_hosts"))  # noqa: PTH111 - fails where no home is
    with storing(path):
        is_there = access.known_hosts is not None or path.exists()
        lines = path.read_text(encoding="utf-8", errors="replace") if is_there else ""
    try:
        known = asyncssh.import_known_hosts(lines)
    except ValueError:
        raise StorageError(f"{path}: a line is none of a known_hosts file", "Mend it: see ssh-keyscan.") from None
    try:
        known.load("\n".join(access.host_keys))
    except ValueError:
        raise ConfigurationError(
            "storage.sftp.host_keys: a line is none of a known_hosts file", "Write what ssh-keyscan prints."
        ) from None
    return known


def _credentials(access: SftpAccess) -> dict[str, Any]:
    """Return what this machine proves itself with: key file and password as given, else the agent and default keys."""
    methods = ["publickey"] if access.key_file or not access.password else []
    if access.password:
        methods += ["keyboard-interactive", "password"]
    credentials: dict[str, Any] = {"preferred_auth": methods, "password": access.password or None}
    if access.key_file is None:
        return credentials | ({"client_keys": None} if access.password else {})
    try:
        with storing(access.key_file):
            keys = asyncssh.load_keypairs(str(access.key_file))
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise StorageError(
            f"{access.key_file}: the key cannot be used: {plain(error)}",
            "Name a private key without a passphrase, or leave it to the SSH agent.",
        ) from None
    return credentials | {"client_keys": keys, "agent_path": None}


async def _check_key(address: Address, known: asyncssh.SSHKnownHosts, patience: Patience) -> None:
    """Raise StorageError, with its fingerprint, if the server's key is not a known one.

    A refused key is not always seen as such: of two sides that agree on no kind of key, either may hang up first.
    """
    port = address.port if address.port != _DEFAULT_PORT else None
    try:
        async with asyncio.timeout(patience.connect_s):
            key = await asyncssh.get_server_host_key(address.host, address.port, config=None)
            found = await asyncio.get_running_loop().getaddrinfo(address.host, address.port)
    except (asyncssh.Error, OSError, ValueError):
        return
    matches = [known.match(address.host, ip, port) for ip in ("", *(str(info[4][0]) for info in found))]
    if key is None or any(key in keys or authorities for keys, authorities, *_ in matches):
        return
    pinned = any(part for match in matches for part in match)
    shown = f"{key.get_algorithm()} {key.get_fingerprint()}"
    scan = "ssh-keyscan " + (f"-p {port} " if port else "") + address.host
    raise StorageError(
        f"{address}: the server's key is {'not the one it is known by' if pinned else 'not known'}: {shown}",
        f"If that is the server's own, pin it: put what `{scan}` prints into storage.sftp.host_keys, or known_hosts.",
    ) from None


def _unreachable(error: Exception, address: Address, patience: Patience) -> StorageError:
    """Return the error for a connection that did not come about."""
    if isinstance(error, asyncssh.PermissionDenied):
        return StorageError(
            f"{address}: the server does not accept the user's key or password",
            "Check the user in the URL or storage.sftp.user, and key_file or password.",
        )
    if isinstance(error, socket.gaierror) and error.errno != socket.EAI_AGAIN:
        return StorageError(f"{address}: no host is called {address.host}", "Check its name.")
    if isinstance(error, asyncssh.HostKeyNotVerifiable | asyncssh.KeyExchangeFailed | asyncssh.ChannelOpenError):
        return StorageError(f"{address}: SFTP cannot be spoken: {plain(error.reason)}", "Check the server's SSH.")
    if isinstance(error, OSError | asyncssh.DisconnectError | asyncssh.SFTPError):
        return TransientError(f"{address}: {_passing(error, patience)}", AGAIN)
    return StorageError(f"{address}: cannot be connected to: {plain(error)}", "Check storage.sftp.")


def _passing(error: OSError | asyncssh.DisconnectError | asyncssh.SFTPError, patience: Patience) -> str:
    """Return in words why a connection did not come about this time."""
    if isinstance(error, TimeoutError):
        return f"no connection within {patience.connect_s:g} s"
    if isinstance(error, asyncssh.DisconnectError | asyncssh.SFTPError):
        return f"the server hung up: {plain(error.reason)}"
    return os.strerror(error.errno) if error.errno and error.errno > 0 else "it cannot be connected to"
