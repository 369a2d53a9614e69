"""Artwork by HTTP: whole or not at all, from public places only, and whatever the other side does, it ends.

The server is real. A made-up DNS gives it a public address, and dialling that address reaches it on 127.0.0.1.
"""

import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import repeat
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from config import VERSION
from config.errors import ArtworkError, BudgetError, ConfigurationError, StorageError, TilepressError, TransientError
from pipeline.storage import http
from pipeline.storage.address import parse_address
from pipeline.storage.contracts import Patience, Version
from pipeline.storage.http import BusyError, HttpSource
from pipeline.storage.network import Connection, IpAddress, Network
from tests.servers.http import HttpServer

PUBLIC = "93.184.215.14"
OTHER_PUBLIC = "1.1.1.1"
ARTWORK = bytes(range(256)) * 300
CAP = 1_000_000
PATIENT = Patience(connect_s=10.0, read_s=10.0, total_s=20.0)
SECRET = "S3CRET"
DEADLINE_S = 30.0
MODIFIED = "Sat, 01 Nov 2025 10:00:00 GMT"
LATER = "Sun, 02 Nov 2025 10:00:00 GMT"


class World:
    """DNS, and what was asked of it and dialled. An answer given twice or more stands for answers that change."""

    def __init__(self, server: HttpServer) -> None:
        self.names: dict[str, list[list[str]]] = {"artwork.test": [[PUBLIC]], "cdn.test": [[OTHER_PUBLIC]]}
        self.asked: list[str] = []
        self.dialled: list[str] = []
        self.down: dict[str, OSError] = {}
        self.sockets: list[socket.socket] = []
        self.waits_s: list[float | None] = []
        self.port = server.port
        self.network = Network(self._look_up, self._dial, ssl.create_default_context(cafile=server.ca_file))

    def _look_up(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        answers = self.names.get(host)
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def _dial(self, sock: socket.socket, ip: IpAddress, port: int) -> None:
        self.dialled.append(str(ip))
        self.sockets.append(sock)
        self.waits_s.append(sock.gettimeout())
        if str(ip) in self.down:
            raise self.down[str(ip)]
        sock.connect(("127.0.0.1", self.port))


@pytest.fixture
def world(http_server: HttpServer) -> World:
    return World(http_server)


class Fetcher:
    """Fetches to a file of its own."""

    def __init__(self, world: World, target: Path) -> None:
        self.world, self.target = world, target

    def __call__(
        self,
        url: str,
        *,
        patience: Patience = PATIENT,
        private: tuple[str, ...] = (),
        max_bytes: int = CAP,
        known: Version | None = None,
    ) -> Version | None:
        with closing(HttpSource(patience, private, self.world.network)) as source:
            return source.fetch(parse_address(url), self.target, max_bytes, known)


@pytest.fixture
def fetch(world: World, tmp_path: Path) -> Fetcher:
    return Fetcher(world, tmp_path / "artwork")


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Poll until the condition holds."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.002)


def at(server: HttpServer, path: str, scheme: str = "https", host: str = "artwork.test") -> str:
    return server.url(path, scheme, host)


# what is fetched


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("size", [0, 1, 70_000, 900_000])
@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
def test_a_file_arrives_as_it_is(http_server: HttpServer, fetch: Fetcher, scheme: str, size: int, framing: str) -> None:
    content = (ARTWORK * 12)[:size]
    http_server.serve("/a.png", content, etag='"1"', chunked=framing == "chunks", until_close=framing == "close")

    assert fetch(at(http_server, "/a.png", scheme)) == Version(size, '"1"')
    assert fetch.target.read_bytes() == content


def test_etag_and_date_are_returned_as_they_were_sent(http_server: HttpServer, fetch: Fetcher) -> None:
    http_server.serve("/a.png", ARTWORK, etag='W/"x-ä"', modified=MODIFIED)
    assert fetch(at(http_server, "/a.png")) == Version(len(ARTWORK), 'W/"x-ä"', MODIFIED)


def test_a_server_is_told_what_it_must_know_and_nothing_else(
    http_server: HttpServer, fetch: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text(f"machine artwork.test login shop password {SECRET}")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        for spelled in (name, name.lower()):
            monkeypatch.setenv(spelled, f"http://shop:{SECRET}@127.0.0.1:1")
    http_server.serve("/a.png?size=5", ARTWORK)

    fetch(at(http_server, "/a.png?size=5"))

    (request,) = http_server.requests
    assert request.headers == {
        "host": f"artwork.test:{http_server.port}",
        "user-agent": f"tilepress/{VERSION}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
    }
    assert request.server_name == "artwork.test"


def test_a_path_is_asked_for_as_it_was_written_with_what_is_not_ascii_escaped(
    http_server: HttpServer, fetch: Fetcher
) -> None:
    http_server.serve("/b%20%C3%BC/%C3%BC%2F.png?a=%C3%BC&b=%25", ARTWORK)
    assert fetch(at(http_server, "/b%20%C3%BC/ü%2F.png?a=ü&b=%25")) == Version(len(ARTWORK))


def test_the_length_of_chunks_is_their_own(http_server: HttpServer, fetch: Fetcher) -> None:
    head = ("HTTP/1.1 200 OK", "Content-Length: 99", "Transfer-Encoding: chunked")
    http_server.serve_raw("/a.png", raw(*head, body=b"3\r\nabc\r\n0\r\n\r\n"))
    assert fetch(at(http_server, "/a.png")) == Version(3)


def test_several_threads_fetch_at_once(http_server: HttpServer, world: World, tmp_path: Path) -> None:
    contents = {f"/{number}.png": bytes([number]) * (1000 * number) for number in range(40)}
    for path, content in contents.items():
        http_server.serve(path, content)
    source = HttpSource(PATIENT, (), world.network)

    def fetch_one(path: str) -> bool:
        target = tmp_path / path[1:]
        version = source.fetch(parse_address(at(http_server, path)), target, CAP, None)
        return version == Version(len(contents[path])) and target.read_bytes() == contents[path]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(fetch_one, contents))


def test_a_server_that_keeps_the_connection_open_has_sent_the_file_all_the_same(
    http_server: HttpServer, fetch: Fetcher
) -> None:
    http_server.serve("/a.png", ARTWORK, hold=True)
    assert fetch(at(http_server, "/a.png")) == Version(len(ARTWORK))


def test_a_private_host_that_is_listed_is_fetched_from_by_its_own_look_up(
    http_server: HttpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = http_server.serve("/a.png", ARTWORK)
    monkeypatch.setenv("SSL_CERT_FILE", str(http_server.ca_file))
    for host, listed in (("localhost", "localhost"), ("127.0.0.1", "127.0.0.0/8"), ("127.0.0.1", "127.0.0.1")):
        source = HttpSource(PATIENT, [listed])
        address = parse_address(url.replace("localhost", host))
        assert source.fetch(address, tmp_path / "a", CAP, None) == Version(len(ARTWORK))
        assert http_server.requests[-1].headers["host"] == f"{host}:{http_server.port}"


# what is known already


@pytest.mark.parametrize(
    ("known", "conditions"),
    [
        (Version(9, '"1"'), {"if-none-match": '"1"'}),
        (Version(9, 'W/"1"'), {"if-none-match": 'W/"1"'}),
        (Version(9, "", MODIFIED), {"if-modified-since": MODIFIED}),
        (Version(9, '"1"', MODIFIED), {"if-none-match": '"1"', "if-modified-since": MODIFIED}),
        (Version(9, '"1"\r\nCookie: a'), {}),
        (Version(9, '"ü"'), {}),
    ],
)
def test_a_known_version_makes_the_request_conditional(
    http_server: HttpServer, fetch: Fetcher, known: Version, conditions: dict[str, str]
) -> None:
    http_server.serve("/a.png", ARTWORK, etag='"2"', modified=LATER)

    assert fetch(at(http_server, "/a.png"), known=known) == Version(len(ARTWORK), '"2"', LATER)

    sent = http_server.requests[0].headers
    assert {name: value for name, value in sent.items() if name.startswith("if-") or name == "cookie"} == conditions


def test_an_unchanged_file_is_not_fetched_again(http_server: HttpServer, fetch: Fetcher) -> None:
    http_server.serve("/a.png", ARTWORK, etag='"1"', modified=MODIFIED)
    url = at(http_server, "/a.png")
    version = fetch(url)
    fetch.target.unlink()

    assert fetch(url, known=version) is None
    assert not fetch.target.exists()
    assert [request.status for request in http_server.requests] == [200, 304]

    http_server.serve("/a.png", ARTWORK[1:], etag='"2"', modified=LATER)
    assert fetch(url, known=version) == Version(len(ARTWORK) - 1, '"2"', LATER)


@pytest.mark.parametrize(
    ("known", "is_spared"),
    [
        (Version(len(ARTWORK), '"1"', MODIFIED), True),
        (Version(len(ARTWORK) + 1, '"1"', MODIFIED), False),
        (Version(len(ARTWORK), '"2"', MODIFIED), False),
        (Version(len(ARTWORK), '"1"', LATER), False),
    ],
)
def test_past_a_redirect_nothing_known_is_sent_but_the_very_same_version_is_spared(
    http_server: HttpServer, fetch: Fetcher, known: Version, is_spared: bool
) -> None:
    headers = {"ETag": '"1"', "Last-Modified": MODIFIED}  # without being honoured as conditions
    http_server.serve("/v1.png", ARTWORK, headers=headers)
    url = at(http_server, "/latest.png")
    http_server.redirect("/latest.png", "/v1.png")

    version = fetch(url, known=known)

    assert version == (None if is_spared else Version(len(ARTWORK), '"1"', MODIFIED))
    assert "if-none-match" in http_server.asked("/latest.png")[0].headers
    assert not [name for name in http_server.asked("/v1.png")[0].headers if name.startswith("if-")]


def test_an_older_file_behind_the_redirect_is_fetched(http_server: HttpServer, fetch: Fetcher) -> None:
    http_server.serve("/v1.png", ARTWORK, modified=LATER)
    http_server.serve("/v2.png", ARTWORK[::-1], modified=MODIFIED)
    http_server.redirect("/latest.png", "/v1.png")
    known = fetch(at(http_server, "/latest.png"))
    http_server.redirect("/latest.png", "/v2.png")

    assert fetch(at(http_server, "/latest.png"), known=known) == Version(len(ARTWORK), "", MODIFIED)
    assert fetch.target.read_bytes() == ARTWORK[::-1]


def test_a_weak_etag_alone_spares_nothing_unless_the_server_says_so(http_server: HttpServer, fetch: Fetcher) -> None:
    http_server.serve("/a.png", ARTWORK, headers={"ETag": 'W/"1"'})
    assert fetch(at(http_server, "/a.png"), known=Version(len(ARTWORK), 'W/"1"')) is not None


def test_unchanged_since_never_is_an_error(http_server: HttpServer, fetch: Fetcher) -> None:
    http_server.serve("/a.png", status=304)
    with pytest.raises(ArtworkError, match="304"):
        fetch(at(http_server, "/a.png"))


# redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location", ["/b/ü c.png", "../b/ü c.png", "//cdn.test:{port}/b/ü c.png", "/b/%C3%BC%20c.png#x"]
)
def test_redirects_are_followed(
    http_server: HttpServer, world: World, fetch: Fetcher, status: int, location: str
) -> None:
    world.network = Network(world.network.look_up, world.network.dial, unverified())
    http_server.serve("/b/%C3%BC%20c.png", ARTWORK)
    raw = f"HTTP/1.1 {status} Go\r\nLocation: {location.format(port=http_server.port)}\r\nContent-Length: 3\r\n\r\nabc"
    http_server.serve_raw("/a/b.png", lambda: [raw.encode()])

    assert fetch(at(http_server, "/a/b.png")) == Version(len(ARTWORK))


def unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_five_redirects_are_followed_and_no_sixth(http_server: HttpServer, fetch: Fetcher) -> None:
    http_server.serve("/0", ARTWORK)
    for left in range(1, 7):
        http_server.redirect(f"/{left}", f"/{left - 1}")

    assert fetch(at(http_server, "/5")) == Version(len(ARTWORK))
    http_server.requests.clear()
    with pytest.raises(ArtworkError, match="redirected more than 5 times"):
        fetch(at(http_server, "/6"))
    assert [request.path for request in http_server.requests] == ["/6", "/5", "/4", "/3", "/2", "/1"]


def test_plain_http_may_be_redirected_to_either_and_https_never_back(http_server: HttpServer, fetch: Fetcher) -> None:
    http_server.serve("/a", ARTWORK)
    http_server.redirect("/to-http", at(http_server, "/a", "http"))
    http_server.redirect("/to-https", at(http_server, "/a", "https"))
    http_server.redirect("/to-https-and-back", at(http_server, "/to-http", "https"))

    assert fetch(at(http_server, "/to-http", "http")) is not None
    assert fetch(at(http_server, "/to-https", "http")) is not None
    with pytest.raises(ArtworkError, match="redirected from https to http"):
        fetch(at(http_server, "/to-https-and-back", "http"))
    with pytest.raises(ArtworkError, match="redirected from https to http"):
        fetch(at(http_server, "/to-http"))


def test_an_error_past_a_redirect_tells_both_places(http_server: HttpServer, fetch: Fetcher) -> None:
    url = http_server.redirect("/a.png", f"/b.png?signature={SECRET}").replace("localhost", "artwork.test")
    with pytest.raises(ArtworkError) as caught:
        fetch(url)
    origin = f"https://artwork.test:{http_server.port}"
    assert caught.value.message == f"{origin}/a.png, redirected to {origin}: not found (404)"


# hostile URLs

HOSTILE_HOSTS = [
    *("127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001"),
    *("127.0.0.1.", "127.255.255.254", "①②⑦.0.0.1", "１２７.0.0.1", "127。0。0。1", "0", "0.0.0.0", "0x0"),
    *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[0:0:0:0:0:ffff:7f00:0001]"),
    *("[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]", "[64:ff9b:1::10.0.0.1]", "[2002:7f00:1::]", "[2002:a00:1::1]"),
    *("[2001:0:5ef5:79fd::80ff:fffe]", "[2a00::5efe:127.0.0.1]", "[fe80::1]", "[fe80::1%25eth0]", "[fe80::1%eth0]"),
    *("[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[2001:db8::1]", "[fec0::1]", "[::ffff:169.254.169.254]"),
    *("169.254.169.254", "169.254.1.1", "2852039166", "0xa9fea9fe", "100.64.0.1", "100.100.100.200", "192.0.0.1"),
    *("198.18.0.1", "198.19.255.254", "240.0.0.1", "255.255.255.255", "224.0.0.1", "239.255.255.250", "10.0.0.1"),
    *("10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.0.2.1", "203.0.113.1", "168.63.129.16"),
    *("localhost", "LOCALHOST", "localhost.", "evil.localhost", "ｌｏｃａｌｈｏｓｔ", "lan.test", "mixed.test"),
    *("mixed6.test", "mapped.test", "metadata.test", "zone.test", "nothing.test"),
]
HOSTILE_NAMES = {
    "lan.test": [["192.168.1.1"]],
    "mixed.test": [[PUBLIC, "10.0.0.1"]],
    "mixed6.test": [[PUBLIC, "fd00::1"]],
    "mapped.test": [["::ffff:127.0.0.1"]],
    "metadata.test": [["169.254.169.254"]],
    "zone.test": [["fe80::1%2"]],
}
HOSTILE_PLACES = [
    *(f"https://{host}/latest/meta-data" for host in HOSTILE_HOSTS),
    *("https://artwork.test:0/a.png", "https://shop:secret@artwork.test/a.png", "https://shop@artwork.test/a.png"),
    *("https://127.0.0.1\\@artwork.test/", "https://artwork.test\\.lan.test/", "https://./a.png"),
    *("file:///etc/passwd", "file://artwork.test/a.png", "ftp://artwork.test/a.png", "gopher://artwork.test/_GET"),
    *("data:image/png;base64,AAAA", "javascript:alert(1)", "dict://artwork.test:11211/stat", "ldap://artwork.test/"),
]


@pytest.mark.parametrize("url", HOSTILE_PLACES)
def test_a_hostile_url_is_refused_before_anything_is_dialled(world: World, fetch: Fetcher, url: str) -> None:
    world.names |= HOSTILE_NAMES
    with pytest.raises((ArtworkError, ConfigurationError)) as caught:
        fetch(url)
    assert world.dialled == []
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "location",
    [
        *HOSTILE_PLACES,
        *(
            "http://artwork.test/a.png",
            "s3://bucket/a.png",
            "sftp://artwork.test/a.png",
            "//127.0.0.1/",
            "//localhost/",
        ),
        *(
            "",
            "https://[::1",
            "https://artwork.test:99999/",
            "https://artwork.test:x/",
            "//[",
            f"https://{'a' * 5000}/",
        ),
        *("https://artwork.test/\x7f", "https://artwork.test/\u202e", "https://a..b/"),
    ],
)
def test_a_redirect_to_a_hostile_url_is_refused_before_anything_is_dialled(
    http_server: HttpServer, world: World, fetch: Fetcher, location: str
) -> None:
    world.names |= HOSTILE_NAMES
    head = b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % location.encode()
    http_server.serve_raw("/a.png", lambda: [head])

    with pytest.raises(ArtworkError) as caught:
        fetch(at(http_server, "/a.png"))

    assert world.dialled == [PUBLIC]
    assert "secret" not in str(caught.value)
    assert len(caught.value.message) < 500


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_this_machine_does_not_even_see_a_connection(tmp_path: Path, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = parse_address(f"https://{host}:{listener.getsockname()[1]}/")
        source = HttpSource(PATIENT, (), Network(context=unverified()))
        with pytest.raises(ArtworkError, match="is not a public address") as caught:
            source.fetch(address, tmp_path / "a", CAP, None)
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert "designs.private_hosts" in caught.value.remedy


def test_the_answer_that_was_judged_is_the_one_that_is_dialled(
    http_server: HttpServer, world: World, fetch: Fetcher
) -> None:
    http_server.serve("/a.png", ARTWORK)
    world.names["artwork.test"] = [[PUBLIC], ["127.0.0.1"]]

    assert fetch(at(http_server, "/a.png")) is not None
    assert (world.asked, world.dialled) == (["artwork.test"], [PUBLIC])
    with pytest.raises(ArtworkError, match=r"artwork\.test is not a public address"):
        fetch(at(http_server, "/a.png"))
    assert world.dialled == [PUBLIC]


def test_a_name_that_changes_its_answer_between_redirects_is_judged_again(
    http_server: HttpServer, world: World, fetch: Fetcher
) -> None:
    http_server.redirect("/a.png", "/b.png")
    world.names["artwork.test"] = [[PUBLIC], ["10.0.0.1"]]

    with pytest.raises(ArtworkError, match=r"artwork\.test is not a public address"):
        fetch(at(http_server, "/a.png"))
    assert (world.asked, world.dialled) == (["artwork.test"] * 2, [PUBLIC])


def test_a_refusal_does_not_tell_the_address_behind_a_name(world: World, fetch: Fetcher) -> None:
    world.names |= HOSTILE_NAMES
    with pytest.raises(ArtworkError) as caught:
        fetch("https://lan.test/a.png")
    assert caught.value.message == "https://lan.test/a.png: lan.test is not a public address"
    assert caught.value.remedy == "List the host under designs.private_hosts."
    assert "192.168" not in "".join(traceback.format_exception(caught.value))


# servers that are down, refuse, or lie


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (404, ArtworkError, "not found (404)"),
        (410, ArtworkError, "not found (410)"),
        (401, ArtworkError, "forbidden (401)"),
        (403, ArtworkError, "forbidden (403)"),
        (400, ArtworkError, "400 Bad Request"),
        (418, ArtworkError, "418 I'm a Teapot"),
        (201, ArtworkError, "201 Created"),
        (204, ArtworkError, "204 No Content"),
        (206, ArtworkError, "206 Partial Content"),
        (300, ArtworkError, "300 Multiple Choices"),
        (305, ArtworkError, "305 Use Proxy"),
        (501, ArtworkError, "501 Not Implemented"),
        (599, ArtworkError, "599 a status unknown"),
        *((status, BusyError, f"{status} ") for status in (408, 425, 429, 500, 502, 503, 504)),
    ],
)
def test_a_status_is_told_and_judged(
    http_server: HttpServer, fetch: Fetcher, status: int, kind: type[TilepressError], message: str
) -> None:
    http_server.serve("/a.png", status=status, headers={"Location": "/b.png"})
    with pytest.raises(kind) as caught:
        fetch(at(http_server, "/a.png"))
    assert caught.type is kind
    assert caught.value.message.startswith(f"https://artwork.test:{http_server.port}/a.png: {message}")
    assert not fetch.target.exists()


