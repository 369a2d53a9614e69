"""Child processes that read untrusted artwork: bounded in memory and time, and expendable.

A decoder that dies, swells or hangs costs its design, never the run. A child gives all its memory back when it ends.
"""

import contextlib
import ctypes
import errno
import multiprocessing
import os
import resource
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from config.errors import ArtworkError, BudgetError, StorageError
from tiles.heap import trim_heap

Key = TypeVar("Key")
Result = TypeVar("Result")

_PR_SET_PDEATHSIG = 1  # prctl(2)
_TASKS_PER_CHILD = 50  # what libraries leak is given back now and then


@dataclass(frozen=True, slots=True)
class Task(Generic[Result]):
    """A piece of work under way in a child."""

    future: ProcessFuture[Result]
    timeout_s: float

    def result(self) -> Result:
        """Wait for the answer; raise ArtworkError if the work, or the child that did it, failed.

        What is not the artwork's fault is raised as what it is: BudgetError for a full disk, StorageError for any
        other trouble with the store.
        """
        try:
            answer: Result = self.future.result()
        except BrokenProcessPool:
            raise _no_child() from None
        except ProcessExpired as death:
            raise ArtworkError(f"the decoder died ({_cause(death.exitcode)})", "Export the artwork again.") from None
        except MemoryError:
            raise ArtworkError("decoding needs more memory than the run may use") from None
        except OSError as error:
            raise self._failure(error) from error
        return answer

    def _failure(self, error: OSError) -> ArtworkError | BudgetError | StorageError:
        if isinstance(error, FutureTimeoutError) and error.errno != errno.ETIMEDOUT:  # that is a network share's
            return ArtworkError(f"decoding took longer than {self.timeout_s:g} s", "Export the artwork again.")
        what = f"{error.strerror or error}: {error.filename}" if error.filename else f"{error.strerror or error}"
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return BudgetError(f"disk: {what}", "Free some space, or put store.path on a larger disk.")
        return StorageError(f"the tile store cannot be used: {what}", "Check store.path in the pipeline file.")

    def outcome(self) -> Result | ArtworkError:
        """Wait for the answer, or for the reason why there is none."""
        try:
            return self.result()
        except ArtworkError as error:
            return error


class Workbench:
    """Up to `workers` children at work on functions of one argument list. Used by one thread, as a context manager."""

    def __init__(self, workers: int, memory_bytes: int, timeout_s: float) -> None:
        """Prepare for `workers` children that may hold `memory_bytes` each; none is started before there is work."""
        self.workers = workers
        self._memory_bytes = memory_bytes
        self._timeout_s = timeout_s
        self._pool: ProcessPool | None = None

    def __enter__(self) -> "Workbench":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, function: Callable[..., Result], *args: Any) -> Task[Result]:
        """Have a child call `function(*args)`; both must be importable there."""
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=self.workers,
                max_tasks=_TASKS_PER_CHILD,
                context=multiprocessing.get_context("spawn"),
                initializer=_settle,
                initargs=(self._memory_bytes, os.getpid()),
            )
        try:
            future = self._pool.schedule(_tidily, args=(function, *args), timeout=self._timeout_s)
        except RuntimeError:  # what pebble calls a pool whose children cannot begin
            raise _no_child() from None
        return Task(future, self._timeout_s)

    def outcomes(
        self, keys: Iterable[Key], begin: Callable[[Key], Task[Result]], may_begin: Callable[[Key, list[Key]], bool]
    ) -> Iterator[tuple[Key, Result | ArtworkError]]:
        """Do `begin(key)` for every key and yield (key, result or failure) in order, with bounded work in flight.

        `may_begin(key, under_way)` is asked before another is begun beside those under way.
        """
        under_way: deque[tuple[Key, Task[Result]]] = deque()
        for key in keys:
            while under_way and (
                len(under_way) >= self.workers or not may_begin(key, [other for other, _ in under_way])
            ):
                oldest, task = under_way.popleft()
                yield oldest, task.outcome()
            under_way.append((key, begin(key)))
        while under_way:
            oldest, task = under_way.popleft()
            yield oldest, task.outcome()

    def close(self) -> None:
        """End all children, at work or not."""
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()
            self._pool = None


def _no_child() -> BudgetError:
    """Return what it means that children end before they have begun: it is no artwork's fault."""
    return BudgetError(
        "memory: no process can be started to read artwork in", "Raise memory.budget, or the container's limit."
    )


def _tidily(function: Callable[..., Result], *args: Any) -> Result:
    """Do one piece of work, and give back what its allocations leave: the next one may need other sizes."""
    try:
        return function(*args)
    finally:
        trim_heap()


def _settle(memory_bytes: int, parent: int) -> None:
    """Make this child expendable: it dies with its parent, cannot outgrow its budget, and knows only images."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its children when it is interrupted
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
    with contextlib.suppress(ValueError, OSError):  # a stricter limit is in force already
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    from tiles.vips import start  # noqa: PLC0415 - libvips belongs to the child, and to its limits

    start(threads=1)


def _cause(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-exit_code).name
    return f"exit code {exit_code}"
