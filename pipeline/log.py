"""The run's story as it happens: text and a progress bar for a person, one JSON object a line for machines.

Secrets are struck out of both. Machines get at most LINES_A_SECOND lines in any second, and the number of those left
out; errors, and what is said of a whole job, always go out.
"""

import logging
import os
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

from pythonjsonlogger.json import JsonFormatter

from pipeline.redaction import Redactor, redactor

if TYPE_CHECKING:
    from rich.console import Console

LogFormat = Literal["auto", "text", "json"]
LINES_A_SECOND = 50
KEPT_FREE = 10  # of these, lines about single orders leave so many to the others: there may be thousands of orders


@dataclass(slots=True)
class _Everywhere:
    """What is true on all threads."""

    fields: Mapping[str, object] = field(default_factory=dict)
    memory: Callable[[], int] | None = None


_everywhere = _Everywhere()
_here: ContextVar[Mapping[str, object]] = ContextVar("_here")


@contextmanager
def about(**fields: object) -> Iterator[None]:
    """Add fields to every JSON line that is logged within the block; a line's own count over them.

    Blocks nest, and the inner one counts. `run` and `job` are said on all threads, as jobs are run one after another;
    anything else on the block's own thread only: work on another thread opens a block of its own.
    """
    token = _here.set({**_here.get({}), **fields})
    former = _everywhere.fields
    _everywhere.fields = {**former, **{name: fields[name] for name in ("run", "job") if name in fields}}
    try:
        yield
    finally:
        _everywhere.fields = former
        _here.reset(token)


@contextmanager
def report_memory(source: Callable[[], int]) -> Iterator[None]:
    """Say in every JSON line within the block, on all threads, how many bytes `source` returns; it should be quick."""
    former = _everywhere.memory
    _everywhere.memory = source
    try:
        yield
    finally:
        _everywhere.memory = former


class NoProgress:
    """Shows nothing: for machines, and for work that is over in a moment."""

    @contextmanager
    def track(self, what: str, total: int) -> Iterator[Callable[[int], None]]:  # noqa: ARG002
        """Do nothing for the length of the context."""
        yield lambda count: None


