"""Making sections: one after the other with a pause between, or as many at once as are asked for and admitted.

A section whose process died, hung, or met trouble that may pass is tried again after a pause that grows.
"""

import logging
import random
import secrets
import time
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import ArtworkError, BudgetError, LostError, StoppedError, StorageError
from config.pageranges import pages_of
from pipeline.delivery import Outbox, check_space, storing
from pipeline.prediction import section_bytes
from pipeline.sections.bindery import Bindery
from pipeline.sections.documents import OpenDocument
from pipeline.sections.handling import Made, Problem, SectionWork, handle
from pipeline.sections.planned import PlannedSection
from pipeline.sections.register import Register
from pipeline.sections.traces import Traces
from tiles.sinks.sink import PARTIAL
from tiles.undisturbed import undisturbed
from tiles.workbench import Workbench

if TYPE_CHECKING:
    from tiles.children import Task

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0  # before a second attempt; then twice as long each time,
LONGEST_PAUSE_S = 30.0  # but no longer than this, and up to a half more by chance
FORGET_S = 4.0  # for what analysers have left elsewhere: whoever tells a run to end does not wait much longer
SLICE_S = 0.1  # of a pause: so soon a deadline is heeded


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a section; `number` counts from 1. `token` is its alone, `not_before` of the monotonic clock."""

    section: PlannedSection
    number: int
    token: str
    not_before: float = 0.0


class Making:
    """The sections of one document on their way through children, each from its first attempt to its entry."""

    def __init__(
        self,
        document: OpenDocument,
        register: Register,
        outbox: Outbox,
        bindery: Bindery,
        bench: Workbench,
        traces: Traces,
    ) -> None:
        """Prepare for the sections that are missing; nothing is begun yet."""
        self._document, self._register, self._outbox = document, register, outbox
        self._bindery, self._bench, self._traces = bindery, bench, traces
        self._waiting = deque(_attempt(section) for section in register.missing())
        self._total = len(self._waiting)
        self._under_way: dict[Attempt, Task[Made]] = {}
        self._rested_from: float | None = None
        self._ended = 0
        self._need_bytes = section_bytes(draws=bindery.images is not None, threads=bindery.threads)

    def make_all(self) -> None:
        """Make every section that is missing.

        Where no other may be begun, those under way are finished before StoppedError or BudgetError is raised. Whatever
        else ends it, children end at once, and what they had not finished is removed.
        """
        context, watch = self._bindery.context, self._register.watch
        with (
            watch.step("render"),
            context.stop.part(),
            storing(self._outbox.folder),
            context.progress.track("Taking sections apart", self._total) as advance,
        ):
            try:
                try:
                    while self._waiting or self._under_way:
                        before = self._ended
                        self._begin_what_may_be()
                        self._end_what_is_over()
                        advance(self._ended - before)
                except (StoppedError, BudgetError):
                    while self._under_way:
                        self._end_what_is_over()
                    raise
            except BaseException:
                self._give_up()
                raise

    def _begin_what_may_be(self) -> None:
        """Begin attempts as far as workers and memory allow; where nothing is under way, wait until one may begin."""
        while self._waiting and len(self._under_way) < self._bindery.workers:
            self._put_ready_first()
            if self._under_way and (self._is_early(self._waiting[0]) or not self._has_room()):
                return
            self._pause_until(self._waiting[0].not_before)
            attempt = self._waiting.popleft()
            try:
                self._register.check_place(attempt.section)
            except ArtworkError as error:
                self._enter(attempt, Made((), None, Problem(error.message, error.remedy, passes=False), 0.0, 0))
            else:
                self._begin(attempt)

    def _begin(self, attempt: Attempt) -> None:
        context, job = self._bindery.context, self._bindery.job
        if self._rested_from is not None:
            self._pause_until(self._rested_from + job.delay_s)
        context.stop.check()
        if not self._under_way and self._need_bytes > context.governor.room_bytes():
            self._bench.close()  # a child that waits for its next section holds what the last one took
        context.governor.admit("the next section", self._need_bytes)
        check_space(self._outbox.folder, attempt.section.pdf, self._file_bytes(attempt.section))
        if self._bindery.analyzer.leaves_traces:
            self._traces.add(attempt.token)
        work = SectionWork(
            document=self._document.source,
            stamp=self._document.stamp,
            section=attempt.section,
            folder=self._outbox.folder,
            text=job.output.text,
            preview=job.output.preview,
            images=self._bindery.images,
            threads=self._bindery.threads,
            analyzer=self._bindery.analyzer,
            attempt=attempt.token,
        )
        self._rested_from = time.monotonic()
        with undisturbed():  # a signal's exception between beginning a child and knowing it would leave it at work
            self._under_way[attempt] = self._bench.submit(handle, work)

    def _is_early(self, attempt: Attempt) -> bool:
        return time.monotonic() < attempt.not_before

    def _put_ready_first(self) -> None:
        """Have the attempt that may begin soonest stand first: those that are tried again wait at the end."""
        if self._is_early(self._waiting[0]):
            soonest = min(self._waiting, key=lambda attempt: attempt.not_before)
            self._waiting.remove(soonest)
            self._waiting.appendleft(soonest)

    def _has_room(self) -> bool:
        return self._need_bytes * (len(self._under_way) + 1) <= self._bindery.context.governor.room_bytes()

    def _pause_until(self, moment: float) -> None:
        """Wait until a moment of the monotonic clock; StoppedError if the run is to end before."""
        while (left := moment - time.monotonic()) > 0:
            self._bindery.context.stop.check()
            time.sleep(min(SLICE_S, left))

    def _file_bytes(self, section: PlannedSection) -> int:
        """Return about how much room a section's PDF takes: its share of the document."""
        share = min(1.0, len(section.pages) / self._document.survey.pages)
        return int(self._document.bytes * share)

    def _end_what_is_over(self) -> None:
        """Wait until an attempt is over; enter it, or have it tried again."""
        from tiles.children import wait_for_any  # noqa: PLC0415 - it is there, since something is under way

        if self._under_way:
            wait_for_any(self._under_way.values())
        for attempt in [attempt for attempt, task in self._under_way.items() if task.future.done()]:
            try:
                outcome = self._under_way[attempt].outcome()
            except (BudgetError, StorageError):
                del self._under_way[attempt]
                self._remove(attempt.section)
                if self._bindery.analyzer.leaves_traces:
                    self._traces.remove(attempt.token)
                raise
            del self._under_way[attempt]
            self._end(attempt, outcome)

    def _end(self, attempt: Attempt, outcome: Made | ArtworkError) -> None:
        """Enter what became of an attempt, or have it tried again."""
        self._rested_from = time.monotonic()
        if isinstance(outcome, ArtworkError):
            self._remove(attempt.section)  # whatever its child had finished, nobody knows
            lost = isinstance(outcome, LostError)
            outcome = Made(
                (), None, Problem(outcome.message, outcome.remedy, lost), 0.0, 0, is_clean=False, is_lost=lost
            )
        problem = outcome.problem
        if self._bindery.analyzer.leaves_traces:
            self._account_for(attempt.token, outcome)
        if problem is not None and problem.passes and attempt.number < self._bindery.job.limits.attempts:
            self._try_again(attempt, problem.message)
        else:
            self._enter(attempt, outcome)

    def _enter(self, attempt: Attempt, made: Made) -> None:
        """Deliver and enter a section, complete or not."""
        section = attempt.section
        if made.problem is not None:
            self._remove(section, {file.file.path.name for file in made.files})
        with self._register.watch.step("deliver"), self._bindery.context.stop.delivery():
            self._register.add(section, made, attempt.number)
        size = sum(file.file.bytes for file in made.files)
        if made.files:
            log.info(
                f"{section.number}. {section.title}: {pages_of(len(section.pages))}, {size:,} bytes, "
                f"{made.seconds:.2f} s, {made.peak_bytes / 1e6:.0f} MB",
                extra={"section": section.number, "bytes": size, "seconds": round(made.seconds, 3)},
            )
        if made.problem is not None:
            log.warning(
                f"{section.number}. {section.title}: {made.problem.message}",
                extra={"section": section.number, "remedy": made.problem.remedy},
            )
        self._ended += 1
        if self._bindery.job.collect_garbage:
            self._bindery.context.governor.release(f"section {self._ended}/{self._total}")

    def _account_for(self, token: str, made: Made) -> None:
        """See to it that nothing lies elsewhere any more that an attempt has left."""
        if made.is_clean:
            self._traces.gone(token)
        else:
            self._traces.remove(token, for_good=not made.is_lost)

    def _try_again(self, attempt: Attempt, reason: str) -> None:
        self._remove(attempt.section)  # or the next attempt would find files that nobody has entered
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (attempt.number - 1)) * random.uniform(1, 1.5)
        log.warning(
            f"{attempt.section.number}. {attempt.section.title}: {reason}; trying again in {pause:.1f} s "
            f"(attempt {attempt.number + 1} of {self._bindery.job.limits.attempts})",
            extra={"section": attempt.section.number},
        )
        self._waiting.append(_attempt(attempt.section, attempt.number + 1, time.monotonic() + pause))

    def _give_up(self) -> None:
        """End all children, and remove what they had begun."""
        self._bench.close()
        until = time.monotonic() + FORGET_S
        for attempt in self._under_way:
            self._remove(attempt.section)
        for attempt in self._under_way if self._bindery.analyzer.leaves_traces else ():
            if (left := until - time.monotonic()) > 0:
                self._traces.remove(attempt.token, left, for_good=False)

    def _remove(self, section: PlannedSection, but: Collection[str] = ()) -> None:
        """Remove what lies here of a section, half written or whole, but for some of its files."""
        for file in set(section.files(self._bindery.job)) - set(but) - self._register.strangers:
            for name in (file, file + PARTIAL):
                with suppress(OSError):  # what cannot be removed now is by the next run
                    (self._outbox.folder / name).unlink()


def _attempt(section: PlannedSection, number: int = 1, not_before: float = 0.0) -> Attempt:
    return Attempt(section, number, f"tilepress-{secrets.token_hex(10)}", not_before)
