"""The benchmark of sections as a story: cut beside pypdf, are they alike, shared resources, pages drawn, a poster."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.layout import Layout
from bench.machine import machine
from bench.results import Run
from bench.running import Runner
from bench.sections.contestants import line_up, own, pypdf_folder, told
from bench.sections.documents import A0_MM, A4_MM, Photographs, photographs, poster
from bench.sections.layout import CUT_ONLY, lay_out
from bench.sections.results import Drawing, Likeness, SectionResults
from bench.tilepress import ENVIRONMENT, REPOSITORY

DRAWN_DPI, POSTER_DPI = 300, 600
_LIBRARIES = ("pikepdf", "pypdfium2", "pypdf")


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be measured: `pages` cut `runs` times into sections of `every`; of them `drawn` pages also as images.

    `posters` asks for one page of A4 and of A0. Pictures and resolutions are `scale` as large.
    """

    scale: float
    runs: int
    pages: int
    every: int
    drawn: int
    posters: bool


def run_benchmark(request: Request, runner: Runner) -> SectionResults:
    """Do every step in turn, in the runner's folder."""
    documents = photographs(runner.folder / "documents", request.pages, request.scale)
    size = documents.plain.stat().st_size
    runner.say(f"{documents.pages} pages of {documents.width_px}×{documents.height_px}, {size / 1e6:.0f} MB")
    layout = lay_out(documents.plain, request.pages, request.every, runner.folder / "D")
    done = _hold(runner, layout, request.runs)
    likeness = _compare(layout)
    shutil.rmtree(layout.folder)
    return SectionResults(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine={**machine(), **{name: version(name) for name in _LIBRARIES}},
        scale=request.scale,
        pages=request.pages,
        sections=layout.parts,
        document_bytes=size,
        runs=done,
        likeness=likeness,
        shared=_cut_shared(runner, documents, request.every),
        drawn=_draw_pages(runner, documents, request) if request.drawn else None,
        posters=_draw_posters(runner, request) if request.posters else None,
    )


def _hold(runner: Runner, layout: Layout, runs: int) -> dict[str, list[Run]]:
    """Run all in turn, again and again, so that a noisy minute strikes them alike."""
    done: dict[str, list[Run]] = {contestant.name: [] for contestant in line_up()}
    for number in range(1, runs + 1):
        for contestant in line_up():
            run = runner.run(contestant, layout)
            done[contestant.name].append(run)
            runner.say(f"D {number}/{runs} {contestant.name}: {_outcome(run)}")
    return done


def _compare(layout: Layout) -> Likeness | None:
    """Compare what the last runs made, in a process of its own; None where something is missing."""
    if any(len(contestant.sheets(layout)) != layout.parts for contestant in line_up()):
        return None
    command = [sys.executable, "-m", "bench.sections.likeness", str(layout.out), str(pypdf_folder(layout))]
    done = subprocess.run(command, cwd=REPOSITORY, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    return Likeness(**{**found, "sections": tuple(found["sections"])})


def _cut_shared(runner: Runner, documents: Photographs, every: int) -> Run:
    layout = lay_out(documents.shared, documents.pages, every, runner.folder / "shared")
    run = runner.run(own(), layout)
    runner.say(f"shared resources: {_outcome(run)}, {run.file_bytes / 1e6:.0f} MB of files")
    shutil.rmtree(layout.folder)
    return run


def _draw_pages(runner: Runner, documents: Photographs, request: Request) -> Drawing:
    pages, dpi = min(request.drawn, request.pages), round(DRAWN_DPI * request.scale)
    return _draw(runner, "pages drawn", documents.plain, pages, request.every, dpi)


def _draw_posters(runner: Runner, request: Request) -> tuple[Drawing, Drawing]:
    dpi, folder = round(POSTER_DPI * request.scale), runner.folder / "documents"
    small, large = poster(folder, "A4", A4_MM), poster(folder, "A0", A0_MM)
    return _draw(runner, "A4", small, 1, 1, dpi), _draw(runner, "A0", large, 1, 1, dpi)


def _draw(runner: Runner, what: str, document: Path, pages: int, every: int, dpi: int) -> Drawing:
    settings = {**CUT_ONLY, "pages": {"dpi": dpi}}
    layout = lay_out(document, pages, every, runner.folder / what.replace(" ", "-"), settings)
    run = runner.run(own(), layout)
    peaks = [int(section["peak_bytes"]) for section in told(layout)]
    runner.say(f"{what} at {dpi} DPI: {_outcome(run)}, peak {run.peak_bytes / 1e6:.0f} MB")
    shutil.rmtree(layout.folder)
    return Drawing(what, dpi, pages, run, peaks)


def _outcome(run: Run) -> str:
    return run.failure or f"{run.seconds:.2f} s"
