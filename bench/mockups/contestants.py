"""Who makes mock-ups: tilepress with an empty and with a filled tile store, and OpenCV."""

import shutil
from pathlib import Path

from bench.contestants import COLD, WARM, Contestant, peer_command
from bench.layout import Layout
from bench.tilepress import tilepress

OPENCV = "OpenCV"  # every ratio is to this one: what most scripts that make mock-ups are written with


def line_up() -> tuple[Contestant, Contestant, Contestant]:
    """Return all three, in the order of the runs: the first leaves the store that the second finds."""
    return tilepress_cold(), tilepress_warm(), opencv()


def tilepress_cold() -> Contestant:
    """Return tilepress with an empty store."""
    return Contestant(COLD, _tilepress, _own, lambda layout: _clear(layout.out, layout.store))


def tilepress_warm() -> Contestant:
    """Return tilepress with the store as an earlier run left it, and none of its mock-ups."""
    return Contestant(WARM, _tilepress, _own, lambda layout: _clear(layout.out))


def opencv() -> Contestant:
    """Return the OpenCV script."""
    return Contestant(
        OPENCV,
        lambda layout: [*peer_command("opencv_mockups"), str(layout.job), str(opencv_folder(layout))],
        lambda layout: _pictures(opencv_folder(layout)),
        lambda layout: _clear(opencv_folder(layout)),
    )


def opencv_folder(layout: Layout) -> Path:
    """Return where OpenCV's mock-ups go, under the names that tilepress gives them."""
    return layout.folder / "opencv"


def _tilepress(layout: Layout) -> list[str]:
    return tilepress("run", layout.pipeline, "--log-format", "json")


def _own(layout: Layout) -> list[Path]:
    return _pictures(layout.out)


def _pictures(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jpg"))


def _clear(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
