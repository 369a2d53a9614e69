"""The register of a document: which sections there are, what became of each, in sections.json beside the files.

Each section is entered in the journal as it ends, so that a killed run goes on right there; sections.json follows, some
seconds behind at most. What is no longer asked for is removed.
"""

import hashlib
import logging
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from config import VERSION
from config.errors import ArtworkError
from config.pageranges import format_page_ranges
from pipeline.claim import Claim
from pipeline.context import Stopwatch
from pipeline.delivery import Outbox, as_text, planned_files, write_pieces
from pipeline.sections.analysis import Analysis
from pipeline.sections.bindery import MANIFEST, Bindery
from pipeline.sections.documents import OpenDocument
from pipeline.sections.handling import Made
from pipeline.sections.journal import Entry, Journal
from pipeline.sections.planned import PlannedSection
from pipeline.sections.planning import SectionsPlan, analyzer_settings
from pipeline.sections.summary import SUMMARY, summary_pieces

SCHEMA = 1
KIND = "sections"
JOURNAL = ".tilepress.journal"
_RELIED_ON = ("number", "key", "files", "error")  # of an entry of a former run
NOTE_EVERY_S = 2.0
PUBLISH_EVERY_S = 30.0  # to a server: whoever goes on may be another machine, which knows nothing but what lies there
NOTE_SHARE = 20.0  # so many times as long as the last one took, at least: at most a twentieth of the time

log = logging.getLogger(__name__)


