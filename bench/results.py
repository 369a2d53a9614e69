"""What was measured, as frozen values and as results.json. Knows medians and ratios; prints nothing."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from bench.contestants import COLD, REFERENCE, WARM
from bench.search import Trial

SCHEMA = 2
_WORK_STAGES = ("fetch", "prepare", "render", "deliver")  # what a run is for; all else is around it


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one contestant. `memory` is what it held over time: seconds since it began, bytes.

    `stages` are the seconds of tilepress's manifest; `failure` says why it is none.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    file_bytes: int
    memory: Sequence[tuple[float, int]]
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

    def outside(self, name: str) -> float | None:
        """Return tilepress's median seconds outside fetch, prepare, render and deliver; planning is part of them."""
        runs = [run for run in self.good_runs(name) if run.stages]
        around = [run.seconds - sum((run.stages or {}).get(stage, 0) for stage in _WORK_STAGES) for run in runs]
        return median(around) if around else None

    def prediction_ratio(self, name: str) -> float | None:
        """Return tilepress's peak memory ÷ what `tilepress plan` predicted."""
        measured, predicted = self.typical(name, "peak_bytes"), self.predicted_peak_bytes.get(name)
        return measured / predicted if measured is not None and predicted else None


@dataclass(frozen=True, slots=True)
class TiffResult:
    """S as a TIFF: whole runs of tilepress with a filled store, and of the peer, which times the one call."""

    runs: list[Run]
    tiffsave_seconds: list[float]
    tiffsave_file_bytes: int
    agreement: Agreement | None


@dataclass(frozen=True, slots=True)
class LimitResult:
    """The limits of memory that a contestant was run under. `failure` says why there are no trials.

    `free_seconds` and `free_peak_bytes` are those of a run without a limit.
    """

    work: str
    contestant: str
    free_seconds: float | None = None
    free_peak_bytes: int | None = None
    trials: tuple[Trial, ...] = ()
    failure: str | None = None

    @property
    def smallest_bytes(self) -> int | None:
        """The smallest limit passed; None if none was."""
        return min((trial.limit_bytes for trial in self.trials if trial.failure is None), default=None)

    @property
    def smallest(self) -> Trial | None:
        """The trial under the smallest limit passed."""
        return next((trial for trial in self.trials if trial.limit_bytes == self.smallest_bytes), None)

    @property
    def largest_failed(self) -> Trial | None:
        """The trial under the largest limit not passed."""
        return max((trial for trial in self.trials if trial.failure), key=lambda trial: trial.limit_bytes, default=None)


@dataclass(frozen=True, slots=True)
class Results:
    """One benchmark: where, what it was made of, and what came out.

    `no_cage` says why no limits could be set; `section_seconds` how long each section of it took.
    """

    at: str
    machine: dict[str, str]
    scale: float
    drawn: bool
    help_seconds: float
    works: tuple[WorkResult, ...] = ()
    tiff: TiffResult | None = None
    limits: tuple[LimitResult, ...] = ()
    no_cage: str | None = None
    section_seconds: dict[str, float] = field(default_factory=dict)

    def with_work(self, result: WorkResult) -> "Results":
        """Return these results and one more work's."""
        return replace(self, works=(*self.works, result))

    def with_section(self, name: str, seconds: float) -> "Results":
        """Return these results, and how long a section took."""
        return replace(self, section_seconds={**self.section_seconds, name: seconds})

    def work(self, name: str) -> WorkResult | None:
        """Return a work's result; None if it was not measured."""
        return next((work for work in self.works if work.name == name), None)

    def peak_ratio(self, name: str, contestant: str) -> float | None:
        """Return the contestant's peak memory for a work ÷ its peak for S."""
        work, sheet = self.work(name), self.work("S")
        own = work.typical(contestant, "peak_bytes") if work else None
        base = sheet.typical(contestant, "peak_bytes") if sheet else None
        return own / base if own is not None and base else None

    def tiff_ratio(self) -> float | None:
        """Return the seconds of a whole run of tilepress for S as TIFF ÷ those of libvips' tiffsave alone."""
        runs = [run.seconds for run in self.tiff.runs if run.failure is None] if self.tiff else []
        return median(runs) / median(self.tiff.tiffsave_seconds) if self.tiff and runs else None

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
        if self.tiff is not None:
            found += [f"S as TIFF failed: {run.failure}" for run in self.tiff.runs if run.failure]
            if self.tiff.agreement is not None and not self.tiff.agreement.agrees:
                found.append(f"S as TIFF: tiffsave's sheet is not tilepress's: {self.tiff.agreement}")
        for limit in self.limits:
            if limit.failure is not None and limit.contestant.startswith((COLD, WARM)):
                found.append(f"{limit.work}: {limit.contestant} failed without a limit: {limit.failure}")
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
    content["works"] = tuple(_work(work) for work in content["works"])
    content["limits"] = tuple(_limit(limit) for limit in content["limits"])
    content["tiff"] = content["tiff"] and _tiff(content["tiff"])
    return Results(**content)


def _work(content: dict[str, Any]) -> WorkResult:
    runs = {name: [_run(run) for run in runs] for name, runs in content["runs"].items()}
    agreements = {name: agreement_from(agreement) for name, agreement in content["agreements"].items()}
    return WorkResult(**{**content, "runs": runs, "agreements": agreements, "floor": Floor(**content["floor"])})


def _run(content: dict[str, Any]) -> Run:
    return Run(**{**content, "memory": [(at, held) for at, held in content["memory"]]})


def agreement_from(content: dict[str, Any]) -> Agreement:
    """Return an agreement as it was before it became JSON."""
    return Agreement(**{**content, "size": tuple(content["size"])})


def _tiff(content: dict[str, Any]) -> TiffResult:
    runs, agreement = (
        [_run(run) for run in content["runs"]],
        content["agreement"] and agreement_from(content["agreement"]),
    )
    return TiffResult(**{**content, "runs": runs, "agreement": agreement})


def _limit(content: dict[str, Any]) -> LimitResult:
    return LimitResult(**{**content, "trials": tuple(Trial(**trial) for trial in content["trials"])})


def _with_rest(run: Run) -> dict[str, float]:
    """Return a run's stages, and the seconds of its process that belong to none of them."""
    stages = {name: seconds for name, seconds in (run.stages or {}).items() if name != "total"}
    return {**stages, "elsewhere": run.seconds - sum(stages.values()), "whole process": run.seconds}
