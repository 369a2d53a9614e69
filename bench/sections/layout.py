"""From documents to the files that runs read: a pipeline for tilepress, a list of work for pypdf."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bench.layout import Layout

Settings = Mapping[str, Any]

CUT_ONLY: Settings = {"analyzer": {"kind": "none"}, "output": {"text": False, "preview": False}}  # what the peer does


def lay_out(document: Path, pages: int, every: int, folder: Path, settings: Settings = CUT_ONLY) -> Layout:
    """Write what takes the first pages of a document apart into `folder`, emptied first; a part is a section.

    `settings` are those of the job, besides where its sections come from and go to. The document is read once, so that
    it is in the page cache.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ranges = [(first, min(first + every - 1, pages)) for first in range(1, pages + 1, every)]
    layout = Layout(
        folder=folder,
        width_px=0,
        height_px=0,
        copies=pages,
        designs=1,
        parts=len(ranges),
        files=(document,),
        predicted_cold_bytes=0,
    )
    job = {
        "kind": "sections",
        "name": "bench",
        "document": str(document),
        "sections": [{"title": title(first, last), "pages": f"{first}-{last}"} for first, last in ranges],
        "delay_s": 0,
        **settings,
        "output": {**settings.get("output", {}), "to": "out"},
    }
    pipeline = {"version": 1, "name": "bench", "store": {"path": "store"}, "jobs": [job]}
    layout.pipeline.write_text(yaml.safe_dump(pipeline, sort_keys=False), encoding="utf-8")
    work = {"document": str(document), "sections": [[first, last] for first, last in ranges]}
    layout.job.write_text(json.dumps(work), encoding="utf-8")
    _read(document)
    return layout


def title(first: int, last: int) -> str:
    """Return the title of a section."""
    return f"Pages {first} to {last}"


def _read(file: Path) -> None:
    with file.open("rb") as opened:
        while opened.read(1 << 20):
            pass
