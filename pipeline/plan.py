"""The plan's nouns: the sheet, what is to be printed, where each copy lies, and the plan as JSON. Pure values."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from pipeline.items import Item, Rejection
from tiles.geometry import Rect

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Sheet:
    """The film at full size. Spacing is the least gap between placements; margin the least gap to the edge."""

    width_in: float
    height_in: float
    dpi: int
    width_px: int
    height_px: int
    spacing_x_px: int
    spacing_y_px: int
    margin_px: int
    dynamic_sizing: bool
    source: str  # "database" or "pipeline file"

    @property
    def usable(self) -> Rect:
        """Where placements may lie."""
        return Rect(0, 0, self.width_px, self.height_px).inset(self.margin_px)


@dataclass(frozen=True, slots=True)
class PreparedKey:
    """What names a prepared design in a plan: content hash, printed pixels before any rotation, box if trimmed."""

    sha256: str
    width_px: int
    height_px: int
    box: Rect | None = None


@dataclass(frozen=True, slots=True)
class Printable:
    """An item whose artwork and printed pixels are known."""

    item: Item
    key: PreparedKey


@dataclass(frozen=True, slots=True)
class Placement:
    """One copy on a part: `rect` as printed, `rotation` 0 or 90 degrees counter-clockwise."""

    order: str
    design: str
    copy: int
    key: PreparedKey
    rect: Rect
    rotation: int

    def as_json(self) -> dict[str, Any]:
        """Return what plan and manifest state of a placement."""
        return {
            "order": self.order,
            "design": self.design,
            "copy": self.copy,
            "x_px": self.rect.x,
            "y_px": self.rect.y,
            "width_px": self.rect.width,
            "height_px": self.rect.height,
            "rotation": self.rotation,
        }


@dataclass(frozen=True, slots=True)
class Part:
    """One sheet of film: its number from 1, its size, what lies on it, and its file's name."""

    number: int
    width_px: int
    height_px: int
    placements: tuple[Placement, ...]
    file: str

    @property
    def used_height_px(self) -> int:
        """Rows from the top edge to the lowest placement's bottom."""
        return max((placement.rect.bottom for placement in self.placements), default=0)

    @property
    def utilisation(self) -> float:
        """The share of the part that placements cover."""
        return sum(placement.rect.area for placement in self.placements) / (self.width_px * self.height_px)


@dataclass(frozen=True, slots=True)
class Plan:
    """All parts and all rejections of a run; the same input gives the same plan.

    `kept_together_px` is what keeping orders together costs: the height that all parts use beyond the lowest layout
    found on as many parts. Where parts shrink to their content it is 0.
    """

    sheet: Sheet
    parts: tuple[Part, ...]
    rejected: tuple[Rejection, ...]
    kept_together_px: int = 0

    @property
    def placed(self) -> int:
        """Copies on parts."""
        return sum(len(part.placements) for part in self.parts)

    @property
    def kept_together_in(self) -> float:
        """`kept_together_px` in inches of film."""
        return self.kept_together_px / self.sheet.dpi

    def placements(self) -> Iterator[Placement]:
        """Yield every placement, part by part."""
        for part in self.parts:
            yield from part.placements

    def last_parts(self) -> dict[str, int]:
        """Return for each design's name the number of the part that holds its last copy."""
        return {placement.design: part.number for part in self.parts for placement in part.placements}

    def parts_by_order(self) -> dict[str, set[int]]:
        """Return for each order the numbers of the parts that hold copies of it."""
        parts: dict[str, set[int]] = {}
        for part in self.parts:
            for placement in part.placements:
                parts.setdefault(placement.order, set()).add(part.number)
        return parts

    def designs(self) -> dict[str, dict[str, Any]]:
        """Return for each design's name its content hash and its box, if it is trimmed."""
        keys = {placement.design: placement.key for placement in self.placements()}
        return {
            name: {"sha256": key.sha256, "trim": asdict(key.box) if key.box else None} for name, key in keys.items()
        }

    def as_json(self) -> dict[str, Any]:
        """Return the plan as plain values for JSON; placements as the manifest states them."""
        return {**self._head(), "parts": [{**_part_head(part), **_placements(part)} for part in self.parts]}

    @classmethod
    def from_json(cls, stated: Mapping[str, Any]) -> Self:
        """Return the plan that `as_json` stated; KeyError, TypeError or ValueError if it is none."""
        parts = tuple(
            Part(
                part["part"],
                part["width_px"],
                part["height_px"],
                tuple(placement_from_json(entry, stated["designs"]) for entry in part["placements"]),
                part["file"],
            )
            for part in stated["parts"]
        )
        rejected = tuple(Rejection(**rejection) for rejection in stated["rejected"])
        return cls(Sheet(**stated["sheet"]), parts, rejected, stated["kept_together_px"])

    def digest(self) -> str:
        """Return a SHA-256 that two plans share if and only if they are the same."""
        digest = hashlib.sha256(_canonical(self._head()))
        for part in self.parts:
            digest.update(_canonical(_part_head(part)))
            for placement in part.placements:
                digest.update(_canonical(placement.as_json()))
        return digest.hexdigest()

    def _head(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "sheet": asdict(self.sheet),
            "designs": self.designs(),
            "rejected": [asdict(rejection) for rejection in self.rejected],
            "kept_together_px": self.kept_together_px,
        }


def placement_from_json(entry: Mapping[str, Any], designs: Mapping[str, Any]) -> Placement:
    """Return a placement as plan or manifest states it; `designs` says each name's content and trim box."""
    rect = Rect(entry["x_px"], entry["y_px"], entry["width_px"], entry["height_px"])
    width, height = (rect.height, rect.width) if entry["rotation"] else (rect.width, rect.height)
    design = designs[entry["design"]]
    box = Rect(**design["trim"]) if design["trim"] else None
    key = PreparedKey(design["sha256"], width, height, box)
    return Placement(entry["order"], entry["design"], entry["copy"], key, rect, entry["rotation"])


def _part_head(part: Part) -> dict[str, Any]:
    return {"part": part.number, "file": part.file, "width_px": part.width_px, "height_px": part.height_px}


def _placements(part: Part) -> dict[str, Any]:
    return {"placements": [placement.as_json() for placement in part.placements]}


def _canonical(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=True).encode()
