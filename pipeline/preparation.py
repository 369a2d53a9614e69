"""From items to prepared designs: printed sizes, then artwork at exactly these, in the tile store.

Both decode only what the store does not have, in child processes, as many at once as CPUs and memory admit. What
fails is given up with its reason before any film is planned for it.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from config.errors import ArtworkError, BudgetError
from config.schema import Quality
from config.units import format_bytes
from pipeline.admission import admitted
from pipeline.items import Item, Rejection, reject
from pipeline.machine import free_disk_bytes
from pipeline.plan import PreparedKey, Printable
from pipeline.prediction import prepare_bytes
from pipeline.sizes import Artwork, print_size
from pipeline.workplace import Workplace
from tiles.design import Design, Geometry, PreparedDesign
from tiles.geometry import Rect
from tiles.store import TileStore
from tiles.tasks import measure_ink, prepare_into

if TYPE_CHECKING:
    from tiles.children import Task

log = logging.getLogger(__name__)

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Sized:
    """Items with known printed sizes, how each design is prepared, what was given up, and what to warn of."""

    printables: tuple[Printable, ...]
    work: Mapping[PreparedKey, tuple[Design, Geometry]]
    rejected: tuple[Rejection, ...]
    warnings: tuple[str, ...] = ()


def measure_boxes(designs: Iterable[Design], place: Workplace) -> dict[str, Rect | ArtworkError]:
    """Return the trim box of each distinct content, by its hash, or why it has none."""
    boxes: dict[str, Rect | ArtworkError] = {}
    unknown: dict[str, Design] = {}
    for design in designs:
        noted = place.store.find_box(design.sha256)
        if noted is None:
            unknown.setdefault(design.sha256, design)
        else:
            boxes[design.sha256] = noted
    geometry = Geometry(0, 0)

    def begin(sha256: str) -> "Task[Rect]":
        return place.bench.submit(measure_ink, unknown[sha256], place.store.scratch(f"{sha256}.trim.v"))

    needs = {sha256: prepare_bytes(design.header, geometry) for sha256, design in unknown.items()}
    for sha256, outcome in admitted(unknown, begin, needs, place):
        boxes[sha256] = outcome
        if isinstance(outcome, Rect):
            place.store.put_box(sha256, outcome)
    return boxes


def size_items(
    items: Sequence[Item],
    designs: Mapping[str, Design | ArtworkError],
    boxes: Mapping[str, Rect | ArtworkError],
    sheet_dpi: int,
    quality: Quality,
) -> Sized:
    """Return every item's printed size; `boxes` is empty when nothing is trimmed."""
    printables: list[Printable] = []
    work: dict[PreparedKey, tuple[Design, Geometry]] = {}
    rejected: list[Rejection] = []
    warned: list[str] = []
    for item in items:
        outcome = designs[item.design]
        box = boxes.get(outcome.sha256) if isinstance(outcome, Design) else None
        try:
            design, geometry, warnings = _geometry(item, outcome, box, sheet_dpi, quality)
        except (ArtworkError, ValueError) as error:
            reason = error.message if isinstance(error, ArtworkError) else str(error)
            rejected.append(reject(item, reason))
            log.warning(f"{item.where}: {item.design}: {reason}", extra={"order": item.order, "design": item.design})
            continue
        for warning in warnings:
            warned.append(f"{item.where}: {item.design}: {warning}")
            log.warning(warned[-1], extra={"order": item.order, "design": item.design})
        key = PreparedKey(design.sha256, geometry.width_px, geometry.height_px, geometry.box)
        work.setdefault(key, (design, geometry))
        printables.append(Printable(item, key))
    return Sized(tuple(printables), work, tuple(rejected), tuple(warned))


def prepare_designs(
    keys: Iterable[PreparedKey],
    work: Mapping[PreparedKey, tuple[Design, Geometry]],
    place: Workplace,
    advance: Callable[[int], None] = lambda count: None,
    meanwhile: Callable[[], object] = lambda: None,
) -> dict[PreparedKey, PreparedDesign | ArtworkError]:
    """Return each prepared design, made unless the store has it, or why it cannot be made.

    `meanwhile` is called whenever children are at work and this process is about to wait for them.
    """
    ready: dict[PreparedKey, PreparedDesign | ArtworkError] = {}
    missing: list[PreparedKey] = []
    for key in dict.fromkeys(keys):
        found = place.store.find(*work[key])
        if found is None:
            missing.append(key)
        else:
            ready[key] = found
            advance(1)
    _check_disk(sum(work[key][1].prepared_bytes for key in missing), place.store)
    missing.sort(key=lambda key: _effort(work[key][0]), reverse=True)

    def begin(key: PreparedKey) -> "Task[PreparedDesign]":
        return place.bench.submit(prepare_into, place.store, *work[key])

    needs = {key: prepare_bytes(work[key][0].header, work[key][1]) for key in missing}
    for key, outcome in admitted(missing, begin, needs, place, meanwhile):
        ready[key] = outcome
        advance(1)
    log.info(
        f"{len(ready)} designs ready: {len(ready) - len(missing)} from the store, {len(missing)} prepared",
        extra={"ready": len(ready), "from_store": len(ready) - len(missing), "prepared": len(missing)},
    )
    return ready


def _effort(design: Design) -> int:
    """Return about how long a design takes, in no unit.

    Those that take longest are begun first, so that all CPUs have work to the end. A pixel is resampled, a file's
    byte inflated, which takes about as long.
    """
    return design.header.width_px * design.header.height_px + design.file_bytes


def _geometry(
    item: Item, design: Design | ArtworkError, box: Rect | ArtworkError | None, sheet_dpi: int, quality: Quality
) -> tuple[Design, Geometry, list[str]]:
    """Return how the design is prepared for the item, and what the operator should know; raise what forbids it."""
    if isinstance(design, ArtworkError):
        raise design
    if isinstance(box, ArtworkError):
        raise box
    header = design.header
    width, height = (box.width, box.height) if box else (header.width_px, header.height_px)
    size = print_size(item, Artwork(width, height, header.dpi, header.is_vector), sheet_dpi)
    warnings = [*header.warnings, *size.warnings]
    if size.effective_dpi is not None and size.effective_dpi < quality.min_dpi:
        coarse = f"effective {size.effective_dpi:.0f} DPI is below the minimum of {quality.min_dpi:g}"
        if quality.on_low_dpi == "reject":
            raise ArtworkError(coarse)
        warnings.append(coarse)
    return design, Geometry(size.width_px, size.height_px, box), warnings


def _check_disk(need_bytes: int, store: TileStore) -> None:
    free = free_disk_bytes(store.root)
    if need_bytes > free:
        raise BudgetError(
            f"disk: the designs to prepare need {format_bytes(need_bytes)}; {store.root} has {format_bytes(free)} free",
            "Free some space, or put store.path on a larger disk.",
        )
