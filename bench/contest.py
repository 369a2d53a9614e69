"""The runs of one work: all contestants in turn, again and again, so that a noisy minute strikes them alike."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.contestants import COLD, REFERENCE, WARM, Contestant, line_up
from bench.layout import Layout, lay_out, predicted_peak_bytes
from bench.results import Agreement, Floor, Run, WorkResult, agreement_from
from bench.running import Runner
from bench.sharp import Sharp
from bench.tilepress import ENVIRONMENT, REPOSITORY
from bench.works import Work


@dataclass(frozen=True, slots=True)
class Contest:
    """Holds works at one scale; with `everything`, also what is slow or large."""

    runner: Runner
    scale: float
    sharp: Sharp
    everything: bool

    def hold(self, work: Work, designs: Sequence[Path], runs: int) -> WorkResult:
        """Run whom the bounds are about `runs` times, everybody else once, and compare what they made."""
        layout = lay_out(work, designs, self.runner.folder / work.name, self.scale)
        floor = _floor(layout)
        taking_part, absent = line_up(work, self.sharp, everything=self.everything)
        done: dict[str, list[Run]] = {contestant.name: [] for contestant in taking_part}
        for number in range(1, runs + 1):
            for contestant in taking_part if number == 1 else filter(_is_bound, taking_part):
                run = self.runner.run(contestant, layout)
                done[contestant.name].append(run)
                took = run.failure or f"{run.seconds:.2f} s"
                self.runner.say(f"{work.name} {number}/{runs} {contestant.name}: {took}")
        result = WorkResult(
            name=work.name,
            what=work.what,
            width_px=layout.width_px,
            height_px=layout.height_px,
            copies=layout.copies,
            designs=layout.designs,
            predicted_peak_bytes={COLD: layout.predicted_cold_bytes, WARM: predicted_peak_bytes(layout)},
            runs=done,
            absent=absent,
            agreements=self._agreements(taking_part, layout),
            floor=floor,
        )
        clear_up(taking_part, layout)
        return result

    def _agreements(self, taking_part: Sequence[Contestant], layout: Layout) -> dict[str, Agreement]:
        """Compare each peer's last sheet with tilepress's; of several parts, the first."""
        made = {one.name: one.sheets(layout) for one in taking_part}
        peers = [one.name for one in taking_part if not one.is_tilepress]
        return {name: agreement(made[WARM][0], made[name][0]) for name in peers if made[WARM] and made[name]}


def _is_bound(contestant: Contestant) -> bool:
    """Return whether a bound is about this contestant: noise must not decide it."""
    return contestant.is_tilepress or contestant.name == REFERENCE


def _floor(layout: Layout) -> Floor:
    """Measure the floor; this also brings the artwork into the page cache, for the first as for the last to run."""
    command = [sys.executable, "-m", "bench.floor", str(layout.job), "-"]
    done = subprocess.run(command, cwd=REPOSITORY, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return Floor(**json.loads(done.stdout))


def agreement(sheet: Path, other: Path) -> Agreement:
    """Compare two sheets, in a process of its own."""
    command = [sys.executable, "-m", "bench.agreement", str(sheet), str(other)]
    done = subprocess.run(command, cwd=REPOSITORY, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return agreement_from(json.loads(done.stdout))


def clear_up(taking_part: Sequence[Contestant], layout: Layout) -> None:
    """Remove the sheets, which are large, and the store; the manifest stays."""
    for contestant in taking_part:
        for sheet in contestant.sheets(layout):
            sheet.unlink()
    shutil.rmtree(layout.store, ignore_errors=True)
