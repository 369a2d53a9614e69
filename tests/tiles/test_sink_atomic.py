"""Sinks: a file appears when it is whole, the same on any number of threads, and a failure leaves nothing."""

import errno
import hashlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tiles.sinks import open_sink
from tiles.sinks.sink import PARTIAL, AtomicFile, SheetFile, SheetFormat, write_atomically
from tiles.vips import srgb_profile

if TYPE_CHECKING:
    from tests.tiles.conftest import Noise, WriteSheet

KINDS = pytest.mark.parametrize("kind", ["png", "tiff"])
FORMAT = SheetFormat(20, 64, 400, srgb_profile(), 2)
STRIP = np.zeros((16, 20, 4), np.uint8)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@KINDS
def test_any_number_of_threads_gives_the_same_file(
    kind: str, tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet"
) -> None:
    pixels = noise(300, 500)
    files = [
        write_sheet(tmp_path / f"{number}", pixels, kind, rows=64, threads=threads)
        for number, threads in enumerate([1, 1, 4, 4])
    ]
    assert len({file.sha256 for file in files}) == 1
    assert len({file.path.read_bytes() for file in files}) == 1


@KINDS
def test_a_finished_file_is_described_as_it_is(
    kind: str, tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet"
) -> None:
    path = tmp_path / "sheet"
    file = write_sheet(path, noise(30, 40), kind)
    content = path.read_bytes()
    assert file == SheetFile(path, len(content), hashlib.sha256(content).hexdigest())
    assert names(tmp_path) == ["sheet"]


@KINDS
def test_the_name_appears_only_when_the_file_is_whole(kind: str, tmp_path: Path) -> None:
    (tmp_path / "sheet").write_text("the former one")
    sink = open_sink(kind, tmp_path / "sheet", FORMAT)
    assert names(tmp_path) == ["sheet"]
    with sink:
        for _ in range(4):
            sink.write(STRIP)
            assert names(tmp_path) == ["sheet", "sheet" + PARTIAL]
            assert (tmp_path / "sheet").read_text() == "the former one"
        sink.finish()
        assert names(tmp_path) == ["sheet"]
    assert (tmp_path / "sheet").read_bytes() != b"the former one"


@KINDS
@pytest.mark.parametrize("strips", [0, 3])
def test_missing_rows_are_an_error(kind: str, strips: int, tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=f"{64 - 16 * strips} rows are missing"),
        open_sink(kind, tmp_path / "sheet", FORMAT) as sink,
    ):
        for _ in range(strips):
            sink.write(STRIP)
        sink.finish()
    assert names(tmp_path) == []


@KINDS
@pytest.mark.parametrize("shape", [(16, 19, 4), (65, 20, 4), (0, 20, 4)])
def test_a_strip_that_does_not_fit_is_an_error(kind: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=f"a strip of {shape[1]}×{shape[0]} pixels where 20×64 are left"),
        open_sink(kind, tmp_path / "sheet", FORMAT) as sink,
    ):
        sink.write(np.zeros(shape, np.uint8))
    assert names(tmp_path) == []


@KINDS
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_on_the_way_leaves_nothing(kind: str, error: type[BaseException], tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    with pytest.raises(error), open_sink(kind, tmp_path / "sheet", FORMAT) as sink:
        sink.write(STRIP)
        raise error
    assert names(tmp_path) == ["other"]


@KINDS
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_at_the_very_beginning_leaves_nothing(
    kind: str, error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: AtomicFile, data: bytes) -> None:
        raise error

    monkeypatch.setattr(AtomicFile, "write", fail)
    with pytest.raises(error), open_sink(kind, tmp_path / "sheet", FORMAT):
        pytest.fail("it was entered")
    assert names(tmp_path) == []


@KINDS
def test_leaving_without_finishing_leaves_nothing(kind: str, tmp_path: Path) -> None:
    with open_sink(kind, tmp_path / "sheet", FORMAT) as sink:
        for _ in range(4):
            sink.write(STRIP)
    assert names(tmp_path) == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("deflate")]


@KINDS
@pytest.mark.parametrize("strips", [1, 4])
def test_an_error_in_the_background_comes_up_at_the_latest_when_finishing(
    kind: str, strips: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("no room to compress in")

    monkeypatch.setattr(f"tiles.sinks.{kind}._pack", fail)
    sheet = SheetFormat(20, 16 * strips, 400, srgb_profile(), 2)
    with pytest.raises(MemoryError, match="no room to compress in"), open_sink(kind, tmp_path / "sheet", sheet) as sink:
        for _ in range(strips):
            sink.write(STRIP)
        sink.finish()
    assert names(tmp_path) == []


@KINDS
@pytest.mark.parametrize("rows", [16, 1600])
def test_a_full_disk_is_an_error_that_leaves_nothing(
    kind: str, rows: int, tiny_disk: Path, write_sheet: "WriteSheet"
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1600, 400, 4), np.uint8)
    with pytest.raises(OSError, match="No space left") as failure:
        write_sheet(tiny_disk / "sheet", noise, kind, rows=rows)
    assert failure.value.errno == errno.ENOSPC
    assert names(tiny_disk) == []


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet") -> None:
    with pytest.raises(FileNotFoundError):
        write_sheet(tmp_path / "gone" / "sheet", noise(9, 9))


def test_what_a_killed_run_left_is_written_over(tmp_path: Path, noise: "Noise", write_sheet: "WriteSheet") -> None:
    (tmp_path / ("sheet" + PARTIAL)).write_bytes(bytes(100_000))
    file = write_sheet(tmp_path / "sheet", noise(9, 9))
    assert file.bytes == (tmp_path / "sheet").stat().st_size < 100_000
    assert names(tmp_path) == ["sheet"]


def test_a_small_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    def fill(file: AtomicFile) -> None:
        file.write(b"half of it")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", fill)
    assert names(tmp_path) == []
    written = write_atomically(tmp_path / "file", lambda file: file.write(b"all of it"))
    assert (tmp_path / "file").read_bytes() == b"all of it"
    assert written == SheetFile(tmp_path / "file", 9, hashlib.sha256(b"all of it").hexdigest())


def test_a_patched_file_is_hashed_as_it_became(tmp_path: Path) -> None:
    def fill(file: AtomicFile) -> None:
        file.write(b"0000 and more")
        file.patch(0, b"1234")
        file.write(b" at the end")

    written = write_atomically(tmp_path / "file", fill)
    assert (tmp_path / "file").read_bytes() == b"1234 and more at the end"
    assert written.sha256 == hashlib.sha256(b"1234 and more at the end").hexdigest()


def test_room_that_is_patched_in_the_end_is_hashed_as_it_became(tmp_path: Path) -> None:
    def fill(file: AtomicFile) -> None:
        file.write(b"where: ")
        file.reserve(4)
        file.write(b" and more")
        file.patch(7, b"1234")

    written = write_atomically(tmp_path / "file", fill)
    assert (tmp_path / "file").read_bytes() == b"where: 1234 and more"
    assert written == SheetFile(tmp_path / "file", 20, hashlib.sha256(b"where: 1234 and more").hexdigest())


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EIO])
def test_only_a_folder_that_cannot_be_synced_at_all_is_no_error(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").is_dir():
            raise OSError(number, os.strerror(number))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    if number == errno.EINVAL:
        assert write_atomically(tmp_path / "file", lambda file: file.write(b"all")).bytes == 3
    else:
        with pytest.raises(OSError, match="Input/output error"):
            write_atomically(tmp_path / "file", lambda file: file.write(b"all"))
