"""Artwork by HTTP and HTTPS: streamed to disk within deadlines and a cap, and held against the length promised.

URLs come from customers, and answers from anybody: at most five redirects are followed, each judged as `network`
judges, none from https to http. Nothing is sent but what tilepress is, and to a file's own address what is known of
it. Past a redirect that is not sent: another file may be behind it now, and be older than the one that is known.
"""

import email.utils
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urljoin

import httpcore

from config import VERSION
from config.errors import ArtworkError, ConfigurationError, TransientError
from pipeline.delivery import storing
from pipeline.storage.address import Address, parse_address
from pipeline.storage.contracts import Patience, Version
from pipeline.storage.network import Connection, Network, PrivateHosts, host_name

MAX_REDIRECTS = 5
MAX_HEAD_BYTES = 65_536
MAX_RETRY_AFTER_S = 60.0

_GRACE_S = 0.5  # for the end of a connection whose file is whole; most servers close it at once, as they are asked to
_REDIRECTS = {301, 302, 303, 307, 308}
_BUSY = {408, 425, 429, 500, 502, 503, 504}
_REASONS = {401: "forbidden", 403: "forbidden", 404: "not found", 410: "not found"}
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HEAD_END = re.compile(rb"\n\r?\n")


class BusyError(TransientError):
    """A server cannot answer now: asking again may do, after `retry_after_s` if it says so."""

    def __init__(self, message: str, remedy: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, remedy)
        self.retry_after_s = retry_after_s


class HttpSource:
    """Fetches by http and https. Safe to use from several threads; each fetch has connections of its own."""

    def __init__(self, patience: Patience, private_hosts: Sequence[str] = (), network: Network | None = None) -> None:
        """Take the hosts that may have private addresses; raise ConfigurationError if one is none."""
        self._patience = patience
        self._private = PrivateHosts(private_hosts)
        self._network = network or Network()

    def fetch(self, address: Address, target: Path, max_bytes: int, known: Version | None) -> Version | None:
        """Stream a file to `target` and return its version; None if it is still the `known` one.

        Raises ArtworkError, TransientError or BusyError, which is one; of the disk, StorageError or BudgetError.
        """
        end = time.monotonic() + self._patience.total_s
        place, what = address, str(address)
        for _ in range(MAX_REDIRECTS + 1):
            with ExitStack() as stack:
                connection = stack.enter_context(closing(Connection(place, what, self._patience, end)))
                connection.open(self._private, self._network)
                answer = stack.enter_context(_ask(connection, place, what, known if place is address else None))
                if answer.status not in _REDIRECTS:
                    return answer.save(target, max_bytes, known)
                place = answer.destination()
            what = f"{address}, redirected to {_origin_of(place)}"
        raise ArtworkError(f"{address}: redirected more than {MAX_REDIRECTS} times", "Mend the server, or the URL.")

    def close(self) -> None:
        """Do nothing: no connection outlives its fetch."""


class _Wire(httpcore.NetworkStream):
    """A connection as httpcore reads it: heads are handed on apart from what follows them, so that both are counted."""

    def __init__(self, connection: Connection, what: str) -> None:
        self._connection, self._what = connection, what
        self._pending = b""  # received, and not handed on yet
        self._tail = b""  # the last that was handed on of a head
        self._head_left = MAX_HEAD_BYTES  # for all heads together: there may be any number that say "go on"
        self._is_head = True
        self._body_left: int | None = None  # None: until it ends

    def begin_body(self, length: int | None) -> None:
        """Hand on what follows the head: so many bytes, or all."""
        self._is_head, self._body_left = False, length

    def goes_on(self) -> bool:
        """Tell whether there is more than the body."""
        return bool(self._pending) or self._connection.goes_on(_GRACE_S)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - a Connection has its own
        if self._is_head:
            return self._read_head(max_bytes)
        if self._body_left is None:
            return self._next(max_bytes)
        data = self._next(min(max_bytes, self._body_left))
        self._body_left -= len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as above
        self._connection.send(buffer)

    def close(self) -> None:
        self._connection.close()

    def _read_head(self, max_bytes: int) -> bytes:
        data = self._next(max_bytes)
        found = _HEAD_END.search(self._tail + data)
        if found:
            end = found.end() - len(self._tail)
            data, self._pending = data[:end], data[end:] + self._pending
        self._tail = b"" if found else (self._tail + data)[-2:]
        self._head_left -= len(data)
        if self._head_left < 0:
            raise ArtworkError(f"{self._what}: the head of the answer never ends", "Mend the server, or the URL.")
        return data

    def _next(self, max_bytes: int) -> bytes:
        if not self._pending:
            return self._connection.receive(max_bytes)
        data, self._pending = self._pending[:max_bytes], self._pending[max_bytes:]
        return data


