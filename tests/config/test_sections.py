"""A section job in the pipeline file: what is read of it, and the words for what is wrong, each at its line and key."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.errors import ConfigurationError
from config.loader import load_pipeline
from config.sections import (
    ByCount,
    ByOutline,
    ChosenSection,
    GeminiAnalyzer,
    LocalAnalyzer,
    SectionsJob,
    SectionsOutput,
)

SOUND: dict[str, Any] = {
    "kind": "sections",
    "name": "lessons",
    "document": "lessons.pdf",
    "sections": {"every": 7},
    "output": {"to": "out"},
}
GEMINI = {"kind": "gemini", "model": "m", "api_key": "AIza-canary"}
EXAMPLE = Path(__file__).parents[2] / "config" / "examples" / "sections.yaml"


def text_of(**keys: Any) -> str:
    """Return a pipeline file with the sound job and these keys; a key that is `...` is left out."""
    job = {key: value for key, value in {**SOUND, **keys}.items() if value is not ...}
    return yaml.safe_dump({"version": 1, "name": "shop", "jobs": [job]}, sort_keys=False)


def load(folder: Path, **keys: Any) -> SectionsJob:
    file = folder / "p.yaml"
    file.write_text(text_of(**keys), encoding="utf-8")
    (job,) = load_pipeline(file, {}).jobs
    assert isinstance(job, SectionsJob)
    return job


def complaints(folder: Path, **keys: Any) -> list[str]:
    """Return the problems that are told, the folder left out."""
    with pytest.raises(ConfigurationError) as caught:
        load(folder, **keys)
    assert caught.value.remedy == "See docs/pipeline-file.md."
    return caught.value.message.replace(f"{folder}/", "").splitlines()


def complaint(folder: Path, **keys: Any) -> str:
    """Return the one problem that is told, without its place in the file."""
    (line,) = complaints(folder, **keys)
    return line.partition(": ")[2]


# What is read


def test_a_job_needs_a_document_its_sections_and_a_place(tmp_path: Path) -> None:
    job = load(tmp_path)
    assert (job.document, job.sections, job.output.to) == ("lessons.pdf", ByCount(every=7), "out")
    assert (job.analyzer, job.pages, job.delay_s, job.workers) == (LocalAnalyzer(kind="local"), None, 0.1, 1)
    assert (job.limits.timeout_s, job.limits.memory, job.limits.attempts) == (600.0, "1GB", 3)
    assert (job.collect_garbage, job.needs_database, job.designs) == (True, False, job.documents)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"every": 1}, ByCount(every=1)),
        ({"outline": True}, ByOutline(outline=True, depth=1)),
        ({"outline": True, "depth": 2}, ByOutline(outline=True, depth=2)),
        ([{"title": "All", "pages": "1-"}], (ChosenSection(title="All", pages="1-"),)),
        ([{"title": "Seven", "pages": 7}], (ChosenSection(title="Seven", pages="7"),)),
        ([{"title": "To four", "pages": -4}], (ChosenSection(title="To four", pages="-4"),)),
    ],
)
def test_sections_are_said_in_three_ways(tmp_path: Path, said: Any, meant: object) -> None:
    assert load(tmp_path, sections=said).sections == meant


def test_many_documents_are_named_by_a_pattern(tmp_path: Path) -> None:
    job = load(tmp_path, document=..., documents={"glob": "*.pdf", "root": "in"})
    assert (job.document, job.documents.glob, job.documents.root) == (None, "*.pdf", "in")


def test_the_example_that_is_shipped_is_sound() -> None:
    (job,) = load_pipeline(EXAMPLE, {}).jobs
    assert isinstance(job, SectionsJob)


@pytest.mark.parametrize(
    "secret", [{"password": "canary"}, {"analyzer": {"kind": "gemini", "model": "m", "api_key": "canary"}}]
)
def test_no_secret_stands_in_the_repr(tmp_path: Path, secret: dict[str, Any]) -> None:
    assert "canary" not in repr(load(tmp_path, **secret))


# What is wrong, and where: the line is that of the key, or of what should have held it


@pytest.mark.parametrize(
    ("pages", "why"),
    [
        ("0", "pages are counted from 1"),
        ("a", "write page ranges such as 1-7 or 3,5,9-"),
        ("1--3", "write page ranges such as 1-7 or 3,5,9-"),
        ("", "write page ranges such as 1-7 or 3,5,9-"),
        (None, "has no value; give it one, or remove the key"),
        (True, "must be text in quotes or a whole number"),
        (3.5, "must be text in quotes or a whole number"),
        ([1, 2], "must be text in quotes or a whole number"),
    ],
)
def test_bad_pages_are_named_with_their_line(tmp_path: Path, pages: object, why: str) -> None:
    sections = [{"title": "First", "pages": "1-7"}, {"title": "Second", "pages": pages}]
    assert complaints(tmp_path, sections=sections) == [f"p.yaml:11: jobs[0].sections[1].pages: {why}"]


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ([], ["jobs[0].sections: must be a list with at least one entry"]),
        (None, ["jobs[0].sections: has no value; give it one, or remove the key"]),
        (["1-7"], ["jobs[0].sections[0]: must be a mapping of keys"]),
        ([{"title": "x"}], ["jobs[0].sections[0].pages: missing; add this key"]),
        ([{"title": "", "pages": 1}], ["jobs[0].sections[0].title: must be not empty"]),
        ([{"title": "x" * 201, "pages": 1}], ["jobs[0].sections[0].title: must be at most 200 characters long"]),
        (
            [{"titel": "x", "pages": 1}],
            [
                "jobs[0].sections[0].title: missing; add this key",
                "jobs[0].sections[0].titel: unknown key; did you mean title?",
            ],
        ),
        ({"every": 0}, ["jobs[0].sections.every: must be at least 1"]),
        ({"every": "7"}, ["jobs[0].sections.every: must be a whole number"]),
        ({"every": 100_001}, ["jobs[0].sections.every: must be at most 100000"]),
        ({"outline": True, "depth": 0}, ["jobs[0].sections.depth: must be at least 1"]),
        ({"outline": True, "depth": 11}, ["jobs[0].sections.depth: must be at most 10"]),
        ({"outline": True, "dept": 2}, ["jobs[0].sections.dept: unknown key; did you mean depth?"]),
    ],
)
def test_bad_sections_are_told_of_once_in_the_words_of_what_was_meant(
    tmp_path: Path, sections: object, told: list[str]
) -> None:
    assert [line.partition(": ")[2] for line in complaints(tmp_path, sections=sections)] == told


@pytest.mark.parametrize("sections", [{}, {"depth": 1}, {"title": "x", "pages": 1}, {"outline": True, "every": 7}])
def test_sections_that_are_said_in_no_way_or_in_two_are_one_problem(tmp_path: Path, sections: object) -> None:
    (line,) = complaints(tmp_path, sections=sections)
    assert line.startswith("p.yaml:7: jobs[0].sections: ")


@pytest.mark.parametrize("sections", [7, "all", {"outline": False}, {"outline": "yes"}, {"evry": 7}])
def test_sections_of_another_kind_are_one_problem(tmp_path: Path, sections: object) -> None:
    (line,) = complaints(tmp_path, sections=sections)
    assert "jobs[0].sections" in line


@pytest.mark.parametrize("keys", [{"documents": {"glob": "*.pdf"}}, {"document": ...}])
def test_either_a_document_or_a_pattern_is_given(tmp_path: Path, keys: dict[str, Any]) -> None:
    assert complaints(tmp_path, **keys) == ["p.yaml:4: jobs[0]: give document, or documents.glob, one of them"]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"analyzer": {"kind": "gemni"}}, "analyzer.kind: must be 'local' or 'gemini' or 'none'"),
        ({"analyzer": {"model": "m"}}, "analyzer.kind: missing; add this key"),
        ({"analyzer": "local"}, "analyzer: must be a mapping of keys"),
        ({"analyzer": {"kind": "gemini", "model": "m"}}, "analyzer.api_key: missing; add this key"),
        ({"analyzer": {"kind": "gemini", "api_key": "canary"}}, "analyzer.model: missing; add this key"),
        ({"analyzer": {**GEMINI, "api_key": 5}}, "analyzer.api_key: must be text in quotes"),
        ({"analyzer": {**GEMINI, "api_key": ""}}, "analyzer.api_key: must be not empty"),
        ({"analyzer": {**GEMINI, "temprature": 1}}, "analyzer.temprature: unknown key; did you mean temperature?"),
        ({"analyzer": {**GEMINI, "temperature": 3}}, "analyzer.temperature: must be at most 2"),
        ({"analyzer": {**GEMINI, "attempts": 0}}, "analyzer.attempts: must be at least 1"),
        ({"delays": 1}, "delays: unknown key; did you mean delay_s?"),
        ({"every": 7}, "every: unknown key here; it belongs to jobs.sections"),
        ({"delay_s": -1}, "delay_s: must be at least 0"),
        ({"delay_s": 3601}, "delay_s: must be at most 3600"),
        ({"delay_s": float("nan")}, "delay_s: must be at most 3600"),
        ({"workers": 0}, "workers: must be at least 1"),
        ({"workers": 257}, "workers: must be at most 256"),
        ({"workers": "many"}, "workers: must be 'auto' or a whole number"),
        ({"password": 5}, "password: must be text in quotes"),
        ({"limits": {"attempts": 21}}, "limits.attempts: must be at most 20"),
        ({"limits": {"timeout_s": 0}}, "limits.timeout_s: must be above 0"),
        ({"pages": {"dpi": 5}}, "pages.dpi: must be at least 10"),
        ({"pages": {"format": "jpg"}}, "pages.format: must be 'png' or 'tiff'"),
        ({"output": {"to": "out", "preveiw": True}}, "output.preveiw: unknown key; did you mean preview?"),
        ({"output": {}}, "output.to: missing; add this key"),
        (
            {"limits": {"memory": "much"}},
            "limits.memory: must be an amount above 0 with its unit, such as 512MB or 2GiB",
        ),
    ],
)
def test_each_mistake_is_told_at_its_own_key(tmp_path: Path, keys: dict[str, Any], told: str) -> None:
    assert complaint(tmp_path, **keys) == f"jobs[0].{told}"


def test_all_that_is_wrong_is_told_at_once_down_the_file(tmp_path: Path) -> None:
    keys = {"sections": [{"title": "x", "pages": "0"}], "workers": 0, "output": {"to": "o", "filename": "{title}"}}
    assert complaints(tmp_path, **keys) == [
        "p.yaml:9: jobs[0].sections[0].pages: pages are counted from 1",
        "p.yaml:12: jobs[0].output.filename: the file name needs {number}, or the sections would overwrite each other",
        "p.yaml:13: jobs[0].workers: must be at least 1",
    ]


@pytest.mark.parametrize(
    "keys",
    [
        {"analyzer": {**GEMINI, "api_key": ["AIza-canary"]}},
        {"analyzer": {**GEMINI, "timeout_s": "AIza-canary"}},
        {"analyzer": {"kind": "AIza-canary"}},
        {"password": ["AIza-canary"]},
        {"sections": [{"title": "x", "pages": "AIza-canary"}]},
        {"sections": "AIza-canary"},
        {"output": {"to": "o", "filename": "{AIza-canary}"}},
    ],
)
def test_no_message_repeats_a_value(tmp_path: Path, keys: dict[str, Any]) -> None:
    assert "canary" not in "\n".join(complaints(tmp_path, **keys))


# Names of files


FIELDS = "the fields of a file name are {number}, {number:03}, {title}, {document} and {job}"
NEEDS_NUMBER = "the file name needs {number}, or the sections would overwrite each other"


def why_not(filename: str) -> str:
    with pytest.raises(ValidationError) as caught:
        SectionsOutput(to="out", filename=filename)
    return str(caught.value.errors()[0]["msg"])


@pytest.mark.parametrize(
    "filename",
    [
        "{number}",
        "{number:03}_{title}",
        "{document}-{number:6}",
        "{job} {title} {number}",
        "{{x}}{number}",
        "Ünï{number}",
    ],
)
def test_file_names_are_made_of_number_title_document_and_job(filename: str) -> None:
    assert SectionsOutput(to="out", filename=filename).filename == filename


@pytest.mark.parametrize(
    ("filename", "why"),
    [
        ("sections", NEEDS_NUMBER),
        ("{title}", NEEDS_NUMBER),
        ("{{number}}", NEEDS_NUMBER),
        ("{number}{part}", FIELDS),
        ("{number}{}", FIELDS),
        ("{number!r}", FIELDS),
        ("{number:07}", FIELDS),
        ("{number:x}", FIELDS),
        ("{number}{title:>99999999}", FIELDS),
        ("{number}{title.__class__}", FIELDS),
        ("a/{number}", "has no /"),
        (".{number}", "begins with no dot"),
        ("a\n{number}", "a file name is short"),
        ("é" * 100 + "{number}", "a file name is short"),
        ("{number}-" * 80, "a file name is short"),
    ],
)
def test_other_file_names_are_refused(filename: str, why: str) -> None:
    assert why in why_not(filename)


@pytest.mark.parametrize("filename", ["{number", "number}{number}", "{number}}"])
def test_a_brace_too_many_is_told_with_a_field_that_there_is(filename: str) -> None:
    assert "a brace is missing or too many" in why_not(filename)
    assert "{part}" not in why_not(filename)


@given(st.text("{}number:title0123!.rdx_", max_size=24))
def test_a_file_name_that_is_taken_tells_numbers_apart(filename: str) -> None:
    try:
        output = SectionsOutput(to="out", filename=filename)
    except ValidationError:
        return
    names = {output.filename.format(number=n, title="t", document="d", job="j") for n in range(1, 1200)}
    assert len(names) == 1199


def test_a_key_of_an_analyser_is_kept_as_it_is(tmp_path: Path) -> None:
    analyzer = load(tmp_path, analyzer=GEMINI).analyzer
    assert isinstance(analyzer, GeminiAnalyzer)
    assert (analyzer.api_key, analyzer.timeout_s, analyzer.attempts) == ("AIza-canary", 120.0, 5)
