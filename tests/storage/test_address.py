"""URLs taken apart: put together again they are the same, and what is shown of one holds no secret."""

from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from config.errors import ConfigurationError
from pipeline.storage.address import SCHEMES, Address, is_url, parse_address

TEXT = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="\\"))
LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
HOST = st.one_of(
    st.lists(LABEL, min_size=1, max_size=3).map(".".join), st.sampled_from(["::1", "fe80::1%eth0", "10.0.0.1"])
)
PORT = st.integers(1, 65_535)
PATH = TEXT.map(lambda text: "/" + text)
ENCODED = st.text("aZ09-._~%2F!$&'()*+,;=:@/[]")
WRITTEN_PATH = ENCODED.map(lambda text: "/" + text)
QUERY = st.lists(ENCODED).map("?".join)
HTTP = st.builds(Address, st.sampled_from(["http", "https"]), HOST, PORT, WRITTEN_PATH, query=QUERY)
SFTP = st.builds(Address, st.just("sftp"), HOST, PORT, PATH, user=TEXT.filter(lambda user: "/" not in user))
S3 = st.builds(Address, st.just("s3"), st.from_regex(r"[a-zA-Z0-9.-]{1,20}", fullmatch=True), st.just(0), PATH)
FOLDERS = st.builds(lambda address: replace(address, query=""), st.one_of(HTTP, SFTP, S3))


@given(address=st.one_of(HTTP, SFTP, S3))
def test_the_url_of_an_address_is_that_address(address: Address) -> None:
    assert parse_address(address.url) == address


@given(path=TEXT, query=TEXT)
def test_what_of_an_http_url_is_not_ascii_is_encoded_once(path: str, query: str) -> None:
    address = parse_address(f"https://artwork.test/{path}?{query}")
    assert address.url.isascii()
    assert " " not in address.url
    assert parse_address(address.url) == address


@given(address=HTTP)
def test_what_is_shown_of_a_query_is_no_more_than_a_digest(address: Address) -> None:
    plain = str(replace(address, query=""))
    shown = str(address)
    assert shown.startswith(plain)
    assert len(shown) - len(plain) in ({len("?…"), len("?…01234567")} if address.query else {0})
    assert str(replace(address, query=f"{address.query}&version=2")) != shown


@pytest.mark.parametrize(
    "signature", ["X-Amz-Signature=1&X-Amz-Date=2", "Expires=9&Signature=a&Key-Pair-Id=b", "sv=1&se=2&sig=c", "token=d"]
)
def test_a_file_has_one_name_however_its_url_is_signed(signature: str) -> None:
    url = "https://artwork.test/a.png?version=3"
    assert str(parse_address(f"{url}&{signature}")) == str(parse_address(url))
    assert str(parse_address(f"https://artwork.test/a.png?{signature}")) == "https://artwork.test/a.png?…"


def test_no_query_stands_in_the_repr() -> None:
    assert "S3CRET" not in repr(parse_address("https://artwork.test/a.png?signature=S3CRET"))


@given(
    text=st.one_of(
        st.text(),
        st.tuples(st.sampled_from([*SCHEMES, "file", "HTTPS"]), st.text()).map("://".join),
        st.tuples(st.sampled_from(SCHEMES), st.text("@:[]/?#%.\\ah1ü\t\n ")).map("://".join),
    )
)
@example(text="https://[::1")
@example(text="https://host:99999/")
@example(text="https://①②⑦.0.0.1/")
@example(text="https://host℀/")
@example(text="https://[::1%25eth0]:5/")
def test_any_text_is_an_address_or_a_configuration_error_that_does_not_repeat_it(text: str) -> None:
    try:
        address = parse_address(text)
    except ConfigurationError as error:
        long_enough = len(text) > 40
        assert not (long_enough and text in str(error))
        assert error.__cause__ is None
        assert error.__suppress_context__ or error.__context__ is None
    else:
        assert address.scheme in SCHEMES
        assert address.path.startswith("/")
        assert str(address).isprintable()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://Artwork.Test/A.png", Address("https", "artwork.test", 443, "/A.png")),
        ("HTTPS://artwork.test./a.png", Address("https", "artwork.test", 443, "/a.png")),
        ("http://artwork.test", Address("http", "artwork.test", 80, "/")),
        ("https://artwork.test:8443/a?b=c#d", Address("https", "artwork.test", 8443, "/a", query="b=c")),
        ("https://[2001:DB8::1]/a", Address("https", "2001:db8::1", 443, "/a")),
        ("https://artwork.test/%C3%BC/ü", Address("https", "artwork.test", 443, "/%C3%BC/%C3%BC")),
        ("https://artwork.test/a b.png?c d", Address("https", "artwork.test", 443, "/a%20b.png", query="c%20d")),
        ("sftp://al%40ice@files.lan/in/%C3%BC%20b", Address("sftp", "files.lan", 22, "/in/ü b", user="al@ice")),
        ("s3://Bucket.Name/in/ü?#%20", Address("s3", "Bucket.Name", 0, "/in/ü?#%20")),
        ("s3://bucket", Address("s3", "bucket", 0, "/")),
    ],
)
def test_a_url_says_where_a_file_is(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "a.png",
            "/a.png",
            "file:///a.png",
            "ftp://host/a",
            "data:,a",
            "https:",
            "https://",
            "https:///a",
            "//h/a",
        ),
        *("https://user@host/a", "https://user:password@host/a", "https://:@host/a", "sftp://user:password@host/a"),
        *("s3://key:secret@bucket/a", "https://host/a\n", "\thttps://host/a", "https://host/\x7f"),
        *("https://good.test\\@evil.test/", "https://host:port/a", "https://host:65536/a", "https://[::1/a"),
        *("https://host/\u202egnp.a", "https://host/\udcff"),
    ],
)
def test_what_is_no_url_for_artwork_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_address(text)
    assert "password" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["https://./a", "https://.../a", "sftp://user@./a"])
