"""How the Gemini SDK reaches its service: a connection for each request, and one deadline for the whole of it.

The SDK's own time-outs are for the next bytes, so that a server which trickles would hold a section up for ever; and
it would take proxies from the environment. Needs the packages of `tilepress[gemini]`.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing

import httpcore
import httpx2

from config.errors import ArtworkError, TransientError
from pipeline.storage.address import Address, parse_address
from pipeline.storage.contracts import Patience
from pipeline.storage.network import Connection, Network, PrivateHosts

LONGEST_ANSWER_BYTES = 64_000_000  # a model's longest answer is well below one
LONGEST_CONNECT_S = 10.0
SERVICE = "Gemini"  # how messages call it

_CHECK = "Check the analyser's endpoint, or try again later."


class Transport(httpx2.BaseTransport):
    """Carries requests to one host, which may have a private address, and answers back, in `timeout_s` each.

    Raises TransientError where trying again may do, ArtworkError where it will not. Redirects are answers as any other.
    """

    def __init__(self, endpoint: str, timeout_s: float, network: Network) -> None:
        """Take the service's URL; raise ConfigurationError if it is none."""
        self._patience = Patience(min(LONGEST_CONNECT_S, timeout_s), timeout_s, timeout_s)
        self._private = PrivateHosts((parse_address(endpoint).host,))
        self._network = network

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return its answer, read to its end."""
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        scheme = request.url.scheme
        place = Address(scheme, request.url.host, request.url.port or (443 if scheme == "https" else 80), "/")
        end = time.monotonic() + self._patience.total_s
        with closing(Connection(place, SERVICE, self._patience, end)) as connection:
            connection.open(self._private, self._network)
            try:
                return self._exchange(httpcore.HTTP11Connection(url.origin, _Wire(connection)), url, request)
            except httpcore.RemoteProtocolError:
                raise TransientError(f"{SERVICE}: cut off, or no HTTP", _CHECK) from None
            except httpcore.LocalProtocolError:  # whose words hold the header at fault, which may be the key
                raise ArtworkError(f"{SERVICE}: the request cannot be sent", "Check the analyser's settings.") from None
            except httpx2.DecodingError:
                raise TransientError(f"{SERVICE}: an answer that cannot be unpacked", _CHECK) from None

    @staticmethod
    def _exchange(http: httpcore.HTTP11Connection, url: httpcore.URL, request: httpx2.Request) -> httpx2.Response:
        method = request.method.encode("ascii")
        with http.stream(method, url, headers=request.headers.raw, content=_pieces(request)) as answer:
            body = b"".join(_bounded(answer.iter_stream()))
        return httpx2.Response(answer.status, headers=answer.headers, content=body, request=request)


class _Wire(httpcore.NetworkStream):
    """A connection as httpcore uses it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - a Connection has its own
        return self._connection.receive(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as above
        try:
            self._connection.send(buffer)
        except TransientError:  # a server that refuses early answers before it has read everything: httpcore looks
            raise httpcore.WriteError from None

    def close(self) -> None:
        self._connection.close()


def _pieces(request: httpx2.Request) -> Iterator[bytes]:
    if not isinstance(request.stream, httpx2.SyncByteStream):
        raise TypeError("a request of another kind of client")
    yield from request.stream


def _bounded(chunks: Iterable[bytes]) -> Iterator[bytes]:
    taken = 0
    for chunk in chunks:
        taken += len(chunk)
        if taken > LONGEST_ANSWER_BYTES:
            raise ArtworkError(
                f"{SERVICE}: an answer of more than {LONGEST_ANSWER_BYTES:,} bytes", "Check the analyser's endpoint."
            )
        yield chunk
