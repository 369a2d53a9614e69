"""Sections of documents by many producers: the same text, the same pixels, and nothing that is not theirs."""

import errno
import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pikepdf import Array, Dictionary, Name, NameTree, ObjectStreamMode, Pdf, String

from config.errors import ArtworkError
from tests.tiles.pdf import producers
from tests.tiles.pdf.producers import MAKERS, Made, noise, numbered
from tiles.pdf.cut import cut
from tiles.pdf.values import Document
from tiles.sinks.sink import AtomicFile

DPI = 40
OF_AN_XREF_STREAM = {"/DecodeParms", "/Filter", "/ID", "/Index", "/Length", "/Size", "/Type", "/W"}


def document(folder: Path, made: Made | bytes) -> Document:
    made = made if isinstance(made, Made) else Made(made)
    path = folder / "source.pdf"
    path.write_bytes(made.data)
    return Document(hashlib.sha256(made.data).hexdigest(), path, made.password)


def section_of(folder: Path, made: Made | bytes, pages: Sequence[int], title: str = "A section") -> Path:
    return cut(document(folder, made), pages, title, folder / "section.pdf").path


@contextmanager
def seen(source: Path | bytes, password: str = "") -> Iterator[pypdfium2.PdfDocument]:
    """Open a document as a reader shows it, with its form."""
    pdf = pypdfium2.PdfDocument(source, password or None)
    pdf.init_forms()
    try:
        yield pdf
    finally:
        pdf.close()


def look(pdf: pypdfium2.PdfDocument, index: int) -> tuple[tuple[float, float], str, NDArray[np.uint8]]:
    """Return the size, the text and the pixels of a page."""
    page = pdf[index]
    words = page.get_textpage()
    text = words.get_text_range()
    words.close()
    bitmap = page.render(scale=DPI / 72, may_draw_forms=True, draw_annots=True)
    pixels = bitmap.to_numpy().copy()
    bitmap.close()
    size = page.get_size()
    page.close()
    return size, text, pixels


def partition(count: int, every: int) -> list[tuple[int, ...]]:
    return [tuple(range(first, min(first + every, count + 1))) for first in range(1, count + 1, every)]


@contextmanager
def parts(path: Path) -> Iterator[Pdf]:
    with pikepdf.open(path) as pdf:
        yield pdf


def numbers(pdf: Pdf) -> dict[tuple[int, int], int]:
    return {page.obj.objgen: number for number, page in enumerate(pdf.pages, 1)}


def targets(pdf: Pdf, index: int) -> list[int | str | None]:
    """Return where the links of a page lead: to a page, from 1, or an address, or nowhere."""
    known = numbers(pdf)
    found: list[int | str | None] = []
    for annotation in pdf.pages[index].obj.get("/Annots", Array()):
        if "/Dest" in annotation:
            found.append(known[annotation.Dest[0].objgen])
        else:
            found.append(str(annotation.A.URI) if "/A" in annotation else None)
    return found


def field_names(pdf: Pdf) -> list[str]:
    return sorted({field.fully_qualified_name for field in pdf.acroform.fields})


def tree(items: Iterable[Any], known: dict[tuple[int, int], int]) -> list[Any]:
    return [(item.title, known[item.destination[0].objgen], tree(item.children, known)) for item in items]


def outline(pdf: Pdf) -> list[Any]:
    with pdf.open_outline() as found:
        return tree(found.root, numbers(pdf))


@pytest.mark.parametrize("name", MAKERS)
def test_sections_show_what_the_document_shows(name: str, tmp_path: Path) -> None:
    made = MAKERS[name]()
    source = document(tmp_path, made)
    with seen(made.sound or made.data, made.password) as original:
        count = len(original)
        before = [look(original, index) for index in range(count)]
    for number, pages in enumerate([*partition(count, 2), (count, 1, count)]):
        file = cut(source, pages, "A section", tmp_path / f"{number}.pdf")
        assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
        assert file.bytes == file.path.stat().st_size
        with parts(file.path) as pdf:
            assert pdf.check_pdf_syntax() == []
            assert not pdf.is_encrypted
            assert len(pdf.pages) == len(pages)
        with seen(file.path) as pdf:
            assert len(pdf) == len(pages)
            for index, page in enumerate(pages):
                size, text, pixels = before[page - 1]
                assert look(pdf, index)[:2] == (size, text)
                np.testing.assert_array_equal(look(pdf, index)[2], pixels)


