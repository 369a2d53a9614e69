"""The journal: wherever a killed run's file ends, the whole lines before come back; the last of a section counts."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sections.journal import Entry, Journal

FIRST: Entry = {"number": 1, "key": "a", "title": "Größe\nzwei", "files": [{"file": "1.pdf"}], "error": None}
SECOND: Entry = {"number": 2, "key": "b", "title": "", "files": [], "error": "it is damaged"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".tilepress.journal"


def begun(path: Path, *entries: Entry) -> Journal:
    journal = Journal(path)
    journal.begin(entries)
    return journal


def test_where_no_run_was_there_is_nothing(path: Path) -> None:
    with Journal(path) as journal:
        assert (list(journal.former()), journal.find(1), journal.line(1)) == ([], None, "")


def test_what_is_added_is_found_and_stands_on_one_line(path: Path) -> None:
    with begun(path, FIRST) as journal:
        journal.add(SECOND)
        assert (journal.find(1), journal.find(2), journal.find(3)) == (FIRST, SECOND, None)
        assert json.loads(journal.line(2)) == SECOND
        assert "\n" not in journal.line(1)
        assert list(Journal(path).former()) == [FIRST, SECOND]  # though this run has not ended


def test_the_last_entry_of_a_section_counts_in_this_run_and_in_the_next(path: Path) -> None:
    with begun(path, {**FIRST, "error": "lost"}, SECOND) as journal:
        journal.add(FIRST)
        assert journal.find(1) == FIRST
        assert {entry["number"]: entry for entry in Journal(path).former()} == {1: FIRST, 2: SECOND}


def test_a_journal_is_begun_anew_with_what_is_kept(path: Path) -> None:
    begun(path, FIRST, SECOND).__exit__(None, None, None)
    with Journal(path) as journal:
        journal.begin(entry for entry in list(journal.former()) if entry["number"] == 2)
        assert (journal.find(1), journal.find(2)) == (None, SECOND)
        assert list(Journal(path).former()) == [SECOND]
    assert list(path.parent.iterdir()) == [path]


def test_a_journal_that_cannot_be_begun_leaves_the_former_one(path: Path) -> None:
    def kept() -> Iterator[Entry]:
        yield FIRST
        raise KeyboardInterrupt

    begun(path, FIRST, SECOND).__exit__(None, None, None)
    with pytest.raises(KeyboardInterrupt), Journal(path) as journal:
        journal.begin(kept())
    assert list(Journal(path).former()) == [FIRST, SECOND]


def test_what_stands_elsewhere_is_removed(path: Path) -> None:
    with begun(path, FIRST) as journal:
        journal.remove()
        assert not path.exists()
        assert journal.find(1) == FIRST  # the summary may still be written
        journal.remove()


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=5,
)
entries = st.lists(st.fixed_dictionaries({"number": st.integers(1, 4), "analysis": values}), max_size=5)


@given(entries, st.data())
def test_a_journal_cut_anywhere_gives_back_the_whole_lines_before(
    tmp_path_factory: pytest.TempPathFactory, listed: list[dict[str, Any]], data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.journal"
    with begun(path) as journal:
        ends = [0]
        for entry in listed:
            journal.add(entry)
            ends.append(path.stat().st_size)
        assert [entry for entry in (journal.find(number) for number in range(1, 5)) if entry is not None] == [
            entry for _, entry in sorted({entry["number"]: entry for entry in listed}.items())
        ]
    cut = data.draw(st.integers(0, ends[-1]))
    path.write_bytes(path.read_bytes()[:cut])

    assert list(Journal(path).former()) == listed[: sum(end <= cut for end in ends[1:])]


@given(st.binary(max_size=200))
def test_whatever_stands_in_the_file_is_no_trouble(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "garbled.journal"
    path.write_bytes(b"\xff\xfe\n" + content + b'\n[1]\n5\n{"number": 1}\n{"number": 2')
    assert {"number": 1} in list(Journal(path).former())
    assert all(isinstance(entry, dict) for entry in Journal(path).former())


@pytest.mark.parametrize("text", ["\udcff", "\ud800", "a\ud83d", "\x00\x1f\x7f\u2028\u2029\ufeff\U0010ffff"])
def test_any_text_of_a_document_or_an_answer_comes_back(path: Path, text: str) -> None:
    entry = {**FIRST, "analysis": {"answer": text}}
    with begun(path) as journal:
        journal.add(entry)
        journal.add(SECOND)
        assert (journal.find(1), journal.find(2)) == (entry, SECOND)
        assert json.loads(journal.line(1)) == entry
    assert list(Journal(path).former()) == [entry, SECOND]


@contextmanager
def largest_file(limit_bytes: int) -> Iterator[None]:
    """Refuse whatever is written beyond, as a disk does that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_entry_that_found_no_room_is_none(path: Path) -> None:
    with begun(path, FIRST) as journal:
        with largest_file(path.stat().st_size + 5), pytest.raises(OSError, match="File too large"):
            journal.add(SECOND)
        assert (journal.find(1), journal.line(2)) == (FIRST, "")
    assert list(Journal(path).former()) == [FIRST]


def test_a_full_disk_is_told_once_and_not_again_when_the_journal_is_closed(path: Path) -> None:
    journal = begun(path, FIRST)
    with largest_file(path.stat().st_size + 5):
        with pytest.raises(OSError, match="File too large"):
            journal.add(SECOND)
        journal.__exit__(None, None, None)
    assert list(Journal(path).former()) == [FIRST]
