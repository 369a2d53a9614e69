"""PDFs taken apart as users do it: which sections there are, what is made of each, and what is said of them."""

import json
from typing import TYPE_CHECKING

import numpy as np
import pikepdf
import pytest
from PIL import Image

from config.errors import ExitCode
from tests.mockups import sha256
from tests.sections import draw_document, lasting, listed_files

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped, unused-ignore]

    from tests.conftest import Shop
    from tests.sections import PdfShop

CHAPTERS: dict[str, int | tuple[int, int]] = {"Before": 1, "Artwork": (2, 0), "Bleed": (3, 1), "Press": 5}


def page_numbers(shop: "PdfShop", name: str) -> list[int]:
    """Return which pages of the document a text file holds, by what stands on them."""
    text = (shop.out / name).read_text("utf-8")
    return [int(page.split("This is page ")[1].split()[0]) for page in text.split("\f") if page.strip()]


@pytest.mark.parametrize(
    ("sections", "titles", "pages"),
    [
        ({"every": 4}, ["Pages 1-4", "Pages 5-7"], ["1-4", "5-7"]),
        ({"every": 3}, ["Pages 1-3", "Pages 4-6", "Page 7"], ["1-3", "4-6", "7"]),
        ({"outline": True}, ["Before", "Artwork", "Press"], ["1", "2-4", "5-7"]),
        ({"outline": True, "depth": 2}, ["Before", "Artwork", "Bleed", "Press"], ["1", "2", "3-4", "5-7"]),
        (
            [{"title": "Über A/B", "pages": "3,5-"}, {"title": "back", "pages": "4,2"}, {"title": "one", "pages": 4}],
            ["Über A/B", "back", "one"],
            ["3,5-7", "4,2", "4"],
        ),
    ],
)
def test_sections_hold_the_pages_that_are_asked_for_in_their_order(
    pdf_shop: "PdfShop", sections: object, titles: list[str], pages: list[str]
) -> None:
    shop = pdf_shop
    shop.document(pages=7, outline=CHAPTERS)
    shop.job["sections"] = sections

    outcome = shop.run()

    assert outcome.exit_code == 0, outcome.text
    assert [(entry["number"], entry["title"], entry["pages"]) for entry in shop.sections] == list(
        zip(range(1, len(titles) + 1), titles, pages, strict=True)
    )
    for entry in shop.sections:
        pdf, text, preview = listed_files(entry)
        expected = [
            number
            for span in entry["pages"].split(",")
            for number in range(int(span.split("-")[0]), int(span.split("-")[-1]) + 1)
        ]
        with pikepdf.open(shop.out / pdf) as cut:
            assert len(cut.pages) == entry["page_count"] == len(expected)
        assert page_numbers(shop, text) == expected
        with Image.open(shop.out / preview) as image:
            assert max(image.size) == 480
        assert entry["title"] in shop.summary
    assert shop.verify().exit_code == 0


@pytest.mark.parametrize("workers", [1, "auto"])
def test_what_sections_json_says_is_complete_and_true(pdf_shop: "PdfShop", workers: object) -> None:
    shop = pdf_shop
    document = shop.document(pages=6, outline=CHAPTERS)
    shop.job |= {"workers": workers, "sections": {"every": 1}, "pages": {"dpi": 50}}

    outcome = shop.run()

    assert (outcome.exit_code, outcome.stderr) == (0, "")
    said = shop.manifest
    assert (said["kind"], said["job"], said["gaps"]) == ("sections", "job", "")
    assert said["started_at"] <= said["finished_at"]
    assert (
        said["document"]
        | {
            "file": "lessons.pdf",
            "sha256": sha256(document),
            "bytes": document.stat().st_size,
            "pages": 6,
            "encrypted": False,
        }
        == said["document"]
    )
    assert list(said["document"]["repairs"]) == []
    assert said["totals"] == {"sections": 6, "made": 6, "unchanged": 0, "failed": 0}
    assert said["images"] == {"dpi": 50, "format": "png", "background": "white"}
    assert said["analyzer"] == {"kind": "local"}
    assert [entry["number"] for entry in said["sections"]] == list(range(1, 7))
    assert {file["file"]: file["sha256"] for entry in said["sections"] for file in entry["files"]} == shop.hashes()
    assert sorted(said["planned"]) == sorted([*shop.files(), "sections.html"])
    for entry in said["sections"]:
        assert entry["error"] is None
        assert entry["attempts"] == 1
        assert 0 < entry["seconds"] < said["seconds"]["total"]
        assert 10e6 < entry["peak_bytes"] <= said["memory"]["peak_bytes"]
        assert [file["kind"] for file in entry["files"]] == ["pdf", "text", "preview", "page"]
        assert all((shop.out / file["file"]).stat().st_size == file["bytes"] for file in entry["files"])
        (page,) = (file for file in entry["files"] if file["kind"] == "page")
        assert (page["page"], page["width_px"], page["height_px"]) == (entry["number"], 100, 139)
        assert entry["analysis"]["kind"] == "local"
        assert entry["analysis"]["words"] == 4
        assert [page["page"] for page in entry["analysis"]["pages"]] == [entry["number"]]
    assert shop.leftovers() == []


