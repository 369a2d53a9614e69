"""Documents for the tests: what other programs wrote, what reportlab and pypdf write now, and qpdf's variations."""

import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
from pikepdf import (
    Array,
    Dictionary,
    Encryption,
    Name,
    NameTree,
    ObjectStreamMode,
    OutlineItem,
    Pdf,
    Permissions,
    String,
)
from pikepdf.exceptions import PageCopyWarning
from PIL import Image
from reportlab.lib.colors import Color, blue, red  # type: ignore[import-untyped]
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

PASSWORD = "grün & geheim"
SIZE = (150, 200)
_COMMITTED = Path(__file__).parent / "documents"


@dataclass(frozen=True, slots=True)
class Made:
    """A document's bytes, what opens it, and what it was before it was damaged beyond what pdfium mends."""

    data: bytes
    password: str = ""
    sound: bytes = b""


def noise(seed: int, side: int = 90) -> bytes:
    """Return a JPEG that does not compress: about 1 byte a pixel."""
    state = bytes(
        (seed * 7919 + place * place * 31 + (place * 2654435761 >> 7)) % 256 for place in range(side * side * 3)
    )
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), state).save(out, "JPEG", quality=95)
    return out.getvalue()


def book(pages: int = 5) -> bytes:
    """Return what reportlab makes of text, pictures, shadings, links by name, and an outline of two levels."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=SIZE, invariant=True)
    canvas.setTitle("A book")
    canvas.setAuthor("A. Printer")
    picture = ImageReader(io.BytesIO(noise(1, 40)))
    for number in range(1, pages + 1):
        canvas.bookmarkPage(f"p{number}")
        canvas.addOutlineEntry(f"Chapter {number}", f"p{number}", level=(number + 1) % 2)
        canvas.drawString(20, 170, f"page {number} of {pages}: grüße")
        canvas.linkRect("", f"p{number % pages + 1}", (20, 160, 120, 185), Border="[0 0 1]")
        canvas.linkURL("https://example.com/", (20, 20, 60, 40), relative=0, thickness=1)
        canvas.linearGradient(20, 60, 120, 60, (red, blue))
        canvas.setFillColor(Color(0, 0.5, 0, alpha=0.4))
        canvas.circle(70, 100, 8 * number, fill=1)
        if number % 2:
            canvas.drawImage(picture, 80, 30, 50, 50)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def form(pages: int = 4) -> bytes:
    """Return a form: on every page a text field, a check box, and one button of a group that spans them all."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=SIZE, invariant=True)
    for number in range(1, pages + 1):
        canvas.drawString(20, 180, f"form {number}")
        fields = canvas.acroForm
        fields.textfield(
            name=f"text{number}", value=f"value {number}", x=20, y=140, width=100, height=20, relative=True
        )
        fields.checkbox(name=f"check{number}", checked=bool(number % 2), x=20, y=100, relative=True)
        fields.radio(name="group", value=f"v{number}", selected=number == 2, x=60, y=100, relative=True)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def numbered(pages: int, change: Callable[[Pdf], None] = lambda pdf: None, **options: Any) -> bytes:
    """Return pages that say their number, as `change` leaves them; `options` are pikepdf's for saving."""
    with pikepdf.new() as pdf:
        font = pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
        for number in range(1, pages + 1):
            page = pdf.add_blank_page(page_size=SIZE).obj
            page.Resources = Dictionary(Font=Dictionary(F1=font))
            said = b"0.%d 0.4 0.6 rg 20 20 60 %d re f BT /F1 18 Tf 20 150 Td (no. %d) Tj ET"
            page.Contents = pdf.make_stream(said % (number % 10, 10 * number % 90, number))
        change(pdf)
        return saved(pdf, **options)


def saved(pdf: Pdf, **options: Any) -> bytes:
    """Return a document's bytes."""
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PageCopyWarning)
        pdf.save(out, static_id="encryption" not in options, **options)
    return out.getvalue()


