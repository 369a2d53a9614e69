"""From artwork and photographs to the files that runs read: a pipeline for tilepress, a list of work for OpenCV."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import yaml

from bench.layout import Layout, predicted_peak_bytes
from bench.mockups.shoot import Photograph

QUALITY = 90


def lay_out(artworks: Sequence[Path], photographs: Sequence[Photograph], folder: Path) -> Layout:
    """Write what puts every artwork on every photograph into `folder`, emptied first; the artworks lie in one folder.

    A part of the layout is a mock-up. Tilepress reads every file once meanwhile, so that all are in the page cache.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    layout = Layout(
        folder=folder,
        width_px=photographs[0].side_px,
        height_px=photographs[0].side_px,
        copies=len(artworks) * len(photographs),
        designs=len(artworks),
        parts=len(artworks) * len(photographs),
        files=(*artworks, *(photograph.file for photograph in photographs)),
        predicted_cold_bytes=0,
    )
    _write_pipeline(artworks, photographs, layout.pipeline)
    _write_job(artworks, photographs, layout.job)
    return replace(layout, predicted_cold_bytes=predicted_peak_bytes(layout))


def _write_pipeline(artworks: Sequence[Path], photographs: Sequence[Photograph], file: Path) -> None:
    items = [{"name": artwork.stem, "file": artwork.name} for artwork in artworks]
    job = {
        "kind": "mockups",
        "name": "bench",
        "designs": {"root": str(artworks[0].parent), "items": items},
        "templates": {"root": str(photographs[0].file.parent)},
        "output": {"to": "out", "quality": QUALITY},
    }
    pipeline = {"version": 1, "name": "bench", "store": {"path": "store"}, "jobs": [job]}
    file.write_text(yaml.safe_dump(pipeline, sort_keys=False), encoding="utf-8")


def _write_job(artworks: Sequence[Path], photographs: Sequence[Photograph], file: Path) -> None:
    mockups = [
        {
            "artwork": str(artwork),
            "photograph": str(photograph.file),
            "corners": photograph.corners,
            "file": f"{artwork.stem}_{photograph.template}.jpg",
        }
        for artwork in artworks
        for photograph in photographs
    ]
    file.write_text(json.dumps({"quality": QUALITY, "mockups": mockups}), encoding="utf-8")
