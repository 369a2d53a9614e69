"""One command as a whole process: wall clock, processor time, and the peak memory of it and all below it.

Memory is what the process tree holds and no file backs (resident less shared, from /proc), as tilepress's own
governor judges it: page cache and mapped files do not count. Linux only.
"""

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SAMPLE_S = 0.01  # the shortest run measured takes half a second; sampling costs about 1 % of a core
_PAGE = resource.getpagesize()


@dataclass(frozen=True, slots=True)
class Usage:
    """What a command took. `cpu_seconds` counts its children too; a negative exit code is a signal's."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    exit_code: int


def measure(
    command: Sequence[str], *, folder: Path, log: Path, environment: Mapping[str, str], timeout_s: float
) -> Usage:
    """Run `command` in `folder` with its output into the file `log`; kill it, with all below it, after `timeout_s`."""
    os.sync()  # what an earlier run left to be written shall not slow this one
    with log.open("wb") as output:
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        alarm = threading.Timer(timeout_s, _kill, [process.pid])
        alarm.start()
        try:
            with PeakSampler(process.pid) as sampler:
                _, status, usage = os.wait4(process.pid, 0)
                seconds = time.monotonic() - began
        except BaseException:
            _kill(process.pid)
            process.wait()
            raise
        finally:
            alarm.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    return Usage(seconds, usage.ru_utime + usage.ru_stime, sampler.peak_bytes, process.returncode)


class PeakSampler(threading.Thread):
    """Looks at a process tree's memory every SAMPLE_S while its context lasts; `peak_bytes` is the most it saw."""

    def __init__(self, pid: int) -> None:
        """Name the tree by its root."""
        super().__init__(name="sampler", daemon=True)
        self.peak_bytes = 0
        self._pid = pid
        self._over = threading.Event()

    def run(self) -> None:
        """Sample until the context ends."""
        while not self._over.wait(SAMPLE_S):
            self.peak_bytes = max(self.peak_bytes, sum(anonymous_bytes(pid) for pid in process_tree(self._pid)))

    def __enter__(self) -> "PeakSampler":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


def process_tree(pid: int) -> Iterator[int]:
    """Yield `pid` and its descendants, by the kernel's lists of children: far cheaper than looking at all processes."""
    yield pid
    with suppress(OSError, ValueError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - names are wanted, a hundred times a second
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                yield from process_tree(int(child))


def anonymous_bytes(pid: int) -> int:
    """Return the memory of one process that no file backs; 0 when it is gone."""
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/statm").read_text().split()
        return (int(fields[1]) - int(fields[2])) * _PAGE
    return 0


def _kill(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
