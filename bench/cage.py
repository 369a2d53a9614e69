"""A cage: a command and all it starts, under a limit of memory that the kernel enforces.

It is a control group as containers have: page cache counts, there is no swap, and what goes over is killed.

    if reason := why_no_cage(): skip(reason)
    with Cage.of(256_000_000) as cage:
        run = cage.run(command, timeout_s=60)

A page is charged to whoever touches it first: files that others have read lately would be read for nothing in a
cage. `bench.pagecache` forgets them.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count as counter
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.cgroup import Parent, count, parents

_ENTER = 'echo $$ > "$0" && exec "$@"'  # a shell that becomes the command: inside from its first instruction
_TRIAL_BYTES = 64_000_000
_REMOVAL_S = 10.0  # for the kernel to bury what it killed; takes milliseconds
_POLL_S = 0.005
_numbers = counter(1)


class NoCageError(Exception):
    """No cage can be made here; the message says why."""


@dataclass(frozen=True, slots=True)
class CagedRun:
    """How a command in a cage ended; an exit code below 0 is a signal's.

    `oom_kills` counts processes that the kernel killed: a command that outlives a killed child may well exit with 0.
    """

    seconds: float
    exit_code: int
    oom_kills: int
    timed_out: bool

    @property
    def survived(self) -> bool:
        """Whether it ended by itself, well, with nothing killed."""
        return self.exit_code == 0 and not self.oom_kills and not self.timed_out


class Cage:
    """A group limited to `limit_bytes`, as a context manager: made on entry; on exit removed, with all that runs in it.

    Runs one command at a time, any number one after another; what one leaves in the page cache counts for the next.
    """

    def __init__(self, limit_bytes: int) -> None:
        """Make nothing yet."""
        self.limit_bytes = limit_bytes
        self._folder: Path | None = None
        self._kills = Path()

    @classmethod
    def of(cls, limit_bytes: int) -> Self:
        """Return a cage to be entered; raises NoCageError on entry where none can be made."""
        return cls(limit_bytes)

    def run(
        self,
        command: Sequence[str],
        *,
        timeout_s: float,
        folder: Path | None = None,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> CagedRun:
        """Run `command` to its end, its output into the file `log`; kill it, with all it started, after `timeout_s`."""
        assert self._folder is not None, "the cage is not entered"
        kills, timed_out = self._oom_kills(), False
        with (log or Path(os.devnull)).open("wb") as output:
            began = time.monotonic()
            process = subprocess.Popen(
                ["/bin/sh", "-c", _ENTER, str(self._folder / "cgroup.procs"), *command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # ^C is for whoever holds the cage
            )
            try:
                process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                timed_out = True
            finally:
                seconds = time.monotonic() - began
                self._kill_all()
                process.kill()  # it may have been stopped before it entered
                process.wait()
        return CagedRun(seconds, process.returncode, self._oom_kills() - kills, timed_out)

    def __enter__(self) -> Self:
        reasons = []
        for parent in parents():
            try:
                self._make(parent)
            except OSError as error:
                reasons.append(f"{parent.dialect.name}: {error.strerror}: {error.filename}")
            else:
                return self
        raise NoCageError(reasons[0] if reasons else "no group here has the memory controller")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def _make(self, parent: Parent) -> None:
        folder = parent.folder / f"tilepress-cage-{os.getpid()}-{next(_numbers)}"
        folder.mkdir()
        self._folder, self._kills = folder, folder / parent.dialect.kills
        try:
            for name, value in parent.dialect.required.items():
                (folder / name).write_text(str(self.limit_bytes if value is None else value))
            for name, value in parent.dialect.optional.items():
                if (folder / name).exists():
                    (folder / name).write_text(str(self.limit_bytes if value is None else value))
        except BaseException:
            self._remove()
            raise

    def _remove(self) -> None:
        folder, self._folder = self._folder, None
        if folder is None:
            return
        deadline = time.monotonic() + _REMOVAL_S
        while folder.exists():
            _kill_inside(folder)
            try:
                folder.rmdir()
            except OSError:  # busy: what was killed is still being buried
                if time.monotonic() > deadline:
                    raise
                time.sleep(_POLL_S)

    def _kill_all(self) -> None:
        """Kill until nothing is left: a process may start another just before it dies."""
        deadline = time.monotonic() + _REMOVAL_S
        while self._folder is not None and _kill_inside(self._folder) and time.monotonic() < deadline:
            time.sleep(_POLL_S)

    def _oom_kills(self) -> int:
        return count(self._kills.read_text(), "oom_kill")


def why_no_cage() -> str | None:
    """Return why no cage can be made here; None if it can, which is tried."""
    try:
        with Cage.of(_TRIAL_BYTES) as cage:
            run = cage.run(["true"], timeout_s=10)
    except NoCageError as error:
        return str(error)
    return None if run.survived else "no process may be put into a control group"


def _kill_inside(folder: Path) -> bool:
    """Kill what is in a group now; return whether there was anything."""
    inside = [int(pid) for pid in (folder / "cgroup.procs").read_text().split()]
    for pid in inside:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(inside)
