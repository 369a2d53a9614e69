"""Documents from servers, and sections on their way to servers: each appears there whole, and sections.json last."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ExitCode
from tests.conftest import REPOSITORY, environment, tilepress
from tests.sections import children_of, draw_document, gone
from tests.servers.sftp import USER
from tests.test_death import wait_for
from tests.test_mockup_delivery import Bucket, Nas, Place

if TYPE_CHECKING:
    from tests.conftest import Outcome
    from tests.sections import PdfShop
    from tests.servers.http import HttpServer
    from tests.servers.s3 import S3Server
    from tests.servers.sftp import SftpServer

PAGES = 6
MADE = sorted(
    f"{number:03}_Pages_{2 * number - 1}-{2 * number}{ending}"
    for number in (1, 2, 3)
    for ending in (".pdf", ".txt", ".preview.png")
)
Source = tuple[str, dict[str, Any], dict[str, str]]  # URL, keys of the pipeline, environment


@pytest.fixture
def document(tmp_path: Path) -> bytes:
    return draw_document(tmp_path / "document.pdf", PAGES).read_bytes()


@pytest.fixture(params=["https", "sftp", "s3"])
def source(request: pytest.FixtureRequest, document: bytes) -> Source:
    """A document on a server."""
    if request.param == "https":
        http: HttpServer = request.getfixturevalue("http_server")
        return http.serve("/in/lessons.pdf", document), {}, {"SSL_CERT_FILE": str(http.ca_file)}
    if request.param == "sftp":
        sftp: SftpServer = request.getfixturevalue("sftp_server")
        (sftp.root / "in").mkdir()
        (sftp.root / "in/lessons.pdf").write_bytes(document)
        access = {"known_hosts": str(sftp.known_hosts), "key_file": str(sftp.key_file), "user": USER}
        return sftp.url("/in/lessons.pdf"), {"storage": {"sftp": access}}, {}
    s3: S3Server = request.getfixturevalue("s3_server")
    s3.put("in/lessons.pdf", document)
    return s3.url("in/lessons.pdf"), {}, s3.environment


def test_a_document_on_a_server_is_taken_apart_and_proven(pdf_shop: "PdfShop", source: Source) -> None:
    shop, (url, keys, variables) = pdf_shop, source
    shop.keys |= keys
    shop.job |= {"document": url, "documents": {"private_hosts": ["localhost", "127.0.0.1"]}}

    outcome = shop.run(**variables)

    assert outcome.exit_code == 0, outcome.text
    assert shop.files() == MADE
    assert shop.manifest["document"]["file"].endswith("/in/lessons.pdf")
    proof = shop.verify("--pipeline", shop.pipeline, "--work", shop.folder, **variables)
    assert (proof.exit_code, proof.stdout) == (0, "3 sections verified: all is as the manifest says\n")
    before = shop.inodes()
    assert shop.run(**variables).exit_code == 0
    assert (shop.inodes(), shop.totals()) == (before, (3, 3, 3, 0))


@pytest.fixture(params=["sftp", "s3"])
def place(request: pytest.FixtureRequest) -> Place:
    server = request.getfixturevalue(f"{request.param}_server")
    return Nas(server) if request.param == "sftp" else Bucket(server)


@pytest.fixture
def far(pdf_shop: "PdfShop", place: Place) -> "PdfShop":
    """Three sections, to be delivered to a server."""
    shop = pdf_shop
    shop.document(pages=PAGES)
    shop.keys.update(place.keys)
    shop.output(to=place.url)
    return shop


def run(shop: "PdfShop", place: Place) -> "Outcome":
    return shop.run(**place.environment)


def manifest(place: Place) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(place.files()["sections.json"])
    return content


def verify(shop: "PdfShop", place: Place) -> "Outcome":
    where = f"{place.url}/sections.json"
    return tilepress("verify", where, "--pipeline", shop.pipeline, "--work", shop.folder, **place.environment)


def test_sections_are_delivered_and_proven_where_they_are(far: "PdfShop", place: Place) -> None:
    outcome = run(far, place)

    assert outcome.exit_code == 0, outcome.text
    assert sorted(place.files()) == sorted([*MADE, "sections.html", "sections.json"])
    assert place.leftovers() == []
    assert manifest(place)["finished_at"] is not None
    proof = verify(far, place)
    assert (proof.exit_code, proof.stdout) == (0, "3 sections verified: all is as the manifest says\n")
    outgoing = far.folder / ".tilepress/store/outgoing"
    assert [path for path in outgoing.rglob("*") if path.suffix in {".pdf", ".txt", ".png"}] == []

    place.put("notes.txt", b"not tilepress's")
    before = place.uploads()
    again = run(far, place)

    assert again.exit_code == 0
    assert "lessons.pdf: 6 pages, 3 sections; 3 are there and unchanged, 0 to be made" in again.messages
    assert {name: place.uploads()[name] for name in MADE} == {name: before[name] for name in MADE}

    far.job["sections"] = {"every": 3}
    (far.folder / ".tilepress").rename(far.folder / "lost")  # what is there is known from its sections.json
    changed = run(far, place)

    assert changed.exit_code == 0
    stems = ("001_Pages_1-3", "002_Pages_4-6")
    expected = [f"{stem}{ending}" for stem in stems for ending in (".pdf", ".txt", ".preview.png")]
    assert sorted(place.files()) == sorted([*expected, "notes.txt", "sections.html", "sections.json"])


def test_sections_json_goes_last(pdf_shop: "PdfShop", s3_server: "S3Server") -> None:
    place = Bucket(s3_server)
    pdf_shop.document(pages=PAGES)
    pdf_shop.output(to=place.url)

    assert run(pdf_shop, place).exit_code == 0

    puts = [request.path.rpartition("/")[2] for request in s3_server.requests if request.method == "PUT"]
    assert set(puts) == {*MADE, "sections.html", "sections.json"}
    assert puts[-2:] == ["sections.html", "sections.json"]


def test_killed_between_deliveries_the_next_run_delivers_the_rest(far: "PdfShop", place: Place) -> None:
    far.document(pages=24)
    far.job["sections"] = {"every": 1}
    far.bare()
    command = [sys.executable, str(REPOSITORY / "cli.py"), "run", str(far.write())]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment(place.environment))
    wait_for(lambda: len(place.files()) >= 5 or process.poll() is not None, "some deliveries")
    children = children_of(process)
    process.kill()
    process.wait()
    wait_for(lambda: gone(children), "the children")
    assert len(place.files()) < 26, "the run was over before it could be killed"
    assert manifest(place)["finished_at"] is None
    before = place.uploads()

    outcome = run(far, place)

    assert outcome.exit_code == 0, outcome.text
    assert len(place.files()) == 24 + 2
    assert place.leftovers() == []
    totals = manifest(place)["totals"]
    assert totals["made"] == 24
    assert totals["unchanged"] >= 1
    kept = [name for name, number in place.uploads().items() if before.get(name) == number]
    assert len(kept) >= totals["unchanged"]


def test_a_changed_file_on_the_server_is_named_and_made_again(far: "PdfShop", place: Place) -> None:
    assert run(far, place).exit_code == 0
    place.put("002_Pages_3-4.pdf", place.files()["001_Pages_1-2.pdf"])

    outcome = verify(far, place)

    assert outcome.exit_code == ExitCode.INCOMPLETE
    problem = "002_Pages_3-4.pdf: the file is not the one that was written: its SHA-256 differs"
    assert f"2. Pages 3-4: {problem}" in outcome.stdout


@pytest.mark.parametrize("how", ["gone", "cut off"])
def test_a_document_that_cannot_be_fetched_is_told(
    pdf_shop: "PdfShop", http_server: "HttpServer", document: bytes, how: str
) -> None:
    serve: dict[str, Callable[[], str]] = {
        "gone": lambda: http_server.serve("/lessons.pdf", status=404),
        "cut off": lambda: http_server.serve("/lessons.pdf", document, cut_after=500),
    }
    url = f"{serve[how]()}?X-Amz-Signature=TOPSECRETSIGNATURE"
    pdf_shop.job |= {"document": url, "documents": {"private_hosts": ["localhost"]}}

    outcome = pdf_shop.run(SSL_CERT_FILE=str(http_server.ca_file))

    assert outcome.exit_code == ExitCode.INCOMPLETE
    assert "lessons.pdf" in outcome.text
    assert "TOPSECRET" not in outcome.text
    assert not pdf_shop.out.exists()
