"""Calls on threads that nobody waits for."""

import threading
from collections.abc import Callable

import pytest

from pipeline.daemons import on_daemons


@pytest.mark.parametrize("threads", [1, 3, 100])
def test_results_come_in_the_order_of_arguments(threads: int) -> None:
    first_may_end = threading.Event()

    def late_first(number: int) -> int:
        if number == 0 and threads > 1:
            assert first_may_end.wait(30)
        if number == 1:
            first_may_end.set()
        return number * number

    assert list(on_daemons(late_first, range(40), threads)) == [number * number for number in range(40)]


def test_nothing_is_asked_for_nothing() -> None:
    assert list(on_daemons(str, [], 8)) == []


def test_no_more_are_at_work_at_once_than_were_allowed() -> None:
    lock, both = threading.Lock(), threading.Barrier(2)
    at_work = most = 0

    def count(_: int) -> None:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        both.wait(30)
        with lock:
            at_work -= 1

    list(on_daemons(count, range(20), 2))
    assert most == 2


def test_what_a_call_raises_is_raised_in_its_turn_and_no_other_call_is_begun() -> None:
    begun, seen, may_go_on = [], [], threading.Event()

    def fail_at_three(number: int) -> int:
        begun.append(number)
        if number == 3:
            raise KeyError("three")
        assert number < 3 or may_go_on.wait(30)
        return number

    with pytest.raises(KeyError, match="three"):
        for answer in on_daemons(fail_at_three, range(10), 1):
            seen.append(answer)
    may_go_on.set()

    assert seen == [0, 1, 2]
    assert set(begun) <= {0, 1, 2, 3, 4}


def test_who_leaves_waits_for_nobody(poll: Callable[[Callable[[], bool]], None]) -> None:
    begun, may_end, threads = [], threading.Event(), set()

    def hang(number: int) -> int:
        begun.append(number)
        threads.add(threading.current_thread())
        may_end.wait(30)
        return number

    answers = on_daemons(lambda number: number if number == 0 else hang(number), range(10), 2)
    assert next(answers) == 0
    poll(lambda: len(begun) == 2)
    answers.close()

    assert all(thread.daemon and thread.is_alive() for thread in threads)
    may_end.set()
    for thread in threads:
        thread.join(30)
    assert sorted(begun) == [1, 2]
