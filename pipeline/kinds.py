"""The kinds of jobs: where each is run, looked ahead at and checked. Modules are imported when they are needed."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from config.schema import Job
from pipeline.context import Context
from pipeline.report import Report

if TYPE_CHECKING:
    from pipeline.evidence import Evidence, Verdict


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a job would do: in lines for a person, as plain values for JSON, and drawn as SVG if it can be drawn.

    `complete` says whether all that was asked for can be done.
    """

    lines: tuple[str, ...]
    content: Any
    drawing: str | None
    complete: bool


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job, by the modules that hold `run`, `look_ahead`, `check` and `prove`."""

    runs_in: str
    looks_ahead_in: str
    checks_in: str
    proves_in: str

    def run(self, job: Job, context: Context) -> Report:
        """Do the job."""
        report: Report = import_module(self.runs_in).run(job, context)
        return report

    def look_ahead(self, job: Job, context: Context) -> Outlook:
        """Say what the job would do; nothing is rendered or delivered."""
        outlook: Outlook = import_module(self.looks_ahead_in).look_ahead(job, context)
        return outlook

    def check(self, job: Job, context: Context, say: Callable[[str], None]) -> list[str]:
        """Say what the job is about; return what is wrong with it. Nothing is changed."""
        problems: list[str] = import_module(self.checks_in).check(job, context, say)
        return problems

    def prove(self, evidence: "Evidence") -> "Verdict":
        """Hold what a run has made against what it was made of; what is wrong with its manifest is a KeyError or so."""
        verdict: Verdict = import_module(self.proves_in).prove(evidence)
        return verdict


KINDS = {
    "gangsheet": JobKind(
        "pipeline.gangsheet", "pipeline.gangsheetview", "pipeline.gangsheetcheck", "pipeline.gangsheetproof"
    ),
    "mockups": JobKind(
        "pipeline.mockups.job", "pipeline.mockups.view", "pipeline.mockups.check", "pipeline.mockups.proof"
    ),
    "sections": JobKind(
        "pipeline.sections.job", "pipeline.sections.view", "pipeline.sections.check", "pipeline.sections.proof"
    ),
}


def kind_of(job: Job) -> JobKind:
    """Return the kind of a job."""
    return KINDS[job.kind]
