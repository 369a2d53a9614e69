"""The benchmark, run once at a twentieth of its size so that it never rots. Asserts structure, never times."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from bench import bounds, report, results
from bench.agreement import compare
from bench.artwork import designs_for, drawn
from bench.bounds import BOUNDS
from bench.cage import why_no_cage
from bench.contestants import COLD, REFERENCE, WARM, line_up, peers_for
from bench.layout import lay_out
from bench.limits import LimitFinder
from bench.measure import Usage, measure, thinned
from bench.pictures import draw_all
from bench.results import LimitResult, Results
from bench.running import Runner
from bench.search import Range, Trial, smallest_limit
from bench.sharp import ABSENT, Sharp, find_sharp
from bench.tilepress import ENVIRONMENT
from bench.works import LIMITED, WORKS, Work

REPOSITORY = Path(__file__).parents[1]
SCALE = 0.05
PEERS = ["pyvips script", "pyvips composite", "OpenCV", "Pillow + numpy"]
NO_SHARP = Sharp("", ABSENT)
MB = 1_000_000

no_cage = why_no_cage()
caged = pytest.mark.skipif(no_cage is not None, reason=f"no cage can be made here: {no_cage}")


def bench(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bench", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return where a quick benchmark of small sheets worked, and what it printed."""
    folder = tmp_path_factory.mktemp("bench")
    done = bench("--scale", SCALE, "--quick", "--no-install", "--work", folder)
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
        assert run.peak_bytes == max(held for _, held in run.memory)
    assert {"fetch", "prepare", "plan", "render", "deliver", "elsewhere", "whole process"} == sheet.stages(COLD).keys()
    assert {COLD, WARM} == sheet.predicted_peak_bytes.keys()
    assert sheet.ratio(REFERENCE, "seconds") == 1


def test_the_tables_name_every_contestant_and_every_question(quick: tuple[Path, str]) -> None:
    for words in (COLD, WARM, *PEERS, "sharp", "÷ its peak for S", "predicted by", "by stage", "floor", "Seconds of"):
        assert words in quick[1]
    for bound in BOUNDS:
        assert bound.what in quick[1]


def test_the_sheet_as_tiff_is_the_one_that_libvips_saves(quick: tuple[Path, str]) -> None:
    tiff = results.read(quick[0] / "results.json").tiff

    assert tiff is not None
    assert (len(tiff.runs), len(tiff.tiffsave_seconds)) == (1, 1)
    assert min(tiff.runs[0].file_bytes, tiff.tiffsave_file_bytes) > 1000
    assert tiff.agreement is not None
    assert tiff.agreement.agrees


def test_pictures_are_drawn_from_the_results(quick: tuple[Path, str], tmp_path: Path) -> None:
    assert bench("--again", "--work", quick[0], "--pictures", tmp_path).returncode == 0

    stages, memory = (words_of(tmp_path / name) for name in ("bench-stages.svg", "bench-memory.svg"))
    assert {"prepare", "render", "seconds", "the floor", COLD, WARM, REFERENCE} <= stages
    assert {"MB", "seconds"} <= memory
    assert any("OpenCV: S, 320 × 400 pixels" in words for words in memory)
    assert any(f"{COLD}: S, 320 × 400 pixels" in words for words in memory)


def test_nothing_measured_is_nothing_drawn(quick: tuple[Path, str], tmp_path: Path) -> None:
    found = replace(results.read(quick[0] / "results.json"), works=())

    assert list(draw_all(found, tmp_path)) == []


