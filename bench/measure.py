"""One command as a whole process: wall clock, processor time, and the memory of it and all below it over time.

Memory is what the process tree holds and no file backs, as tilepress's own governor judges it: page cache and mapped
files do not count. Linux only.
"""

import ctypes
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
_ORPHAN_S = 5.0  # for helpers that end by themselves when their parent has; takes milliseconds
# The shortest peaks last as long: a strip under way where one process renders, a design where several prepare.
# Either costs about 2 % of a core: to look at several processes takes longer.
SAMPLE_ONE_S, SAMPLE_SEVERAL_S = 0.01, 0.03
_PAGE = resource.getpagesize()

Sample = tuple[float, int]  # seconds since the command began, bytes held


@dataclass(frozen=True, slots=True)
class Usage:
    """What a command took. `cpu_seconds` counts its children too; a negative exit code is a signal's."""

    seconds: float
    cpu_seconds: float
    samples: Sequence[Sample]
    exit_code: int

    @property
    def peak_bytes(self) -> int:
        """The most that was seen."""
        return max((held for _, held in self.samples), default=0)


def measure(
    command: Sequence[str], *, folder: Path, log: Path, environment: Mapping[str, str], timeout_s: float
) -> Usage:
    """Run `command` in `folder` with its output into the file `log`; kill it, with all below it, after `timeout_s`."""
    os.sync()  # what an earlier run left to be written shall not slow this one
    with log.open("wb") as output, _adopting_orphans():
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        alarm = threading.Timer(timeout_s, _kill, [process.pid])
        alarm.start()
        try:
            with MemorySampler(process.pid, began) as sampler:
                _, status, usage = os.wait4(process.pid, 0)
                seconds = time.monotonic() - began
                left_behind = _orphans_cpu_seconds(process.pid)
        except BaseException:
            _kill(process.pid)
            process.wait()
            raise
        finally:
            alarm.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    return Usage(seconds, _cpu_seconds(usage) + left_behind, sampler.samples, process.returncode)


def thinned(samples: Sequence[Sample], most: int) -> list[Sample]:
    """Return at most `most` samples that tell the same story: of neighbours, the highest."""
    each = -(-len(samples) // most) or 1
    groups = (samples[start : start + each] for start in range(0, len(samples), each))
    return [max(group, key=lambda sample: sample[1]) for group in groups]


class MemorySampler(threading.Thread):
    """Looks at a process tree's memory while its context lasts, and keeps what it saw in `samples`."""

    def __init__(self, pid: int, began: float) -> None:
        """Name the tree by its root, and when it began on the monotonic clock."""
        super().__init__(name="sampler", daemon=True)
        self.samples: list[Sample] = []
        self._pid = pid
        self._began = began
        self._over = threading.Event()

    def run(self) -> None:
        """Sample until the context ends."""
        pids, most = [self._pid], 0
        while not self._over.wait(SAMPLE_ONE_S if len(pids) == 1 else SAMPLE_SEVERAL_S):
            pids = list(_process_tree(self._pid))
            held = held_bytes(pids)
            if held > most and len(pids) > 1:  # what forks or ends between two looks may have counted twice
                held = min(held, held_bytes(list(_process_tree(self._pid))))
            self.samples.append((time.monotonic() - self._began, held))
            most = max(most, held)

    def __enter__(self) -> "MemorySampler":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


def held_bytes(pids: Sequence[int]) -> int:
    """Return the memory of a process, or of a whole tree, that no file backs; pages that a fork shares count once."""
    return _unshared_bytes(pids[0]) if len(pids) == 1 else sum(map(_share_bytes, pids))


def _process_tree(pid: int) -> Iterator[int]:
    """Yield `pid` and its descendants, by the kernel's lists of children: far cheaper than looking at all processes."""
    yield pid
    for child in _children(pid):
        yield from _process_tree(child)


def _children(pid: int) -> Iterator[int]:
    with suppress(OSError, ValueError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - names are wanted, a hundred times a second
            yield from map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())


def _share_bytes(pid: int) -> int:
    """Return one process's share of the memory that no file backs: a page that n processes have counts 1/n for each."""
    held = 0
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
                held += int(line.split()[1]) * 1024
    return held or _unshared_bytes(pid)  # not readable, or the process is gone


def _unshared_bytes(pid: int) -> int:
    """Return the resident memory of one process less what it could share; 0 when it is gone."""
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/statm").read_text().split()
        return (int(fields[1]) - int(fields[2])) * _PAGE
    return 0


@contextmanager
def _adopting_orphans() -> Iterator[None]:
    """Become the parent of whatever loses its own below this process, such as a fork server and its children."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, 0)


def _orphans_cpu_seconds(session: int) -> float:
    """Wait for what a session's leader left behind, and return the processor time that its parent never learnt of."""
    seconds, deadline = 0.0, time.monotonic() + _ORPHAN_S
    while orphans := [pid for pid in _children(os.getpid()) if _session_of(pid) == session]:
        if time.monotonic() > deadline:
            _kill(session)
        for pid in orphans:
            done, _, usage = os.wait4(pid, os.WNOHANG)
            seconds += _cpu_seconds(usage) if done else 0
        time.sleep(0.002)
    return seconds


def _session_of(pid: int) -> int | None:
    with suppress(ProcessLookupError):
        return os.getsid(pid)
    return None


def _cpu_seconds(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def _kill(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
