"""The plan of a document: which pages are whose, what files are called, and a key of all that decides a result."""

import tracemalloc
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.basis import NO_FILE_NAME
from config.errors import ConfigurationError
from config.sections import MAX_TITLE, SectionsJob
from pipeline.sections.planned import PlannedSection
from pipeline.sections.planning import (
    MOST_PAGES,
    SectionsPlan,
    analyzer_settings,
    by_outline,
    describe_gaps,
    plan_sections,
)
from tiles.pdf.values import Bookmark, Survey
from tiles.sinks.sink import PARTIAL

GEMINI = {"kind": "gemini", "model": "m", "api_key": "canary"}
LONGEST_NAME = 255  # bytes, that file systems take


def job_of(**keys: Any) -> SectionsJob:
    output = {"to": "out", **keys.pop("output", {})}
    said = {"kind": "sections", "name": "job", "document": "a.pdf", "sections": {"every": 7}, "output": output}
    return SectionsJob.model_validate({**said, **keys})


def survey(pages: int, *bookmarks: Bookmark) -> Survey:
    return Survey(pages, "", False, bookmarks, ())


def plan(
    count: int = 10, /, *bookmarks: Bookmark, document: str = "a.pdf", sha256: str = "sha", **keys: Any
) -> SectionsPlan:
    """Return the plan of a document with so many pages."""
    return plan_sections(job_of(**keys), survey(count, *bookmarks), sha256, document)


def chosen(*sections: tuple[str, str | int]) -> list[dict[str, Any]]:
    return [{"title": title, "pages": pages} for title, pages in sections]


def pages_of(result: SectionsPlan) -> list[tuple[int, ...]]:
    return [section.pages for section in result.sections]


# By pages


def test_chosen_sections_have_the_pages_that_are_written_in_that_order() -> None:
    result = plan(12, sections=chosen(("A", "1-3"), ("B", "9-,2"), ("C", "3-1"), ("D", 5)))
    assert pages_of(result) == [(1, 2, 3), (9, 10, 11, 12, 2), (3, 2, 1), (5,)]
    assert [(section.number, section.title) for section in result.sections] == [(1, "A"), (2, "B"), (3, "C"), (4, "D")]
    assert result.gaps == (4, 6, 7, 8)


def test_pages_outside_the_document_are_named_with_the_section_that_asks_for_them() -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan(8, sections=chosen(("A", "1-8"), ("B", "5-12")))
    assert caught.value.message == (
        "a.pdf: page 12 is outside the document, which has 8 pages (sections[1].pages, of B)"
    )
    assert caught.value.remedy == "Mend the page range."


# By count


@given(st.integers(1, 300), st.integers(1, 320))
def test_sections_by_count_partition_the_document(count: int, every: int) -> None:
    result = plan(count, sections={"every": every})
    assert [page for pages in pages_of(result) for page in pages] == list(range(1, count + 1))
    assert {len(pages) for pages in pages_of(result)[:-1]} <= {every}
    assert 1 <= len(pages_of(result)[-1]) <= every
    assert result.gaps == ()


def test_sections_by_count_are_called_by_their_pages() -> None:
    assert [section.title for section in plan(7, sections={"every": 3}).sections] == [
        "Pages 1-3",
        "Pages 4-6",
        "Page 7",
    ]


def test_as_many_sections_as_are_bearable_are_made_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.sections.planning.MOST_SECTIONS", 1200)
    assert len(plan(1200, sections={"every": 1}).sections) == 1200
    with pytest.raises(ConfigurationError, match=r"^a\.pdf: 1,201 sections are too many; at most 1,200 are made"):
        plan(1201, sections={"every": 1})


# By outline


PAGES = 30
MARKS = st.lists(st.builds(Bookmark, st.text(max_size=8), st.integers(1, 4), st.integers(1, PAGES)), max_size=12)


@given(MARKS, st.integers(1, 4))
def test_sections_by_outline_begin_on_their_bookmarks_and_leave_out_only_what_is_before_the_first(
    marks: list[Bookmark], depth: int
) -> None:
    asked = [mark for mark in marks if mark.level <= depth]
    assume(asked)
    result = plan(PAGES, *marks, sections={"outline": True, "depth": depth})
    assert [section.pages[0] for section in result.sections] == [mark.page for mark in asked]
    assert result.gaps == tuple(range(1, min(mark.page for mark in asked)))
    starts = {mark.page for mark in asked}
    for section in result.sections:
        assert section.pages == tuple(range(section.pages[0], section.pages[-1] + 1))
        assert not starts & set(section.pages[1:])


