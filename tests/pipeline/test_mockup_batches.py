"""Mock-ups go in batches, those of a design together."""

from itertools import chain, pairwise
from types import SimpleNamespace
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from pipeline.mockups.making import batches
from pipeline.mockups.planning import Mockup


def mockups(designs: list[int]) -> list[Mockup]:
    return [cast(Mockup, SimpleNamespace(design=str(design))) for design in sorted(designs)]


@given(st.lists(st.integers(0, 6)), st.integers(1, 8))
def test_batches_are_all_of_it_in_order_and_no_design_is_split(designs: list[int], at_least: int) -> None:
    listed = mockups(designs)
    batched = list(batches(listed, at_least))
    assert list(chain.from_iterable(batched)) == listed
    assert all(len(batch) >= at_least for batch in batched[:-1])
    for one, other in pairwise(batched):
        assert one[-1].design != other[0].design


@given(st.lists(st.integers(0, 6), min_size=1), st.integers(1, 8))
def test_a_batch_is_no_longer_than_its_last_design_makes_it(designs: list[int], at_least: int) -> None:
    for batch in batches(mockups(designs), at_least):
        assert len([mockup for mockup in batch if mockup.design != batch[-1].design]) < at_least