class Register:
    """The sections of one document as they come to be."""

    def __init__(
        self,
        plan: SectionsPlan,
        document: OpenDocument,
        outbox: Outbox,
        journal: Journal,
        bindery: Bindery,
        watch: Stopwatch,
    ) -> None:
        """Look at what a former run has left at the place."""
        self._plan, self._document, self._outbox, self._bindery = plan, document, outbox, bindery
        self._journal = journal
        self.watch = watch
        known = known_entries(outbox, journal)
        files = [file for section in plan.sections for file in section.files(bindery.job)]
        self._files = [*files, SUMMARY]
        made = (file["file"] for entry in known.values() for file in entry["files"])
        self._claim = Claim(outbox, self._files, {*planned_files(outbox.former()), *made})
        unchanged = {section.key: section for section in plan.sections if self._is_there(known.get(section.key))}
        self._done = {section.number for section in unchanged.values()}
        journal.begin(entry for entry in _stated(outbox, journal) if entry["key"] in unchanged)
        self.unchanged = self.made = len(self._done)
        self.failed = 0
        self._noted_at = self._noting_s = self._publishing_s = 0.0
        self._published_at = time.monotonic()

    def _is_there(self, entry: Entry | None) -> bool:
        """Tell whether a section is there already, made of the same, and complete."""
        if entry is None or entry["error"] is not None:
            return False
        return all(self._outbox.keeps(file["file"], file["bytes"], file["sha256"]) for file in entry["files"])

    def missing(self) -> list[PlannedSection]:
        """Return the sections that are still to be made."""
        return [section for section in self._plan.sections if section.number not in self._done]

    def clear(self) -> None:
        """Make the place ready: what former runs left there goes, but for the sections that stay as they are.

        What was made of other pages, or by other settings, would be taken for what it is called.
        """
        asked = [file for file in self._files if file not in self._claim.strangers]
        stays = [section for section in self._plan.sections if section.number in self._done]
        self._outbox.begin(asked, {file for section in stays for file in section.files(self._bindery.job)})
        if SUMMARY in self._claim.strangers:
            log.warning(f"{SUMMARY} is not written: a file of that name lies there that this job did not make")
        self._outbox.publish(self._manifest(None))  # whoever comes next knows what is this job's

    @property
    def strangers(self) -> set[str]:
        """The names of files that lie there and are not this job's."""
        return self._claim.strangers

    def check_place(self, section: PlannedSection) -> None:
        """Raise ArtworkError if a file that is not this job's lies where one of the section's would go."""
        for file in section.files(self._bindery.job):
            try:
                self._claim.check(file)
            except ArtworkError as error:
                raise ArtworkError(f"{file}: {error.message}", error.remedy) from None

    def add(self, section: PlannedSection, made: Made, attempts: int) -> None:
        """Deliver a section's files, and enter it with its analysis, or with why it is not complete."""
        for file in made.files:
            self._claim.put(file.file)
        files = [
            {
                "kind": file.kind,
                "file": file.file.path.name,
                "bytes": file.file.bytes,
                "sha256": file.file.sha256,
                **({"page": file.page} if file.page is not None else {}),
                **({"width_px": file.size_px[0], "height_px": file.size_px[1]} if file.size_px else {}),
            }
            for file in made.files
        ]
        self._journal.add(
            {
                "number": section.number,
                "title": section.title,
                "pages": format_page_ranges(section.pages),
                "page_count": len(section.pages),
                "key": section.key,
                "files": files,
                "analysis": _without_traces(made.analysis),
                "error": made.problem.message if made.problem else None,
                "attempts": attempts,
                "seconds": round(made.seconds, 3),
                "peak_bytes": made.peak_bytes,
            }
        )
        self.made += made.problem is None
        self.failed += made.problem is not None
        began = time.monotonic()
        if began - self._published_at > max(PUBLISH_EVERY_S, NOTE_SHARE * self._publishing_s):
            self._outbox.publish(self._manifest(None))
            self._published_at = self._noted_at = time.monotonic()
            self._publishing_s = self._published_at - began
        elif began - self._noted_at > max(NOTE_EVERY_S, NOTE_SHARE * self._noting_s):
            self.note()

    def note(self) -> None:
        """Write down on this machine how far the run has come: whatever ends it, no server is waited for."""
        began = time.monotonic()
        self._outbox.note(self._manifest(None))
        self._noted_at = time.monotonic()
        self._noting_s = self._noted_at - began

    def publish(self, *, finished: bool) -> str:
        """Bring summary and sections.json to their place; return where the latter is."""
        finished_at = datetime.now(UTC).isoformat(timespec="seconds") if finished else None
        if SUMMARY not in self._claim.strangers:
            head = self._head(finished_at)
            entries = (self._journal.find(section.number) for section in self._plan.sections)
            known = (entry for entry in entries if entry is not None)
            self._claim.put(write_pieces(self._outbox.folder / SUMMARY, summary_pieces(head, known)))
        self._outbox.publish(self._manifest(finished_at))
        if finished:
            self._journal.remove()
        return self._outbox.locate(MANIFEST)

    def files(self) -> tuple[str, ...]:
        """Return where the sections' own PDFs lie, in their order."""
        entries = (self._journal.find(section.number) for section in self._plan.sections)
        return tuple(self._outbox.locate(entry["files"][0]["file"]) for entry in entries if entry and entry["files"])

    def _manifest(self, finished_at: str | None) -> Iterator[str]:
        """Yield sections.json in pieces, a line for each section: it is never held whole."""
        (head,) = as_text(self._head(finished_at))
        yield f'{head.removesuffix("}").rstrip()},\n "sections": ['
        comma = ""
        for section in self._plan.sections:
            line = self._journal.line(section.number)
            if line:
                yield f"{comma}\n  {line}"
                comma = ","
        yield "\n ]\n}\n"

    def _head(self, finished_at: str | None) -> dict[str, Any]:
        """Return what sections.json says besides its sections."""
        context, job, document = self._bindery.context, self._bindery.job, self._document
        digest = hashlib.sha256("\n".join(section.key for section in self._plan.sections).encode())
        return {
            "schema": SCHEMA,
            "kind": KIND,
            "tilepress": VERSION,
            "job": job.name,
            "run": digest.hexdigest()[:12],
            "started_at": context.started_at,
            "finished_at": finished_at,
            "document": {
                "file": document.name,
                "sha256": document.sha256,
                "bytes": document.bytes,
                "pages": document.survey.pages,
                "title": document.survey.title,
                "encrypted": document.survey.encrypted,
                "repairs": list(document.survey.repairs),
                "lost_pages": document.survey.lost,
            },
            "documents_root": self._bindery.library.root_name,
            "analyzer": analyzer_settings(job),
            "text": job.output.text,
            "preview": job.output.preview,
            "images": job.pages.model_dump(mode="json") if job.pages else None,
            "gaps": format_page_ranges(self._plan.gaps),
            "planned": [file for file in self._files if file not in self._claim.strangers],
            "totals": {
                "sections": len(self._plan.sections),
                "made": self.made,
                "unchanged": self.unchanged,
                "failed": self.failed,
            },
            "memory": {
                "limit_bytes": context.governor.limit.bytes,
                "limit_source": context.governor.limit.source,
                "peak_bytes": context.governor.peak_bytes,
            },
            "seconds": self.watch.seconds(),
        }


def known_entries(outbox: Outbox, journal: Journal) -> dict[str, Entry]:
    """Return what is known of former sections, by key: number, files and error of each, and no analysis."""
    return former_entries(_stated(outbox, journal))


def _stated(outbox: Outbox, journal: Journal) -> Iterator[Entry]:
    """Yield what a former run has written down of its sections; what the journal says comes last, and counts."""
    return filter(_is_entry, chain(outbox.entries(), journal.former()))


def former_entries(entries: Iterable[Any]) -> dict[str, Entry]:
    """Return entries by their keys, those that are any, with no more of them than is relied on."""
    return {entry["key"]: {name: entry[name] for name in _RELIED_ON} for entry in entries if _is_entry(entry)}


def _without_traces(analysis: Analysis | None) -> Analysis | None:
    """Return an analysis without word of what it left elsewhere: that is seen to."""
    return None if analysis is None else {key: value for key, value in analysis.items() if key != "left"}


def _is_entry(entry: object) -> bool:
    """Tell whether something is a section's entry, as far as it is relied on."""
    if not isinstance(entry, dict) or not set(_RELIED_ON) <= entry.keys():
        return False
    if not isinstance(entry["key"], str):
        return False
    files = entry["files"]
    return isinstance(files, list) and all(
        isinstance(file, dict) and {"file", "bytes", "sha256"} <= file.keys() and isinstance(file["file"], str)
        for file in files
    )
