"""Writing a template's YAML beside its pictures."""

from collections.abc import Iterable
from pathlib import Path
from string import Template

Point = tuple[float, float]


def write_template(path: Path, text: str, **values: str) -> None:
    """Write the YAML, with a value for every `$name` in it."""
    path.write_text(Template(text).substitute(values), encoding="utf-8")


def corners(points: Iterable[Point]) -> str:
    """Return corners as YAML."""
    return "[" + ", ".join(f"[{x:.1f}, {y:.1f}]" for x, y in points) + "]"
