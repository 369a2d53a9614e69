"""The pipeline file: every key, its type, its bounds and its default, as pydantic models.

Knows what a pipeline file may say; not where it lies, nor what is done with it. Strict: a quoted number is not a
number, an unknown key is an error. All models are frozen.
"""

import os
import re
from string import Formatter
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from config import DEFAULT_STORE
from config.units import parse_bytes

Inches = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]
PositiveInches = Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
Dpi = Annotated[int, Field(ge=10, le=9600)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Text = Annotated[str, Field(min_length=1)]

_FIELD_FORM = re.compile(r"(?:0?[1-9])?d?")  # {part}, {part:03}; a width of billions would be text of billions
_NO_FILE_NAME = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]|^\.')
_MAX_FILE_NAME = 200  # bytes; file systems take 255, and endings are to come


def _amount(value: Any) -> Any:
    """Check an amount of bytes. What was written may be a secret gone astray, so that no message repeats it."""
    try:
        if isinstance(value, str) and parse_bytes(value) > 0:
            return value
    except ValueError:
        pass
    raise ValueError("must be an amount above 0 with its unit, such as 512MB or 2GiB")


def _budget(value: Any) -> Any:
    if not isinstance(value, str) or not value.endswith("%"):
        try:
            return _amount(value)
        except ValueError as error:
            raise ValueError(f"{error}, or a share such as 75%") from None
    try:
        share = float(value[:-1])
    except ValueError:
        share = 0.0
    if not 0 < share <= 100:  # noqa: PLR2004 - per cent
        raise ValueError("a share of the limit is above 0% and at most 100%")
    return value


Amount = Annotated[str, BeforeValidator(_amount)]
Budget = Annotated[str, BeforeValidator(_budget)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Memory(_Model):
    """How much of the container's memory the run may use: `75%` of its limit, or an amount such as `512MB`."""

    budget: Budget = "100%"

    def limit_of(self, detected_bytes: int) -> int:
        """Return the budget in bytes within a detected limit; never above it."""
        if self.budget.endswith("%"):
            return int(detected_bytes * float(self.budget[:-1]) / 100)
        return min(parse_bytes(self.budget), detected_bytes)


class Store(_Model):
    """The tile store: prepared designs on disk that outlive the run."""

    path: Text = DEFAULT_STORE
    max_bytes: Amount = "5GB"


class Spacing(_Model):
    """The least gap between placements, in inches."""

    x: Inches
    y: Inches


class Sheet(_Model):
    """The film: from the database by names, or by its own size in inches."""

    printer: Text | None = None
    canvas: Text | None = None
    width_in: PositiveInches | None = None
    height_in: PositiveInches | None = None
    dpi: Dpi | None = None
    dynamic_sizing: bool = False
    spacing_in: Inches | Spacing | None = None
    margin_in: Inches = 0.0

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        own = {"width_in": self.width_in, "height_in": self.height_in, "dpi": self.dpi}
        given = [name for name, value in own.items() if value is not None]
        if self.from_database and given:
            raise ValueError(f"the size comes from the database (printer, canvas); remove {', '.join(given)}")
        if not self.from_database and len(given) < len(own):
            missing = ", ".join(name for name in own if name not in given)
            raise ValueError(f"give printer and canvas, or width_in, height_in and dpi; missing: {missing}")
        return self

    @property
    def from_database(self) -> bool:
        """Whether the database says how large the sheet is."""
        return self.printer is not None or self.canvas is not None


ORDER_COLUMNS = ("order", "design", "quantity", "width_in", "height_in")  # of a CSV; the keys of an inline item


class InlineItem(_Model):
    """One order line in the pipeline file. Whether it can be printed is judged order by order, as for a CSV."""

    order: str | int
    design: str
    quantity: str | int | float = 1
    width_in: str | float | None = None
    height_in: str | float | None = None


class Orders(_Model):
    """Where the order lines come from: exactly one of the three."""

    csv: Text | None = None
    database: Literal["pending"] | None = None
    items: tuple[InlineItem, ...] | None = Field(default=None, strict=False)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.csv, self.database, self.items)) != 1:
            raise ValueError("give exactly one of csv, database, items")
        return self


