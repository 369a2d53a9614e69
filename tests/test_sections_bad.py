"""Documents that are not as they should be: each is told of in words, and costs itself, or its section, alone."""

import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image

from config.errors import ExitCode
from tests.sections import draw_document

if TYPE_CHECKING:
    from tests.sections import PdfShop

PASSWORD = "canary-Passw0rt-ü"


@dataclass(frozen=True)
class Bad:
    """A bad document: how it is made at a path, and what is said of it."""

    make: Callable[[Path], object]
    reason: str
    remedy: str = ""


def cut_short(path: Path) -> None:
    draw_document(path, 3)
    path.write_bytes(path.read_bytes()[:60])


def pageless(path: Path) -> None:
    pikepdf.Pdf.new().save(path)


def encrypt(path: Path, pages: int = 3) -> None:
    draw_document(path, pages)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(owner="owner", user=PASSWORD))


def lose_objects(path: Path) -> None:
    """Keep head and tail only: what the tail speaks of is not there."""
    draw_document(path, 3)
    content = path.read_bytes()
    path.write_bytes(content[:15] + content[content.rindex(b"xref\n0") :])


BEYOND = "the PDF is damaged beyond repair: "
AGAIN = "Export the document again."

BAD: dict[str, Bad] = {
    "empty": Bad(lambda path: path.write_bytes(b""), "the file is empty"),
    "a text": Bad(lambda path: path.write_text("Dear Sirs,\n" * 50), "the content is no PDF", "Send a PDF."),
    "a picture": Bad(lambda path: Image.new("RGB", (9, 9)).save(path, "PNG"), "the content is no PDF", "Send a PDF."),
    "cut short": Bad(cut_short, BEYOND, AGAIN),
    "lost objects": Bad(lose_objects, BEYOND, AGAIN),
    "no pages": Bad(pageless, "the PDF has no pages", AGAIN),
    "encrypted": Bad(
        encrypt,
        "the PDF is encrypted, and no password is given for it",
        "Set the job's password from an environment variable: password: ${PDF_PASSWORD}",
    ),
    "a folder": Bad(lambda path: path.mkdir(), "no regular file: lessons.pdf"),
    "missing": Bad(lambda path: None, "not found: lessons.pdf"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_document_that_cannot_be_used_is_told_of_and_nothing_is_written(pdf_shop: "PdfShop", what: str) -> None:
    shop, bad = pdf_shop, BAD[what]
    bad.make(shop.folder / "lessons.pdf")

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.INCOMPLETE
    (line,) = (json.loads(line) for line in outcome.stdout.splitlines())
    told = bad.reason if "lessons.pdf" in bad.reason else f"lessons.pdf: {bad.reason}"
    assert line["message"].startswith(told)
    assert (line["level"], line["document"], line["remedy"]) == ("error", "lessons.pdf", bad.remedy)
    assert outcome.stderr == ""
    assert not shop.out.exists() or (shop.files(), shop.leftovers()) == ([], [])


def test_check_and_plan_tell_the_same(pdf_shop: "PdfShop") -> None:
    encrypt(pdf_shop.folder / "lessons.pdf")

    outcomes = [pdf_shop.run(command=command) for command in ("check", "plan")]

    assert [outcome.exit_code for outcome in outcomes] == [ExitCode.INCOMPLETE] * 2
    assert all(f"lessons.pdf: {BAD['encrypted'].reason}" in outcome.text for outcome in outcomes)


def test_of_several_documents_bad_ones_cost_themselves_alone(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    shop.document("in/a.pdf", 2)
    for number, bad in enumerate(BAD.values()):
        bad.make(shop.folder / f"in/b{number}.pdf")
    shop.document("in/c.pdf", 3)
    del shop.job["document"]
    shop.job["documents"] = {"root": "in", "glob": "*.pdf"}

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.INCOMPLETE
    told = {line.split(":")[0] for line in outcome.messages if re.match(r"b\d\.pdf: ", line)}
    assert told == {f"b{number}.pdf" for number, what in enumerate(BAD) if what not in {"a folder", "missing"}}
    assert {path.parent.name for path in shop.out.rglob("sections.json")} == {"a", "c"}
    assert [shop.manifest_of(name)["totals"]["made"] for name in ("a", "c")] == [1, 2]


@pytest.mark.parametrize("right", [True, False])
def test_a_password_from_the_environment_opens_and_stands_nowhere(pdf_shop: "PdfShop", right: bool) -> None:
    shop = pdf_shop
    encrypt(shop.folder / "lessons.pdf")
    shop.job["password"] = "${PDF_PASSWORD}"
    password = PASSWORD if right else f"{PASSWORD}-not"

    outcome = shop.run(PDF_PASSWORD=password)

    assert outcome.exit_code == (ExitCode.DONE if right else ExitCode.INCOMPLETE)
    assert password not in outcome.text
    assert password.encode() not in shop.everything_written()
    if not right:
        assert "lessons.pdf: the PDF is encrypted, and the password given does not open it" in outcome.messages
        return
    assert shop.manifest["document"]["encrypted"] is True
    with pikepdf.open(shop.out / "001_Pages_1-2.pdf") as cut:
        assert not cut.is_encrypted
    without, given = shop.verify(), shop.verify("--pipeline", shop.pipeline, PDF_PASSWORD=password)
    assert without.exit_code == ExitCode.INCOMPLETE
    assert "lessons.pdf: it is encrypted; give --pipeline, which has its password" in without.text
    assert (given.exit_code, given.stdout) == (0, "2 sections verified: all is as the manifest says\n")
    assert password not in given.text


def test_a_damaged_table_of_contents_is_mended_and_told(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    document = shop.document(pages=4)
    content = document.read_bytes()
    document.write_bytes(re.sub(rb"startxref\s+\d+", b"startxref\n7", content))

    outcome = shop.run()

    assert outcome.exit_code == 0
    (warning,) = (line for line in outcome.messages if line.startswith("lessons.pdf is damaged, and is mended: "))
    (repair, *_) = shop.manifest["document"]["repairs"]
    assert repair in warning
    assert "The document is damaged and was mended: " in shop.summary
    assert str(shop.folder) not in "".join(shop.manifest["document"]["repairs"])
    assert "This is page 4" in (shop.out / "002_Pages_3-4.txt").read_text()
    assert shop.leftovers() == []
    assert shop.verify().exit_code == 0


def test_ten_thousand_pages_are_no_trouble(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    shop.document(pages=10_000)
    shop.job |= {"sections": {"every": 2000}, "analyzer": {"kind": "none"}}

    outcome = shop.run()

    assert outcome.exit_code == 0, outcome.text
    assert [entry["page_count"] for entry in shop.sections] == [2000] * 5
    assert shop.sections[-1]["pages"] == "8001-10000"


def nest(pdf: pikepdf.Pdf) -> None:
    """Nest arrays and dictionaries deeper than any reader's stack."""
    inner: Any = Array([])
    for _ in range(20_000):
        inner = pdf.make_indirect(Array([Dictionary(A=inner)]))
    pdf.pages[1].Deep = inner


def crowd(pdf: pikepdf.Pdf) -> None:
    """Have the second page refer to two hundred thousand objects that nobody needs."""
    pdf.pages[1].Crowd = pdf.make_indirect(Array([pdf.make_indirect(Dictionary(N=n)) for n in range(200_000)]))


def loop(pdf: pikepdf.Pdf) -> None:
    """Have a form draw itself."""
    form = pdf.make_stream(b"/F Do", Dictionary(Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9])))
    form.Resources = Dictionary(XObject=Dictionary(F=form))
    pdf.pages[1].Resources.XObject = Dictionary(F=form)
    pdf.pages[1].contents_add(b"/F Do")


def blow_up(pdf: pikepdf.Pdf) -> None:
    """Have the second page's content unpack to half a gigabyte."""
    packer = zlib.compressobj(1)
    data = b"".join([*(packer.compress(b" " * (1 << 20)) for _ in range(512)), packer.flush()])
    content = pdf.make_stream(zlib.compress(data))
    content.Filter = Array([Name.FlateDecode, Name.FlateDecode])
    pdf.pages[1].Contents = content


def multiply(pdf: pikepdf.Pdf) -> None:
    """Have forms draw ten others ten times each, ten levels deep."""
    form = pdf.make_stream(b"0 0 1 1 re f", Dictionary(Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9])))
    for _ in range(10):
        outer = Dictionary(Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9]))
        outer.Resources = Dictionary(XObject=Dictionary(F=form))
        form = pdf.make_stream(b"/F Do " * 10, outer)
    pdf.pages[1].Resources.XObject = Dictionary(F=form)
    pdf.pages[1].contents_add(b"/F Do")


