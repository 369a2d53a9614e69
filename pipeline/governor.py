"""The governor: admits work by the memory it will need, remembers the peak, and gives memory back between parts."""

import gc
import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from config.errors import BudgetError
from config.units import format_bytes
from pipeline.machine import MemoryLimit
from tiles.heap import trim_heap

WARN_AT = 0.75
REFUSE_AT = 0.85
SAMPLE_S = 0.1  # designs that take less time take little memory; looking costs a millisecond for each process

log = logging.getLogger(__name__)


class Governor:
    """Judges by anonymous memory of the whole process tree against `limit`; a context manager while work goes on.

    `measure` returns that memory in bytes; it is called from the sampling thread too.
    """

    def __init__(self, limit: MemoryLimit, measure: Callable[[], int]) -> None:
        """Judge by `limit`; nothing is measured before the context is entered or something is to be admitted."""
        self.limit = limit
        self._measure = measure
        self._peak = self._last = 0
        self._warned = False
        self._stop = threading.Event()
        self._sampler: threading.Thread | None = None

    @property
    def peak_bytes(self) -> int:
        """The most that was measured."""
        return self._peak

    @property
    def last_bytes(self) -> int:
        """What was measured last: while the context is open, a fraction of a second ago. 0 before anything was."""
        return self._last

    @property
    def ceiling_bytes(self) -> int:
        """The use above which nothing more is begun."""
        return int(self.limit.bytes * REFUSE_AT)

    def used_bytes(self) -> int:
        """Measure now."""
        used = self._measure()
        if used > self._peak:  # what begins or ends while processes are looked at one by one may have counted twice
            used = min(used, self._measure())
        self._last, self._peak = used, max(self._peak, used)
        return used

    def room_bytes(self) -> int:
        """Return what could be admitted now; may be negative."""
        return self.ceiling_bytes - self.used_bytes()

    def admit(self, what: str, need_bytes: int = 0) -> None:
        """Let `what` begin, which will need `need_bytes` more at its peak.

        Raises BudgetError when that would pass 85 % of the limit; warns once when use is above 75 %.
        """
        used = self.used_bytes()
        share = used / self.limit.bytes
        if used + need_bytes > self.ceiling_bytes:
            raise BudgetError(
                f"memory: {what} needs {format_bytes(need_bytes)} more; {format_bytes(used)} of "
                f"{format_bytes(self.limit.bytes)} ({self.limit.source}) are in use, and work stops at {REFUSE_AT:.0%}",
                "Raise the container's limit or memory.budget. What was finished before is kept.",
            )
        if share >= WARN_AT and not self._warned:
            self._warned = True
            log.warning(
                f"Memory is running low: {format_bytes(used)} of {format_bytes(self.limit.bytes)} in use ({share:.0%})",
                extra={"used_bytes": used, "limit_bytes": self.limit.bytes},
            )

    def release(self, what: str) -> None:
        """Give freed memory back to the system, and log use before and after."""
        before = self.used_bytes()
        gc.collect()
        trim_heap()
        after = self.used_bytes()
        log.info(
            f"Memory usage after {what}: {format_bytes(before)} → {format_bytes(after)}, "
            f"{format_bytes(max(0, before - after))} freed",
            extra={"before_bytes": before, "after_bytes": after},
        )

    def __enter__(self) -> Self:
        self._peak, self._warned = 0, False  # of this job, not of one before it
        self.used_bytes()
        gc.freeze()  # what the program is made of need not be gone through between parts: that took most of it
        self._stop.clear()
        self._sampler = threading.Thread(target=self._sample, name="memory", daemon=True)
        self._sampler.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._sampler is not None:
            self._sampler.join()
            self._sampler = None
        gc.unfreeze()

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            self.used_bytes()
