"""What is read from the manifest of a former run of mock-ups: only what is surely there, whatever stands in it."""

from dataclasses import asdict
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.mockups.album import Entry, entry_of, former_entries, run_name
from pipeline.mockups.planning import Mockup

ENTRY = Entry("key", 1000, "sha", 300, 200, 0.5)


def stated(file: object, **changes: Any) -> dict[str, Any]:
    return {"file": file, "design": "a", **asdict(ENTRY), **changes}


def known(manifest: dict[str, Any]) -> dict[str, Entry]:
    return {file: entry_of(entry) for file, entry in former_entries(manifest).items()}


def test_entries_are_known_by_their_files() -> None:
    manifest = {"mockups": [stated("a.jpg"), stated("b.jpg", key="other")]}
    assert known(manifest) == {"a.jpg": ENTRY, "b.jpg": Entry("other", 1000, "sha", 300, 200, 0.5)}


def test_what_is_stale_is_known_too_but_what_was_made_counts_over_it() -> None:
    stale = [stated("a.jpg", key="old"), stated("b.jpg", key="old")]
    assert {file: entry.key for file, entry in known({"mockups": [stated("a.jpg")], "stale": stale}).items()} == {
        "a.jpg": "key",
        "b.jpg": "old",
    }


@pytest.mark.parametrize("file", ["../a.jpg", "/etc/passwd", "b/a.jpg", ".", 5, None, ["a.jpg"]])
def test_a_file_that_is_no_plain_name_is_not_known(file: object) -> None:
    assert known({"mockups": [stated(file), stated("a.jpg")]}) == {"a.jpg": ENTRY}


def test_an_entry_that_lacks_something_is_not_known() -> None:
    for name in asdict(ENTRY):
        short = stated("b.jpg")
        del short[name]
        assert known({"mockups": [short]}) == {}


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*asdict(ENTRY), "file"]), inner),
    max_leaves=12,
)


@given(plain)
def test_whatever_stands_there_is_no_trouble(listed: object) -> None:
    for file in known({"mockups": listed}):
        assert isinstance(file, str)


def mockup(file: str, key: str) -> Mockup:
    return cast(Mockup, SimpleNamespace(file=file, key=key))


def test_a_runs_name_is_that_of_its_files_and_keys() -> None:
    first = [mockup("a.jpg", "1"), mockup("b.jpg", "2")]
    assert run_name(first) == run_name([mockup("a.jpg", "1"), mockup("b.jpg", "2")])
    assert len({run_name(first), run_name(first[:1]), run_name([first[0], mockup("b.jpg", "3")])}) == 3
    assert run_name([mockup("a.jpg\udcff", "1")]) != run_name(first[:1])
