"""The register of a document: what is kept of a former run, what is entered, and what lies at the place in the end."""

import hashlib
import json
import logging
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ArtworkError
from pipeline.delivery import FolderOutbox, write_pieces
from pipeline.sections.bindery import MANIFEST
from pipeline.sections.handling import MadeFile
from pipeline.sections.journal import Journal
from pipeline.sections.register import JOURNAL, Register, former_entries, known_entries
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


def test_a_server_hears_now_and_then_with_a_delivery_and_never_when_the_run_is_ended(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ends a run waits for no server, which may hold no manifest in the middle of that."""
    published: list[int] = []
    monkeypatch.setattr(FolderOutbox, "publish", lambda outbox, manifest: published.append(len(list(manifest))))
    monkeypatch.setattr("pipeline.sections.register.PUBLISH_EVERY_S", 0.0)
    monkeypatch.setattr("pipeline.sections.register.NOTE_SHARE", 0.0)
    with shop.journal() as journal:
        register = shop.register(journal)
        register.note()
        assert published == []
        for count, section in enumerate(register.missing(), 1):
            register.add(section, made(section, shop.folder), 1)
            assert len(published) == count
        register.note()
        assert len(published) == 3
    assert len(manifest(shop)["sections"]) == 3


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


def test_nothing_of_former_settings_stays_under_a_name_of_this_run(shop: Workshop) -> None:
    """A run may end before it comes to a section: what lies there then would be taken for what it is called."""
    (shop.folder / "mine.pdf").touch()
    run(shop)
    other = replace(shop, keys={"analyzer": {"kind": "none"}})
    with other.journal() as journal:
        other.register(journal).clear()
    assert shop.names() == {"mine.pdf", MANIFEST, JOURNAL}
    assert manifest(shop)["planned"] == ["1.pdf", "2.pdf", "3.pdf", SUMMARY]


def test_sections_that_stay_are_not_touched(shop: Workshop) -> None:
    run(shop)
    before = {number: (shop.folder / f"{number}.pdf").stat() for number in (1, 3)}
    (shop.folder / "2.pdf").write_bytes(b"pdg")
    with shop.journal() as journal:
        shop.register(journal).clear()
    assert {name for name in shop.names() if name.endswith(".pdf")} == {"1.pdf", "3.pdf"}
    assert {number: (shop.folder / f"{number}.pdf").stat().st_mtime_ns for number in (1, 3)} == {
        number: stat.st_mtime_ns for number, stat in before.items()
    }


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


def test_a_summary_of_others_is_left_alone_and_that_is_told(shop: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    (shop.folder / SUMMARY).write_text("mine")
    with caplog.at_level(logging.WARNING):
        run(shop)
    assert (shop.folder / SUMMARY).read_text() == "mine"
    assert SUMMARY not in manifest(shop)["planned"]
    assert caplog.messages == [f"{SUMMARY} is not written: a file of that name lies there that this job did not make"]


def test_a_summary_of_ones_own_is_nothing_to_tell(shop: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        run(shop)
        run(shop)
    assert caplog.messages == []


# Whatever stands in a former sections.json


def stated(**changes: Any) -> dict[str, Any]:
    return {"number": 1, "key": "a", "files": [{"file": "1.pdf", "bytes": 3, "sha256": "x"}], "error": None, **changes}


def test_entries_are_known_by_their_keys() -> None:
    listed = [stated(), stated(key="b", files=[])]
    assert former_entries(listed) == {"a": listed[0], "b": listed[1]}


def test_no_more_is_known_of_an_entry_than_is_relied_on() -> None:
    assert former_entries(iter([stated(title="A", analysis={"kind": "local"})])) == {"a": stated()}


def test_of_two_entries_the_later_one_counts() -> None:
    assert former_entries([stated(), stated(error="torn")])["a"]["error"] == "torn"


@pytest.mark.parametrize("name", ["number", "key", "files", "error"])
def test_an_entry_that_lacks_something_is_not_known(name: str) -> None:
    short = stated()
    del short[name]
    assert former_entries([short, stated(key="b")]).keys() == {"b"}


@pytest.mark.parametrize("name", ["file", "bytes", "sha256"])
def test_an_entry_with_a_file_that_lacks_something_is_not_known(name: str) -> None:
    short = stated()
    del short["files"][0][name]
    assert former_entries([short]) == {}


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries({"number": inner, "key": inner, "files": inner, "error": inner})
        | st.dictionaries(st.sampled_from(["file", "bytes", "sha256"]), inner)
    ),
    max_leaves=10,
)


@given(st.lists(plain))
def test_whatever_stands_there_is_no_trouble(listed: list[object]) -> None:
    for key in former_entries(listed):
        assert isinstance(key, str)


@pytest.mark.parametrize("key", [[], {}, 5, None])
def test_a_key_that_is_no_text_is_not_known(key: object) -> None:
    assert former_entries([stated(key=key)]) == {}


@pytest.mark.parametrize("file", [["1.pdf"], {"a": 1}, 5, None])
def test_a_file_whose_name_is_no_text_costs_nothing(shop: Workshop, file: object) -> None:
    run(shop)
    content = manifest(shop)
    content["sections"][1]["files"][0]["file"] = file
    write_as_register(shop, content)
    assert missing(shop) == [2]


def write_as_register(shop: Workshop, content: dict[str, Any]) -> None:
    """Write a sections.json as the register does: an entry on each line."""
    head = json.dumps({key: value for key, value in content.items() if key != "sections"}, indent=1)
    lines = ",\n  ".join(json.dumps(entry) for entry in content["sections"])
    (shop.folder / MANIFEST).write_text(f'{head.removesuffix("}").rstrip()},\n "sections": [\n  {lines}\n ]\n}}\n')


def test_sections_json_is_read_as_the_register_wrote_it(shop: Workshop) -> None:
    run(shop)
    written = (shop.folder / MANIFEST).read_bytes()
    write_as_register(shop, manifest(shop))
    assert (shop.folder / MANIFEST).read_bytes() == written
    assert missing(shop) == []


@pytest.mark.parametrize("finished", [True, False])
def test_what_is_read_of_sections_json_are_its_head_and_its_entries(shop: Workshop, finished: bool) -> None:
    with shop.journal() as journal:
        register = shop.register(journal)
        register.clear()
        enter(register, shop)
        register.publish(finished=finished)
    content = manifest(shop)
    entries = [entry for entry in shop.outbox.entries() if isinstance(entry, dict)]
    assert entries == content.pop("sections")
    assert shop.outbox.former() == content


def test_no_entries_yet_is_a_sections_json_too(shop: Workshop) -> None:
    with shop.journal() as journal:
        shop.register(journal).clear()
    assert (shop.outbox.former()["job"], list(known_entries(shop.outbox, Journal(Path("none"))))) == ("job", [])


@pytest.mark.parametrize("form", [{"indent": 1}, {"indent": 2}, {"indent": "\t"}, {}, {"indent": 1, "sort_keys": True}])
def test_a_sections_json_that_another_tool_wrote_anew_costs_time_and_nothing_else(
    shop: Workshop, form: dict[str, Any]
) -> None:
    """Its entries are not known any more; its files are still this job's."""
    run(shop)
    (shop.folder / MANIFEST).write_text(json.dumps(manifest(shop), **form))
    assert (known_entries(shop.outbox, shop.journal()), missing(shop)) == ({}, [1, 2, 3])
    register = run(shop)
    assert (register.made, register.unchanged, register.failed) == (3, 0, 0)
    assert missing(shop) == []


HARMS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut within its head": lambda content: content[:100],
    "cut behind its head": lambda content: content[: content.index(b' "sections": [')],
    "cut before its entries": lambda content: content[: content.index(b"[\n  {") + 2],
    "cut within an entry": lambda content: content[:-200],
    "no UTF-8": lambda content: content.replace(b"Pages 3-4", b"Pages \xff\xfe"),
    "no JSON": lambda content: content.replace(b'"files": [{', b'"files": [}'),
    "other bytes": lambda content: bytes(range(256)) * 20,
    "nothing but lines": lambda content: b"\n" * 2000,
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_garbled_sections_json_costs_what_it_said_and_no_more(shop: Workshop, harm: str) -> None:
    run(shop)
    path = shop.folder / MANIFEST
    path.write_bytes(HARMS[harm](path.read_bytes()))
    for file in shop.folder.glob("*.*"):
        if file.name != MANIFEST:
            file.unlink()  # whose they are may not be known any more
    assert run(shop).made == 3
    assert missing(shop) == []


def test_the_head_of_a_cut_off_sections_json_is_still_known(shop: Workshop) -> None:
    run(shop)
    head = {key: value for key, value in manifest(shop).items() if key != "sections"}
    path = shop.folder / MANIFEST
    content = path.read_bytes()
    begin = content.index(b' "sections": [')
    for end in (begin, begin + len(b' "sections": [\n'), begin + 40, len(content) - 30):
        path.write_bytes(content[:end])
        assert shop.outbox.former() == head


def test_an_entry_that_cannot_be_read_costs_no_other(shop: Workshop) -> None:
    run(shop)
    path = shop.folder / MANIFEST
    path.write_bytes(path.read_bytes().replace(b'"title": "Pages 3-4"', b'"title": "Pages 3-4'))
    assert missing(shop) == [2]


entry_like = st.fixed_dictionaries(
    {
        "number": st.integers(1, 10**6),
        "title": st.text(),
        "key": st.text(),
        "files": st.lists(
            st.fixed_dictionaries({"file": st.text(), "bytes": st.integers(0), "sha256": st.text()}), max_size=2
        ),
        "analysis": plain,
        "error": st.none() | st.text(),
    }
)


@given(st.lists(entry_like, max_size=5, unique_by=lambda entry: entry["number"]))
def test_entries_that_are_written_are_the_entries_that_are_read(
    tmp_path_factory: pytest.TempPathFactory, entries: list[dict[str, Any]]
) -> None:
    """However titles and analyses look: also with line ends of all kinds, quotes, and what is no text."""
    folder = tmp_path_factory.getbasetemp() / "entries"
    folder.mkdir(exist_ok=True)
    shop = Workshop(folder, pages=2 * max(1, len(entries)))
    (folder / MANIFEST).unlink(missing_ok=True)
    with shop.journal() as journal:
        register = shop.register(journal)
        for number, entry in enumerate(entries, 1):
            journal.add({**entry, "number": number})
        register.note()
    read = [entry for entry in shop.outbox.entries() if isinstance(entry, dict)]
    expected = [{**entry, "number": number} for number, entry in enumerate(entries, 1)]
    assert read == expected
    assert manifest(shop)["sections"] == expected
    assert shop.outbox.former() == {key: value for key, value in manifest(shop).items() if key != "sections"}


ENTRIES, ANALYSIS_BYTES, MOST_BYTES = 3000, 25_000, 10_000_000  # 2 kB an entry, and some for lines


def test_long_analyses_of_many_sections_are_not_held_in_memory(tmp_path: Path) -> None:
    """They stand in sections.json, and in the journal of a killed run as well: 75 MB in each."""
    analysis = "x" * ANALYSIS_BYTES
    entries = (json.dumps(stated(number=n, key=f"{n:064}", analysis=analysis)) for n in range(ENTRIES))
    (tmp_path / JOURNAL).write_text("".join(f"{entry}\n" for entry in entries))
    with (tmp_path / JOURNAL).open() as journal:
        lines = (f"{',' * (n > 0)}\n  {line.strip()}" for n, line in enumerate(journal))
        write_pieces(tmp_path / MANIFEST, chain(['{\n "job": "job",\n "sections": ['], lines, ["\n ]\n}\n"]))
    assert (tmp_path / MANIFEST).stat().st_size > ENTRIES * ANALYSIS_BYTES
    outbox = FolderOutbox(tmp_path, MANIFEST)
    tracemalloc.start()
    try:
        known = known_entries(outbox, Journal(tmp_path / JOURNAL))
        head = outbox.former()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(known), head) == (ENTRIES, {"job": "job"})
    assert most < MOST_BYTES
