"""A pipeline: its jobs one after another, each by its kind; one job's failure does not sink the others."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.errors import ConfigurationError, ExitCode, TilepressError, as_explained
from config.schema import GangsheetJob, Job, Pipeline
from pipeline.context import Context
from pipeline.delivery import storing
from pipeline.kinds import kind_of
from pipeline.log import about
from pipeline.report import Report

if TYPE_CHECKING:
    from config.runs import RunBook

log = logging.getLogger(__name__)

_WORST_FIRST = (
    ExitCode.BUG,
    ExitCode.BUDGET,
    ExitCode.STORAGE,
    ExitCode.LOCKED,
    ExitCode.CONFIGURATION,
    ExitCode.INCOMPLETE,
    ExitCode.DONE,
)


def run_jobs(jobs: Sequence[Job], context: Context) -> tuple[list[Report], ExitCode]:
    """Run the jobs in turn; return their reports and the exit code of the worst outcome among them.

    Meanwhile no other run of this pipeline may be at work on the same database; SIGTERM and the deadline are heeded.
    """
    reports: list[Report] = []

    def work(job: Job) -> ExitCode:
        context.stop.check()
        started_at = datetime.now(UTC).isoformat(timespec="seconds")
        with about(job=job.name):
            reports.append(kind_of(job).run(job, replace(context, started_at=started_at, book=book)))
        return reports[-1].exit_code

    def fail(job: Job, error: TilepressError) -> None:
        log.error(f"Job {job.name}: {error.message}", extra={"job": job.name, "remedy": error.remedy})
        is_bug = error.exit_code == ExitCode.BUG
        log.log(logging.ERROR if is_bug else logging.DEBUG, "The error came from here", exc_info=error)

    with context.stop.listening(), context.servers:
        try:
            with storing(context.store.root), context.store.held(), _opened_book(context) as book:
                return reports, for_each_job(jobs, work, fail)
        except TilepressError as error:
            log.error(f"Pipeline {context.pipeline}: {error.message}", extra={"remedy": error.remedy})
            return reports, error.exit_code


@contextmanager
def _opened_book(context: Context) -> "Iterator[RunBook | None]":
    """Hold the ledger of the pipeline in its database, if it has one."""
    if context.database is None:
        yield None
        return
    from config.runs import open_run_book  # noqa: PLC0415 - with SQLAlchemy, for runs with a database

    with open_run_book(context.database, context.pipeline) as book:
        _tell_of_strays(context, book)
        yield book


def _tell_of_strays(context: Context, book: "RunBook") -> None:
    """Say that runs are unfinished whose jobs the pipeline file does not have: nobody else would."""
    for run in book.unfinished(None):
        if run.job not in context.jobs:
            log.error(
                f"Run {run.id} of job {run.job} is not finished, and the pipeline has no such job",
                extra={"remedy": f"Put the job back for one run, or give it up: tilepress runs forget {run.id}"},
            )


def for_each_job(
    jobs: Sequence[Job],
    work: Callable[[Job], ExitCode],
    fail: Callable[[Job, TilepressError], None],
) -> ExitCode:
    """Do `work` for every job, whatever becomes of the others; return the exit code of the worst outcome.

    Errors go to `fail`; one that nobody explained is a bug, and said to be one.
    """
    codes = {ExitCode.DONE}
    for job in jobs:
        try:
            codes.add(work(job))
        except Exception as error:
            explained = as_explained(error)
            fail(job, explained)
            codes.add(explained.exit_code)
    return next(code for code in _WORST_FIRST if code in codes)


def choose_jobs(pipeline: Pipeline, names: Sequence[str], orders: Sequence[str] = ()) -> list[Job]:
    """Return the jobs with these names, all when none is named; ConfigurationError for a name that is not there.

    Where only some orders are asked for, jobs that have none are left out.
    """
    missing = sorted(set(names) - {job.name for job in pipeline.jobs})
    if missing:
        raise ConfigurationError(
            f"no such job: {', '.join(missing)}", f"The pipeline has: {', '.join(job.name for job in pipeline.jobs)}."
        )
    chosen = [job for job in pipeline.jobs if not names or job.name in names]
    if not orders:
        return chosen
    printed: list[Job] = [job for job in chosen if isinstance(job, GangsheetJob)]
    if not printed or (names and len(printed) < len(chosen)):
        without = ", ".join(job.name for job in chosen if job not in printed)
        raise ConfigurationError(f"no orders can be chosen of job {without}: it has none", "Leave --order out.")
    return printed
