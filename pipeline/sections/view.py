"""What a section job would make: which sections of which pages, what is in none, and what is there. Makes nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.errors import ArtworkError, ConfigurationError
from config.pageranges import format_page_ranges, pages_of
from config.sections import SectionsJob
from config.units import format_bytes
from pipeline.context import Context, Stopwatch
from pipeline.delivery import FolderOutbox, storing
from pipeline.kinds import Outlook
from pipeline.prediction import PROCESS_BYTES, SERVER_BYTES, section_bytes
from pipeline.sections.bindery import MANIFEST, Bindery, about_document, is_the_jobs_own, open_bindery, public
from pipeline.sections.documents import OpenDocument, opened_document
from pipeline.sections.journal import Journal
from pipeline.sections.planning import SectionsPlan, describe_gaps, plan_sections
from pipeline.sections.register import JOURNAL, known_entries
from pipeline.storage.address import is_url

MAX_LINES_SHOWN = 50  # of a document's sections


def look_ahead(job: SectionsJob, context: Context) -> Outlook:
    """Say which sections the job would make."""
    bindery = open_bindery(job, context)
    documents = bindery.documents()
    lines = [f"Job {job.name}: sections to {bindery.place}"]
    content: list[dict[str, Any]] = []
    complete = True
    with storing(context.store.root), context.store.held(), context.governor:
        for reference in documents:
            try:
                with opened_document(reference, bindery, Stopwatch()) as document:
                    plan = plan_sections(job, document.survey, document.sha256, document.name)
                    lines += describe(document, plan, reference, bindery)
                    content.append(_content(document, plan))
                    complete &= not document.survey.lost
            except (ArtworkError, ConfigurationError) as error:
                if is_the_jobs_own(error, documents):
                    raise
                complete = False
                lines.append(f"  cannot be taken apart: {about_document(public(reference), error)}")
                content.append({"document": public(reference), "error": error.message})
    limit = context.governor.limit
    predicted = predicted_bytes(bindery)
    lines.append(f"  predicted peak memory: {format_bytes(predicted)} of {format_bytes(limit.bytes)} ({limit.source})")
    return Outlook(tuple(lines), {"job": job.name, "documents": content}, drawing=None, complete=complete)


def describe(document: OpenDocument, plan: SectionsPlan, reference: str, bindery: Bindery) -> Iterator[str]:
    """Yield the plan of a document in lines for a person."""
    count = len(plan.sections)
    unchanged = _unchanged(plan, bindery.place_for(reference))
    yield (
        f"  {document.name}: {pages_of(document.survey.pages)}, {count:,} {'section' if count == 1 else 'sections'}"
        + (f", {unchanged:,} of them there and unchanged" if unchanged else "")
    )
    for repair in document.survey.repairs:
        yield f"    damaged, and mended: {repair}"
    for section in plan.sections[:MAX_LINES_SHOWN]:
        yield f"    {section.number}. {section.title}: {format_page_ranges(section.pages)}"
    if count > MAX_LINES_SHOWN:
        yield f"    and {count - MAX_LINES_SHOWN:,} more"
    if plan.gaps:
        yield f"    {describe_gaps(plan.gaps)}"


def predicted_bytes(bindery: Bindery) -> int:
    """Return the most a run will hold at once."""
    each = section_bytes(draws=bindery.images is not None, threads=bindery.threads)
    return PROCESS_BYTES + SERVER_BYTES + each * bindery.workers


def _content(document: OpenDocument, plan: SectionsPlan) -> dict[str, Any]:
    return {
        "document": document.name,
        "sha256": document.sha256,
        "pages": document.survey.pages,
        "gaps": format_page_ranges(plan.gaps),
        "sections": [
            {
                "number": section.number,
                "title": section.title,
                "pages": format_page_ranges(section.pages),
                "file": section.pdf,
                "key": section.key,
            }
            for section in plan.sections
        ],
    }


def _unchanged(plan: SectionsPlan, place: str) -> int:
    """Return how many are there already, where that can be told without asking a server."""
    if is_url(place):
        return 0
    outbox = FolderOutbox(Path(place), MANIFEST)
    known = known_entries(outbox, Journal(outbox.folder / JOURNAL))
    made = [known[section.key] for section in plan.sections if section.key in known]
    return sum(entry["error"] is None and all(outbox.lies(file["file"]) for file in entry["files"]) for entry in made)
