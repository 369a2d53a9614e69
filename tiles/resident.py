"""The most memory that this process has held at once, as the system counts it: its resident set."""

import resource
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc/self")
_RESET_PEAK = "5"  # proc(5), clear_refs: forget the high-water mark


def forget_peak() -> None:
    """Have the peak counted from now on, where the system can do so."""
    with suppress(OSError):
        (_PROC / "clear_refs").write_text(_RESET_PEAK)


def peak_resident_bytes() -> int:
    """Return the peak since it was forgotten, or since the process began where that cannot be told."""
    with suppress(OSError, ValueError):
        for line in (_PROC / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
