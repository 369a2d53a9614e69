"""The first half of a gang sheet job: what was ordered, what it is made of, and where it will lie."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from config.errors import ArtworkError, StorageError, TilepressError, UnavailableError
from pipeline import orders
from pipeline.checker import Copy, check_conservation, check_places, copy_of, count_ordered
from pipeline.delivery import storing, write_text
from pipeline.desk import Desk, workplace
from pipeline.film import resolve_sheet
from pipeline.items import Rejection, reject
from pipeline.orders import OrderBook
from pipeline.owed import settled_orders, still_owed
from pipeline.plan import Part, Plan, PreparedKey, Printable, Sheet
from pipeline.planning import plan_sheets
from pipeline.prediction import peak_bytes, render_bytes
from pipeline.preparation import Sized, measure_boxes, prepare_designs, size_items
from pipeline.sources import probe
from pipeline.ticket import Ticket, issue_ticket, name_run
from tiles.design import Design, Geometry, Header, PreparedDesign
from tiles.geometry import Rect
from tiles.store import TileStore
from tiles.workbench import Workbench

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Draft:
    """A job thought through: what was ordered, how each design is prepared, the plan, and the memory it will take.

    `settled` are orders chosen of which nothing is left to print: earlier runs have delivered all of their copies.
    """

    book: OrderBook
    sized: Sized
    plan: Plan
    predicted_peak_bytes: int
    settled: tuple[str, ...] = ()

    @property
    def ordered(self) -> int:
        """All copies asked for, but those that earlier runs have delivered."""
        return self.book.ordered

    def ordered_by_item(self) -> dict[tuple[str, str], int]:
        """Return the copies asked for by (order, design)."""
        return count_ordered(self.book.items, self.book.rejected)


def think_through(desk: Desk, bench: Workbench) -> Draft:
    """Read the orders, judge their designs by the headers, and plan; decode only what trimming needs."""
    job, context, watch = desk.job, desk.context, desk.watch
    sheet = resolve_sheet(job.sheet, context.database)
    log.info(
        f'Gang sheet dimensions: {sheet.width_in}"×{sheet.height_in}" = '
        f"{sheet.width_px}×{sheet.height_px} pixels at {sheet.dpi} DPI",
        extra={"width_px": sheet.width_px, "height_px": sheet.height_px, "dpi": sheet.dpi},
    )
    context.governor.admit("rendering the sheet", render_bytes(sheet.width_px, context.threads))
    book = orders.read(job.orders, context.folder, context.database, context.chosen_orders)
    for rejection in book.rejected:
        log.warning(rejection.reason, extra={"order": rejection.order, "design": rejection.design})
    book, settled = _without_delivered(book, desk)
    with watch.step("fetch"), storing(context.store.root):
        designs = _probe(book, desk, bench)
    with watch.step("prepare"), storing(context.store.root):
        found = [design for design in designs.values() if isinstance(design, Design)]
        boxes = measure_boxes(found, workplace(desk, bench)) if job.layout.trim else {}
    with watch.step("plan"):
        sized = size_items(book.items, designs, boxes, sheet.dpi, job.quality)
        plan = _lay_out(sized.printables, sheet, (*book.rejected, *sized.rejected), desk)
    missing = [work for work in sized.work.values() if not context.store.has(*work)]
    predicted = peak_bytes(sheet.width_px, plan.placed, missing, context.threads)
    return Draft(book, sized, plan, predicted, settled)


def _without_delivered(book: OrderBook, desk: Desk) -> tuple[OrderBook, tuple[str, ...]]:
    """Return what earlier runs have left to print, and the orders of which they have left nothing.

    What a run has promised that could not be finished is not printed by another. Orders of a database are known by
    their ids for good; a CSV may use its numbers again the next day.
    """
    context = desk.context
    if desk.job.orders.choice is None or context.database is None:
        return book, ()
    from config.runs import copies_delivered  # noqa: PLC0415 - with SQLAlchemy, for runs with a database

    orders = list(dict.fromkeys(item.order for item in book.items))
    ask = partial(copies_delivered, context.database, context.pipeline, desk.job.name, orders)
    owed = still_owed(book.items, ask(promised=True))
    settled = settled_orders(book.items, still_owed(book.items, ask()), book.rejected)
    spared = sum(item.quantity for item in book.items) - sum(item.quantity for item in owed)
    if spared:
        log.info(f"{spared} copies were delivered by earlier runs", extra={"delivered_before": spared})
    return replace(book, items=tuple(owed)), tuple(settled)


def _probe(book: OrderBook, desk: Desk, bench: Workbench) -> dict[str, Design | ArtworkError]:
    """Return the design of each name, or why it cannot be used; log what of it had to be fetched."""
    library = desk.library
    references = {item.design: item.reference or item.design for item in book.items}
    designs = probe(references, library, workplace(desk, bench))
    named = sum(library.is_remote(item.reference or item.design) for item in book.items)
    if named:
        remote = sum(map(library.is_remote, references.values()))
        log.info(
            f"{named} order lines name {remote} files on servers: {library.fetched} fetched, {library.spared} "
            f"unchanged since they last were; {named - remote} downloads spared, as lines name the same file",
            extra={"fetched": library.fetched, "unchanged": library.spared, "deduplicated": named - remote},
        )
    return designs


def prepare_designs_of(
    draft: Draft, desk: Desk, bench: Workbench
) -> tuple[Draft, Mapping[PreparedKey, PreparedDesign]]:
    """Prepare every design of the plan; give up the broken ones, and plan again without them.

    No film is spent on a design that turns out to be damaged: its place goes to others.
    """
    keys = dict.fromkeys(placement.key for placement in draft.plan.placements())
    context = desk.context
    with (
        desk.watch.step("prepare"),
        context.progress.track("Preparing designs", len(keys)) as advance,
        storing(context.store.root),
    ):
        outcomes = prepare_designs(keys, draft.sized.work, workplace(desk, bench), advance, _import_printing)
    broken = {key: error for key, error in outcomes.items() if isinstance(error, ArtworkError)}
    prepared = {key: design for key, design in outcomes.items() if isinstance(design, PreparedDesign)}
    if not broken:
        return draft, prepared
    with desk.watch.step("plan"):
        return _without(draft, broken, desk), prepared


def confirm(draft: Draft) -> None:
    """Recompute the plan's promises from scratch; a plan that breaks one never reaches film.

    Raises TilepressError, the exit code of a bug, naming what is wrong.
    """
    plan, sheet = draft.plan, draft.plan.sheet
    problems: list[str] = []
    everything: list[Copy] = []
    for part in plan.parts:
        copies = [copy_of(placement) for placement in part.placements]
        everything += copies
        size, spacing = Rect(0, 0, part.width_px, part.height_px), (sheet.spacing_x_px, sheet.spacing_y_px)
        problems += [f"{part.file}: {problem}" for problem in check_places(copies, size, sheet.margin_px, spacing)]
    problems += check_conservation(draft.ordered_by_item(), everything, plan.rejected)
    if problems:
        raise TilepressError("the plan is wrong: " + "; ".join(problems[:5]), "Nothing was printed. Please report it.")


def save_plan(plan: Plan, store: TileStore, job: str) -> Path:
    """Write a job's plan as JSON into the work folder, before anything of it is made; return where.

    Runs at once may each do so; the one that may go on is chosen later.
    """
    path = store.root / "plans" / f"{job}.json"
    aside = write_text(store.scratch(path.name), json.dumps(plan.as_json()))
    with storing(path):
        path.parent.mkdir(exist_ok=True)
        return aside.replace(path)


def run_name(draft: Draft, desk: Desk) -> str:
    """Return the name of the run that prints the draft."""
    output = desk.job.output
    return name_run(desk.context.pipeline, desk.job.name, output.to, output.format, draft.plan)


def make_ticket(draft: Draft, run: str, place: str, desk: Desk) -> Ticket:
    """Return the plan as a job ticket for a place: complete enough for any later run to print it."""
    designs = {printable.item.design: draft.sized.work[printable.key][0] for printable in draft.sized.printables}
    return issue_ticket(
        run,
        draft.plan,
        job=desk.job.name,
        date=desk.today,
        place=place,
        format=desk.job.output.format,
        designs_root=desk.library.root_name,
        ordered=draft.ordered_by_item(),
        artwork={name: _stated(design.header) for name, design in designs.items()},
        references={item.design: item.reference for item in draft.book.items if item.reference},
        warnings=draft.sized.warnings,
        status=desk.status,
    )


def take_up(
    ticket: Ticket, parts: Sequence[Part], desk: Desk, bench: Workbench
) -> tuple[Mapping[PreparedKey, tuple[Design, Geometry]], Mapping[PreparedKey, PreparedDesign], Mapping[str, str]]:
    """Find and prepare again what these parts of a ticket need: how, the prepared designs, and what is lost.

    The last says of each design's name why it cannot be printed as it was planned; then the others are of no use.
    """
    placements = [placement for part in parts for placement in part.placements]
    names = dict.fromkeys(placement.design for placement in placements)
    with desk.watch.step("fetch"), storing(desk.context.store.root):
        references = {name: ticket.references.get(name, name) for name in names}
        found = probe(references, desk.library, workplace(desk, bench))
    lost: dict[str, str] = {}
    work: dict[PreparedKey, tuple[Design, Geometry]] = {}
    for placement in placements:
        design, key = found[placement.design], placement.key
        if isinstance(design, UnavailableError):
            raise StorageError(f"run {ticket.run} cannot be finished yet: {design.message}", "Run again later.")
        if isinstance(design, ArtworkError):
            lost[placement.design] = design.message
        elif design.sha256 != key.sha256:
            lost[placement.design] = "it has changed since the run was planned"
        else:
            work[key] = (design, Geometry(key.width_px, key.height_px, key.box))
    if lost:
        return work, {}, lost
    with desk.watch.step("prepare"), storing(desk.context.store.root):
        outcomes = prepare_designs(work, work, workplace(desk, bench), meanwhile=_import_printing)
    broken = {key: outcome.message for key, outcome in outcomes.items() if isinstance(outcome, ArtworkError)}
    lost = {placement.design: broken[placement.key] for placement in placements if placement.key in broken}
    return work, {key: design for key, design in outcomes.items() if isinstance(design, PreparedDesign)}, lost


def _stated(header: Header) -> dict[str, Any]:
    return {"format": header.format, "width_px": header.width_px, "height_px": header.height_px}


def _import_printing() -> None:
    """Import what comes next, with numpy and libvips: it takes a tenth of a second, at first."""
    import_module("pipeline.printing")


def _lay_out(printables: Sequence[Printable], sheet: Sheet, rejected: Sequence[Rejection], desk: Desk) -> Plan:
    """Plan as the job's layout says, and log what keeping orders together costs."""
    layout = desk.job.layout
    plan = plan_sheets(
        printables,
        sheet,
        rotate=layout.rotate,
        file_name=desk.part_name,
        rejected=rejected,
        effort=layout.effort,
    )
    if plan.kept_together_px:
        log.info(
            f"To keep orders together, {plan.kept_together_in:.2f} in more of the sheets are used than need be",
            extra={"kept_together_px": plan.kept_together_px},
        )
    return plan


def _without(draft: Draft, broken: Mapping[PreparedKey, ArtworkError], desk: Desk) -> Draft:
    """Return the draft planned again without the items whose designs are broken."""
    kept = tuple(printable for printable in draft.sized.printables if printable.key not in broken)
    lost = tuple(
        _give_up(printable, broken[printable.key]) for printable in draft.sized.printables if printable.key in broken
    )
    sized = replace(draft.sized, printables=kept, rejected=(*draft.sized.rejected, *lost))
    plan = _lay_out(kept, draft.plan.sheet, (*draft.book.rejected, *sized.rejected), desk)
    return replace(draft, sized=sized, plan=plan)


def _give_up(printable: Printable, error: ArtworkError) -> Rejection:
    item = printable.item
    log.warning(f"{item.where}: {item.design}: {error.message}", extra={"order": item.order, "design": item.design})
    return reject(item, error.message)
