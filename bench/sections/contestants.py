"""Who takes documents apart: tilepress, and pypdf in two ways."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.contestants import Contestant, peer_command
from bench.layout import Layout
from bench.tilepress import tilepress

TILEPRESS = "tilepress"  # as it comes: one section at a time
TILEPRESS_AUTO = "tilepress, workers: auto"
PYPDF = "pypdf"  # every ratio is to this one: a helper function called for each section, and what it returns is held
PYPDF_ONCE = "pypdf, one reader"  # the same by somebody who knows what a reader costs


def line_up() -> tuple[Contestant, ...]:
    """Return all, in the order of the runs."""
    return own(), own(TILEPRESS_AUTO, "--set", "jobs.0.workers=auto"), pypdf(), pypdf_once()


def own(name: str = TILEPRESS, *options: str) -> Contestant:
    """Return tilepress, with nothing made yet, run with these options."""
    return Contestant(
        name,
        lambda layout: tilepress("run", layout.pipeline, "--log-format", "json", *options),
        lambda layout: sorted(layout.out.glob("*.pdf")),
        lambda layout: _clear(layout.out, layout.store),
    )


def pypdf() -> Contestant:
    """Return the pypdf script that opens the document for each section."""
    return _pypdf(PYPDF, pypdf_folder)


def pypdf_once() -> Contestant:
    """Return the pypdf script that opens it once."""
    return _pypdf(PYPDF_ONCE, lambda layout: layout.folder / "pypdf-once", "one-reader")


def _pypdf(name: str, folder: Callable[[Layout], Path], *options: str) -> Contestant:
    return Contestant(
        name,
        lambda layout: [*peer_command("pypdf_sections"), str(layout.job), str(folder(layout)), *options],
        lambda layout: sorted(folder(layout).glob("*.pdf")),
        lambda layout: _clear(folder(layout)),
    )


def pypdf_folder(layout: Layout) -> Path:
    """Return where the sections of the former go."""
    return layout.folder / "pypdf"


def told(layout: Layout) -> list[dict[str, Any]]:
    """Return what tilepress says of each section, in their order; none if it says nothing."""
    file = layout.out / "sections.json"
    if not file.exists():
        return []
    sections: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["sections"]
    return sections


def _clear(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
