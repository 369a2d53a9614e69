"""What a mock-up job would make: how many, of what size, which are there, and what cannot be made. Renders nothing."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from config.mockups import MockupJob
from config.units import format_bytes
from pipeline.context import Context
from pipeline.delivery import FolderOutbox, storing
from pipeline.kinds import Outlook
from pipeline.mockups.album import former_entries
from pipeline.mockups.job import draw_up
from pipeline.mockups.making import need_bytes
from pipeline.mockups.planning import MockupPlan
from pipeline.mockups.staging import Staging, stage
from pipeline.mockups.studio import Studio, open_studio
from pipeline.prediction import PROCESS_BYTES, SERVER_BYTES
from pipeline.storage.address import is_url

MAX_LINES_SHOWN = 50


def look_ahead(job: MockupJob, context: Context) -> Outlook:
    """Say which mock-ups the job would make."""
    studio = open_studio(job, context)
    with storing(context.store.root), context.store.held(), context.governor, studio.workbench() as bench:
        plan = draw_up(studio, bench)
    content = {
        "job": job.name,
        "mockups": [
            {"file": mockup.file, "design": mockup.design, "template": mockup.template.name, "key": mockup.key}
            for mockup in plan.mockups
        ],
        "failed": [asdict(failure) for failure in plan.failures],
    }
    return Outlook(tuple(describe(plan, studio)), content, drawing=None, complete=not plan.failures)


def describe(plan: MockupPlan, studio: Studio) -> Iterator[str]:
    """Yield the plan in lines for a person."""
    output = studio.job.output
    designs = dict.fromkeys(mockup.design for mockup in plan.mockups)
    yield f"Job {studio.job.name}: {plan.asked} mock-ups as {output.format}, to {studio.place}"
    stagings: dict[str, Staging] = {}
    for mockup in plan.mockups:
        if mockup.template.name not in stagings:
            stagings[mockup.template.name] = stage(mockup, output)
    for name, staging in stagings.items():
        count = len(staging.mockup.template.template.areas)
        yield f"  {name}: {staging.width}×{staging.height} pixels, {count} {'area' if count == 1 else 'areas'}"
    yield f"  {len(designs)} designs on {len(stagings)} templates: {len(plan.mockups)} can be made" + _unchanged(
        plan, studio
    )
    limit = studio.context.governor.limit
    predicted = predicted_bytes(list(stagings.values()), studio)
    yield f"  predicted peak memory: {format_bytes(predicted)} of {format_bytes(limit.bytes)} ({limit.source})"
    for failure in plan.failures[:MAX_LINES_SHOWN]:
        yield f"  cannot be made: {failure.file}: {failure.reason}"
    if len(plan.failures) > MAX_LINES_SHOWN:
        yield f"  and {len(plan.failures) - MAX_LINES_SHOWN} more that cannot be made"


def predicted_bytes(stagings: list[Staging], studio: Studio) -> int:
    """Return the most a run will hold at once."""
    if not stagings:
        return PROCESS_BYTES
    return PROCESS_BYTES + SERVER_BYTES + max(need_bytes(staging, studio) for staging in stagings) * studio.workers


def _unchanged(plan: MockupPlan, studio: Studio) -> str:
    """Say how many are there already, where that can be told without asking a server."""
    if is_url(studio.place):
        return ""
    known = former_entries(FolderOutbox(Path(studio.place)).former())
    same = sum(mockup.file in known and known[mockup.file]["key"] == mockup.key for mockup in plan.mockups)
    return f", {same} of them are there and unchanged"
