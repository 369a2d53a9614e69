"""What was measured of mock-ups, as frozen values and as mockups.json. Knows medians and ratios; prints nothing."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from bench.results import LimitResult, Run

INSIDE_ALLOWED = 2.0  # of 255: one filter for another makes 0.5, a pixel out of place 3
OUTSIDE_ALLOWED = 0.5  # there both write the photograph again; two encoders round differently


@dataclass(frozen=True, slots=True)
class Likeness:
    """How far OpenCV's mock-ups are from tilepress's: mean absolute differences of samples, 0 to 255.

    Inside the areas that artwork is put on, and outside; None where sizes differ.
    """

    inside: float | None
    outside: float | None

    @property
    def agrees(self) -> bool:
        """Whether they are the same pictures."""
        if self.inside is None or self.outside is None:
            return False
        return self.inside <= INSIDE_ALLOWED and self.outside <= OUTSIDE_ALLOWED


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All designs on all photographs, in one run and again. `peaks` is the most held in each tenth of it, in bytes."""

    designs: int
    mockups: int
    design_px: int
    photograph_px: int
    seconds: float
    peaks: Sequence[int]
    file_bytes: int
    seconds_again: float


@dataclass(frozen=True, slots=True)
class MockupResults:
    """One benchmark of mock-ups. `runs` are those of the ten, by contestant; `many` the run of ten times as many.

    `predicted_bytes` is the peak that `tilepress plan` foresees for the ten with an empty store; `no_cage` says why no
    limits could be set.
    """

    at: str
    machine: dict[str, str]
    scale: float
    artwork_px: int
    photograph_px: int
    mockups: int
    runs: dict[str, list[Run]]
    predicted_bytes: int
    likeness: Likeness | None
    many_mockups: int
    many: Run
    limits: tuple[LimitResult, ...]
    no_cage: str | None
    catalogue: Catalogue | None

    def typical(self, name: str, figure: str) -> float | None:
        """Return the median of a figure over a contestant's runs; None if it has none that did not fail."""
        values = [getattr(run, figure) for run in self.runs[name] if run.failure is None]
        return median(values) if values else None

    def ratio(self, name: str, reference: str, figure: str) -> float | None:
        """Return a contestant's figure ÷ another one's, of medians; None if either has none."""
        own, other = self.typical(name, figure), self.typical(reference, figure)
        return own / other if own is not None and other else None

    def steps(self, name: str) -> dict[str, float]:
        """Return tilepress's median seconds by step, as its manifest says, and of the whole process."""
        runs = [{**run.stages, "process": run.seconds} for run in self.runs[name] if run.stages]
        return {step: median(each[step] for each in runs) for step in runs[0]} if runs else {}

    def problems(self) -> list[str]:
        """Return what makes the figures worthless: somebody failed, or did not make the same pictures."""
        failures = {(name, run.failure) for name, runs in self.runs.items() for run in runs if run.failure}
        found = [f"{name} failed: {failure}" for name, failure in sorted(failures)]
        if self.many.failure:
            found.append(f"{self.many_mockups} mock-ups failed: {self.many.failure}")
        if self.likeness is not None and not self.likeness.agrees:
            found.append(f"OpenCV's mock-ups are not tilepress's: {self.likeness}")
        return found


def write(results: MockupResults, file: Path) -> None:
    """Write mockups.json; it appears whole."""
    aside = file.with_suffix(".partial")
    aside.write_text(json.dumps(asdict(results), indent=1) + "\n", encoding="utf-8")
    aside.replace(file)
