"""Deflate in pieces: the pieces are one valid stream, in order, with bounded work in flight."""

import threading
import time
import zlib
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiles.sinks.deflate import (
    DEFLATE_END,
    ZLIB_HEADER,
    OrderedWork,
    combine_adler,
    deflate_piece,
    deflate_whole,
)

pieces = st.lists(st.binary(max_size=300), max_size=6)


@given(first=st.binary(max_size=9000), second=st.binary(max_size=9000))
def test_the_check_sum_of_two_pieces_is_combined_from_theirs(first: bytes, second: bytes) -> None:
    combined = combine_adler(zlib.adler32(first), zlib.adler32(second), len(second))
    assert combined == zlib.adler32(first + second)


@pytest.mark.parametrize("length", [0, 1, 65520, 65521, 65522, 1_000_003])
def test_the_check_sum_is_right_where_its_sums_wrap(length: int) -> None:
    first, second = b"\xff" * 70_000, b"\xff" * length
    assert combine_adler(zlib.adler32(first), zlib.adler32(second), length) == zlib.adler32(first + second)


@given(pieces=pieces)
def test_pieces_in_a_row_are_one_stream(pieces: list[bytes]) -> None:
    adler, stream = zlib.adler32(b""), ZLIB_HEADER
    for piece in pieces:
        deflated = deflate_piece(piece)
        adler, stream = combine_adler(adler, deflated.adler, deflated.length), stream + deflated.data
    assert zlib.decompress(stream + DEFLATE_END + adler.to_bytes(4, "big")) == b"".join(pieces)


@given(data=st.binary(max_size=3000))
def test_a_whole_is_a_stream_of_its_own(data: bytes) -> None:
    assert zlib.decompress(deflate_whole(data)) == data


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
