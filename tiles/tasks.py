"""What children are asked to do with artwork. Whoever asks imports no decoder: it is needed in the children only."""

import errno
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from config.errors import ArtworkError, BudgetError, StorageError
from tiles.design import Design, Geometry, Header, Limits, PreparedDesign
from tiles.geometry import Corners, Rect, spans
from tiles.pdf.values import Document, Survey
from tiles.scene import PhotoFormat, Picture, Scene
from tiles.sinks.sink import SheetFile
from tiles.store import TileStore

# ruff: noqa: PLC0415 - this is what the module is for

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
OUTLINE_ROWS = 64  # read at once
NamedArea = tuple[str, Corners]


def judge_header(path: Path, limits: Limits, page: int | None = None) -> Header:
    """Return what the file says of itself, or of one page of it; raise ArtworkError if it is unfit."""
    from tiles.header import read_header

    return read_header(path, limits, page)


def measure_ink(design: Design, scratch: Path) -> Rect:
    """Return the smallest rectangle that holds all ink, in the design's upright header pixels."""
    from tiles.prepare import find_trim_box

    return find_trim_box(design, scratch)


def make_mockup(
    store: TileStore, scene: Scene, target: Path, form: PhotoFormat, threads: int, scratch: Path
) -> tuple[SheetFile, float]:
    """Render a mock-up into the file `target`, which appears whole or not at all; return it, and the seconds it took.

    Its artwork is prepared in `store` unless it is there; `scratch` names room beside. What the disk refuses is
    BudgetError or StorageError.
    """
    from tiles.heap import trim_heap
    from tiles.photo import render_photo

    began = time.monotonic()
    try:
        with writing(target, "mock-ups"):
            return render_photo(store, scene, target, form, threads, scratch), time.monotonic() - began
    finally:
        trim_heap()


@contextmanager
def writing(target: Path, what: str) -> Iterator[None]:
    """Turn what the disk refuses into the error that says so; `what` is kept of it that is finished."""
    try:
        yield
    except OSError as error:
        trouble = f"{error.filename or target}: {error.strerror or error}"
        if error.errno in FULL:
            raise BudgetError(f"disk: {trouble}", f"Free some space and run again. Finished {what} are kept.") from None
        raise StorageError(trouble, "Check the folder and its permissions.") from None


def draw_outlines(picture: Picture, areas: Sequence[NamedArea], longest_px: int, scratch: Path) -> bytes:
    """Return a PNG of a photograph with areas outlined, each a name and four corners."""
    from tiles.outline import OutlinedArea, outline_picture
    from tiles.rows import RowReader

    width, height = picture.geometry.width_px, picture.geometry.height_px
    with RowReader(picture, scratch, None) as reader:
        rows = (reader.take(count) for _, count in spans(height, OUTLINE_ROWS))
        return outline_picture(rows, (width, height), [OutlinedArea(*area) for area in areas], longest_px)


def prepare_into(store: TileStore, design: Design, geometry: Geometry) -> PreparedDesign:
    """Return the prepared design from `store`, prepared now unless it is there."""
    from tiles.prepare import prepare_in

    return prepare_in(store, design, geometry)


def survey_document(path: Path, password: str) -> Survey:
    """Return what a PDF says of itself; raise ArtworkError if it cannot be used. It may be hashed meanwhile."""
    from tiles.pdf.document import survey

    try:
        return survey(Document("", path, password))
    except OSError as error:  # nothing is written: it is the document's own
        raise ArtworkError(f"cannot be read: {error.strerror or error}") from None


def compare_pdfs(one: Path, other: Path) -> str:
    """Return how two PDFs differ in what is seen of them; "" if they do not."""
    from tiles.pdf.compare import compare

    return compare(one, other)


def difference(one: Path, other: Path) -> float:
    """Return by how many levels two pictures differ where they differ most: see tiles/readback.py."""
    from tiles import readback

    return readback.difference(one, other)


def mend_document(document: Document, target: Path) -> None:
    """Write a sound copy of a damaged PDF, without its encryption."""
    from tiles.pdf.document import mend

    with writing(target, "sections"):
        mend(document, target)
