"""Making mock-ups: their artwork prepared in batches, then one rendered after the other, or as many as are admitted."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import ArtworkError
from config.mockups import MockupOutput
from pipeline.admission import admitted
from pipeline.delivery import Outbox, check_space, storing
from pipeline.mockups.album import Album
from pipeline.mockups.planning import Mockup
from pipeline.mockups.staging import Needed, Staging, compose, stage
from pipeline.mockups.studio import Studio
from pipeline.prediction import photo_bytes
from pipeline.preparation import prepare_designs
from tiles.design import Design, Geometry, PreparedDesign
from tiles.scene import PhotoFormat, Scene
from tiles.sinks.sink import PARTIAL, SheetFile
from tiles.tasks import make_mockup
from tiles.workbench import Workbench

if TYPE_CHECKING:
    from tiles.children import Task

log = logging.getLogger(__name__)

BATCH = 4  # mock-ups for each worker, whose artwork is prepared together: so that all CPUs have work
BYTES_PER_PX = {"jpg": 1.0, "png": 3.0, "webp": 0.6}  # of a photograph, generously


def make_all(album: Album, outbox: Outbox, studio: Studio, bench: Workbench) -> None:
    """Make every mock-up that is missing, a batch of designs after the other."""
    missing, done = album.missing(), 0
    with studio.context.progress.track("Making mock-ups", len(missing)) as advance:
        for batch in batches(missing, BATCH * studio.workers):
            staged = prepare_batch([stage(mockup, studio.job.output) for mockup in batch], studio, bench)
            for _ in make_batch(staged, album, outbox, studio, bench):
                done += 1
                advance(1)
                studio.context.governor.release(f"mockup {done}/{len(missing)}")
            release_batch(staged, studio)


def batches(mockups: Sequence[Mockup], at_least: int) -> Iterator[list[Mockup]]:
    """Yield the mock-ups in batches, those of a design together, of so many or a few more."""
    batch: list[Mockup] = []
    for mockup in mockups:
        if len(batch) >= at_least and mockup.design != batch[-1].design:
            yield batch
            batch = []
        batch.append(mockup)
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class Batch:
    """Mock-ups with their artwork prepared, or why it cannot be; `new` of it was not in the store before."""

    stagings: Sequence[Staging]
    prepared: Mapping[Needed, PreparedDesign | ArtworkError]
    new: Sequence[tuple[Design, Geometry]]


def prepare_batch(stagings: Sequence[Staging], studio: Studio, bench: Workbench) -> Batch:
    """Prepare the artwork of mock-ups, at every size it is needed at."""
    work = {key: how for staging in stagings for key, how in staging.work().items()}
    store = studio.context.store
    new = [how for how in work.values() if not store.has(*how)]
    with studio.watch.step("prepare"), storing(store.root):
        return Batch(stagings, prepare_designs(work, work, studio.workplace(bench)), new)


def make_batch(batch: Batch, album: Album, outbox: Outbox, studio: Studio, bench: Workbench) -> Iterator[None]:
    """Render and deliver mock-ups, enter each in the album, and yield after each."""
    scenes: dict[str, Scene] = {}
    staged = {staging.mockup.file: staging for staging in batch.stagings}
    began: dict[str, float] = {}
    form = photo_format(studio.job.output)

    def begin(file: str) -> "Task[SheetFile]":
        studio.context.stop.check()
        check_space(outbox.folder, file, file_bytes(staged[file], form.kind))
        began[file] = time.monotonic()
        scratch = studio.context.store.scratch("mockup")
        return bench.submit(make_mockup, scenes[file], outbox.folder / file, form, studio.threads, scratch)

    for file, staging in staged.items():
        try:
            scenes[file] = compose(staging, usable(staging, batch.prepared), studio.job.output)
        except ArtworkError as error:
            give_up(staging.mockup, error, album)
            yield
    needs = {file: need_bytes(staged[file], studio) for file in scenes}
    with studio.watch.step("render"), studio.context.stop.part(), storing(outbox.folder):
        try:
            for file, outcome in admitted(scenes, begin, needs, studio.workplace(bench), most=studio.workers):
                if isinstance(outcome, ArtworkError):
                    give_up(staged[file].mockup, outcome, album)
                else:
                    enter(staged[file], outcome, time.monotonic() - began[file], album, outbox, studio)
                yield
        except BaseException:
            bench.close()
            for file in began:
                (outbox.folder / (file + PARTIAL)).unlink(missing_ok=True)
            raise


def enter(staging: Staging, made: SheetFile, seconds: float, album: Album, outbox: Outbox, studio: Studio) -> None:
    """Deliver a mock-up, and enter it in the album."""
    with studio.watch.step("deliver"), studio.context.stop.delivery():
        outbox.deliver(made)
        album.add(staging.mockup, made, (staging.width, staging.height), seconds)
    file = staging.mockup.file
    log.info(
        f"{file}: {staging.width}×{staging.height} pixels, {made.bytes:,} bytes, {seconds:.2f} s",
        extra={"file": file, "bytes": made.bytes, "seconds": round(seconds, 3)},
    )


def give_up(mockup: Mockup, error: ArtworkError, album: Album) -> None:
    """Enter why a mock-up cannot be made, and say so."""
    album.fail(mockup, error.message)
    log.warning(f"{mockup.file}: {error.message}", extra={"file": mockup.file, "remedy": error.remedy})


def usable(
    staging: Staging, prepared: Mapping[Needed, PreparedDesign | ArtworkError]
) -> Mapping[Needed, PreparedDesign]:
    """Return what was prepared for a mock-up; ArtworkError, naming the file, if something of it cannot be."""
    ready: dict[Needed, PreparedDesign] = {}
    for key, (design, _) in staging.work().items():
        found = prepared[key]
        if isinstance(found, ArtworkError):
            raise ArtworkError(f"{staging.mockup.name_of(design)}: {found.message}", found.remedy)
        ready[key] = found
    return ready


def photo_format(output: MockupOutput) -> PhotoFormat:
    """Return how mock-ups are written."""
    return PhotoFormat(output.format, output.quality, output.chroma)


def need_bytes(staging: Staging, studio: Studio) -> int:
    """Return what making a mock-up will hold."""
    headers = [picture.header for picture in staging.mockup.template.pictures.values()]
    whole = studio.job.output.format == "webp"
    return photo_bytes(headers, staging.width, staging.height, studio.threads, encoder_holds_all=whole)


def file_bytes(staging: Staging, kind: str) -> int:
    """Return about how large a mock-up's file becomes."""
    return int(staging.width * staging.height * BYTES_PER_PX[kind])


def release_batch(batch: Batch, studio: Studio) -> None:
    """Where the store is full, remove what was prepared for these mock-ups: the next ones need the room."""
    store = studio.context.store
    with storing(store.root):
        if batch.new and store.stats().bytes > studio.context.store_max_bytes:
            for design, geometry in batch.new:
                store.discard(design, geometry)
