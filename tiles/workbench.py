"""Where artwork is worked on: in children, as many at once as are admitted, started when there is work for them.

A decoder that dies, swells or hangs costs its design, never the run.
"""

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from config.errors import ArtworkError
from tiles.trade import DECODING, Trade

if TYPE_CHECKING:
    from tiles.children import Children, Loners, Task

Key = TypeVar("Key")
Result = TypeVar("Result")


class Workbench:
    """Up to `workers` children at work on functions of one argument list. Used by one thread, as a context manager."""

    def __init__(self, workers: int, memory_bytes: int, timeout_s: float, trade: Trade = DECODING) -> None:
        """Prepare for `workers` children that may hold `memory_bytes` each; none is started before there is work."""
        self.workers = workers
        self._memory_bytes = memory_bytes
        self._timeout_s = timeout_s
        self._trade = trade
        self._children: Children | Loners | None = None

    def __enter__(self) -> "Workbench":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(wait=kind is not None)  # what is at work would write where its caller cleans up

    def submit(self, function: Callable[..., Result], *args: Any) -> "Task[Result]":
        """Have a child call `function(*args)`; both must be importable there."""
        if self._children is None:
            self._children = self._hire()
        return self._children.submit(function, *args)

    def _hire(self) -> "Children | Loners":
        from tiles.children import Children, Loners  # noqa: PLC0415 - costs time that a run without new artwork spares

        if self._trade.one_off:
            return Loners(self._memory_bytes, self._timeout_s, self._trade)
        return Children(self.workers, self._memory_bytes, self._timeout_s, self._trade)

    def outcomes(
        self,
        keys: Iterable[Key],
        begin: "Callable[[Key], Task[Result]]",
        may_begin: Callable[[Key, list[Key]], bool],
        meanwhile: Callable[[], object] = lambda: None,
    ) -> Iterator[tuple[Key, Result | ArtworkError]]:
        """Do `begin(key)` for every key and yield (key, result or failure) as they end, with bounded work in flight.

        `may_begin(key, under_way)` is asked before another is begun beside those under way. Where it may, one more
        than there are workers is handed over: a child that is done finds the next at once. `meanwhile` is called
        before an answer is waited for.
        """
        under_way: dict[Key, Task[Result]] = {}
        for key in keys:
            while under_way and (len(under_way) > self.workers or not may_begin(key, list(under_way))):
                meanwhile()
                yield from _ended(under_way)
            under_way[key] = begin(key)
        while under_way:
            meanwhile()
            yield from _ended(under_way)

    def close(self, *, wait: bool = True) -> None:
        """End all children, at work or not; unless told otherwise, return when their memory is free."""
        if self._children is not None:
            self._children.close(wait=wait)
            self._children = None


def _ended(under_way: "dict[Key, Task[Result]]") -> Iterator[tuple[Key, Result | ArtworkError]]:
    """Wait until something is over, and take it out."""
    from tiles.children import wait_for_any  # noqa: PLC0415 - it is there, since something is under way

    wait_for_any(under_way.values())
    for key in [key for key, task in under_way.items() if task.future.done()]:
        yield key, under_way.pop(key).outcome()
