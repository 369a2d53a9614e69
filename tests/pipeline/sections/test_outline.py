"""An outline as sections of a pipeline file: what is shown is pasted, and means the same titles and pages again."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.errors import ExitCode
from config.loader import load_pipeline
from config.pageranges import parse_page_ranges
from config.sections import SectionsJob
from pipeline.sections import outline as module
from pipeline.sections.outline import show_outline
from pipeline.sections.planning import by_outline
from tiles.pdf.values import Bookmark, Survey

HEAD = "version: 1\nname: course\njobs:\n- kind: sections\n  name: job\n  document: a.pdf\n  output: {to: out}\n"
PIECES = [
    "${",
    "$${",
    "$$",
    "${HOME}",
    "${A:-b}",
    "'",
    '"',
    ": ",
    " #",
    "\n",
    "\r\n",
    "\t",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ",",
]
PIECES += ["\\", "\\n", "|", ">", "&a", "*a", "!", "%", "@", "`", "?", "~", "null", "true", "07", "1:30", "0x1f", "1e3"]
PIECES += ["🖨️", "ü", "\u2028", "\x85", "\ufeff", "\u202e", "\x00", "\ue000", "日本語"]


class Bench:
    """A workbench that has looked at a document already."""

    found: Survey

    def __init__(self, *_: object) -> None:
        pass

    def submit(self, *_: object) -> Self:
        return self

    def result(self) -> Survey:
        return self.found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def shown(document: Path, survey: Survey, depth: int = 10) -> tuple[ExitCode, list[str]]:
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Workbench", Bench)
        patch.setattr(Bench, "found", survey, raising=False)
        return show_outline(document, depth, "", said.append), said


def pasted(folder: Path, lines: list[str]) -> SectionsJob:
    """Return the job in whose pipeline file the lines stand, as it is read with no variable set."""
    path = folder / "pipeline.yaml"
    path.write_text(
        HEAD + "".join(f"  {line}\n" for line in "\n".join(lines).split("\n")), encoding="utf-8", newline=""
    )
    (job,) = load_pipeline(path, {}).jobs
    assert isinstance(job, SectionsJob)
    return job


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "a.pdf"
    path.touch()
    return path


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("Press", '{title: "Press", pages: 1-3}'),
        ("${X}", '{title: "$${X}", pages: 1-3}'),
        ("$${X}", '{title: "$$${X}", pages: 1-3}'),
        ("$5 {a}", '{title: "$5 {a}", pages: 1-3}'),
        ("1e3", '{title: "1e3", pages: 1-3}'),
        ('"C:\\" – ü', r'{title: "\"C:\\\" – ü", pages: 1-3}'),
    ],
)
def test_what_would_be_a_variable_is_written_as_text(document: Path, title: str, line: str) -> None:
    exit_code, said = shown(document, Survey(3, "", False, (Bookmark(title, 1, 1),), ()))
    assert exit_code == ExitCode.DONE
    assert said[:2] == ["# a.pdf: 3 pages", "sections:"]
    assert said[2] == f"  - {line}"
    (section,) = sections_of(pasted(document.parent, said))
    assert section == (title, (1, 2, 3))


def sections_of(job: SectionsJob, pages: int = 3) -> list[tuple[str, tuple[int, ...]]]:
    assert isinstance(job.sections, tuple)
    return [(section.title, parse_page_ranges(str(section.pages), pages)) for section in job.sections]


TITLES = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=6).map("".join) | st.text(max_size=250)
MARKS = st.lists(st.builds(Bookmark, TITLES, st.just(1), st.integers(1, 9)), min_size=1, max_size=6)


@given(MARKS, TITLES)
@example([Bookmark("$${X}", 1, 1), Bookmark("${", 1, 2), Bookmark("$", 1, 3)], "${X}")
@example([Bookmark("x" * 300, 1, 1), Bookmark("🖨️ " * 150, 1, 2)], "a\nsections:\nb")
def test_a_pasted_outline_means_the_same_sections(
    tmp_path_factory: pytest.TempPathFactory, marks: list[Bookmark], title: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "outline"
    folder.mkdir(exist_ok=True)
    (folder / "a.pdf").touch()
    _, said = shown(folder / "a.pdf", Survey(9, title, False, tuple(marks), ()))
    assert sections_of(pasted(folder, said), 9) == by_outline(marks, 9, "a.pdf")
    assert len(said) == len(marks) + 2


def test_only_bookmarks_down_to_the_depth_are_shown(document: Path) -> None:
    survey = Survey(3, "", False, (Bookmark("A", 1, 1), Bookmark("deeper", 2, 2)), ())
    assert len(shown(document, survey, depth=1)[1]) == 3
    assert len(shown(document, survey, depth=2)[1]) == 4


def test_a_document_without_an_outline_is_said_to_have_none(document: Path) -> None:
    survey = Survey(3, "Größe\n#", False, (), ("its table of objects was rebuilt",))
    lines = ["# a.pdf: 3 pages, Größe #", "# damaged, and mended: its table of objects was rebuilt"]
    assert shown(document, survey) == (ExitCode.INCOMPLETE, [*lines, "# It has no outline."])


def test_a_file_name_cannot_leave_its_comment(tmp_path: Path) -> None:
    path = tmp_path / "a\nsections: {every: 1}\n.pdf"
    path.touch()
    survey: Any = Survey(1, "", False, (Bookmark("A", 1, 1),), ())
    _, said = shown(path, survey)
    assert said[0] == "# a sections: {every: 1} .pdf: 1 page"
