"""The ledger: how far each part of a run has come. What it says was delivered is never made again.

With a database it is kept there: the plan before anything is rendered, then every step of every part, so that any
later run can go on where this one ended. Without one it is the manifest in the output folder, which serves the
next run of the very same plan.
"""

import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from config import VERSION
from config.errors import ConfigurationError
from config.schema import GangsheetJob
from pipeline.delivery import Outbox
from pipeline.orders import read as read_orders
from pipeline.owed import settled_orders, still_owed
from pipeline.plan import Part, Plan
from pipeline.ticket import Ticket
from tiles.sinks.sink import SheetFile

if TYPE_CHECKING:
    import sqlalchemy as sa

    from config.database import Database
    from config.runs import CopyRange, NewPart, RunBook, RunEntry
    from pipeline.context import Context

_NAMED = 3  # designs in a message

log = logging.getLogger(__name__)

State = Literal["planned", "rendered", "delivered"]


@dataclass(frozen=True, slots=True)
class Entry:
    """How far a part has come; size and hash of its file once it was rendered."""

    state: State
    bytes: int = 0
    sha256: str = ""


PLANNED = Entry("planned")


class Ledger(Protocol):
    """What is known of one job's runs, and written down of the one at work."""

    def unfinished(self) -> Sequence[Ticket]:
        """Return the runs to be finished before a new one is planned, the oldest first."""

    def known(self, run: str, plan: Plan) -> Ticket | None:
        """Return the ticket of a run that was written down before, if it prints as many parts as `plan`."""

    def may_use(self, outbox: Outbox, ticket: Ticket) -> bool:
        """Tell whether a new run may have its parts there: never where it would take away what nobody has printed."""

    def begin(self, ticket: Ticket, outbox: Outbox) -> None:
        """Write the run down as planned; or take it up where it was left."""

    def entry(self, part: Part) -> Entry:
        """Return how far a part of the run at work has come."""

    def rendered(self, part: Part, sheet: SheetFile) -> None:
        """Write down that a part is rendered, with its hash; it may lie anywhere on its way."""

    def delivered(self, part: Part) -> None:
        """Write down that a part lies at its place, whole."""

    def finished(self) -> None:
        """Write down that the run at work is over, and nothing of it is left to do."""

    def check_abandon(self, ticket: Ticket, parts: Sequence[Part], lost: Mapping[str, str]) -> None:
        """Raise ConfigurationError unless what these parts hold will be planned anew if they are given up.

        `lost` says of designs on them why they cannot be printed as planned.
        """

    def abandon(self) -> None:
        """Give up what is not delivered of the run at work, and have it be over."""

    def settle(self, orders: Collection[str]) -> None:
        """Write down that these orders were complete before."""


