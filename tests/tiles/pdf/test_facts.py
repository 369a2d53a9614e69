"""What is found in a section: resolutions, sizes, fonts and headings that are known beforehand; and odd documents."""

import json
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, Object, OutlineItem, String
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped, unused-ignore]

from config.errors import ArtworkError
from tests.tiles.pdf.pages import INCH, LETTER, SHIPPED, Written, drawn, picture
from tiles.pdf import marks, reachable
from tiles.pdf.boxes import boxes_of
from tiles.pdf.examine import MAX_IMAGES, examine
from tiles.pdf.facts import FontFacts, PageFacts, SectionFacts, UnreadablePage
from tiles.pdf.findings import MAX_FINDINGS, findings_of
from tiles.pdf.marks import Matrix


def _only(pdf: Path) -> tuple[SectionFacts, PageFacts]:
    """What is found in a PDF of one page, page 4 of its document."""
    facts = examine(pdf, (4,))
    (page,) = facts.pages
    assert isinstance(page, PageFacts)
    return facts, page


def _resolution(pdf: Path) -> tuple[float, float]:
    (image,) = _only(pdf)[0].images
    return image.dpi_x, image.dpi_y


def _placed(made: Written, content: bytes, **entries: Any) -> Written:
    """Put an image of 300 × 200 pixels, `/I`, on a page."""
    page = made.page(content, XObject=Dictionary(I=made.image(300, 200)))
    for key, value in entries.items():
        page[f"/{key}"] = value
    return made


# Resolution


def test_an_image_has_its_pixels_to_the_inch_as_printed(tmp_path: Path) -> None:
    jpeg = picture(tmp_path / "a.jpg", 600, 300)
    pdf = drawn(tmp_path / "a.pdf", lambda canvas: canvas.drawImage(str(jpeg), 72, 72, 4 * INCH, 1 * INCH))

    facts, page = _only(pdf)

    assert asdict(facts.images[0]) == {
        "page": 4, "width_px": 600, "height_px": 300, "dpi_x": 150.0, "dpi_y": 300.0, "colours": "RGB", "bits": 8,
        "transparent": False,
    }  # fmt: skip
    assert (page.images, page.least_dpi, page.coarse_images) == (1, 150.0, 0)


def test_rotation_does_not_change_the_resolution(tmp_path: Path) -> None:
    made = _placed(Written(), b"q 0 144 -72 0 300 300 cm /I Do Q", Rotate=90)

    assert _resolution(made.save(tmp_path / "a.pdf")) == (150.0, 200.0)


@given(st.floats(0, 360), st.floats(0.2, 5), st.floats(0.2, 5))
@settings(max_examples=30)
def test_at_any_angle_the_resolution_is_along_the_images_sides(
    degrees: float, width_in: float, height_in: float
) -> None:
    matrix = Matrix(width_in * INCH, 0, 0, height_in * INCH)
    angle = complex(0, degrees * 3.14159265 / 180)
    turn = 2.718281828459045**angle

    turned = matrix.then(Matrix(turn.real, turn.imag, -turn.imag, turn.real))

    assert (turned.along / INCH, turned.across / INCH) == pytest.approx((width_in, height_in))


def test_user_units_make_the_page_larger_and_the_image_coarser(tmp_path: Path) -> None:
    made = _placed(Written(), b"q 144 0 0 72 100 100 cm /I Do Q", UserUnit=4)

    facts, page = _only(made.save(tmp_path / "a.pdf"))

    assert (page.width_in, page.height_in) == (34.0, 44.0)
    assert (facts.images[0].dpi_x, facts.images[0].dpi_y) == (37.5, 50.0)


