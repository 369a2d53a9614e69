"""What the children of section jobs are for."""

from tiles.trade import Trade

SDK_MODULES = ("google.genai",)  # half a second to import: once in the server, not in every child
SECTIONING = Trade(
    "taking it apart",
    "the process at work on it",
    "The document may be damaged: see what qpdf --check says. limits.timeout_s and limits.memory can be raised.",
    ("tiles.pdf.nursery", "pipeline.sections.handling", "pipeline.sections.local"),
)