@pytest.mark.parametrize("spoil", [nest, crowd, loop, blow_up, multiply])
def test_a_bomb_costs_its_section_at_most(pdf_shop: "PdfShop", spoil: Callable[[pikepdf.Pdf], None]) -> None:
    shop = pdf_shop
    document = shop.document(pages=3)
    with pikepdf.open(document, allow_overwriting_input=True) as pdf:
        spoil(pdf)
        pdf.save(document)
    shop.job |= {"sections": {"every": 1}, "limits": {"attempts": 1, "memory": "250MB", "timeout_s": 30}}

    outcome = shop.run()

    assert outcome.exit_code in {ExitCode.DONE, ExitCode.INCOMPLETE}, outcome.text
    assert "a bug in tilepress" not in outcome.text
    assert [entry["number"] for entry in shop.sections] == [1, 2, 3]
    assert set(shop.errors()) <= {2}
    assert all(reason for reason in shop.errors().values())
    assert shop.manifest["memory"]["peak_bytes"] < 450_000_000
    assert shop.leftovers() == []


def test_a_page_larger_than_pdf_can_say_is_drawn_in_its_true_size(pdf_shop: "PdfShop") -> None:
    """Of 14,400 units and more only UserUnit can speak: this page is 400 inches by 8."""
    shop = pdf_shop
    document = shop.document(pages=2, size=(14_400, 288))
    with pikepdf.open(document, allow_overwriting_input=True) as pdf:
        pdf.pages[0].UserUnit = 2
        pdf.save(document, min_version="1.6")
    shop.job |= {"sections": {"every": 1}, "pages": {"dpi": 18}}

    outcome = shop.run()

    assert outcome.exit_code == 0, outcome.text
    sizes = [
        (file["width_px"], file["height_px"])
        for entry in shop.sections
        for file in entry["files"]
        if file["kind"] == "page"
    ]
    assert sizes == [(7200, 144), (3600, 72)]
    with Image.open(shop.out / "001_Page_1_p001.png") as image:
        assert image.size == sizes[0]
        assert np.asarray(image.convert("L"))[:, :100].min() < 200
    first, second = (entry["analysis"]["pages"][0] for entry in shop.sections)
    assert (first["width_in"], first["height_in"]) == (400.0, 8.0)
    assert (second["width_in"], second["height_in"]) == (200.0, 4.0)


