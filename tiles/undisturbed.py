"""Blocks that no signal's exception comes into: what ends a run waits until they are over."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)


class _Later:
    """Stands in for the handlers of signals that end a run: keeps what arrives until it is over, then hands it on.

    Signals are not blocked: the system would give them to another thread, and Python runs their handlers in the main
    one all the same.
    """

    def __init__(self) -> None:
        self.is_over = False
        self.arrived: list[int] = []
        self.handlers = {number: handler for number in _ENDING if callable(handler := signal.getsignal(number))}

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.is_over:  # an exception came between that and having the handlers stand where they stood
            self.handlers[number](number, frame)
        else:
            self.arrived.append(number)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Have signals that end a run wait until the block is over. Outside the main thread none is heard anyway."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    later = _Later()
    try:
        for number in later.handlers:
            signal.signal(number, later)
        yield
    finally:
        later.is_over = True
        for number, handler in later.handlers.items():
            signal.signal(number, handler)
        for number in later.arrived:
            signal.raise_signal(number)
