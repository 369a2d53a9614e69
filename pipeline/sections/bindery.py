"""The bindery of a section job: what every step of it has at hand, and how its settings are read."""

import hashlib
import unicodedata
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from config.designs import Sources
from config.errors import ArtworkError, ConfigurationError, TilepressError
from config.sections import GeminiAnalyzer, SectionsJob
from config.units import parse_bytes
from pipeline.context import Context
from pipeline.desk import place_of, same_place
from pipeline.library import Library
from pipeline.patterns import matching
from pipeline.sections.analysis import Analyzer
from pipeline.sections.analyzers import open_analyzer
from pipeline.sections.handling import ImageForm
from pipeline.sections.traces import TRACES, Traces, forget_trace, opened_traces
from pipeline.sections.trade import SDK_MODULES, SECTIONING
from pipeline.storage.address import is_url, parse_address, public_name, split_page
from tiles.trade import Trade
from tiles.workbench import Workbench

MANIFEST = "sections.json"
LEAST_BYTES = 200_000_000  # of a section's process, with what it maps and never touches
LOOKING_REMEDY = "The document may be damaged: see what qpdf --check says. documents.timeout_s can be raised."


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
        """The most memory that the process of one section may hold: so much that all of them fit, if that suffices."""
        share = max(self.context.governor.limit.bytes // self.workers, LEAST_BYTES)
        return min(parse_bytes(self.job.limits.memory), self.context.governor.limit.bytes, share)

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
        found = matching(self.job.documents.glob or "", self.library, Path(self.place), "documents", instead)
        assert isinstance(self.library.root, Path)  # or there would be no files to match
        names = [name for name in found if not (self.library.root / name).with_name(MANIFEST).exists()]  # results
        if not names:
            raise ConfigurationError(
                f"{self.library.root_name}: what matches lies beside a {MANIFEST}, as results of a run do",
                "Point documents.root at the documents themselves.",
            )
        _check_apart(names)
        return names

    @property
    def _is_on_a_server(self) -> bool:
        return is_url(self.job.document or "") or is_url(self.job.documents.root)

    def place_for(self, document: str) -> str:
        """Return where a document's results go: of several documents, each has a folder named like itself."""
        if self.job.document is not None:
            return self.place
        name = _folder_name(document)
        if not is_url(self.place):
            return str(Path(self.place) / name)
        try:
            return str(parse_address(self.place).below(name))
        except ValueError:
            raise ArtworkError("its name cannot be that of a folder on a server; rename it") from None

    @property
    def _trade(self) -> Trade:
        modules = (*SECTIONING.modules, *(SDK_MODULES if isinstance(self.job.analyzer, GeminiAnalyzer) else ()))
        return replace(SECTIONING, modules=modules, one_off=self.job.collect_garbage)

    def looking(self) -> Workbench:
        """Return the child that looks at documents as a whole."""
        trade = replace(self._trade, work="looking at it", remedy=LOOKING_REMEDY)
        return Workbench(1, self.section_bytes, self.job.documents.timeout_s, trade)

    def bench(self) -> Workbench:
        """Return the children that make sections; with `collect_garbage` each section has a process of its own."""
        return Workbench(self.workers, self.section_bytes, self.job.limits.timeout_s, self._trade)

    def forget(self, token: str, within_s: float) -> None:
        """Have the analyser remove, from a child, what it left elsewhere under a token; ArtworkError if it cannot."""
        trade = replace(self._trade, work="removing it", remedy="")
        with Workbench(1, self.section_bytes, within_s, trade) as bench:
            bench.submit(forget_trace, self.analyzer, token).result()

    def traces(self) -> AbstractContextManager[Traces]:
        """Open the job's traces: they lie in the store, as results may go to another folder each day."""
        place = hashlib.sha256(self.job.output.to.encode("utf-8", "surrogateescape")).hexdigest()[:8]
        path = self.context.store.root / TRACES / f"{self.job.name}-{place}.json"
        return opened_traces(path, self.forget, self.analyzer.account)


def open_bindery(job: SectionsJob, context: Context) -> Bindery:
    """Return the bindery for a job; ConfigurationError if results would be written where documents are read."""
    if job.document is not None and split_page(job.document)[1] is not None:
        raise ConfigurationError("document: a whole document is taken apart, not a page", "Leave #page= out.")
    library = Library(_sources(job), context.folder, context.servers, context.store, "documents.root")
    place = place_of(job.output.to, context.folder, datetime.now(UTC).date().isoformat())
    if same_place(place, library.root_name):
        raise ConfigurationError(
            "output.to and the documents' folder are the same", "Results could overwrite them: name another folder."
        )
    return Bindery(job, context, library, open_analyzer(job.analyzer), place)


def _folder_name(document: str) -> str:
    """Return the folder that the results of one of several documents go to, below the place."""
    return str(PurePosixPath(document).with_suffix(""))


def _check_apart(documents: Sequence[str]) -> None:
    """Raise ConfigurationError if two documents would have the same folder, also on disks that do not tell a from A."""
    folders: dict[str, str] = {}
    for document in documents:
        first = folders.setdefault(unicodedata.normalize("NFC", _folder_name(document)).casefold(), document)
        if first != document:
            raise ConfigurationError(
                f"the results of {first} and {document} would go to the same folder", "Rename one of them."
            )


def public(document: str) -> str:
    """Return what a document is called where anyone may read it: of a URL, nothing that may be a signature."""
    try:
        return public_name(document)
    except ValueError:
        return "a URL that cannot be used"


def is_the_jobs_own(error: TilepressError, documents: Sequence[str]) -> bool:
    """Tell whether an error is the whole job's, and no document's: a setting that fits the only one there is."""
    return isinstance(error, ConfigurationError) and len(documents) == 1


def about_document(name: str, error: TilepressError) -> str:
    """Return an error's message with the name of the document that it is about, once."""
    return error.message if name in error.message else f"{name}: {error.message}"


def _sources(job: SectionsJob) -> Sources:
    """Return where the job's files are: a document that the job names by its path lies where that says."""
    if job.document is None or is_url(job.document) or is_url(job.documents.root):
        return job.designs
    return job.documents.model_copy(update={"root": str((Path(job.documents.root) / job.document).parent)})
