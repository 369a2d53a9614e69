"""Whether two sheets are the same picture: the work is comparable only if what comes out is.

Run as a process of its own, `python -m bench.agreement SHEET OTHER`, which prints JSON: libvips is then not mapped by
the benchmark, whose pages would be free for a program in a cage.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import pyvips

from bench.results import Agreement

MEAN_ALLOWED = 1.0  # of 255, over the sheet; one filter for another makes 0.1, and 0.6 on sheets a twentieth as large
BLOCK_ALLOWED = 8.0  # of 255, over any block: filters make about 1, a copy that is missing or out of place 50 and more
BLOCK_PX = 32  # large enough that edges and grain average out, smaller than any copy


def compare(sheet: Path, other: Path) -> Agreement:
    """Compare two sheets in premultiplied alpha, in which colour counts as much as it is seen; row by row."""
    one, two = _open(sheet), _open(other)
    size = (two.width, two.height)
    if (one.width, one.height, one.bands) != (two.width, two.height, two.bands):
        return Agreement(size, None, None, agrees=False)
    block = min(BLOCK_PX, *size)
    # by blocks, which are few enough to be held: both sheets are then decoded once for both figures
    differences = (one.premultiply() - two.premultiply()).abs().shrink(block, block, ceil=True).bandmean().copy_memory()
    mean, worst = differences.avg(), differences.max()
    return Agreement(size, mean, worst, agrees=mean <= MEAN_ALLOWED and worst <= BLOCK_ALLOWED)


def _open(path: Path) -> pyvips.Image:
    return pyvips.Image.new_from_file(str(path), access="sequential", fail_on="warning")


if __name__ == "__main__":
    print(json.dumps(asdict(compare(Path(sys.argv[1]), Path(sys.argv[2])))))
