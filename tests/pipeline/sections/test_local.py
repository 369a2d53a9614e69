"""The analysers that need nobody else."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped, unused-ignore]

from config.errors import ArtworkError
from pipeline.sections.analysis import Analyzer, Section
from pipeline.sections.local import LocalAnalyzer, NoAnalyzer

BOTH: list[Analyzer] = [LocalAnalyzer(), NoAnalyzer()]


def _section(folder: Path) -> Section:
    canvas = Canvas(str(folder / "section.pdf"), pagesize=(360, 504), invariant=True)
    canvas.drawString(72, 300, "Some words")
    canvas.showPage()
    canvas.save()
    return Section("Introduction", (12,), folder / "section.pdf", "token-1")


def test_the_local_analysis_is_json_with_a_kind(tmp_path: Path) -> None:
    analysis = LocalAnalyzer().analyze(_section(tmp_path))

    assert json.loads(json.dumps(analysis, allow_nan=False)) == analysis
    assert {key: analysis[key] for key in ("kind", "words", "characters", "headings", "images")} == {
        "kind": "local", "words": 2, "characters": 9, "headings": [], "images": [],
    }  # fmt: skip
    assert analysis["findings"] == ["font Helvetica is not embedded (page 12)"]
    (page,) = analysis["pages"]
    assert (page["page"], page["width_in"], page["height_in"], page["least_text_pt"]) == (12, 5.0, 7.0, 12.0)
    assert 0 < page["ink"]["black"] == page["ink"]["total"] < page["ink"]["covered"] < 0.05


def test_every_key_of_the_analysis_is_explained(tmp_path: Path) -> None:
    analysis = LocalAnalyzer().analyze(_section(tmp_path))

    keys = {*analysis, *analysis["pages"][0], *analysis["fonts"][0], *analysis["pages"][0]["ink"]}
    explained = (LocalAnalyzer.__doc__ or "").replace("least_…", "least_dpi least_text_pt least_line_pt")

    assert [key for key in sorted(keys) if key not in explained] == []


def test_no_analysis_says_so(tmp_path: Path) -> None:
    assert NoAnalyzer().analyze(Section("", (1,), tmp_path / "nothing.pdf", "token")) == {"kind": "none"}


def test_a_pdf_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"no PDF")

    with pytest.raises(ArtworkError):
        LocalAnalyzer().analyze(Section("", (1,), tmp_path / "a.pdf", "token"))


@pytest.mark.parametrize("analyzer", BOTH, ids=repr)
def test_nothing_is_left_elsewhere_and_there_is_nothing_to_forget(analyzer: Analyzer, tmp_path: Path) -> None:
    section = _section(tmp_path)

    analyzer.analyze(section)
    analyzer.forget(section.token)

    assert not analyzer.leaves_traces
    assert [path.name for path in tmp_path.iterdir()] == ["section.pdf"]


@pytest.mark.parametrize("analyzer", BOTH, ids=repr)
def test_an_analyser_can_be_sent_to_another_process(analyzer: Analyzer) -> None:
    assert pickle.loads(pickle.dumps(analyzer)) == analyzer


def test_the_module_is_imported_without_pdfium() -> None:
    asked = "import sys, pipeline.sections.local; print({'pypdfium2', 'pikepdf'} & set(sys.modules))"

    answer = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert answer.stdout == "set()\n"