class _Answer:
    """What a server answered: the head is here, the body still to come."""

    def __init__(self, response: httpcore.Response, wire: _Wire, place: Address, what: str, conditional: bool) -> None:
        self._response, self._wire, self._place, self._what = response, wire, place, what
        self._conditional = conditional
        self.status = response.status

    def destination(self) -> Address:
        """Return where a redirect leads; raise ArtworkError if it is nowhere to be followed to."""
        remedy = "Mend the server, or use the URL of the file itself."
        try:
            location = self._header("Location")
            place = parse_address(urljoin(self._place.url, location))
            host_name(place.host)
        except ConfigurationError as error:
            raise ArtworkError(f"{self._what}: redirected, but {error.message}", remedy) from None
        except ValueError:
            raise ArtworkError(f"{self._what}: redirected, but the URL cannot be understood", remedy) from None
        if not location:
            raise ArtworkError(f"{self._what}: redirected to nowhere", remedy)
        if place.scheme not in {"https", self._place.scheme}:
            raise ArtworkError(f"{self._what}: redirected from {self._place.scheme} to {place.scheme}", remedy)
        return place

    def save(self, target: Path, max_bytes: int, known: Version | None) -> Version | None:
        """Stream the body to `target` and return its version; None if it is the known one."""
        if self.status == HTTPStatus.NOT_MODIFIED and self._conditional:
            return None
        self._check_status()
        promised = self._promised()
        offered = Version(promised or 0, self._header("ETag"), self._header("Last-Modified"))
        if promised is not None and offered == known and offered.etag and not offered.etag.startswith("W/"):
            return None  # from a server that does not know of conditions, or past a redirect
        if self._header("Content-Encoding").lower() not in {"", "identity"}:
            raise ArtworkError(f"{self._what}: the answer is compressed, unasked", "Mend the server, or the URL.")
        if promised is not None and promised > max_bytes:
            raise self._too_long(f"{promised:,} bytes", max_bytes)
        self._wire.begin_body(promised)
        taken = 0
        with storing(target), target.open("wb") as file:
            for chunk in self._response.iter_stream():
                taken += len(chunk)
                if taken > max_bytes:
                    raise self._too_long("more bytes", max_bytes)
                file.write(chunk)
        if promised is not None and self._wire.goes_on():
            raise ArtworkError(f"{self._what}: longer than the {promised:,} bytes promised", "Mend the server.")
        return Version(taken, offered.etag, offered.modified)

    def _check_status(self) -> None:
        if self.status == HTTPStatus.OK:
            return
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "a status unknown"
        if self.status in _BUSY:
            pause_s = _parse_retry_after(self._header("Retry-After"))
            raise BusyError(f"{self._what}: {self.status} {phrase}", "Try again later.", pause_s)
        reason = _REASONS.get(self.status)
        shown = f"{reason} ({self.status})" if reason else f"{self.status} {phrase}"
        raise ArtworkError(f"{self._what}: {shown}", "Check the URL.")

    def _promised(self) -> int | None:
        """Return the length of the body; None if it comes in chunks, or ends where the connection does."""
        length = self._header("Content-Length")
        return int(length) if length and not self._header("Transfer-Encoding") else None

    def _header(self, name: str) -> str:
        key = name.lower().encode()
        value = next((value for header, value in self._response.headers if header.lower() == key), b"")
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("latin-1")

    def _too_long(self, length: str, max_bytes: int) -> ArtworkError:
        return ArtworkError(
            f"{self._what}: {length}, where {max_bytes:,} are allowed", "Raise designs.max_bytes if it is artwork."
        )


@contextmanager
def _ask(connection: Connection, place: Address, what: str, known: Version | None) -> Iterator[_Answer]:
    """Ask for a file by a connection that is open; conditionally, if a version is known."""
    conditions = _conditions(known) if known else []
    host = host_name(place.host)
    target = f"{place.path}?{place.query}" if place.query else place.path
    url = httpcore.URL(scheme=place.scheme, host=host, port=place.port, target=target)
    headers = [
        ("Host", _origin_of(place).partition("://")[2]),
        ("User-Agent", f"tilepress/{VERSION}"),
        ("Accept", "*/*"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
        *conditions,
    ]
    wire = _Wire(connection, what)
    try:
        with httpcore.HTTP11Connection(url.origin, wire).stream("GET", url, headers=headers) as response:
            yield _Answer(response, wire, place, what, bool(conditions))
    except httpcore.RemoteProtocolError:
        if connection.ended:
            raise TransientError(f"{what}: cut off", "Check the server, or try again later.") from None
        raise ArtworkError(f"{what}: what the server sends is not HTTP", "Mend the server, or the URL.") from None


def _conditions(known: Version) -> list[tuple[str, str]]:
    """Return the headers that ask for a file only if it is not this version."""
    values = {"If-None-Match": known.etag, "If-Modified-Since": known.modified}
    return [(name, value) for name, value in values.items() if value.isascii() and value.isprintable() and value]


def _origin_of(place: Address) -> str:
    host = host_name(place.host)
    host = f"[{host}]" if ":" in host else host
    port = f":{place.port}" if place.port != _DEFAULT_PORTS[place.scheme] else ""
    return f"{place.scheme}://{host}{port}"


def _parse_retry_after(text: str) -> float | None:
    """Return the seconds that a Retry-After asks to wait, of which a limited number is granted; None if it is none."""
    if text.isascii() and text.isdecimal():
        return min(float(text), MAX_RETRY_AFTER_S)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), MAX_RETRY_AFTER_S)
