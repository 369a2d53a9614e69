"""`tilepress sections outline`: a document's outline as sections of a pipeline file, to be pasted and edited."""

import json
from collections.abc import Callable
from pathlib import Path

from config.errors import ArtworkError, ConfigurationError, ExitCode
from config.pageranges import format_page_ranges, pages_of
from pipeline.machine import memory_limit
from pipeline.sections.planning import by_outline, one_line
from pipeline.sections.trade import SECTIONING
from tiles.tasks import survey_document
from tiles.workbench import Workbench

TIMEOUT_S = 300.0


def show_outline(file: Path, depth: int, password: str, say: Callable[[str], None]) -> ExitCode:
    """Say how many pages a PDF has, and its outline down to `depth`, as YAML; return the exit code.

    Raises ConfigurationError if there is no such file, ArtworkError if it cannot be used.
    """
    if not file.is_file():
        raise ConfigurationError(f"{file}: no such file", "Name a PDF on this machine.")
    with Workbench(1, memory_limit().bytes, TIMEOUT_S, SECTIONING) as bench:
        try:
            survey = bench.submit(survey_document, file, password).result()
        except ArtworkError as error:
            raise ArtworkError(f"{file.name}: {error.message}", error.remedy) from None
    say(f"# {one_line(file.name)}: {pages_of(survey.pages)}" + (f", {one_line(survey.title)}" if survey.title else ""))
    for repair in survey.repairs:
        say(f"# damaged, and mended: {repair}")
    marks = [mark for mark in survey.bookmarks if mark.level <= depth]
    if not marks:
        say("# It has no outline.")
        return ExitCode.INCOMPLETE
    say("sections:")
    for title, pages in by_outline(marks, survey.pages, file.name):
        quoted = json.dumps(title.replace("${", "$${"), ensure_ascii=False)  # as YAML has it, too
        say(f"  - {{title: {quoted}, pages: {format_page_ranges(pages)}}}")
    return ExitCode.DONE
