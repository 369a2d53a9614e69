"""A real HTTP server for tests, which can be slow, cut off, lie and redirect.

It speaks TLS and plain HTTP on one port of 127.0.0.1, whichever a client begins with. Its certificate is for
`localhost`, `artwork.test`, 127.0.0.1 and ::1, by an authority whose certificate lies at `ca_file`.
"""

import select
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from itertools import repeat
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
import trustme

NAMES = ("localhost", "artwork.test", "127.0.0.1", "::1")
CLIENT_S = 10.0  # a client that says nothing for so long is given up
TLS_HANDSHAKE = 0x16

_handshake = threading.local()  # of the connection that a thread attends: the name that was asked for


@dataclass(frozen=True)
class HttpAuthority:
    """Who says that the server is what it says: the certificate for SSL_CERT_FILE, and the server's side."""

    ca_file: Path
    context: ssl.SSLContext


@dataclass(frozen=True)
class Asked:
    """A request as it came in. `headers` by lower-case names; `server_name` is TLS's SNI; `status` is the answer's."""

    path: str
    headers: Mapping[str, str]
    secure: bool
    server_name: str | None
    status: int


@dataclass(frozen=True)
class Answer:
    """What is served under a path, and how badly: see `HttpServer.serve`."""

    content: bytes = b""
    etag: str = ""
    modified: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    failures: tuple[int, ...] = ()
    failure_headers: Mapping[str, str] = field(default_factory=dict)
    promise: int | None = None
    chunked: bool = False
    until_close: bool = False
    cut_after: int | None = None
    endless: bool = False
    head_pause_s: float = 0.0
    body_pause_s: float = 0.0
    hold: bool = False
    raw: Callable[[], Iterable[bytes]] | None = None

    def is_known(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a request's conditions say that the client has it already."""
        if "if-none-match" in headers:
            return bool(self.etag) and headers["if-none-match"] == self.etag
        since = headers.get("if-modified-since", "")
        return bool(since and self.modified) and parsedate_to_datetime(self.modified) <= parsedate_to_datetime(since)

    def head(self, status: int) -> bytes:
        fields = dict(self.headers)
        if status in self.failures:
            fields |= self.failure_headers
        if status == self.status:
            fields |= {"ETag": self.etag} if self.etag else {}
            fields |= {"Last-Modified": self.modified} if self.modified else {}
        if status == HTTPStatus.NOT_MODIFIED or self.until_close:
            pass
        elif status != self.status:
            fields["Content-Length"] = "0"
        elif self.chunked:
            fields["Transfer-Encoding"] = "chunked"
        else:
            fields["Content-Length"] = str(len(self.content) if self.promise is None else self.promise)
        lines = [f"HTTP/1.1 {status} Whatever", "Connection: close", *(f"{name}: {fields[name]}" for name in fields)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def body(self) -> Iterator[bytes]:
        """Yield the body as it stands on the wire."""
        pieces: Iterable[bytes] = repeat(self.content) if self.endless else (self.content,)
        for piece in pieces:
            whole = piece if self.cut_after is None else piece[: self.cut_after]
            yield b"%x\r\n%b\r\n" % (len(piece), whole) if self.chunked and piece else whole
            if self.cut_after is not None:
                return
        if self.chunked:
            yield b"0\r\n\r\n"


class HttpServer:
    """Serves what it was told to; a context manager, at work in between. Each connection answers one request."""

    def __init__(self, authority: HttpAuthority) -> None:
        self.ca_file = authority.ca_file
        self.requests: list[Asked] = []
        self._context = authority.context
        self._answers: dict[str, Answer] = {}
        self._turns: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]

    def url(self, path: str, scheme: str = "https", host: str = "localhost") -> str:
        """Return the URL of a path, by any name the server has."""
        return f"{scheme}://{host}:{self.port}{path}"

    def serve(
        self,
        path: str,
        content: bytes = b"",
        *,
        etag: str = "",
        modified: str = "",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        failures: tuple[int, ...] = (),
        failure_headers: Mapping[str, str] | None = None,
        promise: int | None = None,
        chunked: bool = False,
        until_close: bool = False,
        cut_after: int | None = None,
        endless: bool = False,
        head_pause_s: float = 0.0,
        body_pause_s: float = 0.0,
        hold: bool = False,
    ) -> str:
        """Serve `content` under a path, in place of what was there; return its https URL.

        With `etag` or `modified`, conditions are honoured: 304. `failures` are the statuses of the first answers,
        with `failure_headers`. `promise` is the Content-Length if it is to be a lie; there is none with `chunked` nor
        `until_close`. After `cut_after` bytes of the body the connection is dropped. An `endless` body repeats the
        content for ever. With a pause, each byte of head or body comes after so many seconds. `hold` leaves the
        connection open after the answer.
        """
        self._turns[path] = 0
        self._answers[path] = Answer(
            content,
            etag,
            modified,
            status,
            headers or {},
            failures,
            failure_headers or {},
            promise,
            chunked,
            until_close,
            cut_after,
            endless,
            head_pause_s,
            body_pause_s,
            hold,
        )
        return self.url(path)

    def serve_raw(self, path: str, raw: Callable[[], Iterable[bytes]]) -> str:
        """Answer with what `raw()` yields, head and all, until it ends or the client has gone; return the URL."""
        self._answers[path] = Answer(raw=raw)
        return self.url(path)

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        """Redirect a path to wherever; return its URL."""
        return self.serve(path, status=status, headers={"Location": to})

    def remove(self, path: str) -> None:
        """Serve a path no more: 404, as any other."""
        del self._answers[path]

    def asked(self, path: str) -> list[Asked]:
        """Return the requests for a path, first to last."""
        return [request for request in self.requests if request.path == path]

    def downloads(self, path: str) -> int:
        """Return how often the content of a path was sent, or begun to be."""
        return sum(request.status == HTTPStatus.OK for request in self.asked(path))

    def open_connections(self) -> int:
        """Return how many clients are connected."""
        with self._lock:
            return len(self._open)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)  # TLS's own would disturb its thread
        for thread in self._threads:
            thread.join()

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._start(lambda connection=connection: self._attend(connection))  # type: ignore[misc]

    def _attend(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)
        wire = connection
        try:
            connection.settimeout(CLIENT_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(OSError):  # the client has gone, or does not trust us
                first = connection.recv(1, socket.MSG_PEEK)
                if first and first[0] == TLS_HANDSHAKE:
                    wire = tls = self._wrap(connection)
                    tls.do_handshake()
                self._answer(wire)
        finally:
            with self._lock:
                self._open.discard(connection)
                self._open.discard(wire)
            wire.close()
            connection.close()

    def _wrap(self, connection: socket.socket) -> ssl.SSLSocket:
        _handshake.server_name = None
        wire = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.discard(connection)
            self._open.add(wire)
        return wire

    def _answer(self, wire: socket.socket) -> None:
        head = self._read_head(wire)
        if not head:
            return
        request, *lines = head.decode("latin-1").split("\r\n")
        path = request.split(" ")[1]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        answer = self._answers.get(path, Answer(status=HTTPStatus.NOT_FOUND))
        status = self._status_of(path, answer, headers)
        secure = isinstance(wire, ssl.SSLSocket)
        self.requests.append(Asked(path, headers, secure, _handshake.server_name if secure else None, status))
        if answer.raw is not None:
            self._send(wire, answer.raw())
        else:
            self._send(wire, [answer.head(status)], answer.head_pause_s)
            if status == answer.status:
                self._send(wire, answer.body(), answer.body_pause_s)
        if answer.hold:
            wire.recv(1)
        if isinstance(wire, ssl.SSLSocket) and answer.cut_after is None:
            wire.unwrap()

    def _status_of(self, path: str, answer: Answer, headers: Mapping[str, str]) -> int:
        with self._lock:
            self._turns[path] += 1
            turn = self._turns[path] - 1
        if turn < len(answer.failures):
            return answer.failures[turn]
        return HTTPStatus.NOT_MODIFIED if answer.is_known(headers) else answer.status

    def _send(self, wire: socket.socket, pieces: Iterable[bytes], pause_s: float = 0.0) -> None:
        for piece in pieces:
            for chunk in (bytes([byte]) for byte in piece) if pause_s else (piece,):
                if pause_s and select.select([wire], [], [], pause_s)[0]:
                    return  # the client has gone: nothing else is to come from it
                wire.sendall(chunk)

    @staticmethod
    def _read_head(wire: socket.socket) -> bytes:
        """Return the head of a request without its last empty line; nothing if the client leaves before its end."""
        received = b""
        while b"\r\n\r\n" not in received:
            data = wire.recv(65_536)
            if not data:
                return b""
            received += data
        return received.partition(b"\r\n\r\n")[0]


@pytest.fixture(scope="session")
def http_authority(tmp_path_factory: pytest.TempPathFactory) -> HttpAuthority:
    authority = trustme.CA()
    ca_file = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _socket, name, _context: setattr(_handshake, "server_name", name)
    authority.issue_cert(*NAMES).configure_cert(context)
    return HttpAuthority(ca_file, context)


@pytest.fixture
def http_server(http_authority: HttpAuthority) -> Iterator[HttpServer]:
    """A server on a free port, which serves nothing yet."""
    with HttpServer(http_authority) as server:
        yield server