class BarProgress:
    """A progress bar on a terminal; log lines scroll above it."""

    def __init__(self, console: "Console") -> None:
        """Draw on `console`."""
        self._console = console

    @contextmanager
    def track(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a bar called `what` until the context ends."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - see _console

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        with Progress(*columns, TimeRemainingColumn(), console=self._console, transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda count: bar.advance(task, count)


class _Pace:
    """Picks the records that may go out now, and counts the others."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Go by a clock of seconds that never runs backwards."""
        self._clock = clock
        self._sent: deque[float] = deque()
        self._left_out = 0
        self._told = float("-inf")

    def admit(self, record: logging.LogRecord) -> list[logging.LogRecord]:
        """Return what is to be written instead of a record: nothing, itself, or first how many were left out.

        That is said once a second at most: where lines keep pouring in, it would be every other line.
        """
        now = self._clock()
        while self._sent and now - self._sent[0] >= 1:
            self._sent.popleft()
        tells = bool(self._left_out) and now - self._told >= 1
        if not _always_goes_out(record) and len(self._sent) + 1 + tells > _limit(record):
            self._left_out += 1
            return []
        admitted = [*(self.rest() if tells else []), record]
        self._sent.extend([now] * len(admitted))
        return admitted

    def rest(self) -> list[logging.LogRecord]:
        """Return the record that says how many were left out, and count anew; nothing if none were."""
        count, self._left_out = self._left_out, 0
        if not count:
            return []
        self._told = self._clock()
        were = "line was" if count == 1 else "lines were"
        level = {"levelno": logging.WARNING, "levelname": "WARNING"}
        text = f"{count} {were} left out: more than {LINES_A_SECOND} a second"
        return [logging.makeLogRecord({"name": __name__, **level, "msg": text, "left_out": count})]


def _always_goes_out(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR or hasattr(record, "job")


def _limit(record: logging.LogRecord) -> int:
    """Return how many lines there may be in a second with this one."""
    is_about_an_order = hasattr(record, "order") or "order" in _here.get({})
    return LINES_A_SECOND - KEPT_FREE if is_about_an_order else LINES_A_SECOND


class _LineHandler(logging.StreamHandler[TextIO]):
    """Writes to standard output; when nobody reads it any more, the work goes on unheard."""

    def __init__(self, stream: TextIO, pace: _Pace) -> None:
        super().__init__(stream)
        self._pace = pace

    def emit(self, record: logging.LogRecord) -> None:
        for admitted in self._pace.admit(record):
            super().emit(admitted)

    def close(self) -> None:
        for record in self._pace.rest():
            super().emit(record)
        super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        silence_output()
        if not isinstance(error, BrokenPipeError):
            print(f"standard output cannot be written: {error.strerror}; the work goes on unheard", file=sys.stderr)


def silence_output() -> None:
    """Send standard output nowhere from now on: its reader has gone."""
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


class _TextHandler(logging.Handler):
    """Writes messages as a person reads them; control characters of customers' names are shown, not obeyed."""

    def __init__(self, console: "Console", secrets: Redactor) -> None:
        super().__init__()
        self._console, self._secrets = console, secrets

    def emit(self, record: logging.LogRecord) -> None:
        message = self._secrets.clean(record.getMessage())
        text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in message)
        mark = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        remedy = self._secrets.clean(getattr(record, "remedy", ""))
        lines = mark + text + (f"\n  {remedy}" if remedy else "")
        self._console.print(lines, markup=False, highlight=False, soft_wrap=True)
        if record.exc_info:
            trace = self._secrets.clean("".join(traceback.format_exception(*record.exc_info)))
            self._console.print(trace, markup=False, highlight=False)


class _LineFormatter(JsonFormatter):
    """One JSON object a line; levels as log collectors spell them."""

    def __init__(self, secrets: Redactor) -> None:
        super().__init__("%(message)s", timestamp=_TIME, json_ensure_ascii=False)
        self._secrets = secrets

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        super().add_fields(log_data, record, message_dict)
        log_data["level"] = _LEVELS.get(record.levelno, "info")
        for name, value in {**_everywhere.fields, **_here.get({})}.items():
            log_data.setdefault(name, value)
        if _everywhere.memory is not None:
            log_data.setdefault("memory", _everywhere.memory())

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {name: value if name == _TIME else self._secrets.clean_all(value) for name, value in log_data.items()}


_TIME = "time"
_LEVELS = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warn", logging.ERROR: "error"}


def start_logging(
    kind: LogFormat,
    *,
    verbose: bool,
    secrets: Redactor | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> NoProgress | BarProgress:
    """Send the log to standard output in the format asked for; return what shows progress beside it.

    `secrets` are struck out of it: by default those of the program.
    """
    secrets = secrets or redactor()
    terminal = sys.stdout.isatty()
    handler: logging.Handler
    progress: NoProgress | BarProgress = NoProgress()
    if kind == "json" or (kind == "auto" and not terminal):
        handler = _LineHandler(sys.stdout, _Pace(clock))
        handler.setFormatter(_LineFormatter(secrets))
    else:
        console = _console(sys.stdout)
        handler = _TextHandler(console, secrets)
        progress = BarProgress(console) if terminal else progress
    root = logging.getLogger()
    for former in list(root.handlers):
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)  # libraries: libvips tells of every thread pool
    logging.getLogger("pipeline").setLevel(logging.DEBUG if verbose else logging.INFO)
    return progress


def quiet_logging() -> None:
    """Keep the log to itself: for commands whose answer is what they print."""
    root = logging.getLogger()
    for former in list(root.handlers):
        root.removeHandler(former)
    root.addHandler(logging.NullHandler())


def progress_only() -> NoProgress | BarProgress:
    """Keep the log to itself, and show progress if a person looks."""
    quiet_logging()
    return BarProgress(_console(sys.stderr)) if sys.stderr.isatty() else NoProgress()


def _console(file: TextIO) -> "Console":
    from rich.console import Console  # noqa: PLC0415 - costs time that a run without a person watching spares

    return Console(file=file)
