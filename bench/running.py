"""One run of one contestant, with nothing in its way, and what is to be told of it."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.contestants import Contestant
from bench.layout import Layout
from bench.measure import Usage, measure, thinned
from bench.results import Run
from bench.tilepress import ENVIRONMENT, REPOSITORY

TIMEOUT_S = 300.0  # several times what the slowest takes for R
SAMPLES_KEPT = 400  # more than a picture of them has pixels to show
WORDS = 200  # letters of what a program says when it fails; the log has the rest


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs commands from the repository, with their logs in `folder`; `say` hears what is going on."""

    folder: Path
    say: Callable[[str], None]

    def run(self, contestant: Contestant, layout: Layout) -> Run:
        """Clear away what an earlier run left, and measure a new one."""
        contestant.clear(layout)
        usage = self.measure(contestant.command(layout), layout.folder.name)
        sheets = contestant.sheets(layout)
        failure = None
        if usage.exit_code or len(sheets) != layout.parts:
            failure = f"exit code {usage.exit_code}: {self.last_words(layout.folder.name)}"
            for sheet in sheets:
                sheet.unlink()
        return Run(
            seconds=usage.seconds,
            cpu_seconds=usage.cpu_seconds,
            peak_bytes=usage.peak_bytes,
            file_bytes=0 if failure else sum(sheet.stat().st_size for sheet in sheets),
            memory=[(round(at, 3), held) for at, held in thinned(usage.samples, SAMPLES_KEPT)],
            stages=None if failure or not contestant.is_tilepress else _stages(layout),
            failure=failure,
        )

    def measure(self, command: Sequence[str], name: str) -> Usage:
        """Measure a command, its output into the log of that name."""
        return measure(command, folder=REPOSITORY, log=self.log(name), environment=ENVIRONMENT, timeout_s=TIMEOUT_S)

    def log(self, name: str) -> Path:
        """Return the file that the output of the run of that name goes to."""
        return self.folder / f"{name}.log"

    def last_words(self, name: str) -> str:
        """Return the last line of a log, or its message where the line is JSON; empty if there is none."""
        lines = self.log(name).read_text(errors="replace").strip().splitlines()
        last = lines[-1] if lines else ""
        with suppress(ValueError, TypeError, KeyError):
            last = str(json.loads(last)["message"])
        return last[:WORDS]


def _stages(layout: Layout) -> dict[str, float]:
    stages: dict[str, float] = json.loads(layout.manifest.read_text())["seconds"]
    return stages
