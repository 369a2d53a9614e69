"""Work on threads: results in the order they were begun, a bounded amount under way, no error lost."""

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from tiles.sinks.ordered_work import OrderedWork


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.001)


@pytest.mark.parametrize("threads", [1, 4])
def test_results_are_taken_in_the_order_they_were_begun(threads: int) -> None:
    taken: list[int] = []
    work = OrderedWork(threads, taken.append)
    last = threading.Event()

    def first() -> int:
        assert threads == 1 or last.wait(30)  # on several threads the first is the last to be done
        return 0

    def then(number: int) -> int:
        if number == 3:
            last.set()
        return number

    work.begin(first)
    for number in range(1, 4):
        work.begin(partial(then, number))
    work.drain()
    work.close()
    assert taken == [0, 1, 2, 3]


@pytest.mark.parametrize("threads", [1, 3])
def test_no_more_is_under_way_than_the_threads_and_one(threads: int) -> None:
    taken: list[int] = []
    work = OrderedWork(threads, taken.append)
    for begun in range(1, 51):
        work.begin(partial(int, begun))
        assert begun - len(taken) <= threads + 1
    work.drain()
    work.close()
    assert taken == list(range(1, 51))


def fail() -> int:
    raise OSError("the disk is gone")


def test_an_error_is_raised_by_the_next_call() -> None:
    work: OrderedWork[int] = OrderedWork(4, lambda result: None)
    work.begin(fail)
    wait_until(lambda: all(future.done() for future in work._under_way))
    with pytest.raises(OSError, match="the disk is gone"):
        work.begin(lambda: 1)
    work.close()


def test_an_error_of_the_last_is_raised_at_the_end() -> None:
    work: OrderedWork[int] = OrderedWork(4, lambda result: None)
    work.begin(fail)
    with pytest.raises(OSError, match="the disk is gone"):
        work.drain()
    work.close()


def test_closing_drops_what_was_not_taken() -> None:
    taken: list[int] = []
    work = OrderedWork(1, taken.append)
    work.begin(lambda: 1)
    work.close()
    work.drain()
    assert taken == []
