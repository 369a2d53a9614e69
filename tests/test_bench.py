"""The benchmark, run once at a twentieth of its size so that it never rots. Asserts structure, never times."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench import report, results
from bench.agreement import compare
from bench.artwork import designs_for, draw_all
from bench.contestants import COLD, REFERENCE, WARM, line_up
from bench.layout import lay_out
from bench.measure import Usage, measure
from bench.tilepress import ENVIRONMENT
from bench.works import WORKS, Work

REPOSITORY = Path(__file__).parents[1]
SCALE = 0.05
PEERS = ["pyvips script", "pyvips composite", "OpenCV", "Pillow + numpy"]


def bench(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bench", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return where a quick benchmark of small sheets worked, and what it printed."""
    folder = tmp_path_factory.mktemp("bench")
    done = bench("--scale", SCALE, "--quick", "--work", folder)
    assert (done.returncode, "".join(line for line in done.stderr.splitlines() if "PROBLEM" in line)) == (0, "")
    return folder, done.stdout


def test_everybody_prints_the_same_sheet(quick: tuple[Path, str]) -> None:
    found = results.read(quick[0] / "results.json")

    (sheet,) = found.works
    assert (sheet.width_px, sheet.height_px, sheet.copies, sheet.designs) == (320, 400, 30, 15)
    assert [COLD, WARM, *PEERS] == [name for name in sheet.runs if name != "sharp"]
    assert [name for name in sheet.agreements if name != "sharp"] == PEERS
    assert all(agreement.agrees and agreement.size == (320, 400) for agreement in sheet.agreements.values())
    assert found.problems() == []


def test_every_run_has_its_seconds_its_peak_and_its_file(quick: tuple[Path, str]) -> None:
    (sheet,) = results.read(quick[0] / "results.json").works

    for runs in sheet.runs.values():
        (run,) = runs
        assert min(run.seconds, run.cpu_seconds, run.file_bytes) > 0
        assert run.peak_bytes > 1_000_000
    assert {"fetch", "prepare", "plan", "render", "deliver", "elsewhere", "whole process"} == sheet.stages(COLD).keys()
    assert {COLD, WARM} == sheet.predicted_peak_bytes.keys()
    assert sheet.ratio(REFERENCE, "seconds") == 1


def test_the_tables_name_every_contestant_and_every_question(quick: tuple[Path, str]) -> None:
    for words in (COLD, WARM, *PEERS, "sharp", "÷ its peak for S", "predicted by", "by stage", "floor", "--help"):
        assert words in quick[1]


def test_readme_s_table_comes_from_the_results(quick: tuple[Path, str]) -> None:
    lines = bench("--markdown", "--work", quick[0]).stdout.splitlines()

    assert lines[0].startswith(f"| work | {COLD} | {WARM} | {REFERENCE} |")
    assert lines[2].startswith("| S, a sheet: 320×400, 30 copies of 15 designs |")
    assert lines[2].count(" MB") == lines[0].count("|") - 2


def test_results_come_back_as_they_were_written(quick: tuple[Path, str], tmp_path: Path) -> None:
    found = results.read(quick[0] / "results.json")

    results.write(found, tmp_path / "again.json")

    assert found == results.read(tmp_path / "again.json")
    assert json.loads((quick[0] / "results.json").read_text()) == json.loads((tmp_path / "again.json").read_text())


def test_a_work_that_was_not_measured_is_said_to_be_so(quick: tuple[Path, str]) -> None:
    found = results.read(quick[0] / "results.json")

    assert found.peak_ratio("R", COLD) is None
    assert "not measured" in report.tables(found)


@pytest.mark.parametrize("work", WORKS[1:], ids=lambda work: work.name)
def test_each_work_fits_on_one_sheet(work: Work, tmp_path: Path) -> None:
    designs = designs_for(work, None, tmp_path, SCALE)

    layout = lay_out(work, designs, tmp_path / work.name, SCALE)

    job = json.loads(layout.job.read_text())
    assert work.copies == len(job["placements"])
    assert set(range(work.designs)) == {placement["design"] for placement in job["placements"]}
    assert (work.width_in * 20, work.height_in * 20) == (layout.width_px, layout.height_px)
    assert layout.predicted_cold_bytes > 10_000_000


def test_the_whole_sheet_peers_are_left_out_of_the_roll_unless_everything_is_wanted() -> None:
    roll = WORKS[1]

    _, absent = line_up(roll, everything=False)
    assert {"OpenCV", "Pillow + numpy"} == absent.keys() - {"sharp"}
    taking_part, absent = line_up(roll, everything=True)
    assert set() == absent.keys() - {"sharp"}
    assert [COLD, WARM, *PEERS] == [one.name for one in taking_part if one.name != "sharp"]


def test_artwork_is_the_same_whenever_it_is_drawn(tmp_path: Path) -> None:
    once, again = draw_all(6, 90, tmp_path / "once"), draw_all(6, 90, tmp_path / "again")

    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]
    assert len({path.read_bytes() for path in once}) == 6
    with Image.open(once[2]) as grainy:
        assert (grainy.mode, grainy.size, round(grainy.info["dpi"][0])) == ("RGBA", (90, 90), 1161)
        alpha = np.asarray(grainy)[..., 3]
    assert len(np.unique(alpha)) > 20


def test_given_artwork_is_taken_instead_of_drawn(tmp_path: Path) -> None:
    shutil.copytree(draw_all(3, 40, tmp_path)[0].parent, tmp_path / "own")

    assert sorted((tmp_path / "own").glob("*.png")) == designs_for(WORKS[0], tmp_path / "own", tmp_path, SCALE)


def test_memory_is_that_of_the_whole_process_tree(tmp_path: Path) -> None:
    grandchild = "import time; held = b'x' * 60_000_000; time.sleep(0.3)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"

    usage = measured([sys.executable, "-c", child], tmp_path)

    assert usage.exit_code == 0
    assert 60_000_000 < usage.peak_bytes < 110_000_000


def test_a_command_that_hangs_is_killed(tmp_path: Path) -> None:
    usage = measured([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, timeout_s=0.3)

    assert usage.exit_code == -9
    assert usage.seconds < 30


def test_a_copy_out_of_place_is_not_the_same_sheet(tmp_path: Path) -> None:
    pixels = np.zeros((400, 400, 4), np.uint8)
    pixels[50:110, 50:110] = (200, 40, 90, 255)
    for name, shift in (("one", 0), ("same", 0), ("moved", 60)):
        Image.fromarray(np.roll(pixels, shift, axis=0)).save(tmp_path / f"{name}.png")
    Image.fromarray(pixels[:300]).save(tmp_path / "short.png")

    one = tmp_path / "one.png"

    assert compare(one, tmp_path / "same.png").agrees
    assert not compare(one, tmp_path / "moved.png").agrees
    assert not compare(one, tmp_path / "short.png").agrees


def measured(command: list[str], folder: Path, timeout_s: float = 60) -> Usage:
    return measure(command, folder=folder, log=folder / "log", environment=ENVIRONMENT, timeout_s=timeout_s)
