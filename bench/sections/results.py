"""What was measured of sections, as frozen values and as sections.json. Knows medians and ratios; prints nothing."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from bench.results import Run


@dataclass(frozen=True, slots=True)
class Likeness:
    """How two programs' sections compare: how many each has; of the first's, the pages; of both, which differ.

    `other_pictures` counts sections whose pages have other pictures, `other_words` those of a few with another text.
    """

    sections: tuple[int, int]
    pages: int
    other_pictures: int
    other_words: int

    @property
    def agrees(self) -> bool:
        """Whether they are the same sections."""
        return self.sections[0] == self.sections[1] and not (self.other_pictures or self.other_words)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A run that also draws pages. `peaks` is the most that each section's process held, in bytes, in their order."""

    what: str
    dpi: int
    pages: int
    run: Run
    peaks: Sequence[int]


@dataclass(frozen=True, slots=True)
class SectionResults:
    """One benchmark of sections. `runs` by contestant; `shared` is tilepress's on shared resources.

    `drawn` is the run with all pages as images, None if none was asked for; `posters` the same page as A4 and as A0.
    """

    at: str
    machine: dict[str, str]
    scale: float
    pages: int
    sections: int
    document_bytes: int
    runs: dict[str, list[Run]]
    likeness: Likeness | None
    shared: Run
    drawn: Drawing | None
    posters: tuple[Drawing, Drawing] | None

    def typical(self, name: str, figure: str) -> float | None:
        """Return the median of a figure over a contestant's runs; None if it has none that did not fail."""
        values = [getattr(run, figure) for run in self.runs[name] if run.failure is None]
        return median(values) if values else None

    def ratio(self, name: str, reference: str, figure: str) -> float | None:
        """Return a contestant's figure ÷ another one's, of medians; None if either has none."""
        own, other = self.typical(name, figure), self.typical(reference, figure)
        return own / other if own is not None and other else None

    def problems(self) -> list[str]:
        """Return what makes the figures worthless: somebody failed, or did not make the same sections."""
        failures = {(name, run.failure) for name, runs in self.runs.items() for run in runs if run.failure}
        found = [f"{name} failed: {failure}" for name, failure in sorted(failures)]
        others = {"shared resources": self.shared}
        others |= {drawing.what: drawing.run for drawing in (self.drawn, *(self.posters or ())) if drawing}
        found += [f"{what} failed: {run.failure}" for what, run in others.items() if run.failure]
        if self.likeness is not None and not self.likeness.agrees:
            found.append(f"pypdf's sections are not tilepress's: {self.likeness}")
        return found


def write(results: SectionResults, file: Path) -> None:
    """Write sections.json; it appears whole."""
    aside = file.with_suffix(".partial")
    aside.write_text(json.dumps(asdict(results), indent=1) + "\n", encoding="utf-8")
    aside.replace(file)
