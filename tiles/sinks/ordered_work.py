"""Work on threads whose results come in order, with a bounded amount under way."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Piece = TypeVar("Piece")


class OrderedWork(Generic[Piece]):
    """Runs functions on `threads` threads and hands their results to `take` in the order they were begun.

    At most `threads + 1` are under way: `begin` waits for the oldest before it takes more. Used by one thread,
    on which `take` is called. An error in a function is raised by the first `begin` or `drain` after it.
    """

    def __init__(self, threads: int, take: Callable[[Piece], None]) -> None:
        """Start no thread yet."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="deflate")
        self._limit = threads + 1
        self._take = take
        self._under_way: deque[Future[Piece]] = deque()

    def begin(self, work: Callable[[], Piece]) -> None:
        """Have `work()` done; first take the oldest results, those that are there and until there is room."""
        while self._under_way and (len(self._under_way) >= self._limit or self._under_way[0].done()):
            self._take(self._under_way.popleft().result())
        self._under_way.append(self._pool.submit(work))

    def drain(self) -> None:
        """Take all results that are under way."""
        while self._under_way:
            self._take(self._under_way.popleft().result())

    def close(self) -> None:
        """End the threads; results not taken are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._under_way.clear()
