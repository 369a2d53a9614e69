"""The bindery of a section job: what every step of it has at hand, and how its settings are read."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from config.designs import Sources
from config.errors import ConfigurationError
from config.sections import GeminiAnalyzer, SectionsJob
from config.units import parse_bytes
from pipeline.context import Context
from pipeline.desk import place_of, same_place
from pipeline.library import Library
from pipeline.patterns import matching
from pipeline.sections.analysis import Analyzer
from pipeline.sections.analyzers import open_analyzer
from pipeline.sections.handling import ImageForm
from pipeline.sections.traces import forget_trace
from pipeline.sections.trade import SECTIONING
from pipeline.storage.address import is_url, parse_address, public_name
from tiles.trade import Trade
from tiles.workbench import Workbench

SDK_MODULES = ("google.genai",)  # half a second to import: once in the server, not in every child


@dataclass(frozen=True, slots=True)
class Bindery:
    """What every step of a section job has at hand.

    `place` is where results go; of several documents, each has a folder of its own below.
    """

    job: SectionsJob
    context: Context
    library: Library
    analyzer: Analyzer
    place: str

    @property
    def workers(self) -> int:
        """How many sections may be made at once, if memory admits it."""
        return self.context.threads if self.job.workers == "auto" else self.job.workers

    @property
    def threads(self) -> int:
        """How many threads work on each section."""
        return max(1, self.context.threads // self.workers)

    @property
    def section_bytes(self) -> int:
        """The most memory that the process of one section may hold."""
        return min(parse_bytes(self.job.limits.memory), self.context.governor.limit.bytes)

    @property
    def images(self) -> ImageForm | None:
        """How pages are drawn; None if they are not."""
        pages = self.job.pages
        return ImageForm(pages.dpi, pages.format, pages.background, self.job.documents.max_pixels) if pages else None

    def documents(self) -> list[str]:
        """Return where the job's documents are, in order; ConfigurationError if there are none."""
        if self.job.document is not None:
            return [self.job.document if self._is_on_a_server else Path(self.job.document).name]
        instead = "Name the document of a server under document."
        return matching(self.job.documents.glob or "", self.library, Path(self.place), "documents", instead)

    @property
    def _is_on_a_server(self) -> bool:
        return is_url(self.job.document or "") or is_url(self.job.documents.root)

    def place_for(self, document: str) -> str:
        """Return where a document's results go: of several documents, each has a folder named like itself."""
        if self.job.document is not None:
            return self.place
        name = str(PurePosixPath(document).with_suffix(""))
        return f"{self.place.rstrip('/')}/{name}" if is_url(self.place) else str(Path(self.place) / name)

    @property
    def _trade(self) -> Trade:
        modules = (*SECTIONING.modules, *(SDK_MODULES if isinstance(self.job.analyzer, GeminiAnalyzer) else ()))
        return replace(SECTIONING, modules=modules, one_off=self.job.collect_garbage)

    def looking(self) -> Workbench:
        """Return the child that looks at documents as a whole."""
        return Workbench(1, self.section_bytes, self.job.documents.timeout_s, self._trade)

    def bench(self) -> Workbench:
        """Return the children that make sections; with `collect_garbage` each section has a process of its own."""
        return Workbench(self.workers, self.section_bytes, self.job.limits.timeout_s, self._trade)

    def forget(self, token: str, within_s: float) -> None:
        """Have the analyser remove, from a child, what it left elsewhere under a token; ArtworkError if it cannot."""
        with Workbench(1, self.section_bytes, within_s, self._trade) as bench:
            bench.submit(forget_trace, self.analyzer, token).result()


def open_bindery(job: SectionsJob, context: Context) -> Bindery:
    """Return the bindery for a job; ConfigurationError if results would be written where documents are read."""
    library = Library(_sources(job), context.folder, context.servers, context.store, "documents.root")
    place = place_of(job.output.to, context.folder, datetime.now(UTC).date().isoformat())
    if same_place(place, library.root_name):
        raise ConfigurationError(
            "output.to and the documents' folder are the same", "Results could overwrite them: name another folder."
        )
    return Bindery(job, context, library, open_analyzer(job.analyzer), place)


def public(document: str) -> str:
    """Return what a document is called where anyone may read it: of a URL, nothing that may be a signature."""
    try:
        return public_name(document)
    except ValueError:
        return "a URL that cannot be used"


def _sources(job: SectionsJob) -> Sources:
    """Return where the job's files are: a document that the job names itself lies where it says, and is let in."""
    if job.document is None:
        return job.documents
    if is_url(job.document):
        urls = (*job.documents.urls, f"{parse_address(job.document).scheme}://")
        return job.documents.model_copy(update={"urls": urls})
    if is_url(job.documents.root):
        return job.documents
    return job.documents.model_copy(update={"root": str((Path(job.documents.root) / job.document).parent)})
