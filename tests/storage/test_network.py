"""Which addresses may be dialled: public ones, and private ones that are listed; in whatever spelling."""

import socket
import ssl
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from threading import Event

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.errors import ConfigurationError
from pipeline.storage.network import (
    IpAddress,
    Network,
    NotPublicError,
    PrivateHosts,
    find_addresses,
    host_name,
    is_public,
    parse_ip,
    tls_context,
)
from tests.servers.http import HttpAuthority

NOT_PUBLIC_V4 = [  # what RFC 6890 and IANA's registry list; written apart from the code's own list
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4"),
    *("240.0.0.0/4", "255.255.255.255/32"),
]
NOT_PUBLIC_V6 = [
    *("::/128", "::1/128", "::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:2::/48", "2001:10::/28"),
    *("2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.215.14", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1"]
PUBLIC_V6 = ["2606:4700:4700::1111", "2a00:1450:4001:82f::200e", "64:ff9b::8.8.8.8", "2400:cb00::"]
METADATA = ["169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"]

NOBODY = PrivateHosts(())
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

private_v4 = st.sampled_from(NOT_PUBLIC_V4).flatmap(lambda text: st.ip_addresses(network=text)).map(IPv4Address)
private_v6 = st.sampled_from(NOT_PUBLIC_V6).flatmap(lambda text: st.ip_addresses(network=text)).map(IPv6Address)


def answering(*texts: str) -> Network:
    """A network whose DNS answers every name so."""
    return Network(lambda host, port: texts, context=CONTEXT)


def unasked(host: str, port: int) -> Sequence[str]:
    raise AssertionError(f"{host} was looked up")


def find(host: str, network: Network, private: PrivateHosts = NOBODY) -> list[IpAddress]:
    return find_addresses(host_name(host), 443, private, network, 5.0)


@st.composite
def spelled_v4(draw: st.DrawFn) -> str:
    """A private IPv4 address, as some resolver or other takes it."""
    number = int(draw(private_v4))
    parts = draw(st.integers(1, 4))
    heads = [number >> (24 - 8 * index) & 0xFF for index in range(parts - 1)]
    pieces = [*heads, number & ((1 << (32 - 8 * (parts - 1))) - 1)]
    spelling = st.sampled_from(["{}", "0x{:x}", "0X{:08X}", "0{:o}"])
    text = ".".join(draw(spelling).format(piece) for piece in pieces)
    if draw(st.booleans()):
        text = "".join(chr(ord(char) + 0xFEE0) if char.isdigit() else char for char in text)  # full width
    return text.replace(".", draw(st.sampled_from([".", "。", "．"]))) + draw(st.sampled_from(["", "."]))


@st.composite
def wrapped_v4(draw: st.DrawFn) -> str:
    """A private IPv4 address inside an IPv6 one."""
    number = int(draw(private_v4))
    wrapped = [
        IPv6Address(number),  # ::127.0.0.1
        IPv6Address(0xFFFF << 32 | number),  # ::ffff:127.0.0.1
        IPv6Address(0xFFFF << 48 | number),  # ::ffff:0:127.0.0.1
        IPv6Address(int(IPv6Address("64:ff9b::")) | number),
        IPv6Address(int(IPv6Address("64:ff9b:1::")) | number),
        IPv6Address(0x2002 << 112 | number << 80),
        IPv6Address(0x2001 << 112 | number ^ 0xFFFF_FFFF),  # Teredo
        IPv6Address(int(IPv6Address("2a00:1450::5efe:0:0")) | number),  # ISATAP
        IPv6Address(int(IPv6Address("2a00:1450::200:5efe:0:0")) | number),
    ]
    ip = draw(st.sampled_from(wrapped))
    return draw(st.sampled_from([str(ip), ip.exploded, str(ip).upper()]))


@given(host=st.one_of(spelled_v4(), wrapped_v4(), private_v6.map(str), private_v4.map(str)))
@example(host="2130706433")
@example(host="0x7f000001")
@example(host="0177.0.0.1")
@example(host="127.1")
@example(host="0")
@example(host="①②⑦.0.0.1")
@example(host="::ffff:7f00:1")
def test_no_private_address_is_ever_accepted_in_whatever_spelling(host: str) -> None:
    with pytest.raises(NotPublicError):
        find(host, Network(unasked, context=CONTEXT))


@given(
    private=st.one_of(private_v4.map(str), private_v6.map(str), wrapped_v4()),
    before=st.lists(st.sampled_from(PUBLIC + PUBLIC_V6)),
    after=st.lists(st.sampled_from(PUBLIC + PUBLIC_V6)),
)
def test_a_name_with_one_private_address_is_not_dialled_at_all(
    private: str, before: list[str], after: list[str]
) -> None:
    with pytest.raises(NotPublicError):
        find("artwork.example", answering(*before, private, *after))


@given(ip=st.ip_addresses())
def test_what_python_knows_as_private_is_never_public(ip: IpAddress) -> None:
    if not ip.is_global or ip.is_multicast:
        assert not is_public(ip)


@pytest.mark.parametrize("text", METADATA)
def test_the_metadata_of_a_cloud_is_never_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC + PUBLIC_V6)
def test_a_public_address_is_accepted_as_a_literal_and_by_name(text: str) -> None:
    assert find(text, Network(unasked, context=CONTEXT)) == [ip_address(text)]
    assert find("artwork.example", answering(text, text)) == [ip_address(text)]


def test_addresses_keep_the_order_of_the_look_up() -> None:
    assert find("artwork.example", answering("8.8.8.8", "1.1.1.1", "8.8.8.8")) == [
        IPv4Address("8.8.8.8"),
        IPv4Address("1.1.1.1"),
    ]


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "a.localhost", "ｌｏｃａｌｈｏｓｔ", "fe80::1%eth0", "8.8.8.8%1"]
)
def test_names_of_this_machine_and_of_its_network_cards_are_refused_before_any_look_up(host: str) -> None:
    with pytest.raises(NotPublicError):
        find(host, Network(unasked, context=CONTEXT))


