"""A pipeline: its jobs one after another, each by its kind; one job's failure does not sink the others."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from config.errors import ConfigurationError, ExitCode, TilepressError
from config.schema import GangsheetJob, Pipeline
from pipeline import gangsheet
from pipeline.context import Context
from pipeline.report import Report

log = logging.getLogger(__name__)

JOB_KINDS: dict[str, Callable[[GangsheetJob, Context], Report]] = {"gangsheet": gangsheet.run}

_WORST_FIRST = (
    ExitCode.BUG,
    ExitCode.BUDGET,
    ExitCode.STORAGE,
    ExitCode.LOCKED,
    ExitCode.CONFIGURATION,
    ExitCode.INCOMPLETE,
    ExitCode.DONE,
)


def run_jobs(jobs: Sequence[GangsheetJob], context: Context) -> tuple[list[Report], ExitCode]:
    """Run the jobs in turn; return their reports and the exit code of the worst outcome among them."""
    reports: list[Report] = []

    def work(job: GangsheetJob) -> ExitCode:
        started_at = datetime.now(UTC).isoformat(timespec="seconds")
        reports.append(JOB_KINDS[job.kind](job, replace(context, started_at=started_at)))
        return reports[-1].exit_code

    def fail(job: GangsheetJob, error: TilepressError) -> None:
        log.error(f"Job {job.name}: {error.message}", extra={"job": job.name, "remedy": error.remedy})
        log.debug("The error came from here", exc_info=error)

    return reports, for_each_job(jobs, work, fail)


def for_each_job(
    jobs: Sequence[GangsheetJob],
    work: Callable[[GangsheetJob], ExitCode],
    fail: Callable[[GangsheetJob, TilepressError], None],
) -> ExitCode:
    """Do `work` for every job, whatever becomes of the others; return the exit code of the worst outcome.

    An error that is explained goes to `fail`; any other is a bug, and logged as such.
    """
    codes = {ExitCode.DONE}
    for job in jobs:
        try:
            codes.add(work(job))
        except TilepressError as error:
            fail(job, error)
            codes.add(error.exit_code)
        except Exception:
            log.exception(f"Job {job.name}: a bug in tilepress", extra={"job": job.name})
            codes.add(ExitCode.BUG)
    return next(code for code in _WORST_FIRST if code in codes)


def choose_jobs(pipeline: Pipeline, names: Sequence[str]) -> list[GangsheetJob]:
    """Return the jobs with these names, all when none is named; ConfigurationError for a name that is not there."""
    missing = sorted(set(names) - {job.name for job in pipeline.jobs})
    if missing:
        raise ConfigurationError(
            f"no such job: {', '.join(missing)}", f"The pipeline has: {', '.join(job.name for job in pipeline.jobs)}."
        )
    return [job for job in pipeline.jobs if not names or job.name in names]
