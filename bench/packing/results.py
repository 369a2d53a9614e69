"""What was measured, as frozen values and as packing.json, and what is promised of it. Prints nothing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

SCHEMA = 1

BINS_MUST, BINS_DREAM = 7_045, 7_010  # of all 500 instances; the best known are 6,976
EXCESS_MUST = 0.025  # mean over the strips
STRIP_SECONDS_MUST = 1.0
ROLLS_TIME_MUST = 0.1  # of rectpack's


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins of all instances together."""

    instances: int
    bins: int
    peer_bins: int
    seconds: float
    peer_seconds: float


@dataclass(frozen=True, slots=True)
class Strips:
    """For each strip: its height beyond the perfect one as a share of that, and seconds."""

    instances: int
    excess: Sequence[float]
    peer_excess: Sequence[float]
    seconds: Sequence[float]
    peer_seconds: Sequence[float]


@dataclass(frozen=True, slots=True)
class Rolls:
    """Stickers on rolls of film, in inches."""

    stickers: int
    rolls: int
    peer_rolls: int
    film_in: float
    peer_film_in: float
    seconds: float
    peer_seconds: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """A promise, and whether it is kept."""

    what: str
    kept: bool


@dataclass(frozen=True, slots=True)
class PackingResults:
    """One benchmark of packing. What was not measured, for want of instances, is None.

    `quick` is a sample, of which the promises are not asked.
    """

    at: str
    machine: dict[str, str]
    quick: bool
    rolls: Rolls
    bins: Bins | None = None
    strips: Strips | None = None

    def verdicts(self) -> Iterator[Verdict]:
        """Yield each promise that was measured."""
        if self.quick:
            return
        if self.bins is not None:
            yield Verdict(f"at most {BINS_MUST:,} bins", self.bins.bins <= BINS_MUST)
            yield Verdict("bins in no more time than rectpack", self.bins.seconds <= self.bins.peer_seconds)
        if self.strips is not None:
            yield Verdict(f"mean excess of strips at most {EXCESS_MUST:.1%}", mean(self.strips.excess) <= EXCESS_MUST)
            slowest = max(self.strips.seconds)
            yield Verdict(f"each strip in at most {STRIP_SECONDS_MUST:g} s", slowest <= STRIP_SECONDS_MUST)
        ratio = self.rolls.seconds / self.rolls.peer_seconds
        yield Verdict(f"rolls in at most {ROLLS_TIME_MUST:g} of rectpack's time", ratio <= ROLLS_TIME_MUST)
        yield Verdict("rolls with no more film than rectpack", self.rolls.film_in <= self.rolls.peer_film_in)


def write(results: PackingResults, file: Path) -> None:
    """Write packing.json; it appears whole."""
    verdicts = [asdict(verdict) for verdict in results.verdicts()]
    aside = file.with_suffix(".partial")
    text = json.dumps({"schema": SCHEMA, **asdict(results), "verdicts": verdicts}, indent=1)
    aside.write_text(text + "\n", encoding="utf-8")
    aside.replace(file)
