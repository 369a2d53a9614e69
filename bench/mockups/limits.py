"""The smallest limit of memory that mock-ups are made in: real runs in a cage, as in a container just started.

The first is under CONTAINER_BYTES, for tilepress: what is promised.
"""

from bench.cage import Cage
from bench.contestants import Contestant
from bench.layout import Layout
from bench.limits import (
    FILE_PAGES_BYTES,
    HOPELESS_BYTES,
    MACHINE_SHARE,
    REFUSED,
    SLOW,
    SLOW_LEAST_S,
)
from bench.mockups.bounds import CONTAINER_BYTES
from bench.pagecache import forget, libraries
from bench.results import LimitResult, Run
from bench.running import Runner
from bench.search import Range, Trial, smallest_limit
from bench.tilepress import ENVIRONMENT, REPOSITORY
from pipeline.machine import memory_limit


def find_limit(runner: Runner, contestant: Contestant, layout: Layout, free: Run) -> LimitResult:
    """Run a contestant under one limit after the other; `free` is a run without any."""
    patience = max(SLOW * free.seconds, SLOW_LEAST_S)
    trials = smallest_limit(
        lambda limit: _attempt(runner, contestant, layout, limit, patience),
        _where_to_look(contestant, free.peak_bytes),
    )
    contestant.clear(layout)
    result = LimitResult("M", contestant.name, free.seconds, free.peak_bytes, trials)
    found = f"{result.smallest_bytes / 1e6:.0f} MB" if result.smallest_bytes else "none"
    runner.say(f"limit of {contestant.name}: {found} ({len(trials)} trials)")
    return result


def _attempt(runner: Runner, contestant: Contestant, layout: Layout, limit_bytes: int, patience_s: float) -> Trial:
    contestant.clear(layout)
    forget([*layout.files, *libraries()])
    with Cage.of(limit_bytes) as cage:
        run = cage.run(
            contestant.command(layout),
            folder=REPOSITORY,
            log=runner.log("limits"),
            environment=ENVIRONMENT,
            timeout_s=patience_s,
        )
    failure = None
    if run.oom_kills:
        failure = "killed by the kernel"
    elif run.timed_out:
        failure = f"over {patience_s:.0f} s"
    elif run.exit_code == REFUSED and contestant.is_tilepress:
        failure = "refuses: exit code 5"
    elif run.exit_code or len(contestant.sheets(layout)) != layout.parts:
        failure = f"ended with exit code {run.exit_code}"
    return Trial(limit_bytes, run.seconds, failure)


def _where_to_look(contestant: Contestant, peak_bytes: int) -> Range:
    most = int(memory_limit().bytes * MACHINE_SHARE)
    if contestant.is_tilepress:
        return Range(CONTAINER_BYTES, growth=1.5, fails_at_bytes=HOPELESS_BYTES, most_bytes=most)
    near = int(peak_bytes * 0.95)  # sampling may have seen a little more than was held at once
    return Range(peak_bytes + FILE_PAGES_BYTES, growth=1.25, fails_at_bytes=near, most_bytes=most)
