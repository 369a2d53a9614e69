"""The protocol of analysers: what they are given of a section, and what they owe. They work in child processes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

Analysis = Mapping[str, Any]  # what stands in sections.json: JSON values; see Analyzer.analyze


def _unheard() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section that was cut: `pdf` holds its pages and no others; `pages` are their numbers in the document, from 1.

    `token` is unique to this attempt at it, 1 to 40 lower-case letters, digits and dashes: whatever an analyser leaves
    elsewhere bears it, so that it can be found again when the process has died. `leaving` is to be called before the
    first of it may come to lie there.
    """

    title: str
    pages: tuple[int, ...]
    pdf: Path
    token: str
    leaving: Callable[[], None] = field(default=_unheard, repr=False, compare=False)


class Analyzer(Protocol):
    """Looks into a section. A frozen value that can be sent to another process; its `repr` holds no secret."""

    @property
    def leaves_traces(self) -> bool:
        """Whether `analyze` may leave something elsewhere, which `forget` removes."""

    @property
    def account(self) -> str:
        """What tells whose that is: an analyser of the same account can remove it. It is no secret."""

    def analyze(self, section: Section) -> Analysis:
        """Return what there is to say of a section; which analyser says so stands under `kind`.

        Whatever it left elsewhere is gone when it returns; if it is not, what that is stands under `left`. Raises
        UnavailableError for what may pass, ArtworkError for what will not; if `section.leaving` was called before,
        `forget` is still to be called.
        """

    def forget(self, token: str) -> None:
        """Remove what `analyze` may have left elsewhere under a token; harmless if there is nothing.

        Raises UnavailableError if that cannot be told, or done, at the moment.
        """
