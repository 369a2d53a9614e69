"""`make bench`: measures tilepress beside its peers, prints the tables, and leaves results.json for README's."""

import argparse
import sys
from pathlib import Path

from bench import bounds, pictures, report, results
from bench.benchmark import Request, run_benchmark
from bench.results import Results

WORK_FOLDER = Path(__file__).parent / "work"


def main() -> int:
    """Run the benchmark, or show the last one again; return the exit code."""
    options = _parse()
    file = options.work / "results.json"
    if options.again or options.markdown:
        found = results.read(file)
    else:
        found = run_benchmark(_request(options), lambda found: results.write(found, file), _say)
    print(report.markdown(found) if options.markdown else report.tables(found))
    for picture in pictures.draw_all(found, options.pictures or options.work):
        _say(f"Drawn: {picture}")
    return _verdict(found, strict=options.strict)


def _verdict(found: Results, *, strict: bool) -> int:
    """Say what is wrong, and return the exit code: figures that are worth nothing fail, missed bounds if so wanted."""
    problems = found.problems()
    for problem in problems:
        _say(f"PROBLEM: {problem}")
    missed = bounds.missed(found)
    for bound in missed:
        _say(f"MISSED: {bound.what}")
    return 1 if problems or (strict and missed) else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--designs", type=Path, metavar="DIR", help="take the PNGs of this folder; default: drawn ones")
    parser.add_argument("--quick", action="store_true", help="the sheet S only, as PNG and TIFF, once; no limits")
    parser.add_argument(
        "--runs", type=int, metavar="N", help="runs of each work; default: 3 of S and R, 1 of all others"
    )
    parser.add_argument("--all", action="store_true", help="run what is slow or large too")
    parser.add_argument("--scale", type=float, default=1.0, metavar="F", help="draw and print everything F as large")
    parser.add_argument("--no-install", action="store_true", help="leave sharp out where it is not installed")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="where to draw to; default: the work folder")
    parser.add_argument("--strict", action="store_true", help="fail when a bound is missed")
    parser.add_argument("--again", action="store_true", help="show the last results; run nothing")
    parser.add_argument("--markdown", action="store_true", help="print README's table from the last; run nothing")
    parser.add_argument(
        "--work", type=Path, default=WORK_FOLDER, metavar="DIR", help="where to work; default: %(default)s"
    )
    options = parser.parse_args()
    options.work = options.work.absolute()
    return options


def _request(options: argparse.Namespace) -> Request:
    return Request(
        folder=options.work,
        scale=options.scale,
        designs=options.designs,
        runs=options.runs,
        quick=options.quick,
        everything=options.all,
        install=not options.no_install,
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
