"""What is said of documents that are sound, damaged, locked, or no documents at all; and how they are mended."""

import hashlib
import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Encryption, Name, Pdf, String

from config.errors import ArtworkError
from tests.tiles.pdf import producers
from tests.tiles.pdf.producers import MAKERS, PASSWORD, PLAIN, Made, again, book, numbered
from tiles.pdf.cut import cut
from tiles.pdf.document import mend, opened, survey
from tiles.pdf.values import Bookmark, Document, Survey

REBUILT = "its table of objects was damaged and has been rebuilt"
LOCKED = "the PDF is encrypted, and no password is given for it"


def document(folder: Path, made: Made | bytes, password: str | None = None) -> Document:
    made = made if isinstance(made, Made) else Made(made)
    path = folder / "source.pdf"
    path.write_bytes(made.data)
    return Document(hashlib.sha256(made.data).hexdigest(), path, made.password if password is None else password)


def surveyed(folder: Path, made: Made | bytes) -> Survey:
    return survey(document(folder, made))


def titled(title: str | None, xmp: str = "") -> Callable[[Pdf], None]:
    def change(pdf: Pdf) -> None:
        if title is not None:
            pdf.docinfo.Title = String(title)
        if xmp:
            packet = (
                f'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
                f'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:RDF><rdf:Description><dc:title><rdf:Alt>'
                f'<rdf:li xml:lang="x-default">{xmp}</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF>'
                f"</x:xmpmeta>"
            )
            pdf.Root.Metadata = pdf.make_stream(packet.encode())

    return change


@pytest.mark.parametrize("name", MAKERS)
def test_every_document_is_surveyed(name: str, tmp_path: Path) -> None:
    made = MAKERS[name]()
    found = surveyed(tmp_path, made)
    with pypdfium2.PdfDocument(made.sound or made.data, password=made.password or None) as pdf:
        assert found.pages == len(pdf)
        marks = [(mark.get_title(), mark.level + 1, mark.get_dest()) for mark in pdf.get_toc()]
        led = [Bookmark(title, level, dest.get_index() + 1) for title, level, dest in marks if dest is not None]
        assert list(found.bookmarks) == led
        assert found.title == ("" if name == "cut short" else pdf.get_metadata_value("Title"))
    assert found.encrypted == ("R4" in name or "R6" in name or "RC4" in name)
    assert found.repairs == ((REBUILT,) if name == "no xref" else found.repairs if name == "cut short" else ())


def test_repairs_are_few_short_lines_without_paths(tmp_path: Path) -> None:
    broken = again(book(40), **PLAIN).replace(b"/Type /Page\n", b"/Type /Page /\n").replace(b"endobj", b"endobx")
    for data in (producers.cut_short(again(book(), **PLAIN)), broken):
        repairs = surveyed(tmp_path, data).repairs
        assert 1 < len(repairs) <= 5
        assert all(len(line) <= 120 and str(tmp_path) not in line and "offset" not in line for line in repairs)


@pytest.mark.parametrize(
    ("change", "title"),
    [
        (titled("Plain"), "Plain"),
        (titled("Grüße – 日本\n\t\0 x "), "Grüße – 日本 x"),
        (titled(None), ""),
        (titled(None, "From XMP &amp; so"), "From XMP & so"),
        (titled("  ", "From XMP"), "From XMP"),
        (titled("Info", "From XMP"), "Info"),
        (titled(None, "not <xml"), ""),
        (titled(None, "long" + " " * (5 << 20)), ""),
    ],
)
def test_the_title_is_one_clean_line(change: Callable[[Pdf], None], title: str, tmp_path: Path) -> None:
    assert surveyed(tmp_path, numbered(1, change, fix_metadata_version=False)).title == title


