"""S3: conditions that spare and protect, uploads that leave nothing, and errors that repeat nothing of the server's."""

import hashlib
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ArtworkError, ConfigurationError, StorageError, TilepressError, TransientError
from pipeline.storage.address import Address
from pipeline.storage.contracts import Patience, S3Access
from pipeline.storage.s3 import PART_BYTES, S3Shelf, S3Source, part_bytes
from tests.servers.s3 import ACCESS_KEY, SECRET_KEY, Request, S3Server

PATIENT = Patience(connect_s=10, read_s=10, total_s=60)
CONTENT = b"artwork" * 1000
TWO_PARTS = np.random.default_rng(0).bytes(PART_BYTES + 1000)
KEY = "out/Part_1.png"


@pytest.fixture
def source(s3_server: S3Server) -> Iterator[S3Source]:
    with closing(S3Source(s3_server.access, PATIENT)) as source:
        yield source


@pytest.fixture
def shelf(s3_server: S3Server) -> Iterator[S3Shelf]:
    with closing(S3Shelf(s3_server.address("out"), s3_server.access, PATIENT)) as shelf:
        yield shelf


def put(shelf: S3Shelf, folder: Path, content: bytes = CONTENT) -> None:
    (folder / "sheet").write_bytes(content)
    shelf.put(folder / "sheet", "Part_1.png", hashlib.sha256(content).hexdigest())


def failing(work: Callable[[], object], kind: type[TilepressError]) -> str:
    """Return the error that the work fails with; no credentials and none of the server's words are in it."""
    with pytest.raises(TilepressError) as caught:
        work()
    assert type(caught.value) is kind, caught.value
    shown = str(caught.value) + repr(caught.value) + "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in (ACCESS_KEY, SECRET_KEY, "canary", "Signature=") if secret in shown], shown
    return str(caught.value)


def test_credentials_and_endpoint_are_found_in_the_environment(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.endpoint)
    s3_server.put("design.png", CONTENT)

    with closing(S3Source(S3Access(), PATIENT)) as source:
        version = source.fetch(s3_server.address("design.png"), tmp_path / "design", len(CONTENT), None)

    assert (tmp_path / "design").read_bytes() == CONTENT
    assert version is not None
    assert version.etag == f'"{hashlib.md5(CONTENT).hexdigest()}"'
    assert version.modified


def test_missing_credentials_are_no_passing_fault(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, source: S3Source, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    error = failing(lambda: source.fetch(s3_server.address("a"), tmp_path / "a", 1, None), StorageError)

    assert "AWS_ACCESS_KEY_ID" in error
    assert s3_server.requests == []


REFUSALS = (
    (500, "InternalError", TransientError, "the server is busy (500 InternalError)"),
    (503, "SlowDown", TransientError, "the server is busy (503 SlowDown)"),
    (429, "TooManyRequests", TransientError, "the server is busy"),
    (400, "RequestTimeout", TransientError, "the server is busy"),
    (403, "InvalidAccessKeyId", StorageError, "the credentials do not count (InvalidAccessKeyId)"),
    (403, "SignatureDoesNotMatch", StorageError, "the credentials do not count (SignatureDoesNotMatch)"),
    (400, "ExpiredToken", StorageError, "the credentials do not count (ExpiredToken)"),
    (404, "NoSuchBucket", StorageError, "there is no bucket shop-"),
    (400, "InvalidRequest", StorageError, "the server refused (400 InvalidRequest)"),
)


def test_what_a_server_answers_becomes_the_fitting_error(
    s3_server: S3Server, shelf: S3Shelf, source: S3Source, tmp_path: Path
) -> None:
    for status, code, kind, says in REFUSALS:
        s3_server.faults.status, s3_server.faults.code, s3_server.faults.of = status, code, "^(PUT|GET)"

        for work in (
            lambda: source.fetch(s3_server.address(KEY), tmp_path / "a", 1, None),
            lambda: shelf.hash("Part_1.png"),
            lambda: put(shelf, tmp_path),
        ):
            assert f"{s3_server.address(KEY)}: {says}" in failing(work, kind)

    assert s3_server.keys() == []


def test_a_busy_server_is_asked_once_and_no_more(s3_server: S3Server, source: S3Source, tmp_path: Path) -> None:
    s3_server.faults.status, s3_server.faults.code = 503, "SlowDown"

    failing(lambda: source.fetch(s3_server.address("a"), tmp_path / "a", 1, None), TransientError)

    assert len(s3_server.requests) == 1


def test_without_permission_to_deliver_it_is_said_which_are_needed(
    s3_server: S3Server, shelf: S3Shelf, tmp_path: Path
) -> None:
    s3_server.faults.status, s3_server.faults.code = 403, "AccessDenied"

    assert "access denied" in failing(lambda: put(shelf, tmp_path), StorageError)
    assert "AbortMultipartUpload" in failing(lambda: shelf.find("Part_1.png"), StorageError)


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [
        ("AccessDenied", 403, "may not be read with these credentials"),
        ("InvalidObjectState", 403, "cannot be read: it is archived"),
        ("NoSuchKey", 404, "not found"),
    ],
)
def test_a_design_that_cannot_be_had_is_its_own_fault(
    s3_server: S3Server, source: S3Source, tmp_path: Path, code: str, status: int, says: str
) -> None:
    s3_server.faults.status, s3_server.faults.code = status, code

    error = failing(lambda: source.fetch(s3_server.address("a.png"), tmp_path / "a", 1, None), ArtworkError)

    assert error == f"{says}: {s3_server.address('a.png')}"


