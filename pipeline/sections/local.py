"""The analysers that need nobody else: one looks into the section on this machine, one does not look at all."""

from dataclasses import asdict, dataclass
from typing import Any

from pipeline.sections.analysis import Analysis, Section


@dataclass(frozen=True, slots=True)
class LocalAnalyzer:
    """Finds what a print shop wants to know before it prints a customer's PDF, with no network.

    The analysis, its lengths in inches (`_in`), points (`_pt`) or pixels (`_px`) and its pages by their numbers in the
    document:

        kind            "local"
        words, characters           of the text; characters but for white space
        headings        [{title, level, page, section_page}]: bookmarks within the section, the first 500
        pages           [{page, width_in, height_in, boxes, words, characters, images, coarse_images, least_dpi,
                        least_text_pt, least_line_pt, transparency, complete, ink}], or [{page, error}] for one that
                        cannot be read. Sizes are those seen, rotation and UserUnit applied. `boxes` are crop, bleed and
                        trim where they differ from the media box, each [left, bottom, width, height] from its corner.
                        `least_…` are null where there is nothing of the kind; a line of 0 is as thin as a device can.
                        `ink` {covered, cyan, magenta, yellow, black, total, most} are shares of the page's area, or of
                        solid ink: an estimate, as tiles/pdf/ink.py states it
        images          [{page, width_px, height_px, dpi_x, dpi_y, colours, bits, transparent}] as printed at 100 %, the
                        first 200; `images_left_out` more
        fonts           [{name, type, embedded, subset, used, page}] that pages can use, the first of them in `page`;
                        `fonts_left_out` more. `used` is false only if surely no visible text is set in it
        findings        short sentences: what to look at before printing
    """

    @property
    def leaves_traces(self) -> bool:
        """Nothing is left elsewhere."""
        return False

    @property
    def account(self) -> str:
        """Nobody's."""
        return ""

    def analyze(self, section: Section) -> Analysis:
        """Return what there is to say of a section; ArtworkError if its PDF cannot be read."""
        from tiles.pdf.examine import examine  # noqa: PLC0415 (children import pdfium, not the run's own process)

        facts: dict[str, Any] = _as_json(asdict(examine(section.pdf, section.pages)))
        return {"kind": "local", **facts}

    def forget(self, token: str) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class NoAnalyzer:
    """Says nothing of sections: {"kind": "none"}."""

    @property
    def leaves_traces(self) -> bool:
        """Nothing is left elsewhere."""
        return False

    @property
    def account(self) -> str:
        """Nobody's."""
        return ""

    def analyze(self, section: Section) -> Analysis:  # noqa: ARG002 (the protocol's)
        """Return the analysis of one who did not look."""
        return {"kind": "none"}

    def forget(self, token: str) -> None:
        """Do nothing."""


def _as_json(value: Any) -> Any:
    """Return values with lists for tuples, as they would be read again."""
    if isinstance(value, dict):
        return {key: _as_json(part) for key, part in value.items()}
    return [_as_json(part) for part in value] if isinstance(value, list | tuple) else value
