"""When a run is to end before its work does: at its deadline, or when it is told to by SIGTERM.

Then no new part is begun, what is done is delivered, and the next run does the rest. A part under way is finished at a
deadline, and given up at SIGTERM, when seconds count; a delivery under way is given the seconds there are.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from config.errors import StoppedError, Terminated

GRACE_S = 5.0  # for a delivery, after SIGTERM: with at most 4 s of cleaning up it makes less than the ten promised


class Stop:
    """Whether to go on. Within `listening` signals are heard; elsewhere nothing but `check` ends anything."""

    def __init__(self, deadline_s: float | None = None) -> None:
        """Have the run end after so many seconds, counted from `listening`; None: when it is done."""
        self._deadline_s = deadline_s
        self._reason = ""
        self._terminated = False
        self._in_part = self._in_delivery = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Heed SIGTERM and the deadline within the block; for the main thread."""
        former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)}
        signal.signal(signal.SIGTERM, self._on_terminate)
        signal.signal(signal.SIGALRM, self._on_alarm)
        if self._deadline_s is not None:
            signal.setitimer(signal.ITIMER_REAL, self._deadline_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in former.items():
                signal.signal(number, handler)

    @contextmanager
    def part(self) -> Iterator[None]:
        """Let what happens within the block be finished at a deadline; not at SIGTERM."""
        self.check()
        self._in_part = True
        try:
            yield
        finally:
            self._in_part = False

    @contextmanager
    def delivery(self) -> Iterator[None]:
        """Let what happens within the block be finished, if it takes seconds."""
        self._in_delivery = True
        try:
            yield
        finally:
            self._in_delivery = False

    def check(self) -> None:
        """Raise StoppedError if it is time to end."""
        if self._reason:
            raise StoppedError(self._reason, "What is done is kept: run again, and the rest is made.")

    def _on_terminate(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - what a handler is told
        if self._terminated:  # told before; whoever insists need not wait
            raise Terminated(self._reason)
        self._terminated = True
        self._reason = "stopped by SIGTERM"
        if not self._in_delivery:
            raise Terminated(self._reason)
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as above
        if self._terminated:
            raise Terminated(self._reason)
        self._reason = f"the run's deadline of {self._deadline_s:g} s has passed"
        if not (self._in_part or self._in_delivery):
            raise Terminated(self._reason)