def test_matrices_of_forms_within_forms_are_multiplied(tmp_path: Path) -> None:
    made = Written()
    inner = made.form(
        b"q 100 0 0 100 0 0 cm /I Do Q", (0.5, 0, 0, 0.5, 0, 0), XObject=Dictionary(I=made.image(300, 200))
    )
    outer = made.form(b"q 2 0 0 3 0 0 cm /F Do Q", (0, 1, -1, 0, 0, 0), XObject=Dictionary(F=inner))
    made.page(b"q 1.44 0 0 0.72 300 100 cm /F Do Q", XObject=Dictionary(F=outer))

    # 100 pt × 0.5 × 2 along x become y by the outer form's quarter turn, × 0.72; 100 × 0.5 × 3 along y × 1.44
    assert _resolution(made.save(tmp_path / "a.pdf")) == pytest.approx((300.0, 66.7), rel=0.01)


def test_an_image_counts_wherever_it_is_placed(tmp_path: Path) -> None:
    content = b"q 72 0 0 72 0 0 cm /I Do Q q 144 0 0 144 100 100 cm /I Do Q"

    facts, page = _only(_placed(Written(), content).save(tmp_path / "a.pdf"))

    assert [image.dpi_x for image in facts.images] == [300.0, 150.0]
    assert (page.images, page.least_dpi, page.coarse_images) == (2, 100.0, 1)


@pytest.mark.parametrize(
    "content",
    [
        b"q 72 0 0 72 -100 0 cm /I Do Q",
        b"q 72 0 0 72 0 900 cm /I Do Q",
        b"q 0 0 0 0 100 100 cm /I Do Q",
        b"q 72 0 72 0 100 100 cm /I Do Q",
        b"q 9e39 0 0 9e39 100 100 cm /I Do Q",
    ],
)
def test_an_image_beside_the_page_or_without_area_is_not_printed(tmp_path: Path, content: bytes) -> None:
    facts, page = _only(_placed(Written(), content).save(tmp_path / "a.pdf"))

    assert (page.images, facts.images, page.least_dpi) == (0, (), None)


def test_a_fill_of_few_pixels_is_no_coarse_image(tmp_path: Path) -> None:
    made = Written()
    made.page(b"q 600 0 0 700 0 0 cm /I Do Q", XObject=Dictionary(I=made.image(1, 256)))

    _, page = _only(made.save(tmp_path / "a.pdf"))

    assert (page.images, page.least_dpi, page.coarse_images) == (1, None, 0)


# Colours


@pytest.mark.parametrize(("mode", "found"), [("RGB", ("RGB", 8)), ("L", ("grey", 8)), ("CMYK", ("CMYK", 8))])
def test_jpegs_are_told_by_their_colours(tmp_path: Path, mode: str, found: tuple[str, int]) -> None:
    jpeg = picture(tmp_path / "a.jpg", 64, 64, mode)
    pdf = drawn(tmp_path / "a.pdf", lambda canvas: canvas.drawImage(str(jpeg), 72, 72, 72, 72))

    (image,) = _only(pdf)[0].images

    assert (image.colours, image.bits) == found


def _profile(made: Written, channels: int) -> Array:
    return Array([Name.ICCBased, made.stream(b"", N=channels)])


def test_every_kind_of_colours_has_a_name(tmp_path: Path) -> None:
    made = Written()
    palette = Array([Name.Indexed, Name.DeviceRGB, 1, String("abcdef")])
    spot = Array([Name.Separation, Name("/PANTONE 300 C"), Name.DeviceCMYK, Dictionary()])
    expected = [
        (made.image(20, 20, Name.DeviceGray, 1), ("bitonal", 1)),
        (made.image(20, 20, Name.DeviceGray, 16), ("grey", 16)),
        (made.image(20, 20, _profile(made, 4)), ("CMYK", 8)),
        (made.image(20, 20, _profile(made, 3)), ("RGB", 8)),
        (made.image(20, 20, palette, 4), ("indexed", 4)),
        (made.image(20, 20, spot), ("spot", 8)),
        (made.image(20, 20, Array([Name.Lab, Dictionary()])), ("Lab", 8)),
        (made.image(20, 20, Array([Name.DeviceN, Array([]), Name.DeviceCMYK])), ("several inks", 8)),
    ]
    for image, _ in expected:
        made.page(b"q 72 0 0 72 100 100 cm /I Do Q", XObject=Dictionary(I=image))

    images = [_only(_alone(made, index, tmp_path))[0].images for index in range(len(expected))]

    assert [(image.colours, image.bits) for (image,) in images] == [found for _, found in expected]


