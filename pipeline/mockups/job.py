"""A mock-up job: designs × templates to pictures. The whole story is `run`; its steps stand in the modules beside."""

import logging

from config.errors import StoppedError
from config.mockups import MockupJob
from pipeline.context import Context
from pipeline.delivery import open_outbox, storing
from pipeline.log import report_memory
from pipeline.mockups.album import KIND, Album
from pipeline.mockups.artwork import list_designs, public
from pipeline.mockups.making import make_all
from pipeline.mockups.planning import MockupPlan, plan_mockups
from pipeline.mockups.studio import Studio, open_studio
from pipeline.mockups.templates import open_templates
from pipeline.report import Report
from pipeline.sources import probe
from tiles.workbench import Workbench

log = logging.getLogger(__name__)


def run(job: MockupJob, context: Context) -> Report:
    """Make what is missing of the job's mock-ups: each appears whole, and what cannot be made is told of."""
    studio = open_studio(job, context)
    with context.governor, report_memory(lambda: context.governor.last_bytes), studio.workbench() as bench:
        plan = draw_up(studio, bench)
        with open_outbox(studio.place, job.name, context, KIND) as outbox:
            album = Album(plan, outbox, studio)
            announce(plan, album)
            album.clear()
            try:
                make_all(album, outbox, studio, bench)
            except StoppedError:
                with context.stop.delivery():
                    album.pause()
                raise
            finally:
                album.note()
            with studio.watch.step("deliver"), context.stop.delivery():
                manifest = album.publish()
    with storing(context.store.root):
        context.store.prune(context.store_max_bytes)
    return _report(plan, album, manifest, studio)


def draw_up(studio: Studio, bench: Workbench) -> MockupPlan:
    """Read templates and designs, judge them by their headers, and say which mock-ups there are to be."""
    with studio.watch.step("fetch"), storing(studio.context.store.root):
        templates = open_templates(studio, bench)
        designs = list_designs(studio.job.designs, studio.designs, studio.place)
        references = {public(reference): reference for design in designs for reference in design.sides.values()}
        artwork = probe(references, studio.designs, studio.workplace(bench))
    with studio.watch.step("plan"):
        return plan_mockups(designs, templates.usable, templates.broken, artwork, studio.job.output, studio.file_name)


def announce(plan: MockupPlan, album: Album) -> None:
    """Log what is to be done, and what cannot be."""
    missing = len(album.missing())
    log.info(
        f"{plan.asked} mock-ups asked for: {album.unchanged} are there and unchanged, {missing} to be made, "
        f"{len(plan.failures)} cannot be made",
        extra={"asked": plan.asked, "unchanged": album.unchanged, "failed": len(plan.failures)},
    )
    told: set[tuple[str, str]] = set()
    for failure in plan.failures:  # a template that is broken is so for every design
        if (failure.template, failure.reason) not in told:
            told.add((failure.template, failure.reason))
            reason, _, remedy = failure.reason.partition("\n")
            log.warning(f"{failure.file}: {reason}", extra={"file": failure.file, "remedy": remedy.strip()})


def _report(plan: MockupPlan, album: Album, manifest: str, studio: Studio) -> Report:
    report = Report(
        files=album.files(),
        manifest=manifest,
        ordered=plan.asked,
        placed=album.made,
        rejected=len(album.failures),
        seconds=studio.watch.seconds()["total"],
        peak_bytes=studio.context.governor.peak_bytes,
    )
    log.info(
        f"Job {studio.job.name}: {report.placed} of {report.ordered} mock-ups are there, {album.unchanged} of them "
        f"unchanged, {report.rejected} cannot be made, {report.seconds:.1f} s, "
        f"peak memory {report.peak_bytes / 1e6:.0f} MB",
        extra={
            "job": studio.job.name,
            "asked": report.ordered,
            "made": report.placed,
            "unchanged": album.unchanged,
            "failed": report.rejected,
            "seconds": report.seconds,
        },
    )
    return report
