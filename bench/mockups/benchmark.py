"""The benchmark of mock-ups as a story: ten beside OpenCV, are they alike, limits of memory, a hundred, a catalogue."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.cage import why_no_cage
from bench.layout import Layout
from bench.machine import machine
from bench.mockups.catalogue import make_catalogue
from bench.mockups.contestants import line_up, opencv, opencv_folder, tilepress_cold
from bench.mockups.layout import lay_out
from bench.mockups.limits import find_limit
from bench.mockups.results import Likeness, MockupResults
from bench.mockups.shoot import artwork_px, artworks, photographs
from bench.results import LimitResult, Run
from bench.running import Runner
from bench.tilepress import ENVIRONMENT, REPOSITORY

MANY_ARTWORKS = 10


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be measured: the ten `runs` times; the smallest `limits` of memory; a catalogue of so many designs."""

    scale: float
    runs: int
    limits: bool
    catalogue_designs: int = 0


def run_benchmark(request: Request, runner: Runner) -> MockupResults:
    """Do every step in turn, in the runner's folder."""
    folder, scale = runner.folder, request.scale
    scenes = photographs(folder, scale)
    layout = lay_out(artworks(folder, scale, 1), scenes, folder / "M")
    done = _hold(runner, layout, request.runs)
    likeness = _compare(layout)
    reason = why_no_cage() if request.limits else "left out (--no-limits)"
    limits = () if reason else tuple(_limits(runner, layout, done))
    shutil.rmtree(layout.folder)
    many = lay_out(artworks(folder, scale, MANY_ARTWORKS), scenes, folder / "many")
    hundred = runner.run(tilepress_cold(), many)
    runner.say(f"{many.parts} mock-ups: {hundred.failure or f'{hundred.seconds:.2f} s'}")
    shutil.rmtree(many.folder)
    designs = request.catalogue_designs
    return MockupResults(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        scale=scale,
        artwork_px=artwork_px(scale),
        photograph_px=layout.width_px,
        mockups=layout.parts,
        runs=done,
        predicted_bytes=layout.predicted_cold_bytes,
        likeness=likeness,
        many_mockups=many.parts,
        many=hundred,
        limits=limits,
        no_cage=reason,
        catalogue=make_catalogue(runner, scale, designs) if designs else None,
    )


def _hold(runner: Runner, layout: Layout, runs: int) -> dict[str, list[Run]]:
    """Run everybody in turn, again and again, so that a noisy minute strikes them alike."""
    done: dict[str, list[Run]] = {contestant.name: [] for contestant in line_up()}
    for number in range(1, runs + 1):
        for contestant in line_up():
            run = runner.run(contestant, layout)
            done[contestant.name].append(run)
            runner.say(f"M {number}/{runs} {contestant.name}: {run.failure or f'{run.seconds:.2f} s'}")
    return done


def _compare(layout: Layout) -> Likeness | None:
    """Compare what the last runs made, in a process of its own; None where something is missing."""
    if any(len(contestant.sheets(layout)) != layout.parts for contestant in line_up()):
        return None
    paths = (layout.job, layout.out, opencv_folder(layout))
    command = [sys.executable, "-m", "bench.mockups.likeness", *map(str, paths)]
    done = subprocess.run(command, cwd=REPOSITORY, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return Likeness(**json.loads(done.stdout))


def _limits(runner: Runner, layout: Layout, done: dict[str, list[Run]]) -> list[LimitResult]:
    return [
        find_limit(runner, contestant, layout, done[contestant.name][-1])
        for contestant in (tilepress_cold(), opencv())
        if done[contestant.name][-1].failure is None
    ]
