"""Which mock-ups there are to be: every design on every template, each under a key that says what it is made of. Pure.

The same key gives the same picture, so that what lies there under it already need not be made again.
"""

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.basis import check_file_name
from config.errors import ArtworkError
from config.mockups import MockupOutput
from config.templates import NOTHING, Area
from config.units import round_half_up
from pipeline.mockups.artwork import MockupDesign, public
from pipeline.mockups.templates import OpenTemplate
from tiles.design import Design
from tiles.sinks import LONGEST_PX

RECIPE = 1  # raised when the same inputs come to give other pixels: older mock-ups are then made again


@dataclass(frozen=True, slots=True)
class Mockup:
    """One mock-up to be made: the artwork of each area that shows any, and the name of its file.

    `key` says what it is made of: see `plan_mockups`.
    """

    file: str
    design: str
    template: OpenTemplate
    artwork: Mapping[str, Design]
    references: Mapping[str, str]
    key: str

    @property
    def inputs(self) -> dict[str, dict[str, str]]:
        """The SHA-256 of every file it is made of: of designs and of templates by their names below the roots."""
        template = self.template
        pictures = {template.files[name]: picture.sha256 for name, picture in template.pictures.items()}
        if template.watermark_picture is not None:
            pictures[template.watermark_file] = template.watermark_picture.sha256
        artwork = {self.references[area]: design.sha256 for area, design in self.artwork.items()}
        return {"designs": artwork, "templates": pictures}


@dataclass(frozen=True, slots=True)
class Failure:
    """A mock-up that cannot be made, and why."""

    file: str
    design: str
    template: str
    reason: str


@dataclass(frozen=True, slots=True)
class MockupPlan:
    """All mock-ups of a job, those of a design together, and all that cannot be made."""

    mockups: tuple[Mockup, ...]
    failures: tuple[Failure, ...]

    @property
    def asked(self) -> int:
        """How many were asked for."""
        return len(self.mockups) + len(self.failures)


def plan_mockups(
    designs: Sequence[MockupDesign],
    templates: Sequence[OpenTemplate],
    broken: Mapping[str, str],
    artwork: Mapping[str, Design | ArtworkError],
    output: MockupOutput,
    file_name: Callable[[str, str], str],
) -> MockupPlan:
    """Return the mock-ups of every design on every template; `broken` says by name why a template cannot be used.

    `artwork` holds what each reference of a design leads to. File names that would be the same, but for case or
    spelling, are told apart by giving the later one up.
    """
    mockups: list[Mockup] = []
    failures: list[Failure] = []
    usable = {template.name: template for template in templates}
    for design, name, file, problem in pairs(designs, (*usable, *broken), file_name):
        try:
            if problem:
                raise ArtworkError(problem)
            if name in broken:
                raise ArtworkError(f"template {name}: {broken[name]}")
            mockups.append(_planned(file, design, usable[name], artwork, output))
        except ArtworkError as error:
            failures.append(Failure(_legible(file), _legible(design.name), name, error.message))
    return MockupPlan(tuple(mockups), tuple(failures))


def _legible(name: str) -> str:
    """Return a name that any manifest can hold, whatever bytes the file system has for it."""
    return name.encode("utf-8", "replace").decode()


def pairs(
    designs: Sequence[MockupDesign], templates: Sequence[str], file_name: Callable[[str, str], str]
) -> Iterator[tuple[MockupDesign, str, str, str]]:
    """Yield each design with each template's name, their file's name, and why no file can have it: "" if one can."""
    taken: dict[str, str] = {}
    for design in designs:
        for name in templates:
            file = file_name(design.name, name)
            whose = f"{' and '.join(map(public, design.sides.values()))} on {name}"
            yield design, name, file, _name_problem(file, whose, taken)


def _name_problem(file: str, whose: str, taken: dict[str, str]) -> str:
    try:
        check_file_name(file)
    except ValueError as error:
        return f"no file can be called {file!r}: {error}"
    spelling = unicodedata.normalize("NFC", file).casefold()
    if spelling in taken:
        return f"its file would be that of {taken[spelling]}; rename one of them"
    taken[spelling] = whose
    return ""


def _planned(
    file: str,
    design: MockupDesign,
    template: OpenTemplate,
    artwork: Mapping[str, Design | ArtworkError],
    output: MockupOutput,
) -> Mockup:
    problem = misfit(design, template, output)
    if problem:
        raise ArtworkError(problem)
    shown: dict[str, Design] = {}
    references: dict[str, str] = {}
    for area in areas_with_artwork(template):
        reference = design.artwork(area.design)
        assert reference is not None  # or it were a misfit
        name = public(reference)
        found = artwork[name]
        if isinstance(found, ArtworkError):
            raise ArtworkError(f"{name}: {found.message}")
        shown[area.name] = found
        references[area.name] = name
    return Mockup(file, design.name, template, shown, references, mockup_key(design.name, template, shown, output))


def misfit(design: MockupDesign, template: OpenTemplate, output: MockupOutput) -> str:
    """Return why a design cannot be put on a template, whatever its artwork holds: "" if nothing is against it."""
    width, height = size_of(template, output)
    longest = LONGEST_PX[output.format]
    if max(width, height) > longest:
        return (
            f"it would have {width:,}×{height:,} pixels; a {output.format} has at most {longest:,} a side. "
            f"Set output.max_px, or another output.format"
        )
    for area in areas_with_artwork(template):
        if design.artwork(area.design) is None:
            return f"design {design.name} has no side {area.design}, which area {area.name} of the template shows"
    return ""


def size_of(template: OpenTemplate, output: MockupOutput) -> tuple[int, int]:
    """Return the size of mock-ups on a template in pixels: the background's, within `output.max_px`."""
    header = template.background.header
    width, height = header.width_px, header.height_px
    if output.max_px is None or max(width, height) <= output.max_px:
        return width, height
    scale = output.max_px / max(width, height)
    return max(1, round_half_up(width * scale)), max(1, round_half_up(height * scale))


def areas_with_artwork(template: OpenTemplate) -> Iterator[Area]:
    """Yield the areas of a template that artwork is put on."""
    return (area for area in template.template.areas if area.design != NOTHING)


def mockup_key(design: str, template: OpenTemplate, shown: Mapping[str, Design], output: MockupOutput) -> str:
    """Return a digest of everything that a mock-up's pixels, and its bytes, depend on."""
    caption = template.caption.line(design, template.name) if template.caption else None
    mark = template.watermark_picture
    said: list[Any] = [
        RECIPE,
        output.model_dump(exclude={"to", "filename"}),
        template.template.model_dump(exclude={"watermark", "caption"}),
        {name: picture.sha256 for name, picture in template.pictures.items()},
        template.watermark.model_dump() if template.watermark else None,
        mark.sha256 if mark else None,
        template.caption.model_dump() if template.caption else None,
        caption,
        {area: found.sha256 for area, found in shown.items()},
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
