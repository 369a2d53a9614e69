"""The estimate of ink, on pages whose ink is known."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pikepdf import Array, Dictionary, Name
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped, unused-ignore]

from config.errors import ArtworkError
from tests.tiles.pdf.pages import Written, drawn
from tiles.pdf.ink import Ink, ink_of, small_page
from tiles.pdf.pdfium import opened_pages

Picture = NDArray[np.uint8]


def _picture(pdf: Path, index: int = 0, longest_px: int = 600) -> Picture:
    with opened_pages(pdf) as document:
        return small_page(document, index, longest_px)


def _flat(*colour: int) -> Picture:
    return np.full((40, 30, 3), colour, np.uint8)


def test_half_a_page_of_black_is_half_covered(tmp_path: Path) -> None:
    pdf = drawn(tmp_path / "a.pdf", lambda canvas: canvas.rect(0, 0, 600, 400, stroke=0, fill=1), size=(600, 800))

    assert ink_of(_picture(pdf)) == Ink(0.5, 0.0, 0.0, 0.0, 0.5, 0.5, 1.0)


def test_an_empty_page_takes_no_ink(tmp_path: Path) -> None:
    assert ink_of(_picture(drawn(tmp_path / "a.pdf", lambda canvas: None))) == Ink(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("colour", "inks"),
    [
        ((255, 0, 0), (0.0, 1.0, 1.0, 0.0)),
        ((0, 255, 255), (1.0, 0.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0, 1.0)),
        ((51, 102, 153), (0.4, 0.2, 0.0, 0.4)),
    ],
)
def test_a_flat_colour_takes_the_inks_of_the_rule(
    colour: tuple[int, int, int], inks: tuple[float, float, float, float]
) -> None:
    total = sum(inks)

    assert ink_of(_flat(*colour)) == Ink(1.0, *inks, total=total, most=total)


def test_paper_that_is_nearly_white_is_not_covered() -> None:
    assert ink_of(_flat(251, 252, 250)).covered == 0.0


def test_the_most_ink_is_that_of_one_patch() -> None:
    picture = _flat(255, 255, 255)
    picture[8:16, 16:24] = (255, 0, 0)

    assert ink_of(picture).most == 2.0
    assert ink_of(picture).total == round(2 * 64 / 1200, 3)


@given(arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3))))
def test_the_estimate_is_the_rule_pixel_by_pixel(picture: Picture) -> None:
    lacking = 1 - picture.astype(float) / 255
    black = lacking.min(axis=2)
    inks = np.dstack([lacking - black[..., np.newaxis], black])

    found = ink_of(picture)

    parts = (found.cyan, found.magenta, found.yellow, found.black)
    assert parts == pytest.approx(inks.mean(axis=(0, 1)), abs=6e-4)
    assert found.total == pytest.approx(inks.sum(axis=2).mean(), abs=6e-4)
    assert found.total <= found.most + 1e-3
    assert found.most <= inks.sum(axis=2).max() + 1e-3


@pytest.mark.parametrize(
    ("size", "shape"),
    [((600, 800), (100, 75, 3)), ((14400, 14), (1, 100, 3)), ((3, 3), (100, 100, 3)), ((14400, 14400), (100, 100, 3))],
)
def test_a_picture_is_as_long_as_told_whatever_the_page(
    tmp_path: Path, size: tuple[float, float], shape: tuple[int, int, int]
) -> None:
    made = Written()
    made.page(b"", size=size)

    assert _picture(made.save(tmp_path / "a.pdf"), longest_px=100).shape == shape


def test_a_picture_is_red_first_and_lies_as_the_page_is_shown(tmp_path: Path) -> None:
    made = Written()
    made.page(b"1 0 0 rg 0 0 50 20 re f", size=(100, 20)).Rotate = 90

    picture = _picture(made.save(tmp_path / "a.pdf"), longest_px=100)

    assert picture.shape == (100, 20, 3)
    assert picture[25, 10].tolist() == [255, 0, 0]
    assert picture[75, 10].tolist() == [255, 255, 255]


def test_annotations_are_drawn(tmp_path: Path) -> None:
    made = Written()
    stamp = made.form(b"0 g 0 0 306 792 re f")
    stamp.BBox = Array([0, 0, 306, 792])
    annotation = Dictionary(
        Type=Name.Annot, Subtype=Name.Stamp, Rect=Array([0, 0, 306, 792]), F=4, AP=Dictionary(N=stamp)
    )
    made.page().Annots = Array([annotation])

    assert ink_of(_picture(made.save(tmp_path / "a.pdf"))).covered == 0.5


def test_form_fields_are_drawn_where_forms_are_at_work(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.acroForm.textfield(value="filled in", x=100, y=300, width=300, height=200)

    with opened_pages(drawn(tmp_path / "a.pdf", draw)) as document:
        if document.formenv is None:
            document.init_forms()

        assert ink_of(small_page(document, 0, 600)).covered > 0.1


def test_a_page_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    made = Written()
    made.page()
    made.page()

    with pytest.raises(ArtworkError, match="page 2 cannot be read"):
        _picture(made.save(tmp_path / "a.pdf", spoil=1), 1)
