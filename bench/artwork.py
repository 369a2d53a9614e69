"""Artwork for the benchmark: the files that a work prints, drawn by `bench.drawing` where they are not there yet."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from bench.tilepress import ENVIRONMENT, REPOSITORY
from bench.works import Work

_EDITION = 1  # raised when the drawing changes: older files are then never taken
_LARGE = 2  # the design that is drawn larger where a work wants one: grainy, which is harder to decode


def designs_for(work: Work, own: Path | None, folder: Path, scale: float) -> list[Path]:
    """Return the files to print: the PNGs of the folder `own`, or drawn ones. Many and large designs are always drawn.

    Drawn ones lie below `folder`, and are drawn once.
    """
    if own is not None and work.designs <= 15 and not work.large_px:
        found = sorted(own.absolute().glob("*.png"))[: work.copies]
        if not found:
            raise SystemExit(f"{own}: no PNG files")
        return found
    side_px = round(work.design_px * scale)
    designs = drawn(range(work.designs), side_px, folder / f"artwork-{_EDITION}-{work.designs}x{side_px}")
    if work.large_px:
        side_px = round(work.large_px * scale)
        (designs[_LARGE],) = drawn([_LARGE], side_px, folder / f"artwork-{_EDITION}-large-{side_px}")
    return designs


def drawn(seeds: Iterable[int], side_px: int, home: Path) -> list[Path]:
    """Return one artwork for each seed, in the folder `home`: two in three flat, one in three grainy."""
    files = {seed: home / file_name(seed) for seed in seeds}
    missing = [str(seed) for seed, file in files.items() if not file.exists()]
    if missing:
        home.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "bench.drawing", str(home), str(side_px), *missing]
        subprocess.run(command, cwd=REPOSITORY, env=ENVIRONMENT, check=True)
    return list(files.values())


def file_name(seed: int) -> str:
    """Return what the artwork of a seed is called."""
    return f"{seed:03}-{'grainy' if is_grainy(seed) else 'flat'}.png"


def is_grainy(seed: int) -> bool:
    """Return whether the artwork of a seed is a grainy disc, or else a flat badge."""
    return seed % 3 == 2
