"""From what a job asks for to the sections of a document: their pages, titles and files. Pure."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from config.basis import MAX_FILE_NAME, NO_FILE_NAME
from config.errors import ConfigurationError
from config.pageranges import format_page_ranges, pages_of, parse_page_ranges
from config.sections import MAX_TITLE, MOST_SECTIONS, ByCount, ByOutline, SectionsJob
from pipeline.sections.planned import PlannedSection
from tiles.pdf.values import Bookmark, Survey

MOST_PAGES = 1_000_000  # of all sections together: an outline may jump to and fro
RECIPE = 1  # counts up when the same settings come to give other files
_MOST_BYTES_OF_A_CHARACTER = 4  # in UTF-8
_ROOM_FOR_ENDINGS = 30  # bytes of a file name: `_p000123.tif.partial` and the like
_DEBRIS = re.compile(r"[\s_]+")


@dataclass(frozen=True, slots=True)
class SectionsPlan:
    """The sections of a document, in their order; `gaps` are the pages, from 1, that none of them holds."""

    sections: tuple[PlannedSection, ...]
    gaps: tuple[int, ...]


def plan_sections(job: SectionsJob, survey: Survey, sha256: str, document: str) -> SectionsPlan:
    """Return the sections that a job makes of a document with this content, which messages call `document`.

    Raises ConfigurationError for pages it does not have, for an outline it does not have, and for too many sections.
    """
    chosen = _chosen(job, survey, document)
    if len(chosen) > MOST_SECTIONS:
        raise ConfigurationError(
            f"{document}: {len(chosen):,} sections are too many; at most {MOST_SECTIONS:,} are made",
            "Take larger ones.",
        )
    if sum(len(pages) for _, pages in chosen) > MOST_PAGES:
        raise ConfigurationError(
            f"{document}: the sections have more than {MOST_PAGES:,} pages in all", "Have them overlap less."
        )
    recipe = _recipe(job, sha256)
    sections = []
    for number, (title, pages) in enumerate(chosen, 1):
        stem = _stem(job, number, title, document)
        sections.append(PlannedSection(number, title, pages, stem, _key(recipe, number, title, pages, stem)))
    _check_names(sections, document)
    held = {page for section in sections for page in section.pages}
    return SectionsPlan(tuple(sections), tuple(page for page in range(1, survey.pages + 1) if page not in held))


def _check_names(sections: Sequence[PlannedSection], document: str) -> None:
    """Raise ConfigurationError if two sections would have the same files, on disks that do not tell a from A either."""
    numbers: dict[str, int] = {}
    for section in sections:
        first = numbers.setdefault(section.stem.casefold(), section.number)
        if first != section.number:
            raise ConfigurationError(
                f"{document}: sections {first} and {section.number} would both be {section.pdf}",
                "Set {number} apart in output.filename, as in {number:03}_{title}.",
            )


def _chosen(job: SectionsJob, survey: Survey, document: str) -> list[tuple[str, tuple[int, ...]]]:
    """Return the title and pages of each section."""
    said = job.sections
    if isinstance(said, ByCount):
        starts = range(1, survey.pages + 1, said.every)
        spans = [tuple(range(start, min(start + said.every, survey.pages + 1))) for start in starts]
        return [(_page_title(pages), pages) for pages in spans]
    if isinstance(said, ByOutline):
        return by_outline([mark for mark in survey.bookmarks if mark.level <= said.depth], survey.pages, document)
    if survey.lost:
        raise ConfigurationError(
            f"{document}: {pages_of(survey.lost)} cannot be read, so that the numbers of others are not certain",
            "Have it exported again, or use sections: {every: N}.",
        )
    chosen = []
    for index, section in enumerate(said):
        try:
            chosen.append((section.title, parse_page_ranges(str(section.pages), survey.pages)))
        except ValueError as error:
            raise ConfigurationError(
                f"{document}: {error} (sections[{index}].pages, of {section.title})", "Mend the page range."
            ) from None
    return chosen


def by_outline(marks: Sequence[Bookmark], page_count: int, document: str) -> list[tuple[str, tuple[int, ...]]]:
    """Return a section for each bookmark: it ends on the page before the next one, or on its own page if that is first.

    Raises ConfigurationError if there are no bookmarks.
    """
    if not marks:
        raise ConfigurationError(
            f"{document}: it has no outline to be taken apart by", "Use sections: {every: N}, or list pages."
        )
    starts = sorted({mark.page for mark in marks})
    after = dict(zip(starts, [*starts[1:], page_count + 1], strict=True))
    ends = [
        mark.page if following is not None and following.page == mark.page else after[mark.page] - 1
        for mark, following in zip(marks, [*marks[1:], None], strict=True)
    ]
    if sum(end + 1 - mark.page for mark, end in zip(marks, ends, strict=True)) > MOST_PAGES:
        raise ConfigurationError(f"{document}: its outline jumps to and fro too often", "List the pages yourself.")
    spans = [(mark.title, tuple(range(mark.page, end + 1))) for mark, end in zip(marks, ends, strict=True)]
    return [(one_line(title) or _page_title(pages), pages) for title, pages in spans]


def _page_title(pages: Sequence[int]) -> str:
    return f"Page {pages[0]}" if len(pages) == 1 else f"Pages {format_page_ranges(pages)}"


def one_line(title: str) -> str:
    """Return a title from a document as one short line."""
    kept = (char for char in title if unicodedata.category(char) != "Cf")  # soft hyphens and the like
    printable = "".join(char if char.isprintable() else " " for char in kept)
    return " ".join(printable.split())[:MAX_TITLE].strip()


def _stem(job: SectionsJob, number: int, title: str, document: str) -> str:
    """Return what a section's files are called, without their endings: within what file systems take."""
    title, document = _for_file(title) or "section", _for_file(PurePosixPath(document).stem) or "document"
    while True:
        stem = job.output.filename.format(number=number, title=title, document=document, job=job.name)
        too_long = len(stem.encode()) - (MAX_FILE_NAME - _ROOM_FOR_ENDINGS)
        if too_long <= 0 or len(title + document) <= 1:
            return stem
        less = -(-too_long // _MOST_BYTES_OF_A_CHARACTER)
        if len(title) > 1:
            title = title[: max(1, len(title) - less)].rstrip("_. ") or "_"
        else:
            document = document[: max(0, len(document) - less)]


def _for_file(title: str) -> str:
    """Return a title as part of a file name: spaces as _, without what file systems do not take."""
    text = unicodedata.normalize("NFC", title.encode("utf-8", "replace").decode())
    text = NO_FILE_NAME.sub("_", "".join(char if char.isprintable() else " " for char in text))
    return _DEBRIS.sub("_", text.replace("{", "(").replace("}", ")")).strip("_. ")


def _recipe(job: SectionsJob, sha256: str) -> Mapping[str, Any]:
    """Return everything that decides what a section's files and analysis are, but for the section."""
    return {
        "recipe": RECIPE,
        "document": sha256,
        "analyzer": analyzer_settings(job),
        "pages": job.pages.model_dump(mode="json") if job.pages else None,
        "text": job.output.text,
        "preview": job.output.preview,
    }


def analyzer_settings(job: SectionsJob) -> dict[str, Any]:
    """Return how sections are analysed, as anyone may read it."""
    return job.analyzer.model_dump(mode="json", exclude={"api_key", "timeout_s", "attempts"}, exclude_none=True)


def _key(recipe: Mapping[str, Any], number: int, title: str, pages: Sequence[int], stem: str) -> str:
    text = json.dumps([recipe, number, title, format_page_ranges(pages), stem], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def describe_gaps(gaps: Sequence[int]) -> str:
    """Return in words which pages are in no section; "" if all are."""
    if not gaps:
        return ""
    return f"{pages_of(len(gaps))} in no section: {format_page_ranges(gaps)}"