def test_a_section_ends_where_the_next_bookmark_is() -> None:
    marks = [Bookmark("A", 1, 2), Bookmark("B", 1, 5), Bookmark("C", 1, 5), Bookmark("D", 1, 9)]
    assert by_outline(marks, 10, "a.pdf") == [("A", (2, 3, 4)), ("B", (5,)), ("C", (5, 6, 7, 8)), ("D", (9, 10))]


def test_bookmarks_that_go_back_and_forth_end_at_the_next_page_that_any_begins_on() -> None:
    marks = [Bookmark("Z", 1, 8), Bookmark("A", 1, 1), Bookmark("M", 1, 4)]
    assert by_outline(marks, 9, "a.pdf") == [("Z", (8, 9)), ("A", (1, 2, 3)), ("M", (4, 5, 6, 7))]


def test_an_outline_that_jumps_to_and_fro_is_refused_before_its_pages_are_counted_out() -> None:
    """Two thousand bookmarks, on the first page and on the second in turns: ten million pages."""
    marks = [Bookmark(f"{number}", 1, 1 + number % 2 * 5000) for number in range(2000)]
    tracemalloc.start()
    try:
        with pytest.raises(ConfigurationError) as caught:
            by_outline(marks, 10_000, "a.pdf")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.message == "a.pdf: its outline jumps to and fro too often"
    assert most < 1_000_000


def test_an_outline_may_jump_as_long_as_its_pages_are_bearable() -> None:
    marks = [Bookmark(f"{number}", 1, 1 + number % 2 * 5000) for number in range(200)]
    assert sum(len(pages) for _, pages in by_outline(marks, 10_000, "a.pdf")) == MOST_PAGES


def test_sections_of_too_many_pages_in_all_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.sections.planning.MOST_PAGES", 20)
    assert len(plan(10, sections=chosen(("A", "1-"), ("B", "1-"))).sections) == 2
    with pytest.raises(ConfigurationError) as caught:
        plan(10, sections=chosen(("A", "1-"), ("B", "1-"), ("C", 1)))
    assert caught.value.message == "a.pdf: the sections have more than 20 pages in all"


def test_only_bookmarks_down_to_the_depth_make_sections() -> None:
    marks = [Bookmark("1", 1, 1), Bookmark("1.1", 2, 3), Bookmark("1.1.1", 3, 4), Bookmark("2", 1, 6)]
    titles = {
        depth: [section.title for section in plan(8, *marks, sections={"outline": True, "depth": depth}).sections]
        for depth in (1, 2, 3)
    }
    assert titles == {1: ["1", "2"], 2: ["1", "1.1", "2"], 3: ["1", "1.1", "1.1.1", "2"]}


@pytest.mark.parametrize("marks", [[], [Bookmark("deeper", 2, 1)]])
def test_without_an_outline_it_says_what_to_do(marks: list[Bookmark]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan(8, *marks, sections={"outline": True})
    assert caught.value.message == "a.pdf: it has no outline to be taken apart by"
    assert caught.value.remedy == "Use sections: {every: N}, or list pages."


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("  1.\tUp\n and\r\x00 away ", "1. Up and away"),
        ("\u202eevil\u200b", "evil"),
        ("\ud800", "Pages 1-8"),
        ("", "Pages 1-8"),
        ("x" * 500, "x" * MAX_TITLE),
        ("x" * 199 + " y", "x" * 199),
    ],
)
def test_a_title_from_a_document_becomes_one_short_line(title: str, shown: str) -> None:
    (section,) = plan(8, Bookmark(title, 1, 1), sections={"outline": True}).sections
    assert section.title == shown


# Gaps


@pytest.mark.parametrize(
    ("gaps", "words"),
    [((), ""), ((5,), "1 page in no section: 5"), ((1, 2, 3, 9), "4 pages in no section: 1-3,9")],
)
def test_gaps_are_told_in_words(gaps: tuple[int, ...], words: str) -> None:
    assert describe_gaps(gaps) == words


# What files are called


def only(title: str, filename: str = "{number:03}_{title}", document: str = "a.pdf") -> PlannedSection:
    (section,) = plan(1, document=document, sections=chosen((title, 1)), output={"filename": filename}).sections
    return section


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("Lesson 1: Curves", "001_Lesson_1_Curves"),
        ("a/b\\c", "001_a_b_c"),
        ("..", "001_section"),
        ("???", "001_section"),
        ("{number} {x}", "001_(number)_(x)"),
        (" _ trailing. _ ", "001_trailing"),
        ("e\u0301t\u00e9", "001_\u00e9t\u00e9"),
        ("Übung\x00\n2", "001_Übung_2"),
    ],
)
def test_a_title_names_a_file_without_what_file_systems_do_not_take(title: str, stem: str) -> None:
    assert only(title).stem == stem


