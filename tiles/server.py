"""The server that children are forked off: a process that has imported what they need, and does nothing itself.

It takes a sixth of a second to be ready, on another CPU than the run's, so that it pays to start it early.
"""

import contextlib
import multiprocessing
import os
import resource
import signal
from collections.abc import Iterator, Sequence
from multiprocessing import forkserver, resource_tracker
from pathlib import Path

from tiles.trade import DECODING

_ENVIRONMENT = {  # of the server and its children
    "PYTHONPATH": str(Path(__file__).parents[1]),  # they import this program,
    "PYTHONSAFEPATH": "1",  # and nothing that lies where it was called
    "MALLOC_ARENA_MAX": "2",  # what threads free is held in fewer places
    "OPENBLAS_NUM_THREADS": "1",  # numpy's BLAS: there is a child for each CPU already, and no thread to be forked
}
_STACK_BYTES = 2 << 20  # libvips asks for no more; all of it counts towards a child's limit of memory, used or not


def start_server(modules: Sequence[str] = DECODING.modules) -> None:
    """Have the server started, with what it is to import; it goes on by itself, and ends with the run.

    One that is started already stays as it is: children import what it has not.
    """
    multiprocessing.set_forkserver_preload(["tiles.manners", *modules])
    resource_tracker.ensure_running()  # which the server would have started, and hear of ^C from then on
    with _environment(_ENVIRONMENT), _stack(_STACK_BYTES), _uninterrupted():
        forkserver.ensure_running()


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Have what is started meanwhile never hear of ^C, which a terminal sends to all: the run ends it."""
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


@contextlib.contextmanager
def _stack(size: int) -> Iterator[None]:
    """Have what is started meanwhile give its threads stacks of this size, if it may: glibc takes the limit for it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Have these variables set for what is started meanwhile, and for nothing else.

    `os.environ` stays as it is: other threads go through it, and stumble over what is taken out of it meanwhile.
    """
    for name, value in variables.items():
        os.putenv(name, value)
    try:
        yield
    finally:
        for name in variables:
            if name in os.environ:
                os.putenv(name, os.environ[name])
            else:
                os.unsetenv(name)
