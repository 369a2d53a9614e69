"""The one rule from inches to pixels, against exact arithmetic; amounts of bytes as people write them."""

import re
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.units import dpi_to_px_per_metre, format_bytes, inches_to_px, parse_bytes, round_half_up

INCHES = st.floats(min_value=0, max_value=10_000)
DPI = st.integers(min_value=10, max_value=9600)


@settings(deadline=None)
@given(INCHES, DPI)
def test_inches_become_the_nearest_pixel_of_the_decimal_number_as_written(inches: float, dpi: int) -> None:
    exact = Fraction(repr(inches)) * dpi
    assert floor(exact + Fraction(1, 2)) == inches_to_px(inches, dpi)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=10**9))
def test_a_half_goes_upwards(whole: int) -> None:
    assert whole + 1 == round_half_up(whole + 0.5)


@settings(deadline=None)
@given(st.integers(min_value=-(10**9), max_value=10**9))
def test_a_half_below_zero_goes_upwards_too(whole: int) -> None:
    assert whole + 1 == round_half_up(Decimal(whole) + Decimal("0.5"))


@settings(deadline=None)
@given(st.decimals(min_value=-(10**6), max_value=10**6, places=40))
def test_decimals_of_any_length_are_rounded_exactly(value: Decimal) -> None:
    assert floor(Fraction(value) + Fraction(1, 2)) == round_half_up(value)


@settings(deadline=None)
@given(INCHES, INCHES, DPI)
def test_a_longer_length_never_has_fewer_pixels(one: float, other: float, dpi: int) -> None:
    shorter, longer = sorted((one, other))
    assert inches_to_px(shorter, dpi) <= inches_to_px(longer, dpi)


@pytest.mark.parametrize(
    ("inches", "dpi", "px"),
    [(4.35, 10, 44), (0.125, 300, 38), (16.0, 400, 6400), (8.5, 300, 2550), (1.0025, 200, 201), (0.0, 300, 0)],
)
def test_lengths_that_binary_fractions_get_wrong(inches: float, dpi: int, px: int) -> None:
    assert px == inches_to_px(inches, dpi)


@pytest.mark.parametrize(("dpi", "px_per_metre"), [(300, 11811), (400, 15748), (720, 28346), (254, 10000), (72, 2835)])
def test_a_png_says_dpi_in_whole_pixels_per_metre(dpi: int, px_per_metre: int) -> None:
    assert px_per_metre == dpi_to_px_per_metre(dpi)


@settings(deadline=None)
@given(DPI)
def test_dpi_survives_the_way_through_pixels_per_metre(dpi: int) -> None:
    assert dpi == round_half_up(Decimal(dpi_to_px_per_metre(dpi)) * Decimal("0.0254"))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1000", 1000),
        ("512MB", 512_000_000),
        ("512MiB", 536_870_912),
        ("5GB", 5_000_000_000),
        ("2 gib", 2_147_483_648),
        ("1.5k", 1500),
        ("1.5KiB", 1536),
        ("3T", 3_000_000_000_000),
        (" 7B ", 7),
        ("0", 0),
        ("9208081978490054TiB", 9208081978490054 * 2**40),
    ],
)
def test_amounts_of_bytes_are_read_with_decimal_and_binary_units(text: str, count: int) -> None:
    assert count == parse_bytes(text)


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "5 apples", "1e9", "5MBs", "1,5GB", "nan", "512MB\x00"])
def test_what_is_no_amount_of_bytes_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write for example 512MB or 2GiB"):
        parse_bytes(text)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=10**18), st.sampled_from(["", "k", "M", "G", "T"]), st.booleans())
def test_bytes_are_whole_numbers_times_their_unit(number: int, unit: str, binary: bool) -> None:
    base = 1024 if binary and unit else 1000
    suffix = unit + ("i" if binary and unit else "") + "B"
    assert number * base ** ["", "k", "M", "G", "T"].index(unit) == parse_bytes(f"{number}{suffix}")


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999.6, "1.0 kB"),
        (1000, "1.0 kB"),
        (9_600_000, "9.6 MB"),
        (999_960, "1.0 MB"),
        (-2500, "-2.5 kB"),
        (5e15, "5000.0 TB"),
    ],
)
def test_bytes_are_shown_in_the_unit_a_person_would_choose(count: float, text: str) -> None:
    assert text == format_bytes(count)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=10**15 - 10**11))
def test_what_is_shown_has_at_most_three_digits_before_the_point_and_is_near(count: int) -> None:
    shown = format_bytes(count)
    assert re.fullmatch(r"\d{1,3}(\.\d)? (B|kB|MB|GB|TB)", shown)
    assert parse_bytes(shown) == pytest.approx(count, rel=0.051)