@pytest.mark.parametrize(
    ("said", "least_s", "most_s"),
    [
        ("7", 7.0, 7.0),
        ("0", 0.0, 0.0),
        ("3600", 60.0, 60.0),
        ("9" * 5000, 60.0, 60.0),
        ("Wed, 01 Jan 2110 10:00:00 GMT", 60.0, 60.0),
        (MODIFIED, 0.0, 0.0),
        (MODIFIED.replace("GMT", "-0000"), 0.0, 0.0),
    ],
)
def test_a_busy_server_says_when_to_come_back(
    http_server: HttpServer, fetch: Fetcher, said: str, least_s: float, most_s: float
) -> None:
    http_server.serve("/a.png", ARTWORK, failures=(429, 503), failure_headers={"Retry-After": said})
    for _ in range(2):
        with pytest.raises(BusyError) as caught:
            fetch(at(http_server, "/a.png"))
        assert caught.value.retry_after_s is not None
        assert least_s <= caught.value.retry_after_s <= most_s
    assert fetch(at(http_server, "/a.png")) == Version(len(ARTWORK))


def test_a_date_to_come_back_at_is_counted_from_now() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    assert 0.0 < (http._parse_retry_after(moment) or 0.0) <= 40.0


@pytest.mark.parametrize("said", ["", "-5", "soon", "1.5", "²", "Sat, 99 Nov 2025 10:00:00 GMT"])
def test_what_is_no_time_to_come_back_is_none(http_server: HttpServer, fetch: Fetcher, said: str) -> None:
    http_server.serve("/a.png", failures=(503,), failure_headers={"Retry-After": said})
    with pytest.raises(BusyError) as caught:
        fetch(at(http_server, "/a.png"))
    assert caught.value.retry_after_s is None


