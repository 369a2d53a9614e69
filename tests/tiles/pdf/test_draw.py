"""Pages drawn band by band are the pages that pdfium draws at once; in bounded memory, and whole or not at all."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from itertools import product
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped, unused-ignore]

from config.errors import ArtworkError
from tests.tiles.pdf.drawings import KINDS, SIZE, Pixels, askew, boxed, one_shot, shapes
from tests.tiles.pdf.pages import Written, drawn
from tiles.geometry import spans
from tiles.pdf import canvas, draw
from tiles.pdf.canvas import PageCanvas, opened_canvas
from tiles.pdf.draw import draw_page, opened_page, page_px, page_size, thumbnail, user_unit
from tiles.pdf.pdfium import opened_pages
from tiles.vips import srgb_profile

LIMIT = 10**9
BAND_ROWS, DRAWN_ROWS = 70, 400  # of the pages here at 150 DPI


@pytest.fixture(scope="module")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that returns the page of a kind, made once."""
    folder = tmp_path_factory.mktemp("kinds")
    return cache(lambda kind: KINDS[kind](folder / f"{kind}.pdf"))


@pytest.fixture
def low_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas, "BAND_BYTES", BAND_ROWS * 620 * 3)
    monkeypatch.setattr(canvas, "DRAWN_BYTES", DRAWN_ROWS * 620 * 3)


@contextmanager
def _opened(pdf: Path, background: canvas.Background, dpi: int = 150) -> Iterator[tuple[PageCanvas, Pixels]]:
    """Yield a page's canvas, and what it ought to show."""
    with opened_pages(pdf) as document, opened_page(document, 1) as page:
        size = page_px(page_size(page), dpi)
        whole = one_shot(page, *size, bands=3 if background == "white" else 4)
        with opened_canvas(document, page, size, background) as made:
            yield made, whole


def _strips(made: PageCanvas, rows: int) -> Pixels:
    return np.concatenate([made.strip(top, count) for top, count in spans(made.height, rows)])


def _draw(pdf: Path, target: Path, dpi: int = 72, page: int = 1, **options: str | int) -> tuple[int, int]:
    """Draw a page as RGB PNG, and return its size."""
    _, size = draw_page(pdf, page, dpi, "white", target, "png", 1, int(options.get("max_pixels", LIMIT)))
    return size


@pytest.mark.parametrize("background", ["white", "transparent"])
@pytest.mark.parametrize("kind", KINDS)
def test_bands_are_the_page_drawn_at_once(
    page_of: Callable[[str], Path], low_bands: None, kind: str, background: canvas.Background
) -> None:
    with _opened(page_of(kind), background) as (made, whole):
        bands = _strips(made, 64)
    assert np.ptp(whole) > 200
    assert np.array_equal(whole, bands)


def test_white_pages_are_what_pypdfium2_renders(page_of: Callable[[str], Path], low_bands: None) -> None:
    with pypdfium2.PdfDocument(page_of("form fields")) as document:
        document.init_forms()
        rendered = document[0].render(scale=2, rev_byteorder=True).to_numpy()
        height, width, _ = rendered.shape
        with opened_canvas(document, document[0], (width, height), "white") as made:
            bands = made.strip(0, height)
    assert (bands != 255).mean() > 0.1
    assert np.array_equal(rendered, bands)


@settings(max_examples=15)
@given(rows=st.integers(1, 300), band_rows=st.integers(1, 200))
def test_strips_and_bands_of_any_height_partition_the_page(
    page_of: Callable[[str], Path], rows: int, band_rows: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canvas, "BAND_BYTES", band_rows * 207 * 4)
        with _opened(page_of("shapes"), "transparent", dpi=50) as (made, whole):
            assert np.array_equal(whole, _strips(made, rows))


def test_strips_may_come_in_any_order_and_stay_as_they_are(page_of: Callable[[str], Path], low_bands: None) -> None:
    with _opened(page_of("shapes"), "white") as (made, whole):
        tops = [800, 0, 333, 332, 0]
        strips = [made.strip(top, 50) for top in tops]
    assert all(np.array_equal(strip, whole[top : top + 50]) for top, strip in zip(tops, strips, strict=True))


