"""Opening a PDF with qpdf, what it says of itself, and a sound copy of one that is damaged."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pikepdf
from pikepdf import StreamDecodeLevel
from pikepdf.exceptions import PikepdfWarning

from config.errors import ArtworkError
from config.pageranges import LARGEST_PAGE
from tiles.pdf.content import decoded
from tiles.pdf.links import Destinations
from tiles.pdf.outline import outline_of
from tiles.pdf.values import Bookmark, Document, Survey
from tiles.pdf.wording import one_line, text_of
from tiles.sinks.sink import AtomicFile, SheetFile, write_atomically

_EXPORT_AGAIN = "Export the document again."
_HEAD_BYTES = 1024  # where Acrobat and pdfium, too, look for the header
_MAX_XMP_BYTES = 4 << 20
_MOST_REPAIRS = 5
_LONGEST_REASON = 120
_WHERE = re.compile(r"object \d+|trailer|xref stream|xref table")
_REBUILT = "its table of objects was damaged and has been rebuilt"
_REBUILDING = {
    "file is damaged",
    "can't find startxref",
    "Attempting to reconstruct cross-reference table",
    "xref not found",
}
_XMP = {"dc": "http://purl.org/dc/elements/1.1/", "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#"}
# What qpdf and pikepdf raise over content that is not what it should be; OSErrors are the disk's.
_BAD_CONTENT = (
    pikepdf.exceptions.PikepdfError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
)


@contextmanager
def opened(document: Document) -> Iterator[pikepdf.Pdf]:
    """Yield the document, which has at least one page; it may be changed in memory, and is closed at the end.

    Whatever goes wrong with its content, here or in the block, is an ArtworkError. OSError is the disk's.
    """
    _check_head(document.path)
    with _explained(document.path), _unlocked(document) as pdf:
        if not len(pdf.pages):
            raise ArtworkError("the PDF has no pages", _EXPORT_AGAIN)
        yield pdf


def survey(document: Document) -> Survey:
    """Return what a document says of itself; raise ArtworkError if it cannot be opened."""
    with opened(document) as pdf:
        destinations = Destinations(pdf)
        marks = tuple(
            Bookmark(entry.title, entry.level, entry.destination.page)
            for entry in outline_of(pdf, destinations)
            if entry.destination is not None
        )
        pages, repairs = len(pdf.pages), _repairs(pdf, document.path)
        lost = max(0, _stated_pages(document) - pages) if repairs else 0
        if lost:
            repairs = (f"it says it has {pages + lost:,} pages, and {pages:,} can be read", *repairs)
        return Survey(pages, _title(pdf), pdf.is_encrypted, marks, repairs, lost)


def mend(document: Document, target: Path) -> None:
    """Write a sound copy of a document, not encrypted, to `target`, which appears whole or not at all.

    Streams are copied as they are. Raises ArtworkError if it cannot be opened.
    """
    with opened(document) as pdf:
        write_document(pdf, target, deterministic_id=True)


def write_document(pdf: pikepdf.Pdf, target: Path, **options: Any) -> SheetFile:
    """Write a document, not encrypted, streams as they are; it appears whole or not at all. Takes pikepdf's options."""
    pdf.trailer.Size = 0  # qpdf fills it in, but only where a damaged document has not lost it

    def fill(file: AtomicFile) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PikepdfWarning)  # of fields that the document's form does not know either
            pdf.save(
                _Output(file),  # type: ignore[arg-type]  # qpdf appends, and asks for no more
                stream_decode_level=StreamDecodeLevel.none,
                fix_metadata_version=False,
                preserve_pdfa=False,  # which would decode streams, to make them what they may not have been
                encryption=False,
                **options,
            )

    return write_atomically(target, fill)


class _Output:
    """An AtomicFile as pikepdf writes to it: from front to back."""

    def __init__(self, file: AtomicFile) -> None:
        self._file = file

    def write(self, data: memoryview) -> int:
        self._file.write(data)
        return len(data)

    def tell(self) -> int:
        return self._file.position

    def seek(self, offset: int, whence: int = 0) -> int:
        raise ValueError(f"a seek to {offset}, {whence}, where only appending is meant")

    def flush(self) -> None:
        """Leave it to the file, which is flushed when it is committed."""


