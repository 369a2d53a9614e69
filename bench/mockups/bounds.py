"""What is promised of mock-ups: for each bound what must be, what is dreamt of, and how it is computed."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.contestants import COLD, WARM
from bench.mockups.contestants import OPENCV
from bench.mockups.results import MockupResults

CONTAINER_BYTES = 192_000_000


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure that shall be at most `must`; None is a figure that was not measured."""

    what: str
    figure: Callable[[MockupResults], float | None]
    must: float
    dream: float | None = None

    def verdict(self, results: MockupResults) -> str:
        """Return how the figure stands: "dream reached", "reached", "missed" or "not measured"."""
        figure = self.figure(results)
        if figure is None:
            return "not measured"
        if figure > self.must:
            return "missed"
        return "dream reached" if self.dream is not None and figure <= self.dream else "reached"


def missed(results: MockupResults) -> list[Bound]:
    """Return the bounds that were measured and are not kept."""
    return [bound for bound in BOUNDS if bound.verdict(results) == "missed"]


def _to_opencv(name: str, figure: str) -> Callable[[MockupResults], float | None]:
    return lambda results: results.ratio(name, OPENCV, figure)


def _container(results: MockupResults) -> float | None:
    """Return the smallest limit found, in MB; infinite where tilepress passed none."""
    found = [limit.smallest_bytes for limit in results.limits if limit.contestant == COLD]
    if not found:
        return None
    return found[0] / 1e6 if found[0] is not None else float("inf")


def _growth(results: MockupResults) -> float | None:
    few = results.typical(COLD, "peak_bytes")
    return results.many.peak_bytes / few if few and results.many.failure is None else None


def _again(results: MockupResults) -> float | None:
    catalogue = results.catalogue
    return catalogue.seconds_again / catalogue.seconds if catalogue is not None else None


BOUNDS = (
    Bound("M cold: seconds ÷ OpenCV's", _to_opencv(COLD, "seconds"), 0.5, 0.3),
    Bound("M warm: seconds ÷ OpenCV's", _to_opencv(WARM, "seconds"), 0.5, 0.3),
    Bound("M cold: peak memory ÷ OpenCV's", _to_opencv(COLD, "peak_bytes"), 0.25),
    Bound("M warm: peak memory ÷ OpenCV's", _to_opencv(WARM, "peak_bytes"), 0.25),
    Bound("M cold: smallest limit of memory, MB", _container, CONTAINER_BYTES / 1e6),
    Bound("ten times as many: peak memory ÷ that of M", _growth, 1.05),
    Bound("catalogue: seconds when all is there ÷ seconds", _again, 0.05),
)
