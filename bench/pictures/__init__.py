"""The benchmark's pictures, as SVG: where the time goes, and memory over time. Drawn from results alone."""

from collections.abc import Iterator
from pathlib import Path

from bench.pictures.memory import draw_memory
from bench.pictures.stages import draw_stages
from bench.results import Results


def draw_all(results: Results, folder: Path) -> Iterator[Path]:
    """Draw what the results tell into `folder`, and yield the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in (("bench-stages.svg", draw_stages(results)), ("bench-memory.svg", draw_memory(results))):
        if picture is not None:
            file = folder / name
            file.write_text(picture, encoding="utf-8")
            yield file
