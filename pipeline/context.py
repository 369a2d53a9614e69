"""What a run is given once, at its edge, and passes down: paths, limits, clock, progress. Frozen; no globals."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipeline.governor import Governor
from pipeline.servers import Servers
from pipeline.stopping import Stop
from tiles.store import TileStore

if TYPE_CHECKING:
    from config.database import Database
    from config.runs import RunBook

STEPS = ("fetch", "prepare", "plan", "render", "deliver")


class Progress(Protocol):
    """Shows long work to a person; a no-op where nobody looks."""

    def track(self, what: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """Show `what` until the context ends; the function given advances it towards `total`."""


class Stopwatch:
    """Seconds spent in each step of a run, as the manifest lists them."""

    def __init__(self) -> None:
        """Start the clock of the whole run."""
        self._began = time.monotonic()
        self._spent = dict.fromkeys(STEPS, 0.0)
        self._within = 0.0  # seconds of steps within the one at hand

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count the time of the block towards the step `name`, but for that of steps within it."""
        began, outer, self._within = time.monotonic(), self._within, 0.0
        try:
            yield
        finally:
            spent = time.monotonic() - began
            self._spent[name] += spent - self._within
            self._within = outer + spent

    def seconds(self) -> dict[str, float]:
        """Return seconds by step, and in total so far."""
        total = time.monotonic() - self._began
        return {name: round(spent, 3) for name, spent in {**self._spent, "total": total}.items()}


@dataclass(frozen=True, slots=True)
class Context:
    """One run's surroundings. `folder` is where relative paths of the pipeline file count from.

    `jobs` are the names of all jobs of the pipeline. `book` is the database's ledger while this process holds it; None
    without a database, and where nothing is printed.
    """

    pipeline: str
    jobs: tuple[str, ...]
    folder: Path
    started_at: str
    database: "Database | None"
    book: "RunBook | None"
    servers: Servers
    stop: Stop
    store: TileStore
    store_max_bytes: int
    governor: Governor
    threads: int
    chosen_orders: tuple[str, ...]
    progress: Progress