def test_there_are_many_producers_and_variations() -> None:
    assert len(MAKERS) >= 30
    drawn = [np.unique(pixels).size > 1 for pixels in map(first_page, MAKERS.values())]
    assert all(drawn)


def first_page(maker: Callable[[], Made]) -> NDArray[np.uint8]:
    made = maker()
    with seen(made.sound or made.data, made.password) as pdf:
        return look(pdf, 0)[2]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=8))
def test_any_choice_of_pages_stands_in_its_order(tmp_path_factory: pytest.TempPathFactory, pages: list[int]) -> None:
    path = section_of(tmp_path_factory.mktemp("choice"), numbered(6, producers.linked), pages)
    with seen(path) as pdf:
        assert [look(pdf, index)[1] for index in range(len(pdf))] == [f"no. {page}" for page in pages]
    with parts(path) as pdf:
        first = {page: pages.index(page) + 1 for page in pages}
        following = [first.get(page % 6 + 1) for page in pages]
        assert [targets(pdf, index) for index in range(len(pages))] == [
            [page] * 5 + ["https://example.com/"] for page in following
        ]


def inheriting_what_is_shared(pdf: Pdf) -> None:
    producers.sharing(pdf)
    producers.inheriting(pdf)


@pytest.mark.parametrize("how", ["shared", "inherited", "nested", "entangled"])
def test_a_section_weighs_what_its_pages_weigh(how: str, tmp_path: Path) -> None:
    weight = len(noise(0))
    changes: dict[str, Callable[[Pdf], None]] = {
        "shared": producers.sharing,
        "inherited": inheriting_what_is_shared,
        "nested": producers.sharing,
        "entangled": producers.entangled,
    }
    made = numbered(12, changes[how])
    pages = (3, 5) if how == "nested" else (2, 4)
    assert len(made) > 11 * weight
    size = section_of(tmp_path, made, pages).stat().st_size
    assert 2 * weight < size < 2 * weight + 4000


def test_what_draws_within_what_is_drawn_is_kept_and_the_rest_is_not(tmp_path: Path) -> None:
    made = numbered(4, producers.drawn_every_way)
    for page in (1, 2, 3, 4):
        with parts(section_of(tmp_path, made, [page])) as pdf:
            images = [item for item in pdf.objects if isinstance(item, pikepdf.Stream) and "/Width" in item]
            assert len(images) == {1: 1, 2: 0, 3: 1, 4: 1}[page]


def test_content_that_cannot_be_read_keeps_all_its_resources(tmp_path: Path) -> None:
    def broken(pdf: Pdf) -> None:
        producers.sharing(pdf)
        pdf.pages[0].obj.Contents = pikepdf.Stream(pdf, b"not deflated", Filter=Name.FlateDecode)

    path = section_of(tmp_path, numbered(3, broken), [1])
    with parts(path) as pdf:
        assert {"/Im0", "/Im1", "/Im2"} <= set(pdf.pages[0].obj.Resources.XObject.keys())


def test_names_are_found_wherever_they_stand_in_long_content(tmp_path: Path) -> None:
    def change(pdf: Pdf) -> None:
        producers.sharing(pdf)
        pages = [b" " * (place - 2) + b"/Im0 Do" for place in (1 << 16, 2 << 16)]
        pdf.pages[0].obj.Contents = Array([pdf.make_stream(page) for page in pages])
        pdf.pages[1].obj.Contents = pdf.make_stream(b" " * 65534 + b"/Im1 Do")

    made = numbered(3, change)
    for number in (1, 2):
        with parts(section_of(tmp_path, made, [number])) as pdf:
            assert list(pdf.pages[0].obj.Resources.XObject.keys()) == [f"/Im{number - 1}"]


