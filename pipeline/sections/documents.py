"""Documents: found in the library, hashed, looked at in a child, and mended first if they are damaged."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from config.errors import ArtworkError
from pipeline.context import Stopwatch
from pipeline.delivery import storing
from pipeline.sections.bindery import Bindery, public
from pipeline.sources import is_text
from tiles.pdf.values import Document, Survey
from tiles.store import hash_file, stamp_of
from tiles.tasks import mend_document, survey_document

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """A document that was looked at. `name` is what it is called where anyone may read it, `sha256` its own.

    `source` is what sections are cut from: the document itself, or a mended copy of it; `stamp` is that file's.
    """

    name: str
    sha256: str
    bytes: int
    source: Document
    stamp: tuple[int, ...]
    survey: Survey


@contextmanager
def opened_document(reference: str, bindery: Bindery, watch: Stopwatch) -> Iterator[OpenDocument]:
    """Open the document that the job refers to so; a mended copy is removed at the end.

    Raises ArtworkError if there is none, or it cannot be used.
    """
    library = bindery.library
    library.check()
    mended = bindery.context.store.scratch("mended.pdf")
    try:
        with watch.step("fetch"), storing(bindery.context.store.root):
            found = _look(reference, bindery, mended)
        yield found
    finally:
        mended.unlink(missing_ok=True)


def _look(reference: str, bindery: Bindery, mended: Path) -> OpenDocument:
    """Find a document, have a child look at it while it is hashed, and mend it into `mended` if it is damaged."""
    name, password = public(reference), bindery.job.password or ""
    path = bindery.library.locate(reference)
    if not is_text(str(path)):
        raise ArtworkError("its name is no UTF-8 text; rename it")
    with bindery.looking() as bench:
        try:
            size, stamp = path.stat().st_size, stamp_of(path)
            bindery.library.limits.check_bytes(size)
            looking = bench.submit(survey_document, path, password)
            document = Document(hash_file(path), path, password)
        except OSError as error:
            raise ArtworkError(f"cannot be read: {error.strerror}") from None
        survey = looking.result()
        if not survey.repairs:
            return OpenDocument(name, document.sha256, size, document, stamp, survey)
        log.warning(
            f"{name} is damaged, and is mended: {'; '.join(survey.repairs)}",
            extra={"document": name, "repairs": survey.repairs},
        )
        bench.submit(mend_document, document, mended).result()
        copy = replace(document, path=mended, password="")
        return OpenDocument(name, document.sha256, size, copy, stamp_of(mended), survey)
