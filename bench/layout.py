"""From a work to the files its runs read: orders and pipeline for tilepress, and the same placements for peers."""

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.tilepress import run_tilepress
from bench.works import SPACING_IN, Work
from config.units import parse_bytes

_PREDICTION = re.compile(r"predicted peak memory: ([\d.]+ [kMGT]?B)")


@dataclass(frozen=True, slots=True)
class Layout:
    """A work laid out in its own folder; `files` are its artwork.

    `predicted_cold_bytes` is the peak tilepress foresaw with an empty store.
    """

    folder: Path
    width_px: int
    height_px: int
    copies: int
    designs: int
    parts: int
    files: tuple[Path, ...]
    predicted_cold_bytes: int

    @property
    def pipeline(self) -> Path:
        """What tilepress runs."""
        return self.folder / "pipeline.yaml"

    @property
    def job(self) -> Path:
        """What the peers run: the sheet and the placements of tilepress's plan."""
        return self.folder / "job.json"

    @property
    def store(self) -> Path:
        """The tile store of its runs."""
        return self.folder / "store"

    @property
    def out(self) -> Path:
        """Where tilepress delivers to."""
        return self.folder / "out"

    @property
    def manifest(self) -> Path:
        """What tilepress says of its run."""
        return self.out / "manifest.json"


def lay_out(work: Work, designs: Sequence[Path], folder: Path, scale: float) -> Layout:
    """Write the work's files into `folder`, emptied first, with the placements that tilepress plans."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    root = Path(os.path.commonpath([design.parent for design in designs]))
    names = [design.relative_to(root).as_posix() for design in designs]
    _write_orders(work, names, folder / "orders.csv")
    _write_pipeline(work, work.dpi(scale), root, folder / "pipeline.yaml")
    plan = folder / "plan.json"
    said = run_tilepress("plan", folder / "pipeline.yaml", "--save", plan)
    width, height = _write_job(plan, dict(zip(names, designs, strict=True)), work, folder / "job.json")
    return Layout(
        folder=folder,
        width_px=width,
        height_px=height,
        copies=work.copies,
        designs=len(designs),
        parts=work.parts,
        files=tuple(designs),
        predicted_cold_bytes=_prediction(said),
    )


def predicted_peak_bytes(layout: Layout) -> int:
    """Return the memory that `tilepress plan` predicts with the tile store as it is now."""
    return _prediction(run_tilepress("plan", layout.pipeline))


def _prediction(said: str) -> int:
    predicted = _PREDICTION.search(said)
    if predicted is None:
        raise SystemExit(f"tilepress plan predicts no memory:\n{said}")
    return parse_bytes(predicted[1])


def _write_orders(work: Work, designs: Sequence[str], file: Path) -> None:
    """Order every design as often as the next, the first ones once more where it does not come out even."""
    each, more = divmod(work.copies, len(designs))
    lines = ["order,design,quantity,width_in,height_in"]
    for index, design in enumerate(designs):
        quantity = each + (index < more)
        lines.append(f'{1001 + index},"{design}",{quantity},{work.print_in},{work.print_in}')
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_pipeline(work: Work, dpi: int, root: Path, file: Path) -> None:
    job = {
        "kind": "gangsheet",
        "name": "bench",
        "sheet": {"width_in": work.width_in, "height_in": work.height_in, "dpi": dpi, "spacing_in": SPACING_IN},
        "orders": {"csv": "orders.csv"},
        "designs": {"root": str(root)},
        "layout": {"rotate": False},
        "quality": {"min_dpi": 0},
        "output": {"to": "out"},
    }
    pipeline = {"version": 1, "name": "bench", "store": {"path": "store"}, "jobs": [job]}
    file.write_text(yaml.safe_dump(pipeline, sort_keys=False), encoding="utf-8")


def _write_job(plan_file: Path, designs: Mapping[str, Path], work: Work, file: Path) -> tuple[int, int]:
    """Write what the peers need of tilepress's plan; return the sheet's width and height."""
    plan = json.loads(plan_file.read_text())
    numbers = {name: number for number, name in enumerate(designs)}
    placements = [
        {
            "design": numbers[placement["design"]],
            "x": placement["x_px"],
            "y": placement["y_px"],
            "width": placement["width_px"],
            "height": placement["height_px"],
        }
        for part in plan["parts"]
        for placement in part["placements"]
    ]
    parts = len(plan["parts"])
    if (parts, len(placements)) != (work.parts, work.copies):
        planned = f"{len(placements)} copies on {parts} parts"
        raise SystemExit(f"{work.name}: {planned}, not {work.copies} on {work.parts}")
    sheet = plan["sheet"]
    job = {
        "width": sheet["width_px"],
        "height": sheet["height_px"],
        "dpi": sheet["dpi"],
        "designs": [str(design) for design in designs.values()],
        "placements": placements,
    }
    file.write_text(json.dumps(job))
    return sheet["width_px"], sheet["height_px"]
