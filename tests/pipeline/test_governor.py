"""The governor, with memory as a test would have it."""

import logging
from collections.abc import Callable

import pytest

from config.errors import BudgetError
from pipeline.governor import Governor
from pipeline.machine import MemoryLimit

LIMIT = MemoryLimit(1_000, "a test")


def holding(used: int) -> Governor:
    return Governor(LIMIT, lambda: used)


@pytest.mark.parametrize(("used", "need"), [(0, 850), (700, 150), (850, 0)])
def test_what_fits_below_85_percent_is_admitted(used: int, need: int) -> None:
    holding(used).admit("work", need)


@pytest.mark.parametrize(("used", "need"), [(0, 851), (700, 151), (851, 0)])
def test_what_would_pass_85_percent_is_refused(used: int, need: int) -> None:
    with pytest.raises(BudgetError, match=r"memory: part 2 needs .* and work stops at 85%"):
        holding(used).admit("part 2", need)


def test_the_refusal_says_what_to_do() -> None:
    with pytest.raises(BudgetError) as caught:
        holding(900).admit("part 2", 5)
    assert caught.value.remedy == ("Raise the container's limit or memory.budget. What was finished before is kept.")
    assert caught.value.exit_code == 5


def test_it_warns_once_from_75_percent_on(caplog: pytest.LogCaptureFixture) -> None:
    governor = holding(760)
    with caplog.at_level(logging.WARNING):
        governor.admit("one")
        governor.admit("two")
    assert caplog.messages == ["Memory is running low: 760 B of 1.0 kB in use (76%)"]


def test_below_75_percent_it_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    holding(740).admit("one")
    assert caplog.messages == []


def test_room_is_what_is_left_to_the_ceiling() -> None:
    assert holding(600).room_bytes() == 250
    assert holding(900).room_bytes() == -50


def test_the_peak_is_the_most_ever_measured() -> None:
    assert peak_of([100, 100, 700, 700, 300]) == 700


def test_a_process_that_ends_while_others_are_looked_at_makes_no_peak() -> None:
    assert peak_of([100, 100, 950, 300, 280]) == 300


def peak_of(values: list[int]) -> int:
    """Return the peak of a governor that measures these values, one after the other."""
    left = iter(values)
    governor = Governor(LIMIT, lambda: next(left))
    with pytest.raises(StopIteration):
        while True:
            governor.used_bytes()
    return governor.peak_bytes


def test_a_peak_between_two_steps_is_sampled(poll: Callable[[Callable[[], bool]], None]) -> None:
    now = [100]
    governor = Governor(LIMIT, lambda: now[0])
    with governor:
        now[0] = 800
        poll(lambda: governor.peak_bytes == 800)
        now[0] = 100
    assert governor.peak_bytes == 800


def test_memory_before_and_after_a_part_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    values = iter([500, 500, 200])
    with caplog.at_level(logging.INFO):
        Governor(LIMIT, lambda: next(values)).release("part 1/3")
    assert caplog.messages == ["Memory usage after part 1/3: 500 B → 200 B, 300 B freed"]
