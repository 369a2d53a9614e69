"""The pipeline file: every key, its type, its bounds and its default, as pydantic models.

Knows what a pipeline file may say; not where it lies, nor what is done with it. Strict: a quoted number is not a
number, an unknown key is an error. All models are frozen.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from config.units import parse_bytes

Inches = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]
PositiveInches = Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
Dpi = Annotated[int, Field(ge=10, le=9600)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Percent = Annotated[float, Field(gt=0, le=100)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Memory(_Model):
    """How much of the container's memory the run may use: `75%` of its limit, or an amount such as `512MB`."""

    budget: str = "100%"

    @field_validator("budget")
    @classmethod
    def _readable(cls, value: str) -> str:
        if value.endswith("%"):
            try:
                fraction = float(value[:-1])
            except ValueError:
                fraction = 0.0
            if not 0 < fraction <= 100:  # noqa: PLR2004 - per cent
                raise ValueError("a share of the limit is above 0% and at most 100%")
        else:
            parse_bytes(value)
        return value

    def limit_of(self, detected_bytes: int) -> int:
        """Return the budget in bytes within a detected limit; never above it."""
        if self.budget.endswith("%"):
            return int(detected_bytes * float(self.budget[:-1]) / 100)
        return min(parse_bytes(self.budget), detected_bytes)


class Store(_Model):
    """The tile store: prepared designs on disk that outlive the run."""

    path: str = ".tilepress/store"
    max_bytes: str = "5GB"

    @field_validator("max_bytes")
    @classmethod
    def _readable(cls, value: str) -> str:
        parse_bytes(value)
        return value


class Spacing(_Model):
    """The least gap between placements, in inches."""

    x: Inches
    y: Inches


class Sheet(_Model):
    """The film: from the database by names, or by its own size in inches."""

    printer: str | None = None
    canvas: str | None = None
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


class InlineItem(_Model):
    """One order line in the pipeline file. Whether it can be printed is judged order by order, as for a CSV."""

    order: str | int
    design: str
    quantity: str | int | float = 1
    width_in: str | float | None = None
    height_in: str | float | None = None


class Orders(_Model):
    """Where the order lines come from: exactly one of the three."""

    csv: str | None = None
    database: Literal["pending"] | None = None
    items: tuple[InlineItem, ...] | None = Field(default=None, strict=False)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.csv, self.database, self.items)) != 1:
            raise ValueError("give exactly one of csv, database, items")
        return self


class Designs(_Model):
    """Where relative design names are looked up, and how much an artwork may ask of the machine."""

    root: str = "."
    allow_svg: bool = False
    max_pixels: Annotated[int, Field(gt=0)] = 500_000_000
    max_bytes: str = "2GB"
    timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0

    @field_validator("max_bytes")
    @classmethod
    def _readable(cls, value: str) -> str:
        parse_bytes(value)
        return value


class Layout(_Model):
    """How copies may be laid on the sheet."""

    rotate: bool = True
    trim: bool = False


class Quality(_Model):
    """What to do with artwork too coarse for its printed size."""

    min_dpi: Annotated[float, Field(ge=0, le=9600)] = 150.0
    on_low_dpi: Literal["warn", "reject"] = "warn"


class Output(_Model):
    """Where the parts go, in which format, under which names."""

    to: str
    format: Literal["png", "tiff"] = "png"
    filename: str = "GangSheet_Part_{part}"

    @field_validator("filename")
    @classmethod
    def _usable(cls, value: str) -> str:
        try:
            names = {value.format(part=part, job="job") for part in (1, 2)}
        except (KeyError, IndexError, ValueError, AttributeError):
            raise ValueError("the fields of a file name are {part} and {job}") from None
        if len(names) == 1:
            raise ValueError("the file name needs {part}, or the parts would overwrite each other")
        if any(char in value for char in '/\\\0:*?"<>|') or value.startswith("."):
            raise ValueError('a file name has no / \\ : * ? " < > | and begins with no dot')
        return value


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
    database: str | None = None
    memory: Memory = Memory()
    store: Store = Store()
    threads: Literal["auto"] | Annotated[int, Field(ge=1, le=256)] = "auto"
    jobs: Annotated[tuple[GangsheetJob, ...], Field(min_length=1, strict=False)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [job.name for job in self.jobs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two jobs are called {', '.join(twice)}; names are unique")
        if self.database is None and any(job.needs_database for job in self.jobs):
            raise ValueError("a job reads from the database: add the key database, e.g. sqlite:///tilepress.db")
        return self
