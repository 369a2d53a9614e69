"""`python -m bench.sections`: takes a large PDF apart beside pypdf, prints the tables, leaves sections.json.

Fails when somebody failed or did not make the same sections; a bound that is missed is printed, and fails only where
that is wanted.
"""

import argparse
import sys
from pathlib import Path

from bench.running import Runner
from bench.sections import bounds, report, results
from bench.sections.benchmark import Request, run_benchmark
from bench.sections.documents import EVERY, PAGES

WORK_FOLDER = Path(__file__).parents[1] / "work" / "sections"
DRAWN = 70


def main() -> int:
    """Run the benchmark; return the exit code."""
    options = _parse()
    folder = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    request = Request(
        scale=options.scale,
        runs=options.runs,
        pages=options.pages,
        every=options.every,
        drawn=options.drawn,
        posters=not options.no_posters,
    )
    found = run_benchmark(request, Runner(folder, _say))
    results.write(found, folder / "sections.json")
    print(f"{report.tables(found)}\n\n{report.markdown(found)}")
    problems, missed = found.problems(), bounds.missed(found)
    for problem in problems:
        _say(f"PROBLEM: {problem}")
    for bound in missed:
        _say(f"MISSED: {bound.what}")
    return 1 if problems or (options.strict and missed) else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.sections", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=WORK_FOLDER, metavar="DIR", help="where to work; default: %(default)s"
    )
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="runs of each; default: %(default)s")
    parser.add_argument("--scale", type=float, default=1.0, metavar="F", help="draw everything F as large")
    parser.add_argument("--pages", type=int, default=PAGES, metavar="N", help="of the document; default: %(default)s")
    parser.add_argument(
        "--every", type=int, default=EVERY, metavar="N", help="pages of a section; default: %(default)s"
    )
    parser.add_argument(
        "--drawn", type=int, default=DRAWN, metavar="N", help="pages to draw as images; 0: none; default: %(default)s"
    )
    parser.add_argument("--no-posters", action="store_true", help="leave out the page of A0, which takes a minute")
    parser.add_argument("--strict", action="store_true", help="fail when a bound is missed")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
