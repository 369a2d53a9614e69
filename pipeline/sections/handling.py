"""One section, in a child process: cut, read, drawn and analysed. What fails costs what comes after it, and is told."""

import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from config.errors import ArtworkError, TilepressError, UnavailableError
from pipeline.sections.analysis import Analysis, Analyzer, Section
from pipeline.sections.planned import PlannedSection
from tiles.heap import return_large_blocks
from tiles.pdf.values import Document
from tiles.resident import forget_peak, peak_resident_bytes
from tiles.sinks.sink import SheetFile, write_atomically
from tiles.store import stamp_of
from tiles.tasks import writing

# ruff: noqa: PLC0415 - decoders are needed in the child only

LARGE_BYTES = 1 << 20  # strips and images: if they were kept for the next one, peaks would vary by a fifth
PREVIEW_PX = 480  # the longer side: sharp in a summary on a screen of twice the dots
FileKind = Literal["pdf", "text", "preview", "page"]


@dataclass(frozen=True, slots=True)
class ImageForm:
    """How pages are drawn: how fine, in which format, on white or on nothing, and how large they may become."""

    dpi: int
    format: Literal["png", "tiff"]
    background: Literal["white", "transparent"]
    max_pixels: int


@dataclass(frozen=True, slots=True)
class SectionWork:
    """What is to be done for a section: files go into `folder`; `stamp` is the document's when it was looked at.

    `attempt` is unique to this attempt, as an analyser's token has to be.
    """

    document: Document
    stamp: tuple[int, ...]
    section: PlannedSection
    folder: Path
    text: bool
    preview: bool
    images: ImageForm | None
    threads: int
    analyzer: Analyzer
    attempt: str


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file of a section that is whole; `page`, from 1, of the document, and pixels for a page that was drawn."""

    kind: FileKind
    file: SheetFile
    page: int | None = None
    size_px: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a section is not complete. `passes` says that another attempt may do."""

    message: str
    remedy: str
    passes: bool


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a section: files that are whole, the analysis, and the problem that ended it early, if any.

    `seconds` is how long it took, `peak_bytes` the most memory its process held. `is_clean` says that the analyser has
    left nothing elsewhere; `is_lost` that the process died, and something may still be on its way there.
    """

    files: tuple[MadeFile, ...]
    analysis: Analysis | None
    problem: Problem | None
    seconds: float
    peak_bytes: int
    is_clean: bool = True
    is_lost: bool = False


def handle(work: SectionWork) -> Made:
    """Make a section. What the disk refuses is BudgetError or StorageError; what else is wrong stands in the result."""
    began = time.monotonic()
    return_large_blocks(LARGE_BYTES)
    forget_peak()
    files: list[MadeFile] = []
    analysis, problem, is_clean = None, None, True

    def leaving() -> None:
        nonlocal is_clean
        is_clean = False

    try:
        try:
            with writing(work.folder / work.section.pdf, "sections"):
                for made in _files(work):
                    files.append(made)
        finally:
            _check_unchanged(work)  # whatever came of it, that is the reason
        section = work.section
        cut = Section(section.title, section.pages, work.folder / section.pdf, work.attempt, leaving)
        analysis = work.analyzer.analyze(cut)
        is_clean = "left" not in analysis
    except ArtworkError as error:
        problem = Problem(error.message, error.remedy, isinstance(error, UnavailableError))
    except MemoryError:
        problem = Problem("it needs more memory than a section may use", "Raise limits.memory.", passes=False)
    except TilepressError:
        raise
    except Exception as error:  # hostile bytes find bugs in any library: they cost this section alone
        problem = _bug(error)
    seconds = time.monotonic() - began
    return Made(tuple(files), analysis, problem, seconds, peak_resident_bytes(), is_clean)


def _bug(error: Exception) -> Problem:
    """Return what is told of an error that nobody foresaw: which it is, and where it came up."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    return Problem(
        f"a bug in tilepress, or in what it reads PDFs with: {type(error).__name__}: {error} ({where})",
        "Report it, with the document if you can.",
        passes=False,
    )


def _files(work: SectionWork) -> Iterator[MadeFile]:
    """Yield the section's files, each when it is whole."""
    from tiles.pdf.cut import cut

    section, folder = work.section, work.folder
    pdf = folder / section.pdf
    yield MadeFile("pdf", cut(work.document, section.pages, section.title, pdf))
    if work.text:
        from tiles.pdf.text import write_text

        yield MadeFile("text", write_text(pdf, folder / section.text))
    if work.preview:
        from tiles.pdf.draw import thumbnail

        picture = thumbnail(pdf, 1, PREVIEW_PX)
        yield MadeFile("preview", write_atomically(folder / section.preview, lambda file: file.write(picture)))
    if work.images is not None:
        yield from _images(work, pdf, work.images)


def _images(work: SectionWork, pdf: Path, form: ImageForm) -> Iterator[MadeFile]:
    from tiles.pdf.draw import draw_page

    for position, page in enumerate(work.section.pages, 1):
        target = work.folder / work.section.image(position, form.format)
        try:
            made, size = draw_page(
                pdf, position, form.dpi, form.background, target, form.format, work.threads, form.max_pixels
            )
        except ArtworkError as error:
            raise ArtworkError(f"page {page}: {error.message}", error.remedy) from None
        yield MadeFile("page", made, page, size)


def _check_unchanged(work: SectionWork) -> None:
    try:
        stamp = stamp_of(work.document.path)
    except OSError:
        stamp = ()
    if stamp != work.stamp:
        raise ArtworkError("the document changed while it was read", "Run again when nobody writes to it.")
