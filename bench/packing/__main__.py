"""`python -m bench.packing`: packs beside rectpack, prints one table, leaves packing.json; fails on a broken promise.

The instances of the literature are the 500 of Berkey & Wang 1987 and Martello & Vigo 1998, with rotation, and the 21
strips of Hopper & Turton 2001. Without them only the rolls are measured.
"""

import argparse
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.packing import report, results
from bench.packing.contests import fill_bins, fill_rolls, fill_strips
from bench.packing.instances import BINS_FILE, INSTANCES, STRIPS_FILE, read_bins, read_strips, stickers
from bench.packing.results import PackingResults

WORK_FOLDER = Path(__file__).parents[1] / "work"
_STICKERS, _STICKERS_QUICK = 3_000, 200
_EACH_BIN_QUICK, _EACH_STRIP_QUICK = 25, 7


def main() -> int:
    """Run the benchmark; return the exit code."""
    options = _parse()
    bins, strips = read_bins(options.instances), read_strips(options.instances)
    for instances, name in ((bins, BINS_FILE), (strips, STRIPS_FILE)):
        if not instances:
            _say(f"{options.instances / name}: not there; that part is left out")
    if options.quick:
        bins, strips = bins[::_EACH_BIN_QUICK], strips[::_EACH_STRIP_QUICK]
    found = PackingResults(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine={"python": platform.python_version(), "rectpack": version("rectpack")},
        quick=options.quick,
        bins=fill_bins(bins) if bins else None,
        strips=fill_strips(strips) if strips else None,
        rolls=fill_rolls(stickers(_STICKERS_QUICK if options.quick else _STICKERS)),
    )
    options.work.mkdir(parents=True, exist_ok=True)
    results.write(found, options.work / "packing.json")
    print(report.table(found))
    broken = [verdict.what for verdict in found.verdicts() if not verdict.kept]
    for what in broken:
        _say(f"MISSED: {what}")
    return 1 if broken else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.packing", description=__doc__)
    parser.add_argument(
        "--instances", type=Path, default=INSTANCES, metavar="DIR", help="where they lie; default: %(default)s"
    )
    parser.add_argument("--quick", action="store_true", help="a sample, in seconds, of which nothing is promised")
    parser.add_argument("--work", type=Path, default=WORK_FOLDER, metavar="DIR", help="for packing.json; %(default)s")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