def test_bookmarks_are_followed_however_they_lead(tmp_path: Path) -> None:
    def change(pdf: Pdf) -> None:
        producers.linked(pdf)
        ways = [
            Dictionary(Dest=pdf.pages[2].obj.Annots[0].Dest),
            Dictionary(Dest=String("n1")),
            Dictionary(Dest=Name("/n2")),
            Dictionary(A=Dictionary(S=Name.GoTo, D=String("n3"))),
            Dictionary(Dest=Array([1, Name.Fit])),
            Dictionary(Dest=String("nobody")),
            Dictionary(A=Dictionary(S=Name.URI, URI=String("https://example.com/"))),
            Dictionary(),
        ]
        items = [pdf.make_indirect(way) for way in ways]
        for number, item in enumerate(items):
            item.Title = String(f"way\n{number}")
        for former, following in pairwise(items):
            former.Next = following
        items[7].First = pdf.make_indirect(Dictionary(Title=String("below"), Dest=String("n0")))
        pdf.Root.Outlines = pdf.make_indirect(Dictionary(First=items[0], Last=items[-1]))

    found = surveyed(tmp_path, numbered(4, change)).bookmarks
    assert [mark.page for mark in found] == [4, 2, 3, 4, 2, 1]
    assert [mark.title for mark in found] == [*(f"way {number}" for number in range(5)), "below"]
    assert [mark.level for mark in found] == [1, 1, 1, 1, 1, 2]


def test_an_outline_that_bites_its_tail_ends(tmp_path: Path) -> None:
    def change(pdf: Pdf) -> None:
        items = [pdf.make_indirect(Dictionary(Title=String(name), Dest=[pdf.pages[0].obj])) for name in "abc"]
        for place, item in enumerate(items):
            item.Next, item.First, item.Parent = items[place - 2], items[place - 1], item
        pdf.Root.Outlines = pdf.make_indirect(Dictionary(First=items[0], Last=items[0]))

    assert sorted(mark.title for mark in surveyed(tmp_path, numbered(1, change)).bookmarks) == ["a", "b", "c"]


def test_a_long_outline_is_taken_up_to_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(pdf: Pdf) -> None:
        with pdf.open_outline() as outline:
            outline.root.extend(pikepdf.OutlineItem(str(number), 0) for number in range(30))

    monkeypatch.setattr("tiles.pdf.outline.MOST_ENTRIES", 20)
    assert len(surveyed(tmp_path, numbered(1, change)).bookmarks) == 20


def no_pages(pdf: Pdf) -> None:
    del pdf.pages[:]


def foreign_lock(data: bytes) -> bytes:
    """Have a document say that it is locked by certificates."""
    return data.replace(b"/Filter /Standard", b"/Filter /Adobe.PS")


def looped(pdf: Pdf) -> None:
    pdf.Root.Pages.Kids.append(pdf.Root.Pages)


def nested_deeply(pdf: Pdf) -> None:
    inner = pdf.Root.Pages
    for _ in range(2000):
        inner = pdf.make_indirect(Dictionary(Type=Name.Pages, Kids=[inner], Count=1))
    pdf.Root.Pages = inner


LOCK = Encryption(user=PASSWORD, owner="owner", R=6)
BAD: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "empty": (lambda: b"", "the file is empty", "Export the document again."),
    "text": (lambda: b"Hello " * 500, "the content is no PDF", "Send a PDF."),
    "zip": (lambda: b"PK\3\4" + bytes(5000), "the content is no PDF", "Send a PDF."),
    "only a header": (lambda: b"%PDF-1.7\n" + b"x" * 5000, "the PDF is damaged beyond repair: ", "Export"),
    "truncated": (lambda: again(book())[:900], "the PDF is damaged beyond repair: ", "Export"),
    "no pages": (lambda: numbered(1, no_pages), "the PDF has no pages", "Export the document again."),
    "locked": (lambda: again(book(), encryption=LOCK), LOCKED, "password: ${PDF_PASSWORD}"),
    "certificate": (
        lambda: foreign_lock(again(book(), encryption=LOCK)),
        "the PDF is encrypted in a way that is not supported",
        "Export it without encryption.",
    ),
    "page tree in a ring": (lambda: numbered(2, looped), "the PDF ", "Export the document again."),
    "page tree endlessly deep": (lambda: numbered(2, nested_deeply), "the PDF ", "Export the document again."),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_documents_are_refused_with_a_reason(name: str, tmp_path: Path) -> None:
    maker, message, remedy = BAD[name]
    source = document(tmp_path, maker())
    for look in (survey, lambda it: mend(it, tmp_path / "o.pdf"), lambda it: cut(it, [1], "T", tmp_path / "o.pdf")):
        with pytest.raises(ArtworkError) as raised:
            look(source)
        assert raised.value.message.startswith(message)
        assert remedy in raised.value.remedy
        assert str(tmp_path) not in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ["source.pdf"]


