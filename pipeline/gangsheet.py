"""A gang sheet job: orders to print-ready parts. The whole story is `run`; its steps stand in drafting and printing.

Printing is imported when it is its turn: drafting has done so by then, while children were at work.
"""

import logging

from config.schema import GangsheetJob
from pipeline.context import Context, Stopwatch
from pipeline.delivery import Outbox, storing
from pipeline.drafting import Desk, Draft, confirm, prepare_designs_of, save_plan, think_through, workbench
from pipeline.report import Report

log = logging.getLogger(__name__)


def run(job: GangsheetJob, context: Context) -> Report:
    """Print the job's orders: parts one after another, each whole on disk before the next is begun."""
    desk = Desk(job, context, Outbox(job.output, job.name, context.folder), Stopwatch())
    with context.governor, desk.outbox.opened():
        with workbench(desk) as bench:
            draft = think_through(desk, bench)
            if not draft.ordered:
                log.info("Nothing to print: no order lines were found")
                return _report(desk, draft)
            draft, prepared = prepare_designs_of(draft, desk, bench)
        from pipeline.printing import announce, announce_released, open_ledger, print_part  # noqa: PLC0415 - see above

        confirm(draft)
        save_plan(draft.plan, desk)
        ledger, last_parts = open_ledger(draft, desk), draft.plan.last_parts()
        for part in draft.plan.parts:
            if ledger.is_delivered(part):
                log.info(f"Part {part.number} is whole already: {part.file}", extra={"part": part.number})
                continue
            announce(part, draft.plan)
            file = print_part(part, draft, prepared, desk)
            with desk.watch.step("deliver"):
                ledger.delivered(part, file)
            announce_released(part, last_parts)
            context.governor.release(f"part {part.number}/{len(draft.plan.parts)}")
        ledger.close()
    with storing(context.store.root):
        context.store.prune(context.store_max_bytes)
    return _report(desk, draft)


def draft(job: GangsheetJob, context: Context) -> Draft:
    """Plan the job without printing it: nothing is decoded but what trimming needs, nothing is delivered."""
    desk = Desk(job, context, Outbox(job.output, job.name, context.folder), Stopwatch())
    with context.governor, workbench(desk) as bench:
        return think_through(desk, bench)


def _report(desk: Desk, draft: Draft) -> Report:
    report = Report(
        job=desk.job.name,
        files=tuple(desk.outbox.folder / part.file for part in draft.plan.parts),
        manifest=desk.outbox.manifest if draft.ordered else None,
        ordered=draft.ordered,
        placed=draft.plan.placed,
        rejected=sum(rejection.copies for rejection in draft.plan.rejected),
        seconds=desk.watch.seconds()["total"],
        peak_bytes=desk.context.governor.peak_bytes,
    )
    log.info(
        f"Job {report.job}: {report.ordered} copies ordered, {report.placed} placed on {len(report.files)} parts, "
        f"{report.rejected} rejected, {report.seconds:.1f} s, peak memory {report.peak_bytes / 1e6:.0f} MB",
        extra={"job": report.job, "ordered": report.ordered, "placed": report.placed, "rejected": report.rejected},
    )
    return report
