"""One section in its child: what becomes of it where its document does not stay, and who may have left something."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from config.errors import ArtworkError, StorageError, UnavailableError
from pipeline.sections.analysis import Analysis, Section
from pipeline.sections.handling import SectionWork, handle
from pipeline.sections.planned import PlannedSection
from tests.sections import draw_document
from tiles.pdf import cut as cutting
from tiles.pdf.values import Document
from tiles.store import stamp_of
from tiles.tasks import survey_document

CHANGED = "the document changed while it was read"


@dataclass(frozen=True)
class Reader:
    """An analyser that says what it is told to, or raises it: after it has left something elsewhere, or before."""

    said: Analysis | Exception = field(default_factory=lambda: {"kind": "reader"})
    asked: list[str] = field(default_factory=list)
    leaves_traces: bool = True
    leaves: bool = False
    account: str = ""

    def analyze(self, section: Section) -> Analysis:
        self.asked.append(section.token)
        if self.leaves:
            section.leaving()
        if isinstance(self.said, Exception):
            raise self.said
        return self.said

    def forget(self, token: str) -> None:
        pass


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def work(tmp_path: Path, reader: Reader) -> SectionWork:
    path = draw_document(tmp_path / "in" / "lessons.pdf", 3)
    (tmp_path / "out").mkdir()
    return SectionWork(
        document=Document("sha", path),
        stamp=stamp_of(path),
        section=PlannedSection(1, "A", (2, 3), "1", "key"),
        folder=tmp_path / "out",
        text=False,
        preview=False,
        images=None,
        threads=1,
        analyzer=reader,
        attempt="token",
    )


def test_a_section_that_is_whole_has_its_files_and_its_analysis(work: SectionWork, reader: Reader) -> None:
    made = handle(work)
    assert [file.kind for file in made.files] == ["pdf"]
    assert (made.analysis, made.problem, made.is_clean, made.is_lost) == ({"kind": "reader"}, None, True, False)
    assert reader.asked == ["token"]


# Documents that do not stay


def vanish(path: Path) -> None:
    path.unlink()


def leave_with_its_folder(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()


def become_another(path: Path) -> None:
    draw_document(path, 4)


def become_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:700])


@pytest.mark.parametrize("change", [vanish, leave_with_its_folder, become_another, become_short])
def test_a_document_that_did_not_stay_costs_its_section_and_is_the_reason(
    work: SectionWork, reader: Reader, change: Any
) -> None:
    """Not the disk where sections go, which would end the run, nor damage that the document does not have."""
    change(work.document.path)
    made = handle(work)
    assert made.problem is not None
    assert (made.problem.message, made.problem.passes) == (CHANGED, False)
    assert (made.analysis, made.is_clean, reader.asked) == (None, True, [])


def test_a_document_that_changes_behind_its_cut_is_not_analysed(
    work: SectionWork, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = cutting.cut

    def cut_and_vanish(*args: Any) -> Any:
        try:
            return honest(*args)
        finally:
            work.document.path.unlink()

    monkeypatch.setattr(cutting, "cut", cut_and_vanish)
    made = handle(work)
    assert (made.problem and made.problem.message, [file.kind for file in made.files]) == (CHANGED, ["pdf"])
    assert (made.is_clean, reader.asked) == (True, [])


def test_a_folder_that_is_gone_is_the_disks_matter(work: SectionWork) -> None:
    work.folder.rmdir()
    with pytest.raises(StorageError):
        handle(work)


def test_a_document_that_vanishes_while_it_is_looked_at_costs_itself(tmp_path: Path) -> None:
    with pytest.raises(ArtworkError) as caught:
        survey_document(tmp_path / "gone.pdf", "")
    assert caught.value.message == "cannot be read: No such file or directory"


# Whether anything was left elsewhere


@pytest.mark.parametrize(
    ("said", "leaves", "is_clean", "message"),
    [
        ({"kind": "reader"}, True, True, None),
        ({"kind": "reader", "left": "files/x"}, True, False, None),
        (UnavailableError("busy"), True, False, "busy"),
        (UnavailableError("no connection"), False, True, "no connection"),
        (ArtworkError("refused"), True, False, "refused"),
        (ArtworkError("refused"), False, True, "refused"),
        (MemoryError(), True, False, "it needs more memory than a section may use"),
    ],
)
def test_only_an_analyser_that_says_so_and_then_fails_may_have_left_something(
    work: SectionWork, said: Mapping[str, Any] | Exception, leaves: bool, is_clean: bool, message: str | None
) -> None:
    made = handle(replace(work, analyzer=Reader(said, leaves=leaves)))
    assert (made.is_clean, made.problem.message if made.problem else None) == (is_clean, message)


def test_a_bug_of_the_analyser_leaves_it_open_what_lies_there(work: SectionWork) -> None:
    made = handle(replace(work, analyzer=Reader(ZeroDivisionError(), leaves=True)))
    assert made.problem is not None
    assert made.problem.message.startswith("a bug in tilepress")
    assert not made.is_clean