def _alone(made: Written, index: int, folder: Path) -> Path:
    """Write one of the pages."""
    other = Written()
    other.pdf.pages.append(made.pdf.pages[index])
    return other.save(folder / f"{index}.pdf")


def test_images_of_the_same_size_are_told_apart_by_their_length(tmp_path: Path) -> None:
    made = Written()
    grey, colour = made.image(20, 20, Name.DeviceGray), made.image(20, 20, Name.DeviceRGB)
    grey.write(b"#" * 400)
    colour.write(b"#" * 1200)
    made.page(b"q 72 0 0 72 0 0 cm /A Do /B Do /A Do Q", XObject=Dictionary(A=grey, B=colour))

    facts, _ = _only(made.save(tmp_path / "a.pdf"))

    assert [(image.colours, image.bits) for image in facts.images] == [("grey", 8), ("RGB", 8), ("grey", 8)]


def test_an_image_within_the_content_is_found(tmp_path: Path) -> None:
    made = Written()
    made.page(b"q 72 0 0 72 9 9 cm BI /W 2 /H 2 /CS /RGB /BPC 8 ID abcdefghijkl EI Q")

    (image,) = _only(made.save(tmp_path / "a.pdf"))[0].images

    assert (image.width_px, image.height_px, image.colours) == (2, 2, "RGB")


# Sizes and boxes


def test_sizes_are_those_of_the_page_as_it_is_shown(tmp_path: Path) -> None:
    made = Written()
    made.page().Rotate = 270

    _, page = _only(made.save(tmp_path / "a.pdf"))

    assert (page.width_in, page.height_in, page.boxes) == (11.0, 8.5, {})


def test_boxes_that_differ_are_told_in_inches_from_the_media_box(tmp_path: Path) -> None:
    made = Written()
    page = made.page()
    page.MediaBox = Array([-9, -9, 603, 783])
    page.TrimBox = Array([0, 0, 594, 774])
    page.BleedBox = Array([-9, -9, 603, 783])
    page.CropBox = Array([603, 783, -9, 27])

    _, found = _only(made.save(tmp_path / "a.pdf"))

    assert found.boxes == {"crop": (0.0, 0.5, 8.5, 10.5), "trim": (0.125, 0.125, 8.25, 10.75)}
    assert (found.width_in, found.height_in) == (8.5, 10.5)


def test_boxes_are_inherited_and_count_in_user_units() -> None:
    parent = Dictionary(MediaBox=Array([0, 0, 72, 72]), CropBox=Array([0, 0, 36, 72]))
    page = Dictionary(Parent=parent, UserUnit=2)

    assert boxes_of(page) == {"crop": (0.0, 0.0, 1.0, 2.0)}


# Text, lines, transparency


def _text(size: float, matrix: str = "1 0 0 1 72 700", mode: int = 0, said: str = "Hxg") -> bytes:
    return f"BT {mode} Tr /F {size} Tf {matrix} Tm ({said}) Tj ET".encode()


def _fonts() -> Dictionary:
    return Dictionary(F=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (_text(12) + _text(4), 4.0),
        (_text(1, "4.5 0 0 4.5 72 700"), 4.5),
        (_text(8, "0 0.5 -0.5 0 72 700"), 4.0),
        (b"q 0.5 0 0 0.5 0 0 cm " + _text(7) + b" Q", 3.5),
        (_text(12) + _text(2, mode=3), 12.0),
        (_text(12) + _text(2, said=" "), 12.0),
        (b"", None),
    ],
)
def test_the_smallest_type_is_found(tmp_path: Path, content: bytes, size: float | None) -> None:
    made = Written()
    made.page(content, Font=_fonts())

    assert _only(made.save(tmp_path / "a.pdf"))[1].least_text_pt == size


