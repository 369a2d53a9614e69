"""A page of a PDF, named behind its reference; what is shown of one holds no signature either."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.storage.address import public_name, split_page


@pytest.mark.parametrize(
    ("reference", "file", "page"),
    [
        ("posters.pdf#page=3", "posters.pdf", 3),
        ("in/POSTERS.PDF#PAGE=12", "in/POSTERS.PDF", 12),
        ("a.pdf#page=999999", "a.pdf", 999_999),
        ("#1.pdf#page=2", "#1.pdf", 2),
        ("a.pdf#page=1.pdf#page=2", "a.pdf#page=1.pdf", 2),
        ("https://artwork.test/a.pdf#page=3", "https://artwork.test/a.pdf", 3),
        ("https://artwork.test/a.pdf?sig=x&y=1#page=3", "https://artwork.test/a.pdf?sig=x&y=1", 3),
        ("s3://bucket/a.pdf#page=3", "s3://bucket/a.pdf", 3),
    ],
)
def test_a_page_is_named_behind_a_pdf(reference: str, file: str, page: int) -> None:
    assert split_page(reference) == (file, page)


@pytest.mark.parametrize(
    "reference",
    [
        "posters.pdf", "posters.pdf#", "posters.pdf#page=", "posters.pdf#page=0", "posters.pdf#page=03",
        "posters.pdf#page=-1", "posters.pdf#page=1000000", "posters.pdf#page=3&zoom=2", "posters.pdf#page=٣",
        "posters.pdf #page=3", "posters.png#page=3", "#page=3", "posters.pdf#3", "posters.pdf?#x#page=3",
        "posters.pdf#page=3\n", "",
    ],
)  # fmt: skip
def test_any_other_reference_is_a_file_of_that_name(reference: str) -> None:
    assert split_page(reference) == (reference, None)


@given(st.text(st.characters(exclude_characters="\n"), max_size=8), st.integers(1, 999_999))
def test_whatever_the_pdf_is_called_its_page_is_found(name: str, page: int) -> None:
    assert split_page(f"{name}.pdf#page={page}") == (f"{name}.pdf", page)


@given(st.text(max_size=12))
def test_nothing_is_lost_of_a_reference(reference: str) -> None:
    file, page = split_page(reference)
    assert reference.casefold() == (file if page is None else f"{file}#page={page}").casefold()


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("posters.pdf#page=3", "posters.pdf#page=3"),
        ("https://artwork.test/a.pdf#page=3", "https://artwork.test/a.pdf#page=3"),
        ("https://artwork.test/a.pdf?sig=S3CRET#page=3", "https://artwork.test/a.pdf?…#page=3"),
        ("https://artwork.test/a.pdf?sig=S3CRET#page=0", "https://artwork.test/a.pdf?…"),
        ("sftp://shop@artwork.test/a.pdf#page=2", "sftp://shop@artwork.test/a.pdf#page=2"),
    ],
)
def test_what_is_shown_names_the_page_and_no_signature(reference: str, shown: str) -> None:
    assert public_name(reference) == shown


def test_two_pages_of_a_signed_url_have_two_names_however_it_is_signed() -> None:
    names = {public_name(f"https://h.test/a.pdf?v=1&sig={sig}#page={page}") for sig in "ab" for page in (1, 2)}
    assert len(names) == 2


def test_a_url_that_is_never_used_is_refused_with_its_page_as_without() -> None:
    for suffix in ("", "#page=3"):
        with pytest.raises(ValueError, match="a https URL holds credentials"):
            public_name(f"https://me:S3CRET@artwork.test/a.pdf{suffix}")
