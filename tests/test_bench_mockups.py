"""The benchmark of mock-ups, run small so that it never rots. Asserts structure and judgement, never times."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.artwork import drawn
from bench.cage import why_no_cage
from bench.contestants import COLD, WARM
from bench.copies import distinct_copies
from bench.measure import Usage
from bench.mockups.bounds import BOUNDS, CONTAINER_BYTES
from bench.mockups.catalogue import tenths
from bench.mockups.contestants import OPENCV, line_up, opencv
from bench.mockups.layout import lay_out
from bench.mockups.likeness import compare
from bench.mockups.limits import find_limit
from bench.mockups.report import tables
from bench.mockups.results import Catalogue, Likeness, MockupResults
from bench.mockups.shapes import corners
from bench.mockups.shoot import artworks, photographs
from bench.results import LimitResult, Run
from bench.running import Runner
from bench.search import Trial
from config.templates import shape_problem

REPOSITORY = Path(__file__).parents[1]
SCALE = 0.05
MB = 1_000_000
CATALOGUE = Catalogue(200, 2000, 1800, 3000, 600.0, [100 * MB] * 5 + [103 * MB] * 5, 4_000 * MB, 30.0)

no_cage = why_no_cage()
caged = pytest.mark.skipif(no_cage is not None, reason=f"no cage can be made here: {no_cage}")


def run(seconds: float, peak_mb: int) -> Run:
    return Run(seconds, seconds, peak_mb * MB, 20 * MB, [(0.0, peak_mb * MB)])


KEPT = MockupResults(
    at="2026-01-01T00:00:00+00:00",
    machine={"cpus": "2"},
    scale=1.0,
    artwork_px=3600,
    photograph_px=3000,
    mockups=10,
    runs={COLD: [run(3.0, 100)], WARM: [run(2.0, 100)], OPENCV: [run(10.0, 400)]},
    predicted_bytes=120 * MB,
    likeness=Likeness(0.6, 0.0),
    many_mockups=100,
    many=run(30.0, 105),
    limits=(LimitResult("M", COLD, trials=(Trial(CONTAINER_BYTES, 4.0, None), Trial(96 * MB, 1.0, "killed"))),),
    no_cage=None,
    catalogue=CATALOGUE,
)


def test_it_runs_from_end_to_end_on_small_pictures(tmp_path: Path) -> None:
    arguments = ["--scale", SCALE, "--runs", 1, "--no-limits", "--catalogue", "--designs", 3, "--folder", tmp_path]
    command = [sys.executable, "-m", "bench.mockups", *map(str, arguments)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=300)

    assert (done.returncode, [line for line in done.stderr.splitlines() if "PROBLEM" in line]) == (0, [])
    found = json.loads((tmp_path / "mockups.json").read_text())
    assert list(found["runs"]) == [COLD, WARM, OPENCV]
    assert (found["photograph_px"], found["artwork_px"], found["mockups"], found["many_mockups"]) == (150, 180, 10, 100)
    assert min(run["peak_bytes"] for runs in found["runs"].values() for run in runs) > 1 * MB
    assert Likeness(**found["likeness"]).agrees
    catalogue = found["catalogue"]
    assert (catalogue["designs"], catalogue["mockups"], catalogue["design_px"]) == (3, 30, 90)
    assert (len(catalogue["peaks"]), catalogue["file_bytes"] > 30_000) == (10, True)
    every_question_has_its_line(done.stdout)


def every_question_has_its_line(printed: str) -> None:
    for words in (
        "M, mock-ups: 10 of 150×150, artwork of 180×180; one run",
        "`tilepress plan` predicts",
        "Seconds of tilepress by step",
        "the same pictures",
        "not measured: left out (--no-limits)",
        "100 mock-ups of 10 artworks, cold",
        "A catalogue: 3 designs of 90 px on 10 photographs of 150 px",
        "mock-ups a second",
        "by tenths of the run",
        "again, when all is there",
        *(bound.what for bound in BOUNDS),
    ):
        assert words in printed
    lines = printed.splitlines()
    head = lines.index(f"| work | {COLD} | {WARM} | {OPENCV} |")
    assert lines[head + 2].startswith("| M, mock-ups: 10 of 150×150, artwork of 180×180 |")
    assert lines[head + 2].count(" MB") == 3


def test_what_is_promised_is_kept_at_the_bounds() -> None:
    verdicts = [bound.verdict(KEPT) for bound in BOUNDS]

    assert ["dream reached", "dream reached", *["reached"] * 5] == verdicts
    assert "tilepress, cold, in 192 MB: all 10 made in 4.00 s" in tables(KEPT)
    assert "the second half's ÷ the first's 1.03" in tables(KEPT)
    assert KEPT.problems() == []


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (replace(KEPT, runs={**KEPT.runs, COLD: [run(5.1, 100)]}), "M cold: seconds ÷ OpenCV's"),
        (replace(KEPT, runs={**KEPT.runs, WARM: [run(2.0, 101)]}), "M warm: peak memory ÷ OpenCV's"),
        (replace(KEPT, many=run(30.0, 106)), "ten times as many: peak memory ÷ that of M"),
        (replace(KEPT, catalogue=replace(CATALOGUE, seconds_again=31.0)), "catalogue: seconds when all is there ÷"),
        (replace(KEPT, limits=(LimitResult("M", COLD, trials=(Trial(193 * MB, 1, None),)),)), "M cold: smallest limit"),
        (replace(KEPT, limits=(LimitResult("M", COLD, trials=(Trial(999 * MB, 1, "no"),)),)), "M cold: smallest limit"),
    ],
)
def test_a_broken_promise_is_named(broken: MockupResults, what: str) -> None:
    (missed,) = [bound.what for bound in BOUNDS if bound.verdict(broken) == "missed"]

    assert missed.startswith(what)


def test_what_was_not_measured_is_said_to_be_so() -> None:
    found = replace(KEPT, limits=(), no_cage="Permission denied", catalogue=None)

    unmeasured = [bound.what for bound in BOUNDS if bound.verdict(found) == "not measured"]
    assert unmeasured == ["M cold: smallest limit of memory, MB", "catalogue: seconds when all is there ÷ seconds"]
    assert "not measured: Permission denied" in tables(found)
    assert "not asked for (--catalogue)" in tables(found)


def test_figures_are_worth_nothing_where_somebody_failed_or_made_other_pictures() -> None:
    failed = replace(run(1.0, 10), failure="exit code 3: no")
    found = replace(KEPT, runs={**KEPT.runs, COLD: [run(3.0, 100), failed]}, many=failed, likeness=Likeness(2.1, 0.0))

    assert [problem.partition(":")[0].removesuffix(" tilepress's") for problem in found.problems()] == [
        "tilepress, cold failed",
        "100 mock-ups failed",
        "OpenCV's mock-ups are not",
    ]
    assert "failed 1 of 2: exit code 3: no" in tables(found)


def test_artwork_out_of_place_is_not_the_same_picture(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (60, 60, 3), np.uint8)
    moved = pixels.copy()
    moved[20:40, 20:40] = np.roll(pixels[20:40, 20:40], 1, axis=1)
    for name, made in (("one", pixels), ("same", pixels), ("moved", moved), ("short", pixels[:50])):
        (tmp_path / name).mkdir()
        Image.fromarray(made).save(tmp_path / name / "a.png")
    square = [[15, 15], [45, 15], [45, 45], [15, 45]]
    (tmp_path / "job.json").write_text(json.dumps({"mockups": [{"file": "a.png", "corners": square}]}))

    likeness = {
        name: compare(tmp_path / "job.json", tmp_path / "one", tmp_path / name) for name in ("same", "moved", "short")
    }

    assert likeness["same"] == Likeness(0.0, 0.0)
    assert likeness["short"] == Likeness(None, None)
    assert (likeness["moved"].outside, (likeness["moved"].inside or 0) > 20) == (0.0, True)
    assert [each.agrees for each in likeness.values()] == [True, False, False]


@caged
def test_a_limit_is_found_by_real_runs_in_a_cage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.mockups.limits.SLOW_LEAST_S", 10.0)
    layout = lay_out(artworks(tmp_path, SCALE, 1), photographs(tmp_path, SCALE), tmp_path / "M")
    runner = Runner(tmp_path, lambda line: None)

    found = find_limit(runner, opencv(), layout, runner.run(opencv(), layout))

    assert (found.contestant, found.failure) == (OPENCV, None)
    assert found.smallest is not None
    assert 10 * MB < found.smallest.limit_bytes < 200 * MB
    assert opencv().sheets(layout) == []


def test_the_first_to_run_leaves_the_store_that_the_second_finds(tmp_path: Path) -> None:
    layout = lay_out(artworks(tmp_path, SCALE, 1), photographs(tmp_path, SCALE)[:1], tmp_path / "M")
    for folder in (layout.store, layout.out):
        folder.mkdir(exist_ok=True)

    cold, warm, _ = line_up()
    warm.clear(layout)
    assert (layout.store.exists(), layout.out.exists()) == (True, False)
    cold.clear(layout)
    assert not layout.store.exists()


@given(st.integers(0, 10_000))
def test_every_area_is_convex_and_about_half_as_wide_as_its_photograph(number: int) -> None:
    a, b, c, d = area = corners(number, 3000)

    assert shape_problem(area) == ""
    assert 0.33 < (b[0] - a[0] + c[0] - d[0]) / 2 / 3000 < 0.67
    assert all(0 < place < 3000 for corner in area for place in corner)


def test_copies_are_other_bytes_of_the_same_picture(tmp_path: Path) -> None:
    pictures = drawn(range(2), 40, tmp_path / "pictures")

    copies = distinct_copies(pictures, 5, tmp_path / "copies")

    assert len({file.read_bytes() for file in copies}) == 5
    for number, file in enumerate(copies):
        with Image.open(file) as copy, Image.open(pictures[number % 2]) as picture:
            assert copy.tobytes() == picture.tobytes()
            assert copy.info["Comment"] == file.stem


def test_tenths_of_a_run_hold_the_most_seen_in_them() -> None:
    samples = [(0.1, 5), (0.9, 7), (1.0, 3), (9.99, 2), (10.0, 4)]

    assert tenths(Usage(10.0, 1.0, samples, 0)) == [7, 3, 0, 0, 0, 0, 0, 0, 0, 4]
