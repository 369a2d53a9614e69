"""The pipeline file: every key, its type, its bounds and its default, as pydantic models.

Knows what a pipeline file may say; not where it lies, nor what is done with it. Strict: a quoted number is not a
number, an unknown key is an error. All models are frozen.
"""

import os
import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from config import DEFAULT_STORE
from config.basis import (
    Amount,
    Dpi,
    Duration,
    Inches,
    Model,
    Name,
    Place,
    PositiveInches,
    Seconds,
    Text,
    check_amount,
    check_file_name,
    pieces_of,
)
from config.designs import Designs
from config.mockups import MockupJob
from config.sections import SectionsJob
from config.units import parse_bytes

_FIELD_FORM = re.compile(r"(?:0?[1-9])?d?")  # {part}, {part:03}; a width of billions would be text of billions


def _budget(value: Any) -> Any:
    if not isinstance(value, str) or not value.endswith("%"):
        try:
            return check_amount(value)
        except ValueError as error:
            raise ValueError(f"{error}, or a share such as 75%") from None
    try:
        share = float(value[:-1])
    except ValueError:
        share = 0.0
    if not 0 < share <= 100:  # noqa: PLR2004 - per cent
        raise ValueError("a share of the limit is above 0% and at most 100%")
    return value


Budget = Annotated[str, BeforeValidator(_budget)]


class Memory(Model):
    """How much of the container's memory the run may use: `75%` of its limit, or an amount such as `512MB`."""

    budget: Budget = "100%"

    def limit_of(self, detected_bytes: int) -> int:
        """Return the budget in bytes within a detected limit; never above it."""
        if self.budget.endswith("%"):
            return int(detected_bytes * float(self.budget[:-1]) / 100)
        return min(parse_bytes(self.budget), detected_bytes)


class Store(Model):
    """The tile store: prepared designs on disk that outlive the run."""

    path: Text = DEFAULT_STORE
    max_bytes: Amount = "5GB"


class Spacing(Model):
    """The least gap between placements, in inches."""

    x: Inches
    y: Inches


class Sheet(Model):
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


class InlineItem(Model):
    """One order line in the pipeline file. Whether it can be printed is judged order by order, as for a CSV."""

    order: str | int
    design: str
    quantity: str | int | float = 1
    width_in: str | float | None = None
    height_in: str | float | None = None


class Choice(Model):
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


class Mark(Model):
    """What is written to an order, in which column, when all of its copies have been delivered."""

    column: Text
    value: Text


class Orders(Model):
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


class Layout(Model):
    """How copies may be laid on the sheet."""

    rotate: bool = True
    trim: bool = False
    effort: Literal["fast", "normal", "thorough"] = "normal"


class Quality(Model):
    """What to do with artwork too coarse for its printed size."""

    min_dpi: Annotated[float, Field(ge=0, le=9600)] = 150.0
    on_low_dpi: Literal["warn", "reject"] = "warn"


class Output(Model):
    """Where the parts go, in which format, under which names."""

    to: Place
    format: Literal["png", "tiff"] = "png"
    filename: str = "GangSheet_Part_{part}"

    @field_validator("filename")
    @classmethod
    def _usable(cls, value: str) -> str:
        pieces = pieces_of(value)
        fields = {name for name, _, _ in pieces}
        plain = all(not change and (not form or _is_form(name, form)) for name, form, change in pieces)
        if not fields <= {"part", "job", "date", "run"} or not plain:
            raise ValueError("the fields of a file name are {part}, {part:03}, {job}, {date} and {run}")
        if "part" not in fields:
            raise ValueError("the file name needs {part}, or the parts would overwrite each other")
        check_file_name(value.format(part=1, job="job", date="2026-01-31", run="0123456789ab"))
        return value


def _is_form(name: str, form: str) -> bool:
    return name == "part" and _FIELD_FORM.fullmatch(form) is not None


class GangsheetJob(Model):
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


class PrinterColumns(Model):
    """What the columns of the table of printers are called."""

    name: Text = "name"
    max_width_inches: Text = "max_width_inches"
    max_height_inches: Text = "max_height_inches"
    dpi: Text = "dpi"
    is_active: Text = "is_active"
    is_default: Text = "is_default"


class CanvasColumns(Model):
    """What the columns of the table of canvas configurations are called."""

    name: Text = "name"
    max_height_inches: Text = "max_height_inches"
    dpi: Text = "dpi"
    spacing_width_inches: Text = "spacing_width_inches"
    spacing_height_inches: Text = "spacing_height_inches"
    is_active: Text = "is_active"


class OrderTableColumns(Model):
    """What the columns of the table of orders are called; `reference` is what people call an order by."""

    id: Text = "id"
    reference: Text = "reference"
    status: Text = "status"
    created_at: Text = "created_at"


class ItemColumns(Model):
    """What the columns of the table of order lines are called; `order_id` refers to the order's `id`."""

    order_id: Text = "order_id"
    position: Text = "position"
    design: Text = "design"
    quantity: Text = "quantity"
    width_inches: Text = "width_inches"
    height_inches: Text = "height_inches"


class PrinterTable(Model):
    """The table of printers, by its name (or `schema.name`) and its columns'."""

    table: Text = "printers"
    columns: PrinterColumns = PrinterColumns()


class CanvasTable(Model):
    """The table of canvas configurations."""

    table: Text = "canvas_configs"
    columns: CanvasColumns = CanvasColumns()


class OrderTable(Model):
    """The table of orders."""

    table: Text = "orders"
    columns: OrderTableColumns = OrderTableColumns()


class ItemTable(Model):
    """The table of order lines; the same table as the orders' where a line names its order itself."""

    table: Text = "order_items"
    columns: ItemColumns = ItemColumns()


class DatabaseSettings(Model):
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


class Sftp(Model):
    """How SFTP servers are known, and how this machine is known to them."""

    known_hosts: Text | None = None
    host_keys: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    user: Text | None = None
    key_file: Text | None = None
    password: Text | None = Field(default=None, repr=False)


class S3(Model):
    """Where S3 is, if not at AWS; credentials come from the environment."""

    endpoint: Text | None = None
    region: Text | None = None


class Storage(Model):
    """How servers of artwork and of sheets are reached, and how long to wait for them."""

    connect_timeout_s: Seconds = 10.0
    read_timeout_s: Seconds = 30.0
    total_timeout_s: Seconds = 900.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 4
    sftp: Sftp = Sftp()
    s3: S3 = S3()


class Run(Model):
    """How long the whole run may take."""

    deadline: Duration | None = None


Job = GangsheetJob | MockupJob | SectionsJob


class Pipeline(Model):
    """A whole pipeline file."""

    version: Literal[1]
    name: Name
    database: Annotated[DatabaseSettings | None, BeforeValidator(_database)] = None
    run: Run = Run()
    storage: Storage = Storage()
    memory: Memory = Memory()
    store: Store = Store()
    threads: Literal["auto"] | Annotated[int, Field(ge=1, le=256)] = "auto"
    jobs: Annotated[tuple[Annotated[Job, Field(discriminator="kind")], ...], Field(min_length=1, strict=False)]

    @field_validator("jobs")
    @classmethod
    def _kept_apart(cls, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
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
