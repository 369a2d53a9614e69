"""What a gang sheet job would print: parts, film used, rejects, predicted memory. Renders nothing."""

from collections.abc import Iterator

from config.schema import GangsheetJob
from config.units import format_bytes
from pipeline.context import Context
from pipeline.drafting import Draft
from pipeline.gangsheet import draft
from pipeline.kinds import Outlook
from pipeline.preview import draw_plan

MAX_LINES_SHOWN = 50


def look_ahead(job: GangsheetJob, context: Context) -> Outlook:
    """Plan the job, and say what it comes to."""
    drafted = draft(job, context)
    plan = drafted.plan
    lines = tuple(describe(job, drafted, context))
    return Outlook(lines, plan.as_json(), draw_plan(plan), complete=not plan.rejected)


def describe(job: GangsheetJob, draft: Draft, context: Context) -> Iterator[str]:
    """Yield the plan in lines for a person."""
    plan, sheet = draft.plan, draft.plan.sheet
    yield (
        f"Job {job.name}: {sheet.width_in:g}×{sheet.height_in:g} in at {sheet.dpi} DPI = "
        f"{sheet.width_px}×{sheet.height_px} pixels ({sheet.source}"
        f"{', dynamic sizing' if sheet.dynamic_sizing else ''})"
    )
    film = 0.0
    for part in plan.parts:
        used, height = (part.used_height_px + sheet.margin_px) / sheet.dpi, part.height_px / sheet.dpi
        film += height
        designs = len({placement.key for placement in part.placements})
        yield (
            f"  {part.file}: {len(part.placements)} copies of {designs} designs, {used:.2f} of {height:.2f} in used, "
            f"{part.utilisation:.0%} of {part.width_px}×{part.height_px} pixels covered"
        )
    rejected = sum(rejection.copies for rejection in plan.rejected)
    yield (
        f"  {len(plan.parts)} parts, {film:.2f} in of film; {draft.ordered} copies ordered, "
        f"{plan.placed} placed, {rejected} rejected"
    )
    if plan.kept_together_px:
        yield f"  to keep orders together, {plan.kept_together_in:.2f} in more of that film is used than need be"
    limit = context.governor.limit
    yield (
        f"  predicted peak memory: {format_bytes(draft.predicted_peak_bytes)} "
        f"of {format_bytes(limit.bytes)} ({limit.source})"
    )
    for warning in draft.sized.warnings[:MAX_LINES_SHOWN]:
        yield f"  warning: {warning}"
    for rejection in plan.rejected[:MAX_LINES_SHOWN]:
        yield f"  rejected: order {rejection.order}, {rejection.design} ×{rejection.copies}: {rejection.reason}"
    if len(plan.rejected) > MAX_LINES_SHOWN:
        yield f"  and {len(plan.rejected) - MAX_LINES_SHOWN} more rejected lines"
    yield "  Designs are decoded when the job is run: one found damaged then is rejected, and planned around."