@pytest.mark.parametrize(
    ("content", "width"),
    [
        (b"2 w 0 0 m 99 99 l S 0.5 w 0 0 m 99 99 l S", 0.5),
        (b"0 w 0 0 m 99 99 l S", 0.0),
        (b"q 0.1 0 0 0.1 0 0 cm 1 w 0 0 m 99 99 l S Q", 0.1),
        (b"0.1 w 0 0 99 99 re f", None),
    ],
)
def test_the_thinnest_line_is_found(tmp_path: Path, content: bytes, width: float | None) -> None:
    made = Written()
    made.page(content)

    assert _only(made.save(tmp_path / "a.pdf"))[1].least_line_pt == width


def test_transparency_is_told(tmp_path: Path) -> None:
    clear = drawn(tmp_path / "a.pdf", lambda canvas: (canvas.setFillAlpha(0.5), canvas.rect(0, 0, 99, 99, fill=1)))
    solid = drawn(tmp_path / "b.pdf", lambda canvas: canvas.rect(0, 0, 99, 99, fill=1))

    assert (_only(clear)[1].transparency, _only(solid)[1].transparency) == (True, False)


def test_an_image_with_a_mask_of_greys_is_transparent(tmp_path: Path) -> None:
    png = picture(tmp_path / "a.png", 40, 40, "RGBA")
    pdf = drawn(tmp_path / "a.pdf", lambda canvas: canvas.drawImage(str(png), 0, 0, 72, 72, mask="auto"))

    facts, page = _only(pdf)

    assert ([image.transparent for image in facts.images], page.transparency) == ([True], True)


def test_words_and_characters_are_counted(tmp_path: Path) -> None:
    pdf = drawn(tmp_path / "a.pdf", lambda canvas: canvas.drawString(72, 700, "three words here"))

    facts, page = _only(pdf)

    assert (facts.words, facts.characters, page.words, page.characters) == (3, 14, 3, 14)


# Fonts


def test_fonts_are_told_by_whether_their_glyphs_are_there(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 600, "not there")
        canvas.setFont(SHIPPED, 12)
        canvas.drawString(72, 700, "there")

    facts, _ = _only(drawn(tmp_path / "a.pdf", draw))

    assert set(facts.fonts) == {
        FontFacts("TilepressSans", "TrueType", embedded=True, subset=True, used=True, page=4),
        FontFacts("Helvetica", "Type1", embedded=False, subset=False, used=True, page=4),
    }
    assert facts.findings == ("font Helvetica is not embedded (page 4)",)


def test_a_font_that_nothing_is_set_in_need_not_be_embedded(tmp_path: Path) -> None:
    facts, _ = _only(drawn(tmp_path / "a.pdf", lambda canvas: canvas.rect(0, 0, 99, 99, fill=1)))

    assert [(font.name, font.used) for font in facts.fonts] == [("Helvetica", False)]
    assert facts.findings == ()


def test_a_font_that_only_a_pattern_uses_counts(tmp_path: Path) -> None:
    made = Written()
    pattern = made.stream(b"", Type=Name.Pattern, PatternType=1, Resources=Dictionary(Font=_fonts()))
    made.page(b"", Font=_fonts())
    made.page(b"", Pattern=Dictionary(P=pattern))

    (font,) = examine(made.save(tmp_path / "a.pdf"), (4, 5)).fonts

    assert (font.used, font.page) == (True, 4)


@pytest.mark.parametrize("name", ["ArialMT", "Arial,Bold", "TimesNewRoman", "CourierNew", "Nowhere"])
def test_a_font_that_pdfium_knows_by_another_name_counts(tmp_path: Path, name: str) -> None:
    made = Written()
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name(f"/{name}"))
    made.page(_text(12), Font=Dictionary(F=font))

    assert _only(made.save(tmp_path / "a.pdf"))[0].findings == (f"font {name} is not embedded (page 4)",)


def _composite(made: Written, **descriptor: Any) -> Dictionary:
    descendant = Dictionary(
        Type=Name.Font, Subtype=Name.CIDFontType2, BaseFont=Name("/ABCDEF+Song"),
        FontDescriptor=Dictionary(Type=Name.FontDescriptor, **descriptor),
    )  # fmt: skip
    return Dictionary(
        Type=Name.Font, Subtype=Name.Type0, BaseFont=Name("/ABCDEF+Song"), DescendantFonts=Array([descendant])
    )


