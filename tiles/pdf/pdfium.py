"""Opening PDFs with pdfium, and what its refusals mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pypdfium2
from pypdfium2 import raw

from config.errors import ArtworkError

_DAMAGED_REMEDY = "Export the document again."


@contextmanager
def opened_pages(path: Path, password: str = "") -> Iterator[pypdfium2.PdfDocument]:
    """Yield the document at `path`, opened for reading; it is closed at the end.

    pdfium is not made for threads: one uses the document at a time, and nothing else of pdfium's meanwhile. Form fields
    can be drawn: the document's `formenv`, None for one without a form, is there before any page is.

    Raises ArtworkError if it cannot be opened or has no pages; OSError if there is no such file.
    """
    with path.open("rb"):  # the disk's own error, where pdfium would speak of a bad file
        pass
    raw.FPDF_LoadDocument(b"\0", None)  # pdfium's last error stays for good: make it one that cannot be meant
    try:
        document = pypdfium2.PdfDocument(path, password or None)
        document.init_forms()
    except pypdfium2.PdfiumError as error:
        raise _meaning(error.err_code, bool(password)) from None
    try:
        yield document
    finally:
        document.close()


def _meaning(code: int | None, has_password: bool) -> ArtworkError:
    """Return what it means that pdfium does not open a document."""
    if code == raw.FPDF_ERR_PASSWORD:
        if has_password:
            return ArtworkError("the PDF is encrypted, and the password given does not open it")
        return ArtworkError("the PDF is encrypted, and no password is given for it")
    if code == raw.FPDF_ERR_SECURITY:
        return ArtworkError("the PDF is encrypted in a way that is not supported", "Export it without encryption.")
    if code == raw.FPDF_ERR_FILE:
        return ArtworkError("the PDF has no pages", _DAMAGED_REMEDY)
    return ArtworkError("the PDF cannot be opened: it is damaged, or is no PDF", _DAMAGED_REMEDY)
