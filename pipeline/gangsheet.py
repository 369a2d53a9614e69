"""A gang sheet job: orders to print-ready parts. The whole story is `run`; its steps stand in drafting and printing.

Printing is imported when it is its turn: drafting has done so by then, while children were at work.
"""

import logging
from collections.abc import Collection
from contextlib import ExitStack

from config.schema import GangsheetJob
from pipeline.context import Context
from pipeline.delivery import Outbox, open_outbox, storing
from pipeline.desk import Desk, open_desk, workbench
from pipeline.drafting import Draft, confirm, make_ticket, prepare_designs_of, save_plan, take_up, think_through
from pipeline.ledger import Ledger, open_ledger
from pipeline.log import about, report_memory
from pipeline.report import Report, total
from pipeline.ticket import Ticket

log = logging.getLogger(__name__)


def run(job: GangsheetJob, context: Context) -> Report:
    """Print what earlier runs have left unfinished, then the job's orders: one part after another, each whole."""
    desk, ledger = open_desk(job, context), open_ledger(job, context)
    with context.governor, report_memory(lambda: context.governor.last_bytes):
        unfinished = ledger.unfinished()
        reports = [finish(ticket, ledger, desk) for ticket in unfinished]
        reports.append(print_orders(ledger, desk, taken=[ticket.place for ticket in unfinished]))
    with storing(context.store.root):
        context.store.prune(context.store_max_bytes)
    report = total(reports, desk.watch.seconds()["total"], context.governor.peak_bytes)
    log.info(
        f"Job {job.name}: {report.ordered} copies ordered, {report.placed} placed on {len(report.files)} parts, "
        f"{report.rejected} rejected, {report.seconds:.1f} s, peak memory {report.peak_bytes / 1e6:.0f} MB",
        extra={
            "job": job.name,
            "ordered": report.ordered,
            "placed": report.placed,
            "rejected": report.rejected,
            "seconds": report.seconds,
        },
    )
    return report


def print_orders(ledger: Ledger, desk: Desk, taken: Collection[str]) -> Report:
    """Plan what is ordered and was not delivered yet, write the plan down, and print it; at none of the places `taken`.

    There, the parts of a run lie that was finished a moment ago: nobody has seen them yet.
    """
    with ExitStack() as held:
        with workbench(desk) as bench:
            draft = think_through(desk, bench)
            ledger.settle(draft.settled)
            if not draft.ordered:
                why = "all of it was delivered before" if draft.settled else "no order lines were found"
                log.info(f"Nothing to print: {why}")
                return Report()
            place = desk.free_place(taken)
            outbox = held.enter_context(open_outbox(place, desk.job.name, desk.context))
            draft, prepared = prepare_designs_of(draft, desk, bench)
        from pipeline.printing import Artwork, Press  # noqa: PLC0415 - see above

        confirm(draft)
        save_plan(draft.plan, desk)
        ticket = make_ticket(draft, place, desk)
        with about(run=ticket.run):
            press = Press(ticket, outbox, ledger, desk)
            press.set_up()
            press.run(Artwork(draft.sized.work, prepared))
        return _report(ticket, outbox)


def finish(ticket: Ticket, ledger: Ledger, desk: Desk) -> Report:
    """Deliver what a run of another day or hour has planned, and was kept from delivering."""
    from pipeline.printing import Artwork, Press  # noqa: PLC0415 - most runs have nothing to finish

    with about(run=ticket.run), open_outbox(ticket.place, ticket.job, desk.context) as outbox:
        press = Press(ticket, outbox, ledger, desk)
        press.set_up()
        parts = press.to_render()
        log.info(
            f"Run {ticket.run}, planned on {ticket.date}, was not finished: "
            f"{len(parts)} of {len(ticket.plan.parts)} parts are still to be made"
        )
        with workbench(desk) as bench:
            work, prepared, lost = take_up(ticket, parts, desk, bench)
        if lost:
            ledger.abandon(ticket, lost)
            return Report()
        press.run(Artwork(work, prepared))
        return _report(ticket, outbox)


def draft(job: GangsheetJob, context: Context) -> Draft:
    """Plan the job without printing it: nothing is decoded but what trimming needs, nothing is delivered."""
    desk = open_desk(job, context)
    with storing(context.store.root), context.store.held(), context.governor, workbench(desk) as bench:
        return think_through(desk, bench)


def _report(ticket: Ticket, outbox: Outbox) -> Report:
    plan = ticket.plan
    return Report(
        files=tuple(outbox.locate(part.file) for part in plan.parts),
        manifest=outbox.locate("manifest.json"),
        ordered=sum(ticket.ordered.values()),
        placed=plan.placed,
        rejected=sum(rejection.copies for rejection in plan.rejected),
    )
