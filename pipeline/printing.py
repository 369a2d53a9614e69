"""The second half of a gang sheet job: one part at a time from plan to file, and the record of it."""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.delivery import storing
from pipeline.drafting import Desk, Draft
from pipeline.ledger import Finished, Ledger
from pipeline.manifest import RunRecord, compose_manifest
from pipeline.plan import Part, Plan, PreparedKey
from pipeline.prediction import part_file_bytes, render_bytes
from tiles.canvas import Canvas, Layer
from tiles.design import Design, PreparedDesign
from tiles.geometry import Rect
from tiles.sinks import open_sink
from tiles.sinks.sink import SheetFile, SheetFormat
from tiles.strips import render
from tiles.vips import srgb_profile, start

log = logging.getLogger(__name__)

NAMES_SHOWN = 10  # in a message; its fields hold all of them


def print_part(part: Part, draft: Draft, prepared: Mapping[PreparedKey, PreparedDesign], desk: Desk) -> SheetFile:
    """Render one part strip by strip into its file; it appears whole or not at all."""
    context, outbox = desk.context, desk.outbox
    start(context.threads)
    context.governor.admit(f"part {part.number}", render_bytes(part.width_px, context.threads))
    outbox.check_space(f"part {part.number}", _file_bytes(part, draft))
    sheet = SheetFormat(part.width_px, part.height_px, draft.plan.sheet.dpi, srgb_profile(), context.threads)
    with (
        desk.watch.step("render"),
        context.progress.track(f"Part {part.number}/{len(draft.plan.parts)}", part.height_px) as advance,
        storing(outbox.folder),
    ):
        sink = open_sink(desk.job.output.format, outbox.folder / part.file, sheet)
        return render(compose(part, prepared), sink, advance)


def compose(part: Part, prepared: Mapping[PreparedKey, PreparedDesign]) -> Canvas:
    """Return the part as a lazy canvas over the tile store."""
    layers = (Layer(prepared[placement.key].path, placement.rect, placement.rotation) for placement in part.placements)
    return Canvas(part.width_px, part.height_px, layers)


def open_ledger(draft: Draft, desk: Desk) -> Ledger:
    """Return the ledger of the draft's plan, with what a killed run left whole; the manifest is begun."""
    context = desk.context
    record = RunRecord(
        job=desk.job.name,
        run=context.run,
        started_at=context.started_at,
        format=desk.job.output.format,
        designs_root=desk.designs_root.absolute(),
        plan=draft.plan.digest(),
        designs=_designs_by_name(draft),
        ordered=draft.ordered_by_item(),
        limit=context.governor.limit,
    )

    def describe(finished: Finished, done: bool) -> dict[str, Any]:
        finished_at = datetime.now(UTC).isoformat(timespec="seconds") if done else None
        seconds, peak = desk.watch.seconds(), context.governor.peak_bytes
        return compose_manifest(record, draft.plan, finished, seconds, peak, finished_at)

    ledger = Ledger(desk.outbox, draft.plan, describe)
    for name in ledger.begin():
        log.info(f"Removed {name}: it was part of a former run", extra={"file": name})
    return ledger


def announce(part: Part, plan: Plan) -> None:
    """Log a part's beginning, and what remains after it."""
    remaining = sum(len(other.placements) for other in plan.parts if other.number > part.number)
    designs = len({placement.key for placement in part.placements})
    log.info(
        f"Part {part.number}/{len(plan.parts)}: {len(part.placements)} copies of {designs} designs on "
        f"{part.width_px}×{part.height_px} pixels; {remaining} copies remain after it",
        extra={"part": part.number, "copies": len(part.placements), "remaining": remaining},
    )


def announce_released(part: Part, last_parts: Mapping[str, int]) -> None:
    """Log the designs whose last copy this part holds: no later part maps them."""
    names = dict.fromkeys(placement.design for placement in part.placements)
    released = [name for name in names if last_parts[name] == part.number]
    if released:
        named = ", ".join(released[:NAMES_SHOWN]) + (", …" if len(released) > NAMES_SHOWN else "")
        log.info(
            f"Released {len(released)} designs after their last copies: {named}",
            extra={"part": part.number, "designs": released},
        )


def _file_bytes(part: Part, draft: Draft) -> int:
    printed: Counter[PreparedKey] = Counter()
    for placement in part.placements:
        printed[placement.key] += placement.rect.area
    work = draft.sized.work
    return part_file_bytes([(work[key][0].header, work[key][0].file_bytes, area) for key, area in printed.items()])


def _designs_by_name(draft: Draft) -> dict[str, tuple[Design, Rect | None]]:
    designs = {printable.item.design: draft.sized.work[printable.key] for printable in draft.sized.printables}
    return {name: (design, geometry.box) for name, (design, geometry) in designs.items()}
