"""`tilepress runs`: what it says of runs, in words. Pure: from the book's entries to lines of text."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from config.runs import Forgotten, PartContent, PartEntry, RunDetails, RunEntry, RunLine
from config.units import format_bytes

_MAX_ORDERS = 10  # of one part
_MAX_TEXT = 80  # of an order's id; some are thousands of characters long
_HASH_SHOWN = 12


def describe_runs(runs: Sequence[RunLine]) -> Iterator[str]:
    """Yield one line for each run, in columns."""
    if not runs:
        yield "no runs"
        return
    rows = [
        (
            run.id,
            f"{_plain(run.pipeline)}/{_plain(run.job)}",
            f"{run.planned_at:%Y-%m-%d %H:%M} UTC",
            _progress(run.finished_at, run.parts, run.delivered, run.rendered),
            _count(run.copies, "copy", "copies"),
            _plain(run.place),
        )
        for run in runs
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def describe_run(details: RunDetails) -> Iterator[str]:
    """Yield a run in lines: what it is, then each of its parts with the orders on it."""
    run, contents = details.run, {content.part: content for content in details.contents}
    states = [part.state for part in run.parts]
    yield f"Run {run.id}: pipeline {_plain(run.pipeline)}, job {_plain(run.job)}"
    yield f"  planned: {_moment(run.planned_at)}, by tilepress {_plain(run.version)}"
    progress = _progress(run.finished_at, len(states), states.count("delivered"), states.count("rendered"))
    yield f"  state: {progress}" + (f" {_moment(run.finished_at)}" if run.finished_at else "")
    yield f"  place: {_plain(run.place)}"
    yield f"  {_count(len(states), 'part', 'parts')}, {_amount(details)}"
    for part in run.parts:
        yield f"  part {part.part}: {_plain(part.file)}, {_state(part)}"
        yield f"    {_content(contents.get(part.part, PartContent(part.part, 0, ())))}"


def describe_retry(run: RunEntry, parts: Sequence[int]) -> Iterator[str]:
    """Yield what it means that parts of a run are planned again."""
    noun = "part" if len(parts) == 1 else "parts"
    yield f"Run {run.id}: the next run makes {noun} {', '.join(map(str, parts))} again"
    yield "  What was marked in the orders stays marked."


def question_forget(details: RunDetails) -> str:
    """Return what to ask before a run is forgotten."""
    return (
        f"Forget run {details.run.id}? Its {_amount(details)} will count as not printed, "
        "and the next run will print those still chosen"
    )


def describe_forget(run: RunEntry, held: Forgotten) -> str:
    """Return what it means that a run was forgotten."""
    return (
        f"Run {run.id} is forgotten: its {_copies_of_orders(held.copies, held.orders)} count as not printed: "
        "the next run prints those still chosen"
    )


def _progress(finished_at: datetime | None, parts: int, delivered: int, rendered: int) -> str:
    if finished_at is not None:
        return "finished"
    return f"{delivered} of {_count(parts, 'part', 'parts')} delivered" + (f", {rendered} rendered" if rendered else "")


def _state(part: PartEntry) -> str:
    """Return how far a part came, when, and which file it is."""
    moment = {"planned": None, "rendered": part.rendered_at, "delivered": part.delivered_at}[part.state]
    words = [part.state + (f" {_moment(moment)}" if moment is not None else "")]
    if part.bytes is not None:
        words.append(format_bytes(part.bytes))
    if part.sha256 is not None:
        words.append(f"sha256 {part.sha256[:_HASH_SHOWN]}…")
    return ", ".join(words)


def _content(content: PartContent) -> str:
    shown = [_short(order) for order in content.orders[:_MAX_ORDERS]]
    text = _copies_of_orders(content.copies, len(content.orders)) + (f": {', '.join(shown)}" if shown else "")
    more = len(content.orders) - len(shown)
    return f"{text} and {more:,} more" if more else text


def _amount(details: RunDetails) -> str:
    orders = {order for content in details.contents for order in content.orders}
    return _copies_of_orders(sum(content.copies for content in details.contents), len(orders))


def _copies_of_orders(copies: int, orders: int) -> str:
    return f"{_count(copies, 'copy', 'copies')} of {_count(orders, 'order', 'orders')}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _short(text: str) -> str:
    shown = _plain(text[:_MAX_TEXT])
    return shown if len(text) <= _MAX_TEXT else shown + "…"


def _plain(text: str) -> str:
    """Return a text as a line that changes nothing about the terminal."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
