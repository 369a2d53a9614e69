"""`tilepress check`: are configuration, database and sources sound? Does no work, changes nothing."""

import os
from collections.abc import Callable, Sequence
from contextlib import closing

from config.errors import ExitCode
from config.schema import Job
from pipeline.context import Context
from pipeline.delivery import MANIFEST
from pipeline.kinds import kind_of
from pipeline.runner import for_each_job
from pipeline.storage.address import is_url, parse_address


def check_jobs(jobs: Sequence[Job], context: Context, say: Callable[[str], None]) -> ExitCode:
    """Look at everything every job needs; say what is found, return the exit code."""

    def look(job: Job) -> ExitCode:
        problems = kind_of(job).check(job, context, say)
        for problem in problems:
            say(f"{job.name}: {problem}")
        return ExitCode.INCOMPLETE if problems else ExitCode.DONE

    return for_each_job(jobs, look, lambda job, error: say(f"{job.name}: {error}"))


def check_output(to: str, context: Context) -> list[str]:
    """Return what keeps files from being delivered; a server is asked, nothing is written to it."""
    if is_url(to):
        with closing(context.servers.shelf(parse_address(to))) as shelf:
            context.servers.steadily(lambda: shelf.find(MANIFEST))
        return []
    folder = context.folder / to
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        return [f"output: {existing} cannot be written to"]
    return []
