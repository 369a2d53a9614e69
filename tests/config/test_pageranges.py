"""Page ranges: what people write is read as they mean it, and what is written of pages is read back as those pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.pageranges import LARGEST_PAGE, check_page_ranges, format_page_ranges, pages_of, parse_page_ranges

PAGES = 40
pages = st.lists(st.integers(1, PAGES), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("7", (7,)),
        ("1-7", (1, 2, 3, 4, 5, 6, 7)),
        ("3,5,9-", (3, 5, 9, 10, 11, 12)),
        ("-4", (1, 2, 3, 4)),
        ("12-10", (12, 11, 10)),
        ("12-", (12,)),
        ("-1", (1,)),
        ("1-", tuple(range(1, 13))),
        ("2,2,1-2", (2, 2, 1, 2)),
        (" 3 , 5-6\n", (3, 5, 6)),
        ("007", (7,)),
    ],
)
def test_ranges_mean_the_pages_of_a_document_of_twelve(text: str, meant: tuple[int, ...]) -> None:
    assert parse_page_ranges(text, 12) == meant


@given(pages)
def test_what_is_written_of_pages_is_read_back_as_they_are(listed: list[int]) -> None:
    assert parse_page_ranges(format_page_ranges(listed), PAGES) == tuple(listed)


@given(st.lists(st.tuples(st.integers(1, PAGES), st.integers(1, PAGES)), min_size=1, max_size=6))
def test_reading_and_writing_leaves_a_text_that_is_never_longer_when_pages_go_up(ends: list[tuple[int, int]]) -> None:
    said = ",".join(f"{min(pair)}-{max(pair)}" for pair in ends)
    written = format_page_ranges(parse_page_ranges(said, PAGES))
    assert parse_page_ranges(written, PAGES) == parse_page_ranges(said, PAGES)
    assert len(written) <= len(said)


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        ((), ""),
        ((5,), "5"),
        ((1, 2), "1-2"),
        ((3, 5, 9, 10, 11), "3,5,9-11"),
        ((2, 2), "2,2"),
        ((1, 2, 2, 3), "1-2,2-3"),
    ],
)
def test_neighbours_are_written_as_a_range(listed: tuple[int, ...], text: str) -> None:
    assert format_page_ranges(listed) == text


@given(st.integers(1, PAGES), st.integers(1, PAGES))
def test_an_open_range_reaches_the_ends_of_the_document(page: int, count: int) -> None:
    if page <= count:
        assert parse_page_ranges(f"{page}-", count) == tuple(range(page, count + 1))
        assert parse_page_ranges(f"-{page}", count) == tuple(range(1, page + 1))


@pytest.mark.parametrize(
    "value",
    ["", " ", "-", ",", "1,", ",1", "1,,2", "a", "1--3", "1-2-3", "1 - 3", "1.5", "+1", "--4", "１", "٣", "1;2"],
)
def test_what_are_no_ranges_is_refused_with_how_to_write_them(value: str) -> None:
    with pytest.raises(ValueError, match=r"^write page ranges such as 1-7 or 3,5,9-$"):
        check_page_ranges(value)


@pytest.mark.parametrize("value", ["0", 0, "000", "0-3", "3-0", "1,0", "-0", "0-"])
def test_pages_are_counted_from_1(value: str | int) -> None:
    with pytest.raises(ValueError, match=r"^pages are counted from 1$"):
        check_page_ranges(value)


@pytest.mark.parametrize("value", [LARGEST_PAGE + 1, "9999999", "1-1000001", "10000000", 10**30])
def test_a_page_that_no_document_has_is_refused_and_not_as_if_it_were_0(value: str | int) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        check_page_ranges(value)
    assert str(caught.value) != "pages are counted from 1"


@pytest.mark.parametrize(("value", "text"), [(7, "7"), (-4, "-4"), ("1-7", "1-7"), (LARGEST_PAGE, "1000000")])
def test_a_number_is_a_range_as_well(value: str | int, text: str) -> None:
    assert check_page_ranges(value) == text


@pytest.mark.parametrize(
    ("text", "count", "page"),
    [
        ("13", 12, 13),
        ("5-20", 12, 20),
        ("13-", 12, 13),
        ("-13", 12, 13),
        ("20-5", 12, 20),
        ("1,2,13", 12, 13),
        ("40-50", 12, 50),
    ],
)
def test_the_page_that_is_outside_is_named_with_what_the_document_has(text: str, count: int, page: int) -> None:
    with pytest.raises(ValueError, match=rf"^page {page} is outside the document, which has 12 pages$"):
        parse_page_ranges(text, count)


def test_a_document_of_one_page_has_one_page() -> None:
    with pytest.raises(ValueError, match=r"^page 2 is outside the document, which has 1 page$"):
        parse_page_ranges("2-", 1)


@given(st.text("0123456789-, a", max_size=12), st.integers(1, PAGES))
def test_any_text_means_pages_of_the_document_or_is_refused(text: str, count: int) -> None:
    try:
        meant = parse_page_ranges(text, count)
    except ValueError:
        return
    assert meant
    assert all(1 <= page <= count for page in meant)


@pytest.mark.parametrize(("count", "words"), [(0, "0 pages"), (1, "1 page"), (2, "2 pages"), (12_000, "12,000 pages")])
def test_pages_are_counted_in_words(count: int, words: str) -> None:
    assert pages_of(count) == words
