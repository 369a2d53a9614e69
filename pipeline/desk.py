"""The desk of a gang sheet job: what every step of it has at hand, and how its settings are read."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.errors import ConfigurationError
from config.schema import GangsheetJob
from pipeline.context import Context, Stopwatch
from pipeline.library import Library
from pipeline.storage.address import is_url, parse_address
from pipeline.ticket import DATE, RUN
from pipeline.workplace import Workplace
from tiles.sinks import SUFFIXES
from tiles.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Desk:
    """What every step of a gang sheet job has at hand. `today` is the UTC date, ISO 8601."""

    job: GangsheetJob
    context: Context
    library: Library
    watch: Stopwatch
    today: str

    @property
    def place(self) -> str:
        """Where parts go by the job's settings: a URL, or the path of a folder."""
        return place_of(self.job.output.to, self.context.folder, self.today)

    def places(self) -> Iterator[str]:
        """Yield where the parts may go: the place itself, then folders below it with the date in their names."""
        below = f"{self.place.rstrip('/')}/{self.today}"
        yield from (self.place, below)
        for number in itertools.count(2):
            yield f"{below}-{number}"

    @property
    def status(self) -> str | None:
        """The status that orders are chosen by; None if they are chosen by something else, or come from elsewhere."""
        choice = self.job.orders.choice
        return choice.status if choice is not None and not self.context.chosen_orders else None

    def part_name(self, number: int) -> str:
        """Return the file name of the part with this number; date and run are still to be filled in."""
        output = self.job.output
        name = output.filename.format(part=number, job=self.job.name, date=DATE, run=RUN)
        return name + SUFFIXES[output.format]


def open_desk(job: GangsheetJob, context: Context) -> Desk:
    """Return the desk for a job; ConfigurationError if artwork would be looked for where parts go."""
    library = Library(job.designs, context.folder, context.servers, context.store)
    desk = Desk(job, context, library, Stopwatch(), datetime.now(UTC).date().isoformat())
    if same_place(desk.place, library.root_name):
        raise ConfigurationError(
            "output.to and designs.root are the same folder", "Parts could overwrite artwork: name another folder."
        )
    return desk


def workbench(desk: Desk) -> Workbench:
    """Return the job's child processes; none is started before there is work for it."""
    context = desk.context
    return Workbench(context.threads, context.governor.limit.bytes, desk.job.designs.timeout_s)


def workplace(desk: Desk, bench: Workbench) -> Workplace:
    """Return where the job's designs are worked on."""
    return Workplace(desk.context.store, bench, desk.context.governor)


def place_of(to: str, folder: Path, today: str) -> str:
    """Return the URL, or the path of a folder, that `output.to` means; relative ones count from `folder`."""
    to = to.replace(DATE, today)
    return str(parse_address(to)) if is_url(to) else str((folder / to).absolute())


def same_place(one: str, other: str) -> bool:
    """Tell whether two places, paths or URLs, are the same."""
    if is_url(one) or is_url(other):
        return one.rstrip("/") == other.rstrip("/")
    return Path(one).resolve() == Path(other).resolve()