def test_a_page_higher_than_a_window_is_drawn_in_several(
    page_of: Callable[[str], Path], low_bands: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canvas, "WINDOW_BYTES", (DRAWN_ROWS + 60) * 620 * 3)
    for kind in ("shapes", "form fields"):
        with _opened(page_of(kind), "white") as (made, whole):
            difference = np.abs(_strips(made, 64).astype(int) - whole)
        assert difference.max() <= 3  # from other windows, edges are rounded otherwise
        assert (difference > 1).mean() < 1e-4


def test_an_image_askew_too_large_to_be_drawn_whole_is_out_by_a_pixel_at_most(tmp_path: Path, low_bands: None) -> None:
    pdf = drawn(tmp_path / "large.pdf", _draw_stripes, size=SIZE)
    with _opened(pdf, "white") as (made, whole):
        bands = _strips(made, 64)
    around = [np.roll(whole.astype(int), shift, (0, 1)) for shift in product((-1, 0, 1), repeat=2)]
    assert not np.array_equal(whole, bands)
    assert (bands >= np.min(around, axis=0) - 1).all()
    assert (bands <= np.max(around, axis=0) + 1).all()


def _draw_stripes(page: Canvas) -> None:
    stripes = np.zeros((60, 12, 3), np.uint8)
    stripes[:, ::2] = 255
    page.translate(60, 10)
    page.rotate(6)
    page.drawInlineImage(Image.fromarray(np.repeat(np.repeat(stripes, 10, 0), 10, 1)), 0, 0, 220, 380)


def test_colours_are_nothing_where_alpha_is_nothing(page_of: Callable[[str], Path]) -> None:
    with _opened(page_of("shapes"), "transparent") as (made, _):
        strip = made.strip(0, made.height)
    unseen = strip[..., 3] == 0
    assert 0.1 < unseen.mean() < 0.9
    assert not strip[unseen].any()


def test_a_half_transparent_colour_stays_itself(tmp_path: Path) -> None:
    def half(page: Canvas) -> None:
        page.setFillColorRGB(1, 0.2, 0, alpha=0.5)
        page.rect(10, 10, 100, 100, fill=1, stroke=0)

    with _opened(drawn(tmp_path / "half.pdf", half, size=SIZE), "transparent", 72) as (made, _):
        assert made.strip(350, 1)[0, 50].tolist() == [255, 51, 0, 127]


@pytest.mark.parametrize(
    ("entries", "size"),
    [
        ({}, (298, 421)),
        ({"UserUnit": 2.5}, (744, 1052)),
        ({"Rotate": 90}, (421, 298)),
        ({"Rotate": 270, "UserUnit": 2}, (842, 595)),
        ({"CropBox": (10, 20, 110, 320)}, (100, 300)),
        ({"CropBox": (-100, 20, 110, 3200)}, (110, 401)),
        ({"UserUnit": 0}, (298, 421)),
        ({"MediaBox": (200, 300, 0, 0)}, (200, 300)),
    ],
)
def test_a_page_has_the_pixels_of_what_is_shown_of_it(
    tmp_path: Path, entries: dict[str, object], size: tuple[int, int]
) -> None:
    target = tmp_path / "page.png"
    assert size == _draw(boxed(tmp_path / "page.pdf", **entries), target)
    with Image.open(target) as picture:
        assert size == picture.size


def test_a_user_unit_enlarges_the_page_and_nothing_else(tmp_path: Path) -> None:
    _draw(boxed(tmp_path / "plain.pdf"), tmp_path / "plain.png", dpi=144)
    _draw(boxed(tmp_path / "units.pdf", UserUnit=2, MediaBox=(0, 0, *SIZE)), tmp_path / "units.png", dpi=72)
    plain, units = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("plain", "units"))
    assert np.array_equal(plain, units)


@pytest.mark.parametrize(
    ("inches", "dpi", "pixels"), [(8.27, 100, 827), (4.35, 10, 44), (33.11, 600, 19866), (46.8118, 600, 28087)]
)
def test_pixels_are_rounded_half_up_from_inches(tmp_path: Path, inches: float, dpi: int, pixels: int) -> None:
    pdf = Written()
    pdf.page(size=(inches * 72, 720))
    with opened_pages(pdf.save(tmp_path / "a.pdf")) as document, opened_page(document, 1) as page:
        assert (pixels, 10 * dpi) == page_px(page_size(page), dpi)