def test_a_bucket_that_does_not_exist_is_said(s3_server: S3Server, source: S3Source, tmp_path: Path) -> None:
    address = Address("s3", "no-such-bucket-at-all", 0, "/a.png")

    error = failing(lambda: source.fetch(address, tmp_path / "a", 1, None), StorageError)

    assert "there is no bucket no-such-bucket-at-all" in error


@pytest.mark.parametrize("key", ["", "folder"])
def test_a_url_of_no_object_is_no_bug(s3_server: S3Server, source: S3Source, tmp_path: Path, key: str) -> None:
    with pytest.raises((ArtworkError, ConfigurationError, StorageError)):
        source.fetch(s3_server.address(key), tmp_path / "a", 1, None)


def test_an_endpoint_that_is_no_url_is_the_settings_fault(s3_server: S3Server, tmp_path: Path) -> None:
    for endpoint in ("nonsense", "http://", "ftp//x"):
        with closing(S3Source(S3Access(endpoint=endpoint), PATIENT)) as source:
            error = failing(lambda: source.fetch(s3_server.address("a"), tmp_path / "a", 1, None), ConfigurationError)
        assert "storage.s3" in error


def test_an_endpoint_that_is_not_there_is_worth_another_try(s3_server: S3Server, tmp_path: Path) -> None:
    with closing(S3Source(S3Access(endpoint="http://no-such-host.invalid"), PATIENT)) as source:
        error = failing(lambda: source.fetch(s3_server.address("a"), tmp_path / "a", 1, None), TransientError)
    assert "cannot be reached" in error


def test_a_design_too_large_is_not_read(s3_server: S3Server, source: S3Source, tmp_path: Path) -> None:
    s3_server.put("large.png", bytes(30_000_000))

    error = failing(lambda: source.fetch(s3_server.address("large.png"), tmp_path / "a", 1000, None), ArtworkError)

    assert "30,000,000 bytes; at most 1,000 are accepted" in error
    assert s3_server.read < 20_000_000
    assert not (tmp_path / "a").exists()


def test_threads_share_a_source(s3_server: S3Server, source: S3Source, tmp_path: Path) -> None:
    for number in range(16):
        s3_server.put(f"{number}.png", bytes([number]) * 100_000)

    def fetch(number: int) -> bytes:
        source.fetch(s3_server.address(f"{number}.png"), tmp_path / f"{number}", 100_000, None)
        return (tmp_path / f"{number}").read_bytes()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(fetch, range(16))) == [bytes([number]) * 100_000 for number in range(16)]


@pytest.mark.parametrize("content", [CONTENT, TWO_PARTS], ids=["small", "parts"])
def test_an_object_is_created_only_where_none_is(
    s3_server: S3Server, shelf: S3Shelf, tmp_path: Path, content: bytes
) -> None:
    put(shelf, tmp_path, content)

    creating = [request for request in s3_server.requests if request.condition == "*"]
    assert [request.path for request in creating] == [f"/{s3_server.bucket}/{KEY}"]
    assert s3_server.uploads() == []


def at_creation(server: S3Server, action: Callable[[], object]) -> None:
    """Have something happen when an object is about to be created."""

    def before(request: Request) -> None:
        if request.condition == "*":
            action()

    server.before = before


@pytest.mark.parametrize("content", [CONTENT, TWO_PARTS], ids=["small", "parts"])
def test_a_key_taken_at_the_last_moment_by_another_file_is_not_overwritten(
    s3_server: S3Server, shelf: S3Shelf, tmp_path: Path, content: bytes
) -> None:
    at_creation(s3_server, lambda: s3_server.put(KEY, b"of somebody else"))

    assert "never overwritten" in failing(lambda: put(shelf, tmp_path, content), StorageError)

    assert s3_server.get(KEY) == b"of somebody else"
    assert s3_server.uploads() == []