def again(data: bytes, **options: Any) -> bytes:
    """Return a document as qpdf writes it with these options."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return saved(pdf, **options)


def image_of(pdf: Pdf, seed: int, side: int = 90) -> pikepdf.Object:
    """Add a picture to a document, and return it."""
    kind = Dictionary(
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=side,
        Height=side,
        ColorSpace=Name.DeviceRGB,
        BitsPerComponent=8,
        Filter=Name.DCTDecode,
    )
    return pdf.make_indirect(pikepdf.Stream(pdf, noise(seed, side), kind))


def form_of(pdf: Pdf, content: bytes, **more: Any) -> pikepdf.Object:
    """Add a form XObject to a document, and return it."""
    kind = Dictionary(Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, *SIZE], **more)
    return pdf.make_indirect(pikepdf.Stream(pdf, content, kind))


def turned(pdf: Pdf) -> None:
    """Rotate the pages, each by another quarter, and crop some."""
    for number, page in enumerate(pdf.pages):
        page.obj.Rotate = 90 * number
        if number % 2:
            page.obj.CropBox = Array([10, 15, 110, 165])


def enlarged(pdf: Pdf) -> None:
    """Give the pages a larger unit."""
    for number, page in enumerate(pdf.pages, 1):
        page.obj.UserUnit = number


def inheriting(pdf: Pdf) -> None:
    """Have the pages inherit box, rotation and resources from two levels of the page tree."""
    pages = [page.obj for page in pdf.pages]
    resources = pages[0].Resources
    for page in pages:
        del page["/Resources"], page["/MediaBox"]
    root = pdf.Root.Pages
    root.MediaBox, root.Resources = Array([0, 0, *SIZE]), resources
    half = len(pages) // 2
    branches = []
    for kids, turn in ((pages[:half], 90), (pages[half:], 0)):
        branch = pdf.make_indirect(Dictionary(Type=Name.Pages, Kids=kids, Count=len(kids), Rotate=turn, Parent=root))
        for kid in kids:
            kid.Parent = branch
        branches.append(branch)
    root.Kids = Array(branches)


def sharing(pdf: Pdf) -> None:
    """Have all pages share one list of resources, in which stand the pictures of all, some within nested forms."""
    shared = pdf.make_indirect(Dictionary(Font=pdf.pages[0].obj.Resources.Font, XObject=Dictionary()))
    for number, page in enumerate(pdf.pages):
        shared.XObject[f"/Im{number}"] = image_of(pdf, number)
        shared.XObject[f"/In{number}"] = form_of(pdf, b"q 30 0 0 30 5 5 cm /Im%d Do Q" % number, Resources=shared)
        shared.XObject[f"/Out{number}"] = form_of(pdf, b"/In%d Do" % number)  # as early PDFs: resources of its page
        page.obj.Resources = shared
        drawn = b" q 80 0 0 80 60 60 cm /Im%d Do Q" % number if number % 2 else b" /Out%d Do" % number
        page.obj.Contents = Array([page.obj.Contents, pdf.make_stream(drawn)])


def drawn_every_way(pdf: Pdf) -> None:
    """Draw by tiling patterns, shadings, Type 3 fonts and soft masks, all out of resources that the pages share."""
    shared = pdf.make_indirect(Dictionary())
    picture = image_of(pdf, 3, 20)
    shared.XObject = Dictionary({"/Im0": picture, "/Spare": image_of(pdf, 4)})
    shared.Font = Dictionary(F1=pdf.pages[0].obj.Resources.Font.F1)
    glyph = pdf.make_stream(b"1000 0 0 0 1000 1000 d1 800 0 0 800 0 0 cm /Im0 Do")
    shared.Font["/T3"] = pdf.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.Type3,
            FontBBox=[0, 0, 1000, 1000],
            FontMatrix=[0.001, 0, 0, 0.001, 0, 0],
            CharProcs=Dictionary(a=glyph),
            Encoding=Dictionary(Differences=[97, Name.a]),
            FirstChar=97,
            LastChar=97,
            Widths=[1000],
            Resources=shared,
        )
    )
    tile = pikepdf.Stream(pdf, b"q 8 0 0 8 1 1 cm /Im0 Do Q")
    tile.stream_dict = Dictionary(
        PatternType=1, PaintType=1, TilingType=1, BBox=[0, 0, 10, 10], XStep=10, YStep=10, Resources=shared
    )
    ramp = Dictionary(FunctionType=2, Domain=[0, 1], C0=[1, 0, 0], C1=[0, 0, 1], N=1)
    shading = Dictionary(ShadingType=2, ColorSpace=Name.DeviceRGB, Coords=[0, 0, 100, 0], Function=ramp)
    shared.Pattern = Dictionary({"/P#20x": pdf.make_indirect(tile)})
    shared.Shading = Dictionary(Sh=shading)
    group = Dictionary(S=Name.Transparency, CS=Name.DeviceGray)
    mask = form_of(pdf, b"0.5 g 0 0 90 90 re f q 40 0 0 40 90 90 cm /Im0 Do Q", Group=group, Resources=shared)
    shared.ExtGState = Dictionary(
        G=Dictionary(SMask=Dictionary(S=Name.Luminosity, G=mask)), Off=Dictionary(SMask=Name("/None"))
    )
    ways = (
        b"/Pattern cs /P#2320x scn 20 20 100 60 re f",
        b"q 20 20 100 60 re W n /Sh sh Q",
        b"BT /T3 40 Tf 20 60 Td (aa) Tj ET",
        b"q /G gs 1 0 0 rg 0 0 140 140 re f Q",
    )
    for page, way in zip(pdf.pages, ways, strict=True):
        page.obj.Resources = shared
        page.obj.Contents = Array([page.obj.Contents, pdf.make_stream(way)])


def layered(pdf: Pdf) -> None:
    """Put a bar of every page on a layer that is shown, and another on one that is hidden."""
    shown, hidden = (pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String(name))) for name in ("shown", "hidden"))
    pdf.Root.OCProperties = Dictionary(
        OCGs=[shown, hidden], D=Dictionary(ON=[shown], OFF=[hidden], Order=[shown, hidden])
    )
    for page in pdf.pages:
        page.obj.Resources.Properties = Dictionary(S=shown, H=hidden)
        bars = b" /OC /S BDC 1 0 0 rg 5 100 90 9 re f EMC /OC /H BDC 0 0 1 rg 5 120 90 9 re f EMC"
        page.obj.Contents = Array([page.obj.Contents, pdf.make_stream(bars)])


def linked(pdf: Pdf) -> None:
    """Link every page to the next, in five ways, in a ring; and to the web."""
    pages = [page.obj for page in pdf.pages]
    names = {f"n{number}": Array([page, Name.XYZ, 0, 200, None]) for number, page in enumerate(pages)}
    pdf.Root.Dests = pdf.make_indirect(Dictionary({f"/{name}": Dictionary(D=to) for name, to in names.items()}))
    tree = NameTree.new(pdf)
    for name, to in names.items():
        tree[name.replace("n", "tree ")] = to
    pdf.Root.Names = Dictionary(Dests=tree.obj)
    script = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
    for number, page in enumerate(pages):
        following = (number + 1) % len(pages)
        ways = (
            Dictionary(Dest=Array([pages[following], Name.Fit])),
            Dictionary(Dest=String(f"tree {following}")),
            Dictionary(Dest=Name(f"/n{following}")),
            Dictionary(A=Dictionary(S=Name.GoTo, D=Array([pages[following], Name.XYZ, 10, 20, 2]))),
            Dictionary(A=Dictionary(S=Name.GoTo, D=String(f"tree {following}"))),
            Dictionary(A=Dictionary(S=Name.URI, URI=String("https://example.com/"), Next=script)),
        )
        for place, link in enumerate(ways):
            link.Type, link.Subtype, link.P = Name.Annot, Name.Link, page
            link.Rect, link.Border = Array([10 + 20 * place, 100, 25 + 20 * place, 120]), Array([0, 0, 2])
        page.Annots = Array([pdf.make_indirect(link) for link in ways])


def entangled(pdf: Pdf) -> None:
    """Have everything of a page lead to all the others: tags, threads, notes, private data, thumbnails, scripts."""
    pages = [page.obj for page in pdf.pages]
    heavy = [image_of(pdf, number) for number, _ in enumerate(pages)]
    for number, page in enumerate(pages):
        other = pages[number - 1]
        page.Resources.XObject = Dictionary(Im=heavy[number])
        page.Contents = Array([page.Contents, pdf.make_stream(b" q 80 0 0 80 60 60 cm /Im Do Q")])
        page.Thumb = heavy[number - 1]
        page.B = Array([pdf.make_indirect(Dictionary(Type=Name.Bead, P=other))])
        page.PieceInfo = Dictionary(App=Dictionary(Private=Array(heavy)))
        page.Metadata = pdf.make_stream(noise(number))
        page.AA = Dictionary(O=Dictionary(S=Name.JavaScript, JS=String("app.alert(1)")))
        page.StructParents = number
        page.Group = Dictionary(S=Name.Transparency, Stray=other)
        note = Dictionary(Type=Name.Annot, Subtype=Name.Square, Rect=[5, 5, 50, 50], C=[1, 0, 0], P=page, IRT=heavy[0])
        note.AP = Dictionary(N=form_of(pdf, b"1 0 0 RG 3 w 5 5 40 40 re S", PieceInfo=Dictionary(App=Array(pages))))
        file = Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, Rect=[60, 5, 80, 25], FS=heavy[0])
        page.Annots = Array([pdf.make_indirect(note), file])
    tags = [Dictionary(S=Name.P, Pg=page, K=heavy[number]) for number, page in enumerate(pages)]
    pdf.Root.StructTreeRoot = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot, K=Array(tags)))
    pdf.Root.MarkInfo = Dictionary(Marked=True)
    pdf.Root.Threads = Array([pdf.make_indirect(Dictionary(F=pages[0].B[0]))])
    pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(2)"))
    pdf.Root.PageLabels = Dictionary(Nums=Array([0, Dictionary(S=Name.r, P=String("x-"))]))
    pdf.trailer.Stray = Array(heavy)
    pdf.attachments["note.bin"] = noise(99)


def signed(pdf: Pdf) -> None:
    """Put a field that is signed on every page; all are kids of one, and a script runs when they change."""
    script = Dictionary(K=Dictionary(S=Name.JavaScript, JS=String("x()")))
    parent = pdf.make_indirect(Dictionary(T=String("all"), Kids=Array(), AA=script))
    for number, page in enumerate(pdf.pages):
        look = form_of(pdf, b"0 0.5 0 rg 0 0 60 20 re f")
        look.BBox = Array([0, 0, 60, 20])
        value = Dictionary(Type=Name.Sig, Filter=Name("/Adobe.PPKLite"), Contents=String("x" * 2000))
        field = Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, T=String(f"s{number}"), V=value, F=4)
        field.Rect, field.Parent, field.P = Array([20, 120, 80, 140]), parent, page.obj
        field.AP, field.AA = Dictionary(N=look), script
        field = pdf.make_indirect(field)
        parent.Kids.append(field)
        page.obj.Annots = Array([field])
    xfa = pdf.make_stream(b"<xdp/>")
    pdf.Root.AcroForm = Dictionary(Fields=[parent], SigFlags=3, XFA=xfa, CO=[parent], NeedAppearances=False)


def merged() -> bytes:
    """Return what pypdf makes of the form and the book, one page of which is turned."""
    writer = pypdf.PdfWriter()
    writer.append(io.BytesIO(form(2)), outline_item="The form")
    writer.append(io.BytesIO(book(3)), outline_item="The book")
    writer.pages[3].rotate(90)
    writer.add_metadata({"/Title": "Merged"})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def outlined(pdf: Pdf) -> None:
    """Give pages 1 to 4 bookmarks: 1 > (2 > 3), and 4 under one that leads nowhere."""
    with pdf.open_outline() as outline:
        first, second, third, nowhere = OutlineItem("One", 0), OutlineItem("Two", 1), OutlineItem("Three", 2), "Nowhere"
        second.children.append(third)
        first.children.append(second)
        heading = OutlineItem(nowhere)
        heading.children.append(OutlineItem("Four", 3))
        outline.root.extend([first, heading])


def without_xref(data: bytes) -> bytes:
    """Return a document whose xref is not where it is said to be."""
    place = data.rindex(b"startxref")
    return data[:place] + b"startxref\n7\n%%EOF\n"


def cut_short(data: bytes) -> bytes:
    """Return a document that ends within its xref, and has no trailer."""
    return data[: data.rindex(b"xref\n", 0, data.rindex(b"startxref")) + 40]


def _locked(revision: int, user: str) -> Callable[[], Made]:
    strength: dict[str, Any] = {} if revision > 3 else {"aes": False, "metadata": revision > 3}
    lock = Encryption(owner="owner", user=user, R=revision, allow=Permissions(extract=False), **strength)  # type: ignore[arg-type]
    return lambda: Made(again(book(), encryption=lock), user)


def _varied(**options: Any) -> Callable[[], Made]:
    return lambda: Made(again(book(), **options))


def _pages(change: Callable[[Pdf], None], pages: int = 4) -> Callable[[], Made]:
    return lambda: Made(numbered(pages, change))


def _read(path: Path) -> Callable[[], Made]:
    return lambda: Made(path.read_bytes())


PLAIN = {"object_stream_mode": ObjectStreamMode.disable, "compress_streams": False}
MAKERS: Mapping[str, Callable[[], Made]] = {
    **{path.stem: _read(path) for path in sorted(_COMMITTED.glob("*.pdf"))},
    "reportlab book": lambda: Made(book()),
    "reportlab form": lambda: Made(form()),
    "pypdf": lambda: Made(merged()),
    "linearised book": _varied(linearize=True),
    "object streams": _varied(object_stream_mode=ObjectStreamMode.generate),
    "no object streams": _varied(**PLAIN),
    "qdf": _varied(qdf=True),
    "decoded": _varied(compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.generalized),
    "RC4, both passwords": _locked(3, "user"),
    "R4, both passwords": _locked(4, "user"),
    "R6, both passwords": _locked(6, PASSWORD),
    "R4, owner only": _locked(4, ""),
    "R6, owner only": _locked(6, ""),
    "no xref": lambda: Made(without_xref(again(book(), **PLAIN))),
    "cut short": lambda: Made(cut_short(again(book(), **PLAIN)), sound=book()),
    "turned and cropped": _pages(turned),
    "user units": _pages(enlarged),
    "inherited": _pages(inheriting),
    "shared resources": _pages(sharing),
    "drawn every way": _pages(drawn_every_way),
    "layers": _pages(layered),
    "links": _pages(linked),
    "entangled": _pages(entangled),
    "signed": _pages(signed),
    "outline": _pages(outlined),
    "one page": _pages(turned, 1),
    "many pages": _pages(linked, 12),
}
