"""The output folder: what belongs to a run, and what does not."""

from pathlib import Path

import pytest

from config.errors import ConfigurationError, LockError, StorageError
from config.schema import Output
from pipeline.delivery import Outbox


def outbox(folder: Path, filename: str = "GangSheet_Part_{part}", kind: str = "png") -> Outbox:
    return Outbox(Output.model_validate({"to": "out", "filename": filename, "format": kind}), "uvdtf", folder)


@pytest.mark.parametrize(
    ("filename", "part", "name"),
    [
        ("GangSheet_Part_{part}", 1, "GangSheet_Part_1.png"),
        ("{job} {part:03d}", 7, "uvdtf 007.png"),
        ("roll[{part}]", 12, "roll[12].png"),
    ],
)
def test_parts_are_named_by_the_template_and_known_again(tmp_path: Path, filename: str, part: int, name: str) -> None:
    box = outbox(tmp_path, filename)
    assert box.part_name(part) == name
    with box.opened(tmp_path / "locks"):
        (box.folder / name).write_bytes(b"")
        assert box.clear(keep=[]) == [name]


def test_only_parts_of_this_job_are_cleared_whatever_their_format(tmp_path: Path) -> None:
    box = outbox(tmp_path)
    with box.opened(tmp_path / "locks"):
        others = ["GangSheet_Part_x.png", "GangSheet_Part_1.psd", "my GangSheet_Part_1.png", "manifest.json"]
        for name in ("GangSheet_Part_1.png", "GangSheet_Part_2.tif", "GangSheet_Part_33.png", *others):
            (box.folder / name).write_bytes(b"")
        assert box.clear(keep=["GangSheet_Part_1.png"]) == ["GangSheet_Part_2.tif", "GangSheet_Part_33.png"]
        assert {path.name for path in box.folder.iterdir()} == {"GangSheet_Part_1.png", *others}


def test_what_a_killed_run_left_half_written_is_removed_on_opening(tmp_path: Path) -> None:
    box = outbox(tmp_path)
    box.folder.mkdir()
    for name in ("GangSheet_Part_2.png.partial", "someone elses.partial"):
        (box.folder / name).write_bytes(b"")
    with box.opened(tmp_path / "locks"):
        assert [path.name for path in box.folder.iterdir()] == ["someone elses.partial"]


def test_a_folder_is_held_by_one_run_at_a_time(tmp_path: Path) -> None:
    first, second = outbox(tmp_path), outbox(tmp_path)
    with first.opened(tmp_path / "locks"), pytest.raises(LockError, match=r"another run writes to .*out"):
        second.opened(tmp_path / "locks").__enter__()
    with second.opened(tmp_path / "locks"):
        pass


def test_the_parts_of_another_job_are_not_replaced(tmp_path: Path) -> None:
    box = outbox(tmp_path)
    with box.opened(tmp_path / "locks"):
        box.put_json("manifest.json", {"job": "decals"})
    with pytest.raises(ConfigurationError, match="out holds the parts of job decals"), box.opened(tmp_path / "locks"):
        pass


def test_json_is_replaced_whole(tmp_path: Path) -> None:
    box = outbox(tmp_path)
    with box.opened(tmp_path / "locks"):
        box.put_json("manifest.json", {"name": "Größe"})
        with pytest.raises(TypeError):
            box.put_json("manifest.json", {"name": object()})
        assert (box.folder / "manifest.json").read_text(encoding="utf-8") == '{\n "name": "Größe"\n}'
        assert len(list(box.folder.iterdir())) == 1


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match="out: File exists"), outbox(tmp_path).opened(tmp_path / "locks"):
        pass
