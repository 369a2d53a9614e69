"""Sections where things are not as one would think: folders that two would share, documents that go, short lists."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from config.errors import ExitCode
from tests.conftest import REPOSITORY, environment, tilepress
from tests.sections import draw_document
from tests.servers.gemini import API_KEY
from tests.test_death import wait_for
from tests.test_mockup_delivery import Bucket

if TYPE_CHECKING:
    from tests.sections import PdfShop
    from tests.servers.gemini import GeminiServer
    from tests.servers.s3 import S3Server

KEY = {"GEMINI_API_KEY": API_KEY}


@contextmanager
def under_way(shop: "PdfShop", **extra: str) -> "Iterator[subprocess.Popen[bytes]]":
    """Start a run; it is told to end when the block does, unless it has by then."""
    command = [sys.executable, str(REPOSITORY / "cli.py"), "run", str(shop.write())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(extra))
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def several(shop: "PdfShop", glob: str) -> None:
    shop.job.pop("document", None)
    shop.job["documents"] = {"root": "in", "glob": glob}


# Which documents


def test_documents_that_would_share_a_folder_are_named_before_anything_is_made(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    for name in ("a.pdf", "a.PDF", "b.pdf"):
        shop.document(f"in/{name}", pages=2)
    several(shop, "*")

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.CONFIGURATION
    assert "the results of a.PDF and a.pdf would go to the same folder" in outcome.text
    assert not shop.out.exists()


def test_a_page_of_a_document_is_no_document(pdf_shop: "PdfShop") -> None:
    pdf_shop.document()
    pdf_shop.job["document"] = "lessons.pdf#page=3"

    outcome = pdf_shop.run()

    assert outcome.exit_code == ExitCode.CONFIGURATION
    assert "document: a whole document is taken apart, not a page" in outcome.text


def test_results_of_another_day_below_the_documents_are_not_taken_apart(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    shop.document("in/a.pdf", pages=2)
    several(shop, "**/*.pdf")
    shop.bare()
    shop.output(to="in/monday")
    assert shop.run().exit_code == 0
    shop.output(to="in/tuesday")

    assert shop.run().exit_code == 0

    tuesday = sorted(path.name for path in (shop.folder / "in" / "tuesday").rglob("*.pdf"))
    assert tuesday == ["001_Pages_1-2.pdf"]


def test_a_document_that_is_removed_while_it_is_taken_apart_costs_itself_alone(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    for name in "abc":
        shop.document(f"in/{name}.pdf", pages=12)
    several(shop, "*.pdf")
    shop.bare()
    shop.job |= {"sections": {"every": 1}, "delay_s": 0.1, "collect_garbage": False}

    with under_way(shop) as process:
        begun = shop.out / "b" / "002_Page_2.pdf"
        wait_for(lambda: begun.exists() or process.poll() is not None, "a section of the second document")
        (shop.folder / "in" / "b.pdf").unlink()
        process.wait(timeout=60)

    assert process.returncode == ExitCode.INCOMPLETE
    assert [shop.manifest_of(name)["totals"]["made"] for name in "ac"] == [12, 12]
    reasons = [entry["error"] for entry in shop.manifest_of("b")["sections"]]
    assert reasons[0] is None
    assert set(reasons) == {None, "the document changed while it was read"}


# What lies at the place


def stopped_after_first(shop: "PdfShop", is_there: Callable[[], bool], **extra: str) -> None:
    """Have a run end when its first section is there."""
    shop.job |= {"delay_s": 3600, "collect_garbage": False}
    with under_way(shop, **extra) as process:
        wait_for(lambda: is_there() or process.poll() is not None, "the first section")
        assert process.poll() is None


def test_a_run_that_was_stopped_leaves_nothing_of_another_document(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    shop.document(pages=6)
    assert shop.run().exit_code == 0
    (shop.out / "notes.txt").write_text("mine")
    former = shop.hashes()
    draw_document(shop.folder / "lessons.pdf", 6, draw=lambda canvas, page: canvas.drawString(9, 9, f"new {page}"))
    journal = shop.out / ".tilepress.journal"

    stopped_after_first(shop, lambda: journal.exists() and b"\n" in journal.read_bytes())

    left = shop.hashes()
    assert {name for name in left if name != journal.name} == {
        *(f"001_Pages_1-2{ending}" for ending in (".pdf", ".txt", ".preview.png")), "notes.txt",
    }  # fmt: skip
    assert {name for name in left if left[name] in former.values()} == {"notes.txt"}


def test_nor_does_it_on_a_server(pdf_shop: "PdfShop", s3_server: "S3Server") -> None:
    shop, place = pdf_shop, Bucket(s3_server)
    shop.document(pages=6)
    shop.bare()
    shop.output(to=place.url)
    assert shop.run(**place.environment).exit_code == 0
    former = place.files()
    draw_document(shop.folder / "lessons.pdf", 6, draw=lambda canvas, page: canvas.drawString(9, 9, f"new {page}"))

    stopped_after_first(shop, lambda: place.uploads()["001_Pages_1-2.pdf"] == 2, **place.environment)

    left = place.files()
    assert {name for name in left if name.endswith(".pdf")} <= {"001_Pages_1-2.pdf"}
    assert set(left.values()) & set(former.values()) == set()
    assert json.loads(left["sections.json"])["finished_at"] is None


def test_a_summary_of_someone_elses_is_left_and_told_of(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    shop.document(pages=2)
    shop.out.mkdir()
    (shop.out / "sections.html").write_text("mine")

    outcome = shop.run()

    assert outcome.exit_code == 0
    said = "sections.html is not written: a file of that name lies there that this job did not make"
    assert said in outcome.messages
    assert shop.summary == "mine"
    assert shop.verify().exit_code == 0


def test_a_sections_json_that_was_formatted_anew_costs_time_alone(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    shop.document(pages=4)
    assert shop.run().exit_code == 0
    (shop.out / "sections.json").write_text(json.dumps(shop.manifest, indent=4, sort_keys=True))
    assert shop.verify().exit_code == 0
    before = shop.hashes()

    assert shop.run().exit_code == 0

    assert (shop.totals(), shop.hashes()) == ((2, 2, 0, 0), before)


# Entries that list less than there is


@pytest.fixture(scope="module")
def sound(make_pdf_shop: "Callable[[], PdfShop]") -> "PdfShop":
    shop = make_pdf_shop()
    shop.document(pages=4)
    shop.job["pages"] = {"dpi": 36}
    outcome = shop.run()
    assert outcome.exit_code == 0, outcome.text
    return shop


def without(*kinds: str) -> Callable[[dict[str, Any]], None]:
    def change(entry: dict[str, Any]) -> None:
        entry["files"] = [file for file in entry["files"] if file["kind"] not in kinds]

    return change


def without_the_last(entry: dict[str, Any]) -> None:
    del entry["files"][-1]


def with_one_twice(entry: dict[str, Any]) -> None:
    entry["files"].append(entry["files"][-1])


def with_another_count(entry: dict[str, Any]) -> None:
    entry["page_count"] = 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("pdf", "text", "preview", "page"), "it lists no files; a complete section has pdf, text, preview"),
        (without("pdf"), "it lists text, preview; a complete section has pdf, text, preview"),
        (without("text"), "it lists pdf, preview; a complete section has pdf, text, preview"),
        (without("preview"), "it lists pdf, text; a complete section has pdf, text, preview"),
        (without("page"), "the images listed are not those of its pages"),
        (without_the_last, "the images listed are not those of its pages"),
        (with_one_twice, "the images listed are not those of its pages"),
        (with_another_count, "page_count is 1, counted: 2"),
    ],
    ids=["nothing", "no pdf", "no text", "no preview", "no images", "an image less", "an image twice", "count"],
)
def test_a_section_that_lists_less_than_it_should_is_named(
    sound: "PdfShop", change: Callable[[dict[str, Any]], None], words: str
) -> None:
    path = sound.out / "sections.json"
    before = path.read_bytes()
    content = sound.manifest
    change(content["sections"][1])
    try:
        path.write_text(json.dumps(content))
        outcome = sound.verify()
    finally:
        path.write_bytes(before)

    assert outcome.exit_code == ExitCode.INCOMPLETE
    assert f"2. Pages 3-4: {words}" in outcome.stdout.splitlines()


# Outlines


def test_an_outline_that_is_shown_is_a_pipeline_file_s(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    titles = ["Was kostet ${X}?", 'She said: "no" # ever', "1e3", "Schluß 🖨️"]
    shop.document(pages=8, outline={title: 2 * number + 1 for number, title in enumerate(titles)})

    shown = tilepress("sections", "outline", shop.folder / "lessons.pdf")

    assert (shown.exit_code, shown.stderr) == (0, "")
    shop.job["sections"] = "HERE"
    text = shop.write().read_text("utf-8")
    pasted = "\n".join(f"  {line}" for line in shown.stdout.splitlines())
    shop.pipeline.write_text(text.replace("  sections: HERE", pasted), "utf-8")
    assert len(yaml.safe_load(shop.pipeline.read_text("utf-8"))["jobs"][0]["sections"]) == 4
    plan = tilepress("plan", shop.pipeline)
    assert plan.exit_code == 0, plan.text
    for number, title in enumerate(titles, 1):
        assert f"    {number}. {title}: {2 * number - 1}-{2 * number}" in plan.stdout.splitlines()


# What was uploaded


@pytest.fixture
def asked(pdf_shop: "PdfShop", gemini: "GeminiServer") -> "PdfShop":
    """Two sections about which the service is to be asked."""
    shop = pdf_shop
    gemini.polls = 0
    shop.document("in/a.pdf", pages=4)
    several(shop, "*.pdf")
    shop.job["analyzer"] = {
        "kind": "gemini",
        "model": "gemini-2.5-flash",
        "api_key": "${GEMINI_API_KEY}",
        "endpoint": gemini.url,
        "attempts": 1,
        "timeout_s": 5,
    }
    shop.output(text=False, preview=False)
    return shop


def traces(shop: "PdfShop") -> dict[str, str]:
    """Return what is written down of uploads that may lie there."""
    found: dict[str, str] = {}
    for path in (shop.folder / ".tilepress").rglob("traces/*.json"):
        found |= json.loads(path.read_text())
    return found


def test_uploads_of_a_former_key_are_kept_in_mind_and_told_of(asked: "PdfShop", gemini: "GeminiServer") -> None:
    shop = asked
    gemini.refuse("delete", 400, "not now")
    assert shop.run(**KEY).exit_code == 0
    left = traces(shop)
    assert len(left) == len(gemini.files) == 2
    gemini.mend()
    former, calls = dict(shop.job["analyzer"]), len(gemini.calls)
    shop.job["analyzer"] = {"kind": "none"}

    other = shop.run()

    assert other.exit_code == 0
    (told,) = {message for message in other.messages if "may still lie there" in message}
    assert told.startswith("2 uploads of another account may still lie there: ")
    assert (traces(shop), len(gemini.calls)) == (left, calls)
    shop.job["analyzer"] = former
    assert shop.run(**KEY).exit_code == 0
    assert (traces(shop), gemini.files) == ({}, {})


def test_a_job_that_uploads_is_run_once_at_a_time(asked: "PdfShop", gemini: "GeminiServer") -> None:
    """Also where the documents are others: one run would remove what the other is asking about."""
    shop = asked
    shop.document("in/b.pdf", pages=4)
    shop.job["delay_s"] = 3600
    several(shop, "a.pdf")
    with under_way(shop, **KEY) as process:
        wait_for(lambda: gemini.count("generate") or process.poll() is not None, "the first answer")
        several(shop, "b.pdf")

        second = shop.run(**KEY)

    assert second.exit_code == ExitCode.LOCKED
    assert "another run of the job is at work" in second.text
    assert not (shop.out / "b").exists()
