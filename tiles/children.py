"""Child processes that read untrusted artwork: bounded in memory and time, and expendable.

They are forked off a server that has imported what they need, so that one costs a hundredth of a second and shares
with the others what none of them changes. A child gives all its memory back when it ends.
"""

import contextlib
import errno
import multiprocessing
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool
from pebble.concurrent import process

from config.errors import ArtworkError, BudgetError, LostError, StorageError
from tiles.heap import trim_heap
from tiles.server import start_server
from tiles.trade import Trade

Result = TypeVar("Result")

PLENTY_BYTES = 1_000_000_000  # a limit from which on freed memory may be kept; taking it anew costs a tenth of the time
_TASKS_PER_CHILD = 50  # what libraries leak is given back now and then


@dataclass(frozen=True, slots=True)
class Task(Generic[Result]):
    """A piece of work under way in a child; `again` begins it once more."""

    future: ProcessFuture[Result]
    timeout_s: float
    trade: Trade
    again: "Callable[[], Task[Result]] | None" = None

    def result(self) -> Result:
        """Wait for the answer; raise ArtworkError if the work failed, LostError if the child that did it came to grief.

        What is not the artwork's fault is raised as what it is: BudgetError for a full disk, StorageError for any
        other trouble with the store.
        """
        try:
            answer: Result = self.future.result()
        except BrokenProcessPool:
            if self.again is None:
                raise _no_child() from None
            return self.again().result()
        except ProcessExpired as death:
            cause = _cause(death.exitcode)
            raise LostError(f"{self.trade.worker} died ({cause})", self.trade.remedy) from None
        except MemoryError:
            raise ArtworkError(f"{self.trade.work} needs more memory than the run may use") from None
        except OSError as error:
            raise self._failure(error) from error
        return answer

    def _failure(self, error: OSError) -> ArtworkError | BudgetError | StorageError:
        if isinstance(error, futures.TimeoutError) and error.errno != errno.ETIMEDOUT:  # that is a network share's
            return LostError(f"{self.trade.work} took longer than {self.timeout_s:g} s", self.trade.remedy)
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


def wait_for_any(tasks: Collection[Task[Any]]) -> None:
    """Wait until one of the tasks, or more, is over."""
    futures.wait([task.future for task in tasks], return_when=futures.FIRST_COMPLETED)


class Children:
    """Up to `workers` children; each is started when there is work for it. Used by one thread."""

    def __init__(self, workers: int, memory_bytes: int, timeout_s: float, trade: Trade) -> None:
        """Have the server started, which goes on by itself."""
        self._timeout_s, self._trade = timeout_s, trade
        self._do = _plainly if memory_bytes >= PLENTY_BYTES else _tidily
        start_server(trade.modules)
        self._new_pool = partial(
            ProcessPool,
            max_workers=workers,
            max_tasks=_TASKS_PER_CHILD,
            context=multiprocessing.get_context("forkserver"),
            initializer=_settle,
            initargs=(memory_bytes,),
        )
        self._pool = self._new_pool()

    def submit(self, function: Callable[..., Result], *args: Any) -> Task[Result]:
        """Have a child call `function(*args)`; both must be importable there.

        A child that dies in the moment in which it takes on its work takes the pool along: whose work it was cannot be
        told from children that cannot even begin. So work is begun once more, in another pool.
        """
        pool = self._pool

        def again() -> Task[Result]:
            if self._pool is pool:
                _end(pool)  # or those of its children that live would go on writing the same files
                self._pool = self._new_pool()
            return self._begin(function, *args)

        try:
            return replace(self._begin(function, *args), again=again)
        except BudgetError:  # what is under way has met that before
            return again()

    def _begin(self, function: Callable[..., Result], *args: Any) -> Task[Result]:
        try:
            future = self._pool.schedule(self._do, args=(function, *args), timeout=self._timeout_s)
        except RuntimeError:  # what pebble calls a pool whose children cannot begin
            raise _no_child() from None
        return Task(future, self._timeout_s, self._trade)

    def close(self, *, wait: bool) -> None:
        """End all children, at work or not; that takes a tenth of a second, which need not be waited for."""
        if wait:
            _end(self._pool)
            return
        try:
            threading.Thread(target=_end, args=(self._pool,), name="burial").start()
        except RuntimeError:  # no memory for a thread
            _end(self._pool)


def _end(pool: ProcessPool) -> None:
    """End a pool's children, and wait for that."""
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


class Loners:
    """Children of which each does one piece of work: what it took is given back with it. Used by one thread."""

    def __init__(self, memory_bytes: int, timeout_s: float, trade: Trade) -> None:
        """Have the server started, which goes on by itself."""
        self._memory_bytes, self._timeout_s, self._trade = memory_bytes, timeout_s, trade
        self._name = f"loner-{id(self)}"
        context = multiprocessing.get_context("forkserver")
        alone = process(name=self._name, timeout=timeout_s, context=context)  # type: ignore[call-overload]
        self._begin: Callable[..., ProcessFuture[Any]] = alone(_alone)
        start_server(trade.modules)

    def submit(self, function: Callable[..., Result], *args: Any) -> Task[Result]:
        """Have a child of its own call `function(*args)`; both must be importable there."""
        try:
            with _nameless_main():
                future = self._begin(self._memory_bytes, function, *args)
        except (RuntimeError, EOFError, ConnectionError):  # no memory for a thread, or in the server
            raise _no_child() from None
        return Task(future, self._timeout_s, self._trade)

    def close(self, *, wait: bool) -> None:  # noqa: ARG002 - it takes no time
        """End all children at work."""
        ours = [child for child in multiprocessing.active_children() if child.name == self._name]
        for child in ours:
            child.kill()
        for child in ours:
            child.join()


@contextlib.contextmanager
def _nameless_main() -> Iterator[None]:
    """Have children that begin meanwhile not import the program's main module, which takes most of their beginning.

    What they call lies elsewhere.
    """
    main = sys.modules["__main__"]
    kept = {name: getattr(main, name) for name in ("__spec__", "__file__") if hasattr(main, name)}
    vars(main).update(dict.fromkeys(kept))
    try:
        yield
    finally:
        vars(main).update(kept)


def _no_child() -> BudgetError:
    """Return what it means that children end before they have begun: it is no artwork's fault."""
    return BudgetError(
        "memory: no process can be started to read artwork in", "Raise memory.budget, or the container's limit."
    )


def _plainly(function: Callable[..., Result], *args: Any) -> Result:
    """Do one piece of work; what its allocations leave is there for the next one."""
    return function(*args)


def _tidily(function: Callable[..., Result], *args: Any) -> Result:
    """Do one piece of work, and give back what its allocations leave."""
    try:
        return function(*args)
    finally:
        trim_heap()


def _alone(memory_bytes: int, function: Callable[..., Result], *args: Any) -> Result:
    """Do one piece of work in a child that has just begun, and ends with it."""
    _settle(memory_bytes)
    return function(*args)


def _settle(memory_bytes: int) -> None:
    """Make this child expendable: it dies with the run, cannot outgrow its budget, and knows only images."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run ends its children when it is interrupted
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_die_with_the_run, daemon=True).start()
    with contextlib.suppress(ValueError, OSError):  # a stricter limit is in force already
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    from tiles.vips import start  # noqa: PLC0415 - libvips belongs to the child, and to its limits

    start(threads=1)


def _die_with_the_run() -> None:
    """End this process, and with the last of its siblings the server, when the run has ended, however it did."""
    run = multiprocessing.parent_process()
    if run is not None:
        run.join()
        os._exit(1)


def _cause(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-exit_code).name
    return f"exit code {exit_code}"