@pytest.mark.parametrize("content", [CONTENT, TWO_PARTS], ids=["small", "parts"])
def test_a_key_taken_at_the_last_moment_by_the_same_file_is_fine(
    s3_server: S3Server, shelf: S3Shelf, tmp_path: Path, content: bytes
) -> None:
    at_creation(s3_server, lambda: s3_server.put(KEY, content))

    put(shelf, tmp_path, content)

    assert s3_server.get(KEY) == content
    assert s3_server.uploads() == []


@pytest.mark.parametrize("content", [CONTENT, TWO_PARTS], ids=["small", "parts"])
def test_a_server_that_knows_no_conditions_gets_the_object_if_there_is_none(
    s3_server: S3Server, shelf: S3Shelf, tmp_path: Path, content: bytes
) -> None:
    s3_server.faults.unconditional = True

    put(shelf, tmp_path, content)

    assert s3_server.get(KEY) == content
    assert s3_server.uploads() == []
    at_creation(s3_server, lambda: s3_server.put(KEY, b"of somebody else"))
    shelf.remove("Part_1.png")
    assert "never overwritten" in failing(lambda: put(shelf, tmp_path, content), StorageError)
    assert s3_server.get(KEY) == b"of somebody else"


def test_what_is_damaged_on_its_way_to_the_server_is_taken_back(
    s3_server: S3Server, shelf: S3Shelf, tmp_path: Path
) -> None:
    s3_server.faults.corrupt_uploads = True

    error = failing(lambda: put(shelf, tmp_path, TWO_PARTS), TransientError)

    assert "what was read back is not what was delivered" in error
    assert s3_server.keys() == []


@pytest.mark.parametrize("content", [CONTENT, TWO_PARTS], ids=["small", "parts"])
def test_every_part_is_sent_with_what_the_server_can_verify_it_by(
    s3_server: S3Server, shelf: S3Shelf, tmp_path: Path, content: bytes
) -> None:
    put(shelf, tmp_path, content)

    bodies = [content[start : start + PART_BYTES] for start in range(0, len(content), PART_BYTES)]
    assert sorted(s3_server.proofs) == sorted(hashlib.md5(body).hexdigest() for body in bodies)


def test_an_upload_that_fails_at_its_end_is_aborted(s3_server: S3Server, shelf: S3Shelf, tmp_path: Path) -> None:
    s3_server.faults.status, s3_server.faults.of = 500, "^POST .*uploadId"

    failing(lambda: put(shelf, tmp_path, TWO_PARTS), TransientError)

    assert s3_server.keys() == []
    assert s3_server.uploads() == []


def test_an_error_prevails_over_the_failure_to_clean_up(s3_server: S3Server, shelf: S3Shelf, tmp_path: Path) -> None:
    s3_server.faults.status, s3_server.faults.code = 403, "AccessDenied"
    s3_server.faults.of = "^(POST .*uploadId|DELETE)"

    assert "access denied" in failing(lambda: put(shelf, tmp_path, TWO_PARTS), StorageError)

    assert s3_server.uploads() == [KEY]
    s3_server.heal()
    put(shelf, tmp_path, TWO_PARTS)
    assert s3_server.uploads() == []


def test_uploads_to_other_keys_are_none_of_a_shelfs_business(
    s3_server: S3Server, shelf: S3Shelf, tmp_path: Path
) -> None:
    others = ["Part_1.png", "out/Part_1.png.bak", "out/Part_10.png", "out/sub/Part_1.png"]
    for key in [KEY, *others]:
        s3_server.begin_upload(key)

    put(shelf, tmp_path)

    assert s3_server.uploads() == sorted(others)
    shelf.sweep(("Part_10.png",))
    assert s3_server.uploads() == sorted(set(others) - {"out/Part_10.png"})


@pytest.mark.parametrize("prefix", ["", "out", "out/", "a/b c/ü"])
def test_names_lie_under_the_prefix_whatever_it_ends_with(s3_server: S3Server, tmp_path: Path, prefix: str) -> None:
    with closing(S3Shelf(s3_server.address(prefix), s3_server.access, PATIENT)) as shelf:
        put(shelf, tmp_path)

    assert s3_server.keys() == [f"{prefix.rstrip('/')}/Part_1.png".lstrip("/")]


def test_without_an_endpoint_buckets_are_hosts_of_amazon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of a bucket that has no name Amazon would take, so that nobody is asked."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    with closing(S3Source(S3Access(), replace(PATIENT, connect_s=1))) as source:
        failing(lambda: source.fetch(Address("s3", "no bucket", 0, "/a"), tmp_path / "a", 1, None), ConfigurationError)


@given(st.integers(min_value=0, max_value=5 * 1024**4))
def test_parts_are_neither_too_small_nor_too_many(size: int) -> None:
    length = part_bytes(size)

    assert length >= 5 * 1024**2
    assert -(-size // length) <= 10_000
    assert length == PART_BYTES or (length - 1024**2) * 10_000 < size
