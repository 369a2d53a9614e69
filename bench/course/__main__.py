"""`python -m bench.course -o FILE`: draws the embedded example's document."""

import argparse
from pathlib import Path

from bench.course.book import make
from bench.course.look import SHIPPED


def main() -> None:
    """Draw it."""
    parser = argparse.ArgumentParser(prog="python -m bench.course", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=SHIPPED, metavar="FILE", help="default: %(default)s")
    make(parser.parse_args().output)


if __name__ == "__main__":
    main()