class _Entries:
    """The entries of the run at work, as both ledgers hold them."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}

    def entry(self, part: Part) -> Entry:
        return self._entries.get(part.number, PLANNED)


class ManifestLedger(_Entries):
    """The ledger of a job without a database: the manifest that lies in its output folder, as the run goes."""

    def unfinished(self) -> Sequence[Ticket]:
        """Return nothing: what is to be printed is said by the orders alone."""
        return ()

    def begin(self, ticket: Ticket, outbox: Outbox) -> None:
        """Take over what an earlier run of the same plan had delivered, and is there still."""
        try:
            known = _finished_parts(outbox.former(), ticket.plan)
        except (KeyError, TypeError):  # not one of ours: everything is made
            known = {}
        files = {part.number: part.file for part in ticket.plan.parts}
        self._entries = {
            number: entry
            for number, entry in known.items()
            if number in files and outbox.holds(files[number], entry.bytes, entry.sha256)
        }

    def rendered(self, part: Part, sheet: SheetFile) -> None:
        """Remember size and hash."""
        self._entries[part.number] = Entry("rendered", sheet.bytes, sheet.sha256)

    def delivered(self, part: Part) -> None:
        """Remember it, for the manifest."""
        entry = self.entry(part)
        self._entries[part.number] = Entry("delivered", entry.bytes, entry.sha256)

    def finished(self) -> None:
        """Do nothing: the manifest says so."""

    def known(self, run: str, plan: Plan) -> Ticket | None:  # noqa: ARG002 - of the contract
        """Return nothing: a plan is made anew each time."""
        return None

    def may_use(self, outbox: Outbox, ticket: Ticket) -> bool:  # noqa: ARG002 - of the contract
        """Return yes: one run takes the place of the last, as each prints all that its orders say."""
        return True

    def check_abandon(self, ticket: Ticket, parts: Sequence[Part], lost: Mapping[str, str]) -> None:
        """Do nothing: no run is taken up again from a manifest but by planning it again."""

    def abandon(self) -> None:
        """Do nothing, as above."""

    def settle(self, orders: Collection[str]) -> None:
        """Do nothing: such orders are known with a database only."""


class BookLedger(_Entries):
    """The ledger in the database, for one job, in the book that this process holds."""

    def __init__(self, book: "RunBook", job: GangsheetJob, database: "Database", chosen: Sequence[str]) -> None:
        """Keep the ledger of `job`; `chosen` are the orders named on the command line, whatever their status."""
        super().__init__()
        self._book, self._job, self._database = book, job, database
        self._named = chosen
        self._expected = None if chosen or job.orders.choice is None else job.orders.choice.status
        self._run = ""
        self._missing: dict[str, set[int]] = {}  # the parts still to come of each order that may become complete

    def unfinished(self) -> Sequence[Ticket]:
        """Return the tickets of runs that were begun and not finished."""
        return [_ticket_of(run) for run in self._book.unfinished(self._job.name)]

    def known(self, run: str, plan: Plan) -> Ticket | None:
        """Return the ticket of the same plan, with the names and the place it had when it was planned first."""
        entry = self._book.find(run)
        ticket = _ticket_of(entry) if entry is not None else None
        return ticket if ticket is not None and len(ticket.plan.parts) == len(plan.parts) else None

    def may_use(self, outbox: Outbox, ticket: Ticket) -> bool:
        """Tell whether the place is free: what another run has delivered is never made again, so it stays."""
        return outbox.is_free(ticket.run, [part.file for part in ticket.plan.parts])

    def begin(self, ticket: Ticket, outbox: Outbox) -> None:
        """Store the plan with its file names, or find it stored.

        Of a finished run that is asked for again, as by the same CSV, what is no longer at its place is made again.
        """
        self._run, self._expected = ticket.run, ticket.status
        text = json.dumps(ticket.as_json(), ensure_ascii=False)
        run = self._book.begin(ticket.run, ticket.job, ticket.place, text, list(_new_parts(ticket.plan)))
        self._entries = {part.part: Entry(part.state, part.bytes or 0, part.sha256 or "") for part in run.parts}
        if run.finished_at is not None:
            self._make_again([part for part in ticket.plan.parts if not self._is_there(part, outbox)])
        spoilt = {rejection.order for rejection in ticket.plan.rejected}
        done = {number for number, entry in self._entries.items() if entry.state == "delivered"}
        self._missing = {
            order: parts - done for order, parts in ticket.plan.parts_by_order().items() if order not in spoilt
        }

    def _is_there(self, part: Part, outbox: Outbox) -> bool:
        entry = self.entry(part)
        return outbox.holds(part.file, entry.bytes, entry.sha256)

    def _make_again(self, parts: Sequence[Part]) -> None:
        if parts:
            self._book.retry(self._run, [part.number for part in parts])
            self._entries |= {part.number: PLANNED for part in parts}

    def rendered(self, part: Part, sheet: SheetFile) -> None:
        """Write size and hash down."""
        self._book.rendered(self._run, part.number, sheet.bytes, sheet.sha256)
        self._entries[part.number] = Entry("rendered", sheet.bytes, sheet.sha256)

    def delivered(self, part: Part) -> None:
        """Write it down, and with it that orders are complete: both or neither."""
        complete = [order for order, missing in self._missing.items() if missing == {part.number}]
        whole = self._without_more_lines(complete, part)
        self._book.delivered(self._run, part.number, lambda connection: self._mark(connection, whole))
        entry = self.entry(part)
        self._entries[part.number] = Entry("delivered", entry.bytes, entry.sha256)
        for missing in self._missing.values():
            missing.discard(part.number)

    def _without_more_lines(self, orders: Sequence[str], part: Part) -> list[str]:
        """Return the orders that have not grown since they were planned; what has been added is for the next run."""
        if not orders or self._job.orders.mark is None:
            return []
        from config.runs import copies_delivered  # noqa: PLC0415 - with SQLAlchemy, for runs with a database

        delivered = copies_delivered(self._database, self._book.pipeline, self._job.name, list(orders))
        for copies in _copy_ranges(part):
            delivered.setdefault((copies.order, copies.design), []).append((copies.first, copies.count))
        book = read_orders(self._job.orders, Path(), self._database, orders)
        whole = settled_orders(book.items, still_owed(book.items, delivered), book.rejected)
        for order in sorted(set(orders) - set(whole)):
            log.warning(
                f"Order {order} has changed since it was planned: it is not marked, the next run prints what is left",
                extra={"order": order},
            )
        return whole

    def finished(self) -> None:
        """Write down that the run is over."""
        self._book.finished(self._run)

    def check_abandon(self, ticket: Ticket, parts: Sequence[Part], lost: Mapping[str, str]) -> None:
        """Make sure that every order on these parts is chosen still: nothing of it could be printed otherwise."""
        named = "; ".join(f"{name}: {reason}" for name, reason in list(lost.items())[:_NAMED])
        orders = {placement.order for part in parts for placement in part.placements}
        if self._job.orders.choice is None or not orders <= self._chosen():
            raise ConfigurationError(
                f"run {ticket.run} was begun and cannot be finished: {named}",
                f"Put the artwork back as it was, or give the run up: tilepress runs forget {ticket.run}",
            )
        log.warning(f"Run {ticket.run} cannot be finished as planned; what is left of it is planned anew: {named}")

    def abandon(self) -> None:
        """Take the parts that are not delivered out of the run; what their orders still lack is known."""
        self._book.abandon(self._run)

    def _chosen(self) -> set[str]:
        choice = self._job.orders.choice
        return {line.order for line in self._database.order_lines(choice, self._named)} if choice else set()

    def settle(self, orders: Collection[str]) -> None:
        """Mark these orders too: they were delivered when nobody asked for marks yet, or not all at once."""
        if orders and self._job.orders.mark is not None:
            with self._database.writing() as connection:
                self._mark(connection, orders)

    def _mark(self, connection: "sa.Connection", orders: Collection[str]) -> None:
        """Mark orders, which must not keep a delivery from being written down: who cannot be marked is told of."""
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - with SQLAlchemy, for runs with a database

        mark = self._job.orders.mark
        if mark is None or not orders:
            return
        try:
            with connection.begin_nested():
                left = self._database.mark_orders(connection, mark, list(orders), self._expected)
        except (SQLAlchemyError, ConfigurationError):
            if connection.invalidated:
                raise
            log.exception(f"Orders are printed and cannot be marked: {', '.join(list(orders)[:_NAMED])}, …")
            return
        for order in left:
            log.warning(
                f"Order {order} is printed, and no longer {self._expected}: its {mark.column} is left as it is",
                extra={"order": order},
            )


def open_ledger(job: GangsheetJob, context: "Context") -> Ledger:
    """Return the ledger of a job: in the database where the run has one, else in its manifest."""
    if context.book is None or context.database is None:
        return ManifestLedger()
    return BookLedger(context.book, job, context.database, context.chosen_orders)


def _ticket_of(run: "RunEntry") -> Ticket:
    """Return a run's ticket, without the parts that were given up."""
    try:
        ticket = Ticket.from_json(json.loads(run.ticket))
    except (KeyError, TypeError, ValueError):
        raise ConfigurationError(
            f"run {run.id} was planned by tilepress {run.version}, and cannot be read by {VERSION}",
            f"Finish it with that version, or give it up: tilepress runs forget {run.id}",
        ) from None
    kept = {part.part for part in run.parts}
    return ticket.without([part.number for part in ticket.plan.parts if part.number not in kept])


