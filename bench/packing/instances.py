"""What is packed: published instances, where they are at hand, and stickers drawn by a seed. Whole units, or pixels."""

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from bench.tilepress import REPOSITORY
from config.units import inches_to_px

INSTANCES = REPOSITORY.parent / "shared" / "data" / "packing"
BINS_FILE, STRIPS_FILE = "bin_packing_2bp.json", "strip_packing.json"
DPI = 400
ROLL_IN = (22, 240)
SPACING_IN = 0.125
STICKER_IN = (0.5, 6.0)  # the shortest and the longest side

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Instance:
    """Boxes for bins of one size; `perfect` is a strip's height without waste, None for bins."""

    name: str
    boxes: tuple[Size, ...]
    bin: Size
    perfect: float | None = None


def read_bins(folder: Path) -> list[Instance]:
    """Read the instances of two-dimensional bin packing; none where their file is missing."""
    return [Instance(each["name"], _boxes(each), (each["bin"][0], each["bin"][1])) for each in _read(folder, BINS_FILE)]


def read_strips(folder: Path) -> list[Instance]:
    """Read the instances of strip packing; none where their file is missing.

    A strip has no end. To a packer it is a bin about twice as high as need be.
    """
    found = []
    for each in _read(folder, STRIPS_FILE):
        boxes, perfect = _boxes(each), float(each["area_bound"])
        height = int(2 * perfect) + max(map(max, boxes))
        found.append(Instance(each["name"], boxes, (each["strip_width"], height), perfect))
    return found


def stickers(count: int) -> Instance:
    """Return stickers of all sizes for rolls of film, in pixels without the spacing; the same ones every time."""
    rng = Random(count)
    least, most = (inches_to_px(side, DPI) for side in STICKER_IN)
    boxes = tuple((rng.randint(least, most), rng.randint(least, most)) for _ in range(count))
    return Instance(f"{count} stickers", boxes, (inches_to_px(ROLL_IN[0], DPI), inches_to_px(ROLL_IN[1], DPI)))


def spacing_px() -> int:
    """Return the gap between stickers."""
    return inches_to_px(SPACING_IN, DPI)


def _boxes(instance: dict[str, Any]) -> tuple[Size, ...]:
    return tuple((width, height) for width, height, copies in instance["items"] for _ in range(copies))


def _read(folder: Path, name: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return found
