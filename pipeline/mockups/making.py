"""Making mock-ups: one after the other in a child process, or as many at once as are asked for and admitted."""

import logging
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import ArtworkError, BudgetError, StoppedError
from config.mockups import MockupOutput
from pipeline.admission import admitted
from pipeline.delivery import Outbox, check_space, storing
from pipeline.mockups.album import Album
from pipeline.mockups.planning import Mockup
from pipeline.mockups.staging import Staging, compose, stage
from pipeline.mockups.studio import Studio
from pipeline.prediction import PROCESS_BYTES, SERVER_BYTES, photo_bytes, prepare_bytes
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
            free = [mockup for mockup in batch if _has_room(mockup, album)]
            stagings = [stage(mockup, studio.job.output) for mockup in free]
            done += len(batch) - len(free)
            advance(len(batch) - len(free))
            new = [picture for picture in prepared_for(stagings) if not _is_ready(picture, studio)]
            with closing(make_batch(stagings, album, outbox, studio, bench)) as steps:  # whatever ends the run
                for _ in steps:
                    done += 1
                    advance(1)
                    studio.context.governor.release(f"mockup {done}/{len(missing)}")
            make_room(new, studio)


def _has_room(mockup: Mockup, album: Album) -> bool:
    """Tell whether a mock-up can go to its place; give it up if not."""
    try:
        album.check_place(mockup)
    except ArtworkError as error:
        give_up(mockup, error, album)
        return False
    return True


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
    """Render and deliver mock-ups, enter each in the album, and yield after each; closed, it gives up the others.

    Where no other may be begun, those that are being made are finished before StoppedError or BudgetError is raised.
    """
    takes = _Takes(stagings, album, outbox, studio, bench)
    with studio.watch.step("render"), studio.context.stop.part(), storing(outbox.folder):
        try:
            try:
                for file, outcome in admitted(takes.staged, takes.begin, takes.needs, studio.workplace(bench)):
                    takes.end(file, outcome)
                    yield
            except (StoppedError, BudgetError):
                takes.finish()
                raise
        except BaseException:
            bench.close()
            takes.clear()
            raise


class _Takes:
    """Mock-ups on their way through the children, each from its beginning to its line in the album."""

    def __init__(
        self, stagings: Sequence[Staging], album: Album, outbox: Outbox, studio: Studio, bench: Workbench
    ) -> None:
        self.staged = {staging.mockup.file: staging for staging in stagings}
        self.needs = {file: need_bytes(staging, studio) for file, staging in self.staged.items()}
        self._album, self._outbox, self._studio, self._bench = album, outbox, studio, bench
        self._form = photo_format(studio.job.output)
        self._scratch: dict[str, Path] = {}  # of those that were begun
        self._under_way: dict[str, Task[tuple[SheetFile, float]]] = {}

    def begin(self, file: str) -> "Task[tuple[SheetFile, float]]":
        """Hand a mock-up over to a child; StoppedError if none is to be begun any more."""
        studio, staging, target = self._studio, self.staged[file], self._outbox.folder / file
        studio.context.stop.check()
        check_space(target.parent, file, file_bytes(staging, self._form.kind))
        store, scene = studio.context.store, compose(staging, studio.job.output)
        self._scratch[file] = store.scratch("mockup")
        threads = threads_for(staging, studio)
        task = self._bench.submit(make_mockup, store, scene, target, self._form, threads, self._scratch[file])
        self._under_way[file] = task
        return task

    def end(self, file: str, outcome: tuple[SheetFile, float] | ArtworkError) -> None:
        """Deliver a mock-up that is made, or say why it is not."""
        self._under_way.pop(file, None)
        staging = self.staged[file]
        if isinstance(outcome, ArtworkError):
            self._remove(file)  # a child that died left something
            give_up(staging.mockup, outcome, self._album)
        else:
            enter(staging, *outcome, self._album, self._studio)

    def finish(self) -> None:
        """Wait for the mock-ups that were handed over: for each child one, and one more."""
        for file, task in list(self._under_way.items()):
            self.end(file, task.outcome())

    def clear(self) -> None:
        """Remove what there is of those that were begun and not finished, now that no child is at work."""
        for file in self._scratch:
            self._remove(file)

    def _remove(self, file: str) -> None:
        """Remove what there is of a mock-up that was not finished."""
        (self._outbox.folder / (file + PARTIAL)).unlink(missing_ok=True)
        scratch = self._scratch.get(file)
        for path in scratch.parent.glob(f"{scratch.name}*") if scratch is not None else ():
            path.unlink(missing_ok=True)


def enter(staging: Staging, made: SheetFile, seconds: float, album: Album, studio: Studio) -> None:
    """Deliver a mock-up, and enter it in the album."""
    with studio.watch.step("deliver"), studio.context.stop.delivery():
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
    preparing = (
        prepare_bytes(picture.design.header, picture.geometry)
        for picture in staging.prepared()
        if not _is_ready(picture, studio)
    )
    return max(_making_bytes(staging, studio, threads_for(staging, studio)), *preparing, 0)


def threads_for(staging: Staging, studio: Studio) -> int:
    """Return how many threads work on a mock-up: the studio's for each, or fewer where memory is short."""
    room = studio.context.governor.ceiling_bytes - PROCESS_BYTES - SERVER_BYTES
    affordable = (n for n in range(studio.threads, 1, -1) if _making_bytes(staging, studio, n) <= room)
    return next(affordable, 1)


def _making_bytes(staging: Staging, studio: Studio, threads: int) -> int:
    headers = [picture.header for picture in staging.mockup.template.pictures.values()]
    whole = studio.job.output.format == "webp"
    return photo_bytes(headers, staging.width, staging.height, staging.widest_px, threads, encoder_holds_all=whole)


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
