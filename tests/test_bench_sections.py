"""The benchmark of sections, run small so that it never rots. Asserts structure and judgement, never times."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from bench.contestants import Contestant
from bench.layout import Layout
from bench.results import Run
from bench.running import Runner
from bench.sections.bounds import BOUNDS, growth
from bench.sections.contestants import (
    PYPDF,
    PYPDF_ONCE,
    TILEPRESS,
    TILEPRESS_AUTO,
    line_up,
    pypdf,
    pypdf_folder,
    pypdf_once,
)
from bench.sections.documents import A4_MM, Photographs, photographs, poster
from bench.sections.layout import lay_out
from bench.sections.likeness import compare
from bench.sections.pdffile import PdfFile
from bench.sections.report import markdown, tables
from bench.sections.results import Drawing, Likeness, SectionResults

REPOSITORY = Path(__file__).parents[1]
SCALE, PAGES, EVERY = 0.05, 7, 3
MB = 1_000_000


def run(seconds: float, peak_mb: int, files_mb: int = 252) -> Run:
    return Run(seconds, seconds, peak_mb * MB, files_mb * MB, [(0.0, peak_mb * MB)])


DRAWN = Drawing("pages drawn", 300, 70, run(40.0, 150), [100 * MB, 120 * MB, 132 * MB, 110 * MB])
POSTERS = Drawing("A4", 600, 1, run(2.0, 100), [90 * MB]), Drawing("A0", 600, 1, run(20.0, 120), [95 * MB])
KEPT = SectionResults(
    at="2026-01-01T00:00:00+00:00",
    machine={"cpus": "2"},
    scale=1.0,
    pages=280,
    sections=40,
    document_bytes=252 * MB,
    runs={TILEPRESS: [run(1.2, 100)], PYPDF: [run(20.0, 3700)], PYPDF_ONCE: [run(3.0, 800)]},
    likeness=Likeness((40, 40), 280, 0, 0),
    shared=run(1.3, 100, 253),
    drawn=DRAWN,
    posters=POSTERS,
)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Photographs:
    return photographs(tmp_path_factory.mktemp("documents"), PAGES, SCALE)


def test_it_runs_from_end_to_end_on_small_pictures(tmp_path: Path) -> None:
    options = {"scale": SCALE, "runs": 1, "pages": PAGES, "every": EVERY, "drawn": 4, "folder": tmp_path}
    arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "bench.sections", *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=300)

    assert (done.returncode, [line for line in done.stderr.splitlines() if "PROBLEM" in line]) == (0, [])
    found = json.loads((tmp_path / "sections.json").read_text())
    assert list(found["runs"]) == [TILEPRESS, TILEPRESS_AUTO, PYPDF, PYPDF_ONCE]
    assert (found["pages"], found["sections"]) == (PAGES, 3)
    assert found["likeness"] == {"sections": [3, 3], "pages": PAGES, "other_pictures": 0, "other_words": 0}
    assert (found["drawn"]["dpi"], found["drawn"]["pages"], len(found["drawn"]["peaks"])) == (15, 4, 2)
    assert [(each["what"], each["dpi"], len(each["peaks"])) for each in found["posters"]] == [
        ("A4", 30, 1),
        ("A0", 30, 1),
    ]
    assert min(peak for each in (found["drawn"], *found["posters"]) for peak in each["peaks"]) > 1 * MB
    assert found["shared"]["file_bytes"] < 2 * found["document_bytes"]
    assert all(bound.what in done.stdout for bound in BOUNDS)


def test_pages_are_whole_and_no_two_pictures_are_the_same(documents: Photographs) -> None:
    for file in (documents.plain, documents.shared):
        assert words(file) == [f"Page {number} of {PAGES}" for number in range(1, PAGES + 1)]
        with pikepdf.open(file) as document:
            assert document.check_pdf_syntax() == []
            contents = [image.read_raw_bytes() for page in document.pages for image in page.get_images().values()]
            assert len(set(contents)) == PAGES


def test_pages_share_a_dictionary_of_resources_in_one_document_only(documents: Photographs) -> None:
    assert [resources(file) for file in (documents.plain, documents.shared)] == [PAGES, 1]


def test_documents_are_made_once_and_of_the_same_bytes(documents: Photographs, tmp_path: Path) -> None:
    again = photographs(tmp_path, PAGES, SCALE)
    assert again.plain.read_bytes() == documents.plain.read_bytes()

    again.plain.write_bytes(b"kept")
    assert photographs(tmp_path, PAGES, SCALE).plain.read_bytes() == b"kept"


def test_a_poster_is_one_page_of_its_size(tmp_path: Path) -> None:
    with pypdfium2.PdfDocument(poster(tmp_path, "A4", A4_MM)) as document:
        (page,) = document
        assert [round(side / 72 * 25.4) for side in page.get_size()] == [210, 297]
        colours = page.render(scale=0.3).to_pil().convert("RGB").getcolors(1 << 20)

    assert len(colours or []) > 1000


def test_a_document_that_cannot_be_finished_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), PdfFile(tmp_path / "a.pdf") as pdf:
        pdf.number()  # and never written

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("peer", [pypdf(), pypdf_once()], ids=lambda peer: peer.name)
def test_a_peer_makes_the_sections_asked_for(peer: Contestant, documents: Photographs, tmp_path: Path) -> None:
    layout = cut(peer, documents, tmp_path)

    made = [words(file) for file in peer.sheets(layout)]
    assert made == [
        [f"Page {number} of {PAGES}" for number in range(first, min(first + EVERY, PAGES + 1))] for first in (1, 4, 7)
    ]


def test_sections_are_the_same_only_with_the_same_pictures_and_words(documents: Photographs, tmp_path: Path) -> None:
    folder = pypdf_folder(cut(pypdf(), documents, tmp_path))
    same = Likeness((3, 3), PAGES, 0, 0)
    assert compare(folder, folder) == same

    other = tmp_path / "other"
    other.mkdir()
    for file in sorted(folder.iterdir())[:2]:
        (other / file.name).write_bytes(file.read_bytes())
    fewer = compare(folder, other)
    swapped = sorted(other.iterdir())[1]
    swapped.write_bytes((other / "001.pdf").read_bytes())
    wrong = compare(folder, other)

    assert (fewer, wrong) == (replace(same, sections=(3, 2)), Likeness((3, 2), PAGES, 1, 1))
    assert [each.agrees for each in (same, fewer, replace(wrong, sections=(3, 3)))] == [True, False, False]


def test_what_is_promised_is_kept_at_the_bounds() -> None:
    assert [bound.verdict(KEPT) for bound in BOUNDS] == ["reached"] * len(BOUNDS)
    assert KEPT.problems() == []
    assert "the same sections" in tables(KEPT)
    assert "| 1.2 s, 100 MB, 0.060× | 20.0 s, 3700 MB | 3.0 s, 800 MB, 0.150× |" in markdown(KEPT)


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (replace(KEPT, runs={**KEPT.runs, TILEPRESS: [run(1.21, 100)]}), "D: seconds ÷ pypdf's"),
        (replace(KEPT, runs={**KEPT.runs, TILEPRESS: [run(1.2, 101)]}), "D: peak memory of the process tree, MB"),
        (replace(KEPT, shared=run(1.3, 100, 265)), "one resource dictionary for all pages"),
        (replace(KEPT, drawn=replace(DRAWN, peaks=[100, 200, 200, 111])), "pages drawn: peak of the last section"),
        (
            replace(KEPT, drawn=replace(DRAWN, peaks=[100, 100, 111, 100])),
            "pages drawn: largest peak of the second half",
        ),
        (replace(KEPT, posters=(POSTERS[0], replace(POSTERS[1], run=run(9, 121)))), "a page of A0: peak memory"),
    ],
)
def test_a_broken_promise_is_named(broken: SectionResults, what: str) -> None:
    (missed,) = [bound.what for bound in BOUNDS if bound.verdict(broken) == "missed"]

    assert missed.startswith(what)


def test_what_was_not_measured_is_said_to_be_so() -> None:
    found = replace(KEPT, drawn=None, posters=None)

    assert [bound.verdict(found) for bound in BOUNDS] == ["reached"] * 3 + ["not measured"] * 3
    assert "Pages as images: not asked for (--drawn)" in tables(found)
    assert "A page of A0: not asked for (--no-posters)" in tables(found)


def test_one_section_cannot_grow() -> None:
    assert growth(POSTERS[0]) is None


def test_figures_are_worth_nothing_where_somebody_failed_or_cut_otherwise() -> None:
    failed = replace(run(1.0, 10), failure="exit code 3: no")
    found = replace(
        KEPT,
        runs={**KEPT.runs, TILEPRESS: [run(1.2, 100), failed]},
        shared=failed,
        posters=(POSTERS[0], replace(POSTERS[1], run=failed)),
        likeness=Likeness((40, 40), 280, 1, 0),
    )

    assert [problem.partition(":")[0] for problem in found.problems()] == [
        "tilepress failed",
        "shared resources failed",
        "A0 failed",
        "pypdf's sections are not tilepress's",
    ]
    assert "failed 1 of 2: exit code 3: no" in tables(found)


def test_tilepress_comes_first_and_then_pypdf_in_two_ways() -> None:
    assert [contestant.name for contestant in line_up()] == [TILEPRESS, TILEPRESS_AUTO, PYPDF, PYPDF_ONCE]


def cut(peer: Contestant, documents: Photographs, folder: Path) -> Layout:
    """Return the layout that the peer has been run for."""
    layout = lay_out(documents.plain, PAGES, EVERY, folder / "D")
    done = Runner(folder, lambda line: None).run(peer, layout)
    assert done.failure is None
    return layout


def words(file: Path) -> list[str]:
    """Return the words on each page."""
    with pypdfium2.PdfDocument(file) as document:
        return [str(page.get_textpage().get_text_bounded()) for page in document]


def resources(file: Path) -> int:
    """Return how many dictionaries of resources the pages have."""
    with pikepdf.open(file) as document:
        return len({page.obj["/Resources"].objgen for page in document.pages})