def test_a_wrong_password_is_told_from_none_and_never_shown(tmp_path: Path) -> None:
    source = document(tmp_path, again(book(), encryption=LOCK), "not this one")
    with pytest.raises(ArtworkError, match="the password given does not open it") as raised:
        survey(source)
    assert "not this one" not in f"{raised.value!r} {raised.value} {source!r}"


@pytest.mark.parametrize("revision", [3, 4, 6])
def test_passwords_open_as_user_and_as_owner_however_they_are_encoded(revision: int, tmp_path: Path) -> None:
    strength = {"aes": False, "metadata": False} if revision == 3 else {}
    lock = Encryption(user=PASSWORD, owner="Öffner", R=revision, **strength)  # type: ignore[arg-type]
    made = again(book(), encryption=lock)
    for password in (PASSWORD, "Öffner"):
        assert survey(document(tmp_path, made, password)).encrypted


def test_a_password_that_is_not_needed_does_no_harm(tmp_path: Path) -> None:
    assert survey(document(tmp_path, book(), "superfluous")).pages == 5
    assert survey(document(tmp_path, MAKERS["R6, owner only"](), "superfluous")).pages == 5


def test_a_file_that_is_not_there_is_the_disks_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        survey(Document("0" * 64, tmp_path / "none.pdf"))


@pytest.mark.parametrize(
    "trouble",
    [pikepdf.PdfError("x"), pikepdf.ForeignObjectError("x"), KeyError("/X"), TypeError("x"), RecursionError()],
)
def test_what_is_raised_over_content_is_a_reason_against_it(trouble: Exception, tmp_path: Path) -> None:
    with pytest.raises(ArtworkError, match="the PDF cannot be read"), opened(document(tmp_path, book())):
        raise trouble


@pytest.mark.parametrize("name", ["no xref", "cut short", "R6, both passwords", "reportlab form", "entangled"])
def test_a_mended_document_is_sound_and_says_the_same(name: str, tmp_path: Path) -> None:
    source = document(tmp_path, MAKERS[name]())
    before = survey(source)
    target = tmp_path / "mended.pdf"
    mend(source, target)
    after = survey(Document("0" * 64, target))
    assert (after.pages, after.title, after.bookmarks) == (before.pages, before.title, before.bookmarks)
    assert (after.encrypted, after.repairs) == (False, ())
    with pikepdf.open(target) as pdf:
        assert pdf.check_pdf_syntax() == []


def test_mending_copies_streams_as_they_are(tmp_path: Path) -> None:
    data = numbered(3, producers.sharing)
    mend(document(tmp_path, producers.without_xref(data)), tmp_path / "mended.pdf")
    for number in range(3):
        assert producers.noise(number) in (tmp_path / "mended.pdf").read_bytes()


def test_long_flat_page_trees_of_damaged_documents_are_read(tmp_path: Path) -> None:
    out = io.BytesIO(b"%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n")
    out.seek(0, io.SEEK_END)
    count = 6000
    kids = b" ".join(b"%d 0 R" % number for number in range(3, count + 3))
    out.write(b"2 0 obj <</Type/Pages/Count %d/MediaBox[0 0 9 9]/Resources<<>>/Kids[%s]>> endobj\n" % (count, kids))
    for number in range(3, count + 3):
        out.write(b"%d 0 obj <</Type/Page/Parent 2 0 R>> endobj\n" % number)
    out.write(b"trailer <</Root 1 0 R>>\n")
    found = surveyed(tmp_path, out.getvalue())
    assert (found.pages, found.repairs) == (count, (REBUILT,))
