"""`tilepress plan`: what a pipeline would print, in words, as JSON and as a drawing."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from config.errors import ConfigurationError, ExitCode
from config.schema import GangsheetJob
from config.units import format_bytes
from pipeline import gangsheet
from pipeline.context import Context
from pipeline.delivery import write_bytes, write_text
from pipeline.drafting import Draft
from pipeline.plan import Plan
from pipeline.preview import draw_plan
from pipeline.runner import for_each_job

MAX_LINES_SHOWN = 50


def show_plans(
    jobs: Sequence[GangsheetJob], context: Context, preview: Path | None, save: Path | None, say: Callable[[str], None]
) -> ExitCode:
    """Plan each job, say what it comes to, and write drawing and JSON where asked for; return the exit code."""
    if preview is not None and preview.suffix.lower() not in {".svg", ".png"}:
        raise ConfigurationError(f"{preview}: a preview is .svg or .png", "Name the file accordingly.")

    def show(job: GangsheetJob) -> ExitCode:
        draft = gangsheet.draft(job, context)
        for line in describe(job, draft, context):
            say(line)
        if preview is not None:
            say(f"Drawn: {write_preview(draft.plan, _for_job(preview, job, jobs))}")
        if save is not None:
            say(f"Saved: {write_text(_for_job(save, job, jobs), json.dumps(draft.plan.as_json(), indent=1))}")
        return ExitCode.INCOMPLETE if draft.plan.rejected else ExitCode.DONE

    return for_each_job(jobs, show, lambda job, error: say(f"{job.name}: {error}"))


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


def write_preview(plan: Plan, target: Path) -> Path:
    """Draw the plan into an .svg or .png file; return it."""
    svg = draw_plan(plan)
    if target.suffix.lower() == ".svg":
        return write_text(target, svg)
    from tiles.preview import draw_svg  # noqa: PLC0415 - libvips is needed for this only
    from tiles.vips import start  # noqa: PLC0415

    start(threads=1)
    return write_bytes(target, draw_svg(svg))


def _for_job(path: Path, job: GangsheetJob, jobs: Sequence[GangsheetJob]) -> Path:
    """Return the path itself for a single job, one with the job's name in it where there are several."""
    return path if len(jobs) == 1 else path.with_name(f"{path.stem}-{job.name}{path.suffix}")
