"""The manifest: what a run was asked for, what it made of it, and what it cost. Written as parts are finished.

While a run is at work, and if it is killed, `finished_at` is null and the parts listed are the ones that are whole.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from config import VERSION
from config.errors import ConfigurationError, StorageError
from pipeline.items import Rejection
from pipeline.machine import MemoryLimit
from pipeline.plan import Part, Plan, Sheet
from tiles.design import Design
from tiles.geometry import Rect
from tiles.sinks.sink import SheetFile

SCHEMA = 1
MAX_BYTES = 512_000_000  # 500,000 copies at about 300 bytes, and as much again


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a manifest says besides the plan and its parts, fixed for the run.

    `started_at` is ISO 8601 in UTC, `plan` the plan's digest, `limit` what the run was judged by.
    """

    job: str
    run: str
    started_at: str
    format: str
    plan: str
    designs_root: Path
    designs: Mapping[str, tuple[Design, Rect | None]]
    ordered: Mapping[tuple[str, str], int]
    limit: MemoryLimit


def compose_manifest(
    record: RunRecord,
    plan: Plan,
    finished: Sequence[tuple[Part, SheetFile]],
    seconds: Mapping[str, float],
    peak_bytes: int,
    finished_at: str | None,
) -> dict[str, Any]:
    """Return the manifest of a run that has `finished` these parts so far."""
    return {
        "schema": SCHEMA,
        "kind": "gangsheet",
        "tilepress": VERSION,
        "job": record.job,
        "run": record.run,
        "started_at": record.started_at,
        "finished_at": finished_at,
        "plan": record.plan,
        "format": record.format,
        "sheet": asdict(plan.sheet),
        "designs_root": str(record.designs_root),
        "designs": {name: _design(*entry) for name, entry in record.designs.items()},
        "ordered": [
            {"order": order, "design": design, "copies": copies} for (order, design), copies in record.ordered.items()
        ],
        "parts": [_part(part, file, plan.sheet.dpi) for part, file in finished],
        "planned": [part.file for part in plan.parts],
        "totals": {
            "ordered": sum(record.ordered.values()),
            "placed": sum(len(part.placements) for part, _ in finished),
            "rejected": sum(rejection.copies for rejection in plan.rejected),
        },
        "rejected": [asdict(rejection) for rejection in plan.rejected],
        "memory": {"limit_bytes": record.limit.bytes, "limit_source": record.limit.source, "peak_bytes": peak_bytes},
        "seconds": dict(seconds),
    }


def read_manifest(path: Path) -> dict[str, Any]:
    """Read a manifest; raise ConfigurationError if it is none that this version understands."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        content = json.loads(raw) if len(raw) <= MAX_BYTES else None
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: no such file", "Name the manifest.json of a run.") from None
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}", "Check the path and its permissions.") from error
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA or content.get("kind") != "gangsheet":
        raise ConfigurationError(f"{path}: no manifest of a gang sheet run", "Name the manifest.json of a run.")
    return content


def finished_parts(manifest: Mapping[str, Any], plan: Plan) -> dict[int, tuple[int, str]]:
    """Return (bytes, sha256) of the parts an earlier run of this very plan had finished, by part number.

    The same plan gives the same bytes, as long as it is the same tilepress.
    """
    if manifest.get("plan") != plan.digest() or manifest.get("tilepress") != VERSION:
        return {}
    return {part["part"]: (part["bytes"], part["sha256"]) for part in manifest["parts"]}


def sheet_of(manifest: Mapping[str, Any]) -> Sheet:
    """Return the sheet a manifest describes."""
    return Sheet(**manifest["sheet"])


def rejections_of(manifest: Mapping[str, Any]) -> list[Rejection]:
    """Return the rejections a manifest lists."""
    return [Rejection(**rejection) for rejection in manifest["rejected"]]


def _design(design: Design, box: Rect | None) -> dict[str, Any]:
    return {
        "sha256": design.sha256,
        "format": design.header.format,
        "width_px": design.header.width_px,
        "height_px": design.header.height_px,
        "trim": asdict(box) if box else None,
    }


def _part(part: Part, file: SheetFile, dpi: int) -> dict[str, Any]:
    return {
        "part": part.number,
        "file": part.file,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "width_px": part.width_px,
        "height_px": part.height_px,
        "dpi": dpi,
        "utilisation": round(part.utilisation, 4),
        "placements": [placement.as_json() for placement in part.placements],
    }
