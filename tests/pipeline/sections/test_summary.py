"""sections.html: all that is to be known stands there, as text; nothing of a document or an answer is ever markup."""

import json
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sections.summary import MAX_ANSWER, MAX_SHOWN, summary_pieces

HOSTILE = "</p><script>alert('\"1&amp;2\"')</script><img src=x onerror=y>\x00\x1b\u202e\ud800 ]]>--><!--"
CALM = "plain"


def head(text: str = CALM, **keys: Any) -> dict[str, Any]:
    """Return what sections.json says besides its sections, with `text` wherever a text can come from elsewhere."""
    said = {
        "tilepress": "1.0",
        "started_at": "2026-01-01T00:00:00+00:00",
        "finished_at": "2026-01-01T00:01:00+00:00",
        "document": {
            "file": text,
            "title": text,
            "sha256": "0123456789abcdef0123",
            "bytes": 12_000,
            "pages": 10,
            "repairs": [text],
        },
        "gaps": "",
        "totals": {"sections": 1, "made": 1, "unchanged": 0, "failed": 0},
        "seconds": {"total": 1.5},
        "memory": {"peak_bytes": 64_000_000},
    }
    return {**said, **keys}


def page(number: int = 1, **keys: Any) -> dict[str, Any]:
    ink = dict.fromkeys(("covered", "cyan", "magenta", "yellow", "black", "total", "most"), 0.25)
    sizes = {"width_in": 8.5, "height_in": 11.0, "words": 1200, "images": 3, "least_dpi": 96.4}
    return {"page": number, **sizes, "ink": ink, **keys}


def local(text: str = CALM, **keys: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "kind": "local",
        "words": 1234,
        "headings": [{"title": text, "level": 1, "page": 1, "section_page": 1}] * (MAX_SHOWN + 2),
        "pages": [page(1), {"page": 2, "error": text}],
        "fonts": [{"name": text, "type": text, "embedded": False}] * (MAX_SHOWN + 2),
        "findings": [text] * (MAX_SHOWN + 2),
    }
    return {**said, **keys}


def files(name: str = "001_x") -> list[dict[str, Any]]:
    return [
        {"kind": "pdf", "file": f"{name}.pdf"},
        {"kind": "text", "file": f"{name}.txt"},
        {"kind": "preview", "file": f"{name}.preview.png"},
        {"kind": "page", "file": f"{name}_p001.png", "page": 1},
        {"kind": "page", "file": f"{name}_p002.png", "page": 2},
    ]


def entry(text: str = CALM, name: str = "001_x", **keys: Any) -> dict[str, Any]:
    said = {
        "number": 1,
        "title": text,
        "pages": "1-2",
        "page_count": 2,
        "files": files(name),
        "analysis": local(text),
        "error": text,
    }
    return {**said, **keys}


