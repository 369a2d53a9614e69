"""The form of a section: the fields that are shown on its pages, with what they inherit."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pikepdf
from pikepdf import Array, Dictionary, Object, String

from tiles.pdf.objects import DIRECT, Identity, dictionary, drop, items

_MAX_DEPTH = 64
_LEFT_BEHIND = ("/AA", "/Lock", "/SV")  # scripts, and what signatures lock: the document they vouch for is gone
_OF_THE_FIELD = ("/DA", "/DS", "/DV", "/FT", "/Ff", "/MaxLen", "/Opt", "/Parent", "/Q", "/RV", "/T", "/TM", "/TU", "/V")
_KEPT = ("/DA", "/NeedAppearances", "/Q")
_FONT_NAME = re.compile(rb"/([^\s()<>\[\]{}/%]+)")


@dataclass(slots=True)
class _Node:
    """A field that stands above others: which of those below it are kept."""

    above: Object
    kids: dict[Identity, Object] = field(default_factory=dict)


def keep_fields(pdf: pikepdf.Pdf, widgets: Sequence[Object]) -> None:
    """Leave a document the fields that these widgets show; scripts, signatures and XFA go, appearances stay."""
    roots, nodes = _climb(widgets)
    for node in nodes:
        _keep_kids(node)
    for part in (*widgets, *(node.above for node in nodes)):
        _disarm(part)
    former = dictionary(pdf.Root.get("/AcroForm"))
    drop(pdf.Root, "/AcroForm")
    if not roots:
        return
    form = Dictionary(Fields=Array(roots))
    if former is not None:
        for key in _KEPT:
            if key in former:
                form[key] = former[key]
        fonts = _fonts(former, (*widgets, *(node.above for node in nodes), former))
        if fonts is not None:
            form.DR = fonts
    pdf.Root.AcroForm = pdf.make_indirect(form)


def share(pdf: pikepdf.Pdf, widget: Object) -> None:
    """Part a widget from the field that it is as well, so that another can show the same field."""
    if "/T" not in widget:
        return
    above = Dictionary()
    for key in _OF_THE_FIELD:
        if key in widget:
            above[key] = widget[key]
            del widget[key]
    widget.Parent = pdf.make_indirect(above)


def _climb(widgets: Iterable[Object]) -> tuple[list[Object], list[_Node]]:
    """Return the outermost fields above the widgets, and every field that stands above another."""
    roots: dict[Identity, Object] = {}
    nodes: dict[Identity, _Node] = {}
    for widget in widgets:
        below, passed = widget, {widget.objgen}
        while True:
            above = dictionary(below.get("/Parent"))
            if above is None or above.objgen in passed or above.objgen == DIRECT or len(passed) > _MAX_DEPTH:
                drop(below, "/Parent")
                roots[below.objgen] = below
                break
            known = above.objgen in nodes
            nodes.setdefault(above.objgen, _Node(above)).kids[below.objgen] = below
            if known:
                break
            passed.add(above.objgen)
            below = above
    return list(roots.values()), list(nodes.values())


def _keep_kids(node: _Node) -> None:
    """Leave a field those of its kids that are kept, in their order, and what it says of each of them."""
    options = items(node.above.get("/Opt"))
    former = [kid.objgen if isinstance(kid, Dictionary) else DIRECT for kid in items(node.above.get("/Kids"))]
    order = [place for place, kid in enumerate(former) if kid in node.kids]
    if options and len(options) == len(former) and node.above.get("/FT") == pikepdf.Name.Btn:
        node.above.Opt = Array([options[place] for place in order])
    ordered = {former[place]: node.kids[former[place]] for place in order}
    node.above.Kids = Array((ordered | node.kids).values())


def _disarm(part: Object) -> None:
    """Take from a field what acts, and a signature, which is its only value that is a dictionary."""
    drop(part, *_LEFT_BEHIND)
    if isinstance(part.get("/V"), Dictionary):
        del part["/V"]


def _fonts(form: Object, styled: Iterable[Object]) -> Object | None:
    """Return the resources of a form that its fields' text is set with."""
    resources = dictionary(form.get("/DR"))
    fonts = None if resources is None else dictionary(resources.get("/Font"))
    if resources is None or fonts is None:
        return None
    styles = [part.get("/DA") for part in styled]
    named = {name for style in styles if isinstance(style, String) for name in _FONT_NAME.findall(bytes(style))}
    names = sorted("/" + name.decode("utf-8", "surrogateescape") for name in named)
    kept = Dictionary(Font=Dictionary({name: fonts[name] for name in names if name in fonts}))
    if "/Encoding" in resources:
        kept.Encoding = resources.Encoding
    return kept