@given(
    said=st.one_of(
        st.text(),
        st.from_regex(
            r"\A[A-Z][a-z]{2}, [0-9]{1,12} [A-Z][a-z]{2} [0-9]{1,12} [0-9:]{1,12} ([A-Z]{3}|[+-][0-9]{1,9})\Z"
        ),
    )
)
def test_no_retry_after_does_harm(said: str) -> None:
    seconds = http._parse_retry_after(said)
    assert seconds is None or 0.0 <= seconds <= http.MAX_RETRY_AFTER_S


def raw(*lines: str, body: bytes = b"") -> Callable[[], Iterable[bytes]]:
    head = "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")
    return lambda: [head + body]


LIES: dict[str, tuple[Callable[[], Iterable[bytes]], type[TilepressError], str]] = {
    "shorter than promised": (raw("HTTP/1.1 200 OK", "Content-Length: 9", body=b"abc"), TransientError, "cut off"),
    "cut off in a chunk": (
        raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=b"9\r\nabc"),
        TransientError,
        "cut off",
    ),
    "cut off between chunks": (
        raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n"),
        TransientError,
        "cut off",
    ),
    "cut off in the head": (lambda: [b"HTTP/1.1 200 OK\r\nContent-"], TransientError, "cut off"),
    "no answer": (list, TransientError, "cut off"),
    "longer than promised": (
        raw("HTTP/1.1 200 OK", "Content-Length: 3", body=b"abcd"),
        ArtworkError,
        "longer than the 3 bytes promised",
    ),
    "longer than nothing": (
        raw("HTTP/1.1 200 OK", "Content-Length: 0", body=b"\0"),
        ArtworkError,
        "longer than the 0 bytes promised",
    ),
    "longer after a word before": (
        raw("HTTP/1.1 103 Early Hints", "", "HTTP/1.1 200 OK", "Content-Length: 3", body=b"abcd"),
        ArtworkError,
        "longer than the 3 bytes promised",
    ),
    "longer in a second packet": (
        lambda: [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", b"abc", b"d"],
        ArtworkError,
        "longer than the 3 bytes promised",
    ),
    "longer after a head in pieces": (
        lambda: [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r", b"\nabcd"],
        ArtworkError,
        "longer than the 3 bytes promised",
    ),
    "more than is allowed is promised": (
        raw("HTTP/1.1 200 OK", f"Content-Length: {CAP + 1}"),
        ArtworkError,
        "1,000,001 bytes, where 1,000,000 are allowed",
    ),
    "compressed": (
        raw("HTTP/1.1 200 OK", "Content-Length: 3", "Content-Encoding: gzip", body=b"abc"),
        ArtworkError,
        "the answer is compressed, unasked",
    ),
    "two lengths": (
        raw("HTTP/1.1 200 OK", "Content-Length: 3", "Content-Length: 4", body=b"abcd"),
        ArtworkError,
        "not HTTP",
    ),
    "a length that is none": (raw("HTTP/1.1 200 OK", "Content-Length: -1"), ArtworkError, "not HTTP"),
    "an unknown framing": (raw("HTTP/1.1 200 OK", "Transfer-Encoding: gzip"), ArtworkError, "not HTTP"),
    "a chunk that is none": (
        raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=b"xyz\r\n"),
        ArtworkError,
        "not HTTP",
    ),
    "not HTTP": (lambda: [b"SSH-2.0-OpenSSH_9.6\r\n\r\n" * 9], ArtworkError, "not HTTP"),
    "HTTP/2": (raw("HTTP/2 200"), ArtworkError, "not HTTP"),
    "another protocol": (raw("HTTP/1.1 101 Switching Protocols", "Upgrade: x"), ArtworkError, "not HTTP"),
    "a head that never ends": (
        lambda: [b"HTTP/1.1 200 OK\r\n", *repeat(b"X: y\r\n", 50_000)],
        ArtworkError,
        "head of the",
    ),
    "a line that never ends": (
        lambda: [b"HTTP/1.1 200 OK\r\nX: ", *repeat(b"y" * 1000, 500)],
        ArtworkError,
        "head of the",
    ),
    "go on, for ever": (lambda: repeat(b"HTTP/1.1 100 Continue\r\n\r\n"), ArtworkError, "head of the"),
    "trailers for ever": (
        lambda: [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", *repeat(b"X: y\r\n", 50_000)],
        ArtworkError,
        "not HTTP",
    ),
}


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("lie", LIES)
def test_a_server_that_lies_is_found_out(http_server: HttpServer, fetch: Fetcher, lie: str, scheme: str) -> None:
    answer, kind, message = LIES[lie]
    path = f"/a.png?signature={SECRET}"
    http_server.serve_raw(path, answer)

    with pytest.raises(kind) as caught:
        fetch(at(http_server, path, scheme))

    assert caught.type is kind
    assert message in caught.value.message
    assert caught.value.message.startswith(f"{scheme}://artwork.test:{http_server.port}/a.png?…")
    assert SECRET not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    wait_for(lambda: not http_server.open_connections(), "the connection to be closed")


def test_a_file_that_tls_does_not_say_is_over_was_cut_off(http_server: HttpServer, fetch: Fetcher) -> None:
    http_server.serve("/a.png", ARTWORK, until_close=True, cut_after=1000)
    with pytest.raises(TransientError, match="cut off"):
        fetch(at(http_server, "/a.png"))


def test_a_reset_connection_is_transient(fetch: Fetcher) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def reset() -> None:
            connection, _ = listener.accept()
            connection.recv(65_536)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()

        with running(reset), pytest.raises(TransientError, match="the connection broke: Connection reset by peer"):
            fetch_from(listener, "http", fetch)


@contextmanager
def running(work: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def fetch_from(listener: socket.socket, scheme: str, fetch: Fetcher, patience: Patience = PATIENT) -> Version | None:
    """Fetch from a server of another kind."""
    fetch.world.port = listener.getsockname()[1]
    return fetch(f"{scheme}://artwork.test/a.png", patience=patience)


def test_no_more_than_is_allowed_is_written(http_server: HttpServer, fetch: Fetcher) -> None:
    http_server.serve("/a.png", ARTWORK, endless=True, chunked=True)
    with pytest.raises(ArtworkError, match="more bytes, where 1,000,000 are allowed") as caught:
        fetch(at(http_server, "/a.png"))
    assert "designs.max_bytes" in caught.value.remedy
    assert fetch.target.stat().st_size <= CAP

    http_server.serve("/a.png", ARTWORK, chunked=True)
    assert fetch(at(http_server, "/a.png"), max_bytes=len(ARTWORK)) == Version(len(ARTWORK))
    with pytest.raises(ArtworkError, match="are allowed"):
        fetch(at(http_server, "/a.png"), max_bytes=len(ARTWORK) - 1)


def test_a_full_disk_is_not_the_servers_fault(http_server: HttpServer, fetch: Fetcher) -> None:
    http_server.serve("/a.png", ARTWORK)
    fetch.target = Path("/dev/full")
    with pytest.raises(BudgetError, match="disk: full"):
        fetch(at(http_server, "/a.png"))
    fetch.target = Path("/nowhere/artwork")
    with pytest.raises(StorageError, match="No such file") as caught:
        fetch(at(http_server, "/a.png"))
    assert not isinstance(caught.value, TransientError)


# certificates


def test_a_certificate_by_an_unknown_authority_is_refused(
    http_server: HttpServer, world: World, fetch: Fetcher
) -> None:
    http_server.serve("/a.png", ARTWORK)
    context = ssl.create_default_context(cadata=trustme.CA().cert_pem.bytes().decode())
    world.network = Network(world.network.look_up, world.network.dial, context)
    with pytest.raises(ArtworkError, match=r"the certificate of artwork\.test is not to be trusted: .*certificate"):
        fetch(at(http_server, "/a.png"))
    assert http_server.requests == []


def test_a_certificate_for_another_name_is_refused(http_server: HttpServer, fetch: Fetcher) -> None:
    http_server.serve("/a.png", ARTWORK)
    with pytest.raises(ArtworkError, match=r"the certificate of cdn\.test is not to be trusted: Hostname mismatch"):
        fetch(at(http_server, "/a.png", host="cdn.test"))
    assert http_server.requests == []


def test_a_server_without_tls_is_told_so(fetch: Fetcher) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        with running(answer), pytest.raises(ArtworkError, match=r"no TLS with artwork\.test: [a-z]"):
            fetch_from(listener, "https", fetch)


# addresses that do not answer


def test_a_name_that_is_not_there_is_the_artworks_fault(world: World, fetch: Fetcher) -> None:
    with pytest.raises(ArtworkError, match=r"there is no host nothing\.test"):
        fetch("https://nothing.test/a.png")


@pytest.mark.parametrize("error", [socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), OSError(5, "I/O error")])
def test_a_look_up_that_fails_for_now_is_transient(world: World, fetch: Fetcher, error: OSError) -> None:
    def look_up(host: str, port: int) -> list[str]:
        raise error

    world.network = Network(look_up, world.network.dial, world.network.context)
    with pytest.raises(TransientError, match=r"artwork\.test could not be looked up: "):
        fetch("https://artwork.test/a.png")


def test_a_look_up_that_hangs_is_given_up(world: World, fetch: Fetcher) -> None:
    over = threading.Event()

    def look_up(host: str, port: int) -> list[str]:
        over.wait()
        return [PUBLIC]

    world.network = Network(look_up, world.network.dial, world.network.context)
    try:
        with pytest.raises(TransientError, match=r"no connection within 0\.05 s"):
            fetch("https://artwork.test/a.png", patience=Patience(0.05, 10.0, 10.0))
    finally:
        over.set()


@pytest.mark.parametrize("error", [ConnectionRefusedError(111, "Connection refused"), TimeoutError("timed out")])
def test_the_next_address_is_dialled_if_one_does_not_answer(
    http_server: HttpServer, world: World, fetch: Fetcher, error: OSError
) -> None:
    http_server.serve("/a.png", ARTWORK)
    world.names["artwork.test"] = [["2606:4700::1", OTHER_PUBLIC, PUBLIC]]
    world.down = {"2606:4700::1": error, OTHER_PUBLIC: error}

    assert fetch(at(http_server, "/a.png")) == Version(len(ARTWORK))
    assert world.dialled == ["2606:4700::1", OTHER_PUBLIC, PUBLIC]
    for wait_s, share in zip(world.waits_s, (3, 2, 1), strict=True):
        assert wait_s is not None
        assert wait_s <= PATIENT.connect_s / share
    assert all(sock.fileno() == -1 for sock in world.sockets)


def test_a_machine_without_ipv6_dials_the_other_addresses(
    http_server: HttpServer, world: World, fetch: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    http_server.serve("/a.png", ARTWORK)
    world.names["artwork.test"] = [["2606:4700::1", PUBLIC]]
    monkeypatch.setattr(socket, "AF_INET6", 9999)  # which the system refuses, as it does one that is switched off

    assert fetch(at(http_server, "/a.png")) == Version(len(ARTWORK))
    assert world.dialled == [PUBLIC]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "no connection: Connection refused"),
        (TimeoutError("timed out"), "no connection within 10 s"),
    ],
)
def test_a_server_that_does_not_answer_at_any_address_is_transient(
    world: World, fetch: Fetcher, error: OSError, message: str
) -> None:
    world.names["artwork.test"] = [[OTHER_PUBLIC, PUBLIC]]
    world.down = {PUBLIC: error, OTHER_PUBLIC: error}
    with pytest.raises(TransientError) as caught:
        fetch("https://artwork.test/a.png")
    assert caught.value.message == f"https://artwork.test/a.png: {message}"
    assert world.dialled == [OTHER_PUBLIC, PUBLIC]
    assert all(sock.fileno() == -1 for sock in world.sockets)