PATTERNS = [
    "{number}", "{number:03}_{title}", "{title}-{number}", "{document}_{number:06}_{title}_{job}", "{number} {title}",
    "{document}.{number}", "{title}" * 20 + "-{number}", "{number}-" * 20,
]  # fmt: skip
CLOSE = ["{title}{number}", "{number}{title}", "{number}5{title}", "{number}{job}{title}", "{number}" * 20]
TITLES = st.text(min_size=1, max_size=MAX_TITLE) | st.text(
    st.characters(min_codepoint=0x10000), min_size=190, max_size=200
)


@given(TITLES, st.sampled_from(PATTERNS), st.text(max_size=100), st.integers(1, 3))
def test_whatever_the_title_its_files_can_be_called_so(title: str, filename: str, document: str, pages: int) -> None:
    job = job_of(sections=chosen((title, f"1-{pages}")), output={"filename": filename}, pages={"format": "tiff"})
    (section,) = plan_sections(job, survey(pages), "sha", f"{document}.pdf").sections
    names = list(section.files(job))
    assert len(set(names)) == len(names) == 3 + pages
    for name in names:
        assert len((name + PARTIAL).encode()) <= LONGEST_NAME
        assert NO_FILE_NAME.search(name) is None
        assert name.isprintable()
        assert Path(name).name == name
        assert name == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize("filename", PATTERNS)
@given(titles=st.lists(st.text("1a_ .", min_size=1, max_size=3), min_size=1, max_size=25))
def test_no_two_sections_have_a_file_in_common(filename: str, titles: list[str]) -> None:
    job = job_of(
        sections=chosen(*((title, "1-2") for title in titles)), output={"filename": filename}, pages={"format": "png"}
    )
    files = [file for section in plan_sections(job, survey(2), "sha", "a.pdf").sections for file in section.files(job)]
    assert len(set(files)) == len(files)


@pytest.mark.parametrize("filename", CLOSE)
@pytest.mark.parametrize(("first", "eleventh"), [("1a", "a"), ("5a", "a"), ("15a", "a"), ("1job", "x"), ("a1", "a")])
def test_nor_where_the_number_stands_close_to_other_digits_unless_that_is_refused(
    filename: str, first: str, eleventh: str
) -> None:
    try:
        job = job_of(
            name="5", sections=chosen(*((title, 1) for title in (first, *"bcdefghij", eleventh, *"lmno", eleventh))),
            output={"filename": filename},
        )  # fmt: skip
    except ValidationError:
        return
    sections = plan_sections(job, survey(1), "sha", "a.pdf").sections
    assert len({section.pdf for section in sections}) == len(sections)


