"""`tilepress check`: are configuration, database and sources sound? Does no work, changes nothing."""

import os
from collections.abc import Callable, Sequence

from config.errors import ArtworkError, ExitCode
from config.schema import GangsheetJob
from pipeline import orders
from pipeline.context import Context
from pipeline.delivery import Outbox
from pipeline.film import resolve_sheet
from pipeline.runner import for_each_job
from pipeline.sources import resolve


def check_jobs(jobs: Sequence[GangsheetJob], context: Context, say: Callable[[str], None]) -> ExitCode:
    """Look at every job's sheet, orders, designs and output; say what is found, return the exit code."""

    def look(job: GangsheetJob) -> ExitCode:
        problems = _check(job, context, say)
        for problem in problems:
            say(f"{job.name}: {problem}")
        return ExitCode.INCOMPLETE if problems else ExitCode.DONE

    return for_each_job(jobs, look, lambda job, error: say(f"{job.name}: {error}"))


def _check(job: GangsheetJob, context: Context, say: Callable[[str], None]) -> list[str]:
    sheet = resolve_sheet(job.sheet, context.database)
    book = orders.read(job.orders, context.folder, context.database, context.chosen_orders)
    problems = [rejection.reason for rejection in book.rejected]
    root = context.folder / job.designs.root
    names = dict.fromkeys(item.design for item in book.items)
    for name in names:
        try:
            resolve(name, root)
        except ArtworkError as error:
            problems.append(f"design {name}: {error.message}")
    folder = Outbox(job.output, job.name, context.folder).folder
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        problems.append(f"output: {existing} cannot be written to")
    say(
        f"{job.name}: sheet {sheet.width_in:g}×{sheet.height_in:g} in at {sheet.dpi} DPI ({sheet.source}), "
        f"{len(book.items)} order lines with {book.ordered} copies of {len(names)} designs, {len(problems)} problems"
    )
    return problems