def test_the_descendant_tells_whether_a_composite_font_is_embedded(tmp_path: Path) -> None:
    made = Written()
    fonts = Dictionary(A=_composite(made, FontFile2=made.stream(b"glyphs")), B=_composite(made))
    made.page(b"", Font=fonts)

    found = _only(made.save(tmp_path / "a.pdf"))[0].fonts

    assert {(font.name, font.type, font.embedded, font.subset) for font in found} == {
        ("Song", "Type0", True, True), ("Song", "Type0", False, True),
    }  # fmt: skip


def test_fonts_are_found_in_forms_patterns_glyphs_masks_and_annotations(tmp_path: Path) -> None:
    made = Written()

    def font(name: str) -> Dictionary:
        return Dictionary(F=Dictionary(Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name(f"/{name}")))

    glyphs = Dictionary(Type=Name.Font, Subtype=Name.Type3, Name=Name.Drawn, Resources=Dictionary(Font=font("Glyph")))
    pattern = made.stream(b"", Type=Name.Pattern, PatternType=1, Resources=Dictionary(Font=font("Pattern")))
    mask = Dictionary(SMask=Dictionary(G=made.form(b"", Font=font("Mask"))))
    stamp = Dictionary(Subtype=Name.Stamp, AP=Dictionary(N=Dictionary(On=made.form(b"", Font=font("Stamp")))))
    page = made.page(
        b"", XObject=Dictionary(X=made.form(b"", XObject=Dictionary(X=made.form(b"", Font=font("Form"))))),
        Pattern=Dictionary(P=pattern), Font=Dictionary(F=glyphs), ExtGState=Dictionary(S=mask),
    )  # fmt: skip
    page.Annots = Array([stamp])

    found = _only(made.save(tmp_path / "a.pdf"))[0].fonts

    assert {(font.name, font.embedded, font.used) for font in found} == {
        ("Drawn", True, True), ("Form", False, False), ("Glyph", False, True), ("Mask", False, True),
        ("Pattern", False, True), ("Stamp", False, True),
    }  # fmt: skip


# Headings


def test_bookmarks_are_headings_with_both_page_numbers(tmp_path: Path) -> None:
    made = Written()
    for _ in range(3):
        made.page()
    with made.pdf.open_outline() as outline:
        first = OutlineItem("Chapter\n one", 0)
        first.children.append(OutlineItem("Part", 2))
        outline.root.extend([first, OutlineItem("nowhere"), OutlineItem("Last", 2)])

    headings = examine(made.save(tmp_path / "a.pdf"), (7, 3, 9)).headings

    assert [(h.title, h.level, h.page, h.section_page) for h in headings] == [
        ("Chapter one", 1, 7, 1), ("Part", 2, 9, 3), ("Last", 1, 9, 3),
    ]  # fmt: skip


def test_an_outline_that_is_a_circle_ends(tmp_path: Path) -> None:
    made = Written()
    made.page()
    with made.pdf.open_outline() as outline:
        outline.root.extend([OutlineItem("One", 0), OutlineItem("Two", 0)])
    first = made.pdf.Root.Outlines.First
    first.Next.Next = first
    first.First = first
    first.Title = String(b"\xfe\xff\xd8\x00\x00A")

    assert [h.title for h in examine(made.save(tmp_path / "a.pdf"), (1,)).headings] == ["\ufffdA", "Two"]


# Findings


@pytest.mark.parametrize(
    ("sizes", "finding"),
    [
        ([(360, 720), (720, 360)], "pages of 5×10 in stand both upright and on their side"),
        ([(360, 720), (720, 360), (432, 648)], "pages have different sizes, from 5×10 in to 6×9 in"),
        ([(360, 720), (360.5, 720)], None),
    ],
)
def test_sizes_are_compared_however_pages_stand(
    sizes: list[tuple[float, float]], finding: str | None, tmp_path: Path
) -> None:
    made = Written()
    for size in sizes:
        made.page(b"0 g 0 0 99 99 re f", size=size)
    facts = examine(made.save(tmp_path / "a.pdf"), range(1, len(sizes) + 1))
    assert facts.findings == ((finding,) if finding else ())


