"""What children are asked to do with artwork. Whoever asks imports no decoder: it is needed in the children only."""

from pathlib import Path

from tiles.design import Design, Geometry, Header, Limits, PreparedDesign
from tiles.geometry import Rect
from tiles.scene import PhotoFormat, Scene
from tiles.sinks.sink import SheetFile
from tiles.store import TileStore

# ruff: noqa: PLC0415 - this is what the module is for


def judge_header(path: Path, limits: Limits) -> Header:
    """Return what the file says of itself; raise ArtworkError if it is unfit."""
    from tiles.header import read_header

    return read_header(path, limits)


def measure_ink(design: Design, scratch: Path) -> Rect:
    """Return the smallest rectangle that holds all ink, in the design's upright header pixels."""
    from tiles.prepare import find_trim_box

    return find_trim_box(design, scratch)


def make_mockup(scene: Scene, target: Path, form: PhotoFormat, threads: int, scratch: Path) -> SheetFile:
    """Render a mock-up into the file `target`, which appears whole or not at all; `scratch` names room beside."""
    from tiles.heap import trim_heap
    from tiles.photo import render_photo

    try:
        return render_photo(scene, target, form, threads, scratch)
    finally:
        trim_heap()


def prepare_into(store: TileStore, design: Design, geometry: Geometry) -> PreparedDesign:
    """Return the prepared design from `store`, prepared now unless it is there."""
    from tiles.prepare import Preparation, prepare

    return store.put(design, geometry, lambda target: prepare(Preparation(design, geometry, target)))
