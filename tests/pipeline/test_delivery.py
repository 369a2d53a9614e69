"""The output folder: what belongs to a run, and what does not."""

import json
from pathlib import Path

import pytest

from config.errors import ConfigurationError, LockError, StorageError
from pipeline.delivery import SECTIONS, FolderOutbox, as_text, check_owner, opened_folder


def names_in(box: FolderOutbox) -> set[str]:
    return {path.name for path in box.folder.iterdir()} - {".tilepress.lock"}


def test_only_the_parts_that_the_former_manifest_plans_are_cleared(tmp_path: Path) -> None:
    with opened_folder(tmp_path / "out") as box:
        box.note(as_text({"job": "uvdtf", "planned": ["1.png", "2.tif", "3.png", "../4.png", 5]}))
        for name in ("1.png", "2.tif", "1001.png", "artwork.png"):
            (box.folder / name).write_bytes(b"")
        (tmp_path / "4.png").write_bytes(b"")
        assert box.begin(["1.png"], keep=["1.png"]) == ["2.tif"]
        assert names_in(box) == {"1.png", "1001.png", "artwork.png", "manifest.json"}
    assert (tmp_path / "4.png").exists()


def test_what_a_killed_run_left_half_written_is_removed_on_opening(tmp_path: Path) -> None:
    with opened_folder(tmp_path / "out") as box:
        box.note(as_text({"job": "uvdtf", "planned": ["GangSheet_Part_2.png"]}))
        for name in ("GangSheet_Part_2.png.partial", "someone elses.partial"):
            (box.folder / name).write_bytes(b"")
    with opened_folder(tmp_path / "out") as box:
        assert names_in(box) == {"manifest.json", "someone elses.partial"}


@pytest.mark.parametrize("content", ["", "[1]", '{"planned": 7}', '{"planned": null, "job": "uvdtf"}'])
def test_a_manifest_of_others_costs_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with opened_folder(tmp_path) as box:
        assert box.begin([], keep=[]) == []


def test_a_folder_is_held_by_one_run_at_a_time(tmp_path: Path) -> None:
    with opened_folder(tmp_path), pytest.raises(LockError, match=f"another run writes to {tmp_path}"):
        opened_folder(tmp_path).__enter__()
    with opened_folder(tmp_path):
        pass


def test_the_parts_of_another_job_are_not_replaced(tmp_path: Path) -> None:
    with opened_folder(tmp_path) as box:
        box.note(as_text({"job": "decals"}))
        check_owner(box, str(tmp_path), "decals")
        with pytest.raises(ConfigurationError, match="holds the parts of job decals"):
            check_owner(box, str(tmp_path), "uvdtf")


def test_the_manifest_is_replaced_whole(tmp_path: Path) -> None:
    with opened_folder(tmp_path) as box:
        box.note(as_text({"name": "Größe"}))
        with pytest.raises(TypeError):
            box.note(as_text({"name": object()}))
        assert (box.folder / "manifest.json").read_text(encoding="utf-8") == '{\n "name": "Größe"\n}'
        assert names_in(box) == {"manifest.json"}


def test_a_part_is_found_by_its_bytes_alone(tmp_path: Path) -> None:
    digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # of "hello"
    with opened_folder(tmp_path) as box:
        assert box.find("1.png", 5, digest) is None
        (tmp_path / "1.png").write_bytes(b"hello")
        assert box.holds("1.png", 5, digest)
        (tmp_path / "1.png").write_bytes(b"hallo")
        assert not box.holds("1.png", 5, digest)


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match="out: File exists"), opened_folder(tmp_path / "out"):
        pass


HEAD = '{\n "job": "a",\n "planned": [\n  "1.pdf"\n ],\n'
LINES = f'{HEAD}{SECTIONS.decode()}  {{"number": 1}},\n  {{"number": 2}}\n ]\n}}\n'


def test_entries_on_lines_of_their_own_are_read_one_after_the_other_and_are_no_part_of_the_head(tmp_path: Path) -> None:
    box = FolderOutbox(tmp_path)
    box.note([LINES])
    assert json.loads(LINES)["sections"] == [{"number": 1}, {"number": 2}]
    assert box.former() == {"job": "a", "planned": ["1.pdf"]}
    assert list(box.entries()) == [{"number": 1}, {"number": 2}]


def test_a_manifest_without_such_lines_has_no_entries_and_is_read_whole(tmp_path: Path) -> None:
    box = FolderOutbox(tmp_path)
    content = {"job": "a", "parts": [{"number": 1}], "planned": ["1.png"]}
    box.note(as_text(content))
    assert (box.former(), list(box.entries())) == (content, [])


def test_where_there_is_no_manifest_there_are_no_entries(tmp_path: Path) -> None:
    box = FolderOutbox(tmp_path)
    assert (box.former(), list(box.entries())) == ({}, [])
    (tmp_path / "manifest.json").mkdir()
    assert (box.former(), list(box.entries())) == ({}, [])


def test_files_are_cleared_by_the_head_alone(tmp_path: Path) -> None:
    with opened_folder(tmp_path) as box:
        box.note([LINES[:-20]])
        (tmp_path / "1.pdf").touch()
        (tmp_path / "1.pdf.partial").touch()
    with opened_folder(tmp_path) as box:
        assert names_in(box) == {"1.pdf", "manifest.json"}
        assert box.begin([], keep=[]) == ["1.pdf"]


def test_a_manifest_that_is_read_back_is_the_one_noted(tmp_path: Path) -> None:
    with opened_folder(tmp_path) as box:
        box.publish(as_text({"job": "uvdtf", "planned": ["1.png"]}))
        assert box.former() == json.loads((tmp_path / "manifest.json").read_text())
