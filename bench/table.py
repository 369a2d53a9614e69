"""Tables for a terminal: cells in columns, and figures as text. Knows nothing of what they mean."""

from collections.abc import Iterator, Sequence

MB = 1e6
NOTHING = "–"


def number(value: float | None, unit: float = 1, digits: int = 2) -> str:
    """Return a figure in its unit; a dash where there is none."""
    return NOTHING if value is None else f"{value / unit:.{digits}f}"


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows in columns, names left, figures right; a row of two cells is a remark and takes no part in widths."""
    full = [row for row in rows if len(row) != 2]
    widths = [max(map(len, column)) for column in zip(*full, strict=True)]
    first = max((len(row[0]) for row in rows), default=0)
    for row in rows:
        figures = [row[1]] if len(row) == 2 else [cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)]
        yield f"  {row[0].ljust(first)}  {'  '.join(figures)}".rstrip()
