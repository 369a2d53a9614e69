"""Templates of mock-ups: what a template's YAML may say, as pydantic models, and reading one.

A template is a photograph of a product and the areas of it that artwork is put on. The same keys come from a YAML
file and, as JSON, from the database. Knows nothing of pixels; that a corner lies in the photograph is for others to
check, who can say where it is written with `WrittenTemplate.problem`.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from config.basis import Model, Name, Text
from config.errors import ConfigurationError
from config.findings import complain, find_problems
from config.yamlfile import UNFIT, KeyPath, Problem, YamlDocument, read_yaml

TEMPLATE_SUFFIXES = (".yaml", ".yml")
NOTHING = "none"  # as an area's design: no artwork is put on it
CORNER_NAMES = ("top left", "top right", "bottom right", "bottom left")
_CORNERS = len(CORNER_NAMES)
_FARTHEST_PX = 1_000_000.0  # off a picture's corner; no picture is as large
_SMALLEST_PX = 1.0  # that an area's sides may be: less is a slip
_FLATTEST = 1e-3  # sine of the least angle at a corner; less is a line
_FIELD = re.compile(r"\{(design|template)\}")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_REMEDY = "See docs/mockups.md."

Point = tuple[float, float]
Corners = tuple[Point, Point, Point, Point]

Align = Literal[
    "center", "top", "bottom", "left", "right", "top-left", "top-right", "bottom-left", "bottom-right"
]  # fmt: skip
Fit = Literal["contain", "cover", "stretch"]
Blend = Literal["over", "multiply", "screen", "overlay", "soft-light", "hard-light"]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Degrees = Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False)]
Pixels = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


def _colour(value: Any) -> Any:
    if isinstance(value, str) and _COLOUR.fullmatch(value):
        return value
    raise ValueError('must be a colour as "#RRGGBB", in quotes: # begins a comment elsewhere')


Colour = Annotated[str, BeforeValidator(_colour)]
NoColour = Annotated[Colour | None, BeforeValidator(_colour)]  # none by default; what is written is one


def _corners(value: Any) -> Any:
    """Check four corners: pairs of numbers, clockwise, convex. Return them as tuples."""
    if not isinstance(value, list | tuple) or len(value) != _CORNERS:
        count = f"; there are {len(value)}" if isinstance(value, list | tuple) else ""
        raise ValueError(f"must be four corners, [[x, y], [x, y], [x, y], [x, y]], clockwise from the top left{count}")
    corners: list[Point] = []
    for number, point in enumerate(value, start=1):
        where = f"corner {number} ({CORNER_NAMES[number - 1]})"
        if not isinstance(point, list | tuple) or len(point) != 2:  # noqa: PLR2004 - x and y
            raise ValueError(f"{where} must be a pair of numbers, [x, y]")
        if any(isinstance(part, str) for part in point):
            raise ValueError(f"{where} is written as text; write its numbers without quotes")
        if not all(isinstance(part, int | float) and not isinstance(part, bool) for part in point):
            raise ValueError(f"{where} must be a pair of numbers, [x, y]")
        if not all(abs(part) <= _FARTHEST_PX for part in point):  # nor is what is no number at all
            raise ValueError(f"{where} must be finite")
        corners.append((float(point[0]), float(point[1])))
    problem = shape_problem(corners)
    if problem:
        raise ValueError(problem)
    return tuple(corners)


def shape_problem(corners: Sequence[Point]) -> str:
    """Return why four corners are no convex quadrilateral, clockwise where y runs downwards; "" if they are one."""
    for index, here in enumerate(corners):
        if math.dist(corners[index - 1], here) < _SMALLEST_PX:
            return f"corners {_number(index - 1)} and {_number(index)} are less than a pixel apart"
    turns = []
    for index, here in enumerate(corners):
        before, after = corners[index - 1], corners[(index + 1) % _CORNERS]
        one, other = (here[0] - before[0], here[1] - before[1]), (after[0] - here[0], after[1] - here[1])
        length = math.hypot(*one) * math.hypot(*other)
        turns.append((one[0] * other[1] - one[1] * other[0]) / length)  # the sine of the turn, positive clockwise
    clockwise = [turn > _FLATTEST for turn in turns]
    counter = [turn < -_FLATTEST for turn in turns]
    if all(clockwise):
        return ""
    if all(counter):
        return "the corners run counter-clockwise; begin at the top left and go clockwise"
    if sum(clockwise) == sum(counter) == _CORNERS // 2:
        return "the sides cross each other; name the corners clockwise from the top left"
    odd = clockwise if sum(clockwise) == 1 else counter if sum(counter) == 1 else [False]
    if any(odd):
        index = odd.index(True)
        return f"corner {_number(index)} points inwards: the area must be convex; move it out, or use two areas"
    index = next(i for i in range(_CORNERS) if not (clockwise[i] or counter[i]))
    return f"corner {_number(index)} lies on a line with its neighbours; an area has four corners"


def _number(index: int) -> str:
    return f"{index % _CORNERS + 1} ({CORNER_NAMES[index % _CORNERS]})"


class Box(Model):
    """A rectangle in background pixels: its top left corner and size, turned counter-clockwise about its centre."""

    x: Pixels
    y: Pixels
    width: Annotated[float, Field(ge=_SMALLEST_PX, le=1_000_000, allow_inf_nan=False)]
    height: Annotated[float, Field(ge=_SMALLEST_PX, le=1_000_000, allow_inf_nan=False)]
    rotation: Degrees = 0.0

    @property
    def corners(self) -> Corners:
        """Its corners, clockwise from what is the top left before it is turned."""
        middle_x, middle_y = self.x + self.width / 2, self.y + self.height / 2
        angle = math.radians(self.rotation)
        cos, sin = math.cos(angle), math.sin(angle)

        def turned(right: float, down: float) -> Point:
            right, down = right * self.width / 2, down * self.height / 2
            return middle_x + right * cos + down * sin, middle_y - right * sin + down * cos

        return turned(-1, -1), turned(1, -1), turned(1, 1), turned(-1, 1)


class Area(Model):
    """A part of the product that artwork is put on, and how. Lengths are background pixels.

    `aspect` is the surface's width ÷ height as it really is; without it, it is told from the corners' distances.
    `inset` is a share of the shorter side that stays free at each edge.
    """

    name: Name
    corners: Annotated[Corners | None, BeforeValidator(_corners)] = None
    box: Box | None = None
    aspect: Annotated[float, Field(ge=0.001, le=1000, allow_inf_nan=False)] | None = None
    design: Name | None = None
    fit: Fit = "contain"
    align: Align = "center"
    inset: Annotated[float, Field(ge=0, le=0.49, allow_inf_nan=False)] = 0.0
    rotate: Degrees = 0.0
    blend: Blend = "over"
    opacity: Share = 1.0
    mask: Text | None = None
    shade: Text | None = None
    tint: NoColour = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.corners is None) == (self.box is None):
            raise ValueError("give corners or box, one of them")
        if self.fit == "stretch" and self.rotate % 90 != 0:
            raise ValueError("fit: stretch goes with rotate: 0, 90, 180 or 270 only")
        if self.design == NOTHING and self.tint is None:
            raise ValueError("design: none is for areas with a tint; this one would show nothing")
        return self

    @property
    def quad(self) -> Corners:
        """The four corners, clockwise from the top left."""
        if self.box is not None:
            return self.box.corners
        assert self.corners is not None
        return self.corners

    @property
    def ratio(self) -> float:
        """Width ÷ height of the surface: as given, or from the mean lengths of opposite sides."""
        if self.aspect is not None:
            return self.aspect
        a, b, c, d = self.quad
        return (math.dist(a, b) + math.dist(d, c)) / (math.dist(a, d) + math.dist(b, c))


class Watermark(Model):
    """A text or image laid over the whole mock-up: once, or `tile`d all over it.

    `size` is its width as a share of the picture's, `angle` in degrees counter-clockwise, `margin` a share of the
    picture's width.
    """

    text: Text | None = None
    image: Text | None = None
    opacity: Share = 0.25
    size: Annotated[float, Field(ge=0.01, le=1, allow_inf_nan=False)] = 0.3
    angle: Degrees = 0.0
    align: Align = "center"
    margin: Annotated[float, Field(ge=0, le=0.4, allow_inf_nan=False)] = 0.03
    tile: bool = False
    colour: Colour = "#ffffff"

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.text is None) == (self.image is None):
            raise ValueError("give text or image, one of them")
        return self


class Caption(Model):
    """A line of text on the mock-up; `{design}` and `{template}` stand for names. `size` is a share of its height."""

    text: Annotated[str, Field(min_length=1, max_length=500)]
    size: Annotated[float, Field(ge=0.005, le=0.5, allow_inf_nan=False)] = 0.03
    align: Align = "bottom"
    margin: Annotated[float, Field(ge=0, le=0.4, allow_inf_nan=False)] = 0.03
    colour: Colour = "#000000"
    ground: NoColour = None

    @field_validator("text")
    @classmethod
    def _known_fields(cls, value: str) -> str:
        if re.search(r"[{}]", _FIELD.sub("", value)):
            raise ValueError("of braces, only {design} and {template} may stand in it")
        return value

    def line(self, design: str, template: str) -> str:
        """Return the text with these names in it."""
        names = {"design": design, "template": template}
        return _FIELD.sub(lambda match: names[match[1]], self.text)


class Template(Model):
    """A whole template: a photograph, the areas on it, and what is written over it."""

    version: Literal[1] = 1
    background: Text
    areas: Annotated[tuple[Area, ...], Field(min_length=1, max_length=100, strict=False)]
    watermark: Watermark | None = None
    caption: Caption | None = None

    @field_validator("areas")
    @classmethod
    def _names_differ(cls, areas: tuple[Area, ...]) -> tuple[Area, ...]:
        names: dict[str, int] = {}
        for index, area in enumerate(areas):
            if names.setdefault(area.name, index) != index:
                raise ValueError(f"areas[{names[area.name]}] and areas[{index}] have the same name; rename one of them")
        return areas


@dataclass(frozen=True, slots=True)
class WrittenTemplate:
    """A template, its name, where it is written, and the folder below the root that its file names count from."""

    name: str
    template: Template
    document: YamlDocument
    folder: str = ""

    def problem(self, path: KeyPath, message: str) -> Problem:
        """Return what is wrong with the value at a key path, with where it is written."""
        return Problem(self.document.where(path), path, message)

    def pictures(self) -> Iterator[tuple[KeyPath, str]]:
        """Yield the key path of every picture that the template names, and its name as it is written."""
        yield ("background",), self.template.background
        for index, area in enumerate(self.template.areas):
            for key in ("mask", "shade"):
                name = getattr(area, key)
                if name is not None:
                    yield ("areas", index, key), name
        if self.template.watermark is not None and self.template.watermark.image is not None:
            yield ("watermark", "image"), self.template.watermark.image


def read_template(path: Path, root: Path) -> WrittenTemplate:
    """Read the template at `path`, below `root`. It may come from others: no variable of the environment is read.

    Raises ConfigurationError naming every problem found, StorageError when the file cannot be read.
    """
    document = read_yaml(path, None)
    folder = path.parent.relative_to(root).as_posix()
    return WrittenTemplate(path.stem, validate_template(document), document, "" if folder == "." else folder)


def template_from_json(name: str, data: Any, where: str) -> WrittenTemplate:
    """Return a template from its JSON twin; `where` stands for the file in messages."""
    try:
        is_fit = _is_fit(data)
    except RecursionError:
        raise ConfigurationError(f"{where}: nested too deep", "Import it again from its YAML.") from None
    if not is_fit:
        raise ConfigurationError(f"{where}: holds a character that no name can have", "Import it again without it.")
    document = YamlDocument(where, data, {})
    return WrittenTemplate(name, validate_template(document), document)


def _is_fit(data: Any) -> bool:
    """Tell whether no text within plain values has a character that neither a file name nor a database can hold."""
    if isinstance(data, str):
        return not UNFIT.search(data)
    parts = [*data, *data.values()] if isinstance(data, dict) else data if isinstance(data, list) else []
    return all(map(_is_fit, parts))


def validate_template(document: YamlDocument) -> Template:
    """Return the template that a document holds; ConfigurationError naming every problem if it holds none."""
    if not isinstance(document.data, Mapping):
        raise ConfigurationError(f"{document.where(())}: a template is a mapping of keys", "Begin it with background:")
    problems: list[object] = list(document.problems)
    try:
        template = Template.model_validate(document.data)
    except ValidationError as error:
        problems += find_problems(error, document, Template, document.problems)
        raise complain(problems, _REMEDY) from None
    if problems:
        raise complain(problems, _REMEDY)
    return template