def test_colour_spaces_that_apply_unnamed_are_kept(tmp_path: Path) -> None:
    def change(pdf: Pdf) -> None:
        grey = Array([Name.CalGray, Dictionary(WhitePoint=[1, 1, 1])])
        for page in pdf.pages:
            page.obj.Resources.ColorSpace = Dictionary(DefaultGray=grey, Spare=grey)

    with parts(section_of(tmp_path, numbered(2, change), [1])) as pdf:
        assert list(pdf.pages[0].obj.Resources.ColorSpace.keys()) == ["/DefaultGray"]


def test_nothing_private_scripted_or_attached_goes_along(tmp_path: Path) -> None:
    path = section_of(tmp_path, numbered(4, producers.entangled), [2, 3])
    with parts(path) as pdf:
        assert set(pdf.Root.keys()) == {"/Type", "/Pages"}
        assert {"/Info", "/Root"} == set(pdf.trailer.keys()) - OF_AN_XREF_STREAM
        for page in pdf.pages:
            assert set(page.obj.keys()) == {
                "/Type",
                "/Parent",
                "/MediaBox",
                "/Resources",
                "/Contents",
                "/Annots",
                "/Group",
            }
            assert [annotation.Subtype for annotation in page.obj.Annots] == [Name.Square, Name.FileAttachment]
            assert all(annotation.P.objgen == page.obj.objgen for annotation in page.obj.Annots)
        written = str([item.keys() for item in pdf.objects if isinstance(item, Dictionary | pikepdf.Stream)])
    for key in ("PieceInfo", "Thumb", "/IRT", "/FS", "/AA", "StructParent", "/JS", "/Pg"):
        assert key not in written


def test_links_lead_where_they_did_or_nowhere(tmp_path: Path) -> None:
    path = section_of(tmp_path, numbered(6, producers.linked), [4, 2, 3])
    with parts(path) as pdf:
        web = ["https://example.com/"]
        assert [targets(pdf, index) for index in range(3)] == [[None] * 5 + web, [3] * 5 + web, [1] * 5 + web]
        shown = [list(annotation.Dest)[1:] for annotation in list(pdf.pages[1].obj.Annots)[:5]]
        assert set(pdf.pages[1].obj.Annots[5].A.keys()) == {"/S", "/URI"}
        named = [Name.XYZ, 0, 200, None]
        assert shown == [[Name.Fit], named, named, [Name.XYZ, 10, 20, 2], named]


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ((1, 2, 3, 4), [("One", 1, [("Two", 2, [("Three", 3, [])])]), ("Four", 4, [])]),
        ((1, 3), [("One", 1, [("Three", 2, [])])]),
        ((4, 3, 2), [("Two", 3, [("Three", 2, [])]), ("Four", 1, [])]),
        ((3, 4), [("Three", 1, []), ("Four", 2, [])]),
    ],
)
def test_the_outline_of_a_section_keeps_its_nesting(pages: Sequence[int], expected: list[Any], tmp_path: Path) -> None:
    with parts(section_of(tmp_path, numbered(5, producers.outlined), pages)) as pdf:
        assert outline(pdf) == expected


def test_a_section_without_bookmarks_has_no_outline(tmp_path: Path) -> None:
    with parts(section_of(tmp_path, numbered(5, producers.outlined), [5])) as pdf:
        assert "/Outlines" not in pdf.Root


def test_a_bookmark_below_one_that_is_gone_does_not_slip_below_its_neighbour(tmp_path: Path) -> None:
    def change(pdf: Pdf) -> None:
        with pdf.open_outline() as made:
            second = pikepdf.OutlineItem("B", 1)
            second.children.append(pikepdf.OutlineItem("B.1", 2))
            made.root.extend([pikepdf.OutlineItem("A", 0), second])

    with parts(section_of(tmp_path, numbered(3, change), [1, 3])) as pdf:
        assert outline(pdf) == [("A", 1, []), ("B.1", 2, [])]


