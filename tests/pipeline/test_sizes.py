"""From ordered inches to printed pixels."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.items import Item
from pipeline.sizes import Artwork, PrintSize, print_size


def item(width_in: float | None = None, height_in: float | None = None) -> Item:
    return Item("1", "a.png", 1, width_in, height_in, "orders.csv:2")


def test_two_sizes_are_exactly_what_is_printed() -> None:
    assert print_size(item(3.1, 3.1), Artwork(3600, 3600, 1161.29), 400) == PrintSize(1240, 1240, 3600 / 1240 * 400, ())


@pytest.mark.parametrize(
    ("width_in", "height_in", "printed"), [(2.0, None, (800, 400)), (None, 2.0, (1600, 800)), (0.333, None, (133, 67))]
)
def test_one_size_keeps_the_artworks_aspect(
    width_in: float | None, height_in: float | None, printed: tuple[int, int]
) -> None:
    size = print_size(item(width_in, height_in), Artwork(1000, 500, None), 400)
    assert (size.width_px, size.height_px, size.warnings) == (*printed, ())


def test_no_size_takes_the_artworks_own_dpi_tag() -> None:
    size = print_size(item(), Artwork(3600, 1800, 1200.0), 400)
    assert (size.width_px, size.height_px, size.warnings) == (1200, 600, ())


@pytest.mark.parametrize(
    ("dpi", "said"), [(None, "has no DPI tag"), (72.0, "is tagged 72 DPI"), (96.0, "is tagged 96 DPI")]
)
def test_no_size_and_no_intended_tag_prints_pixel_for_pixel_and_warns(dpi: float | None, said: str) -> None:
    size = print_size(item(), Artwork(360, 180, dpi), 400)
    assert (size.width_px, size.height_px) == (360, 180)
    assert said in size.warnings[0]


def test_a_tag_just_over_96_is_believed() -> None:
    assert print_size(item(), Artwork(970, 970, 97.0), 400).width_px == 4000


def test_stretching_is_warned_of() -> None:
    wide = print_size(item(3, 1), Artwork(200, 100, None), 400).warnings
    assert wide == ("the ordered size makes the artwork 50% wider than it is; leave one size empty to keep it",)
    tall = print_size(item(1, 1), Artwork(200, 100, None), 400).warnings
    assert tall == ("the ordered size makes the artwork 100% taller than it is; leave one size empty to keep it",)


def test_the_lower_of_two_effective_dpi_counts_and_a_vector_has_none() -> None:
    assert print_size(item(4, 1), Artwork(400, 400, None), 300).effective_dpi == 100
    assert print_size(item(4, 1), Artwork(400, 400, None, is_vector=True), 300).effective_dpi is None


def test_a_size_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="the printed size would be 0×100 pixels; order a larger size"):
        print_size(item(0.001, 1), Artwork(400, 400, None), 100)


@given(
    width_in=st.floats(0.05, 500).map(lambda value: round(value, 4)),
    dpi=st.integers(50, 1200),
    width=st.integers(1, 30_000),
    height=st.integers(1, 30_000),
)
def test_every_printed_side_is_rounded_half_up_once(width_in: float, dpi: int, width: int, height: int) -> None:
    exact_width = Decimal(repr(width_in)) * dpi
    exact_height = exact_width * height / width
    expected = tuple(int(exact.to_integral_value(ROUND_HALF_UP)) for exact in (exact_width, exact_height))
    try:
        size = print_size(item(width_in), Artwork(width, height, None), dpi)
    except ValueError:
        assert min(expected) == 0
    else:
        assert (size.width_px, size.height_px) == expected