def test_two_benchmarks_do_not_share_a_folder(tmp_path: Path) -> None:
    with FileLock(tmp_path / ".lock"):
        done = bench("--quick", "--work", tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert "another benchmark is at work here" in done.stderr


def test_a_missed_bound_fails_only_when_asked_to(quick: tuple[Path, str]) -> None:
    assert bounds.missed(results.read(quick[0] / "results.json"))  # start-up alone is longer than the script is

    assert bench("--again", "--work", quick[0]).returncode == 0
    assert bench("--again", "--work", quick[0], "--strict").returncode == 1


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


@pytest.mark.parametrize("work", [*WORKS[1:], *LIMITED], ids=lambda work: work.name)
def test_each_work_fits_on_its_sheets(work: Work, tmp_path: Path) -> None:
    designs = designs_for(work, None, tmp_path, SCALE)

    layout = lay_out(work, designs, tmp_path / work.name, SCALE)

    assert (work.parts, tuple(designs)) == (layout.parts, layout.files)
    job = json.loads(layout.job.read_text())
    assert work.copies == len(job["placements"])
    assert set(range(work.designs)) == {placement["design"] for placement in job["placements"]}
    assert (work.width_in * 20, work.height_in * 20) == (layout.width_px, layout.height_px)
    assert layout.predicted_cold_bytes > 10_000_000


def test_the_whole_sheet_peers_are_left_out_of_the_roll_unless_everything_is_wanted() -> None:
    roll = WORKS[1]

    _, absent = line_up(roll, NO_SHARP, everything=False)
    assert {"OpenCV", "Pillow + numpy"} == absent.keys() - {"sharp"}
    taking_part, absent = line_up(roll, NO_SHARP, everything=True)
    assert {"sharp"} == absent.keys()
    assert [COLD, WARM, *PEERS] == [one.name for one in taking_part]
    taking_part, absent = line_up(roll, Sharp("/node_modules", None), everything=True)
    assert (taking_part[-1].name, absent) == ("sharp", {})


def test_artwork_is_the_same_whenever_it_is_drawn(tmp_path: Path) -> None:
    once, again = drawn(range(6), 90, tmp_path / "once"), drawn(range(6), 90, tmp_path / "again")

    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]
    assert len({path.read_bytes() for path in once}) == 6
    with Image.open(once[2]) as grainy:
        assert (grainy.mode, grainy.size, round(grainy.info["dpi"][0])) == ("RGBA", (90, 90), 1161)
        alpha = np.asarray(grainy)[..., 3]
    assert len(np.unique(alpha)) > 20


def test_given_artwork_is_taken_instead_of_drawn(tmp_path: Path) -> None:
    own = drawn(range(3), 40, tmp_path / "own")

    assert own == designs_for(WORKS[0], tmp_path / "own", tmp_path, SCALE)


def test_one_of_the_designs_is_large_where_memory_is_limited(tmp_path: Path) -> None:
    designs = designs_for(LIMITED[0], None, tmp_path, SCALE)

    assert [size_of(design) for design in designs] == [(180, 180)] * 2 + [(300, 300)] + [(180, 180)] * 12


def test_memory_is_that_of_the_whole_process_tree(tmp_path: Path) -> None:
    grandchild = "import time; held = b'x' * 60_000_000; time.sleep(0.3)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"

    usage = measured([sys.executable, "-c", child], tmp_path)

    assert usage.exit_code == 0
    assert 60_000_000 < usage.peak_bytes < 110_000_000


def test_pages_that_a_fork_shares_with_its_parent_count_once(tmp_path: Path) -> None:
    forks = "import os, time; held = b'x' * 60_000_000; os.fork() or time.sleep(0.3); os.getpid(); time.sleep(0.2)"

    usage = measured([sys.executable, "-c", forks], tmp_path)

    assert 60_000_000 < usage.peak_bytes < 90_000_000


def test_processor_time_is_counted_though_the_parent_never_waits(tmp_path: Path) -> None:
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    orphan = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {busy!r}])"

    usage = measured([sys.executable, "-c", orphan], tmp_path)

    assert usage.cpu_seconds > 0.3


def test_thinned_samples_keep_the_peak() -> None:
    samples = [(index / 100, (index * 7919) % 1000) for index in range(1003)]

    few = thinned(samples, 50)

    assert len(few) <= 50
    assert max(few, key=lambda sample: sample[1]) == max(samples, key=lambda sample: sample[1])
    assert thinned([], 50) == []


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


