"""Threads that may wait for a server, and that nobody waits for: a program that ends leaves them behind."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

Argument = TypeVar("Argument")
Result = TypeVar("Result")


def on_daemons(
    function: Callable[[Argument], Result], arguments: Iterable[Argument], threads: int
) -> Generator[Result, None, None]:
    """Yield what `function` returns for each argument, in their order, called on up to so many daemon threads.

    What a call raises is raised in its turn. Closed, or left by an error, it begins no other call; those under way go
    on by themselves.
    """
    calls = deque((argument, Future[Result]()) for argument in arguments)
    waiting = deque(calls)

    def work() -> None:
        while waiting:
            try:
                argument, future = waiting.popleft()
            except IndexError:  # another thread was faster
                return
            settle(future, partial(function, argument))

    try:
        for number in range(min(threads, len(calls))):
            threading.Thread(target=work, name=f"daemon-{number}", daemon=True).start()
        while calls:
            yield calls.popleft()[1].result()
    finally:
        waiting.clear()


def settle(future: Future[Result], call: Callable[[], Result]) -> None:
    """Have a future hold what a call returns, or raises: it is for whoever asks the future."""
    try:
        future.set_result(call())
    except BaseException as error:  # raised again by the future
        future.set_exception(error)
