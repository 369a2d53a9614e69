"""Making mock-ups: one after the other in a child process, or as many at once as are asked for and admitted."""

import logging
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from config.errors import ArtworkError
from config.mockups import MockupOutput
from pipeline.admission import admitted
from pipeline.delivery import Outbox, check_space, storing
from pipeline.mockups.album import Album
from pipeline.mockups.planning import Mockup
from pipeline.mockups.staging import Staging, compose, stage
from pipeline.mockups.studio import Studio
from pipeline.prediction import photo_bytes, prepare_bytes
from tiles.scene import PhotoFormat, Picture
from tiles.sinks.sink import PARTIAL, SheetFile
from tiles.tasks import make_mockup
from tiles.workbench import Workbench

if TYPE_CHECKING:
    from tiles.children import Task

log = logging.getLogger(__name__)

BATCH = 4  # mock-ups for each worker that are staged together: so that none waits for the last of a design
BYTES_PER_PX = {"jpg": 1.0, "png": 3.0, "webp": 0.6}  # of a photograph, generously


def make_all(album: Album, outbox: Outbox, studio: Studio, bench: Workbench) -> None:
    """Make every mock-up that is missing, some designs after others."""
    missing, done = album.missing(), 0
    with studio.context.progress.track("Making mock-ups", len(missing)) as advance:
        for batch in batches(missing, BATCH * studio.workers):
            stagings = [stage(mockup, studio.job.output) for mockup in batch]
            new = [picture for picture in prepared_for(stagings) if not _is_ready(picture, studio)]
            with closing(make_batch(stagings, album, outbox, studio, bench)) as steps:  # whatever ends the run
                for _ in steps:
                    done += 1
                    advance(1)
                    studio.context.governor.release(f"mockup {done}/{len(missing)}")
            make_room(new, studio)


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


def make_batch(
    stagings: Sequence[Staging], album: Album, outbox: Outbox, studio: Studio, bench: Workbench
) -> Generator[None, None, None]:
    """Render and deliver mock-ups, enter each in the album, and yield after each; closed, it gives up the others."""
    staged = {staging.mockup.file: staging for staging in stagings}
    needs = {file: need_bytes(staging, studio) for file, staging in staged.items()}
    began: dict[str, float] = {}
    form = photo_format(studio.job.output)

    def begin(file: str) -> "Task[SheetFile]":
        studio.context.stop.check()
        check_space(outbox.folder, file, file_bytes(staged[file], form.kind))
        began[file] = time.monotonic()
        store, scene = studio.context.store, compose(staged[file], studio.job.output)
        scratch = store.scratch("mockup")
        return bench.submit(make_mockup, store, scene, outbox.folder / file, form, studio.threads, scratch)

    with studio.watch.step("render"), studio.context.stop.part(), storing(outbox.folder):
        try:
            for file, outcome in admitted(staged, begin, needs, studio.workplace(bench)):
                if isinstance(outcome, ArtworkError):
                    remove_partial(file, outbox)  # a child that died left it
                    give_up(staged[file].mockup, outcome, album)
                else:
                    enter(staged[file], outcome, time.monotonic() - began[file], album, outbox, studio)
                yield
        except BaseException:
            bench.close()
            for file in began:
                remove_partial(file, outbox)
            raise


def remove_partial(file: str, outbox: Outbox) -> None:
    """Remove what there is of a mock-up that was not finished."""
    (outbox.folder / (file + PARTIAL)).unlink(missing_ok=True)


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


def photo_format(output: MockupOutput) -> PhotoFormat:
    """Return how mock-ups are written."""
    return PhotoFormat(output.format, output.quality, output.chroma)


def need_bytes(staging: Staging, studio: Studio) -> int:
    """Return what making a mock-up will hold, or preparing what it needs before."""
    headers = [picture.header for picture in staging.mockup.template.pictures.values()]
    whole = studio.job.output.format == "webp"
    making = photo_bytes(headers, staging.width, staging.height, studio.threads, encoder_holds_all=whole)
    preparing = (
        prepare_bytes(picture.design.header, picture.geometry)
        for picture in staging.prepared()
        if not _is_ready(picture, studio)
    )
    return max(making, *preparing, 0)


def file_bytes(staging: Staging, kind: str) -> int:
    """Return about how large a mock-up's file becomes."""
    return int(staging.width * staging.height * BYTES_PER_PX[kind])


def prepared_for(stagings: Iterable[Staging]) -> list[Picture]:
    """Return what must be prepared in the store for mock-ups, each once."""
    return list(dict.fromkeys(picture for staging in stagings for picture in staging.prepared()))


def make_room(new: Iterable[Picture], studio: Studio) -> None:
    """Where the store is full, remove what was new in it: the next mock-ups need the room."""
    store = studio.context.store
    with storing(store.root):
        if store.stats().bytes > studio.context.store_max_bytes:
            for picture in new:
                store.discard(picture.design, picture.geometry)


def _is_ready(picture: Picture, studio: Studio) -> bool:
    return studio.context.store.has(picture.design, picture.geometry)
