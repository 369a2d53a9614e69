"""The fonts and images that a PDF's pages can reach: in forms, patterns, glyphs, masks and annotations as well."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pikepdf

from tiles.pdf.images import Stored, stored_image
from tiles.pdf.tree import entries, entry, inherited, items_of, name_of

MAX_REACHED = 50_000  # looked at in a section; each takes some microseconds
_MAX_NAME = 100  # characters: the trade's font names have up to 60
_SUBSET = re.compile(r"^[A-Z]{6}\+")
_FONT_FILES = ("/FontFile", "/FontFile2", "/FontFile3")
_FONT_TYPES = ("Type0", "Type1", "MMType1", "TrueType", "Type3")


@dataclass(frozen=True, slots=True)
class Font:
    """A font; its name without the prefix that marks a subset.

    `type` is Type0, Type1, MMType1, TrueType, Type3 or unknown. It is `embedded` if its glyphs are in the PDF.
    """

    name: str
    type: str
    embedded: bool
    subset: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """How a font is reached: the first page that can, from 1, and whether by other ways than a page's own content."""

    page: int
    aside: bool


class Reachable:
    """What the pages looked at so far can reach. `complete` is False if there is more than `MAX_REACHED`."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.fonts: dict[Font, Reach] = {}
        self.images: list[Stored] = []
        self.complete = True
        self._seen: set[tuple[int, int]] = set()
        self._left = MAX_REACHED

    def add_page(self, page: pikepdf.Dictionary, number: int) -> None:
        """Look at what a page can reach and none before it could."""
        pending: list[tuple[_Step, bool]] = [((_resources, inherited(page, "/Resources")), False)]
        pending += [((_appearances, annotation), True) for annotation in items_of(entry(page, "/Annots"))]
        while pending:
            if not self._left:
                self.complete = False
                return
            self._left -= 1
            (look, value), aside = pending.pop()
            self._keep(look, value, number, aside)
            if self._is_new(value):
                pending.extend((step, aside or step[0] in _ASIDE) for step in look(value))

    def _keep(self, look: "_Look", value: Any, number: int, aside: bool) -> None:
        if look is _font and isinstance(value, pikepdf.Dictionary):
            font = font_of(value)
            former = self.fonts.get(font, Reach(number, aside))
            self.fonts[font] = Reach(former.page, former.aside or aside)
        elif look is _external and name_of(entry(value, "/Subtype")) == "Image":
            image = stored_image(value)
            if image is not None:
                self.images.append(image)

    def _is_new(self, value: Any) -> bool:
        """Whether something has not been looked at; what is not an object of its own cannot lead back to itself."""
        if not isinstance(value, pikepdf.Object):
            return False
        if not value.is_indirect:
            return True
        is_new = value.objgen not in self._seen
        self._seen.add(value.objgen)
        return is_new


def font_of(font: pikepdf.Dictionary) -> Font:
    """Return what a font's dictionary says; that of a Type0 font is told by its descendant."""
    kind = name_of(entry(font, "/Subtype"))
    kind = kind if kind in _FONT_TYPES else "unknown"
    described = next(iter(items_of(entry(font, "/DescendantFonts"))), None) if kind == "Type0" else font
    descriptor = entry(described, "/FontDescriptor")
    name = name_of(entry(font, "/BaseFont")) or name_of(entry(descriptor, "/FontName")) or name_of(entry(font, "/Name"))
    embedded = kind == "Type3" or any(isinstance(entry(descriptor, key), pikepdf.Stream) for key in _FONT_FILES)
    short = _SUBSET.sub("", name)
    return Font(short[:_MAX_NAME] or "without a name", kind, embedded, short != name)


# What is behind something, with how to look at it. A look is given anything, and takes what it can.


def _resources(value: Any) -> "Iterator[_Step]":
    for key, look in _KINDS:
        for resource in entries(entry(value, key)):
            yield look, resource


def _external(value: Any) -> "Iterator[_Step]":
    yield _resources, entry(value, "/Resources")


def _font(value: Any) -> "Iterator[_Step]":
    yield _glyphs, entry(value, "/Resources")  # of Type3


def _glyphs(value: Any) -> "Iterator[_Step]":
    return _resources(value)


def _pattern(value: Any) -> "Iterator[_Step]":
    return _external(value)


def _state(value: Any) -> "Iterator[_Step]":
    yield _external, entry(entry(value, "/SMask"), "/G")
    for font in items_of(entry(value, "/Font"))[:1]:
        yield _font, font


def _appearances(value: Any) -> "Iterator[_Step]":
    normal = entry(entry(value, "/AP"), "/N")
    yield _external, normal
    for state in entries(normal):
        yield _external, state


_Look = Callable[[Any], "Iterator[tuple[_Look, Any]]"]
_Step = tuple[_Look, Any]
_KINDS: tuple[tuple[str, _Look], ...] = (
    ("/Font", _font), ("/XObject", _external), ("/Pattern", _pattern), ("/ExtGState", _state),
)  # fmt: skip
_ASIDE = (_glyphs, _pattern, _state)  # what is behind them is not among the objects of a page