@pytest.mark.parametrize(
    ("format", "background", "mode"),
    [
        ("png", "white", "RGB"),
        ("png", "transparent", "RGBA"),
        ("tiff", "white", "RGB"),
        ("tiff", "transparent", "RGBA"),
    ],
)
def test_files_are_tagged_and_hold_the_page(
    page_of: Callable[[str], Path], tmp_path: Path, format: draw.Format, background: canvas.Background, mode: str
) -> None:
    target = tmp_path / f"page.{format}"
    made, size = draw_page(page_of("shapes"), 1, 150, background, target, format, 2, LIMIT)
    with Image.open(target) as picture, _opened(page_of("shapes"), background) as (_, whole):
        pixels = np.asarray(picture)
        assert (mode, size) == (picture.mode, picture.size)
        assert [round(float(side)) for side in picture.info["dpi"]] == [150, 150]
        assert srgb_profile() == picture.info["icc_profile"]
        assert np.array_equal(whole, pixels[..., : whole.shape[2]])
        assert background == "transparent" or pixels[..., 3:].min(initial=255) == 255
    assert (target, target.stat().st_size) == (made.path, made.bytes)
    assert [target] == list(tmp_path.iterdir())


def test_each_page_is_drawn_for_itself(tmp_path: Path) -> None:
    def show(page: Canvas, left: int) -> None:
        page.rect(left, 0, 10, 400, fill=1, stroke=0)

    pdf = drawn(
        tmp_path / "many.pdf", *(lambda page, left=left: show(page, left) for left in (20, 120, 220)), size=(300, 400)
    )
    for page, left in enumerate((20, 120, 220), 1):
        _draw(pdf, tmp_path / "page.png", page=page)
        assert left == np.asarray(Image.open(tmp_path / "page.png"))[200, :, 0].argmin()


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            {"UserUnit": 75000, "MediaBox": (0, 0, 14400, 14400)},
            "it has 1,080,000,000 × 1,080,000,000 pixels at 72 DPI",
        ),
        (
            {"MediaBox": (0, 0, 1e9, 1e9)},
            "it has 1,000,000,000 × 1,000,000,000 pixels at 72 DPI; at most 1,000,000,000 are",
        ),
        ({"MediaBox": (0, 0, 400_000, 3)}, "400,000 × 3 pixels: a side has at most 300,000"),
        ({"MediaBox": (0, 0, 0.3, 3)}, "the page has no pixel at 72 DPI: it measures 0.3 × 3 pt"),
        ({"CropBox": (5000, 5000, 6000, 6000)}, "the page has no size"),
    ],
)
def test_a_page_of_absurd_size_is_refused_before_anything_is_drawn(
    tmp_path: Path, entries: dict[str, object], message: str
) -> None:
    pdf = boxed(tmp_path / "page.pdf", **entries)
    with pytest.raises(ArtworkError) as refused:
        _draw(pdf, tmp_path / "page.png")
    assert refused.value.message.startswith(message)
    assert [pdf] == list(tmp_path.iterdir())


def test_one_pixel_too_many_is_refused(tmp_path: Path) -> None:
    pdf = boxed(tmp_path / "page.pdf", MediaBox=(0, 0, 100, 100))
    assert _draw(pdf, tmp_path / "page.png", max_pixels=10_000) == (100, 100)
    with pytest.raises(ArtworkError, match="it has 100 × 100 pixels at 72 DPI; at most 9,999 are accepted"):
        _draw(pdf, tmp_path / "other.png", max_pixels=9_999)


@pytest.mark.parametrize("page", [0, -1, 2])
def test_a_page_that_is_not_there_is_an_error(tmp_path: Path, page: int) -> None:
    with pytest.raises(ArtworkError, match=rf"there is no page {page}: the PDF has 1"):
        _draw(boxed(tmp_path / "page.pdf"), tmp_path / "page.png", page=page)


def test_a_page_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    pdf = Written()
    pdf.page()
    pdf.page()
    pdf.save(tmp_path / "spoilt.pdf", spoil=1)
    with opened_pages(tmp_path / "spoilt.pdf") as document:
        page = opened_page(document, 2)
        with pytest.raises(ArtworkError, match="the page cannot be read"):
            page.__enter__()


def _without_pages() -> bytes:
    written = BytesIO()
    pikepdf.Pdf.new().save(written)
    return written.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the PDF cannot be opened"),
        (b"%PDF-1.7\nand so on", "the PDF cannot be opened"),
        (_without_pages(), "the PDF has no pages"),
    ],
)
def test_what_is_no_document_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    pdf = tmp_path / "bad.pdf"
    pdf.write_bytes(content)
    with pytest.raises(ArtworkError, match=message):
        _draw(pdf, tmp_path / "page.png")
    assert [pdf] == list(tmp_path.iterdir())


