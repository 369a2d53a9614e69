"""What keeps a gang sheet job from being done: its sheet, orders, designs, output, what it writes to the database."""

from collections.abc import Callable

from config.errors import ArtworkError
from config.schema import GangsheetJob
from pipeline import orders
from pipeline.checkup import check_output
from pipeline.context import Context
from pipeline.film import resolve_sheet
from pipeline.library import Library


def check(job: GangsheetJob, context: Context, say: Callable[[str], None]) -> list[str]:
    """Look at everything the job needs; return what is wrong with it."""
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
    problems += check_output(job.output.to, context)
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