def _finished_parts(manifest: Mapping[str, Any], plan: Plan) -> dict[int, Entry]:
    """Return the entries of the parts an earlier run of this very plan had delivered, by part number.

    The same plan gives the same bytes, as long as it is the same tilepress.
    """
    if manifest.get("plan") != plan.digest() or manifest.get("tilepress") != VERSION:
        return {}
    return {part["part"]: Entry("delivered", part["bytes"], part["sha256"]) for part in manifest["parts"]}


def _new_parts(plan: Plan) -> "Iterator[NewPart]":
    from config.runs import NewPart  # noqa: PLC0415 - with SQLAlchemy, for runs with a database

    for part in plan.parts:
        yield NewPart(part.number, part.file, tuple(_copy_ranges(part)))


def _copy_ranges(part: Part) -> "Iterator[CopyRange]":
    """Yield the copies on a part, those of an order's design with adjoining numbers together."""
    from config.runs import CopyRange  # noqa: PLC0415 - as above

    first = count = 0
    name = ("", "")
    for order, design, copy in sorted((place.order, place.design, place.copy) for place in part.placements):
        if count and (order, design) == name and copy == first + count:
            count += 1
            continue
        if count:
            yield CopyRange(*name, first, count)
        name, first, count = (order, design), copy, 1
    if count:
        yield CopyRange(*name, first, count)