@pytest.mark.parametrize(
    "host", ["", ".", "...", "a..b", "a" * 64, "ä" * 64, "a." * 150, "a b", "8.8.8.8 b", "a/b", "a@b", "a\tb"]
)
def test_what_cannot_be_a_host_is_a_value_error(host: str) -> None:
    with pytest.raises(ValueError, match=r"name|idna|label"):
        host_name(host)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Artwork.Example.", "artwork.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("ａｒｔｗｏｒｋ。example", "artwork.example"),
        ("::1", "::1"),
    ],
)
def test_a_host_has_one_name(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize("host", ["artwork.example", "1.2.3.4.5", "256.256.256.256.256", "08.8.8.8", "cafe", "-1"])
def test_names_are_no_addresses(host: str) -> None:
    assert parse_ip(host) is None


@given(ip=st.ip_addresses())
def test_every_address_is_read_as_itself(ip: IpAddress) -> None:
    assert parse_ip(str(ip)) == (getattr(ip, "ipv4_mapped", None) or ip)


@pytest.mark.parametrize(
    ("listed", "host", "answers", "is_allowed"),
    [
        (["files.lan"], "files.lan", ["10.1.2.3"], True),
        (["Files.Lan."], "files.lan", ["10.1.2.3"], True),
        (["files.lan"], "files.lan", ["127.0.0.1", "::1"], True),
        (["files.lan"], "files.lan", ["fd12::1", "100.64.1.1"], True),
        (["files.lan"], "other.lan", ["10.1.2.3"], False),
        (["files.lan"], "a.files.lan", ["10.1.2.3"], False),
        (["files.lan"], "files.lan", ["169.254.169.254"], False),
        (["files.lan"], "files.lan", ["fd00:ec2::254"], False),
        (["files.lan"], "files.lan", ["224.0.0.1"], False),
        (["files.lan"], "files.lan", ["0.0.0.0"], False),
        (["files.lan"], "files.lan", ["198.18.0.1"], False),
        (["files.lan"], "files.lan", ["2001:db8::1"], False),
        (["files.lan"], "files.lan", ["10.1.2.3", "169.254.1.1"], False),
        (["localhost"], "localhost", ["127.0.0.1"], True),
        (["localhost"], "localhost", ["::1", "127.0.0.1"], True),
        (["localhost"], "127.0.0.1", [], False),
        (["10.0.0.0/8"], "files.lan", ["10.1.2.3"], True),
        (["10.0.0.0/8"], "10.1.2.3", [], True),
        (["10.9.9.9/8"], "::ffff:10.1.2.3", [], True),
        (["10.0.0.0/8"], "files.lan", ["10.1.2.3", "192.168.0.1"], False),
        (["fd00::/8"], "fd00::1", [], True),
        (["fd00::/8"], "files.lan", ["fd00:ec2::254"], False),
        (["0.0.0.0/0"], "files.lan", ["169.254.169.254"], False),
        (["0.0.0.0/0"], "files.lan", ["224.0.0.1"], False),
        (["0.0.0.0/0"], "0.0.0.0", [], False),
        (["0.0.0.0/0"], "255.255.255.255", [], False),
        (["::/0"], "files.lan", ["ff02::1"], False),
        (["::/0"], "::", [], False),
        (["127.0.0.1"], "127.0.0.1", [], True),
        (["127.0.0.1"], "127.1", [], True),
        (["127.0.0.1"], "127.0.0.2", [], False),
        (["127.0.0.1"], "files.lan", ["127.0.0.1"], True),
        (["[::1]"], "::1", [], True),
        (["169.254.169.254"], "169.254.169.254", [], True),
        (["169.254.169.254/32"], "169.254.169.254", [], True),
        (["224.0.0.1"], "224.0.0.1", [], True),
    ],
)
def test_private_hosts_are_allowed_as_far_as_they_are_listed(
    listed: list[str], host: str, answers: list[str], is_allowed: bool
) -> None:
    private = PrivateHosts(listed)
    if is_allowed:
        assert [str(ip) for ip in find(host, answering(*answers), private)] == (answers or [str(parse_ip(host))])
    else:
        with pytest.raises(NotPublicError):
            find(host, answering(*answers), private)


@pytest.mark.parametrize("entry", ["", "*.lan", "http://files.lan", "files.lan:9000", "10.0.0.0/33", "10.0.0/x", "a b"])
def test_an_entry_that_is_no_host_is_an_error_in_the_pipeline_file(entry: str) -> None:
    with pytest.raises(ConfigurationError, match=r"designs\.private_hosts") as caught:
        PrivateHosts(["files.lan", entry])
    assert repr(entry) in caught.value.message


def test_a_name_is_looked_up_once() -> None:
    asked: list[tuple[str, int]] = []

    def look_up(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["8.8.8.8"]

    find("Artwork.Example.", Network(look_up, context=CONTEXT))

    assert asked == [("artwork.example", 443)]


def test_a_look_up_that_takes_too_long_is_given_up() -> None:
    over = Event()

    def look_up(host: str, port: int) -> list[str]:
        over.wait()
        return ["8.8.8.8"]

    try:
        with pytest.raises(TimeoutError):
            find_addresses("artwork.example", 443, NOBODY, Network(look_up, context=CONTEXT), 0.05)
    finally:
        over.set()


def test_a_name_without_addresses_is_not_found() -> None:
    with pytest.raises(socket.gaierror) as caught:
        find("artwork.example", answering())
    assert caught.value.errno == socket.EAI_NONAME


def test_the_system_finds_this_machine() -> None:
    assert {str(ip) for ip in find("localhost", Network(context=CONTEXT), PrivateHosts(["localhost"]))} <= {
        "127.0.0.1",
        "::1",
    }


def test_authorities_are_taken_from_ssl_cert_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, http_authority: HttpAuthority
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(http_authority.ca_file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert tls_context().cert_store_stats()["x509_ca"] == 1


def test_a_chosen_file_without_authorities_is_not_made_up_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert tls_context().cert_store_stats()["x509_ca"] == 0


def test_a_machine_without_any_authority_trusts_those_of_certifi(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    none = ssl.DefaultVerifyPaths("", str(tmp_path), "SSL_CERT_FILE", "", "SSL_CERT_DIR", "")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: none)
    monkeypatch.setattr(ssl, "create_default_context", lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    assert tls_context().cert_store_stats()["x509_ca"] > 50
    (tmp_path / "0123abcd.0").touch()  # OpenSSL looks into the folder itself
    assert tls_context().cert_store_stats()["x509_ca"] == 0
