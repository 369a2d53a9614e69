"""Traces: what analysers may have left elsewhere, written down before it comes to be, until it is known to be gone.

So a run that was killed leaves word for the next one of what is to be removed.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from config.errors import LockError, TilepressError
from pipeline.delivery import write_text
from pipeline.sections.analysis import Analyzer

log = logging.getLogger(__name__)

TRACES = "traces"
PATIENCE_S = 60.0  # with a service that is slow to remove something
REFUSALS = 3  # on end: then it is not the one upload
BRIEFLY_S = 10.0  # while sections wait


class Traces:
    """The tokens under which something may lie elsewhere, in a file of this machine, with the account it lies in.

    `forget(token, within_s)` removes what lies in `account`.
    """

    def __init__(self, path: Path, forget: Callable[[str, float], None], account: str = "") -> None:
        """Read what a former run has left in the file."""
        self._path, self._forget, self._account = path, forget, account
        self._tokens = _read(path)

    def add(self, token: str) -> None:
        """Write a token down: something will come to lie elsewhere."""
        self._tokens[token] = self._account
        self._write()

    def gone(self, token: str) -> None:
        """Strike a token out: nothing lies there any more."""
        if token in self._tokens:
            del self._tokens[token]
            self._write()

    def clear(self) -> None:
        """Have everything removed; what cannot be at the moment stays written down, and is told.

        A service that refuses several times on end is not asked about the others.
        """
        refused = 0
        for token in [token for token, account in self._tokens.items() if account == self._account]:
            refused = 0 if self.remove(token, PATIENCE_S) else refused + 1
            if refused == REFUSALS:
                break
        others = [token for token, account in self._tokens.items() if account != self._account]
        if others:
            log.warning(
                f"{len(others)} uploads of another account may still lie there: {', '.join(others[:3])}",
                extra={"remedy": "They are removed when the job runs with its former analyzer, endpoint and key."},
            )

    def remove(self, token: str, within_s: float = BRIEFLY_S, *, for_good: bool = True) -> bool:
        """Have what may lie under one token removed; return False, and say so, if it cannot be at the moment.

        Where something may yet come to lie there, it is not `for_good`: the token stays written down.
        """
        try:
            self._forget(token, within_s)
        except TilepressError as error:
            log.warning(
                f"what was uploaded as {token} may still lie there: {error.message}",
                extra={"token": token, "remedy": "It is tried again at the end of the run, and by the next one."},
            )
            return False
        if for_good:
            self.gone(token)
        return True

    def _write(self) -> None:
        if self._tokens:
            write_text(self._path, json.dumps(self._tokens))
        else:
            self._path.unlink(missing_ok=True)


@contextmanager
def opened_traces(path: Path, forget: Callable[[str, float], None], account: str) -> Iterator[Traces]:
    """Open a job's traces for this process alone; LockError if another run of the job is at work."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise LockError("another run of the job is at work", "Wait until it has ended.") from None
    try:
        yield Traces(path, forget, account)
    finally:
        lock.release()


def forget_trace(analyzer: Analyzer, token: str) -> None:
    """Have an analyser remove what it left under a token; for a child."""
    analyzer.forget(token)


def _read(path: Path) -> dict[str, str]:
    try:
        tokens = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    listed = tokens.items() if isinstance(tokens, dict) else ()
    return {token: account for token, account in listed if isinstance(account, str)}