def test_what_a_print_shop_must_act_on_is_said_in_sentences(tmp_path: Path) -> None:
    made = Written()
    made.page(
        b"q 360 0 0 144 100 100 cm /I Do Q " + _text(4), XObject=Dictionary(I=made.image(300, 200)), Font=_fonts()
    )
    made.page()
    made.page(b"0.1 w 0 0 m 99 99 l S", size=(400, 400))
    made.page(b"0 g 0 0 99 99 re f")

    facts = examine(made.save(tmp_path / "a.pdf", spoil=3), (4, 5, 6, 9))

    assert facts.findings == (
        "pages have different sizes, from 5.556×5.556 in to 8.5×11 in",
        "font Helvetica is not embedded (page 4)",
        "page 4: an image has 60 DPI",
        "page 4: text of 4 pt, smaller than 5 pt",
        "page 5: it is empty",
        "page 6: a line of 0.1 pt, thinner than 0.25 pt",
        "page 9: it cannot be read",
    )
    assert facts.pages[3] == UnreadablePage(9, "it cannot be read")


def test_a_sound_page_has_no_findings(tmp_path: Path) -> None:
    made = _placed(Written(), b"q 72 0 0 72 100 100 cm /I Do Q 1 w 0 0 m 300 300 l S")

    assert _only(made.save(tmp_path / "a.pdf"))[0].findings == ()


def test_pages_that_differ_by_rounding_have_the_same_size(tmp_path: Path) -> None:
    made = Written()
    made.page(b"0 g 0 0 99 99 re f", size=(612, 792))
    made.page(b"0 g 0 0 99 99 re f", size=(612.4, 791.6))

    assert examine(made.save(tmp_path / "a.pdf"), (1, 2)).findings == ()


def test_findings_are_few_whatever_the_section() -> None:
    pages = [UnreadablePage(number, "it cannot be read") for number in range(1, 501)]

    findings = findings_of(pages, ())

    assert len(findings) == MAX_FINDINGS + 1
    assert findings[-1] == "and 400 more"


# Odd documents


def test_more_objects_than_can_be_looked_at_are_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "MAX_OBJECTS", 3)
    pdf = _placed(Written(), b"q 72 0 0 72 9 9 cm /I Do /I Do /I Do /I Do Q").save(tmp_path / "a.pdf")

    facts, page = _only(pdf)

    assert (page.images, page.complete) == (3, False)
    assert "page 4: more than 20,000 objects, of which only the first were looked at" in facts.findings


def test_more_resources_than_can_be_looked_at_are_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reachable, "MAX_REACHED", 5)
    made = Written()
    made.page(b"0 g 0 0 99 99 re f", XObject=Dictionary({f"/F{number}": made.form(b"") for number in range(9)}))

    assert _only(made.save(tmp_path / "a.pdf"))[0].findings == (
        "more than 50,000 fonts, images and forms, of which only the first were looked at",
    )


def test_images_beyond_the_bound_are_counted(tmp_path: Path) -> None:
    pdf = _placed(Written(), b"q 72 0 0 72 9 9 cm " + b"/I Do " * (MAX_IMAGES + 7) + b"Q").save(tmp_path / "a.pdf")

    facts, page = _only(pdf)

    assert (page.images, len(facts.images), facts.images_left_out) == (MAX_IMAGES + 7, MAX_IMAGES, 7)


def test_forms_that_hold_themselves_end(tmp_path: Path) -> None:
    made = Written()
    form = made.form(b"q 72 0 0 72 9 9 cm /I Do Q /F Do", XObject=Dictionary(I=made.image(300, 200)))
    form.Resources.XObject.F = form
    font = made.pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type3))
    font.Resources = Dictionary(Font=Dictionary(F=font))
    form.Resources.Font = Dictionary(F=font)
    made.page(b"/F Do", XObject=Dictionary(F=form))

    facts, page = _only(made.save(tmp_path / "a.pdf"))

    assert page.images >= 1
    assert len(facts.fonts) == 1