class Designs(_Model):
    """Where relative design names are looked up, and how much an artwork may ask of the machine."""

    root: Text = "."
    allow_svg: bool = False
    max_pixels: Annotated[int, Field(gt=0)] = 500_000_000
    max_bytes: Amount = "2GB"
    timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0


class Layout(_Model):
    """How copies may be laid on the sheet."""

    rotate: bool = True
    trim: bool = False
    effort: Literal["fast", "normal", "thorough"] = "normal"


class Quality(_Model):
    """What to do with artwork too coarse for its printed size."""

    min_dpi: Annotated[float, Field(ge=0, le=9600)] = 150.0
    on_low_dpi: Literal["warn", "reject"] = "warn"


class Output(_Model):
    """Where the parts go, in which format, under which names."""

    to: Text
    format: Literal["png", "tiff"] = "png"
    filename: str = "GangSheet_Part_{part}"

    @field_validator("filename")
    @classmethod
    def _usable(cls, value: str) -> str:
        try:
            pieces = [piece for piece in Formatter().parse(value) if piece[1] is not None]
        except ValueError:
            raise ValueError("a brace is missing or too many; write {part}, and a literal brace as {{ or }}") from None
        fields = {name for _, name, _, _ in pieces}
        plain = all(not change and (not form or _is_form(name, form)) for _, name, form, change in pieces)
        if not fields <= {"part", "job"} or not plain:
            raise ValueError("the fields of a file name are {part}, {part:03} and {job}")
        if "part" not in fields:
            raise ValueError("the file name needs {part}, or the parts would overwrite each other")
        name = value.format(part=1, job="job")
        if _NO_FILE_NAME.search(name) or len(name.encode()) > _MAX_FILE_NAME:
            raise ValueError('a file name is short, has no / \\ : * ? " < > | in it and begins with no dot')
        return value


def _is_form(name: str | None, form: str) -> bool:
    return name == "part" and _FIELD_FORM.fullmatch(form) is not None


class GangsheetJob(_Model):
    """`kind: gangsheet`: orders packed onto sheets of film."""

    kind: Literal["gangsheet"]
    name: Name
    sheet: Sheet
    orders: Orders
    designs: Designs = Designs()
    layout: Layout = Layout()
    quality: Quality = Quality()
    output: Output

    @property
    def needs_database(self) -> bool:
        """Whether the job reads its sheet or its orders from the database."""
        return self.sheet.from_database or self.orders.database is not None


class Pipeline(_Model):
    """A whole pipeline file."""

    version: Literal[1]
    name: Name
    database: Text | None = None
    memory: Memory = Memory()
    store: Store = Store()
    threads: Literal["auto"] | Annotated[int, Field(ge=1, le=256)] = "auto"
    jobs: Annotated[tuple[GangsheetJob, ...], Field(min_length=1, strict=False)]

    @field_validator("jobs")
    @classmethod
    def _kept_apart(cls, jobs: tuple[GangsheetJob, ...]) -> tuple[GangsheetJob, ...]:
        names: dict[str, int] = {}
        folders: dict[str, int] = {}
        for index, job in enumerate(jobs):
            if names.setdefault(job.name, index) != index:
                raise ValueError(f"jobs[{names[job.name]}] and jobs[{index}] have the same name; rename one of them")
            folder = os.path.normpath(job.output.to)
            if folders.setdefault(folder, index) != index:
                raise ValueError(
                    f"jobs[{folders[folder]}] and jobs[{index}] have the same output.to; give each its own folder"
                )
        return jobs

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.database is None and any(job.needs_database for job in self.jobs):
            raise ValueError("a job reads from the database: add the key database, e.g. sqlite:///tilepress.db")
        return self
