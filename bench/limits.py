"""The smallest limit of memory each contestant passes: real runs in a cage, the limit halved in between.

A run passes if it ends well, nothing of it was killed, and it took no longer than SLOW times what it takes without a
limit. Artwork, tile store and libraries are read from disk each time, as in a container just started.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bounds import LIMIT_DREAM_BYTES
from bench.cage import Cage
from bench.contestants import Contestant, peers_for, tilepress_cold, tilepress_warm
from bench.layout import Layout
from bench.pagecache import forget, libraries
from bench.results import LimitResult
from bench.running import Runner
from bench.search import Range, Trial, smallest_limit
from bench.sharp import Sharp
from bench.tilepress import ENVIRONMENT, REPOSITORY
from bench.works import Work
from pipeline.machine import memory_limit

SLOW = 4.0  # times as long as without a limit: it still ends, but nobody would run it so
SLOW_LEAST_S = 4.0  # what is over in a moment may take this long in any case
HOPELESS_BYTES = 32_000_000  # Python with numpy alone
MACHINE_SHARE = 0.9  # of this machine's memory; a limit above would not be one
FILE_PAGES_BYTES = 32_000_000  # what programs need in memory beside what they hold: their libraries' pages
REFUSED = 5  # tilepress's exit code for memory that would not suffice
ALL_THREADS, ONE_THREAD = (), ("threads=1",)


@dataclass(frozen=True, slots=True)
class LimitFinder:
    """Looks for limits in one work, laid out; where a cage can be made."""

    runner: Runner
    work: Work
    layout: Layout

    def find_all(self, sharp: Sharp, *, everything: bool) -> Iterator[LimitResult]:
        """Yield what was found for tilepress, cold and warm, on all threads and on one, and for the peers."""
        for remark, settings in (("", ALL_THREADS), (", one thread", ONE_THREAD)):
            yield self.find(tilepress_cold(remark, *settings))
        self.runner.run(tilepress_cold(), self.layout)  # it leaves a whole store; the last in a cage may not have
        for remark, settings in (("", ALL_THREADS), (", one thread", ONE_THREAD)):
            yield self.find(tilepress_warm(remark, *settings))
        peers, absent = peers_for(self.work, sharp, everything=everything)
        for peer in peers:
            yield self.find(peer)
        for name, reason in absent.items():
            yield LimitResult(self.work.name, name, failure=reason)
        tilepress_cold().clear(self.layout)

    def find(self, contestant: Contestant) -> LimitResult:
        """Run a contestant without a limit, and then under one after the other."""
        forget(self._read_by(contestant))
        free = self.runner.run(contestant, self.layout)
        if free.failure is not None:
            return LimitResult(self.work.name, contestant.name, failure=free.failure)
        patience = max(SLOW * free.seconds, SLOW_LEAST_S)
        trials = smallest_limit(
            lambda limit: self._attempt(contestant, limit, patience), _where_to_look(contestant, free.peak_bytes)
        )
        contestant.clear(self.layout)
        result = LimitResult(self.work.name, contestant.name, free.seconds, free.peak_bytes, trials)
        found = f"{result.smallest_bytes / 1e6:.0f} MB" if result.smallest_bytes else "none"
        seconds = sum(trial.seconds for trial in trials)
        self.runner.say(f"{self.work.name} {contestant.name}: {found} ({len(trials)} trials, {seconds:.0f} s)")
        return result

    def _attempt(self, contestant: Contestant, limit_bytes: int, patience_s: float) -> Trial:
        name = self.layout.folder.name
        contestant.clear(self.layout)
        forget(self._read_by(contestant))
        with Cage.of(limit_bytes) as cage:
            run = cage.run(
                contestant.command(self.layout),
                folder=REPOSITORY,
                log=self.runner.log(name),
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
        elif run.exit_code or len(contestant.sheets(self.layout)) != self.layout.parts:
            failure = f"ended with exit code {run.exit_code}"
        return Trial(limit_bytes, run.seconds, failure)

    def _read_by(self, contestant: Contestant) -> Sequence[Path]:
        store = [self.layout.store] if contestant.is_tilepress and self.layout.store.exists() else []
        return [*self.layout.files, *store, *libraries()]


def _where_to_look(contestant: Contestant, peak_bytes: int) -> Range:
    """Return where to search: tilepress makes do with less where there is less; a peer holds what it holds."""
    most = int(memory_limit().bytes * MACHINE_SHARE)
    if contestant.is_tilepress:
        return Range(LIMIT_DREAM_BYTES, growth=2.0, fails_at_bytes=HOPELESS_BYTES, most_bytes=most)
    near = int(peak_bytes * 0.95)  # sampling may have seen a little more than was held at once
    return Range(peak_bytes + FILE_PAGES_BYTES, growth=1.25, fails_at_bytes=near, most_bytes=most)
