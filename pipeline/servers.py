"""The servers a run speaks to: connected to when first needed, by the pipeline's settings, and let go at the end.

What fails for a reason that may pass is tried again here, after pauses that grow, and nowhere else.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from config import schema
from config.errors import StorageError, TransientError
from pipeline.storage.address import Address
from pipeline.storage.contracts import Patience, S3Access, SftpAccess, Shelf, Source

if TYPE_CHECKING:
    from tenacity import RetryCallState

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 20.0

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class Servers:
    """Sources and shelves by address; a context manager that closes them. Sources are for any thread."""

    def __init__(self, storage: schema.Storage, folder: Path) -> None:
        """Take the settings; relative paths count from `folder`. Nothing is connected to yet."""
        self._storage, self._folder = storage, folder
        self._patience = Patience(storage.connect_timeout_s, storage.read_timeout_s, storage.total_timeout_s)
        self._sources: dict[object, Source] = {}
        self._lock = Lock()
        self._closed = Event()

    def source(self, scheme: str, private_hosts: tuple[str, ...]) -> Source:
        """Return where to fetch by this scheme; of HTTP, `private_hosts` may have private addresses.

        Raises StorageError once all are closed: whatever still asks then is a thread that nobody waits for.
        """
        key = (scheme, private_hosts) if scheme in {"http", "https"} else scheme
        with self._lock:
            if self._closed.is_set():
                raise StorageError("the run has ended")
            if key not in self._sources:
                self._sources[key] = self._open_source(scheme, private_hosts)
            return self._sources[key]

    def shelf(self, address: Address) -> Shelf:
        """Return the folder at `address` to deliver to; the caller closes it."""
        from pipeline.storage.opening import open_shelf  # noqa: PLC0415 - with packages that few runs need

        return open_shelf(address, self._sftp(), self._s3(), self._patience)

    def steadily(self, work: Callable[[], Result]) -> Result:
        """Return what `work()` returns; a TransientError is raised only when it has failed as often as is allowed.

        Nothing is tried again once the servers are closed.
        """
        import tenacity  # noqa: PLC0415 - costs time that runs without servers spare

        longer = tenacity.wait_exponential(multiplier=FIRST_PAUSE_S, max=LONGEST_PAUSE_S)
        pause = longer + tenacity.wait_random(0, FIRST_PAUSE_S)
        attempts = tenacity.Retrying(
            stop=tenacity.stop_any(
                tenacity.stop_after_attempt(self._storage.attempts), tenacity.stop_when_event_set(self._closed)
            ),
            sleep=tenacity.sleep_using_event(self._closed),
            wait=lambda state: _asked_pause(state) or float(pause(state)),
            retry=tenacity.retry_if_exception_type(TransientError),
            before_sleep=_tell,
            reraise=True,
        )
        return attempts(work)

    def close(self) -> None:
        """Let go of all sources, and give up what is still waited for."""
        self._closed.set()
        with self._lock:
            while self._sources:
                _, source = self._sources.popitem()
                with suppress(TransientError):
                    source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open_source(self, scheme: str, private_hosts: tuple[str, ...]) -> Source:
        if scheme in {"http", "https"}:
            from pipeline.storage.http import HttpSource  # noqa: PLC0415 - as above

            return HttpSource(self._patience, private_hosts)
        from pipeline.storage.opening import open_source  # noqa: PLC0415 - as above

        return open_source(scheme, self._sftp(), self._s3(), self._patience)

    def _sftp(self) -> SftpAccess:
        said = self._storage.sftp
        return SftpAccess(
            known_hosts=self._path(said.known_hosts),
            host_keys=said.host_keys,
            user=said.user or "",
            key_file=self._path(said.key_file),
            password=said.password or "",
        )

    def _s3(self) -> S3Access:
        return S3Access(self._storage.s3.endpoint or "", self._storage.s3.region or "")

    def _path(self, text: str | None) -> Path | None:
        return None if text is None else self._folder / Path(text).expanduser()


def _asked_pause(state: "RetryCallState") -> float:
    """Return the seconds that a busy server asked to be left alone for; 0 if it did not."""
    error = state.outcome.exception() if state.outcome else None
    return float(getattr(error, "retry_after_s", None) or 0)


def _tell(state: "RetryCallState") -> None:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, TransientError):
        log.warning(f"{error.message}; trying again (attempt {state.attempt_number + 1})")
