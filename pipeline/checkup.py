"""`tilepress check`: are configuration, database and sources sound? Does no work, changes nothing."""

import os
from collections.abc import Callable, Sequence
from contextlib import closing

from config.errors import ArtworkError, ExitCode
from config.schema import GangsheetJob
from pipeline import orders
from pipeline.context import Context
from pipeline.delivery import MANIFEST
from pipeline.film import resolve_sheet
from pipeline.library import Library
from pipeline.runner import for_each_job
from pipeline.storage.address import is_url, parse_address


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
    library = Library(job.designs, context.folder, context.servers, context.store)
    library.check()
    references = dict.fromkeys(item.reference or item.design for item in book.items)
    for reference in references:
        if not library.is_remote(reference):
            try:
                library.locate(reference)
            except ArtworkError as error:
                problems.append(f"design {reference}: {error.message}")
    problems += _check_output(job, context)
    if context.database is not None:
        context.database.check_made()
        if job.orders.mark is not None:
            context.database.check_mark(job.orders.mark)
    say(
        f"{job.name}: sheet {sheet.width_in:g}×{sheet.height_in:g} in at {sheet.dpi} DPI ({sheet.source}), "
        f"{len(book.items)} order lines with {book.ordered} copies of {len(references)} designs, "
        f"{len(problems)} problems"
    )
    return problems


def _check_output(job: GangsheetJob, context: Context) -> list[str]:
    """Return what keeps parts from being delivered; a server is asked, nothing is written to it."""
    to = job.output.to
    if is_url(to):
        with closing(context.servers.shelf(parse_address(to))) as shelf:
            context.servers.steadily(lambda: shelf.find(MANIFEST))
        return []
    folder = context.folder / to
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        return [f"output: {existing} cannot be written to"]
    return []