@pytest.mark.parametrize(("first", "second"), [("A", "A"), ("Straße", "STRASSE"), ("é", "É")])
def test_sections_that_would_have_the_same_files_are_refused(
    monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    """Numbers keep names apart; should they ever not, no file is overwritten: on no disk."""
    monkeypatch.setattr("pipeline.sections.planning._stem", lambda job, number, title, document: title)
    with pytest.raises(ConfigurationError) as caught:
        plan(sections=chosen((first, 1), ("B", 2), (second, 3)))
    assert caught.value.message == f"a.pdf: sections 1 and 3 would both be {second}.pdf"


def test_a_document_that_has_no_letter_in_its_name_hides_no_file() -> None:
    assert not only("x", "{document}.{number}", "___.pdf").stem.startswith(".")


@pytest.mark.parametrize(
    ("document", "stem"),
    [
        ("lessons.pdf", "lessons-1"),
        ("folder/two words.PDF", "two_words-1"),
        ("https://artwork.test/in/lessons.pdf?…0123abcd", "lessons-1"),
        ("s3://bucket/in/lessons.v2.pdf", "lessons.v2-1"),
        ("lessons", "lessons-1"),
    ],
)
def test_a_document_names_files_by_its_last_step(document: str, stem: str) -> None:
    assert only("x", "{document}-{number}", document).stem == stem


@pytest.mark.parametrize(
    ("keys", "files"),
    [
        ({}, ["1.pdf", "1.txt", "1.preview.png"]),
        ({"output": {"text": False, "preview": False}}, ["1.pdf"]),
        ({"output": {"text": False}, "pages": {}}, ["1.pdf", "1.preview.png", "1_p001.png", "1_p002.png"]),
        (
            {"output": {"preview": False}, "pages": {"format": "tiff"}},
            ["1.pdf", "1.txt", "1_p001.tif", "1_p002.tif"],
        ),
    ],
)
def test_a_section_has_the_files_that_are_asked_for(keys: dict[str, Any], files: list[str]) -> None:
    keys = {**keys, "output": {"filename": "{number}", **keys.get("output", {})}}
    job = job_of(sections={"every": 2}, **keys)
    (section,) = plan_sections(job, survey(2), "sha", "a.pdf").sections
    assert list(section.files(job)) == files


# Keys


def key(**keys: Any) -> str:
    said = {"sections": chosen(("A", "1-3")), "analyzer": GEMINI, "pages": {"dpi": 200}}
    return plan(**{**said, **keys}).sections[0].key


BASE = key()


@pytest.mark.parametrize(
    "keys",
    [
        {"sha256": "other"},
        {"sections": chosen(("B", "1-3"))},
        {"sections": chosen(("A", "1-4"))},
        {"sections": chosen(("A", "3-1"))},
        {"sections": chosen(("A", "1-2,3,3"))},
        {"output": {"filename": "{number}"}},
        {"output": {"text": False}},
        {"output": {"preview": False}},
        {"name": "renamed", "output": {"filename": "{job}_{number:03}_{title}"}},
        {"document": "b.pdf", "output": {"filename": "{document}_{number}"}},
        {"pages": None},
        {"pages": {"dpi": 201}},
        {"pages": {"dpi": 200, "format": "tiff"}},
        {"pages": {"dpi": 200, "background": "transparent"}},
        {"analyzer": {"kind": "local"}},
        {"analyzer": {"kind": "none"}},
        {"analyzer": {**GEMINI, "model": "other"}},
        {"analyzer": {**GEMINI, "prompt": "Other."}},
        {"analyzer": {**GEMINI, "json_schema": {"type": "object"}}},
        {"analyzer": {**GEMINI, "endpoint": "https://elsewhere.test"}},
        {"analyzer": {**GEMINI, "temperature": 0.0}},
        {"analyzer": {**GEMINI, "max_output_tokens": 9}},
    ],
)
def test_another_input_gives_another_key(keys: dict[str, Any]) -> None:
    keys = dict(keys)
    assert key(**keys) != BASE


def test_the_same_section_under_another_number_has_another_key() -> None:
    twice = plan(sections=chosen(("A", "1-3"), ("A", "1-3")), output={"filename": "{number}"})
    assert len({section.key for section in twice.sections}) == 2


@pytest.mark.parametrize(
    "keys",
    [
        {"analyzer": {**GEMINI, "api_key": "renewed"}},
        {"analyzer": {**GEMINI, "timeout_s": 9.0, "attempts": 9}},
        {"password": "canary"},
        {"output": {"to": "elsewhere"}},
        {"delay_s": 9.0, "workers": 4, "collect_garbage": False},
        {"limits": {"memory": "2GB", "attempts": 9, "timeout_s": 9.0}},
        {"name": "renamed"},
        {"document": "moved.pdf"},
        {"sections": chosen(("A", "1,2,3"))},
        {"sections": chosen(("A", "1-3"), ("B", "4-"))},
    ],
)
def test_what_decides_nothing_does_not_change_the_key(keys: dict[str, Any]) -> None:
    assert key(**keys) == BASE


SCHEMAS = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(
        st.none() | st.booleans() | st.integers(0, 9),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
        max_leaves=4,
    ),
    max_size=2,
)


@given(SCHEMAS, SCHEMAS)
def test_two_forms_of_an_answer_are_two_keys(one: dict[str, object], other: dict[str, object]) -> None:
    assume(repr(one) != repr(other) and one != other)
    first, second = (key(analyzer={**GEMINI, "json_schema": schema}) for schema in (one, other))
    assert first != second


def test_a_form_of_an_answer_in_which_null_may_stand_is_another_one() -> None:
    plain, nullable = ({"enum": ["a"]}, {"enum": ["a"], "default": None})
    assert analyzer_settings(job_of(analyzer={**GEMINI, "json_schema": nullable}))["json_schema"] == nullable
    assert key(analyzer={**GEMINI, "json_schema": plain}) != key(analyzer={**GEMINI, "json_schema": nullable})


@given(st.text(min_size=1))
def test_the_api_key_stands_in_nothing_that_is_written_down(secret: str) -> None:
    settings = analyzer_settings(job_of(analyzer={**GEMINI, "api_key": secret}))
    assert settings == analyzer_settings(job_of(analyzer=GEMINI))
    assert "api_key" not in settings
