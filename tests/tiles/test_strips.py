"""Strips: they partition the sheet, whatever its size, and a failure on the way leaves no file."""

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tiles.canvas import Canvas, Layer, Strip
from tiles.geometry import Rect, spans
from tiles.sinks import open_sink
from tiles.sinks.sink import ROWS_MULTIPLE, SheetFile, SheetFormat
from tiles.strips import STRIP_BYTES, render, strip_rows
from tiles.vips import srgb_profile

if TYPE_CHECKING:
    from tests.tiles.conftest import Lay, Noise


@given(height=st.integers(1, 10**5), rows=st.integers(1, 10**4))
def test_strips_partition_the_sheet(height: int, rows: int) -> None:
    if height // rows > 10**4:
        rows = height
    covered = 0
    for top, count in spans(height, rows):
        assert top == covered
        assert 0 < count <= rows
        assert count == rows or top + count == height
        covered = top + count
    assert covered == height


@given(width=st.integers(1, 10**6))
def test_a_strip_is_of_a_size_that_does_not_depend_on_the_height(width: int) -> None:
    rows = strip_rows(width)
    assert rows % ROWS_MULTIPLE == 0
    assert rows == ROWS_MULTIPLE or rows * width * 4 <= STRIP_BYTES < (rows + ROWS_MULTIPLE) * width * 4


class Recorder:
    """A sink that keeps the strips it was given, and fails where it is told to."""

    def __init__(self, fails_at: int | None = None, error: type[BaseException] = OSError) -> None:
        self.strips: list[Strip] = []
        self.left_with: type[BaseException] | None = None
        self._fails_at, self._error = fails_at, error

    def write(self, strip: Strip) -> None:
        if len(self.strips) == self._fails_at:
            raise self._error
        self.strips.append(strip.copy())

    def finish(self) -> SheetFile:
        return SheetFile(Path("sheet"), 0, "")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.left_with = kind


@pytest.fixture(autouse=True)
def small_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tiles.strips.strip_rows", lambda width: 16)


def canvas_of(lay: "Lay", noise: "Noise", height: int = 50) -> tuple[Canvas, Strip]:
    pixels = noise(20, height)
    return Canvas(20, height, [Layer(lay(pixels), Rect(0, 0, 20, height))]), pixels


def test_a_canvas_is_rendered_from_top_to_bottom_without_gaps(lay: "Lay", noise: "Noise") -> None:
    canvas, pixels = canvas_of(lay, noise)
    sink, heard = Recorder(), list[int]()
    assert render(canvas, sink, heard.append) == SheetFile(Path("sheet"), 0, "")
    assert [len(strip) for strip in sink.strips] == heard == [16, 16, 16, 2]
    assert np.concatenate(sink.strips).tobytes() == pixels.tobytes()


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_failing_sink_is_left_with_its_error(error: type[BaseException], lay: "Lay", noise: "Noise") -> None:
    sink = Recorder(fails_at=2, error=error)
    with pytest.raises(error):
        render(canvas_of(lay, noise)[0], sink)
    assert sink.left_with is error


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_an_interrupt_on_the_way_leaves_no_file(kind: str, lay: "Lay", noise: "Noise", tmp_path: Path) -> None:
    def interrupt(rows: int) -> None:
        assert [path.name for path in tmp_path.iterdir()] == ["sheet.partial"]
        raise KeyboardInterrupt

    sink = open_sink(kind, tmp_path / "sheet", SheetFormat(20, 50, 400, srgb_profile(), 2))
    with pytest.raises(KeyboardInterrupt):
        render(canvas_of(lay, noise)[0], sink, interrupt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_a_rendered_sheet_shows_its_canvas(kind: str, lay: "Lay", noise: "Noise", tmp_path: Path) -> None:
    canvas, pixels = canvas_of(lay, noise)
    file = render(canvas, open_sink(kind, tmp_path / "sheet", SheetFormat(20, 50, 400, srgb_profile(), 2)))
    with Image.open(file.path) as image:
        assert np.array(image).tobytes() == pixels.tobytes()
