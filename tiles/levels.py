"""Artwork at the sizes that one area of a mock-up shows it at: made on disk, for as long as they are looked at.

It comes premultiplied, so that libvips shrinks all of its channels alike, a row at a time.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyvips

from tiles.design import PreparedDesign

_GAP = 2.0  # pure Lanczos to a quarter of the size; beyond, whole pixels are averaged first: libvips' has an end


@contextmanager
def sized(artwork: PreparedDesign, sizes: Sequence[tuple[int, int]], beside: Path) -> Iterator[list[PreparedDesign]]:
    """Yield the artwork at these sizes (width, height), the largest first, none larger than it is; removed afterwards.

    Room for them is taken beside the path.
    """
    levels: list[PreparedDesign] = []
    made: list[Path] = []
    try:
        for number, (width, height) in enumerate(sizes):
            source = levels[-1] if levels else artwork
            if (width, height) != (source.width_px, source.height_px):
                made.append(beside.with_name(f"{beside.name}-{number}.v"))
                source = _shrunk(source, width, height, made[-1])
            levels.append(source)
        yield levels
    finally:
        for path in made:
            path.unlink(missing_ok=True)


def _shrunk(source: PreparedDesign, width: int, height: int, target: Path) -> PreparedDesign:
    image = pyvips.Image.new_from_file(str(source.path), access="random")
    image = image.reducev(source.height_px / height, kernel="lanczos3", gap=_GAP)
    image = image.reduceh(source.width_px / width, kernel="lanczos3", gap=_GAP)
    image.write_to_file(str(target), keep="none")
    return PreparedDesign(target, image.width, image.height)
