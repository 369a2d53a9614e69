"""Documents: found in the library, hashed, looked at in a child, and mended first if they are damaged."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

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
    store, library = bindery.context.store, bindery.library
    library.check()
    mended = store.scratch("mended.pdf")
    with storing(store.root):
        try:
            with watch.step("fetch"), bindery.looking() as bench:
                path = library.locate(reference)
                if not is_text(str(path)):
                    raise ArtworkError("its name is no UTF-8 text; rename it")
                try:
                    size, stamp = path.stat().st_size, stamp_of(path)
                    library.limits.check_bytes(size)
                    looking = bench.submit(survey_document, path, bindery.job.password or "")
                    document = Document(hash_file(path), path, bindery.job.password or "")
                except OSError as error:
                    raise ArtworkError(f"cannot be read: {error.strerror}") from None
                survey = looking.result()
                found = OpenDocument(public(reference), document.sha256, size, document, stamp, survey)
                if survey.repairs:
                    bench.submit(mend_document, document, mended).result()
                    log.warning(
                        f"{found.name} is damaged, and was mended: {'; '.join(survey.repairs)}",
                        extra={"document": found.name, "repairs": survey.repairs},
                    )
                    copy = replace(document, path=mended, password="")
                    found = replace(found, source=copy, stamp=stamp_of(mended))
                bench.close()
            yield found
        finally:
            mended.unlink(missing_ok=True)
