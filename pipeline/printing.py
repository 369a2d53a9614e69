"""The second half of a gang sheet job: one part at a time from plan to its place, and the record of it."""

import logging
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipeline.delivery import Outbox, as_text, check_space, storing
from pipeline.desk import Desk
from pipeline.ledger import Entry, Ledger
from pipeline.log import about
from pipeline.manifest import RunRecord, compose_manifest
from pipeline.plan import Part, Plan, PreparedKey
from pipeline.prediction import part_file_bytes, render_bytes
from pipeline.ticket import Ticket
from tiles.canvas import Canvas, Layer
from tiles.design import Design, Geometry, PreparedDesign
from tiles.sinks import open_sink
from tiles.sinks.sink import SheetFile, SheetFormat
from tiles.strips import render
from tiles.vips import srgb_profile, start

log = logging.getLogger(__name__)

NAMES_SHOWN = 10  # in a message; its fields hold all of them


@dataclass(frozen=True, slots=True)
class Artwork:
    """The designs of a ticket, ready to be laid on its parts."""

    work: Mapping[PreparedKey, tuple[Design, Geometry]]
    prepared: Mapping[PreparedKey, PreparedDesign]


@dataclass(frozen=True, slots=True)
class Press:
    """What prints one ticket: where its parts go, and where it is written down."""

    ticket: Ticket
    outbox: Outbox
    ledger: Ledger
    desk: Desk

    def begin(self) -> list[Part]:
        """Write the plan down, or find it written down; return the parts of which there is no file anywhere."""
        self.ledger.begin(self.ticket, self.outbox)
        return [part for part in self.ticket.plan.parts if not self._is_made(part)]

    def clear(self) -> None:
        """Make the place ready; what an earlier run left of this very one is kept."""
        parts = self.ticket.plan.parts
        keep = [part.file for part in parts if self.ledger.entry(part).state != "planned"]
        for name in self.outbox.begin([part.file for part in parts], keep):
            log.info(f"Removed {name}: it was part of a former run", extra={"file": name})
        self.outbox.note(as_text(self._manifest(done=False)))

    def run(self, artwork: Artwork, without: Collection[int] = ()) -> None:
        """Print part by part, but those `without`; each is whole at its place before the next is begun."""
        desk, plan = self.desk, self.ticket.plan
        last_parts = plan.last_parts()
        for part in plan.parts:
            if part.number in without:
                continue
            with about(part=part.number):
                if self.ledger.entry(part).state == "delivered":
                    log.info(f"Part {part.number} is whole already: {part.file}")
                    continue
                with desk.context.stop.part():
                    self._print(part, artwork)
                announce_released(part, last_parts)
                desk.context.governor.release(f"part {part.number}/{len(plan.parts)}")

    def finish(self) -> None:
        """Publish the manifest, and write down that the run is over."""
        with self.desk.watch.step("deliver"), self.desk.context.stop.delivery():
            self.outbox.publish(as_text(self._manifest(done=True)))
            self.ledger.finished()

    def _print(self, part: Part, artwork: Artwork) -> None:
        entry, outbox, watch = self.ledger.entry(part), self.outbox, self.desk.watch
        began = time.monotonic()
        sheet = None
        if entry.state == "rendered":
            sheet = outbox.find(part.file, entry.bytes, entry.sha256)
        if sheet is None and not self._is_made(part):
            announce(part, self.ticket.plan)
            sheet = render_part(part, self.ticket, artwork, outbox, self.desk)
            self.ledger.rendered(part, sheet)
        with watch.step("deliver"), self.desk.context.stop.delivery():
            if sheet is not None:
                outbox.deliver(sheet)
            self.ledger.delivered(part)
            outbox.note(as_text(self._manifest(done=False)))
        size, seconds = self.ledger.entry(part).bytes, round(time.monotonic() - began, 3)
        log.info(
            f"Part {part.number} is delivered: {outbox.locate(part.file)}, {size:,} bytes",
            extra={"bytes": size, "seconds": seconds},
        )

    def _is_made(self, part: Part) -> bool:
        entry = self.ledger.entry(part)
        if entry.state == "planned":
            return False
        if entry.state == "delivered":
            return True
        whole = self.outbox.find(part.file, entry.bytes, entry.sha256) is not None
        return whole or self.outbox.holds(part.file, entry.bytes, entry.sha256)

    def _manifest(self, *, done: bool) -> dict[str, Any]:
        desk, plan = self.desk, self.ticket.plan
        record = RunRecord(self.ticket, desk.context.started_at, desk.context.governor.limit)
        delivered: list[tuple[Part, Entry]] = []
        for part in plan.parts:
            entry = self.ledger.entry(part)
            if entry.state == "delivered":
                delivered.append((part, entry))
        finished_at = datetime.now(UTC).isoformat(timespec="seconds") if done else None
        return compose_manifest(record, delivered, desk.watch.seconds(), desk.context.governor.peak_bytes, finished_at)


def render_part(part: Part, ticket: Ticket, artwork: Artwork, outbox: Outbox, desk: Desk) -> SheetFile:
    """Render one part strip by strip into its file; it appears whole or not at all."""
    context = desk.context
    start(context.threads)
    context.governor.admit(f"part {part.number}", render_bytes(part.width_px, context.threads))
    check_space(outbox.folder, f"part {part.number}", _file_bytes(part, artwork))
    sheet = SheetFormat(part.width_px, part.height_px, ticket.plan.sheet.dpi, srgb_profile(), context.threads)
    with (
        desk.watch.step("render"),
        context.progress.track(f"Part {part.number}/{len(ticket.plan.parts)}", part.height_px) as advance,
        storing(outbox.folder),
    ):
        sink = open_sink(ticket.format, outbox.folder / part.file, sheet)
        return render(compose(part, artwork.prepared), sink, advance)


def compose(part: Part, prepared: Mapping[PreparedKey, PreparedDesign]) -> Canvas:
    """Return the part as a lazy canvas over the tile store."""
    layers = (Layer(prepared[placement.key].path, placement.rect, placement.rotation) for placement in part.placements)
    return Canvas(part.width_px, part.height_px, layers)


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


def _file_bytes(part: Part, artwork: Artwork) -> int:
    printed: Counter[PreparedKey] = Counter()
    for placement in part.placements:
        printed[placement.key] += placement.rect.area
    work = artwork.work
    return part_file_bytes([(work[key][0].header, work[key][0].file_bytes, area) for key, area in printed.items()])
