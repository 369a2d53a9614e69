"""A page of a PDF as a design: what its header says, which page is meant, and its pixels at the printed size."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped, unused-ignore]

from config.errors import ArtworkError
from tests.tiles.pdf.drawings import boxed, form_fields, one_shot, shapes
from tests.tiles.pdf.pages import INCH, Written, drawn
from tiles import prepare as prepare_module
from tiles.design import Design, Geometry, Header, Limits
from tiles.geometry import Rect
from tiles.header import read_header
from tiles.pdf.draw import opened_page
from tiles.pdf.pdfium import opened_pages
from tiles.prepare import OPAQUE, Preparation, find_trim_box, prepare, prepared_rows
from tiles.store import V_HEADER_BYTES, hash_file, stamp_of

Pixels = NDArray[np.uint8]
LIMITS = Limits()
SIZE = (4 * INCH, 3 * INCH)


def _design(pdf: Path, page: int | None = None) -> Design:
    return Design(hash_file(pdf), pdf, pdf.stat().st_size, stamp_of(pdf), read_header(pdf, LIMITS, page))


def _prepared(design: Design, geometry: Geometry) -> Pixels:
    target = design.path.with_suffix(".v")
    prepare(Preparation(design, geometry, target))
    pixels = np.fromfile(target, np.uint8, geometry.prepared_bytes, offset=V_HEADER_BYTES)
    target.unlink()
    return pixels.reshape(geometry.height_px, geometry.width_px, 4)


def _whole(pdf: Path, page: int, width: int, height: int) -> Pixels:
    with opened_pages(pdf) as document, opened_page(document, page) as shown:
        return one_shot(shown, width, height, bands=4)


def _block(page: Canvas, left: float, bottom: float, width: float, height: float) -> None:
    """Fill a rectangle, in inches, with red."""
    page.setFillColorRGB(1, 0, 0)
    page.rect(left * INCH, bottom * INCH, width * INCH, height * INCH, fill=1, stroke=0)


@pytest.fixture
def three_pages(tmp_path: Path) -> Path:
    """Return a PDF whose pages bear 1, 2 and 3 red inches."""
    blocks = [lambda page, count=count: _block(page, 0.5, 0.5, count, 1) for count in (1, 2, 3)]
    return drawn(tmp_path / "posters.pdf", *blocks, size=SIZE)


def test_a_header_states_the_page_at_600_dpi(three_pages: Path) -> None:
    expected = Header("pdf", 2400, 1800, 4, 8, 600.0, 1, has_profile=False, buffered=False, has_alpha=True, page=3)
    header = read_header(three_pages, LIMITS, 3)
    assert expected == header
    assert header.is_vector


def test_the_only_page_needs_no_name(tmp_path: Path) -> None:
    pdf = drawn(tmp_path / "poster.pdf", shapes, size=SIZE)
    assert read_header(pdf, LIMITS, 1) == read_header(pdf, LIMITS)


@pytest.mark.parametrize(
    ("entries", "size"),
    [
        ({"Rotate": 90}, (3508, 2480)),
        ({"UserUnit": 2}, (4961, 7016)),
        ({"CropBox": (10, 20, 82, 92)}, (600, 600)),
        ({"MediaBox": (0, 0, 14400, 14400), "UserUnit": 10}, (1_200_000, 1_200_000)),
    ],
)
def test_a_header_states_what_is_shown_of_the_page(
    tmp_path: Path, entries: dict[str, object], size: tuple[int, int]
) -> None:
    header = read_header(boxed(tmp_path / "page.pdf", **entries), LIMITS)
    assert size == (header.width_px, header.height_px)


def test_a_pdf_is_known_by_its_content_behind_what_stands_before_it(three_pages: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "artwork.png"
    renamed.write_bytes(b"\r\n" + three_pages.read_bytes())
    assert (renamed.name, 2) == ("artwork.png", read_header(renamed, LIMITS, 2).page)


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (None, "the PDF has 3 pages; name one: posters.pdf#page=1"),
        (4, "there is no page 4: the PDF has 3"),
        (999_999, "there is no page 999,999: the PDF has 3"),
    ],
)
def test_a_page_must_be_named_and_be_there(three_pages: Path, page: int | None, message: str) -> None:
    with pytest.raises(ArtworkError) as refused:
        read_header(three_pages, LIMITS, page)
    assert message == refused.value.message


def test_a_page_cannot_be_named_of_anything_else(tmp_path: Path) -> None:
    (tmp_path / "poster.pdf").write_bytes(b"GIF89a and so on")
    with pytest.raises(ArtworkError, match="GIF is not accepted"):
        read_header(tmp_path / "poster.pdf", LIMITS, 3)
    (tmp_path / "poster.pdf").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ArtworkError, match="page 3 is asked for, and the content is no PDF"):
        read_header(tmp_path / "poster.pdf", LIMITS, 3)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _damaged(path: Path) -> None:
    path.write_bytes(b"%PDF-1.7\nand no more")


def _without_pages(path: Path) -> None:
    pikepdf.Pdf.new().save(path)


def _encrypted(path: Path) -> None:
    pdf = Written()
    pdf.page()
    pdf.pdf.save(path, encryption=pikepdf.Encryption(owner="o", user="u"))


def _without_size(path: Path) -> None:
    boxed(path, CropBox=(5000, 5000, 5100, 5100))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_empty, "the file is empty"),
        (_damaged, "the PDF cannot be opened: it is damaged, or is no PDF"),
        (_without_pages, "the PDF has no pages"),
        (_encrypted, "the PDF is encrypted, and no password is given for it"),
        (_without_size, "the page has no size: its boxes are empty"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tmp_path: Path, make: object, message: str) -> None:
    assert callable(make)
    make(tmp_path / "poster.pdf")
    with pytest.raises(ArtworkError) as refused:
        read_header(tmp_path / "poster.pdf", LIMITS)
    assert message == refused.value.message


@pytest.mark.parametrize(("width", "height"), [(400, 300), (1201, 899), (333, 640), (1, 1)])
def test_a_page_is_drawn_at_its_printed_size(three_pages: Path, width: int, height: int) -> None:
    found = _prepared(_design(three_pages, 2), Geometry(width, height))
    assert np.array_equal(_whole(three_pages, 2, width, height), found)


def test_what_is_not_inked_is_nothing_and_form_fields_are_there(tmp_path: Path) -> None:
    pdf = drawn(tmp_path / "form.pdf", form_fields, size=SIZE)
    found = _prepared(_design(pdf), Geometry(800, 600))
    assert not found[found[..., 3] == 0].any()
    assert 0.1 < (found[..., 3] == OPAQUE).mean() < 0.6


def test_a_trimmed_page_fills_its_printed_size(three_pages: Path) -> None:
    design = _design(three_pages, 2)
    box = find_trim_box(design, three_pages.with_suffix(".scratch"))
    assert Rect(300, 900, 1200, 600) == box
    found = _prepared(design, Geometry(777, 333, box))
    assert (found == [255, 0, 0, 255]).all()


@settings(max_examples=25)
@given(
    left=st.integers(1, 30), bottom=st.integers(1, 20), width=st.integers(1, 30), height=st.integers(1, 20),
    printed=st.integers(20, 700),
)  # fmt: skip
@example(left=4, bottom=1, width=1, height=1, printed=690)
def test_a_trimmed_page_shows_all_its_ink_and_little_else(
    tmp_path_factory: pytest.TempPathFactory, left: int, bottom: int, width: int, height: int, printed: int
) -> None:
    sides = [part / 7.7 for part in (left, bottom, width, height)]
    size = ((sides[0] + sides[2]) * INCH + 9, (sides[1] + sides[3]) * INCH + 7)
    pdf = drawn(tmp_path_factory.mktemp("trim") / "a.pdf", lambda page: _block(page, *sides), size=size)
    design = _design(pdf)
    box = find_trim_box(design, pdf)
    left_px, top_px = sides[0] * 600, design.header.height_px - (sides[1] + sides[3]) * 600
    for found, expected in zip(
        (box.x, box.y, box.width, box.height), (left_px, top_px, sides[2] * 600, sides[3] * 600), strict=True
    ):
        assert abs(found - expected) <= 2
    inked = _prepared(design, Geometry(printed, printed, box))[..., 3]
    edge = 2 + 2 * printed // min(box.width, box.height)
    for axis in (0, 1):  # pdfium moves a rectangle's edges to whole pixels: no more than that is left free
        lines = np.flatnonzero(inked.any(axis=axis))
        assert lines[0] <= edge and lines[-1] >= printed - 1 - edge
    assert (inked[edge : printed - edge, edge : printed - edge] == OPAQUE).all()


def test_a_part_of_a_page_is_that_part_of_the_whole(tmp_path: Path) -> None:
    pdf = drawn(tmp_path / "shapes.pdf", shapes, size=SIZE)
    box = Rect(600, 300, 1200, 900)  # of 2400 × 1800
    found = _prepared(_design(pdf), Geometry(800, 600, box))
    difference = np.abs(_whole(pdf, 1, 1600, 1200)[200:800, 400:1200].astype(int) - found)[..., 3]
    assert difference.max() <= 3  # where lines reach out of it, their edges are rounded otherwise
    assert (difference > 1).mean() < 1e-3


def test_a_part_of_a_form_has_its_fields(tmp_path: Path) -> None:
    pdf = drawn(tmp_path / "form.pdf", form_fields, size=SIZE)
    found = _prepared(_design(pdf), Geometry(400, 300, Rect(0, 900, 1200, 900)))
    assert found.any()
    assert np.array_equal(_whole(pdf, 1, 800, 600)[300:, :400], found)


def test_a_page_without_ink_has_no_box(tmp_path: Path) -> None:
    pdf = Written()
    pdf.page(size=SIZE)
    with pytest.raises(ArtworkError, match="the artwork is wholly transparent"):
        find_trim_box(_design(pdf.save(tmp_path / "empty.pdf")), tmp_path / "scratch")


def test_premultiplied_colours_are_multiplied(tmp_path: Path) -> None:
    def half(page: Canvas) -> None:
        page.setFillColorRGB(1, 0, 0, alpha=0.5)
        page.rect(0, 0, *SIZE, fill=1, stroke=0)

    found = _prepared(_design(drawn(tmp_path / "half.pdf", half, size=SIZE)), Geometry(40, 30, premultiplied=True))
    assert found[15, 20].tolist() == [127, 0, 0, 127]


def test_the_same_page_gives_the_same_bytes(three_pages: Path, tmp_path: Path) -> None:
    design, geometry = _design(three_pages, 3), Geometry(500, 400)
    for name in ("one.v", "two.v"):
        prepare(Preparation(design, geometry, tmp_path / name))
    assert (tmp_path / "one.v").read_bytes() == (tmp_path / "two.v").read_bytes()


def test_a_pdf_that_changes_while_it_is_read_is_refused(three_pages: Path) -> None:
    design = _design(three_pages, 1)
    changed = replace(design, stamp=(0, *design.stamp[1:]))
    with pytest.raises(ArtworkError, match="the file changed while it was read"):
        find_trim_box(changed, three_pages)
    with pytest.raises(ArtworkError, match="the file changed while it was read"):
        _prepared(changed, Geometry(40, 30))
    assert [three_pages] == list(three_pages.parent.iterdir())


def test_a_pdf_that_is_gone_is_the_designs_trouble(three_pages: Path, tmp_path: Path) -> None:
    design = _design(three_pages, 1)
    three_pages.unlink()
    with pytest.raises(ArtworkError, match="cannot be read: No such file"):
        list(prepared_rows(design, Geometry(40, 30), tmp_path / "a.v"))
    assert list(tmp_path.iterdir()) == []


def test_a_speck_on_a_vast_page_is_enlarged_without_the_page(tmp_path: Path) -> None:
    pdf = drawn(tmp_path / "vast.pdf", lambda page: _block(page, 1, 1, 0.01, 0.01), size=(200 * INCH, 200 * INCH))
    found = _prepared(_design(pdf), Geometry(1000, 1000, Rect(597, 119_391, 12, 12)))
    assert 0.2 < (found == [255, 0, 0, 255]).all(axis=2).mean() < 0.3


_LIMITED = """
import resource, sys
from pathlib import Path
from tests.tiles.test_pdf_designs import _design
from tiles.design import Geometry
from tiles.prepare import Preparation, prepare
from tiles.vips import start
start(1)
resident = int(Path("/proc/self/status").read_text().split("VmData:")[1].split()[0]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (resident + 100_000_000,) * 2)
prepare(Preparation(_design(Path(sys.argv[1])), Geometry(9200, 16000), Path(sys.argv[2])))
"""


def test_a_poster_is_prepared_in_a_sixth_of_the_memory_it_would_fill(tmp_path: Path) -> None:
    def poster(page: Canvas) -> None:
        page.scale(5.5, 6.8)
        shapes(page)

    pdf = drawn(tmp_path / "poster.pdf", poster, size=(23 * INCH, 40 * INCH))
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, pdf, tmp_path / "poster.v"], capture_output=True, text=True, check=False,
        cwd=Path(prepare_module.__file__).parents[1], env={"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "poster.v").stat().st_size == V_HEADER_BYTES + 9200 * 16000 * 4


def test_who_has_no_pdf_imports_no_pdfium() -> None:
    script = "import sys, tiles.header, tiles.prepare, tiles.tasks; print('pypdfium2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
