"""Which addresses may be dialled, and the connection that is: looked up once, judged whole, and only that one dialled.

URLs come from customers: without this, one could have the shop's own network, or its cloud's secrets, printed. Nothing
is taken from the environment but certificate authorities. Knows nothing of HTTP.
"""

import os
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from threading import Thread
from typing import TypeAlias

from config.errors import ArtworkError, ConfigurationError, TransientError
from pipeline.storage.address import Address
from pipeline.storage.contracts import Patience

IpAddress: TypeAlias = IPv4Address | IPv6Address
IpNetwork: TypeAlias = IPv4Network | IPv6Network

_LONGEST_NAME = 253  # DNS
_HOST = re.compile(r"[a-z0-9._:%-]+")  # a name, or an address, which may be for one network card
_NAME = re.compile(r"(?=.*[a-z])[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_NOT_FOUND = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}  # the latter is not everywhere


def _networks(*texts: str) -> tuple[IpNetwork, ...]:
    return tuple(ip_network(text) for text in texts)


_PRIVATE = _networks("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1", "fc00::/7")
_NEVER = _networks("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255", "::", "fe80::/10", "ff00::/8")
_METADATA = frozenset(  # of clouds, where a machine's own secrets are told to whoever asks from it
    ip_address(text)
    for text in (
        "100.100.100.200",
        "168.63.129.16",
        "169.254.169.254",
        "192.0.0.192",
        "fd00:ec2::23",
        "fd00:ec2::254",
        "fd20:ce::254",
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")  # no other unicast has been given out
_SPECIAL = _networks(  # IANA's registries of special purposes; ipaddress of Python 3.11 lacks some
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
    *("224.0.0.0/4", "240.0.0.0/4"),
    *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),  # Teredo and 6to4, which wrap any IPv4, among them
)
_NAT64 = IPv6Network("64:ff9b::/96")  # the last 32 bits are an IPv4 address, as are those of ISATAP
_ISATAP = {0x0000_5EFE, 0x0200_5EFE}  # … behind these 32


class NotPublicError(Exception):
    """A host has an address that may not be dialled."""


def host_name(host: str) -> str:
    """Return a host as DNS and certificates have it: ASCII, lower case, without a dot at its end.

    Raises ValueError if it is none.
    """
    name = host.encode("idna").decode("ascii").lower().rstrip(".") if len(host) <= _LONGEST_NAME else ""
    if not _HOST.fullmatch(name):
        raise ValueError("no host has such a name")
    return name


def parse_ip(text: str) -> IpAddress | None:
    """Return the address that a host is, in any spelling the system's own look-up takes; None if it is a name.

    An IPv4 address in IPv6's clothes, `::ffff:127.0.0.1`, is the IPv4 address.
    """
    try:
        ip = ip_address(text)
    except ValueError:
        try:
            return IPv4Address(socket.inet_aton(text))  # 2130706433, 0x7f.1, 0177.0.0.1
        except (OSError, ValueError):
            return None
    return getattr(ip, "ipv4_mapped", None) or ip


def is_public(ip: IpAddress) -> bool:
    """Tell whether anybody in the world can dial an address, so that dialling it from here opens nothing."""
    if isinstance(ip, IPv6Address):
        if ip in _NAT64:
            return is_public(_last_32_bits(ip))
        if ip not in _GLOBAL_V6 or (int(ip) >> 32 & 0xFFFF_FFFF in _ISATAP and not is_public(_last_32_bits(ip))):
            return False
    return ip.is_global and ip not in _METADATA and not _among(ip, _SPECIAL)


class PrivateHosts:
    """The hosts that may have private addresses: names, addresses and networks, as the pipeline file lists them."""

    def __init__(self, entries: Iterable[str]) -> None:
        """Take the list; raise ConfigurationError for what is neither name, nor address, nor network."""
        self._names: set[str] = set()
        self._addresses: set[IpAddress] = set()
        self._networks: list[IpNetwork] = []
        for entry in entries:
            self._add(entry)

    def permit(self, host: str, ip: IpAddress) -> bool:
        """Tell whether an address of a host may be dialled.

        A listed address always may, one in a listed network unless nobody means it (multicast, link-local, a cloud's
        metadata), one of a listed name if it is private besides.
        """
        if ip in self._addresses or is_public(ip):
            return True
        if ip in _METADATA or _among(ip, _NEVER):
            return False
        return _among(ip, self._networks) or (host in self._names and _among(ip, _PRIVATE))

    def names(self, host: str) -> bool:
        """Tell whether a host is listed by its name."""
        return host in self._names

    def _add(self, entry: str) -> None:
        text = entry.strip().removeprefix("[").removesuffix("]")
        try:
            if "/" in text:
                network = ip_network(text, strict=False)
                if network.num_addresses > 1:
                    self._networks.append(network)
                    return
                text = str(network.network_address)
            name = host_name(text)
        except ValueError:
            name = ""
        ip = parse_ip(name)
        if ip is not None:
            self._addresses.add(ip)
        elif _NAME.fullmatch(name):
            self._names.add(name)
        else:
            raise ConfigurationError(
                f"designs.private_hosts: {entry!r} is no host",
                "Write a name such as files.shop.lan, an address, or a network such as 10.0.0.0/8.",
            )


def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the system finds them; raise OSError if it does not."""
    return [str(answer[4][0]) for answer in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def dial(sock: socket.socket, ip: IpAddress, port: int) -> None:
    """Connect a socket to an address."""
    sock.connect((str(ip), port))


def tls_context() -> ssl.SSLContext:
    """Return how servers prove who they are: by the authorities this machine, or SSL_CERT_FILE, trusts.

    A machine that trusts none at all, as a bare container, takes those that Mozilla does.
    """
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    chosen = {paths.openssl_cafile_env, paths.openssl_capath_env} & os.environ.keys()
    in_folder = paths.capath is not None and any(Path(paths.capath).glob("*.[0-9]"))  # OpenSSL reads them when needed
    if not context.cert_store_stats()["x509_ca"] and not in_folder and not chosen:
        import certifi  # noqa: PLC0415 - few machines need it

        context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


@dataclass(frozen=True, slots=True)
class Network:
    """What is used of the machine's network."""

    look_up: Callable[[str, int], Sequence[str]] = look_up
    dial: Callable[[socket.socket, IpAddress, int], None] = dial
    context: ssl.SSLContext = field(default_factory=tls_context)


def find_addresses(host: str, port: int, private: PrivateHosts, network: Network, wait_s: float) -> list[IpAddress]:
    """Look a host up, once, and return its addresses, all of which may be dialled.

    Raises NotPublicError if one may not, and OSError if there are none within `wait_s`.
    """
    is_here = host == "localhost" or host.endswith(".localhost")
    if "%" in host or (is_here and not private.names(host)):  # an address of one network card, or this machine
        raise NotPublicError(host)
    texts = [host] if parse_ip(host) else _look_up_within(host, port, network, wait_s)
    ips = [ip for ip in map(parse_ip, texts) if ip is not None]
    if not all(private.permit(host, ip) for ip in ips):
        raise NotPublicError(host)
    if not ips:
        raise socket.gaierror(socket.EAI_NONAME, "no addresses")
    return list(dict.fromkeys(ips))


class Connection:
    """A connection to the host of a URL. It is closed by whoever made it, opened or not.

    No wait is longer than `patience` says, nor than until `end`, by the monotonic clock. `what` begins every message.
    """

    def __init__(self, address: Address, what: str, patience: Patience, end: float) -> None:
        """Name the address; nothing is opened yet."""
        self._address, self._what, self._patience, self._end = address, what, patience, end
        self._socket: socket.socket | None = None
        self.ended = False  # by the other side

    def open(self, private: PrivateHosts, network: Network) -> None:
        """Look up, judge, dial, and have an https server prove who it is.

        Raises ArtworkError if the URL leads where nothing is fetched from, TransientError if nobody answers.
        """
        try:
            host = host_name(self._address.host)
        except ValueError:
            raise ArtworkError(f"{self._what}: the URL has no host that can be", "Mend the URL.") from None
        if not self._address.port:
            raise ArtworkError(f"{self._what}: no server has port 0", "Mend the URL.")
        by = min(time.monotonic() + self._patience.connect_s, self._end)
        self._dial(self._find(host, private, network, by), network, by)
        if self._address.scheme == "https":
            self._begin_tls(host, network.context, by)

    def send(self, data: bytes) -> None:
        """Send all of it; raise TransientError if it cannot be."""
        with self._waiting() as sock:
            sock.sendall(data)

    def receive(self, max_bytes: int) -> bytes:
        """Return what comes next, nothing at the end; raise TransientError if the connection breaks."""
        with self._waiting() as sock:
            data = sock.recv(max_bytes)
        self.ended = not data
        return data

    def goes_on(self, grace_s: float) -> bool:
        """Tell whether more comes, within `grace_s` at most; an end that is not clean is one too."""
        try:
            self._open_socket.settimeout(max(min(grace_s, self._end - time.monotonic()), 0.0))
            return bool(self._open_socket.recv(1))
        except OSError:
            return False

    def close(self) -> None:
        """Close it; harmless if it is closed, or was never opened."""
        if self._socket is not None:
            self._socket.close()

    @property
    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise ValueError("the connection is not open")
        return self._socket

    def _find(self, host: str, private: PrivateHosts, network: Network, by: float) -> list[IpAddress]:
        try:
            return find_addresses(host, self._address.port, private, network, self._left_s(by))
        except NotPublicError:
            raise ArtworkError(
                f"{self._what}: {host} is not a public address", "List the host under designs.private_hosts."
            ) from None
        except TimeoutError:
            raise self._unconnected() from None
        except socket.gaierror as error:
            if error.errno in _NOT_FOUND:
                raise ArtworkError(f"{self._what}: there is no host {host}", "Mend the URL.") from None
            raise self._broken(f"{host} could not be looked up: {error.strerror}") from None
        except OSError as error:
            raise self._broken(f"{host} could not be looked up: {error.strerror or error}") from None

    def _dial(self, ips: Sequence[IpAddress], network: Network, by: float) -> None:
        """Connect to the first address that answers; each has its share of the time that is left."""
        for others, ip in zip(range(len(ips) - 1, -1, -1), ips, strict=True):
            self.close()
            try:
                family = socket.AF_INET6 if ip.version == 6 else socket.AF_INET  # noqa: PLR2004 - IPv6
                self._socket = sock = socket.socket(family)
                sock.settimeout(self._left_s(by) / (others + 1))
                network.dial(sock, ip, self._address.port)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except TimeoutError:
                if not others:
                    raise self._unconnected() from None
            except OSError as error:
                if not others:
                    raise self._broken(f"no connection: {error.strerror or error}") from None
            else:
                return

    def _begin_tls(self, host: str, context: ssl.SSLContext, by: float) -> None:
        plain = self._open_socket
        try:
            # an end of the connection that TLS did not announce may be somebody cutting a file short: it is an error
            self._socket = tls = context.wrap_socket(
                plain, server_hostname=host, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
            tls.settimeout(self._left_s(by))
            tls.do_handshake()
        except ssl.SSLCertVerificationError as error:
            raise ArtworkError(
                f"{self._what}: the certificate of {host} is not to be trusted: {error.verify_message}",
                "Mend the server, or name its authority in SSL_CERT_FILE.",
            ) from None
        except ssl.SSLEOFError:
            raise self._broken("the connection broke") from None
        except ssl.SSLError as error:
            reason = (error.reason or "no reason given").replace("_", " ").lower()
            raise ArtworkError(f"{self._what}: no TLS with {host}: {reason}", "Mend the server, or the URL.") from None
        except TimeoutError:
            raise self._unconnected() from None
        except OSError as error:
            raise self._broken(f"the connection broke: {error.strerror or error}") from None

    @contextmanager
    def _waiting(self) -> Iterator[socket.socket]:
        sock = self._open_socket
        sock.settimeout(min(self._patience.read_s, self._left_s(self._end)))
        try:
            yield sock
        except TimeoutError:
            raise self._late(f"nothing came for {self._patience.read_s:g} s") from None
        except ssl.SSLEOFError:
            raise self._broken("cut off") from None
        except OSError as error:
            raise self._broken(f"the connection broke: {error.strerror or error}") from None

    def _left_s(self, by: float) -> float:
        left = by - time.monotonic()
        if left <= 0:
            raise self._unconnected()
        return left

    def _unconnected(self) -> TransientError:
        return self._late(f"no connection within {self._patience.connect_s:g} s")

    def _late(self, how: str) -> TransientError:
        is_over = time.monotonic() >= self._end
        return self._broken(f"not done within {self._patience.total_s:g} s" if is_over else how)

    def _broken(self, how: str) -> TransientError:
        return TransientError(f"{self._what}: {how}", "Check the server, or try again later.")


def _look_up_within(host: str, port: int, network: Network, wait_s: float) -> Sequence[str]:
    """Look up in a thread of its own, which is left behind if it takes too long: the system's look-up has no limit."""
    answer: Future[Sequence[str]] = Future()

    def ask() -> None:
        try:
            answer.set_result(network.look_up(host, port))
        except Exception as error:
            answer.set_exception(error)

    Thread(target=ask, name="look-up", daemon=True).start()
    return answer.result(timeout=wait_s)


def _last_32_bits(ip: IPv6Address) -> IPv4Address:
    return IPv4Address(int(ip) & 0xFFFF_FFFF)


def _among(ip: IpAddress, networks: Iterable[IpNetwork]) -> bool:
    return any(ip in network for network in networks)
