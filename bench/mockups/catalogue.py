"""A whole catalogue: every design on every photograph, its memory over time, and a second run that finds all made."""

import shutil

from bench.artwork import drawn
from bench.copies import distinct_copies
from bench.measure import Usage, measure
from bench.mockups.contestants import tilepress_cold
from bench.mockups.layout import lay_out
from bench.mockups.results import Catalogue
from bench.mockups.shoot import SMALLEST_PX, photographs
from bench.running import Runner
from bench.tilepress import ENVIRONMENT, REPOSITORY

DESIGNS, DRAWN = 200, 15
DESIGN_PX = 1800
TENTHS = 10
_TIMEOUT_S = 7200.0


def make_catalogue(runner: Runner, scale: float, designs: int) -> Catalogue:
    """Make it twice, in a folder of its own that is removed afterwards: mock-ups take a gigabyte for every 450."""
    folder, home = runner.folder, runner.folder / "catalogue"
    shutil.rmtree(home, ignore_errors=True)
    side_px = max(SMALLEST_PX, round(DESIGN_PX * scale))
    pictures = drawn(range(min(DRAWN, designs)), side_px, folder / f"artwork-{side_px}")
    try:
        layout = lay_out(distinct_copies(pictures, designs, home / "designs"), photographs(folder, scale), home / "run")
        maker = tilepress_cold()
        maker.clear(layout)
        usages = [_run(runner, maker.command(layout)) for _ in range(2)]
        made = maker.sheets(layout)
        if len(made) != layout.parts:
            raise SystemExit(f"catalogue: {len(made)} mock-ups of {layout.parts}: {runner.last_words('catalogue')}")
        file_bytes = sum(file.stat().st_size for file in made)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    first, again = usages
    runner.say(f"catalogue: {first.seconds:.0f} s, again {again.seconds:.1f} s")
    return Catalogue(
        designs, layout.parts, side_px, layout.width_px, first.seconds, tenths(first), file_bytes, again.seconds
    )


def tenths(usage: Usage) -> list[int]:
    """Return the most that was held in each tenth of a run, in bytes; 0 where nobody looked."""
    peaks = [0] * TENTHS
    for at, held in usage.samples:
        tenth = min(TENTHS - 1, int(TENTHS * at / usage.seconds))
        peaks[tenth] = max(peaks[tenth], held)
    return peaks


def _run(runner: Runner, command: list[str]) -> Usage:
    usage = measure(
        command, folder=REPOSITORY, log=runner.log("catalogue"), environment=ENVIRONMENT, timeout_s=_TIMEOUT_S
    )
    if usage.exit_code:
        raise SystemExit(f"catalogue failed (exit {usage.exit_code}): {runner.last_words('catalogue')}")
    return usage