def test_the_form_has_the_fields_of_its_pages(tmp_path: Path) -> None:
    path = section_of(tmp_path, producers.form(), [3, 2])
    with parts(path) as pdf:
        assert field_names(pdf) == ["check2", "check3", "group", "text2", "text3"]
        group = next(field for field in pdf.Root.AcroForm.Fields if field.T == "group")
        assert [kid.P.objgen for kid in group.Kids] == [pdf.pages[1].obj.objgen, pdf.pages[0].obj.objgen]
        assert Name.v2 == group.V
        assert "/DA" in pdf.Root.AcroForm
        assert list(pdf.Root.AcroForm.DR.Font.keys()) == ["/Helv"]


def test_a_page_that_comes_again_shows_the_same_fields(tmp_path: Path) -> None:
    path = section_of(tmp_path, producers.form(2), [1, 1])
    with parts(path) as pdf:
        assert field_names(pdf) == ["check1", "group", "text1"]
        first, second = ([item.objgen for item in page.obj.Annots] for page in pdf.pages)
        assert set(first) & set(second) == set()
        for field in pdf.Root.AcroForm.Fields:
            assert [kid.P.objgen for kid in field.Kids] == [page.obj.objgen for page in pdf.pages]
            assert all(kid.Parent.objgen == field.objgen for kid in field.Kids)


def test_options_of_buttons_stay_with_their_buttons(tmp_path: Path) -> None:
    def change(pdf: Pdf) -> None:
        group = pdf.make_indirect(Dictionary(FT=Name.Btn, T=String("g"), Kids=Array(), Opt=Array(map(String, "abcd"))))
        for page in pdf.pages:
            button = Dictionary(Type=Name.Annot, Subtype=Name.Widget, Rect=[0, 0, 9, 9], Parent=group)
            page.obj.Annots = Array([pdf.make_indirect(button)])
            group.Kids.append(page.obj.Annots[0])
        pdf.Root.AcroForm = Dictionary(Fields=[group])

    with parts(section_of(tmp_path, numbered(4, change), [4, 2])) as pdf:
        assert list(map(str, pdf.Root.AcroForm.Fields[0].Opt)) == ["b", "d"]


def test_signatures_scripts_and_xfa_go_and_the_look_stays(tmp_path: Path) -> None:
    path = section_of(tmp_path, numbered(4, producers.signed), [2])
    with parts(path) as pdf:
        assert field_names(pdf) == ["all.s1"]
        assert set(pdf.Root.AcroForm.keys()) == {"/Fields", "/NeedAppearances"}
        widget = pdf.pages[0].obj.Annots[0]
        assert "/V" not in widget
        assert "/AA" not in widget
        assert set(widget.Parent.keys()) == {"/T", "/Kids"}
        assert b"0 0.5 0 rg" in widget.AP.N.read_bytes()


def test_layers_stay_as_they_were(tmp_path: Path) -> None:
    with parts(section_of(tmp_path, numbered(3, producers.layered), [2])) as pdf:
        layers = pdf.Root.OCProperties
        assert [str(layer.Name) for layer in layers.D.OFF] == ["hidden"]
        assert pdf.pages[0].obj.Resources.Properties.H.objgen == layers.OCGs[1].objgen


