"""Leaving pages only the fonts, images and other resources that they draw with.

Documents are made in which every page lists every image of them all. What a page needs is told by the names that stand
in its content, and in what that draws. More is kept than may be needed, never less.
"""

from collections.abc import Iterable, Iterator

from pikepdf import Dictionary, Name, Object, Stream

from tiles.pdf.content import names_in
from tiles.pdf.objects import DIRECT, Identity, dictionary, drop, items, keys_of

_KINDS = ("/ColorSpace", "/ExtGState", "/Font", "/Pattern", "/Properties", "/Shading", "/XObject")
_IMPLIED = {"/DefaultCMYK", "/DefaultGray", "/DefaultRGB"}  # colour spaces that are used without being named
_PRIVATE = ("/AF", "/Metadata", "/PieceInfo", "/StructParent", "/StructParents")  # nobody draws with them


class Pruner:
    """Takes from pages what they do not draw with. An object that several share is pruned once, for them all."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._seen: set[Identity] = set()
        self._waiting: list[Object] = []

    def prune(self, page: Object, annotations: Iterable[Object]) -> None:
        """Leave a page, its annotations' appearances, and all that these draw, what they need."""
        appearances = [stream for annotation in annotations for stream in _appearances(annotation)]
        self._prune_own(page, [*_contents(page), *(stream for form in appearances for stream in self._enter(form))])
        while self._waiting:
            owner = self._waiting.pop()
            self._prune_own(owner, list(_contents(owner)))

    def _prune_own(self, owner: Object, contents: list[Stream]) -> None:
        """Give an owner of resources a list of its own, of those that stand in the contents."""
        listed = dictionary(owner.get("/Resources"))
        if listed is None:
            return
        kinds = {kind: named for kind in _KINDS if (named := dictionary(listed.get(kind))) is not None}
        kept: dict[str, dict[str, Object]] = {kind: {} for kind in kinds}
        waiting = list(contents)
        names: set[str] = set()
        fresh = set(_IMPLIED)
        while True:
            for kind, name, value in _drawn_with(kinds, fresh):
                kept[kind][name] = value
                waiting.extend(self._enter(value))
            names |= fresh
            if not waiting:
                break
            found = names_in(waiting.pop())
            fresh = (_all_names(kinds) if found is None else found) - names
        pruned = Dictionary({kind: Dictionary(values) for kind, values in kept.items() if values})
        if "/ProcSet" in listed:
            pruned.ProcSet = listed.ProcSet
        owner["/Resources"] = pruned

    def _enter(self, value: Object) -> Iterator[Stream]:
        """Note what is to be pruned later, and yield what draws with the resources of its user."""
        for owner in _drawing(value):
            if owner.objgen not in self._seen or owner.objgen == DIRECT:
                self._seen.add(owner.objgen)
                drop(owner, *_PRIVATE)
                if isinstance(owner.get("/Resources"), Dictionary):
                    self._waiting.append(owner)
            if owner.get("/Resources") is None:
                yield from _contents(owner)


def _drawn_with(kinds: dict[str, Object], names: Iterable[str]) -> Iterator[tuple[str, str, Object]]:
    for name in sorted(names):
        for kind, listed in kinds.items():
            if name in listed:
                yield kind, name, listed[name]


def _all_names(kinds: dict[str, Object]) -> set[str]:
    return {name for listed in kinds.values() for name in keys_of(listed)}


def _drawing(value: object) -> Iterator[Object]:
    """Yield what a resource draws with: itself, or what it refers to, if that is or has content; images, too."""
    if isinstance(value, Stream):
        yield value
    elif isinstance(value, Dictionary):
        if "/CharProcs" in value:
            yield value
        mask = dictionary(value.get("/SMask"))  # of a graphics state, as is a font with its size
        if mask is not None and isinstance(mask.get("/G"), Stream):
            yield mask.G
        for part in items(value.get("/Font"))[:1]:
            yield from _drawing(part)


def _contents(owner: Object) -> Iterator[Stream]:
    """Yield the content streams of a page, a form, a pattern or a Type 3 font; none of an image."""
    if isinstance(owner, Stream):
        if owner.get("/Subtype") != Name.Image:
            yield owner
        return
    contents = owner.get("/Contents")
    if "/CharProcs" in owner:
        yield from _streams(owner.get("/CharProcs"))
    elif isinstance(contents, Stream):
        yield contents
    else:
        yield from (part for part in items(contents) if isinstance(part, Stream))


def _appearances(annotation: Object) -> Iterator[Stream]:
    """Yield the appearance streams of an annotation: one for each manner, or for each state of it."""
    for manner in _values(annotation.get("/AP")):
        if isinstance(manner, Stream):
            yield manner
        yield from _streams(manner)


def _streams(value: object) -> Iterator[Stream]:
    """Yield the streams in a dictionary; nothing for anything else."""
    yield from (part for part in _values(value) if isinstance(part, Stream))


def _values(value: object) -> Iterator[object]:
    holder = dictionary(value)
    if holder is not None:
        yield from (holder[key] for key in keys_of(holder))
