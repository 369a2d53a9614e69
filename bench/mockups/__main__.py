"""`python -m bench.mockups`: makes mock-ups beside OpenCV, prints the tables, leaves mockups.json.

Fails when somebody failed or did not make the same pictures; a bound that is missed is printed, and fails only where
that is wanted.
"""

import argparse
import sys
from pathlib import Path

from bench.mockups import bounds, report, results
from bench.mockups.benchmark import Request, run_benchmark
from bench.mockups.catalogue import DESIGNS
from bench.running import Runner

WORK_FOLDER = Path(__file__).parents[1] / "work" / "mockups"


def main() -> int:
    """Run the benchmark; return the exit code."""
    options = _parse()
    folder = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    request = Request(
        scale=options.scale,
        runs=options.runs,
        limits=not options.no_limits,
        catalogue_designs=options.designs if options.catalogue else 0,
    )
    found = run_benchmark(request, Runner(folder, _say))
    results.write(found, folder / "mockups.json")
    print(f"{report.tables(found)}\n\n{report.markdown(found)}")
    problems, missed = found.problems(), bounds.missed(found)
    for problem in problems:
        _say(f"PROBLEM: {problem}")
    for bound in missed:
        _say(f"MISSED: {bound.what}")
    return 1 if problems or (options.strict and missed) else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.mockups", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=WORK_FOLDER, metavar="DIR", help="where to work; default: %(default)s"
    )
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="runs of the ten; default: %(default)s")
    parser.add_argument("--scale", type=float, default=1.0, metavar="F", help="draw everything F as large")
    parser.add_argument("--no-limits", action="store_true", help="look for no limits of memory")
    parser.add_argument("--catalogue", action="store_true", help="make a whole catalogue too: minutes, gigabytes")
    parser.add_argument(
        "--designs", type=int, default=DESIGNS, metavar="N", help="designs of the catalogue; default: %(default)s"
    )
    parser.add_argument("--strict", action="store_true", help="fail when a bound is missed")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
