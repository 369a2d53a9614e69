"""Proof of a section run: every file hashed, and every section made again from the document.

The same document gives the same bytes. Another version of a library may write the same section otherwise: then pages,
text and pixels are compared.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import ArtworkError
from config.pageranges import format_page_ranges, parse_page_ranges
from config.sections import Pages
from pipeline.evidence import Evidence, Verdict
from pipeline.sections.handling import ImageForm, Made, SectionWork, handle
from pipeline.sections.local import NoAnalyzer
from pipeline.sections.planned import PlannedSection
from tiles.pdf.values import Document
from tiles.sinks.sink import SheetFile
from tiles.store import hash_file, stamp_of
from tiles.tasks import compare_pdfs, difference

if TYPE_CHECKING:
    from tiles.children import Task

ACCEPTED_PX = 2**40  # whatever was drawn was accepted once
SAME_LEVELS = 2.0  # that a page drawn by another version may differ by, in its worst block of 8×8 pixels


def prove(evidence: Evidence) -> Verdict:
    """Prove the sections that a sections.json lists. What an analyser said is not asked for again."""
    manifest = evidence.manifest
    problems = list(_check_totals(manifest))
    document, problem = _find_document(evidence)
    problems += [problem] if problem else []
    with evidence.progress.track("Verifying sections", len(manifest["sections"])) as advance:
        for entry in manifest["sections"]:
            found = list(_check_section(entry, document, evidence))
            problems += [f"{entry['number']}. {entry['title']}: {line}" for line in found]
            advance(1)
    complete = sum(entry["error"] is None for entry in manifest["sections"])
    others = "" if complete == len(manifest["sections"]) else f" ({complete} complete)"
    return Verdict(f"{len(manifest['sections'])} sections{others}", tuple(problems))


def _check_totals(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the run as a whole: unfinished, miscounted, or with pages in no section unsaid."""
    totals, entries = manifest["totals"], manifest["sections"]
    failed = sum(entry["error"] is not None for entry in entries)
    if manifest["finished_at"] is None:
        yield f"the run was not finished: {len(entries)} of {totals['sections']} sections are there"
    elif len(entries) != totals["sections"]:
        yield f"totals.sections is {totals['sections']}, counted: {len(entries)}"
    for name, count in (("made", len(entries) - failed), ("failed", failed)):
        if totals[name] != count:
            yield f"totals.{name} is {totals[name]}, counted: {count}"
    if [entry["number"] for entry in entries] != sorted({entry["number"] for entry in entries}):
        yield "the sections are not in their order, or one is listed twice"
    listed = {file["file"] for entry in entries for file in entry["files"]}
    stray = sorted(listed - set(manifest["planned"]))
    if stray:
        yield f"files are listed that were not planned: {', '.join(stray)}"
    pages = manifest["document"]["pages"]
    held = {page for entry in entries for page in parse_page_ranges(entry["pages"], pages)}
    gaps = format_page_ranges([page for page in range(1, pages + 1) if page not in held])
    if manifest["finished_at"] is not None and gaps != manifest["gaps"]:
        yield f"gaps is {manifest['gaps'] or 'empty'}; pages in no section: {gaps or 'none'}"


def _find_document(evidence: Evidence) -> tuple[Document | None, str]:
    """Return the document that the sections are of, or why it cannot be had."""
    stated = evidence.manifest["document"]
    name = stated["file"]
    try:
        path = evidence.library(evidence.manifest["documents_root"], "documents.root", False).locate(name)
        if hash_file(path) != stated["sha256"]:
            return None, f"{name}: changed since the run; its sections could not be made again"
    except ArtworkError as error:
        return None, f"{name}: {error.message}; its sections could not be made again"
    if stated["encrypted"] and not evidence.password:
        return (
            None,
            f"{name}: it is encrypted; give --pipeline, which has its password, to have its sections made again",
        )
    return Document(stated["sha256"], path, evidence.password), ""


