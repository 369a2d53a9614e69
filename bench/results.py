"""What was measured, as frozen values and as results.json. Knows medians, ratios and limits; prints nothing."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from bench.contestants import COLD, REFERENCE, WARM

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one contestant. `stages` are the seconds of tilepress's manifest; `failure` says why it is none."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    file_bytes: int
    stages: dict[str, float] | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a sheet is from tilepress's: differences of premultiplied samples, 0 to 255; None where sizes differ.

    `mean` is over the whole sheet, `worst_block` over the block of pixels that differs most.
    """

    size: tuple[int, int]
    mean: float | None
    worst_block: float | None
    agrees: bool


@dataclass(frozen=True, slots=True)
class Floor:
    """What the work costs at least: decoding every input once, on one core, and copying each printed pixel once."""

    decode_seconds: float
    copy_seconds: float


@dataclass(frozen=True, slots=True)
class WorkResult:
    """All that is known of one work. `runs` by contestant, in the order of the line-up; `absent` says why not."""

    name: str
    what: str
    width_px: int
    height_px: int
    copies: int
    designs: int
    predicted_peak_bytes: dict[str, int]
    runs: dict[str, list[Run]]
    absent: dict[str, str]
    agreements: dict[str, Agreement]
    floor: Floor

    def good_runs(self, name: str) -> list[Run]:
        """Return the contestant's runs that did not fail."""
        return [run for run in self.runs.get(name, []) if run.failure is None]

    def typical(self, name: str, figure: str) -> float | None:
        """Return the median of a figure over the contestant's runs; None if it has none."""
        values = [getattr(run, figure) for run in self.good_runs(name)]
        return median(values) if values else None

    def ratio(self, name: str, figure: str) -> float | None:
        """Return the contestant's figure ÷ the pyvips script's, of medians; None if either did not run."""
        own, reference = self.typical(name, figure), self.typical(REFERENCE, figure)
        return own / reference if own is not None and reference else None

    def stages(self, name: str) -> dict[str, float]:
        """Return tilepress's median seconds by stage; and what lies outside of stages, of the whole process."""
        runs = [run for run in self.good_runs(name) if run.stages]
        if not runs:
            return {}
        stages = [_with_rest(run) for run in runs]
        return {stage: median(each[stage] for each in stages) for stage in stages[0]}


@dataclass(frozen=True, slots=True)
class Results:
    """One benchmark: where, what it was made of, and what came out."""

    at: str
    machine: dict[str, str]
    scale: float
    drawn: bool
    help_seconds: float
    works: tuple[WorkResult, ...] = ()

    def with_work(self, result: WorkResult) -> "Results":
        """Return these results and one more work's."""
        return replace(self, works=(*self.works, result))

    def work(self, name: str) -> WorkResult | None:
        """Return a work's result; None if it was not measured."""
        return next((work for work in self.works if work.name == name), None)

    def peak_ratio(self, name: str, contestant: str) -> float | None:
        """Return the contestant's peak memory for a work ÷ its peak for S."""
        work, sheet = self.work(name), self.work("S")
        own = work.typical(contestant, "peak_bytes") if work else None
        base = sheet.typical(contestant, "peak_bytes") if sheet else None
        return own / base if own is not None and base else None

    def problems(self) -> list[str]:
        """Return what makes the figures worthless: tilepress failed, or did not print what the peers printed."""
        found = []
        for work in self.works:
            for name in (COLD, WARM, REFERENCE):
                failures = {run.failure for run in work.runs.get(name, []) if run.failure}
                found += [f"{work.name}: {name} failed: {failure}" for failure in failures]
            for name, agreement in work.agreements.items():
                if not agreement.agrees:
                    found.append(f"{work.name}: {name}'s sheet is not tilepress's: {agreement}")
        return found


def write(results: Results, file: Path) -> None:
    """Write results.json; it appears whole."""
    aside = file.with_suffix(".partial")
    aside.write_text(json.dumps({"schema": SCHEMA, **asdict(results)}, indent=1) + "\n", encoding="utf-8")
    aside.replace(file)


def read(file: Path) -> Results:
    """Read results.json back; end the program if there is none."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SystemExit(f"{file}: not there; run `make bench` first") from None
    if content.pop("schema") != SCHEMA:
        raise SystemExit(f"{file}: of another version; run `make bench` again")
    return Results(**{**content, "works": tuple(_work(work) for work in content["works"])})


def _work(content: dict[str, Any]) -> WorkResult:
    runs = {name: [Run(**run) for run in runs] for name, runs in content["runs"].items()}
    agreements = {
        name: Agreement(**{**agreement, "size": tuple(agreement["size"])})
        for name, agreement in content["agreements"].items()
    }
    return WorkResult(**{**content, "runs": runs, "agreements": agreements, "floor": Floor(**content["floor"])})


def _with_rest(run: Run) -> dict[str, float]:
    """Return a run's stages, and the seconds of its process that belong to none of them."""
    stages = {name: seconds for name, seconds in (run.stages or {}).items() if name != "total"}
    return {**stages, "elsewhere": run.seconds - sum(stages.values()), "whole process": run.seconds}