def test_a_host_of_dots_is_none(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_address(text)


@pytest.mark.parametrize("text", ["s3://bucket:80/a", "s3://a?b:c@d/a", "s3://bucket#x/a", "s3://@bucket/a"])
def test_what_is_no_bucket_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_address(text)


def test_a_user_with_a_slash_stays_the_user() -> None:
    address = parse_address("sftp://shop%2Fteam@files.lan/a.png")
    assert parse_address(address.url) == address


@pytest.mark.parametrize("text", ["sftp://files.lan/a?b.png", "sftp://files.lan/a#b.png"])
def test_a_path_by_sftp_is_not_cut_at_what_has_a_meaning_in_http_only(text: str) -> None:
    try:
        path = parse_address(text).path
    except ConfigurationError:
        return
    assert path == text.removeprefix("sftp://files.lan")


@pytest.mark.parametrize(
    "text", ["sftp://files.lan/a%00.png", "sftp://files.lan/a%0Ab.png", "sftp://a%0Ab@files.lan/a"]
)
def test_no_escape_brings_a_control_character_in(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_address(text)


# folders and what lies in them


NAME = st.lists(TEXT.filter(lambda step: step not in {"", ".", ".."} and "/" not in step), min_size=1, max_size=4)


@given(folder=FOLDERS, steps=NAME)
def test_a_name_below_a_folder_is_in_it(folder: Address, steps: list[str]) -> None:
    assume(".." not in folder.path.split("/") and "%2" not in folder.path)
    assume(not any("%" in step for step in steps))
    address = folder.below("/".join(steps))
    assert folder.contains(address)
    assert address.origin == folder.origin
    assert address.query == ""
    assert address.parent.contains(address)
    assert parse_address(address.url) == address


@pytest.mark.parametrize("name", ["", ".", "..", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a\\b", "..\\a"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_name_that_leads_elsewhere_is_none(name: str, scheme: str) -> None:
    with pytest.raises(ValueError, match="is no name below a folder"):
        Address(scheme, "host", 1, "/designs").below(name)


@pytest.mark.parametrize("name", ["a\nb.png", "a\x1b[2Jb.png", "a\0.png"])
def test_a_name_with_control_characters_is_none(name: str) -> None:
    with pytest.raises(ValueError, match="is no name below a folder"):
        parse_address("s3://bucket/designs").below(name)


def test_an_address_with_a_name_that_is_not_unicode_can_be_shown() -> None:
    try:
        address = parse_address("sftp://files.lan/designs").below("a\udcff.png")
    except ValueError:
        return
    assert str(address).startswith("sftp://files.lan/designs/a")


@pytest.mark.parametrize(
    "path",
    [
        *("/designs/../secret", "/designs/%2e%2e/secret", "/designs/.%2E/secret", "/designs/a%2f..%2f..%2fsecret"),
        *("/designs/..%5csecret", "/designs/a/../../secret", "/designs2/a", "/Designs/a", "/", "/secret"),
    ],
)
def test_a_path_that_leads_out_of_a_folder_is_not_in_it(path: str) -> None:
    folder = parse_address("https://artwork.test/designs")
    assert not folder.contains(replace(folder, path=path))


@pytest.mark.parametrize(
    "other", ["http://artwork.test/designs/a", "https://artwork.test:8443/designs/a", "https://evil.test/designs/a"]
)
def test_another_server_is_not_in_a_folder(other: str) -> None:
    assert not parse_address("https://artwork.test/designs").contains(parse_address(other))


def test_a_folder_contains_itself_however_it_ends() -> None:
    plain, ended = parse_address("https://artwork.test/designs"), parse_address("https://artwork.test/designs/")
    assert plain.contains(ended)
    assert ended.contains(plain)
    assert plain.below("a.png") == ended.below("a.png")


@pytest.mark.parametrize(
    ("text", "name", "parent"),
    [
        ("https://artwork.test/designs/a.png?b", "a.png", "https://artwork.test/designs"),
        ("https://artwork.test/designs/", "designs", "https://artwork.test/"),
        ("https://artwork.test/a.png", "a.png", "https://artwork.test/"),
        ("https://artwork.test", "", "https://artwork.test/"),
        ("sftp://shop@files.lan/in/a.png", "a.png", "sftp://shop@files.lan/in"),
        ("s3://bucket/in/a.png", "a.png", "s3://bucket/in"),
    ],
)
def test_an_address_has_a_name_and_a_parent(text: str, name: str, parent: str) -> None:
    address = parse_address(text)
    assert (address.name, address.parent.url) == (name, parent)


def test_a_path_is_no_url() -> None:
    assert is_url("https://artwork.test/a.png")
    assert not is_url("C:/designs/a.png")
    assert not is_url("designs/a:b//c.png")