class Page(HTMLParser):
    """The elements of a page, their attributes, and its text; what stands in <style> left out."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.comments: list[str] = []
        self.text = ""
        self._in_style = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._in_style else data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def written(head: dict[str, Any], entries: Iterable[dict[str, Any]] = ()) -> str:
    return "".join(summary_pieces(head, entries))


def shown(head: dict[str, Any], *entries: dict[str, Any]) -> Page:
    return Page(written(head, entries))


# Nothing from elsewhere is markup


GEMINI_ANSWERS: list[Any] = ["text", "json", "list", "key"]


def gemini(text: str, form: str) -> dict[str, Any]:
    answers: dict[str, Any] = {"text": text, "json": {"a": {"b": [text]}}, "list": [text], "key": {text: 1}}
    return {"kind": "gemini", "model": text, "answer": answers[form]}


@pytest.mark.parametrize("form", [None, *GEMINI_ANSWERS])
def test_texts_of_documents_and_answers_are_never_markup(form: str | None) -> None:
    def pages(text: str) -> str:
        keys = {} if form is None else {"analysis": gemini(text, form)}
        return written(
            head(text, gaps=text, tilepress=text, started_at=text),
            [entry(text, text.replace("/", "").replace("\ud800", ""), **keys)],
        )

    calm, hostile = Page(pages(CALM)), Page(pages(HOSTILE))
    assert hostile.tags == calm.tags
    assert [(tag, name) for tag, name, _ in hostile.attributes] == [(tag, name) for tag, name, _ in calm.attributes]
    assert hostile.comments == []
    assert {"script", "iframe", "object", "form", "base"} & set(hostile.tags) == set()
    assert "<script" not in pages(HOSTILE)
    assert pages(HOSTILE).encode()  # no half of a character is left


@given(st.text(max_size=20), st.text(max_size=20).filter(lambda name: "/" not in name))
def test_whatever_the_texts_the_elements_are_the_same(text: str, name: str) -> None:
    name = name.encode("utf-8", "replace").decode()
    one = entry(text, name)
    assert shown(head(text), one).tags == shown(head(CALM if text else ""), entry(CALM if text else "", "x")).tags


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20))
def test_what_is_shown_is_what_was_said(text: str) -> None:
    page = shown(head(text), entry(text, analysis=gemini(text, "text")))
    assert page.text.count(text) >= len([text] * 5)  # title, file, repair, section and answer


# Links


@pytest.mark.parametrize("name", ["001_x", "1 ü#?&%\"'<>", "javascript:alert(1)", "..", "a//b"])
def test_links_lead_to_the_files_and_nowhere_else(name: str) -> None:
    page = shown(head(), entry(name=name))
    expected = [f"{name}.pdf", *(file["file"] for file in files(name) if file["kind"] != "preview")]
    assert [unquote(target) for target in page.values("href")] == expected
    assert [unquote(target) for target in page.values("src")] == [f"{name}.preview.png"]
    for target in (*page.values("href"), *page.values("src")):
        assert not set(target) & set(" #?&\"'<>:")


def test_nothing_is_loaded_from_elsewhere() -> None:
    text = written(head(), [entry()])
    assert "http" not in text
    assert "url(" not in text
    assert "@import" not in text


def test_a_section_without_files_has_no_links() -> None:
    page = shown(head(), entry(files=[], analysis=None))
    assert (page.values("href"), page.values("src"), page.tags.count("section")) == ([], [], 1)


def test_a_preview_without_its_pdf_leads_to_itself() -> None:
    page = shown(head(), entry(files=files()[2:3]))
    assert page.values("href") == ["001_x.preview.png"]


# What is told


def test_the_document_and_the_totals_are_told() -> None:
    totals = {"sections": 7, "made": 5, "unchanged": 3, "failed": 2}
    text = shown(head("Lessons", totals=totals)).text
    for told in ("Lessons", "10 pages", "12,000 bytes", "0123456789abcdef…", "7sections", "5complete", "2not complete"):
        assert told in text
    for told in ("1.5seconds", "64 MBpeak memory"):
        assert told in text


def test_a_document_without_a_title_is_called_by_its_file() -> None:
    document = {**head()["document"], "title": "", "file": "lessons.pdf"}
    assert "<h1>lessons.pdf</h1>" in written(head(document=document))


def test_repairs_gaps_and_a_run_that_is_not_finished_are_told() -> None:
    sound = {**head()["document"], "repairs": []}
    assert 'class="warn"' not in written(head(document=sound))
    damaged = {**sound, "repairs": ["the cross-reference table", "page 3"]}
    text = shown(head(document=damaged, gaps="3-4,9", finished_at=None)).text
    assert "The document is damaged and was mended: the cross-reference table" in text
    assert "The document is damaged and was mended: page 3" in text
    assert "Pages in no section: 3-4,9" in text
    assert "The run that made these is not finished." in text


def test_a_section_that_is_not_complete_says_why() -> None:
    assert "Not complete: the process died" in shown(head(), entry(error="the process died")).text
    assert "Not complete" not in shown(head(), entry(error=None)).text


def test_what_the_local_analyser_found_is_told() -> None:
    text = shown(head(), entry(analysis=local("Found"))).text
    for told in ("1,234 words", "3 images, at least 96 DPI", "8.5×11 in", "Found (Found, not embedded)", "and 2 more"):
        assert told in text
    assert text.count("Found") == 3 * (MAX_SHOWN + 2) + MAX_SHOWN + 2 + 1  # fonts have two, the damaged page one


@pytest.mark.parametrize(
    ("analysis", "told"),
    [
        (local(words=1), "1 word·"),
        (local(pages=[page(images=1)]), "1 image, at least 96 DPI"),
        (local(pages=[page(images=0, least_dpi=None)]), "0 images8.5"),
        (local(fonts=[{"name": "F", "type": "T", "embedded": True}]), "1 fontF (T)"),
    ],
)
def test_one_is_no_plural(analysis: dict[str, Any], told: str) -> None:
    text = shown(head(), entry(analysis=analysis)).text
    assert told.replace("·", "") in text
    assert "1 words" not in text


def test_pages_that_cannot_be_read_cost_no_others() -> None:
    text = shown(head(), entry(analysis=local(pages=[{"page": 1, "error": "torn"}]))).text
    assert "torn" in text
    assert shown(head(), entry(analysis=local(pages=[page(1, least_dpi=None)]))).text.count("–") == 1


def test_an_answer_is_shown_as_it_is_or_as_json_and_cut_when_it_is_long() -> None:
    assert "Two words" in shown(head(), entry(analysis=gemini("Two words", "text"))).text
    assert (
        json.dumps({"a": {"b": ["ü"]}}, indent=1, ensure_ascii=False)
        in shown(head(), entry(analysis=gemini("ü", "json"))).text
    )
    long = shown(head(), entry(title="", error=None, analysis={"kind": "gemini", "model": "m", "answer": "~" * 30_000}))
    assert long.text.count("~") == MAX_ANSWER
    assert "…" in long.text


def test_an_answer_that_is_not_whole_is_told() -> None:
    analysis = {"kind": "gemini", "model": "m", "answer": "It begins", "complete": False, "finish_reason": "MAX_TOKENS"}
    whole = {**analysis, "complete": True, "finish_reason": "STOP"}
    assert shown(head(), entry(analysis=analysis)).text != shown(head(), entry(analysis=whole)).text


@pytest.mark.parametrize("analysis", [None, {}, {"kind": "none"}])
def test_a_section_that_nobody_looked_into_is_shown_all_the_same(analysis: dict[str, Any] | None) -> None:
    page = shown(head(), entry("Alone", error=None, analysis=analysis))
    assert "1. Alone" in page.text
    assert "pre" not in page.tags


def test_a_sections_row_is_written_before_the_next_is_asked_for() -> None:
    asked: list[int] = []

    def entries() -> Iterable[dict[str, Any]]:
        for number in range(1, 4):
            asked.append(number)
            yield entry(number=number)

    seen = [(list(asked), piece) for piece in summary_pieces(head(), entries()) if "<section" in piece]
    assert [before for before, _ in seen] == [[1], [1, 2], [1, 2, 3]]
