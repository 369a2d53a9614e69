"""Which designs a mock-up job is about: files that a pattern matches, grouped by their sides, or a list."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigurationError
from config.mockups import MockupDesigns
from config.schema import Storage
from pipeline.library import Library
from pipeline.mockups.artwork import ONLY, MockupDesign, list_designs
from pipeline.servers import Servers
from tiles.store import TileStore


def listed(folder: Path, files: list[str], **keys: Any) -> list[MockupDesign]:
    """Return the designs of a job whose artwork folder holds these files, empty ones."""
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    said = MockupDesigns.model_validate({"root": str(folder), **keys})
    with Servers(Storage(), folder) as servers:
        library = Library(said, folder, servers, TileStore(folder / "store"))
        return list_designs(said, library, str(folder / "out"))


def test_every_file_is_a_design_of_its_own(tmp_path: Path) -> None:
    designs = listed(tmp_path, ["b.png", "a.png", "more/c.png", ".hidden.png", "d.txt"], glob="**/*.png")
    assert designs == [
        MockupDesign("a", {ONLY: "a.png"}),
        MockupDesign("b", {ONLY: "b.png"}),
        MockupDesign("c", {ONLY: "more/c.png"}),
    ]


def test_a_folder_is_no_design(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    assert listed(tmp_path, ["a.png"], glob="*") == [MockupDesign("a", {ONLY: "a.png"})]


def test_files_that_end_in_a_side_are_one_design_whose_first_side_is_the_jobs_first(tmp_path: Path) -> None:
    files = ["tour_back.png", "tour-front.jpg", "logo.png", "front.png", "tour_left.png"]
    designs = listed(tmp_path, files, glob="*", sides=["front", "back"])
    assert designs == [
        MockupDesign("front", {ONLY: "front.png"}),
        MockupDesign("logo", {ONLY: "logo.png"}),
        MockupDesign("tour", {"front": "tour-front.jpg", "back": "tour_back.png"}),
        MockupDesign("tour_left", {ONLY: "tour_left.png"}),
    ]
    assert list(designs[2].sides) == ["front", "back"]


def test_files_of_different_folders_are_different_designs(tmp_path: Path) -> None:
    designs = listed(tmp_path, ["x/a_front.png", "y/a_back.png"], glob="*/*.png", sides=["front", "back"])
    assert designs == [MockupDesign("a", {"front": "x/a_front.png"}), MockupDesign("a", {"back": "y/a_back.png"})]


def test_two_files_for_one_side_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        listed(tmp_path, ["a_front.png", "a-front.png"], glob="*.png", sides=["front"])
    assert error.value.message == "a_front.png: side front of design a is a-front.png already"


def test_items_are_taken_as_they_are_said(tmp_path: Path) -> None:
    items = [{"name": "b", "file": "x.png"}, {"name": "a", "sides": {"back": "y.png", "front": "x.png"}}]
    assert listed(tmp_path, [], items=items) == [
        MockupDesign("b", {ONLY: "x.png"}),
        MockupDesign("a", {"back": "y.png", "front": "x.png"}),
    ]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("*.tif", "no file matches *.tif"),
        ("../*", "designs.glob: ../* leads out of designs.root"),
        ("/etc/*", "designs.glob: /etc/* leads out of designs.root"),
        ("a**b/*", "designs.glob: a**b/* is no pattern"),
    ],
)
def test_a_pattern_that_finds_nothing_or_leads_elsewhere_is_refused(tmp_path: Path, pattern: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        listed(tmp_path, ["a.png"], glob=pattern)
    assert message in error.value.message


def test_a_pattern_needs_a_folder_of_this_machine(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="needs a folder of this machine"):
        listed(tmp_path, [], root="sftp://nas/art", glob="*.png")


sides = st.sampled_from(["front", "back", "left", ONLY])


@given(st.dictionaries(sides, st.sampled_from(["1.png", "2.png"]), min_size=1), st.none() | sides)
def test_an_area_gets_the_side_it_names_or_the_only_one_or_none(found: dict[str, str], side: str | None) -> None:
    artwork = MockupDesign("a", found).artwork(side)
    if ONLY in found:
        assert artwork == found[ONLY]
    elif side is None:
        assert artwork == next(iter(found.values()))
    else:
        assert artwork == found.get(side)
