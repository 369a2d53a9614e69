"""Cutting a section out of a document: its pages, and only what these need.

The document is changed in memory until nothing else can be reached, and that is written; what streams hold is copied
from file to file. Pages look and print as before: boxes, rotation, layers, forms, output intents. Links and bookmarks
within the section lead where they did. What spoke of the whole document goes: tags, scripts, attachments, metadata,
signatures, page labels, threads.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, ObjectStreamMode, String

from config.errors import ArtworkError
from tiles.pdf.document import opened, write_document
from tiles.pdf.forms import keep_fields, share
from tiles.pdf.links import Destinations, is_widget, keep_annotations
from tiles.pdf.objects import dictionaries, dictionary, drop, keys_of
from tiles.pdf.outline import outline_of, put_outline, within
from tiles.pdf.resources import Pruner
from tiles.pdf.values import Document
from tiles.sinks.sink import SheetFile

_ID_BYTES = 16
_OF_A_PAGE = {
    "/Annots", "/ArtBox", "/BleedBox", "/BoxColorInfo", "/Contents", "/CropBox", "/Group", "/MediaBox",
    "/OutputIntents", "/Resources", "/Rotate", "/Tabs", "/TrimBox", "/Type", "/UserUnit", "/VP",
}  # fmt: skip
_OF_THE_DOCUMENT = {
    "/AcroForm", "/Extensions", "/Lang", "/OCProperties", "/Outlines", "/OutputIntents", "/PageLayout", "/Pages",
    "/Type", "/Version", "/ViewerPreferences",
}  # fmt: skip
_PREFERENCES = ("/Direction", "/Duplex", "/PickTrayByPDFSize", "/PrintArea", "/PrintClip", "/PrintScaling", "/ViewArea",
                "/ViewClip")  # fmt: skip
_OF_THE_FILE = {"/Encrypt", "/ID", "/Info", "/Root", "/Size"}
_INFORMATION = ("/Author", "/Creator", "/Keywords", "/Producer", "/Subject")


def cut(document: Document, pages: Sequence[int], title: str, target: Path) -> SheetFile:
    """Write the document's `pages`, from 1, in that order, repeats included, as a PDF with this title.

    The file is not encrypted, appears whole or not at all, and has the same bytes whenever it is cut from the same
    content. Raises ArtworkError if the document cannot be read, or has no such pages.
    """
    with opened(document) as pdf:
        _check_pages(pages, len(pdf.pages))
        destinations = Destinations(pdf)
        sources = [page.obj for page in pdf.pages]
        placed: dict[int, Object] = {number: sources[number - 1] for number in pages}
        outline = within(outline_of(pdf, destinations), placed)
        _forget_others(sources, placed)
        chosen = _in_order(pdf, pages, sources)
        widgets = _keep_contents(pdf, chosen, destinations, placed)
        _plant(pdf, chosen)
        _keep_of_document(pdf)
        keep_fields(pdf, widgets)
        put_outline(pdf, outline)
        _describe(pdf, title, _identity(document, pages, title))
        # The identity is ours: qpdf's own would cost a third of the time, and its second half may be the same for all.
        return write_document(pdf, target, static_id=True, object_stream_mode=ObjectStreamMode.generate)


def _check_pages(pages: Sequence[int], count: int) -> None:
    if not pages:
        raise ArtworkError("a section has no pages", "Name the pages of every section.")
    for page in pages:
        if not 1 <= page <= count:
            raise ArtworkError(f"there is no page {page}; the document has {count:,}", "Mend the section's pages.")


def _forget_others(sources: Sequence[Object], placed: dict[int, Object]) -> None:
    """Empty the pages that are not wanted, so that nothing that still leads to one drags along what it holds."""
    for number, page in enumerate(sources, 1):
        if number not in placed:
            drop(page, *keys_of(page))


def _in_order(pdf: pikepdf.Pdf, pages: Sequence[int], sources: Sequence[Object]) -> list[Object]:
    """Return the section's pages; one that comes again is a copy, with annotations of its own."""
    chosen: list[Object] = []
    seen: set[int] = set()
    for number in pages:
        page = sources[number - 1]
        chosen.append(_copy(pdf, page) if number in seen else page)
        seen.add(number)
    return chosen


def _copy(pdf: pikepdf.Pdf, page: Object) -> Object:
    twin = _twin(pdf, page)
    annotations = list(dictionaries(page.get("/Annots")))
    for widget in filter(is_widget, annotations):
        share(pdf, widget)
    twin.Annots = Array(_twin(pdf, annotation) for annotation in annotations)
    return twin


def _twin(pdf: pikepdf.Pdf, original: Object) -> Object:
    return pdf.make_indirect(Dictionary({key: original[key] for key in keys_of(original)}))


def _keep_contents(
    pdf: pikepdf.Pdf, chosen: Sequence[Object], destinations: Destinations, placed: dict[int, Object]
) -> list[Object]:
    """Leave the pages what makes them up, and return the widgets on them."""
    pruner = Pruner()
    widgets: list[Object] = []
    for page in chosen:
        _leave(page, _OF_A_PAGE)
        annotations = keep_annotations(pdf, page, destinations, placed)
        pruner.prune(page, annotations)
        widgets += filter(is_widget, annotations)
    return widgets


def _plant(pdf: pikepdf.Pdf, chosen: Sequence[Object]) -> None:
    """Give the document a page tree of the section's pages."""
    tree = pdf.make_indirect(Dictionary(Type=Name.Pages, Kids=Array(chosen), Count=len(chosen)))
    for page in chosen:
        page.Parent = tree
    pdf.Root.Pages = tree


def _keep_of_document(pdf: pikepdf.Pdf) -> None:
    """Leave the document what decides how its pages look and print."""
    _leave(pdf.trailer, _OF_THE_FILE)
    _leave(pdf.Root, _OF_THE_DOCUMENT)
    preferences = dictionary(pdf.Root.get("/ViewerPreferences"))
    drop(pdf.Root, "/ViewerPreferences")
    if preferences is not None:
        pdf.Root.ViewerPreferences = Dictionary({key: preferences[key] for key in _PREFERENCES if key in preferences})


def _leave(holder: Object, keys: set[str]) -> None:
    drop(holder, *(key for key in keys_of(holder) if key not in keys))


def _describe(pdf: pikepdf.Pdf, title: str, identity: bytes) -> None:
    """Set the section's title and identity; who made the document stays."""
    former = dictionary(pdf.trailer.get("/Info"))
    information = Dictionary(Title=String(title))
    if former is not None:
        for key in _INFORMATION:
            value = former.get(key)
            if isinstance(value, String):
                information[key] = value
    pdf.trailer.Info = pdf.make_indirect(information)
    pdf.trailer.ID = Array([String(identity), String(identity)])


def _identity(document: Document, pages: Sequence[int], title: str) -> bytes:
    """Return what is the same for the same section, and for no other."""
    text = json.dumps([document.sha256, list(pages), title])
    return hashlib.sha256(text.encode("utf-8")).digest()[:_ID_BYTES]