def test_a_port_where_nobody_listens_is_transient(tmp_path: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = parse_address(f"https://localhost:{bound.getsockname()[1]}/a.png")
        with pytest.raises(TransientError, match="no connection: Connection refused"):
            HttpSource(PATIENT, ["localhost"]).fetch(address, tmp_path / "a", CAP, None)


# deadlines


def test_a_tls_handshake_that_never_comes_is_given_up(fetch: Fetcher) -> None:
    given_up = pytest.raises(TransientError, match=r"no connection within 0\.05 s")
    with socket.create_server(("127.0.0.1", 0)) as listener, given_up:  # the system accepts; nobody speaks
        fetch_from(listener, "https", fetch, Patience(0.05, 10.0, 10.0))


SILENCE = Patience(connect_s=10.0, read_s=0.05, total_s=10.0)
DRIPPING = Patience(connect_s=10.0, read_s=5.0, total_s=0.3)
SLOW: dict[str, tuple[Callable[[HttpServer], str], Patience, str]] = {
    "silent head": (
        lambda server: server.serve("/a.png", ARTWORK, head_pause_s=60.0),
        SILENCE,
        "nothing came for 0.05 s",
    ),
    "silent body": (
        lambda server: server.serve("/a.png", ARTWORK, body_pause_s=60.0),
        SILENCE,
        "nothing came for 0.05 s",
    ),
    "dripping head": (
        lambda server: server.serve("/a.png", ARTWORK, head_pause_s=0.02),
        DRIPPING,
        "not done within 0.3 s",
    ),
    "dripping body": (
        lambda server: server.serve("/a.png", ARTWORK, body_pause_s=0.01),
        DRIPPING,
        "not done within 0.3 s",
    ),
    "endless dripping body": (
        lambda server: server.serve("/a.png", b"x", body_pause_s=0.01, endless=True, chunked=True),
        DRIPPING,
        "not done within 0.3 s",
    ),
}


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("how", SLOW)
def test_a_slow_server_is_given_up(http_server: HttpServer, fetch: Fetcher, how: str, scheme: str) -> None:
    serve, patience, message = SLOW[how]
    serve(http_server)
    with pytest.raises(TransientError) as caught:
        fetch(at(http_server, "/a.png", scheme), patience=patience)
    assert caught.value.message == f"{at(http_server, '/a.png', scheme)}: {message}"
    wait_for(lambda: not http_server.open_connections(), "the connection to be closed")


def test_the_whole_deadline_counts_over_redirects(http_server: HttpServer, fetch: Fetcher) -> None:
    for number in range(5):
        http_server.serve(f"/{number}", status=302, headers={"Location": f"/{number + 1}"}, head_pause_s=0.002)
    http_server.serve("/5", ARTWORK)

    assert fetch(at(http_server, "/3")) is not None
    with pytest.raises(TransientError, match=r"not done within 0\.5 s"):
        fetch(at(http_server, "/0"), patience=Patience(10.0, 10.0, 0.5))


def test_a_head_that_comes_byte_by_byte_is_a_head(http_server: HttpServer, fetch: Fetcher) -> None:
    http_server.serve("/a.png", ARTWORK, head_pause_s=0.0001)
    assert fetch(at(http_server, "/a.png")) == Version(len(ARTWORK))


# interrupted


def test_ctrl_c_leaves_no_connection(http_server: HttpServer, fetch: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    http_server.serve("/a.png", ARTWORK, endless=True, chunked=True)
    receive, calls = Connection.receive, iter(range(100))

    def interrupted(connection: Connection, max_bytes: int) -> bytes:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return receive(connection, max_bytes)

    monkeypatch.setattr(Connection, "receive", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        fetch(at(http_server, "/a.png"))
    wait_for(lambda: not http_server.open_connections(), "the connection to be closed")
    del caught


def test_ctrl_c_while_dialling_leaves_no_socket(world: World, fetch: Fetcher) -> None:
    sockets: list[socket.socket] = []

    def dial(sock: socket.socket, ip: IpAddress, port: int) -> None:
        sockets.append(sock)
        raise KeyboardInterrupt

    world.network = Network(world.network.look_up, dial, world.network.context)
    with pytest.raises(KeyboardInterrupt):
        fetch("https://artwork.test/a.png")
    assert [sock.fileno() for sock in sockets] == [-1]
