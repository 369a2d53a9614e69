"""The runs of one work: all contestants in turn, again and again, so that a noisy minute strikes them alike."""

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.agreement import compare
from bench.contestants import COLD, REFERENCE, WARM, Contestant, line_up
from bench.layout import Layout, lay_out, predicted_peak_bytes
from bench.measure import Usage, measure
from bench.results import Agreement, Floor, Results, Run, WorkResult
from bench.tilepress import ENVIRONMENT, REPOSITORY, tilepress
from bench.works import Work
from pipeline.machine import cpu_count, memory_limit

TIMEOUT_S = 300.0  # several times what the slowest takes for R
HELP_RUNS = 5


@dataclass(frozen=True, slots=True)
class Contest:
    """Holds works below one folder, at one scale; `say` hears what is going on."""

    folder: Path
    scale: float
    say: Callable[[str], None]

    def begin(self, *, drawn: bool) -> Results:
        """Return results that hold no work yet: the machine, and how long `tilepress --help` takes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        usages = [self._measure(tilepress("--help"), "help") for _ in range(HELP_RUNS)]
        return Results(
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            machine=_machine(),
            scale=self.scale,
            drawn=drawn,
            help_seconds=median(usage.seconds for usage in usages),
        )

    def hold(self, work: Work, designs: Sequence[Path], runs: int, *, everything: bool) -> WorkResult:
        """Run everybody `runs` times, and compare what they made."""
        layout = lay_out(work, designs, self.folder / work.name, self.scale)
        floor = _floor(layout)
        taking_part, absent = line_up(work, everything=everything)
        done: dict[str, list[Run]] = {contestant.name: [] for contestant in taking_part}
        for number in range(1, runs + 1):
            for contestant in taking_part:
                run = self._run(contestant, layout)
                done[contestant.name].append(run)
                self.say(f"{work.name} {number}/{runs} {contestant.name}: {run.failure or f'{run.seconds:.2f} s'}")
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
            agreements=_compare_all(taking_part, layout),
            floor=floor,
        )
        _clear_up(taking_part, layout)
        return result

    def _run(self, contestant: Contestant, layout: Layout) -> Run:
        contestant.clear(layout)
        usage = self._measure(contestant.command(layout), layout.folder.name)
        sheet = contestant.sheet(layout)
        failure = None
        if usage.exit_code or not sheet.exists():
            said = (self.folder / f"{layout.folder.name}.log").read_text(errors="replace").strip().splitlines()
            failure = f"exit code {usage.exit_code}: {' '.join(said[-1:])}"
            sheet.unlink(missing_ok=True)
        return Run(
            seconds=usage.seconds,
            cpu_seconds=usage.cpu_seconds,
            peak_bytes=usage.peak_bytes,
            file_bytes=0 if failure else sheet.stat().st_size,
            stages=None if failure or not contestant.is_tilepress else _stages(layout),
            failure=failure,
        )

    def _measure(self, command: Sequence[str], name: str) -> Usage:
        log = self.folder / f"{name}.log"
        return measure(command, folder=REPOSITORY, log=log, environment=ENVIRONMENT, timeout_s=TIMEOUT_S)


def _stages(layout: Layout) -> dict[str, float]:
    stages: dict[str, float] = json.loads(layout.manifest.read_text())["seconds"]
    return stages


def _floor(layout: Layout) -> Floor:
    """Measure the floor; this also brings the artwork into the page cache, for the first as for the last to run."""
    command = [sys.executable, "-m", "bench.floor", str(layout.job), "-"]
    done = subprocess.run(command, cwd=REPOSITORY, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return Floor(**json.loads(done.stdout))


def _compare_all(taking_part: Sequence[Contestant], layout: Layout) -> dict[str, Agreement]:
    """Compare each peer's last sheet with tilepress's; on long sheets, decoding takes its time: only the script's."""
    own = next(contestant.sheet(layout) for contestant in taking_part if contestant.is_tilepress)
    long = layout.height_px > 4 * layout.width_px
    others = [one for one in taking_part if not one.is_tilepress and (not long or one.name == REFERENCE)]
    found = ((other.name, other.sheet(layout)) for other in others)
    return {name: compare(own, sheet) for name, sheet in found if own.exists() and sheet.exists()}


def _clear_up(taking_part: Sequence[Contestant], layout: Layout) -> None:
    """Remove the sheets, which are large; the manifest stays."""
    for contestant in taking_part:
        contestant.sheet(layout).unlink(missing_ok=True)
    shutil.rmtree(layout.store, ignore_errors=True)


def _machine() -> dict[str, str]:
    limit = memory_limit()
    return {
        "cpus": str(cpu_count()),
        "memory": f"{limit.bytes / 1e9:.1f} GB ({limit.source})",
        "python": platform.python_version(),
        **{name: version(name) for name in ("pyvips-binary", "numpy", "pillow", "opencv-python-headless")},
    }
