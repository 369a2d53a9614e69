"""The first half of a gang sheet job: what was ordered, what it is made of, and where it will lie."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from config.errors import ArtworkError, ConfigurationError, TilepressError
from config.schema import GangsheetJob
from config.units import parse_bytes
from pipeline import orders
from pipeline.checker import Copy, check_conservation, check_places, copy_of, count_ordered
from pipeline.context import Context, Stopwatch
from pipeline.delivery import Outbox, storing, write_text
from pipeline.film import resolve_sheet
from pipeline.items import Rejection, reject
from pipeline.orders import OrderBook
from pipeline.plan import Plan, PreparedKey, Printable, Sheet
from pipeline.planning import plan_sheets
from pipeline.prediction import peak_bytes, render_bytes
from pipeline.preparation import Sized, measure_boxes, prepare_designs, size_items
from pipeline.sources import probe
from pipeline.workplace import Workplace
from tiles.design import Design, Limits, PreparedDesign
from tiles.geometry import Rect
from tiles.workbench import Workbench

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What every step of a gang sheet job has at hand."""

    job: GangsheetJob
    context: Context
    outbox: Outbox
    watch: Stopwatch

    @property
    def designs_root(self) -> Path:
        """The folder in which designs are looked up."""
        return self.context.folder / self.job.designs.root


@dataclass(frozen=True, slots=True)
class Draft:
    """A job thought through: what was ordered, how each design is prepared, the plan, and the memory it will take."""

    book: OrderBook
    sized: Sized
    plan: Plan
    predicted_peak_bytes: int

    @property
    def ordered(self) -> int:
        """All copies asked for."""
        return self.book.ordered

    def ordered_by_item(self) -> dict[tuple[str, str], int]:
        """Return the copies asked for by (order, design)."""
        return count_ordered(self.book.items, self.book.rejected)


def workbench(desk: Desk) -> Workbench:
    """Return the job's child processes; none is started before there is work for it."""
    context = desk.context
    return Workbench(context.threads, context.governor.limit.bytes, desk.job.designs.timeout_s)


def think_through(desk: Desk, bench: Workbench) -> Draft:
    """Read the orders, judge their designs by the headers, and plan; decode only what trimming needs."""
    job, context, watch = desk.job, desk.context, desk.watch
    if desk.outbox.folder.resolve() == desk.designs_root.resolve():
        raise ConfigurationError(
            "output.to and designs.root are the same folder", "Parts could overwrite artwork: name another folder."
        )
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
    with watch.step("fetch"), storing(context.store.root):
        names = [item.design for item in book.items]
        designs = probe(names, desk.designs_root, _limits(job), _place(desk, bench))
    with watch.step("prepare"), storing(context.store.root):
        found = [design for design in designs.values() if isinstance(design, Design)]
        boxes = measure_boxes(found, _place(desk, bench)) if job.layout.trim else {}
    with watch.step("plan"):
        sized = size_items(book.items, designs, boxes, sheet.dpi, job.quality)
        plan = _lay_out(sized.printables, sheet, (*book.rejected, *sized.rejected), desk)
    missing = [work for work in sized.work.values() if not context.store.has(*work)]
    predicted = peak_bytes(sheet.width_px, plan.placed, missing, context.threads)
    return Draft(book, sized, plan, predicted)


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
        outcomes = prepare_designs(keys, draft.sized.work, _place(desk, bench), advance, _import_printing)
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


def save_plan(plan: Plan, desk: Desk) -> Path:
    """Write the plan as JSON into the work folder, before anything of it is made; return where."""
    return write_text(desk.context.store.root / "plans" / f"{desk.job.name}.json", json.dumps(plan.as_json()))


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
        file_name=desk.outbox.part_name,
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


def _limits(job: GangsheetJob) -> Limits:
    return Limits(job.designs.max_pixels, parse_bytes(job.designs.max_bytes), job.designs.allow_svg)


def _place(desk: Desk, bench: Workbench) -> Workplace:
    return Workplace(desk.context.store, bench, desk.context.governor)
