"""`make bench`: measures tilepress beside its peers, prints the tables, and leaves results.json for README's."""

import argparse
import sys
from pathlib import Path

from bench import artwork, report, results
from bench.contest import Contest
from bench.works import WORKS

WORK_FOLDER = Path(__file__).parent / "work"


def main() -> int:
    """Run the benchmark, or print README's table from the last one; return the exit code."""
    options = _parse()
    file = options.work / "results.json"
    if options.markdown:
        print(report.markdown(results.read(file)))
        return 0

    contest = Contest(options.work, options.scale, say=_say)
    works = WORKS[:1] if options.quick else WORKS
    found = contest.begin(drawn=options.designs is None)
    for work in works:
        designs = artwork.designs_for(work, options.designs, options.work, options.scale)
        runs = options.runs or (1 if options.quick else work.runs)
        found = found.with_work(contest.hold(work, designs, runs, everything=options.all))
        results.write(found, file)
    print(report.tables(found))
    print(f"Written: {file}")
    for problem in found.problems():
        print(f"PROBLEM: {problem}", file=sys.stderr)
    return 1 if found.problems() else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--designs", type=Path, metavar="DIR", help="take the PNGs of this folder; default: drawn ones")
    parser.add_argument("--quick", action="store_true", help="work S only, once")
    parser.add_argument("--runs", type=int, metavar="N", help="runs of each; default: 3 for S, 1 for all other works")
    parser.add_argument("--all", action="store_true", help="run the peers that are slow or large on R too")
    parser.add_argument("--scale", type=float, default=1.0, metavar="F", help="draw and print everything F as large")
    parser.add_argument(
        "--work", type=Path, default=WORK_FOLDER, metavar="DIR", help="where to work; default: %(default)s"
    )
    parser.add_argument("--markdown", action="store_true", help="print README's table from results.json; run nothing")
    options = parser.parse_args()
    options.work = options.work.absolute()
    return options


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
