"""The benchmark of packing, run on a sample so that it never rots. Asserts structure and judgement, never times."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.packing import __main__ as program
from bench.packing.instances import read_bins, read_strips, stickers
from bench.packing.peer import FORTY, NINE, heights
from bench.packing.report import table
from bench.packing.results import Bins, PackingResults, Rolls, Strips

REPOSITORY = Path(__file__).parents[1]
ROLLS = Rolls(3000, 7, 7, 1571.8, 1619.4, 1.0, 20.0)
KEPT = PackingResults(
    at="2026-01-01T00:00:00+00:00",
    machine={},
    quick=False,
    bins=Bins(500, 7009, 7110, 13.0, 18.0),
    strips=Strips(2, [0.02, 0.03], [0.03, 0.05], [0.4, 1.0], [2.0, 3.0]),
    rolls=ROLLS,
)


def bench(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bench.packing", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120)


def measured(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "packing.json").read_text())
    return content


@pytest.fixture
def instances(tmp_path: Path) -> Path:
    """Return a folder with two bins' worth of boxes, and a strip that four boxes fill without waste."""
    folder = tmp_path / "instances"
    folder.mkdir()
    bins = [{"name": "two", "bin": [10, 10], "items": [[6, 10, 2], [4, 10, 1]]}]
    strips = [{"name": "perfect", "strip_width": 10, "items": [[6, 4, 4]], "area_bound": 10.0}]
    (folder / "bin_packing_2bp.json").write_text(json.dumps(bins))
    (folder / "strip_packing.json").write_text(json.dumps(strips))
    return folder


def test_the_sample_is_packed_beside_rectpack(instances: Path, tmp_path: Path) -> None:
    done = bench("--quick", "--instances", instances, "--work", tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    found = measured(tmp_path)
    assert (found["bins"]["instances"], found["bins"]["bins"], found["bins"]["peer_bins"]) == (1, 2, 2)
    assert found["strips"]["excess"] == [0.0]
    assert found["rolls"]["rolls"] == found["rolls"]["peer_rolls"] == 1
    assert found["rolls"]["film_in"] <= found["rolls"]["peer_film_in"]
    assert found["verdicts"] == []
    for words in ("best of 9", "best of 40", "200 stickers", "MaxRects"):
        assert words in done.stdout


def test_without_instances_it_says_so_and_measures_the_rolls(tmp_path: Path) -> None:
    done = bench("--quick", "--instances", tmp_path / "nowhere", "--work", tmp_path)

    assert done.returncode == 0
    assert done.stderr.count("nowhere") == done.stderr.count("not there; that part is left out") == 2
    assert (measured(tmp_path)["bins"], measured(tmp_path)["strips"]) == (None, None)
    assert measured(tmp_path)["rolls"]["stickers"] == 200
    assert done.stdout.count("not measured: no instances") == 2


def test_what_is_promised_is_kept_at_the_bounds() -> None:
    verdicts = list(KEPT.verdicts())
    assert len(verdicts) == 6
    assert all(verdict.kept for verdict in verdicts)
    assert "MISSED" not in table(KEPT)
    assert "dream" in table(KEPT)


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (replace(KEPT, bins=Bins(500, 7046, 7110, 13.0, 18.0)), "at most 7,045 bins"),
        (replace(KEPT, bins=Bins(500, 7045, 7110, 18.1, 18.0)), "bins in no more time than rectpack"),
        (replace(KEPT, strips=Strips(2, [0.02, 0.04], [1], [1], [1])), "mean excess of strips at most 2.5%"),
        (replace(KEPT, strips=Strips(2, [0.02], [1], [0.1, 1.1], [1])), "each strip in at most 1 s"),
        (replace(KEPT, rolls=replace(ROLLS, seconds=2.1)), "rolls in at most 0.1 of rectpack's time"),
        (replace(KEPT, rolls=replace(ROLLS, film_in=1619.5)), "rolls with no more film than rectpack"),
    ],
)
def test_a_broken_promise_is_named(broken: PackingResults, what: str) -> None:
    assert [verdict.what for verdict in broken.verdicts() if not verdict.kept] == [what]
    assert "MISSED" in table(broken)


@pytest.mark.parametrize(("seconds", "exit_code"), [(1.0, 0), (3.0, 1)])
def test_a_broken_promise_fails_the_benchmark(
    seconds: float, exit_code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "fill_rolls", lambda instance: replace(ROLLS, seconds=seconds))
    monkeypatch.setattr(sys, "argv", ["bench", "--instances", str(tmp_path), "--work", str(tmp_path)])

    assert exit_code == program.main()
    assert capsys.readouterr().err.count("MISSED") == exit_code


def test_rectpack_is_run_with_nine_and_forty_different_settings() -> None:
    assert (len(set(NINE)), len(set(FORTY))) == (9, 40)
    boxes = [(6, 10), (6, 10), (4, 10)]
    assert {2} == {len(heights(boxes, (10, 10), setting)) for setting in {*NINE, *FORTY}}


def test_a_strip_has_room_for_every_box_and_bins_have_none_to_spare(instances: Path) -> None:
    (strip,), (bins,) = read_strips(instances), read_bins(instances)
    assert (strip.boxes, strip.bin, strip.perfect) == (((6, 4),) * 4, (10, 26), 10.0)
    assert (bins.boxes, bins.bin, bins.perfect) == (((6, 10), (6, 10), (4, 10)), (10, 10), None)


def test_stickers_are_the_same_ones_every_time() -> None:
    assert stickers(20) == stickers(20)
    assert all(200 <= side <= 2400 for box in stickers(500).boxes for side in box)
    assert stickers(1).bin == (8800, 96_000)
