"""What the benchmark ran on, and how long a program takes that does nothing: `tilepress --help`."""

import platform
from importlib.metadata import version
from statistics import median

from bench.running import Runner
from bench.tilepress import tilepress
from pipeline.machine import cpu_count, memory_limit

HELP_RUNS = 5


def machine() -> dict[str, str]:
    """Return what is worth knowing of this machine, by name."""
    limit = memory_limit()
    return {
        "cpus": str(cpu_count()),
        "memory": f"{limit.bytes / 1e9:.1f} GB ({limit.source})",
        "python": platform.python_version(),
        **{name: version(name) for name in ("pyvips-binary", "numpy", "pillow", "opencv-python-headless")},
    }


def help_seconds(runner: Runner) -> float:
    """Return the median of the seconds that the whole process takes."""
    return median(runner.measure(tilepress("--help"), "help").seconds for _ in range(HELP_RUNS))