def test_what_decides_how_pages_print_stays(tmp_path: Path) -> None:
    def change(pdf: Pdf) -> None:
        pdf.Root.OutputIntents = Array([Dictionary(S=Name.GTS_PDFX, OutputConditionIdentifier=String("FOGRA39"))])
        pdf.Root.ViewerPreferences = Dictionary(Duplex=Name.Simplex, PrintPageRange=[1, 3], HideToolbar=True)
        pdf.Root.Lang = String("de")
        producers.enlarged(pdf)
        pdf.docinfo.Author, pdf.docinfo.Title = String("A. Printer"), String("The whole")
        pdf.docinfo.CreationDate = String("D:20260101000000Z")

    with parts(section_of(tmp_path, numbered(3, change), [2, 3], "Grüße, 2–3")) as pdf:
        assert str(pdf.Root.OutputIntents[0].OutputConditionIdentifier) == "FOGRA39"
        assert list(pdf.Root.ViewerPreferences.keys()) == ["/Duplex"]
        assert str(pdf.Root.Lang) == "de"
        assert [page.obj.UserUnit for page in pdf.pages] == [2, 3]
        assert {key: str(value) for key, value in pdf.docinfo.items()} == {
            "/Author": "A. Printer",
            "/Title": "Grüße, 2–3",
        }


def test_the_same_section_has_the_same_bytes(tmp_path: Path) -> None:
    for name in ("reportlab form", "links", "drawn every way", "R6, both passwords"):
        source = document(tmp_path, MAKERS[name]())
        first = cut(source, [2, 1], "T", tmp_path / "first.pdf")
        assert cut(source, [2, 1], "T", tmp_path / "second.pdf").sha256 == first.sha256
        assert cut(source, [2, 1], "U", tmp_path / "third.pdf").sha256 != first.sha256


def test_sections_differ_in_their_identity(tmp_path: Path) -> None:
    source = document(tmp_path, numbered(4))
    identities = set()
    for pages in ([1], [2], [1, 2], [2, 1]):
        with parts(cut(source, pages, "T", tmp_path / "s.pdf").path) as pdf:
            identities.add(bytes(pdf.trailer.ID[0]))
    assert len(identities) == 4


def test_streams_are_copied_as_they_are(tmp_path: Path) -> None:
    picture = noise(0)
    path = section_of(tmp_path, numbered(2, producers.sharing, object_stream_mode=ObjectStreamMode.disable), [1])
    assert path.read_bytes().count(picture) == 1
    path = section_of(tmp_path, Made(numbered(2, producers.sharing, encryption=pikepdf.Encryption(user="u")), "u"), [1])
    assert path.read_bytes().count(picture) == 1


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        ([0], "there is no page 0; the document has 3"),
        ([2, 4], "there is no page 4; the document has 3"),
        ([], "no pages"),
    ],
)
def test_pages_that_are_not_there_are_named(pages: Sequence[int], message: str, tmp_path: Path) -> None:
    with pytest.raises(ArtworkError, match=message):
        section_of(tmp_path, numbered(3), pages)
    assert [path.name for path in tmp_path.iterdir()] == ["source.pdf"]


def test_a_disk_that_fills_up_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: AtomicFile, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(AtomicFile, "write", full)
    with pytest.raises(OSError, match="No space left") as raised:
        section_of(tmp_path, numbered(3), [1])
    assert raised.value.errno == errno.ENOSPC
    assert [path.name for path in tmp_path.iterdir()] == ["source.pdf"]


def ring(pdf: Pdf) -> None:
    """Have everything bite its own tail."""
    for page in pdf.pages:
        page.obj.Resources.XObject = Dictionary()
        this = producers.form_of(pdf, b"/Fm Do", Resources=page.obj.Resources)
        page.obj.Resources.XObject.Fm = this
        page.obj.Contents = pdf.make_stream(b"/Fm Do")
        widget = pdf.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, Rect=[0, 0, 9, 9]))
        widget.Parent, widget.Kids = widget, Array([widget])
        widget.A = Dictionary(S=Name.URI, URI=String("x"))
        widget.A.Next = widget
        page.obj.Annots = Array([widget, widget])
        kind = page.obj.Resources
        kind.XObject.Poor = producers.form_of(pdf, b"/Poor Do /Fm Do")
        page.obj.Contents = pdf.make_stream(b"/Fm Do /Poor Do")
        kind.Pattern = Dictionary(P=this)
        kind.Self = kind.XObject
    pdf.Root.AcroForm = Dictionary(Fields=Array([pdf.pages[0].obj.Annots[0]]))
    names = pdf.make_indirect(Dictionary(Names=Array([String("a"), Name.a])))
    names.Kids = Array([names, names])
    pdf.Root.Names = Dictionary(Dests=names)
    pdf.Root.Dests = Dictionary(a=String("a"))
    item = pdf.make_indirect(Dictionary(Title=String("round"), Dest=String("a")))
    item.First, item.Next, item.Parent = item, item, item
    pdf.Root.Outlines = pdf.make_indirect(Dictionary(First=item, Last=item))


