"""From a canvas to a sink, strip by strip: the only loop in which a part's pixels exist."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tiles.design import BYTES_PER_PX
from tiles.geometry import spans
from tiles.sinks.sink import ROWS_MULTIPLE, SheetFile, Sink

if TYPE_CHECKING:
    from tiles.canvas import Canvas

STRIP_BYTES = 2_000_000  # as fast as 4 MB, of which the allocator gives most back and takes anew; 1 MB is slower


def strip_rows(width: int) -> int:
    """Return the rows of a strip for a sheet this wide: about STRIP_BYTES, whatever the sheet's height."""
    rows = STRIP_BYTES // (width * BYTES_PER_PX)
    return max(ROWS_MULTIPLE, rows - rows % ROWS_MULTIPLE)


def render(canvas: "Canvas", sink: Sink, on_rows: Callable[[int], None] = lambda rows: None) -> SheetFile:
    """Write the whole canvas into `sink` and return the finished file; `on_rows` hears of every strip's rows.

    On any failure, ^C included, the sink leaves nothing behind.
    """
    with sink:
        for top, rows in spans(canvas.height, strip_rows(canvas.width)):
            sink.write(canvas.strip(top, rows))
            on_rows(rows)
        return sink.finish()
