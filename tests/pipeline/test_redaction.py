"""Secrets are struck out wherever they stand and however they are written; what is none is left to be read."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.redaction import STRUCK_OUT, Redactor, redactor

if TYPE_CHECKING:
    from tests.conftest import Outcome, Shop

SECRET = "Pa ss/w0rd@'\"\\"  # with what one way or other of writing it changes

secrets = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs", "Z", "Cc"]), min_size=6, max_size=30)
texts = st.text(max_size=30)


def knowing(*values: str) -> Redactor:
    hidden = Redactor({})
    hidden.hide(*values)
    return hidden


# -- by value --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "write",
    [
        str,
        quote,
        quote_plus,
        lambda text: quote(text, safe=""),
        lambda text: quote(text, safe=" +@/"),
        lambda text: quote(text).lower().replace("pa", "Pa"),
        repr,
        json.dumps,
        lambda text: json.dumps(text, ensure_ascii=False),
        lambda text: f"key{text}and so on",
    ],
)
def test_a_secret_is_found_however_it_is_written(write: Callable[[str], str]) -> None:
    cleaned = knowing(SECRET).clean(f"before {write(SECRET)} after")
    assert STRUCK_OUT in cleaned
    assert "w0rd" not in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")


@given(secret=secrets, before=texts, after=texts)
def test_no_secret_is_left_in_a_text(secret: str, before: str, after: str) -> None:
    written = [secret, quote(secret), quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]]
    hidden = knowing(secret)
    if len(secret) == len(secret.strip()) and hidden.clean(f" {secret} ") != f" {secret} ":  # not one that all know
        for text in written:
            assert text not in hidden.clean(f"{before} {text} {after}")


@given(before=texts, after=texts)
def test_what_is_clean_stays_as_it_is(before: str, after: str) -> None:
    hidden = knowing("dragonfly-7", "s3cr3t/value")
    once = hidden.clean(f"{before} sftp://shop:dragonfly-7@nas/in?token=abc {after}")
    assert hidden.clean(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "Part 12/30: 250 copies of 34 designs on 8700×36000 pixels; 123456 copies remain after it",
        "orders.csv:7: the quantity is 0; it must be at least 1",
        "https://example.com:8443/fox.png?size=400&name=monk: not found",
        "sftp://shop@nas:22/in: Host key is not trusted",
        'password authentication failed for user "postgres"',
        "2026-01-01T10:00:00+00:00 layout.effort=thorough",
    ],
)
def test_what_is_no_secret_is_left_to_be_read(text: str) -> None:
    assert knowing("postgres", "secret", "1234", "test", "abc", "", "Fox.png 2").clean(text) == text


@pytest.mark.parametrize("value", ["", "a", "pw123", "12345", "postgres", "Password", "tilepress", "  abc  "])
def test_what_is_short_or_known_to_all_is_not_struck_out_by_itself(value: str) -> None:
    assert knowing(value).clean(f"the {value} stays") == f"the {value} stays"


def test_digits_are_struck_out_only_as_a_whole_number() -> None:
    assert knowing("123456").clean("1123456 B, 123456, 1234567, a123456b") == "1123456 B, ***, 1234567, a***b"


def test_a_short_word_is_struck_out_only_by_itself() -> None:
    hidden = knowing("dragon", "correcthorsebattery")
    assert hidden.clean("dragon dragonfly snapdragon dragon7 xcorrecthorsebatteryx") == (
        "*** dragonfly snapdragon ***7 x***x"
    )


def test_the_longest_secret_counts() -> None:
    assert knowing("hunter", "hunter2-long").clean("hunter2-long") == "***"


def test_every_line_of_a_key_is_struck_out() -> None:
    hidden = knowing("-----BEGIN KEY-----\nMIIEowIBAAKC\nAQEAzDrw5ksT\n-----END KEY-----\n")
    assert hidden.clean("it begins MIIEowIBAAKC, then AQEAzDrw5ksT") == "it begins ***, then ***"


def test_secrets_may_be_told_by_many_threads_at_once() -> None:
    hidden = Redactor({})
    values = [f"secret-{index:03}-value" for index in range(100)]

    def tell(value: str) -> str:
        hidden.hide(value)
        return hidden.clean(value) if value.endswith("0-value") else STRUCK_OUT

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(tell, values)) == {STRUCK_OUT}
    assert hidden.clean(" ".join(values)) == " ".join([STRUCK_OUT] * 100)


# -- from the environment --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD",
        "PGPASSWORD",
        "DB_PASSWD",
        "SSH_PASSPHRASE",
        "MYSQL_PWD",
        "NAS_PASS",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "GH_TOKEN",
        "STRIPE_API_KEY",
        "APIKEY",
        "SIGNING_KEY",
        "SSH_PRIVATE_KEY",
        "REGISTRY_AUTH",
        "GOOGLE_CREDENTIALS",
        "nas_password",
    ],
)
def test_a_variable_whose_name_says_so_holds_a_secret(name: str) -> None:
    assert Redactor({name: "dragonfly-7"}).clean("it is dragonfly-7") == "it is ***"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PWD", "/work/shop"),
        ("OLDPWD", "/work/shop"),
        ("HOME", "/home/shop"),
        ("GIT_AUTHOR_NAME", "Ada Lovelace"),
        ("SSH_AUTH_SOCK", "/tmp/agent.1"),
        ("PGPASSFILE", "/home/shop/.pgpass"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/run/token"),
        ("POSTGRES_HOST_AUTH_METHOD", "scram-sha-256"),
        ("KEYBOARD", "qwertz-de"),
    ],
)
def test_a_variable_that_says_where_a_secret_is_holds_none(name: str, value: str) -> None:
    assert Redactor({name: value}).clean(f"{value}: no such file") == f"{value}: no such file"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://shop:p%40ss%2Fw0rd@db:5432/shop",
        "postgresql+psycopg://shop:p@ss/w0rd@db:5432/shop",
        "sftp://shop:p%40ss%2fw0rd@nas/in",
        "redis://:p%40ss%2Fw0rd@cache",
        "https://h/x?a=1&X-Amz-Signature=p%40ss%2Fw0rd",
    ],
)
def test_the_password_of_a_url_in_any_variable_is_struck_out_alone(url: str) -> None:
    hidden = Redactor({"WHEREVER": url})
    assert hidden.clean("p@ss/w0rd, p%40ss%2Fw0rd, shop, db, nas") == "***, ***, shop, db, nas"


def test_a_url_that_is_told_is_not_hidden_as_a_whole() -> None:
    hidden = Redactor({})
    hidden.hide_within("sqlite:///shop.db", "postgresql://shop:dragonfly-7@db/x", "no url at all")
    assert hidden.clean("sqlite:///shop.db no url at all dragonfly-7 db") == "sqlite:///shop.db no url at all *** db"


def test_the_program_has_one_that_knows_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    redactor.cache_clear()
    monkeypatch.setenv("CANARY_TOKEN", "dragonfly-7")
    try:
        assert redactor() is redactor()
        assert redactor().clean("dragonfly-7") == "***"
    finally:
        redactor.cache_clear()


# -- by where it stands ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("sftp://shop:pw@nas/in is down", "sftp://shop:***@nas/in is down"),
        ("sftp:/shop:pw@nas/in: no such file", "sftp:/shop:***@nas/in: no such file"),
        ("postgresql://u:a@b@h/x, redis://:pw@h", "postgresql://u:***@h/x, redis://:***@h"),
        ("https://h/a?sig=x%2Fy&se=1", "https://h/a?sig=***&se=1"),
        ("https://h/a?X-Amz-Credential=AK&X-Amz-Signature=ab12#x", "https://h/a?X-Amz-Credential=***&X-Amz-Signature=***#x"),
        ("https://h/a?access_token=ab 403", "https://h/a?access_token=*** 403"),
        ("https://h/a?key=k1;AWSAccessKeyId=k2", "https://h/a?key=***;AWSAccessKeyId=***"),
        ("host=db password=pw dbname=x", "host=db password=*** dbname=x"),
        ("{'password': 'pw', 'user': 'me'}", "{'password': ***, 'user': 'me'}"),
        ('{"aws_secret_access_key": "pw"}', '{"aws_secret_access_key": ***}'),
        ("Authorization: Basic dTpwdw== ", "Authorization: ***"),
        ("[(b'Authorization', b'Bearer abc'), (b'Host', b'h')]", "[(b'Authorization', b'***'), (b'Host', b'h')]"),
    ],
)  # fmt: skip
def test_where_it_stands_gives_a_secret_away_whatever_it_is(text: str, cleaned: str) -> None:
    assert Redactor({}).clean(text) == cleaned


# -- in plain data ---------------------------------------------------------------------------------


def test_plain_data_is_cleaned_to_its_depth_and_numbers_stay_numbers() -> None:
    data = {
        "designs": ["a.png", ("dragonfly-7", {"x": "dragonfly-7"})],
        "dragonfly-7": 1,
        "count": 123456,
        "seconds": 1.5,
        "whole": True,
        "none": None,
        "path": Path("in/dragonfly-7"),
        "error": ValueError("dragonfly-7"),
    }
    assert knowing("dragonfly-7", "123456").clean_all(data) == {
        "designs": ["a.png", ["***", {"x": "***"}]],
        "***": 1,
        "count": 123456,
        "seconds": 1.5,
        "whole": True,
        "none": None,
        "path": "in/***",
        "error": "***",
    }


# -- in what a run leaves --------------------------------------------------------------------------

CANARIES = {"DATABASE_PASSWORD": "canary-Db/1", "NAS_TOKEN": "canary-Nas-2", "PGPASSWORD": "canary Pg 3"}


def assert_no_canary(text: str) -> None:
    canaries = {form for secret in CANARIES.values() for form in (secret, quote(secret), quote(secret, safe=""))}
    assert [canary for canary in canaries if canary in text] == []


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_database_out_of_reach_is_named_without_its_password(
    shop: "Shop", tilepress: "Callable[..., Outcome]", log_format: str
) -> None:
    password = quote(CANARIES["DATABASE_PASSWORD"], safe="")
    database = f"postgresql+psycopg://shop:{password}@127.0.0.1:9/x?sslpassword={password}"
    shop.job["orders"] = {"database": "open"}
    shop.write(database="${SHOP_DATABASE}")

    outcome = tilepress("-v", "run", shop.pipeline, "--log-format", log_format, SHOP_DATABASE=database, **CANARIES)

    assert outcome.exit_code == 4
    assert "://shop:***@127.0.0.1:9/x" in outcome.text
    written = [path for path in shop.folder.rglob("*") if path.is_file()]
    assert_no_canary(outcome.text + "".join(path.read_bytes().decode("latin-1") for path in written))


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_orders_and_pipelines_that_hold_a_secret_do_not_spread_it_in_the_log(shop: "Shop", log_format: str) -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 1), (CANARIES["NAS_TOKEN"], f"{CANARIES['PGPASSWORD']}.png", 1)])

    outcome = shop.run("--log-format", log_format, **CANARIES)

    assert outcome.exit_code == 3
    assert "not found: ***.png" in outcome.stdout
    assert_no_canary(outcome.text)


def test_an_error_before_the_log_begins_is_clean_too(shop: "Shop") -> None:
    shop.design("a.png")
    shop.write()
    for arguments in (["--set", f"{CANARIES['NAS_TOKEN']}=1"], ["--job", CANARIES["NAS_TOKEN"]]):
        outcome = shop.run(*arguments, **CANARIES)
        assert outcome.exit_code == 2
        assert STRUCK_OUT in outcome.stderr
        assert_no_canary(outcome.text)


def test_usage_errors_are_clean(tilepress: "Callable[..., Outcome]") -> None:
    assert "No such command '***'" in tilepress(CANARIES["NAS_TOKEN"], **CANARIES).stderr
