"""What is promised of these figures: for each bound what must be, what is dreamt of, and how it is computed.

A ratio is between figures of one and the same benchmark. Nothing else in the benchmark knows a bound.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.contestants import COLD, REFERENCE, WARM
from bench.results import Results

MB = 1e6
LIMIT_MUST_BYTES = 256_000_000
LIMIT_DREAM_BYTES = 128_000_000


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure that shall be at most `must`, and `least` or more; None is a figure that was not measured."""

    what: str
    figure: Callable[[Results], float | None]
    must: float
    dream: float | None = None
    unit: str = ""
    least: float = 0.0

    def verdict(self, results: Results) -> str:
        """Return how the figure stands: "dream", "ok", "MISSED" or "not measured"."""
        figure = self.figure(results)
        if figure is None:
            return "not measured"
        if not self.least <= figure <= self.must:
            return "MISSED"
        return "dream" if self.dream is not None and figure <= self.dream else "ok"


def missed(results: Results) -> list[Bound]:
    """Return the bounds that were measured and are not kept."""
    return [bound for bound in BOUNDS if bound.verdict(results) == "MISSED"]


def _time(work: str, contestant: str) -> Callable[[Results], float | None]:
    return lambda results: _ratio_to_script(results, work, contestant, "seconds")


def _size(work: str) -> Callable[[Results], float | None]:
    return lambda results: _ratio_to_script(results, work, COLD, "file_bytes")


def _outside(work: str) -> Callable[[Results], float | None]:
    def slower(results: Results) -> float | None:
        found = results.work(work)
        return _largest(found.outside(name) for name in (COLD, WARM)) if found else None

    return slower


def _peak(work: str, contestant: str) -> Callable[[Results], float | None]:
    return lambda results: results.peak_ratio(work, contestant)


def _limit(work: str, state: str) -> Callable[[Results], float | None]:
    """Return the larger of the limits for all threads and for one; None unless both were found."""

    def larger(results: Results) -> float | None:
        found = [limit for limit in results.limits if limit.work == work and limit.contestant.startswith(state)]
        limits = [limit.smallest_bytes for limit in found]
        if not limits or None in limits:
            return float("inf") if any(limit.trials for limit in found) else None
        return _largest(limit / MB for limit in limits if limit is not None)

    return larger


def _prediction(work: str, contestant: str) -> Callable[[Results], float | None]:
    def share(results: Results) -> float | None:
        found = results.work(work)
        return found.prediction_ratio(contestant) if found else None

    return share


def _ratio_to_script(results: Results, work: str, contestant: str, figure: str) -> float | None:
    found = results.work(work)
    return found.ratio(contestant, figure) if found else None


def _largest(figures: Iterable[float | None]) -> float | None:
    return max((figure for figure in figures if figure is not None), default=None)


BOUNDS = (
    Bound(f"S cold: seconds ÷ the {REFERENCE}'s", _time("S", COLD), 0.65, 0.45),
    Bound(f"S warm: seconds ÷ the {REFERENCE}'s", _time("S", WARM), 0.25, 0.15),
    Bound(f"R cold: seconds ÷ the {REFERENCE}'s", _time("R", COLD), 0.45, 0.35),
    Bound(f"R warm: seconds ÷ the {REFERENCE}'s", _time("R", WARM), 0.27, 0.20),
    Bound(f"S: size of the PNG ÷ the {REFERENCE}'s", _size("S"), 1.0, 0.85),
    Bound(f"R: size of the PNG ÷ the {REFERENCE}'s", _size("R"), 1.0, 0.85),
    Bound("S warm as TIFF: whole process ÷ libvips' tiffsave alone", lambda results: results.tiff_ratio(), 1.1, 0.5),
    Bound("tilepress --help", lambda results: results.help_seconds, 0.35, 0.2, "s"),
    Bound("S: outside fetch, prepare, render and deliver", _outside("S"), 0.5, 0.3, "s"),
    Bound("R: outside fetch, prepare, render and deliver", _outside("R"), 0.5, 0.3, "s"),
    *(
        Bound(
            f"{work} {state}, one design 6000×6000: smallest limit",
            _limit(f"{work}-large", name),
            LIMIT_MUST_BYTES / MB,
            LIMIT_DREAM_BYTES / MB,
            "MB",
        )
        for work in ("S", "R")
        for state, name in (("cold", COLD), ("warm", WARM))
    ),
    *(
        Bound(f"{work} {state}: peak memory ÷ that of S", _peak(work, name), must)
        for work, must in (("R", 1.10), ("P", 1.10), ("T", 1.05))
        for state, name in (("cold", COLD), ("warm", WARM))
    ),
    *(
        Bound(f"{work} {state}: peak memory ÷ that predicted", _prediction(work, name), 1.0, least=0.6)
        for work in ("S", "R", "D")
        for state, name in (("cold", COLD), ("warm", WARM))
    ),
)
