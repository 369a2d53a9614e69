"""S as a TIFF: a whole run of tilepress with a filled store, beside libvips' `tiffsave` of a canvas held in memory."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.contest import agreement
from bench.contestants import peer_command, tilepress_cold, tilepress_warm
from bench.layout import Layout, lay_out
from bench.results import TiffResult
from bench.running import Runner
from bench.works import SHEET

AS_TIFF = "jobs.bench.output.format=tiff"


def hold_tiff(runner: Runner, designs: Sequence[Path], scale: float, runs: int) -> TiffResult:
    """Run both `runs` times in turn, and compare what they made."""
    layout = lay_out(SHEET, designs, runner.folder / f"{SHEET.name}-tiff", scale)
    own, other = tilepress_warm(", TIFF", AS_TIFF), layout.folder / "tiffsave.tif"
    runner.run(tilepress_cold(), layout)  # fills the store
    whole, alone = [], []
    for number in range(1, runs + 1):
        whole.append(runner.run(own, layout))
        alone.append(_tiffsave_seconds(runner, layout, other))
        took = whole[-1].failure or f"{whole[-1].seconds:.2f} s"
        runner.say(f"TIFF {number}/{runs} {own.name}: {took}; tiffsave alone: {alone[-1]:.2f} s")
    sheets = own.sheets(layout)
    result = TiffResult(whole, alone, other.stat().st_size, agreement(sheets[0], other) if sheets else None)
    for file in (*sheets, other):
        file.unlink()
    shutil.rmtree(layout.store, ignore_errors=True)
    return result


def _tiffsave_seconds(runner: Runner, layout: Layout, target: Path) -> float:
    usage = runner.measure([*peer_command("tiffsave"), str(layout.job), str(target)], "tiffsave")
    if usage.exit_code:
        raise SystemExit(f"tiffsave failed (exit {usage.exit_code}): {runner.last_words('tiffsave')}")
    return float(runner.last_words("tiffsave"))
