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
from config.units import parse_bytes, parse_duration

Inches = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]
PositiveInches = Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
Dpi = Annotated[int, Field(ge=10, le=9600)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Text = Annotated[str, Field(min_length=1)]

_FIELD_FORM = re.compile(r"(?:0?[1-9])?d?")  # {part}, {part:03}; a width of billions would be text of billions
_NO_FILE_NAME = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]|^\.')
_HALF_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(?!//)/?")
_LONGEST_S = 7 * 86_400
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


def _duration(value: Any) -> Any:
    if isinstance(value, str) and 0 < parse_duration(value) <= _LONGEST_S:
        return value
    raise ValueError("must be a time above 0 and at most 7 days, with its unit, such as 90s, 55m or 2h")


Amount = Annotated[str, BeforeValidator(_amount)]
Duration = Annotated[str, BeforeValidator(_duration)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
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


class Choice(_Model):
    """Which orders of the database: those with this status, those with these ids, the oldest so many of them."""

    status: Text | None = None
    ids: Annotated[tuple[str | int, ...], Field(min_length=1, strict=False)] | None = None
    limit: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _chosen(self) -> Self:
        if self.status is None and self.ids is None:
            raise ValueError("give status, or ids, or both; every order there ever was is none")
        return self

    @property
    def references(self) -> tuple[str, ...]:
        """The ids as text; empty when they do not matter."""
        return tuple(str(reference) for reference in self.ids or ())


class Mark(_Model):
    """What is written to an order, in which column, when all of its copies have been delivered."""

    column: Text
    value: Text


class Orders(_Model):
    """Where the order lines come from: exactly one of the three."""

    csv: Text | None = None
    database: Text | Choice | None = None
    items: tuple[InlineItem, ...] | None = Field(default=None, strict=False)
    mark: Mark | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.csv, self.database, self.items)) != 1:
            raise ValueError("give exactly one of csv, database, items")
        if self.mark is not None and self.database is None:
            raise ValueError("mark needs orders from the database: there is nothing else to write to")
        if self.mark is None and isinstance(self.database, Choice) and self.database.limit is not None:
            raise ValueError("limit needs mark, or the same orders would be the oldest for ever")
        return self

    @property
    def choice(self) -> Choice | None:
        """Which orders of the database are meant; None if they come from elsewhere."""
        return Choice(status=self.database) if isinstance(self.database, str) else self.database


class Designs(_Model):
    """Where relative design names are looked up, and how much an artwork may ask of the machine.

    `root` is a folder, or the URL of one. `urls` are beginnings of URLs that an order line may name besides;
    `private_hosts` may have addresses of a private network, and no other host may.
    """

    root: Text = "."
    urls: Annotated[tuple[Text, ...], Field(strict=False)] = ("https://",)
    private_hosts: Annotated[tuple[Text, ...], Field(strict=False)] = ()
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

    @field_validator("to")
    @classmethod
    def _a_place(cls, value: str) -> str:
        if "{" in value.replace("{date}", ""):
            raise ValueError("of braces, only {date} may stand in it")
        if _HALF_URL.match(value):
            raise ValueError("a URL has two slashes after its colon: sftp://host/folder, s3://bucket/folder")
        return value

    @field_validator("filename")
    @classmethod
    def _usable(cls, value: str) -> str:
        try:
            pieces = [piece for piece in Formatter().parse(value) if piece[1] is not None]
        except ValueError:
            raise ValueError("a brace is missing or too many; write {part}, and a literal brace as {{ or }}") from None
        fields = {name for _, name, _, _ in pieces}
        plain = all(not change and (not form or _is_form(name, form)) for _, name, form, change in pieces)
        if not fields <= {"part", "job", "date", "run"} or not plain:
            raise ValueError("the fields of a file name are {part}, {part:03}, {job}, {date} and {run}")
        if "part" not in fields:
            raise ValueError("the file name needs {part}, or the parts would overwrite each other")
        name = value.format(part=1, job="job", date="2026-01-31", run="0123456789ab")
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


class PrinterColumns(_Model):
    """What the columns of the table of printers are called."""

    name: Text = "name"
    max_width_inches: Text = "max_width_inches"
    max_height_inches: Text = "max_height_inches"
    dpi: Text = "dpi"
    is_active: Text = "is_active"
    is_default: Text = "is_default"


class CanvasColumns(_Model):
    """What the columns of the table of canvas configurations are called."""

    name: Text = "name"
    max_height_inches: Text = "max_height_inches"
    dpi: Text = "dpi"
    spacing_width_inches: Text = "spacing_width_inches"
    spacing_height_inches: Text = "spacing_height_inches"
    is_active: Text = "is_active"


class OrderTableColumns(_Model):
    """What the columns of the table of orders are called; `reference` is what people call an order by."""

    id: Text = "id"
    reference: Text = "reference"
    status: Text = "status"
    created_at: Text = "created_at"


class ItemColumns(_Model):
    """What the columns of the table of order lines are called; `order_id` refers to the order's `id`."""

    order_id: Text = "order_id"
    position: Text = "position"
    design: Text = "design"
    quantity: Text = "quantity"
    width_inches: Text = "width_inches"
    height_inches: Text = "height_inches"


class PrinterTable(_Model):
    """The table of printers, by its name (or `schema.name`) and its columns'."""

    table: Text = "printers"
    columns: PrinterColumns = PrinterColumns()


class CanvasTable(_Model):
    """The table of canvas configurations."""

    table: Text = "canvas_configs"
    columns: CanvasColumns = CanvasColumns()


class OrderTable(_Model):
    """The table of orders."""

    table: Text = "orders"
    columns: OrderTableColumns = OrderTableColumns()


class ItemTable(_Model):
    """The table of order lines; the same table as the orders' where a line names its order itself."""

    table: Text = "order_items"
    columns: ItemColumns = ItemColumns()


class DatabaseSettings(_Model):
    """The database: where it is, how long to wait for it, and what its tables and columns are called."""

    url: Text
    connect_timeout_s: Seconds = 10.0
    statement_timeout_s: Seconds = 60.0
    printers: PrinterTable = PrinterTable()
    canvas_configs: CanvasTable = CanvasTable()
    orders: OrderTable = OrderTable()
    order_items: ItemTable = ItemTable()


def _database(value: Any) -> Any:
    """Take a URL alone for settings that say no more."""
    return {"url": value} if isinstance(value, str) else value


class Sftp(_Model):
    """How SFTP servers are known, and how this machine is known to them."""

    known_hosts: Text | None = None
    host_keys: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    user: Text | None = None
    key_file: Text | None = None
    password: Text | None = Field(default=None, repr=False)


class S3(_Model):
    """Where S3 is, if not at AWS; credentials come from the environment."""

    endpoint: Text | None = None
    region: Text | None = None


class Storage(_Model):
    """How servers of artwork and of sheets are reached, and how long to wait for them."""

    connect_timeout_s: Seconds = 10.0
    read_timeout_s: Seconds = 30.0
    total_timeout_s: Seconds = 900.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 4
    sftp: Sftp = Sftp()
    s3: S3 = S3()


class Run(_Model):
    """How long the whole run may take."""

    deadline: Duration | None = None


class Pipeline(_Model):
    """A whole pipeline file."""

    version: Literal[1]
    name: Name
    database: Annotated[DatabaseSettings | None, BeforeValidator(_database)] = None
    run: Run = Run()
    storage: Storage = Storage()
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
