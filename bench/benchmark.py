"""The benchmark as a story: every work, S as a TIFF, the limits of memory; what is found is kept after each step."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from bench.artwork import designs_for
from bench.cage import why_no_cage
from bench.contest import Contest
from bench.layout import lay_out
from bench.limits import LimitFinder
from bench.machine import help_seconds, machine
from bench.results import LimitResult, Results
from bench.running import Runner
from bench.sharp import Sharp, find_sharp
from bench.tiff import hold_tiff
from bench.works import LIMITED, SHEET, WORKS, Work

Step = Callable[[Results], Results]


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be measured, and where: `designs` are artwork to take instead of drawn, `runs` how often, if told.

    `everything` adds what is slow or large, `quick` leaves all but the sheet S and runs it once.
    """

    folder: Path
    scale: float
    designs: Path | None
    runs: int | None
    quick: bool
    everything: bool
    install: bool

    def runs_of(self, work: Work) -> int:
        """Return how often a work is run."""
        return self.runs or (1 if self.quick else work.runs)

    def artwork_of(self, work: Work) -> list[Path]:
        """Return the files that a work prints; draw them if need be."""
        return designs_for(work, self.designs, self.folder, self.scale)


def run_benchmark(request: Request, keep: Callable[[Results], None], say: Callable[[str], None]) -> Results:
    """Do every step in turn and return all that was found; `keep` gets what there is after each.

    Two at once in one folder would remove each other's sheets: the second ends the program.
    """
    request.folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(request.folder / ".lock", blocking=False):
            return _run_steps(request, keep, say)
    except Timeout:
        raise SystemExit(f"{request.folder}: another benchmark is at work here; give --work another folder") from None


def _run_steps(request: Request, keep: Callable[[Results], None], say: Callable[[str], None]) -> Results:
    runner = Runner(request.folder, say)
    found = Results(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        scale=request.scale,
        drawn=request.designs is None,
        help_seconds=help_seconds(runner),
    )
    for name, step in _steps(request, runner, find_sharp(request.folder, install=request.install)):
        began = time.monotonic()
        found = step(found)
        found = found.with_section(name, time.monotonic() - began)
        keep(found)
    return found


def _steps(request: Request, runner: Runner, sharp: Sharp) -> Iterator[tuple[str, Step]]:
    contest = Contest(runner, request.scale, sharp, request.everything)
    for work in WORKS[:1] if request.quick else WORKS:
        yield work.name, _work_step(request, contest, work)
    yield "TIFF", _tiff_step(request, runner)
    if not request.quick:
        yield "limits", _limits_step(request, runner, sharp)


def _work_step(request: Request, contest: Contest, work: Work) -> Step:
    return lambda found: found.with_work(contest.hold(work, request.artwork_of(work), request.runs_of(work)))


def _tiff_step(request: Request, runner: Runner) -> Step:
    designs, runs = request.artwork_of(SHEET), request.runs_of(SHEET)
    return lambda found: replace(found, tiff=hold_tiff(runner, designs, request.scale, runs))


def _limits_step(request: Request, runner: Runner, sharp: Sharp) -> Step:
    def limits() -> Iterator[LimitResult]:
        for work in LIMITED:
            layout = lay_out(work, request.artwork_of(work), request.folder / work.name, request.scale)
            yield from LimitFinder(runner, work, layout).find_all(sharp, everything=request.everything)

    reason = why_no_cage()
    return lambda found: replace(found, no_cage=reason, limits=() if reason else tuple(limits()))