_ODD: list[Any] = [
    7, -1, 10**12, True, String("text"), Name.Odd, Object.parse(b"/#e9#ff"), Array([]), Array([1, 2, 3]), Dictionary(),
    Array([Array([Array([])])]), Dictionary(Odd=Dictionary()), 1.5e30,
]  # fmt: skip


@pytest.mark.parametrize("seed", range(25))
def test_whatever_stands_where_something_else_should_is_borne(tmp_path: Path, seed: int) -> None:
    made = Written()
    image = made.image(300, 200, _profile(made, 3))
    form = made.form(b"/I Do", XObject=Dictionary(I=image), Font=_fonts())
    stamp = Dictionary(Subtype=Name.Stamp, Rect=Array([0, 0, 9, 9]), AP=Dictionary(N=form))
    page = made.page(
        b"q 72 0 0 72 9 9 cm /X Do /I Do Q " + _text(9), XObject=Dictionary(X=form, I=image),
        Font=Dictionary(F=_composite(made, FontFile2=made.stream(b"glyphs"))),
        ExtGState=Dictionary(G=Dictionary(SMask=Dictionary(G=form))), Pattern=Dictionary(P=form),
    )  # fmt: skip
    page.Annots = Array([stamp])
    page.TrimBox = Array([0, 0, 99, 99])
    page.UserUnit = 2
    choice = random.Random(seed)
    for _ in range(6):
        _spoil(page, choice)

    try:
        facts = examine(made.save(tmp_path / "a.pdf"), (4,))
    except ArtworkError:
        return
    json.dumps(asdict(facts), allow_nan=False)


def _spoil(holder: Any, choice: random.Random) -> None:
    """Put something odd in place of something within a dictionary, or within one of its own."""
    while True:
        key = choice.choice(sorted(set(holder.keys()) - {"/Parent", "/Type", "/Length"}) or ["/Odd"])
        inner = holder.get(key)
        if not isinstance(inner, Dictionary) or choice.random() < 0.3:
            holder[key] = choice.choice(_ODD)
            return
        holder = inner


def test_a_font_under_a_key_that_is_no_text_is_found(tmp_path: Path) -> None:
    made = Written()
    made.page(b"", Font=Object.parse(b"<< /#e9#ff << /Type /Font /Subtype /Type1 /BaseFont /#e9#ff >> >>"))

    assert [font.name for font in _only(made.save(tmp_path / "a.pdf"))[0].fonts] == ["éÿ"]


def test_a_section_of_other_pages_than_told_is_refused(tmp_path: Path) -> None:
    made = Written()
    made.page()

    with pytest.raises(ArtworkError, match="1 pages where 2"):
        examine(made.save(tmp_path / "a.pdf"), (1, 2))


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"GIF89a" * 100])
def test_what_is_no_pdf_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pdf").write_bytes(content)

    with pytest.raises(ArtworkError):
        examine(tmp_path / "a.pdf", (1,))


def test_a_cut_off_pdf_is_read_or_refused(tmp_path: Path) -> None:
    whole = drawn(tmp_path / "a.pdf", lambda canvas: canvas.drawString(72, 700, "words")).read_bytes()
    for length in range(0, len(whole), len(whole) // 20):
        (tmp_path / "b.pdf").write_bytes(whole[:length])
        try:
            facts = examine(tmp_path / "b.pdf", (1,))
        except ArtworkError:
            continue
        assert len(facts.pages) == 1


def test_the_same_pdf_has_the_same_facts(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for name in ("Courier", "Times-Roman", SHIPPED, "Helvetica-Bold"):
            canvas.setFont(name, 12)
            canvas.drawString(72, 700, name)

    pdf = drawn(tmp_path / "a.pdf", draw, draw, size=LETTER)

    assert json.dumps(asdict(examine(pdf, (1, 2)))) == json.dumps(asdict(examine(pdf, (1, 2))))
