"""`tilepress mockups outline`: a template's areas drawn on its background, so that a person sees what was written.

What is wrong with the template does not keep the rest of it from being drawn: it is what the drawing is looked at for.
"""

import math
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.designs import Designs
from config.errors import ArtworkError, ConfigurationError, ExitCode, TilepressError
from config.schema import Storage
from config.templates import Area, read_template
from config.yamlfile import read_yaml
from pipeline.delivery import storing, write_bytes
from pipeline.governor import Governor
from pipeline.library import Library
from pipeline.machine import anonymous_bytes, cpu_count, memory_limit
from pipeline.mockups.templates import check_template, file_below
from pipeline.servers import Servers
from pipeline.sources import probe
from pipeline.workplace import Workplace
from tiles.design import Design, Geometry
from tiles.scene import Picture
from tiles.store import TileStore
from tiles.tasks import NamedArea, draw_outlines
from tiles.workbench import Workbench

TIMEOUT_S = 300.0
_POINT = 2  # numbers
_LONGEST_LABEL = 64  # characters, as of a name


def draw_template(
    template: Path, target: Path, longest_px: int, say: Callable[[str], None], root: Path | None = None
) -> ExitCode:
    """Draw the areas of the template at `template` into the PNG `target`; say what is wrong, return the exit code.

    Its pictures lie below the folder `root`: its own, if nothing is said. Temporary files lie beside the target.
    Raises ConfigurationError if there is nothing to draw on.
    """
    document = read_yaml(template, None)
    data = document.data if isinstance(document.data, dict) else {}
    folder = (root or template.parent).absolute()
    if not template.absolute().is_relative_to(folder):
        raise ConfigurationError(f"{template} does not lie below {folder}", "Name templates.root with --root.")
    if target.resolve() == template.resolve() or target.resolve() in _pictures(data, template.parent):
        raise ConfigurationError(f"{target} is what the template is made of", "Name another file with -o.")
    below, governor = _below(template, folder), Governor(memory_limit(), anonymous_bytes)
    with (
        storing(target.absolute().parent),
        tempfile.TemporaryDirectory(prefix=".tilepress-outline-", dir=target.absolute().parent) as work,
        Workbench(cpu_count(), governor.limit.bytes, TIMEOUT_S) as bench,
        Servers(Storage(), folder) as servers,
    ):
        place = Workplace(TileStore(Path(work)), bench, governor)
        said = Designs(root=str(folder), allow_svg=True)
        library = Library(said, folder, servers, place.store, "--root" if root else "the template's folder")
        problems = _problems(template, folder, library, place)
        background = data.get("background")
        if not isinstance(background, str) or not background:
            raise ConfigurationError("\n".join(problems) or f"{template}: no template", "Give it a background.")
        design = probe({background: file_below(below, background)}, library, place)[background]
        if isinstance(design, ArtworkError):
            raise ConfigurationError(f"{document.where(('background',))}: background: {design.message}", design.remedy)
        picture = _drawn(design, background, _areas(data), longest_px, place)
    write_bytes(target, picture)
    for problem in problems:
        say(problem)
    say(f"Drawn: {target}")
    return ExitCode.CONFIGURATION if problems else ExitCode.DONE


def _pictures(data: dict[str, Any], folder: Path) -> set[Path]:
    """Return the files that a template may mean by its pictures' names, whatever else is wrong with it."""
    listed = data.get("areas")
    areas = [area for area in (listed if isinstance(listed, list) else []) if isinstance(area, dict)]
    named = [data.get("background"), *(area.get(key) for area in areas for key in ("mask", "shade"))]
    return {(folder / name).resolve() for name in named if isinstance(name, str)}


def _below(template: Path, root: Path) -> str:
    """Return the template's folder as it counts from the root; "" if it is the root."""
    folder = template.absolute().parent.relative_to(root).as_posix()
    return "" if folder == "." else folder


def _problems(template: Path, root: Path, library: Library, place: Workplace) -> list[str]:
    """Return what is wrong with a template, one problem a line."""
    try:
        written = replace(read_template(template, template.parent), folder=_below(template, root))
    except TilepressError as error:
        return error.message.splitlines()
    names = dict.fromkeys(name for _, name in written.pictures())
    pictures = probe({name: file_below(written.folder, name) for name in names}, library, place)
    return [str(problem) for problem in check_template(written, pictures)]


def _drawn(design: Design, name: str, areas: list[NamedArea], longest_px: int, place: Workplace) -> bytes:
    picture = Picture(name, design, Geometry(design.header.width_px, design.header.height_px))
    task = place.bench.submit(draw_outlines, picture, areas, longest_px, place.store.scratch("outline"))
    return task.result()


def _areas(data: dict[str, Any]) -> list[NamedArea]:
    """Return every area whose corners can be made out, whatever else is wrong with it."""
    listed = data.get("areas")
    found: list[NamedArea] = []
    for number, area in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(area, dict):
            corners = _corners(area)
            if corners is not None:
                found.append((_label(area.get("name"), number), corners))
    return found


def _label(name: Any, number: int) -> str:
    """Return what an area is called in the drawing: its name, if that can be shown."""
    is_shown = isinstance(name, str) and name.strip() and name.isprintable()
    return name[:_LONGEST_LABEL] if is_shown else f"areas[{number}]"


def _corners(area: dict[str, Any]) -> Any:
    corners = area.get("corners")
    if isinstance(corners, list) and len(corners) == 4 and all(map(_is_point, corners)):  # noqa: PLR2004 - of a quadrilateral
        return tuple((float(x), float(y)) for x, y in corners)
    with suppress(ValidationError):
        return Area.model_validate({"name": "area", "box": area.get("box")}).quad
    return None


def _is_point(value: Any) -> bool:
    numbers = value if isinstance(value, list) else []
    return len(numbers) == _POINT and all(isinstance(part, int | float) and math.isfinite(part) for part in numbers)
