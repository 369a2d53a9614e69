"""The peer: rectpack, with the settings it is run with. Which ones are taken together is written here only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import rectpack  # type: ignore[import-untyped]

from bench.packing.instances import Size

_LARGEST = {"area": rectpack.SORT_AREA, "long side": rectpack.SORT_LSIDE, "short side": rectpack.SORT_SSIDE}
_SORTS = {**_LARGEST, "perimeter": rectpack.SORT_PERI}


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to run rectpack: how places are found, what comes first, and whether boxes are handed over lying."""

    algorithm: str
    sort: str = "area"
    lying: bool = False

    def __str__(self) -> str:
        return f"{self.algorithm}, by {self.sort}{', lying' if self.lying else ''}"


NINE = [Setting(*each) for each in product(("MaxRectsBssf", "MaxRectsBaf", "SkylineBlWm"), _LARGEST)]
"""For bins. Of two kinds of MaxRects and of Skyline those that save most bins; Guillotine saves fewer."""

FORTY = [
    Setting(*each)
    for each in product(
        ("MaxRectsBl", "MaxRectsBssf", "MaxRectsBaf", "SkylineBl", "SkylineBlWm"), _SORTS, (False, True)
    )
]
"""For strips. The others, which look for a tight place anywhere, make towers where the bin has no end."""

MAX_RECTS = [Setting("MaxRectsBssf"), Setting("MaxRectsBl")]
"""For rolls: rectpack's own choice, and the one that takes the least film in about the same time."""


def heights(boxes: Sequence[Size], size: Size, setting: Setting) -> list[int]:
    """Pack boxes, turned where that helps, in bins of one size, each in the first it fits; return the used heights."""
    lay: Callable[[Size], Size] = (lambda box: (max(box), min(box))) if setting.lying else (lambda box: box)
    packer = rectpack.newPacker(
        mode=rectpack.PackingMode.Offline,
        bin_algo=rectpack.PackingBin.BFF,
        pack_algo=getattr(rectpack, setting.algorithm),
        sort_algo=_SORTS[setting.sort],
        rotation=True,
    )
    for box in boxes:
        packer.add_rect(*lay(box))
    packer.add_bin(*size, count=float("inf"))
    packer.pack()
    laid: list[Any] = packer.rect_list()
    if len(laid) != len(boxes):
        raise SystemExit(f"rectpack {setting}: {len(laid)} of {len(boxes)} boxes laid")
    used: dict[int, int] = {}
    for number, _, y, _, height, _ in laid:
        used[number] = max(used.get(number, 0), y + height)
    return [used[number] for number in sorted(used)]
