"""Whether two programs' mock-ups are the same pictures: the work is comparable only if what comes out is.

Run as a process of its own, `python -m bench.mockups.likeness JOB.json FOLDER OTHER_FOLDER`, which prints JSON: the
libraries it needs are then not mapped by the benchmark, whose pages would be free for a program in a cage.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bench.mockups.results import Likeness

SIDES = 2  # pixels at the area's edge that count for neither side: there is an edge in both pictures, and JPEG rings


def compare(job: Path, folder: Path, other: Path) -> Likeness:
    """Compare every mock-up of a job; see `Likeness`. Of different sizes, nothing is like."""
    inside: list[float] = []
    outside: list[float] = []
    for mockup in json.loads(job.read_text())["mockups"]:
        one, two = _pixels(folder / mockup["file"]), _pixels(other / mockup["file"])
        if one.shape != two.shape:
            return Likeness(None, None)
        differences = np.abs(one - two).mean(axis=2)
        area, edge = _area(mockup["corners"], one.shape[1], one.shape[0])
        inside.append(float(differences[area & ~edge].mean()))
        outside.append(float(differences[~area & ~edge].mean()))
    return Likeness(float(np.mean(inside)), float(np.mean(outside)))


def _pixels(file: Path) -> NDArray[np.int16]:
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB")).astype(np.int16)


def _area(corners: Sequence[Sequence[float]], width: int, height: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which pixels lie in a quadrilateral, and which at its edge."""
    outline = [(x, y) for x, y in corners]
    area, edge = Image.new("1", (width, height)), Image.new("1", (width, height))
    ImageDraw.Draw(area).polygon(outline, fill=1)
    ImageDraw.Draw(edge).line([*outline, outline[0]], fill=1, width=2 * SIDES + 1)
    return np.asarray(area), np.asarray(edge)


if __name__ == "__main__":
    print(json.dumps(asdict(compare(*map(Path, sys.argv[1:4])))))
