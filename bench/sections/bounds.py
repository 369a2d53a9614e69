"""What is promised of sections: for each bound what must be, and how it is computed."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.sections.contestants import PYPDF, TILEPRESS
from bench.sections.results import Drawing, SectionResults


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure that shall be at most `must`; None is a figure that was not measured."""

    what: str
    figure: Callable[[SectionResults], float | None]
    must: float

    def verdict(self, results: SectionResults) -> str:
        """Return how the figure stands: "reached", "missed" or "not measured"."""
        figure = self.figure(results)
        if figure is None:
            return "not measured"
        return "missed" if figure > self.must else "reached"


def missed(results: SectionResults) -> list[Bound]:
    """Return the bounds that were measured and are not kept."""
    return [bound for bound in BOUNDS if bound.verdict(results) == "missed"]


def last_to_first(drawing: Drawing | None) -> float | None:
    """Return the peak of the last section's process ÷ the first one's; None if there are no two."""
    return drawing.peaks[-1] / drawing.peaks[0] if drawing and len(drawing.peaks) > 1 else None


def growth(drawing: Drawing | None) -> float | None:
    """Return the largest peak in the second half of the sections ÷ that in the first; None if there are no two."""
    if drawing is None or len(drawing.peaks) < 2:
        return None
    half = len(drawing.peaks) // 2
    return max(drawing.peaks[half:]) / max(drawing.peaks[:half])


def poster_ratio(posters: tuple[Drawing, Drawing] | None) -> float | None:
    """Return the peak memory of a page of A0 ÷ that of A4, of whole process trees; None where either is missing."""
    if posters is None:
        return None
    small, large = (drawing.run for drawing in posters)
    return large.peak_bytes / small.peak_bytes if not (small.failure or large.failure) else None


def _megabytes(results: SectionResults) -> float | None:
    peak = results.typical(TILEPRESS, "peak_bytes")
    return peak / 1e6 if peak is not None else None


def _dragged_along(results: SectionResults) -> float | None:
    return results.shared.file_bytes / results.document_bytes if results.shared.failure is None else None


BOUNDS = (
    Bound("D: seconds ÷ pypdf's", lambda results: results.ratio(TILEPRESS, PYPDF, "seconds"), 0.06),
    Bound("D: peak memory of the process tree, MB", _megabytes, 100),
    Bound("one resource dictionary for all pages: bytes of all sections ÷ the document's", _dragged_along, 1.05),
    Bound("pages drawn: peak of the last section ÷ the first's", lambda results: last_to_first(results.drawn), 1.1),
    Bound("pages drawn: largest peak of the second half ÷ the first's", lambda results: growth(results.drawn), 1.1),
    Bound("a page of A0: peak memory ÷ that of A4", lambda results: poster_ratio(results.posters), 1.2),
)
