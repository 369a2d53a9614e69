"""A PDF's text: what lies on its pages, in plain lines, whatever its fonts make of it."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pikepdf import Dictionary, Name
from pypdfium2 import PdfDocument
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped, unused-ignore]

from config.errors import ArtworkError
from tests.tiles.pdf.pages import LETTER, SHIPPED, Written, drawn
from tiles.pdf import eachpage
from tiles.pdf.pdfium import opened_pages
from tiles.pdf.text import page_texts, plain, write_text


def _says(*lines: str, font: str = "Helvetica") -> Callable[[Canvas], None]:
    def draw(canvas: Canvas) -> None:
        canvas.setFont(font, 12)
        for number, line in enumerate(lines):
            canvas.drawString(72, 700 - 16 * number, line)

    return draw


def test_each_page_has_its_lines_in_order(tmp_path: Path) -> None:
    pdf = drawn(tmp_path / "a.pdf", _says("First page", "second line"), _says("Second page"))

    assert list(page_texts(pdf)) == ["First page\nsecond line", "Second page"]


def test_text_of_many_scripts_is_kept(tmp_path: Path) -> None:
    pdf = drawn(tmp_path / "a.pdf", _says("Grüße, naïve, 12,50 €", font=SHIPPED))

    assert list(page_texts(pdf)) == ["Grüße, naïve, 12,50 €"]


def test_pages_are_parted_by_form_feeds_and_empty_ones_stay(tmp_path: Path) -> None:
    pdf = drawn(tmp_path / "a.pdf", _says("One"), lambda canvas: None, _says("Three", "more"))

    written = write_text(pdf, tmp_path / "a.txt")

    assert written.path.read_bytes() == b"One\n\f\fThree\nmore\n"
    assert written.sha256 == hashlib.sha256(b"One\n\f\fThree\nmore\n").hexdigest()
    assert written.bytes == 17


def test_a_hyphen_at_the_end_of_a_line_stays_a_hyphen(tmp_path: Path) -> None:
    pdf = drawn(tmp_path / "a.pdf", _says("well-", "known"))

    assert list(page_texts(pdf)) == ["well-known"]


def test_text_beside_the_page_is_not_on_it(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "here")
        canvas.drawString(72, LETTER[1] + 50, "not here")

    assert list(page_texts(drawn(tmp_path / "a.pdf", draw))) == ["here"]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_rotated_page_loses_no_text(tmp_path: Path, degrees: int) -> None:
    made = Written()
    said = b"BT /F 12 Tf 20 780 Td (top left) Tj ET BT /F 12 Tf 500 5 Td (bottom right) Tj ET"
    made.page(said, Font=Dictionary(F=_courier())).Rotate = degrees

    assert list(page_texts(made.save(tmp_path / "a.pdf"))) == ["top left\nbottom right"]


def _with_meanings(path: Path, *meanings: str) -> Path:
    """Write a page that says "xAyBz…", where a table gives A, B, … these UTF-16 meanings in hexadecimal digits."""
    made = Written()
    lines = "".join(f"<{0x41 + number:02X}> <{meaning}>\n" for number, meaning in enumerate(meanings))
    table = (
        "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <FF> endcodespacerange\n"
        f"{len(meanings)} beginbfchar\n{lines}endbfchar endcmap end"
    )
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Courier, ToUnicode=made.stream(table.encode()))
    said = "x" + "".join(f"{chr(0x41 + number)}{chr(0x61 + number)}" for number in range(len(meanings)))
    made.page(f"BT /F 12 Tf 72 700 Td ({said}) Tj ET".encode(), Font=Dictionary(F=made.pdf.make_indirect(font)))
    return made.save(path)


def test_characters_beyond_the_first_plane_are_kept(tmp_path: Path) -> None:
    assert list(page_texts(_with_meanings(tmp_path / "a.pdf", "D835DC00"))) == ["x𝐀a"]


def test_meanings_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    pdf = _with_meanings(tmp_path / "a.pdf", "D800", "0007", "000C", "2028", "0085")

    (text,) = page_texts(pdf)

    assert text == "x\ufffdab\nc\nd\ne"
    assert write_text(pdf, tmp_path / "a.txt").path.read_bytes() == f"{text}\n".encode()


@given(st.text())
def test_plain_text_has_no_control_characters_but_line_ends(text: str) -> None:
    made = plain(f"{text}\ufffe\x9b")

    assert "\ufffe" not in made
    assert not [
        character for character in made if character != "\n" and (character < " " or "\x7f" <= character < "\xa0")
    ]
    assert made == plain(made)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_every_line_end_becomes_one(end: str) -> None:
    assert plain(f"a{end}b{end}") == "a\nb"


def test_the_same_pdf_gives_the_same_bytes(tmp_path: Path) -> None:
    pdf = drawn(tmp_path / "a.pdf", *[_says(f"Page {number}", "Grüße", font=SHIPPED) for number in range(5)])

    first, second = (write_text(pdf, tmp_path / name) for name in ("1.txt", "2.txt"))

    assert (first.bytes, first.sha256) == (second.bytes, second.sha256)


def test_a_text_that_cannot_be_written_leaves_no_file(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing more")
    (tmp_path / "text.txt").write_text("the former one")

    with pytest.raises(ArtworkError):
        write_text(broken, tmp_path / "text.txt")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.pdf", "text.txt"]
    assert (tmp_path / "text.txt").read_text() == "the former one"


def test_a_page_that_cannot_be_read_has_no_text(tmp_path: Path) -> None:
    made = Written()
    made.page(b"BT /F 12 Tf 72 700 Td (read) Tj ET", Font=Dictionary(F=_courier()))
    made.page()

    assert list(page_texts(made.save(tmp_path / "a.pdf", spoil=1))) == ["read", ""]


def test_a_large_pdf_is_opened_anew_for_every_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []

    def counted(pdf: Path) -> AbstractContextManager[PdfDocument]:
        opened.append(pdf)
        return opened_pages(pdf)

    pdf = drawn(tmp_path / "a.pdf", *[_says(f"Page {number}") for number in range(3)])
    monkeypatch.setattr(eachpage, "opened_pages", counted)

    assert list(page_texts(pdf)) == ["Page 0", "Page 1", "Page 2"]
    assert len(opened) == 1

    monkeypatch.setattr(eachpage, "KEPT_BYTES", pdf.stat().st_size - 1)

    assert list(page_texts(pdf)) == ["Page 0", "Page 1", "Page 2"]
    assert len(opened) == 1 + 3


def _courier() -> Dictionary:
    return Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Courier)
