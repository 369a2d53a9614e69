"""What the mock-ups are made of, as files: photographs with their templates, and artwork; drawn where missing."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.artwork import drawn
from bench.mockups.shapes import ARTWORK_PX, PHOTOGRAPH_PX, PHOTOGRAPHS, Corners, corners
from bench.tilepress import ENVIRONMENT, REPOSITORY

_EDITION = 1  # raised when the drawing changes: older files are then never taken
SMALLEST_PX = 32
_FIRST = 2  # the artwork of the ten: grainy, with a soft alpha, the harder kind


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photograph, square, and where artwork goes on it. A template of its name lies beside the file."""

    file: Path
    side_px: int
    corners: Corners

    @property
    def template(self) -> str:
        """The name of its template."""
        return self.file.stem


def photographs(folder: Path, scale: float) -> list[Photograph]:
    """Return the photographs, in a folder below `folder` that holds nothing but them and their templates."""
    side_px = max(SMALLEST_PX, round(PHOTOGRAPH_PX * scale))
    home = folder / f"photographs-{_EDITION}-{side_px}"
    home.mkdir(parents=True, exist_ok=True)
    missing = [str(number) for number in range(PHOTOGRAPHS) if not (home / photograph_name(number)).exists()]
    if missing:
        command = [sys.executable, "-m", "bench.mockups.photographs", str(home), str(side_px), *missing]
        subprocess.run(command, cwd=REPOSITORY, env=ENVIRONMENT, check=True)
    found = [
        Photograph(home / photograph_name(number), side_px, corners(number, side_px)) for number in range(PHOTOGRAPHS)
    ]
    for photograph in found:
        _write_template(photograph)
    return found


def photograph_name(number: int) -> str:
    """Return what a photograph's file is called."""
    return f"photograph-{number}.jpg"


def artworks(folder: Path, scale: float, count: int) -> list[Path]:
    """Return artwork, all of one size; of one only, the grainy kind."""
    side_px = artwork_px(scale)
    seeds: Sequence[int] = [_FIRST] if count == 1 else range(count)
    return drawn(seeds, side_px, folder / f"artwork-{side_px}")


def artwork_px(scale: float) -> int:
    """Return how wide and high the artwork is."""
    return max(SMALLEST_PX, round(ARTWORK_PX * scale))


def _write_template(photograph: Photograph) -> None:
    area = {"name": "sheet", "corners": [list(corner) for corner in photograph.corners], "fit": "stretch"}
    text = yaml.safe_dump({"version": 1, "background": photograph.file.name, "areas": [area]}, sort_keys=False)
    photograph.file.with_suffix(".yaml").write_text(text, encoding="utf-8")
