"""What tests of a section job's parts share: a job, a document and its surroundings as values, and files by name."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from config.sections import SectionsJob
from pipeline.context import Context, Stopwatch
from pipeline.delivery import FolderOutbox
from pipeline.governor import Governor
from pipeline.library import Library
from pipeline.machine import MemoryLimit
from pipeline.sections.analysis import Analysis, Analyzer, Section
from pipeline.sections.bindery import MANIFEST, Bindery
from pipeline.sections.documents import OpenDocument
from pipeline.sections.handling import Made, MadeFile, Problem
from pipeline.sections.journal import Journal
from pipeline.sections.planned import PlannedSection
from pipeline.sections.planning import SectionsPlan, plan_sections
from pipeline.sections.register import JOURNAL, Register
from pipeline.stopping import Stop
from tiles.pdf.values import Document, Survey
from tiles.sinks.sink import SheetFile

LIMIT_BYTES = 10**12


@dataclass(frozen=True)
class Reader:
    """An analyser that finds nothing; it may leave something elsewhere."""

    leaves_traces: bool = False
    account: str = "reader"

    def analyze(self, section: Section) -> Analysis:
        return {"kind": "reader"}

    def forget(self, token: str) -> None:
        pass


@dataclass
class Advance:
    """Progress that is counted."""

    ended: int = 0
    total: int = 0

    @contextmanager
    def track(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        self.total += total
        yield self._advance

    def _advance(self, count: int) -> None:
        self.ended += count


@dataclass
class Memory:
    """Memory in use, as a test would have it."""

    used_bytes: int = 0

    def measure(self) -> int:
        return self.used_bytes


@dataclass
class Workshop:
    """A job on a document of so many pages, by `every` a section, whose results go to a folder."""

    folder: Path
    keys: dict[str, Any] = field(default_factory=dict)
    pages: int = 6
    name: str = "lessons.pdf"
    analyzer: Analyzer = field(default_factory=Reader)
    stop: Stop = field(default_factory=Stop)
    progress: Advance = field(default_factory=Advance)
    memory: Memory = field(default_factory=Memory)
    threads: int = 4

    @property
    def job(self) -> SectionsJob:
        said = {
            "kind": "sections",
            "name": "job",
            "document": "lessons.pdf",
            "sections": {"every": 2},
            "delay_s": 0.0,
            "collect_garbage": False,
            "output": {"to": "out", "filename": "{number}", "text": False, "preview": False},
        }
        return SectionsJob.model_validate({**said, **self.keys})

    @property
    def document(self) -> OpenDocument:
        survey = Survey(self.pages, "", False, (), ())
        source = Document("sha", self.folder / "lessons.pdf")
        return OpenDocument(self.name, "sha", 1000, source, (1,), survey)

    @property
    def plan(self) -> SectionsPlan:
        return plan_sections(self.job, self.document.survey, "sha", "lessons.pdf")

    @property
    def outbox(self) -> FolderOutbox:
        return FolderOutbox(self.folder, MANIFEST)

    @property
    def bindery(self) -> Bindery:
        context = SimpleNamespace(
            started_at="2026-01-01T00:00:00+00:00",
            governor=Governor(MemoryLimit(LIMIT_BYTES, "a test"), self.memory.measure),
            stop=self.stop,
            progress=self.progress,
            threads=self.threads,
        )
        library = cast(Library, SimpleNamespace(root_name="/documents"))
        return Bindery(self.job, cast(Context, context), library, self.analyzer, str(self.folder))

    def register(self, journal: Journal) -> Register:
        return Register(self.plan, self.document, self.outbox, journal, self.bindery, Stopwatch())

    def journal(self) -> Journal:
        return Journal(self.folder / JOURNAL)

    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


def write(path: Path, content: bytes = b"pdf") -> SheetFile:
    path.write_bytes(content)
    return SheetFile(path, len(content), hashlib.sha256(content).hexdigest())


def made(section: PlannedSection, folder: Path, content: bytes = b"pdf", **keys: Any) -> Made:
    """Return a section that was made, its PDF written."""
    files = (MadeFile("pdf", write(folder / section.pdf, content)),)
    said: dict[str, Any] = {"analysis": {"kind": "reader"}, "problem": None, "seconds": 0.5, "peak_bytes": 1_000_000}
    return Made(files, **{**said, **keys})


def failed(message: str = "it is damaged", *, passes: bool = False, is_clean: bool = True) -> Made:
    """Return what there is of a section that could not be made; not clean if the analyser was asked."""
    return Made((), None, Problem(message, "Mend it.", passes), 0.5, 1_000_000, is_clean)
