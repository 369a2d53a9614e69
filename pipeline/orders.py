"""Reading what was asked for: order lines from a CSV, from the database, or from the pipeline file itself.

A line that cannot be understood is rejected with its reason and does not touch the others.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import ConfigurationError, StorageError
from config.schema import ORDER_COLUMNS, Choice, InlineItem, Orders
from pipeline.items import Item, Rejection, number_copies, parse_inches, parse_quantity, reject
from pipeline.storage.address import public_name

if TYPE_CHECKING:
    from config.database import Database

MAX_TEXT = 4096  # of an order id or a design's name; longer ones are some other column
MAX_COPIES = 500_000  # of one run; a thousand full rolls
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
MAX_CLAIM = 10**12  # what a rejected line may count for


@dataclass(frozen=True, slots=True)
class OrderBook:
    """What was read: the items that can be understood, the lines that cannot, and every line as asked."""

    items: tuple[Item, ...]
    rejected: tuple[Rejection, ...]

    @property
    def ordered(self) -> int:
        """All copies asked for."""
        return sum(item.quantity for item in self.items) + sum(rejection.copies for rejection in self.rejected)


@dataclass(frozen=True, slots=True)
class _Line:
    """An order line as it stands in its source: texts, not yet judged; `problem` if it is malformed as a line."""

    where: str
    order: str
    design: str
    quantity: str
    width_in: str
    height_in: str
    problem: str = ""


def read(orders: Orders, folder: Path, database: "Database | None", chosen: Sequence[str] = ()) -> OrderBook:
    """Read the orders that the job names; only those `chosen` by id where any are.

    `folder` is where relative paths count from. Raises ConfigurationError if a chosen order is not there, or the
    source as a whole cannot be understood; StorageError if it cannot be read.
    """
    lines = list(_lines(orders, folder, database, chosen))
    if chosen:
        missing = sorted(set(chosen) - {line.order for line in lines})
        if missing:
            raise ConfigurationError(
                f"no such order, or none with items: {', '.join(missing)}", "Check the ids given with --order."
            )
        lines = [line for line in lines if line.order in chosen]
    return _judge(lines)


def _lines(orders: Orders, folder: Path, database: "Database | None", chosen: Sequence[str]) -> Iterator[_Line]:
    if orders.csv is not None:
        return _csv_lines(folder / orders.csv)
    if orders.items is not None:
        return _inline_lines(orders.items)
    if database is None:
        raise ConfigurationError("orders come from the database, but none is named", "Add the key database.")
    return _database_lines(database, orders.choice, chosen)


def _csv_lines(path: Path) -> Iterator[_Line]:
    line = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            _check_columns(path, tuple(reader.fieldnames or ()))
            for row in reader:
                line = reader.line_num
                extra = row.pop("", None)
                texts = {name: (row.get(name) or "").strip() for name in ORDER_COLUMNS}
                if not extra and not any(texts.values()):
                    continue  # spreadsheets leave empty rows behind
                problem = "the line has more cells than the header" if extra else ""
                yield _Line(where=f"{path}:{line}", **texts, problem=problem)
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: no such file", "Check orders.csv in the pipeline file.") from None
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}", "Check the path and its permissions.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path}: not UTF-8 text after line {line} ({error.reason})", "Save the file as UTF-8."
        ) from None
    except csv.Error as error:
        raise ConfigurationError(f"{path}: not a CSV file after line {line}: {error}", "Export it again.") from None


def _check_columns(path: Path, columns: tuple[str, ...]) -> None:
    missing = [name for name in ("order", "design", "quantity") if name not in columns]
    unknown = [name for name in columns if name not in ORDER_COLUMNS]
    if missing or unknown or len(set(columns)) < len(columns):
        found = ",".join(columns) or "nothing"
        raise ConfigurationError(
            f"{path}:1: the header is {found!r}",
            f"It must be {','.join(ORDER_COLUMNS)}, separated by commas; the sizes may be left out.",
        )


def _inline_lines(items: Sequence[InlineItem]) -> Iterator[_Line]:
    for index, item in enumerate(items):
        yield _Line(
            where=f"orders.items[{index}]",
            order=str(item.order),
            design=item.design,
            quantity=str(item.quantity),
            width_in="" if item.width_in is None else str(item.width_in),
            height_in="" if item.height_in is None else str(item.height_in),
        )


def _database_lines(database: "Database", choice: Choice | None, chosen: Sequence[str]) -> Iterator[_Line]:
    for line in database.order_lines(choice, chosen):
        yield _Line(
            where=f"order {line.order}, item {line.position}",
            order=line.order,
            design=line.design,
            quantity=str(line.quantity),
            width_in="" if line.width_in is None else str(line.width_in),
            height_in="" if line.height_in is None else str(line.height_in),
        )


def _judge(lines: Sequence[_Line]) -> OrderBook:
    items: list[Item] = []
    reasons: dict[int, str] = {}
    copies = 0
    for index, line in enumerate(lines):
        try:
            item = _item(line)
            if copies + item.quantity > MAX_COPIES:
                raise ValueError(f"the run has {copies:,} copies already; one run prints at most {MAX_COPIES:,}")
            copies += item.quantity
        except ValueError as error:
            reasons[index] = f"{line.where}: {error}"
            item = Item(line.order[:MAX_TEXT], _shown(line.design), _claimed(line), None, None, line.where)
        items.append(item)
    numbered = number_copies(items)
    return OrderBook(
        items=tuple(item for index, item in enumerate(numbered) if index not in reasons),
        rejected=tuple(reject(item, reasons[index]) for index, item in enumerate(numbered) if index in reasons),
    )


def _item(line: _Line) -> Item:
    if line.problem:
        raise ValueError(line.problem)
    for name in ("order", "design"):
        text = getattr(line, name)
        if not text:
            raise ValueError(f"the {name} is empty")
        if len(text) > MAX_TEXT:
            raise ValueError(f"the {name} has {len(text):,} characters; at most {MAX_TEXT:,} are read")
        if _NOT_TEXT.search(text):
            raise ValueError(f"the {name} has characters in it that no database can keep")
    name = public_name(line.design)
    return Item(
        order=line.order,
        design=name,
        quantity=parse_quantity(line.quantity),
        width_in=parse_inches(line.width_in, "width_in"),
        height_in=parse_inches(line.height_in, "height_in"),
        where=line.where,
        reference="" if name == line.design else line.design,
    )


def _shown(design: str) -> str:
    """Return a design as a rejected line names it: of a URL that is not understood, no more than its beginning."""
    try:
        return public_name(design[:MAX_TEXT])
    except ValueError:
        return design.split("://", 1)[0][:MAX_TEXT] + "://…"


def _claimed(line: _Line) -> int:
    """Return the copies a rejected line asked for, as far as it can be told: at least 1."""
    try:
        return min(max(1, int(float(line.quantity))), MAX_CLAIM)
    except (ValueError, OverflowError):
        return 1
