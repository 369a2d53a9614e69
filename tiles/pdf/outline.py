"""A document's outline: its bookmarks in their order, and the part of it that belongs to some of its pages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pikepdf
from pikepdf import Array, Dictionary, Object

from tiles.pdf.links import Destination, Destinations
from tiles.pdf.objects import DIRECT, Identity, dictionary, drop
from tiles.pdf.wording import one_line, text_of

MOST_ENTRIES = 100_000
_STYLE = ("/C", "/F")  # colour, and whether bold or italic


@dataclass(frozen=True, slots=True)
class Entry:
    """A bookmark. `level` is 1 for the outermost; `destination` is None if it leads to no page of the document."""

    level: int
    destination: Destination | None
    item: Object

    @property
    def title(self) -> str:
        """What it says, on one line."""
        return one_line(text_of(self.item.get("/Title")))


@dataclass(frozen=True, slots=True)
class Kept:
    """A bookmark of a section, and the index of the one that it stands below, -1 for none.

    That is the nearest of those it stood below which is kept, too.
    """

    item: Dictionary
    parent: int


def outline_of(pdf: pikepdf.Pdf, destinations: Destinations) -> Iterator[Entry]:
    """Yield a document's bookmarks in their order.

    An outline that bites its tail ends there, and an endless one after MOST_ENTRIES.
    """
    outlines = dictionary(pdf.Root.get("/Outlines"))
    waiting: list[tuple[object, int]] = [] if outlines is None else [(outlines.get("/First"), 1)]
    seen: set[Identity] = set()
    while waiting and len(seen) < MOST_ENTRIES:
        found, level = waiting.pop()
        item = dictionary(found)
        if item is None or item.objgen in seen or item.objgen == DIRECT:
            continue
        seen.add(item.objgen)
        waiting.append((item.get("/Next"), level))
        waiting.append((item.get("/First"), level + 1))
        yield Entry(level, destinations.of(item), item)


def within(entries: Iterable[Entry], placed: Mapping[int, Object]) -> list[Kept]:
    """Return the entries that lead to the pages of a section, which `placed` has by their numbers in the document."""
    kept: list[Kept] = []
    above: list[tuple[int, int]] = []  # level, and index among the kept, of what the next entry may stand below
    for entry in entries:
        while above and above[-1][0] >= entry.level:
            above.pop()
        page = None if entry.destination is None else placed.get(entry.destination.page)
        if entry.destination is not None and page is not None:
            kept.append(Kept(_item(entry, entry.destination.on(page)), above[-1][1] if above else -1))
            above.append((entry.level, len(kept) - 1))
    return kept


def put_outline(pdf: pikepdf.Pdf, kept: Sequence[Kept]) -> None:
    """Give a document an outline of these entries, all shown; none if there are none."""
    if not kept:
        drop(pdf.Root, "/Outlines")
        return
    root = pdf.make_indirect(Dictionary(Type=pikepdf.Name.Outlines))
    items = [pdf.make_indirect(entry.item) for entry in kept]
    kids: dict[int, list[Dictionary]] = {}
    for item, entry in zip(items, kept, strict=True):
        kids.setdefault(entry.parent, []).append(item)
    counts = [0] * len(kept)
    for index in range(len(kept) - 1, -1, -1):  # parents stand before their children
        parent = kept[index].parent
        if parent >= 0:
            counts[parent] += 1 + counts[index]
    for parent, children in kids.items():
        above = items[parent] if parent >= 0 else root
        above.First, above.Last = children[0], children[-1]
        above.Count = counts[parent] if parent >= 0 else len(kept)
        for child in children:
            child.Parent = above
        for former, following in pairwise(children):
            former.Next, following.Prev = following, former
    pdf.Root.Outlines = root


def _item(entry: Entry, destination: Array) -> Dictionary:
    item = Dictionary(Title=pikepdf.String(entry.title), Dest=destination)
    for key in _STYLE:
        value = entry.item.get(key)
        if value is not None:
            item[key] = value
    return item
