"""The run's story as it happens: text and a progress bar for a person, one JSON object a line for machines."""

import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

from pythonjsonlogger.json import JsonFormatter

if TYPE_CHECKING:
    from rich.console import Console

LogFormat = Literal["auto", "text", "json"]


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


class _LineHandler(logging.StreamHandler[TextIO]):
    """Writes to standard output; when nobody reads it any more, the work goes on unheard."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            silence_output()
        else:
            super().handleError(record)


def silence_output() -> None:
    """Send standard output nowhere from now on: its reader has gone."""
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


class _TextHandler(logging.Handler):
    """Writes messages as a person reads them; control characters of customers' names are shown, not obeyed."""

    def __init__(self, console: "Console") -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in record.getMessage())
        mark = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        remedy = getattr(record, "remedy", "")
        lines = mark + text + (f"\n  {remedy}" if remedy else "")
        self._console.print(lines, markup=False, highlight=False, soft_wrap=True)
        if record.exc_info:
            self._console.print("".join(traceback.format_exception(*record.exc_info)), markup=False, highlight=False)


class _LineFormatter(JsonFormatter):
    """One JSON object a line; levels as log collectors spell them."""

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        super().add_fields(log_data, record, message_dict)
        log_data["level"] = _LEVELS.get(record.levelno, "info")


_LEVELS = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warn", logging.ERROR: "error"}


def start_logging(kind: LogFormat, *, verbose: bool) -> NoProgress | BarProgress:
    """Send the log to standard output in the format asked for; return what shows progress beside it."""
    terminal = sys.stdout.isatty()
    handler: logging.Handler
    progress: NoProgress | BarProgress = NoProgress()
    if kind == "json" or (kind == "auto" and not terminal):
        handler = _LineHandler(sys.stdout)
        handler.setFormatter(_LineFormatter("%(message)s", timestamp="time", json_ensure_ascii=False))
    else:
        console = _console(sys.stdout)
        handler = _TextHandler(console)
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