def test_an_encrypted_document_wants_its_password(tmp_path: Path) -> None:
    plain, locked, target = boxed(tmp_path / "plain.pdf", UserUnit=2), tmp_path / "locked.pdf", tmp_path / "page.png"
    with pikepdf.open(plain) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(owner="o", user="sesame"))
    with pytest.raises(ArtworkError, match="no password is given"):
        _draw(locked, target)
    with pytest.raises(ArtworkError, match="the password given does not open it") as wrong:
        draw_page(locked, 1, 72, "white", target, "png", 1, LIMIT, "open")
    assert "open" not in repr(wrong.value.args).replace("does not open", "")
    _, size = draw_page(locked, 1, 72, "white", target, "png", 1, LIMIT, "sesame")
    assert size == (595, 842)
    assert user_unit(locked, 1, "sesame") == 2


def test_a_missing_file_is_the_disks_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        _draw(tmp_path / "none.pdf", tmp_path / "page.png")


def test_nothing_is_left_of_a_drawing_that_fails(
    page_of: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canvas, "BAND_BYTES", 1)
    original = PageCanvas._draw

    def fail(self: PageCanvas, origin: int, first: int, behind: int) -> None:
        if first > 200:
            raise MemoryError
        original(self, origin, first, behind)

    monkeypatch.setattr(PageCanvas, "_draw", fail)
    with pytest.raises(MemoryError):
        _draw(page_of("shapes"), tmp_path / "page.png")
    assert list(tmp_path.iterdir()) == []


_LIMITED = """
import resource, sys
from pathlib import Path
from tiles.pdf.draw import draw_page
from tiles.vips import start
start(1)
resident = int(Path("/proc/self/status").read_text().split("VmData:")[1].split()[0]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (resident + int(sys.argv[3]),) * 2)
print(draw_page(Path(sys.argv[1]), 1, 600, "transparent", Path(sys.argv[2]), "png", 1, 10**9)[1])
"""


def _draw_limited(pdf: Path, target: Path, room_bytes: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _LIMITED, str(pdf), str(target), str(room_bytes)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=Path(draw.__file__).parents[2],
        env={"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip


def test_a_page_is_drawn_in_a_third_of_the_memory_it_would_fill(tmp_path: Path) -> None:
    def poster(page: Canvas) -> None:
        page.scale(1190.55 / SIZE[0], 1683.78 / SIZE[1])
        shapes(page)
        askew(page)

    pdf, target = drawn(tmp_path / "poster.pdf", poster, size=(1190.55, 1683.78)), tmp_path / "page.png"  # A2
    whole = 9921 * 14032 * 4
    done = _draw_limited(pdf, target, whole // 3)
    assert (done.stdout, done.stderr) == ("(9921, 14032)\n", "")
    with Image.open(target) as picture:
        assert picture.size == (9921, 14032)


def test_form_fields_are_drawn_in_bounded_memory_too(page_of: Callable[[str], Path], tmp_path: Path) -> None:
    done = _draw_limited(page_of("form fields"), tmp_path / "page.png", 100_000_000)
    assert (done.stdout, done.stderr) == ("(2480, 3508)\n", "")


def test_rows_that_are_not_there_cannot_be_written() -> None:
    script = "from tiles.pdf.window import Window; import ctypes; w = Window(1000, 4096)\n"
    script += (
        "with w.present(500, 10) as rows: ctypes.memset(w.address + {row} * 4096, 1, 4096); print(int(rows.sum()))"
    )
    within, above, behind = (
        subprocess.run([sys.executable, "-c", script.format(row=row)], capture_output=True, text=True, check=False)
        for row in (509, 499, 510)
    )
    assert (within.stdout, above.returncode, behind.returncode) == ("4096\n", -11, -11)


def test_a_thumbnail_is_a_small_picture_of_the_page(page_of: Callable[[str], Path]) -> None:
    with Image.open(BytesIO(thumbnail(page_of("turned by 90"), 1, 200))) as small:
        assert (small.size, small.mode, small.format) == ((200, 141), "RGB", "PNG")
        seen = np.asarray(small)
    with _opened(page_of("turned by 90"), "white", 34) as (_, whole):
        assert np.abs(seen.mean(axis=(0, 1)) - whole.mean(axis=(0, 1))).max() < 6
