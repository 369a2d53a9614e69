"""Sections made again: what is unchanged stays the very same file, what has changed is made anew, and no more."""

import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from config.errors import ExitCode
from tests.sections import listed_files

if TYPE_CHECKING:
    from tests.sections import PdfShop

Change = Callable[["PdfShop"], object]

SECTIONS: list[dict[str, object]] = [
    {"title": "one", "pages": "1-2"},
    {"title": "two", "pages": "2-4"},
    {"title": "three", "pages": 5},
]
ALL = {1, 2, 3}
STRANGER = "a file of that name lies there that this job did not make"


@pytest.fixture(scope="module")
def finished(make_pdf_shop: "Callable[[], PdfShop]") -> "PdfShop":
    """Three sections of six pages; and a file of someone else's."""
    shop = make_pdf_shop()
    shop.document(pages=6)
    shop.job |= {"sections": SECTIONS, "pages": {"dpi": 36}}
    outcome = shop.run()
    assert outcome.exit_code == 0, outcome.text
    (shop.out / "notes.txt").write_text("not tilepress's")
    return shop


@pytest.fixture
def again(finished: "PdfShop", make_pdf_shop: "Callable[[], PdfShop]") -> "PdfShop":
    """The finished job in another folder, of which nothing has changed."""
    shop = make_pdf_shop()
    shutil.copytree(finished.folder, shop.folder, dirs_exist_ok=True)
    shop.job = {**finished.job, "output": {**finished.job["output"]}}
    return shop


def damage(shop: "PdfShop") -> None:
    path = shop.out / "002_two_p001.png"
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)


def choose(number: int, **keys: object) -> Change:
    """Return what changes a section that is asked for."""
    chosen = [{**section, **(keys if at == number else {})} for at, section in enumerate(SECTIONS, 1)]
    return lambda shop: shop.job.update(sections=chosen)


CHANGES: dict[str, tuple[Change, set[int]]] = {  # and which sections are made again
    "nothing": (lambda shop: None, set()),
    "how it is made, not what": (
        lambda shop: shop.job.update(workers=2, collect_garbage=False, limits={"attempts": 2, "memory": "800MB"}),
        set(),
    ),
    "a page range": (choose(2, pages="3-4"), {2}),
    "a title": (choose(3, title="drei"), {3}),
    "images": (lambda shop: shop.job.update(pages={"dpi": 37}), ALL),
    "the analyser": (lambda shop: shop.job.update(analyzer={"kind": "none"}), ALL),
    "the document": (lambda shop: shop.document(pages=7), ALL),
    "a damaged file": (damage, {2}),
    "a removed file": (lambda shop: (shop.out / "001_one.txt").unlink(), {1}),
    "a lost store": (lambda shop: shutil.rmtree(shop.folder / ".tilepress"), set()),
}


@pytest.mark.parametrize("what", CHANGES)
def test_exactly_what_has_changed_is_made_anew(again: "PdfShop", what: str) -> None:
    shop, (change, expected) = again, CHANGES[what]
    before = shop.inodes()
    change(shop)

    outcome = shop.run()

    assert (outcome.exit_code, outcome.stderr) == (0, "")
    after = shop.inodes()
    made_again = {
        entry["number"]
        for entry in shop.sections
        if any(after[name] != before.get(name) for name in listed_files(entry))
    }
    assert made_again == expected
    assert shop.totals() == (3, 3, 3 - len(expected), 0)
    assert {file["file"]: file["sha256"] for entry in shop.sections for file in entry["files"]} == {
        name: digest for name, digest in shop.hashes().items() if name != "notes.txt"
    }
    assert after["notes.txt"] == before["notes.txt"]


def test_what_is_unchanged_is_said_and_seen_by_plan(again: "PdfShop") -> None:
    planned, outcome = again.run(command="plan"), again.run()

    assert "lessons.pdf: 6 pages, 3 sections, 3 of them there and unchanged" in planned.stdout
    assert "lessons.pdf: 6 pages, 3 sections; 3 are there and unchanged, 0 to be made" in outcome.messages
    assert not [message for message in outcome.messages if message.startswith("Removed")]


def test_what_is_not_asked_for_any_more_is_removed_and_nothing_else(again: "PdfShop") -> None:
    shop = again
    before = shop.inodes()
    shop.job["sections"] = SECTIONS[:2]
    del shop.job["pages"]
    shop.output(text=False)

    outcome = shop.run()

    assert outcome.exit_code == 0
    assert shop.files() == ["001_one.pdf", "001_one.preview.png", "002_two.pdf", "002_two.preview.png", "notes.txt"]
    assert shop.inodes()["notes.txt"] == before["notes.txt"]
    assert shop.verify().exit_code == 0


@pytest.mark.parametrize("lost", [False, True], ids=["a new file", "all, since sections.json is lost"])
def test_what_this_job_did_not_make_is_never_overwritten(again: "PdfShop", lost: bool) -> None:
    shop = again
    if lost:
        (shop.out / "sections.json").unlink()
    else:
        shop.job["sections"] = [*SECTIONS, {"title": "four", "pages": "6"}]
        (shop.out / "004_four.txt").write_text("mine")
    before = shop.inodes()

    for _ in range(2):
        outcome = shop.run()

        assert outcome.exit_code == ExitCode.INCOMPLETE
        assert shop.inodes() == before
        files = {1: "001_one.pdf", 2: "002_two.pdf", 3: "003_three.pdf"} if lost else {4: "004_four.txt"}
        assert shop.errors() == {number: f"{file}: {STRANGER}" for number, file in files.items()}
        assert outcome.messages.count(f"4. four: 004_four.txt: {STRANGER}") == (not lost)
    assert shop.totals()[3] == (3 if lost else 1)

    if not lost:
        (shop.out / "004_four.txt").unlink()
        assert shop.run().exit_code == 0
        assert shop.totals() == (4, 4, 3, 0)


def test_sections_never_go_to_where_documents_lie(again: "PdfShop") -> None:
    again.output(to=".")

    outcome = again.run()

    assert outcome.exit_code == ExitCode.CONFIGURATION
    assert "output.to and the documents' folder are the same" in outcome.text
