"""The register of a document: what is kept of a former run, what is entered, and what lies at the place in the end."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ArtworkError
from pipeline.sections.handling import MadeFile
from pipeline.sections.register import MANIFEST, Register, former_entries
from pipeline.sections.summary import SUMMARY
from tests.pipeline.sections.section_parts import Workshop, failed, made, write


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def manifest(shop: Workshop) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((shop.folder / MANIFEST).read_bytes())
    return content


def enter(register: Register, shop: Workshop, *numbers: int) -> None:
    """Make and enter sections, or all that are missing."""
    for section in register.missing():
        if not numbers or section.number in numbers:
            register.add(section, made(section, shop.folder), 1)


def run(shop: Workshop, *numbers: int, finished: bool = True) -> Register:
    """Do what a run does with the register; one that is not finished leaves its journal."""
    with shop.journal() as journal:
        register = shop.register(journal)
        register.clear()
        enter(register, shop, *numbers)
        if finished:
            register.publish(finished=True)
    return register


def missing(shop: Workshop) -> list[int]:
    with shop.journal() as journal:
        return [section.number for section in shop.register(journal).missing()]


# What is entered


def test_a_run_ends_with_its_sections_in_order_a_summary_and_no_journal(shop: Workshop) -> None:
    with shop.journal() as journal:
        register = shop.register(journal)
        register.clear()
        for section in reversed(register.missing()):
            register.add(section, made(section, shop.folder), 2)
        assert register.publish(finished=True) == str(shop.folder / MANIFEST)
        assert register.files() == tuple(str(shop.folder / f"{number}.pdf") for number in (1, 2, 3))
    assert shop.names() == {"1.pdf", "2.pdf", "3.pdf", MANIFEST, SUMMARY}
    content = manifest(shop)
    assert [entry["number"] for entry in content["sections"]] == [1, 2, 3]
    assert content["sections"][0] == {
        "number": 1,
        "title": "Pages 1-2",
        "pages": "1-2",
        "page_count": 2,
        "key": shop.plan.sections[0].key,
        "files": [{"kind": "pdf", "file": "1.pdf", "bytes": 3, "sha256": hashlib.sha256(b"pdf").hexdigest()}],
        "analysis": {"kind": "reader"},
        "error": None,
        "attempts": 2,
        "seconds": 0.5,
        "peak_bytes": 1_000_000,
    }
    assert content["totals"] == {"sections": 3, "made": 3, "unchanged": 0, "failed": 0}
    assert (content["kind"], content["job"], content["document"]["file"]) == ("sections", "job", "lessons.pdf")
    assert content["finished_at"] is not None
    assert content["planned"] == ["1.pdf", "2.pdf", "3.pdf", SUMMARY]


def test_a_section_that_failed_stands_there_with_its_reason_and_is_made_again_next_time(shop: Workshop) -> None:
    with shop.journal() as journal:
        register = shop.register(journal)
        first, second, third = register.missing()
        register.add(first, made(first, shop.folder), 1)
        register.add(second, failed("it is damaged"), 3)
        register.add(third, made(third, shop.folder), 1)
        register.publish(finished=True)
        assert (register.made, register.failed, register.unchanged) == (2, 1, 0)
        assert register.files() == (str(shop.folder / "1.pdf"), str(shop.folder / "3.pdf"))
    entry = manifest(shop)["sections"][1]
    assert (entry["error"], entry["files"], entry["attempts"], entry["analysis"]) == ("it is damaged", [], 3, None)
    assert missing(shop) == [2]


def test_pages_and_sizes_of_images_are_entered(shop: Workshop) -> None:
    shop = replace(shop, keys={"pages": {}})
    with shop.journal() as journal:
        register = shop.register(journal)
        section = register.missing()[0]
        done = made(section, shop.folder)
        image = MadeFile("page", write(shop.folder / section.image(1, "png")), 1, (80, 60))
        register.add(section, replace(done, files=(*done.files, image)), 1)
        entry = journal.find(1)
    assert entry is not None
    assert entry["files"][1].items() >= {"page": 1, "width_px": 80, "height_px": 60}.items()


def test_an_unfinished_run_says_so_and_keeps_its_journal(shop: Workshop) -> None:
    with shop.journal() as journal:
        register = shop.register(journal)
        enter(register, shop, 2)
        register.publish(finished=False)
    assert manifest(shop)["finished_at"] is None
    assert [entry["number"] for entry in manifest(shop)["sections"]] == [2]
    assert ".tilepress.journal" in shop.names()


@pytest.mark.parametrize("sections", [(), (1,), (1, 3), (1, 2, 3)])
def test_sections_json_is_json_however_many_sections_there_are(shop: Workshop, sections: tuple[int, ...]) -> None:
    with shop.journal() as journal:
        register = shop.register(journal)
        if sections:
            enter(register, shop, *sections)
        register.note()
        assert [entry["number"] for entry in manifest(shop)["sections"]] == list(sections)


def test_gaps_are_entered(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, {"sections": [{"title": "A", "pages": "2-3"}]})
    run(shop)
    assert manifest(shop)["gaps"] == "1,4-6"


def test_no_secret_is_written_down(tmp_path: Path) -> None:
    analyzer = {"kind": "gemini", "model": "m", "api_key": "canary"}
    shop = Workshop(tmp_path, {"analyzer": analyzer, "password": "canary"})
    run(shop)
    assert manifest(shop)["analyzer"]["model"] == "m"
    for path in tmp_path.iterdir():
        assert b"canary" not in path.read_bytes()


# What a former run left


def test_what_is_there_and_unchanged_is_not_made_again(shop: Workshop) -> None:
    run(shop)
    register = run(shop)
    assert (register.missing(), register.made, register.unchanged) == ([], 3, 3)
    assert manifest(shop)["totals"] == {"sections": 3, "made": 3, "unchanged": 3, "failed": 0}


@pytest.mark.parametrize("killed_after", [(), (2,), (1, 3)])
def test_a_killed_run_goes_on_right_there(shop: Workshop, killed_after: tuple[int, ...]) -> None:
    with shop.journal() as journal:
        register = shop.register(journal)
        register.clear()
        for section in register.missing():
            if section.number in killed_after:
                register.add(section, made(section, shop.folder), 1)
    assert missing(shop) == [number for number in (1, 2, 3) if number not in killed_after]


def test_half_a_line_of_the_journal_costs_its_section_alone(shop: Workshop) -> None:
    run(shop, finished=False)
    journal = shop.folder / ".tilepress.journal"
    journal.write_bytes(journal.read_bytes()[:-2])
    assert missing(shop) == [3]


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(b"pdg")])
def test_a_file_that_is_gone_or_another_is_made_again(shop: Workshop, harm: Any) -> None:
    run(shop)
    harm(shop.folder / "2.pdf")
    assert missing(shop) == [2]


def test_other_settings_have_everything_made_again_over_what_is_there(shop: Workshop) -> None:
    run(shop)
    other = replace(shop, keys={"analyzer": {"kind": "none"}})
    with other.journal() as journal:
        register = other.register(journal)
        assert [section.number for section in register.missing()] == [1, 2, 3]
        for section in register.missing():
            register.check_place(section)


def test_what_nobody_asks_for_any_more_is_removed_and_nothing_else(shop: Workshop) -> None:
    (shop.folder / "mine.pdf").touch()
    run(shop)
    run(replace(shop, keys={"sections": {"every": 6}}))
    assert shop.names() == {"1.pdf", "mine.pdf", MANIFEST, SUMMARY}


def test_a_file_of_others_costs_its_section_and_is_never_touched(shop: Workshop) -> None:
    (shop.folder / "2.pdf").write_bytes(b"mine")
    with shop.journal() as journal:
        register = shop.register(journal)
        register.clear()
        first, second, _ = register.missing()
        register.check_place(first)
        with pytest.raises(ArtworkError, match="this job did not make"):
            register.check_place(second)
        enter(register, shop, 1, 3)
        register.add(second, failed(), 1)
        register.publish(finished=True)
    assert (shop.folder / "2.pdf").read_bytes() == b"mine"
    assert "2.pdf" not in manifest(shop)["planned"]
    assert missing(shop) == [2]


def test_a_summary_of_others_is_left_alone(shop: Workshop) -> None:
    (shop.folder / SUMMARY).write_text("mine")
    run(shop)
    assert (shop.folder / SUMMARY).read_text() == "mine"
    assert SUMMARY not in manifest(shop)["planned"]


# Whatever stands in a former sections.json


def stated(**changes: Any) -> dict[str, Any]:
    return {"number": 1, "key": "a", "files": [{"file": "1.pdf", "bytes": 3, "sha256": "x"}], "error": None, **changes}


def test_entries_are_known_by_their_keys() -> None:
    listed = [stated(), stated(key="b", files=[])]
    assert former_entries({"sections": listed}) == {"a": listed[0], "b": listed[1]}


@pytest.mark.parametrize("name", ["number", "key", "files", "error"])
def test_an_entry_that_lacks_something_is_not_known(name: str) -> None:
    short = stated()
    del short[name]
    assert former_entries({"sections": [short, stated(key="b")]}).keys() == {"b"}


@pytest.mark.parametrize("name", ["file", "bytes", "sha256"])
def test_an_entry_with_a_file_that_lacks_something_is_not_known(name: str) -> None:
    short = stated()
    del short["files"][0][name]
    assert former_entries({"sections": [short]}) == {}


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries({"number": inner, "key": inner, "files": inner, "error": inner})
        | st.dictionaries(st.sampled_from(["file", "bytes", "sha256"]), inner)
    ),
    max_leaves=10,
)


@given(plain)
def test_whatever_stands_there_is_no_trouble(listed: object) -> None:
    for key in former_entries({"sections": listed}):
        assert isinstance(key, str)


@pytest.mark.parametrize("key", [[], {}, 5, None])
def test_a_key_that_is_no_text_is_not_known(key: object) -> None:
    assert former_entries({"sections": [stated(key=key)]}) == {}


@pytest.mark.parametrize("file", [["1.pdf"], {"a": 1}, 5, None])
def test_a_file_whose_name_is_no_text_costs_nothing(shop: Workshop, file: object) -> None:
    listed = [stated(files=[{"file": file, "bytes": 3, "sha256": "x"}])]
    (shop.folder / MANIFEST).write_text(json.dumps({"job": "job", "kind": "sections", "sections": listed}))
    assert missing(shop) == [1, 2, 3]
