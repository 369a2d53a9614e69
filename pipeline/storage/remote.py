"""What SFTP and S3 share: an event loop beside the caller's threads, deadlines, steps in a row, and files of this side.

Knows no protocol. Nothing here keeps the process from ending: every thread is a daemon.
"""

import asyncio
import hashlib
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, Protocol, Self, TypeVar

from config.errors import StorageError, TilepressError, TransientError
from pipeline.daemons import settle
from pipeline.delivery import storing
from pipeline.storage.address import Address
from pipeline.storage.contracts import Version

FAREWELL_S = 5.0  # for tidying up at the server after an error
INTERRUPTED_S = 2.0  # the same, where somebody waits for the program to end
AGAIN = "Try again; check the server and the network."
_CLOSING_S = 1.0
_SHOWN = 200  # characters of what a server says

P = ParamSpec("P")
T = TypeVar("T")


class Background:
    """An event loop on a thread of its own, begun by the first call, and closed for good. For several threads."""

    def __init__(self, name: str) -> None:
        """Name the thread; nothing is begun yet."""
        self._name = name
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None
        self._is_closed = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for it; interrupted, it is cancelled and given time to tidy up.

        Raises StorageError once the loop is closed.
        """
        ended = threading.Event()

        async def whole() -> T:
            try:
                return await work
            finally:
                ended.set()

        try:
            loop = self._begun()
        except BaseException:
            work.close()  # or Python would complain that nobody waited for it
            raise
        future = asyncio.run_coroutine_threadsafe(whole(), loop)
        try:
            return future.result()
        except TilepressError as error:
            raise error from None  # what came before it, in a library's words, may hold a secret
        except BaseException:
            if not future.done():
                future.cancel()
                ended.wait(INTERRUPTED_S)
            raise

    def close(self, farewell: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `farewell` on the loop if one was begun, cancel what else still runs, and end the thread."""
        if self._loop is not None:
            with suppress(TimeoutError):
                self.run(asyncio.wait_for(farewell(), _CLOSING_S))
        with self._lock:
            self._is_closed = True
            loop, closing, thread = self._loop, self._closing, self._thread
            self._loop = self._closing = self._thread = None
        if loop is not None and closing is not None and thread is not None:
            loop.call_soon_threadsafe(closing.set)
            thread.join(_CLOSING_S)

    def _begun(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._is_closed:
                raise StorageError(f"{self._name}: the connection is closed")
            if self._loop is None:
                ready = threading.Event()
                self._thread = threading.Thread(target=self._serve, args=(ready,), name=self._name, daemon=True)
                self._thread.start()
                ready.wait()
            if self._loop is None:
                raise StorageError(f"{self._name}: no connection can be begun", "Raise the limit of open files.")
            return self._loop

    def _serve(self, ready: threading.Event) -> None:
        async def until_closed() -> None:
            self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
            self._loop.set_default_executor(_Daemons(max_workers=1))
            # What fails here fails for who waits for it. The loop would tell the log of it a second time, in its words.
            self._loop.set_exception_handler(lambda loop, context: None)
            closing = self._closing
            ready.set()
            await closing.wait()

        logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it tells of each write to a connection that is gone
        try:
            with asyncio.Runner() as runner:
                runner.run(until_closed())
        finally:
            ready.set()  # also if no loop could be made


class Service(Protocol):
    """What a shelf asks of its server, on the loop, by addresses."""

    async def find(self, address: Address) -> Version | None:
        """Return what lies there."""

    async def download(self, address: Address, target: Path, max_bytes: int, known: Version | None) -> Version | None:
        """Stream it to a file."""

    async def hash(self, address: Address) -> str | None:
        """Return its SHA-256, by reading it."""

    async def remove(self, address: Address, /) -> None:
        """Remove what lies there."""

    async def close(self) -> None:
        """Let go of connections."""


class RemoteShelf:
    """A folder on a server, as far as all servers are alike; how files are put there is each one's own."""

    def __init__(self, address: Address, service: Service, background: Background) -> None:
        """Name the folder; nothing is connected yet."""
        self._address, self._service, self._background = address, service, background

    def find(self, name: str) -> Version | None:
        """Return what lies under the name, None if nothing does."""
        return self._background.run(self._service.find(self._address.below(name)))

    def get(self, name: str, target: Path, max_bytes: int) -> None:
        """Stream a delivered file to `target`; ArtworkError if it is not there."""
        self._background.run(self._service.download(self._address.below(name), target, max_bytes, None))

    def hash(self, name: str) -> str | None:
        """Return the SHA-256 of what lies under the name, by reading it; None if nothing does."""
        return self._background.run(self._service.hash(self._address.below(name)))

    def remove(self, name: str) -> None:
        """Remove a file; harmless if it is not there."""
        self._background.run(self._service.remove(self._address.below(name)))

    def close(self) -> None:
        """Let go of connections."""
        self._background.close(self._service.close)


class _Daemons(ThreadPoolExecutor):
    """Runs each call, such as the look-up of a name, on a daemon thread: it may hang, and nobody waits for it then."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        future: Future[T] = Future()

        def call() -> None:
            if future.set_running_or_notify_cancel():
                settle(future, lambda: fn(*args, **kwargs))

        threading.Thread(target=call, name="look-up", daemon=True).start()
        return future


async def in_a_row(
    works: Iterable[Coroutine[Any, Any, T]], width: int, take: Callable[[T], object], idle_s: float | None = None
) -> None:
    """Run so many of the works at once; `take` what they return in the order of their beginning.

    The next is drawn from `works` when there is room for it, so that what they hold is bounded. Raises TimeoutError
    if the eldest takes more than `idle_s`.
    """
    running: deque[asyncio.Task[T]] = deque()

    async def take_eldest() -> None:
        async with asyncio.timeout(idle_s):
            result = await running[0]
        running.popleft()
        take(result)

    try:
        for work in works:
            running.append(asyncio.create_task(work))
            if len(running) == width:
                await take_eldest()
        while running:
            await take_eldest()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@asynccontextmanager
async def deadline(total_s: float, address: Address) -> AsyncIterator[None]:
    """Allow the block so many seconds; then it is cancelled, and TransientError is raised."""
    limit = asyncio.timeout(total_s)
    try:
        async with limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise TransientError(
            f"{address}: not done within {total_s:g} s", "Allow more with storage.total_timeout_s."
        ) from None


class Arriving:
    """A file of this side that is streamed to; `bytes` have come so far."""

    def __init__(self, path: Path) -> None:
        """Open the file, which may have been there; raise StorageError, or BudgetError where the disk is full."""
        self._path = path
        self.bytes = 0
        with storing(path):
            self._file = path.open("wb")

    def write(self, block: bytes) -> None:
        """Append bytes."""
        with storing(self._path):
            self._file.write(block)
        self.bytes += len(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with storing(self._path):
            self._file.close()


class Leaving:
    """A file of this side that is delivered, read once from its beginning to its end."""

    def __init__(self, path: Path, sha256: str) -> None:
        """Name the file and what its content is known by; raise StorageError if it is not there."""
        self._path, self._sha256 = path, sha256
        self._hash = hashlib.sha256()
        with storing(path):
            self.bytes = path.stat().st_size

    def blocks(self, length: int) -> Iterator[bytes]:
        """Yield the content in blocks of this length, the last excepted."""
        with storing(self._path):
            file = self._path.open("rb")
        with file:
            while block := self._read(file, length):
                self._hash.update(block)
                yield block

    def check(self) -> None:
        """Raise StorageError if what was read is not the content that was promised."""
        if self._hash.hexdigest() != self._sha256:
            raise StorageError(f"{self._path}: the file changed since it was made", "Run again.")

    def _read(self, file: BufferedReader, length: int) -> bytes:
        with storing(self._path):
            return file.read(length)


def never_overwritten(address: Address) -> StorageError:
    """Return the error for a name that another content lies under."""
    return StorageError(
        f"{address} is there already and is another file; it is never overwritten",
        "Remove it, or deliver to another folder.",
    )


def no_room(address: Address) -> StorageError:
    """Return the error for a server that takes no more."""
    return StorageError(f"{address}: the server is full, or a quota used up", "Free some space there and run again.")


def cut_short(address: Address, came: int, promised: int) -> TransientError:
    """Return the error for a transfer that ended early."""
    return TransientError(f"{address}: {came:,} of {promised:,} bytes came", "Try again.")


def corrupted(address: Address) -> TransientError:
    """Return the error for a delivered file that reads back as another."""
    return TransientError(f"{address}: what was read back is not what was delivered", "Try again; check the server.")


def plain(text: object) -> str:
    """Return a server's words so that they can be shown: one line, not too long, nothing that acts on a terminal."""
    line = " ".join(str(text).split())
    return "".join(char for char in line if char.isprintable())[:_SHOWN]