def _check_head(path: Path) -> None:
    """Raise ArtworkError for what no reader would take for a PDF: qpdf would search it from end to end."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise ArtworkError("the file is empty", _EXPORT_AGAIN)
    if b"%PDF-" not in head:
        raise ArtworkError("the content is no PDF", "Send a PDF.")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what is raised over a document's content into a reason against it."""
    try:
        yield
    except RecursionError as error:
        raise ArtworkError("the PDF cannot be read: it is nested too deeply", _EXPORT_AGAIN) from error
    except _BAD_CONTENT as error:
        raise ArtworkError(f"the PDF cannot be read: {_plain(str(error), path)}", _EXPORT_AGAIN) from error


@contextmanager
def _unlocked(document: Document, *, inherit_page_attributes: bool = True) -> Iterator[pikepdf.Pdf]:
    """Yield the document, opened with no password if none is needed, else with its own, however that is encoded."""
    for password in _spellings(document.password):
        try:
            pdf = pikepdf.open(document.path, password=password, inherit_page_attributes=inherit_page_attributes)
        except pikepdf.PasswordError:
            continue
        except pikepdf.PdfError as error:
            raise _refusal(_plain(str(error), document.path)) from error
        with pdf:
            yield pdf
        return
    remedy = "Set the job's password from an environment variable: password: ${PDF_PASSWORD}"
    if document.password:
        raise ArtworkError("the PDF is encrypted, and the password given does not open it", "Check the password.")
    raise ArtworkError("the PDF is encrypted, and no password is given for it", remedy)


def _spellings(password: str) -> list[bytes]:
    """Return no password, for what only its owner may change opens without; then as PDF 2.0 and PDF 1.7 encode it."""
    spellings = [b"", password.encode("utf-8", "surrogateescape"), password.encode("latin-1", "replace")]
    return list(dict.fromkeys(spellings))


def _refusal(reason: str) -> ArtworkError:
    """Return what it means that qpdf does not open a file; it tells its reasons in words only."""
    if "encrypt" in reason.lower() or "security handler" in reason:
        return ArtworkError("the PDF is encrypted in a way that is not supported", "Export it without encryption.")
    return ArtworkError(f"the PDF is damaged beyond repair: {reason}", _EXPORT_AGAIN)


def _stated_pages(document: Document) -> int:
    """Return how many pages a document says it has, before qpdf has counted them."""
    with _explained(document.path), _unlocked(document, inherit_page_attributes=False) as pdf:
        tree = pdf.Root.get("/Pages")
        count = tree.get("/Count") if isinstance(tree, pikepdf.Dictionary) else None
        return min(count, LARGEST_PAGE) if isinstance(count, int) else 0


def _title(pdf: pikepdf.Pdf) -> str:
    """Return a document's title on one line, from its information dictionary, else from its XMP; "" if it has none."""
    information = pdf.trailer.get("/Info")
    title = text_of(information.get("/Title")) if isinstance(information, pikepdf.Dictionary) else ""
    return one_line(title) or one_line(_xmp_title(pdf.Root.get("/Metadata")))


def _xmp_title(metadata: object) -> str:
    if not isinstance(metadata, pikepdf.Stream):
        return ""
    chunks = decoded(metadata, _MAX_XMP_BYTES)
    try:
        packet = ElementTree.fromstring(b"".join(chunks))  # expat bounds what entities may expand to
    except (ElementTree.ParseError, *_BAD_CONTENT):
        return ""
    return next((entry.text or "" for entry in packet.iterfind(".//dc:title/rdf:Alt/rdf:li", _XMP)), "")


def _repairs(pdf: pikepdf.Pdf, path: Path) -> tuple[str, ...]:
    """Return what qpdf had to mend, each thing once, the rest of a long list counted."""
    said = [_plain(str(warning), path) for warning in pdf.get_warnings()]
    repairs = list(dict.fromkeys(_REBUILT if line in _REBUILDING else line for line in said))
    if len(repairs) > _MOST_REPAIRS:
        repairs[_MOST_REPAIRS - 1 :] = [f"and {len(repairs) - _MOST_REPAIRS + 1:,} more"]
    return tuple(repairs)


def _plain(message: str, path: Path) -> str:
    """Return what qpdf says without the file's name and offsets: `object 5: expected endobj`."""
    message = one_line(message.removeprefix(str(path)))
    place, colon, reason = message.partition(": ")
    where = _WHERE.search(place)
    if not colon or not (where or place.startswith(("(", ",")) or not place):
        reason, where = message.lstrip(": "), None
    reason = f"{where[0]}: {reason}" if where else reason
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[: _LONGEST_REASON - 1]}…"