@pytest.mark.parametrize("needed", [33, 60, 128, 129, 250, 600])
def test_the_smallest_limit_is_found_with_few_trials(needed: int) -> None:
    where = Range(128 * MB, growth=2.0, fails_at_bytes=32 * MB, most_bytes=1000 * MB)

    trials = smallest_limit(lambda limit: Trial(limit, 1.0, None if limit >= needed * MB else "killed"), where)

    found = LimitResult("S", COLD, trials=trials).smallest_bytes
    assert found is not None
    assert needed * MB <= found <= needed * MB + max(8 * MB, 0.05 * found)
    assert len(trials) <= 9


def test_a_limit_that_nobody_passes_is_not_searched_for_ever() -> None:
    where = Range(128 * MB, growth=2.0, fails_at_bytes=32 * MB, most_bytes=600 * MB)

    trials = smallest_limit(lambda limit: Trial(limit, 1.0, "killed"), where)

    assert [trial.limit_bytes for trial in trials] == [128 * MB, 256 * MB, 512 * MB, 600 * MB]
    assert LimitResult("S", COLD, trials=trials).smallest_bytes is None


@caged
def test_a_limit_is_found_by_real_runs_in_a_cage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.limits.SLOW_LEAST_S", 10.0)
    work = LIMITED[0]
    layout = lay_out(work, designs_for(work, None, tmp_path, SCALE), tmp_path / work.name, SCALE)
    (script, *_), absent = peers_for(work, NO_SHARP, everything=False)

    found = LimitFinder(Runner(tmp_path, lambda line: None), work, layout).find(script)

    assert (found.work, found.contestant, found.failure) == (work.name, REFERENCE, None)
    assert absent == {"sharp": ABSENT}
    assert found.smallest is not None
    assert 10 * MB < found.smallest.limit_bytes < 200 * MB
    assert found.largest_failed is None or found.largest_failed.limit_bytes < found.smallest.limit_bytes
    assert script.sheets(layout) == []


def test_bounds_are_judged_by_what_was_measured(quick: tuple[Path, str]) -> None:
    found = results.read(quick[0] / "results.json")
    (limit,) = [bound for bound in BOUNDS if bound.what.startswith("S cold, one design")]

    def with_limits(*smallest: int) -> Results:
        trials = [(Trial(size * MB, 1.0, None),) for size in smallest]
        return replace(found, limits=tuple(LimitResult("S-large", COLD, trials=trial) for trial in trials))

    verdicts = [limit.verdict(results) for results in (found, *map(with_limits, (100, 128, 200, 256, 300)))]
    assert verdicts == ["not measured", "dream", "dream", "ok", "ok", "MISSED"]
    assert limit.verdict(with_limits(100, 300)) == "MISSED"
    never = LimitResult("S-large", COLD, trials=(Trial(900 * MB, 1.0, "killed"),))
    assert limit.verdict(replace(found, limits=(never,))) == "MISSED"


def test_without_a_cage_the_report_says_why(quick: tuple[Path, str]) -> None:
    found = replace(results.read(quick[0] / "results.json"), no_cage="cgroup v2: Permission denied: /cg/x")

    assert "no limit can be set here: cgroup v2: Permission denied: /cg/x" in report.tables(found)


@pytest.mark.parametrize("installs", [True, False])
def test_sharp_is_installed_once_or_left_out_with_the_reason(
    installs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "tools"
    program(tools / "node", '[ -n "$NODE_PATH" ] && [ -e "$NODE_PATH/sharp" ]')
    program(tools / "npm", 'mkdir -p "$5/node_modules/sharp"' if installs else "echo 'no way out' >&2; exit 7")
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.delenv("NODE_PATH", raising=False)

    assert find_sharp(tmp_path, install=False) == NO_SHARP
    found = find_sharp(tmp_path, install=True)

    if installs:
        assert found == Sharp(str(tmp_path / "node/node_modules"), None)
        assert find_sharp(tmp_path, install=False) == found
    else:
        assert found.problem == "could not be installed: npm ended with 7: no way out"


def measured(command: list[str], folder: Path, timeout_s: float = 60) -> Usage:
    return measure(command, folder=folder, log=folder / "log", environment=ENVIRONMENT, timeout_s=timeout_s)


def program(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def words_of(picture: Path) -> set[str]:
    """Return every text of an SVG."""
    return {element.text or "" for element in ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text")}
