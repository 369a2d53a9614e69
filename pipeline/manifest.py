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
from pipeline.delivery import MAX_MANIFEST_BYTES
from pipeline.items import Rejection
from pipeline.ledger import Entry
from pipeline.machine import MemoryLimit
from pipeline.plan import Part, Sheet
from pipeline.ticket import Ticket

NAME_ONE = "Name the manifest of a run: manifest.json, or sections.json."
SCHEMA = 1
KIND = "gangsheet"
KINDS = (KIND, "mockups", "sections")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a manifest says besides the parts, fixed for the run.

    `started_at` is ISO 8601 in UTC, `limit` what the run was judged by.
    """

    ticket: Ticket
    started_at: str
    limit: MemoryLimit


def compose_manifest(
    record: RunRecord,
    finished: Sequence[tuple[Part, Entry]],
    seconds: Mapping[str, float],
    peak_bytes: int,
    finished_at: str | None,
) -> dict[str, Any]:
    """Return the manifest of a run that has `finished` these parts so far."""
    ticket, plan = record.ticket, record.ticket.plan
    return {
        "schema": SCHEMA,
        "kind": KIND,
        "tilepress": VERSION,
        "job": ticket.job,
        "run": ticket.run,
        "started_at": record.started_at,
        "finished_at": finished_at,
        "plan": plan.digest(),
        "format": ticket.format,
        "sheet": asdict(plan.sheet),
        "designs_root": ticket.designs_root,
        "designs": {name: {**design, **ticket.artwork[name]} for name, design in plan.designs().items()},
        "ordered": [
            {"order": order, "design": design, "copies": copies} for (order, design), copies in ticket.ordered.items()
        ],
        "parts": [_part(part, entry, plan.sheet.dpi) for part, entry in finished],
        "planned": [part.file for part in plan.parts],
        "totals": {
            "ordered": sum(ticket.ordered.values()),
            "placed": sum(len(part.placements) for part, _ in finished),
            "rejected": sum(rejection.copies for rejection in plan.rejected),
        },
        "rejected": [asdict(rejection) for rejection in plan.rejected],
        "warnings": list(ticket.warnings),
        "kept_together_px": plan.kept_together_px,
        "memory": {"limit_bytes": record.limit.bytes, "limit_source": record.limit.source, "peak_bytes": peak_bytes},
        "seconds": dict(seconds),
    }


def read_manifest(path: Path) -> dict[str, Any]:
    """Read a manifest, of any kind of job; raise ConfigurationError if it is none that this version understands."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_MANIFEST_BYTES + 1)
        content = json.loads(raw) if len(raw) <= MAX_MANIFEST_BYTES else None
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: no such file", NAME_ONE) from None
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}", "Check the path and its permissions.") from error
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA or content.get("kind") not in KINDS:
        raise ConfigurationError(f"{path}: no manifest of a run", NAME_ONE)
    return content


def sheet_of(manifest: Mapping[str, Any]) -> Sheet:
    """Return the sheet a manifest describes."""
    return Sheet(**manifest["sheet"])


def rejections_of(manifest: Mapping[str, Any]) -> list[Rejection]:
    """Return the rejections a manifest lists."""
    return [Rejection(**rejection) for rejection in manifest["rejected"]]


def _part(part: Part, entry: Entry, dpi: int) -> dict[str, Any]:
    return {
        "part": part.number,
        "file": part.file,
        "bytes": entry.bytes,
        "sha256": entry.sha256,
        "width_px": part.width_px,
        "height_px": part.height_px,
        "dpi": dpi,
        "utilisation": round(part.utilisation, 4),
        "placements": [placement.as_json() for placement in part.placements],
    }
