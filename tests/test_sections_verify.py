"""Verification of sections: a sound run passes, and each way in which one could be wrong is named."""

import json
import shutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
from PIL import Image

from config.errors import ExitCode
from tests.mockups import sha256

if TYPE_CHECKING:
    from tests.sections import PdfShop

Content = dict[str, Any]  # of sections.json
OTHER_BYTES = "the file is not the one that was written: its SHA-256 differs"
PDF, TEXT, PREVIEW, PAGE = (f"002_Pages_3-4{ending}" for ending in (".pdf", ".txt", ".preview.png", "_p002.png"))


@pytest.fixture(scope="module")
def sound(make_pdf_shop: "Callable[[], PdfShop]") -> "PdfShop":
    """Three sections of six pages, and every page as an image."""
    shop = make_pdf_shop()
    shop.document(pages=7)
    shop.job |= {
        "sections": [{"title": f"Pages {n}-{n + 1}", "pages": f"{n}-{n + 1}"} for n in (1, 3, 5)],
        "pages": {"dpi": 40},
    }
    outcome = shop.run()
    assert outcome.exit_code == 0, outcome.text
    return shop


@pytest.fixture
def finished(sound: "PdfShop", make_pdf_shop: "Callable[[], PdfShop]") -> "PdfShop":
    """The sound run, to be tampered with, in a folder of its own; documents are where they were."""
    shop = make_pdf_shop()
    shutil.copytree(sound.folder, shop.folder, dirs_exist_ok=True)
    content = shop.manifest
    content["documents_root"] = str(shop.folder)
    commit(shop, content)
    return shop


def commit(shop: "PdfShop", content: Content) -> None:
    (shop.out / "sections.json").write_text(json.dumps(content))


def admit(shop: "PdfShop", content: Content, name: str) -> None:
    """Let sections.json state hash and size of a file as it is now."""
    for entry in content["sections"]:
        for file in entry["files"]:
            if file["file"] == name:
                path = shop.out / name
                file.update(sha256=sha256(path), bytes=path.stat().st_size)


def change_pdf(shop: "PdfShop", content: Content) -> None:
    with pikepdf.open(shop.out / PDF, allow_overwriting_input=True) as pdf:
        pdf.pages[1].contents_add(b"0 0 50 50 re f")
        pdf.save(shop.out / PDF)
    admit(shop, content, PDF)


def drop_a_page(shop: "PdfShop", content: Content) -> None:
    with pikepdf.open(shop.out / PDF, allow_overwriting_input=True) as pdf:
        del pdf.pages[1]
        pdf.save(shop.out / PDF)
    admit(shop, content, PDF)


def change_text(shop: "PdfShop", content: Content) -> None:
    path = shop.out / TEXT
    path.write_text(path.read_text("utf-8").replace("page 3", "page 8"), "utf-8")
    admit(shop, content, TEXT)


def repaint(name: str) -> "Callable[[PdfShop, Content], None]":
    def change(shop: "PdfShop", content: Content) -> None:
        with Image.open(shop.out / name) as image:
            picture = image.copy()
        picture.paste(0, (10, 10, 40, 40))
        picture.save(shop.out / name)
        admit(shop, content, name)

    return change


def flip_a_bit(shop: "PdfShop", content: Content) -> None:
    path = shop.out / PDF
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def say(path: str, value: object) -> "Callable[[PdfShop, Content], None]":
    """Return what writes something else into sections.json."""

    def change(shop: "PdfShop", content: Content) -> None:
        *keys, last = path.split(".")
        at = content
        for key in keys:
            at = at[key]
        at[last] = value

    return change


def swap(shop: "PdfShop", content: Content) -> None:
    content["sections"].reverse()


TAMPERED: Mapping[str, tuple[Callable[["PdfShop", Content], object], str]] = {  # and what is said of it
    "sound": (lambda shop, content: None, ""),
    "a changed PDF": (change_pdf, f"2. Pages 3-4: {PDF}: "),
    "a PDF with a page less": (drop_a_page, f"2. Pages 3-4: {PDF}: "),
    "a changed text": (change_text, f"2. Pages 3-4: {TEXT}: it is not the text of its pages"),
    "a changed preview": (repaint(PREVIEW), f"2. Pages 3-4: {PREVIEW}: it is not the picture of its page"),
    "a changed page image": (repaint(PAGE), f"2. Pages 3-4: {PAGE}: it is not the picture of its page"),
    "a damaged file": (flip_a_bit, f"2. Pages 3-4: {PDF}: {OTHER_BYTES}"),
    "a missing file": (
        lambda shop, content: (shop.out / PREVIEW).unlink(),
        f"2. Pages 3-4: {PREVIEW}: the file is missing",
    ),
    "a changed document": (
        lambda shop, content: shop.document(pages=8),
        "lessons.pdf: changed since the run; its sections could not be made again",
    ),
    "a missing document": (
        lambda shop, content: (shop.folder / "lessons.pdf").unlink(),
        "lessons.pdf: not found: lessons.pdf; its sections could not be made again",
    ),
    "a wrong total": (say("totals.made", 4), "totals.made is 4, counted: 3"),
    "a section that is not counted": (say("totals.sections", 2), "totals.sections is 2, counted: 3"),
    "gaps unsaid": (say("gaps", ""), "gaps is empty; pages in no section: 7"),
    "another order": (swap, "the sections are not in their order, or one is listed twice"),
    "an unfinished run": (say("finished_at", None), "the run was not finished: 3 of 3 sections are there"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_is_wrong_is_named(finished: "PdfShop", what: str) -> None:
    shop, (change, expected) = finished, TAMPERED[what]
    content = shop.manifest
    change(shop, content)
    commit(shop, content)

    outcome = shop.verify()

    *problems, last = outcome.stdout.splitlines()
    if not expected:
        assert (outcome.exit_code, problems) == (0, [])
        assert last == "3 sections verified: all is as the manifest says"
        return
    assert outcome.exit_code == ExitCode.INCOMPLETE
    (problem,) = problems
    assert problem.startswith(expected)
    assert last == "3 sections verified: 1 problems"


@pytest.mark.parametrize("damage", ['{"kind": "sections"}', '{"kind": "sections", "sections": 5}', "[", ""])
def test_a_damaged_sections_json_is_no_bug(finished: "PdfShop", damage: str) -> None:
    (finished.out / "sections.json").write_text(damage)

    outcome = finished.verify()

    assert outcome.exit_code == ExitCode.CONFIGURATION
    assert "sections.json" in outcome.text
    assert "Traceback" not in outcome.text


def test_a_section_that_failed_is_no_lie(finished: "PdfShop") -> None:
    shop = finished
    shop.job |= {"sections": {"every": 4}, "pages": {"dpi": 72}, "documents": {"max_pixels": 20}}
    assert shop.run().exit_code == ExitCode.INCOMPLETE

    outcome = shop.verify()

    assert (outcome.exit_code, outcome.stdout) == (0, "2 sections (0 complete) verified: all is as the manifest says\n")
