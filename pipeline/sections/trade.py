"""What the children of section jobs are for."""

from tiles.trade import Trade

SECTIONING = Trade(
    "taking it apart",
    "the process at work on it",
    "The document may be damaged: see what qpdf --check says. limits.timeout_s and limits.memory can be raised.",
    ("tiles.pdf.nursery", "pipeline.sections.handling", "pipeline.sections.local"),
)
