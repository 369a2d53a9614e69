"""A gang sheet job: orders to print-ready parts. The whole story is `run`; its steps stand in drafting and printing.

Printing is imported when it is its turn: drafting has done so by then, while children were at work.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from config.errors import ConfigurationError, StoppedError, TilepressError
from config.schema import GangsheetJob
from pipeline.context import Context
from pipeline.delivery import MANIFEST, Outbox, open_outbox, storing
from pipeline.desk import Desk, open_desk, workbench
from pipeline.drafting import (
    Draft,
    confirm,
    make_ticket,
    prepare_designs_of,
    run_name,
    save_plan,
    take_up,
    think_through,
)
from pipeline.ledger import Ledger, open_ledger
from pipeline.log import about, report_memory
from pipeline.report import Report, total
from pipeline.ticket import Ticket

log = logging.getLogger(__name__)


def run(job: GangsheetJob, context: Context) -> Report:
    """Print what earlier runs have left unfinished, then the job's orders: one part after another, each whole."""
    desk, ledger = open_desk(job, context), open_ledger(job, context)
    with context.governor, report_memory(lambda: context.governor.last_bytes):
        reports, failed = finish_others(ledger, desk)
        reports.append(print_orders(ledger, desk))
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
    if failed:
        raise failed[0]
    return report


def finish_others(ledger: Ledger, desk: Desk) -> tuple[list[Report], list[TilepressError]]:
    """Finish what earlier runs have begun; return what it came to, and why some of them cannot be finished now.

    One that cannot does not keep new orders from being printed, where it is known which ones it has promised.
    """
    reports: list[Report] = []
    failed: list[TilepressError] = []
    for ticket in ledger.unfinished():
        try:
            reports.append(finish(ticket, ledger, desk))
        except StoppedError:
            raise
        except TilepressError as error:
            if desk.job.orders.choice is None:
                raise
            log.error(f"Run {ticket.run} cannot be finished now: {error.message}", extra={"remedy": error.remedy})
            failed.append(error)
    return reports, failed


def print_orders(ledger: Ledger, desk: Desk) -> Report:
    """Plan what is ordered and was not delivered yet, write the plan down, and print it."""
    desk.context.stop.check()
    with workbench(desk) as bench:
        draft = think_through(desk, bench)
        ledger.settle(draft.settled)
        if not draft.ordered:
            why = "all of it was delivered before" if draft.settled else "no order lines were found"
            log.info(f"Nothing to print: {why}")
            return Report()
        with open_outbox(desk.place, desk.job.name, desk.context):
            pass  # who could not deliver need not prepare
        draft, prepared = prepare_designs_of(draft, desk, bench)
    from pipeline.printing import Artwork, Press  # noqa: PLC0415 - see above

    confirm(draft)
    save_plan(draft.plan, desk.context.store, desk.job.name)
    with _placed(draft, ledger, desk) as (ticket, outbox), about(run=ticket.run):
        press = Press(ticket, outbox, ledger, desk)
        press.begin()
        press.clear()
        press.run(Artwork(draft.sized.work, prepared))
        press.finish()
        return _report(ticket, outbox)


def finish(ticket: Ticket, ledger: Ledger, desk: Desk) -> Report:
    """Deliver what a run of another day or hour has planned, and was kept from delivering."""
    from pipeline.printing import Artwork, Press  # noqa: PLC0415 - most runs have nothing to finish

    desk.context.stop.check()
    with about(run=ticket.run), open_outbox(ticket.place, ticket.job, desk.context) as outbox:
        _check_still_its_own(ticket, outbox, ledger)
        press = Press(ticket, outbox, ledger, desk)
        missing = press.begin()
        log.info(
            f"Run {ticket.run}, planned on {ticket.date}, was not finished: "
            f"{len(missing)} of {len(ticket.plan.parts)} parts are still to be made"
        )
        with workbench(desk) as bench:
            work, prepared, lost = take_up(ticket, missing, desk, bench)
        if lost:
            ledger.check_abandon(ticket, missing, lost)
        press.clear()
        given_up = [part.number for part in missing] if lost else []
        press.run(Artwork(work, prepared), without=given_up)
        if given_up:
            ledger.abandon()
            ticket = ticket.without(given_up)
        if ticket.plan.parts:
            replace(press, ticket=ticket).finish()
        return _report(ticket, outbox)


@contextmanager
def _placed(draft: Draft, ledger: Ledger, desk: Desk) -> Iterator[tuple[Ticket, Outbox]]:
    """Yield the draft's ticket, and its place opened: where the same run was before, or else where there is room."""
    run = run_name(draft, desk)
    known = ledger.known(run, draft.plan)
    if known is not None:
        with open_outbox(known.place, known.job, desk.context) as outbox:
            _check_still_its_own(known, outbox, ledger)
            yield known, outbox
        return
    for place in desk.places():
        with open_outbox(place, desk.job.name, desk.context) as outbox:
            ticket = make_ticket(draft, run, place, desk)
            if ledger.may_use(outbox, ticket):
                if place != desk.place:
                    log.info(f"{desk.place} holds the parts of another run: these go to {place}")
                yield ticket, outbox
                return


def _check_still_its_own(ticket: Ticket, outbox: Outbox, ledger: Ledger) -> None:
    """Raise ConfigurationError if another run has come to the place of one that was begun there."""
    if outbox.former() and not ledger.may_use(outbox, ticket):
        raise ConfigurationError(
            f"run {ticket.run} was begun in {ticket.place}, where another one's parts lie now",
            f"Move them away with their manifest, or give the run up: tilepress runs forget {ticket.run}",
        )


def draft(job: GangsheetJob, context: Context) -> Draft:
    """Plan the job without printing it: nothing is decoded but what trimming needs, nothing is delivered."""
    desk = open_desk(job, context)
    with storing(context.store.root), context.store.held(), context.governor, workbench(desk) as bench:
        return think_through(desk, bench)


def _report(ticket: Ticket, outbox: Outbox) -> Report:
    plan = ticket.plan
    return Report(
        files=tuple(outbox.locate(part.file) for part in plan.parts),
        manifest=outbox.locate(MANIFEST),
        ordered=sum(ticket.ordered.values()),
        placed=plan.placed,
        rejected=sum(rejection.copies for rejection in plan.rejected),
    )