def _check_section(entry: Mapping[str, Any], document: Document | None, evidence: Evidence) -> Iterator[str]:
    """Yield what is wrong with one section: its files, and what they would be if they were made again."""
    yield from _check_listing(entry, evidence.manifest)
    if not any(file["kind"] == "pdf" for file in entry["files"]):
        return
    scratch = evidence.place.store.root.with_name("again")
    scratch.mkdir(exist_ok=True)
    try:
        again: dict[str, SheetFile] = {}
        if document is not None:
            outcome = _make_again(entry, document, scratch, evidence)
            if isinstance(outcome, ArtworkError):
                yield f"it could not be made again: {outcome.message}"
            else:
                again = {made.file.path.name: made.file for made in outcome.files}
                if outcome.problem is not None and entry["error"] is None:
                    yield f"it could not be made again: {outcome.problem.message}"
        for stated in entry["files"]:
            name = Path(stated["file"]).name
            with evidence.delivered.opened(name) as path:
                problem = _check_file(path, stated, again.get(name), evidence)
            if problem:
                yield f"{name}: {problem}"
    finally:
        shutil.rmtree(scratch, ignore_errors=True)  # what a child still writes there goes with the folder above


def _check_listing(entry: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a section does not list, if it is said to be complete."""
    pages = parse_page_ranges(entry["pages"], manifest["document"]["pages"])
    if entry["page_count"] != len(pages):
        yield f"page_count is {entry['page_count']}, counted: {len(pages)}"
    if entry["error"] is not None:
        return
    images = [file["page"] for file in entry["files"] if file["kind"] == "page"]
    if images != (list(pages) if manifest["images"] else []):
        yield "the images listed are not those of its pages"
    kinds = [file["kind"] for file in entry["files"] if file["kind"] != "page"]
    wanted = ["pdf", *(kind for kind in ("text", "preview") if manifest[kind])]
    if kinds != wanted:
        yield f"it lists {', '.join(kinds) or 'no files'}; a complete section has {', '.join(wanted)}"


def _make_again(entry: Mapping[str, Any], document: Document, scratch: Path, evidence: Evidence) -> Made | ArtworkError:
    """Make a section's files again, but for its analysis."""
    manifest, files = evidence.manifest, {file["kind"]: Path(file["file"]).name for file in entry["files"]}
    pages = parse_page_ranges(entry["pages"], manifest["document"]["pages"])
    section = PlannedSection(entry["number"], entry["title"], pages, files["pdf"].removesuffix(".pdf"), entry["key"])
    images = Pages.model_validate(manifest["images"]) if "page" in files else None
    work = SectionWork(
        document=document,
        stamp=stamp_of(document.path),
        section=section,
        folder=scratch,
        text="text" in files,
        preview="preview" in files,
        images=ImageForm(images.dpi, images.format, images.background, ACCEPTED_PX) if images else None,
        threads=evidence.place.bench.workers,
        analyzer=NoAnalyzer(),
        attempt="",
    )
    return evidence.place.bench.submit(handle, work).outcome()


def _check_file(path: Path | None, stated: Mapping[str, Any], again: SheetFile | None, evidence: Evidence) -> str:
    """Return what is wrong with a file; "" if nothing is."""
    if path is None:
        return "the file is missing"
    if path.stat().st_size != stated["bytes"] or hash_file(path) != stated["sha256"]:
        return "the file is not the one that was written: its SHA-256 differs"
    if again is None or again.sha256 == stated["sha256"]:
        return ""
    return _apart(path, again.path, stated["kind"], evidence)


def _apart(path: Path, again: Path, kind: str, evidence: Evidence) -> str:
    """Return how a file differs from the one that was made again, where that is more than a library's version."""
    if kind == "text":
        return "it is not the text of its pages"
    bench = evidence.place.bench
    task: Task[Any] = bench.submit(compare_pdfs if kind == "pdf" else difference, path, again)
    outcome = task.outcome()
    if isinstance(outcome, ArtworkError):
        return outcome.message
    if isinstance(outcome, str):
        return outcome
    return (
        f"it is not the picture of its page: somewhere it differs by {outcome:.1f} levels"
        if outcome > SAME_LEVELS
        else ""
    )
