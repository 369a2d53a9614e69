"""The output folder: what belongs to a run, and what does not."""

from pathlib import Path

import pytest

from config.errors import ConfigurationError, LockError, StorageError
from config.schema import Output
from pipeline.delivery import Outbox


def outbox(folder: Path, filename: str = "GangSheet_Part_{part}", kind: str = "png") -> Outbox:
    return Outbox(Output.model_validate({"to": "out", "filename": filename, "format": kind}), "uvdtf", folder)


def names_in(box: Outbox) -> set[str]:
    return {path.name for path in box.folder.iterdir()} - {".tilepress.lock"}


@pytest.mark.parametrize(
    ("filename", "part", "name"),
    [
        ("GangSheet_Part_{part}", 1, "GangSheet_Part_1.png"),
        ("{job} {part:03d}", 7, "uvdtf 007.png"),
        ("roll[{part}]", 12, "roll[12].png"),
    ],
)
def test_parts_are_named_by_the_template(tmp_path: Path, filename: str, part: int, name: str) -> None:
    assert outbox(tmp_path, filename).part_name(part) == name


def test_only_the_parts_that_the_former_manifest_plans_are_cleared(tmp_path: Path) -> None:
    box = outbox(tmp_path, "{part}")
    with box.opened():
        box.put_json("manifest.json", {"job": "uvdtf", "planned": ["1.png", "2.tif", "3.png", "../4.png", 5]})
        for name in ("1.png", "2.tif", "1001.png", "artwork.png"):
            (box.folder / name).write_bytes(b"")
        (tmp_path / "4.png").write_bytes(b"")
        assert box.clear(keep=["1.png"]) == ["2.tif"]
        assert names_in(box) == {"1.png", "1001.png", "artwork.png", "manifest.json"}
    assert (tmp_path / "4.png").exists()


def test_what_a_killed_run_left_half_written_is_removed_on_opening(tmp_path: Path) -> None:
    box = outbox(tmp_path)
    with box.opened():
        box.put_json("manifest.json", {"job": "uvdtf", "planned": ["GangSheet_Part_2.png"]})
        for name in ("GangSheet_Part_2.png.partial", "someone elses.partial"):
            (box.folder / name).write_bytes(b"")
    with box.opened():
        assert names_in(box) == {"manifest.json", "someone elses.partial"}


@pytest.mark.parametrize("content", ["", "[1]", '{"planned": 7}', '{"planned": null, "job": "uvdtf"}'])
def test_a_manifest_of_others_costs_nothing(tmp_path: Path, content: str) -> None:
    box = outbox(tmp_path)
    box.folder.mkdir()
    box.manifest.write_text(content)
    with box.opened():
        assert box.clear(keep=[]) == []


def test_a_folder_is_held_by_one_run_at_a_time(tmp_path: Path) -> None:
    first, second = outbox(tmp_path), outbox(tmp_path)
    with first.opened(), pytest.raises(LockError, match=r"another run writes to .*out"):
        second.opened().__enter__()
    with second.opened():
        pass


def test_the_parts_of_another_job_are_not_replaced(tmp_path: Path) -> None:
    box = outbox(tmp_path)
    with box.opened():
        box.put_json("manifest.json", {"job": "decals"})
    with pytest.raises(ConfigurationError, match="out holds the parts of job decals"), box.opened():
        pass


def test_json_is_replaced_whole(tmp_path: Path) -> None:
    box = outbox(tmp_path)
    with box.opened():
        box.put_json("manifest.json", {"name": "Größe"})
        with pytest.raises(TypeError):
            box.put_json("manifest.json", {"name": object()})
        assert (box.folder / "manifest.json").read_text(encoding="utf-8") == '{\n "name": "Größe"\n}'
        assert names_in(box) == {"manifest.json"}


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match="out: File exists"), outbox(tmp_path).opened():
        pass
