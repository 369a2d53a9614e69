"""Rectangles behave as the sets of pixels they stand for."""

from hypothesis import given
from hypothesis import strategies as st

from tiles.geometry import Rect

rects = st.builds(Rect, st.integers(-5, 9), st.integers(-5, 9), st.integers(0, 9), st.integers(0, 9))


def pixels(rect: Rect) -> set[tuple[int, int]]:
    return {(x, y) for x in range(rect.x, rect.right) for y in range(rect.y, rect.bottom)}


@given(rects)
def test_the_area_is_the_number_of_pixels(rect: Rect) -> None:
    assert rect.area == len(pixels(rect))


@given(rects, rects)
def test_the_intersection_has_the_pixels_of_both(first: Rect, second: Rect) -> None:
    assert pixels(first.intersect(second)) == pixels(first) & pixels(second)


@given(rects.filter(lambda rect: rect.area), rects.filter(lambda rect: rect.area))
def test_a_rectangle_contains_those_whose_pixels_it_has(outer: Rect, inner: Rect) -> None:
    assert outer.contains(inner) == (pixels(inner) <= pixels(outer))


@given(rects, st.integers(0, 6))
def test_an_inset_takes_as_much_off_every_side(rect: Rect, margin: int) -> None:
    inner = {
        (x, y)
        for x, y in pixels(rect)
        if rect.x + margin <= x < rect.right - margin and rect.y + margin <= y < rect.bottom - margin
    }
    assert pixels(rect.inset(margin)) == inner


@given(rects)
def test_an_inset_too_large_leaves_no_area(rect: Rect) -> None:
    assert rect.inset(max(rect.width, rect.height)).area == 0


@given(rects, st.integers(0, 5), st.integers(0, 5))
def test_growing_keeps_the_top_left_corner(rect: Rect, right: int, bottom: int) -> None:
    grown = rect.grow(right, bottom)
    assert (grown.x, grown.y, grown.right, grown.bottom) == (rect.x, rect.y, rect.right + right, rect.bottom + bottom)
