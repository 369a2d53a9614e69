"""Sinks: a file appears when it is whole, the same on any number of threads, and a failure leaves nothing."""

import errno
import hashlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tiles.scene import PhotoFormat
from tiles.sinks.photos import open_photo_sink
from tiles.sinks.sink import PARTIAL, AtomicFile, SheetFile, SheetFormat, Sink, write_atomically
from tiles.vips import srgb_profile

if TYPE_CHECKING:
    from tests.tiles.conftest import Noise, Pixels, WriteSheet

BANDS = {"png": 4, "tiff": 4, "jpg": 3, "webp": 4}
PACKS = {"png": "png._pack", "tiff": "tiff._pack", "jpg": "jpeg._encoded"}  # what a sink does on threads of its own
KINDS = pytest.mark.parametrize("kind", BANDS)
PACKED = pytest.mark.parametrize("kind", PACKS)


def format_of(kind: str, width: int = 20, height: int = 64, threads: int = 2) -> SheetFormat:
    return SheetFormat(width, height, 400, srgb_profile(), threads, bands=BANDS[kind])


def opened(kind: str, path: Path, sheet: SheetFormat) -> Sink:
    """Return a sink of any format; a WebP waits beside the file it becomes."""
    return open_photo_sink(PhotoFormat(kind, 100, "4:2:0"), path, sheet, path.with_name("scratch"))


def strip_of(kind: str, rows: int = 16, width: int = 20) -> "Pixels":
    return np.zeros((rows, width, BANDS[kind]), np.uint8)


def write(path: Path, pixels: "Pixels", kind: str, rows: int = 16, threads: int = 1) -> SheetFile:
    """Write pixels, RGBA, `rows` at a time, in a format with alpha or without."""
    height, width, _ = pixels.shape
    with opened(kind, path, format_of(kind, width, height, threads)) as sink:
        for top in range(0, height, rows):
            sink.write(np.ascontiguousarray(pixels[top : top + rows, :, : BANDS[kind]]))
        return sink.finish()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@KINDS
def test_any_number_of_threads_gives_the_same_file(kind: str, tmp_path: Path, noise: "Noise") -> None:
    pixels = noise(300, 500)
    files = [
        write(tmp_path / f"{number}", pixels, kind, rows=64, threads=threads)
        for number, threads in enumerate([1, 1, 4, 4])
    ]
    assert len({file.sha256 for file in files}) == 1
    assert len({file.path.read_bytes() for file in files}) == 1


@KINDS
def test_a_finished_file_is_described_as_it_is(kind: str, tmp_path: Path, noise: "Noise") -> None:
    path = tmp_path / "sheet"
    file = write(path, noise(30, 40), kind)
    content = path.read_bytes()
    assert file == SheetFile(path, len(content), hashlib.sha256(content).hexdigest())
    assert names(tmp_path) == ["sheet"]


@KINDS
def test_the_name_appears_only_when_the_file_is_whole(kind: str, tmp_path: Path) -> None:
    (tmp_path / "sheet").write_text("the former one")
    aside = ["scratch.v"] if kind == "webp" else []
    sink = opened(kind, tmp_path / "sheet", format_of(kind))
    assert names(tmp_path) == ["sheet"]
    with sink:
        for _ in range(4):
            sink.write(strip_of(kind))
            assert names(tmp_path) == [*aside, "sheet", "sheet" + PARTIAL]
            assert (tmp_path / "sheet").read_text() == "the former one"
        sink.finish()
        assert names(tmp_path) == [*aside, "sheet"]
    assert names(tmp_path) == ["sheet"]
    assert (tmp_path / "sheet").read_bytes() != b"the former one"


@KINDS
@pytest.mark.parametrize("strips", [0, 3])
def test_missing_rows_are_an_error(kind: str, strips: int, tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=f"{64 - 16 * strips} rows are missing"),
        opened(kind, tmp_path / "sheet", format_of(kind)) as sink,
    ):
        for _ in range(strips):
            sink.write(strip_of(kind))
        sink.finish()
    assert names(tmp_path) == []


@KINDS
@pytest.mark.parametrize(("rows", "width"), [(16, 19), (65, 20), (0, 20)])
def test_a_strip_that_does_not_fit_is_an_error(kind: str, rows: int, width: int, tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=f"a strip of {width}×{rows} pixels where 20×64 are left"),
        opened(kind, tmp_path / "sheet", format_of(kind)) as sink,
    ):
        sink.write(strip_of(kind, rows, width))
    assert names(tmp_path) == []


@KINDS
def test_a_strip_with_other_channels_is_an_error(kind: str, tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="a strip of 20×16 pixels where 20×64 are left"),
        opened(kind, tmp_path / "sheet", format_of(kind)) as sink,
    ):
        sink.write(np.zeros((16, 20, 7 - BANDS[kind]), np.uint8))
    assert names(tmp_path) == []


@KINDS
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_on_the_way_leaves_nothing(kind: str, error: type[BaseException], tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    with pytest.raises(error), opened(kind, tmp_path / "sheet", format_of(kind)) as sink:
        sink.write(strip_of(kind))
        raise error
    assert names(tmp_path) == ["other"]


@PACKED
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_at_the_very_beginning_leaves_nothing(
    kind: str, error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: AtomicFile, data: bytes) -> None:
        raise error

    monkeypatch.setattr(AtomicFile, "write", fail)
    with pytest.raises(error), opened(kind, tmp_path / "sheet", format_of(kind)):
        pytest.fail("it was entered")
    assert names(tmp_path) == []


@KINDS
def test_leaving_without_finishing_leaves_nothing(kind: str, tmp_path: Path) -> None:
    with opened(kind, tmp_path / "sheet", format_of(kind)) as sink:
        for _ in range(4):
            sink.write(strip_of(kind))
    assert names(tmp_path) == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("deflate")]


@PACKED
@pytest.mark.parametrize("strips", [1, 4])
def test_an_error_in_the_background_comes_up_at_the_latest_when_finishing(
    kind: str, strips: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError("no room to compress in")

    monkeypatch.setattr(f"tiles.sinks.{PACKS[kind]}", fail)
    sheet = format_of(kind, height=16 * strips)
    with pytest.raises(MemoryError, match="no room to compress in"), opened(kind, tmp_path / "sheet", sheet) as sink:
        for _ in range(strips):
            sink.write(strip_of(kind))
        sink.finish()
    assert names(tmp_path) == []


@KINDS
@pytest.mark.parametrize("rows", [16, 1600])
def test_a_full_disk_is_an_error_that_leaves_nothing(kind: str, rows: int, tiny_disk: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1600, 400, 4), np.uint8)
    with pytest.raises(OSError, match="No space left") as failure:
        write(tiny_disk / "sheet", noise, kind, rows=rows)
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