def nonsense(pdf: Pdf) -> None:
    """Have everything be of a kind that it is not."""
    wrong: list[Any] = [7, String("x"), Name.X, Array([1, None]), Dictionary(A=1), True, pdf.make_stream(b"x")]
    for key in ("Annots", "Contents", "Group", "UserUnit", "AA", "B"):
        for page, value in zip(pdf.pages, wrong, strict=True):
            page.obj[f"/{key}"] = value
    for page, value in zip(pdf.pages, wrong, strict=True):
        page.obj.Resources = Dictionary(XObject=value, Font=Dictionary(F1=value), ExtGState=Dictionary(SMask=value))
        page.obj.Annots = Array([value, Dictionary(Subtype=value, A=value, AP=value, Parent=value, Popup=value)])
    for place, key in enumerate(("AcroForm", "OCProperties", "Outlines", "Names", "Dests", "ViewerPreferences")):
        pdf.Root[f"/{key}"] = wrong[place]


def deep(pdf: Pdf) -> None:
    """Nest forms and fields far deeper than any stack."""
    inner = producers.form_of(pdf, b"0 0 9 9 re f")
    for _ in range(3000):
        inner = producers.form_of(pdf, b"/Fm Do", Resources=Dictionary(XObject=Dictionary(Fm=inner)))
    pdf.pages[0].obj.Resources.XObject = Dictionary(Fm=inner)
    pdf.pages[0].obj.Contents = pdf.make_stream(b"/Fm Do")
    field = pdf.make_indirect(Dictionary(T=String("x")))
    for _ in range(3000):
        field = pdf.make_indirect(Dictionary(T=String("x"), Parent=field))
    field.Subtype = Name.Widget
    pdf.pages[0].obj.Annots = Array([field])


@pytest.mark.parametrize(("change", "pages"), [(ring, 3), (nonsense, 7), (deep, 2)])
def test_documents_that_are_traps_are_cut_all_the_same(
    change: Callable[[Pdf], None], pages: int, tmp_path: Path
) -> None:
    path = section_of(tmp_path, numbered(pages, change), range(1, pages + 1))
    with parts(path) as pdf:
        assert len(pdf.pages) == pages
    with parts(section_of(tmp_path, numbered(pages, change), [2])) as pdf:
        assert len(pdf.pages) == 1


def test_content_that_swells_is_not_held_in_memory(tmp_path: Path) -> None:
    def bomb(pdf: Pdf) -> None:
        packer = zlib.compressobj(9)
        packed = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(300)) + packer.compress(b"/Im0 Do")
        content = pikepdf.Stream(pdf, packed + packer.flush(), Filter=Name.FlateDecode)
        producers.sharing(pdf)
        pdf.pages[0].obj.Contents = content

    with parts(section_of(tmp_path, numbered(2, bomb), [1])) as pdf:
        assert "/Im1" in pdf.pages[0].obj.Resources.XObject  # searched no further, everything is kept


def test_names_are_found_in_trees_of_many_leaves(tmp_path: Path) -> None:
    def change(pdf: Pdf) -> None:
        names = NameTree.new(pdf)
        for number in range(500):
            names[f"name {number:03}"] = Array([pdf.pages[number % 3].obj, Name.Fit])
        pdf.Root.Names = Dictionary(Dests=names.obj)
        link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], Dest=String("name 400"))
        pdf.pages[0].obj.Annots = Array([link])

    with parts(section_of(tmp_path, numbered(3, change), [1, 2])) as pdf:
        assert targets(pdf, 0) == [2]