def test_a_page_too_large_to_be_drawn_still_gives_its_pdf_and_text(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    shop.document(pages=2)
    shop.job |= {"sections": {"every": 1}, "pages": {"dpi": 72}, "documents": {"max_pixels": 28_799}}

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.INCOMPLETE
    assert shop.totals() == (2, 0, 0, 2)
    reason = "it has 144 × 200 pixels at 72 DPI; at most 28,799 are accepted"
    assert shop.errors() == {1: f"page 1: {reason}", 2: f"page 2: {reason}"}
    assert [[file["kind"] for file in entry["files"]] for entry in shop.sections] == [["pdf", "text", "preview"]] * 2
    shop.job["documents"] = {"max_pixels": 28_800}
    assert shop.run().exit_code == 0
    assert shop.totals() == (2, 2, 0, 0)


def test_a_document_that_is_too_large_is_refused(pdf_shop: "PdfShop") -> None:
    pdf_shop.document(pages=3)
    pdf_shop.job["documents"] = {"max_bytes": "1KB"}

    outcome = pdf_shop.run()

    assert outcome.exit_code == ExitCode.INCOMPLETE
    assert [line.split("; ")[1] for line in outcome.messages] == ["at most 1,000 are accepted"]


def lose_a_page(path: Path) -> None:
    """Break the object of the second page of six."""
    draw_document(path, 6)
    with pikepdf.open(path) as pdf:
        number, generation = pdf.pages[1].obj.objgen
    content = path.read_bytes()
    head = f"{number} {generation} obj".encode()
    assert content.count(b"\n" + head) == 1
    path.write_bytes(content.replace(b"\n" + head, b"\n" + head.replace(b"obj", b"xyz")))


def test_a_page_that_cannot_be_read_is_told_of_and_shifts_no_others_unsaid(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    lose_a_page(shop.folder / "lessons.pdf")
    shop.job["sections"] = {"every": 2}

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.INCOMPLETE
    assert "lessons.pdf: 1 page cannot be read, and will be in no section" in outcome.messages
    assert shop.manifest["document"]["lost_pages"] == 1
    assert shop.manifest["document"]["repairs"][0] == "it says it has 6 pages, and 5 can be read"
    assert shop.run(command="check").exit_code == ExitCode.INCOMPLETE

    shop.job["sections"] = [{"title": "three", "pages": 3}]
    for command in ("check", "plan", "run"):
        assert shop.run(command=command).exit_code == ExitCode.CONFIGURATION
