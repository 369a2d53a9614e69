"""Where links and bookmarks lead, and what becomes of a page's annotations when it leaves its document."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, String

from tiles.pdf.objects import DIRECT, Identity, dictionaries, dictionary, drop, items, keys_of

_MAX_NAMES = 1_000_000
_MAX_NODES = 100_000
_MAX_ALIASES = 8
_MAX_VIEW = 5  # numbers and names after the page: /FitR with its four
_KEPT_ACTIONS = {"/URI", "/GoToR", "/Named", "/SetOCGState"}
# Scripts, files within the file, sounds, films, tags, and what led to its page; of it only the appearance is left.
_LEFT_BEHIND = (
    "/A", "/AA", "/AF", "/Dest", "/FS", "/Movie", "/PA", "/RichMediaContent", "/RichMediaSettings", "/Sound",
    "/StructParent", "/3DA", "/3DD", "/3DV",
)  # fmt: skip
_OTHER_ANNOTATIONS = ("/IRT", "/Popup")


@dataclass(frozen=True, slots=True)
class Destination:
    """A place in a document: its page, from 1, in an array that also says how to show it."""

    page: int
    target: Array

    def on(self, page: Object) -> Array:
        """Return the same place on another page; of how to show it, only names and numbers are taken over."""
        view = items(self.target)[1 : _MAX_VIEW + 1]
        plain = (part if isinstance(part, Name) or not isinstance(part, Object) else None for part in view)
        return Array([page, *plain])


class Destinations:
    """The places of a document that links and bookmarks lead to, by page or by name.

    It knows pages by their identity, so that they may be changed meanwhile. The names are read when first needed.
    """

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        """Take the document's pages as they are numbered now."""
        self._root = pdf.Root
        self._numbers = {page.obj.objgen: number for number, page in enumerate(pdf.pages, 1)}
        self._names: dict[bytes, object] | None = None

    def of(self, holder: Object) -> Destination | None:
        """Return where a link or a bookmark leads; None if that is no page of this document."""
        target: object = holder.get("/Dest")
        if target is None:
            action = dictionary(holder.get("/A"))
            if action is None or action.get("/S") != Name.GoTo:
                return None
            target = action.get("/D")
        for _ in range(_MAX_ALIASES):
            if isinstance(target, Array):
                return self._explicit(target)
            if isinstance(target, Dictionary):
                target = target.get("/D")
            elif isinstance(target, Name | String):
                target = self._named(bytes(target).removeprefix(b"/") if isinstance(target, Name) else bytes(target))
            else:
                return None
        return None

    def _explicit(self, target: Array) -> Destination | None:
        page: object = target[0] if len(target) else None
        if isinstance(page, Dictionary):
            number = self._numbers.get(page.objgen)
        else:  # the page's index, as links to other files have it
            number = page + 1 if isinstance(page, int) and 0 <= page < len(self._numbers) else None
        return None if number is None else Destination(number, target)

    def _named(self, name: bytes) -> object:
        if self._names is None:
            self._names = dict(_old_names(self._root)) | dict(_name_tree(self._root))
        return self._names.get(name)


def keep_annotations(
    pdf: pikepdf.Pdf, page: Object, destinations: Destinations, placed: Mapping[int, Object]
) -> list[Object]:
    """Leave a page its annotations, with nothing that leads out of the section, and return them.

    `placed` has the section's pages by their numbers in the document. A link to one of them leads there; another
    stays, and is drawn, but leads nowhere. All become objects of their own, so that fields can name them.
    """
    found = [pdf.make_indirect(item) if item.objgen == DIRECT else item for item in dictionaries(page.get("/Annots"))]
    annotations = list({item.objgen: item for item in found}.values())
    own = {item.objgen for item in annotations}
    for annotation in annotations:
        _detach(annotation, destinations, placed)
        _keep_company(annotation, own)
        annotation.P = page
    drop(page, "/Annots")
    if annotations:
        page.Annots = Array(annotations)
    return annotations


def is_widget(annotation: Object) -> bool:
    """Tell whether an annotation shows a form field."""
    return bool(annotation.get("/Subtype") == Name.Widget)


def _detach(annotation: Object, destinations: Destinations, placed: Mapping[int, Object]) -> None:
    """Have an annotation lead to a page of the section or out of the document, or nowhere."""
    destination = destinations.of(annotation)
    action = dictionary(annotation.get("/A"))
    drop(annotation, *_LEFT_BEHIND)
    if destination is not None:
        if destination.page in placed:
            annotation.Dest = destination.on(placed[destination.page])
    elif action is not None and str(action.get("/S")) in _KEPT_ACTIONS:
        drop(action, "/Next")
        annotation.A = action


def _keep_company(annotation: Object, own: set[Identity]) -> None:
    """Part an annotation from those that are not on its page. A field's parents are the form's affair."""
    others = _OTHER_ANNOTATIONS if is_widget(annotation) else (*_OTHER_ANNOTATIONS, "/Parent")
    for key in others:
        other = dictionary(annotation.get(key))
        if other is None or other.objgen not in own:
            drop(annotation, key)


def _old_names(root: Object) -> Iterator[tuple[bytes, object]]:
    """Yield the names of PDF 1.1."""
    names = dictionary(root.get("/Dests"))
    if names is not None:
        for key in keys_of(names):
            yield key.encode("utf-8", "surrogateescape").removeprefix(b"/"), names[key]


def _name_tree(root: Object) -> Iterator[tuple[bytes, object]]:
    """Yield the names of PDF 1.2 and later; what is not as it should be is passed over."""
    names = dictionary(root.get("/Names"))
    waiting: list[object] = [] if names is None else [names.get("/Dests")]
    seen: set[Identity] = set()
    count = 0
    while waiting and len(seen) < _MAX_NODES and count < _MAX_NAMES:
        node = dictionary(waiting.pop())
        if node is None or node.objgen in seen:
            continue
        if node.objgen != DIRECT:
            seen.add(node.objgen)
        waiting.extend(items(node.get("/Kids")))
        pairs = items(node.get("/Names"))
        count += len(pairs) // 2
        for key, value in zip(pairs[::2], pairs[1::2], strict=False):
            if isinstance(key, String):
                yield bytes(key), value