def test_workers_change_nothing_of_what_is_made(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    shop.document(pages=6)
    shop.job |= {"sections": {"every": 1}, "collect_garbage": False}
    assert shop.run().exit_code == 0
    alone, entries = shop.hashes(), lasting(shop.sections)

    assert shop.run("--out", shop.folder / "together", "--set", "jobs.job.workers=3").exit_code == 0

    shop.output(to="together")
    together = json.loads((shop.folder / "together/sections.json").read_text())
    assert lasting(together["sections"]) == entries
    assert {name: sha256(shop.folder / "together" / name) for name in alone} == alone


@pytest.mark.parametrize(("form", "suffix"), [("png", ".png"), ("tiff", ".tif")])
def test_pages_as_images_show_the_pages(pdf_shop: "PdfShop", form: str, suffix: str) -> None:
    shop = pdf_shop
    shop.document(pages=2)
    shop.job |= {"sections": {"every": 2}, "pages": {"dpi": 72, "format": form, "background": "transparent"}}

    assert shop.run().exit_code == 0

    names = [f"001_Pages_1-2_p00{page}{suffix}" for page in (1, 2)]
    assert [file["file"] for file in shop.sections[0]["files"] if file["kind"] == "page"] == names
    for page, name in enumerate(names, 1):
        with Image.open(shop.out / name) as image:
            pixels = np.asarray(image.convert("RGBA"))
            assert image.info["dpi"] == pytest.approx((72, 72), abs=0.1)
        assert pixels.shape == (200, 144, 4)
        bar = pixels[151:179, 12 : 12 + page]
        assert np.abs(bar.astype(int) - (51, 102, 204, 255)).max() <= 1
        assert (pixels[151:179, 13 + page : 40, 3] == 0).all()


def test_text_preview_and_images_are_only_made_if_asked_for(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    shop.document(pages=2)
    shop.bare()

    assert shop.run().exit_code == 0

    assert shop.files() == ["001_Pages_1-2.pdf"]
    assert shop.sections[0]["analysis"] == {"kind": "none"}


def test_pages_in_no_section_are_told_everywhere(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    shop.document(pages=9)
    shop.job["sections"] = [{"title": "a", "pages": "2-3"}, {"title": "b", "pages": "3-5,8"}]

    checked, planned = shop.run(command="check"), shop.run("--save", shop.folder / "plan.json", command="plan")
    outcome = shop.run()

    words = "4 pages in no section: 1,6-7,9"
    assert [checked.exit_code, planned.exit_code, outcome.exit_code] == [0, 0, 0]
    assert words in checked.text
    assert words in planned.stdout
    assert f"lessons.pdf: {words}" in outcome.messages
    assert shop.manifest["gaps"] == "1,6-7,9"
    assert "Pages in no section: 1,6-7,9" in shop.summary
    (document,) = json.loads((shop.folder / "plan.json").read_text())["documents"]
    assert (document["gaps"], [section["key"] for section in document["sections"]]) == (
        "1,6-7,9",
        [entry["key"] for entry in shop.sections],
    )


@pytest.mark.parametrize("command", ["run", "plan", "check"])
def test_a_page_that_the_document_does_not_have_is_an_error_that_names_it(pdf_shop: "PdfShop", command: str) -> None:
    shop = pdf_shop
    shop.document(pages=4)
    shop.job["sections"] = [{"title": "a", "pages": "1-2"}, {"title": "The end", "pages": "3,5-7"}]

    outcome = shop.run(command=command)

    assert outcome.exit_code == ExitCode.CONFIGURATION
    reason = "lessons.pdf: page 7 is outside the document, which has 4 pages (sections[1].pages, of The end)"
    assert reason in outcome.text
    assert not shop.out.exists() or shop.files() == []


def test_a_document_without_outline_cannot_be_taken_apart_by_it(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    shop.document(pages=4)
    shop.job["sections"] = {"outline": True}

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.CONFIGURATION
    assert "lessons.pdf: it has no outline to be taken apart by" in outcome.text
    assert "Use sections: {every: N}, or list pages." in outcome.text


def test_of_several_documents_each_has_a_folder(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    for name, pages in (("in/a.pdf", 2), ("in/deep/b.pdf", 3)):
        shop.document(name, pages)
    del shop.job["document"]
    shop.job["documents"] = {"root": "in", "glob": "**/*.pdf"}
    shop.output(filename="{document}-{number}")

    outcome = shop.run()

    assert outcome.exit_code == 0, outcome.text
    assert [name for name in shop.files() if name.endswith(".pdf")] == ["a/a-1.pdf", "deep/b/b-1.pdf", "deep/b/b-2.pdf"]
    assert [shop.manifest_of(folder)["document"]["file"] for folder in ("a", "deep/b")] == ["a.pdf", "deep/b.pdf"]
    assert [shop.verify(folder=folder).exit_code for folder in ("a", "deep/b")] == [0, 0]


def test_the_summary_takes_what_stands_in_a_document_as_text(pdf_shop: "PdfShop") -> None:
    shop = pdf_shop
    shop.document(pages=1, outline={"<script>alert(1)</script>": 1})
    shop.job["sections"] = {"outline": True}

    assert shop.run().exit_code == 0

    assert "<script" not in shop.summary
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shop.summary


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("SECTION_PROCESSING_DELAY_SECONDS", "soon", "set it to seconds, such as 0.1"),
        ("FORCE_GARBAGE_COLLECTION", "perhaps", "set it to true or false"),
        ("ENABLE_MEMORY_EFFICIENT_PROCESSING", "2", "set it to true or false"),
        ("WORKER_TIMEOUT", "-5", "run.deadline: must be a time with its unit"),
    ],
)
def test_a_variable_that_cannot_be_understood_is_named(
    pdf_shop: "PdfShop", variable: str, value: str, words: str
) -> None:
    outcome = pdf_shop.run(**{variable: value})

    assert outcome.exit_code == ExitCode.CONFIGURATION
    assert f"the environment variable {variable}: {words}" in outcome.text


def test_the_environment_counts_over_the_file(pdf_shop: "PdfShop") -> None:
    """The pause of an hour that stands in the file would be waited for."""
    shop = pdf_shop
    shop.document(pages=6)
    shop.bare()
    shop.job |= {"delay_s": 3600, "workers": 1}

    outcome = shop.run(
        SECTION_PROCESSING_DELAY_SECONDS="0",
        FORCE_GARBAGE_COLLECTION="false",
        ENABLE_MEMORY_EFFICIENT_PROCESSING="false",
        WORKER_TIMEOUT="600",
    )

    assert (outcome.exit_code, shop.totals()) == (0, (3, 3, 0, 0))


POSTER_COLOURS = ((200, 30, 40), (20, 160, 60), (30, 60, 220))


def draw_poster(canvas: "Canvas", page: int) -> None:
    """Draw a square in the middle of the page, in the page's colour; the rest has no ink."""
    canvas.setFillColorRGB(*(level / 255 for level in POSTER_COLOURS[page - 1]))
    canvas.rect(18, 18, 36, 36, stroke=0, fill=1)


def test_pages_of_a_pdf_are_artwork_of_a_gang_sheet(shop: "Shop") -> None:
    draw_document(shop.folder / "designs/posters.pdf", 3, size=(72, 72), draw=draw_poster)
    shop.orders([("1", "posters.pdf#page=3", 1), ("2", "posters.pdf#page=1", 2), ("3", "posters.pdf#page=4", 1)])

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.INCOMPLETE, outcome.text
    (rejected,) = shop.manifest["rejected"]
    assert rejected["design"] == "posters.pdf#page=4"
    assert "page 4" in rejected["reason"]
    assert "the PDF has 3" in rejected["reason"]
    (part,) = shop.manifest["parts"]
    sheet = shop.pixels_of(shop.out / part["file"])
    counts = [int((sheet == (*colour, 255)).all(axis=2).sum()) for colour in POSTER_COLOURS]
    assert counts == [2 * 50 * 50, 0, 50 * 50]
    assert int((sheet[..., 3] > 0).sum()) == sum(counts)
    assert shop.verify().exit_code == 0


def test_a_pdf_of_several_pages_is_no_artwork_unless_a_page_is_named(shop: "Shop") -> None:
    draw_document(shop.folder / "designs/posters.pdf", 3, size=(72, 72), draw=draw_poster)
    shop.orders([("1", "posters.pdf", 1)])

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.INCOMPLETE, outcome.text
    assert "3 pages" in shop.manifest["rejected"][0]["reason"]
