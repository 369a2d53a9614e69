"""From a canvas to a sink, strip by strip: the only loop in which a part's pixels exist."""

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

from tiles.design import BYTES_PER_PX
from tiles.geometry import spans
from tiles.sinks.sink import ROWS_MULTIPLE, SheetFile, Sink

if TYPE_CHECKING:
    from tiles.canvas import Strip

STRIP_BYTES = 4_000_000  # 2 MB take a sixth longer, in threads that wait for each other; more takes memory only


def strip_rows(width: int) -> int:
    """Return the rows of a strip for a sheet this wide: about STRIP_BYTES, whatever the sheet's height."""
    rows = STRIP_BYTES // (width * BYTES_PER_PX)
    return max(ROWS_MULTIPLE, rows - rows % ROWS_MULTIPLE)


class Composed(Protocol):
    """A picture whose strips can be had, from top to bottom, by one thread."""

    @property
    def width(self) -> int:
        """Its width in pixels."""

    @property
    def height(self) -> int:
        """Its height in pixels."""

    def strip(self, top: int, rows: int) -> "Strip":
        """Return rows `top` to `top + rows`."""


def render(
    canvas: Composed,
    sink: Sink,
    on_rows: Callable[[int], None] = lambda rows: None,
    before_naming: Callable[[], None] = lambda: None,
) -> SheetFile:
    """Write the whole canvas into `sink` and return the finished file; `on_rows` hears of every strip's rows.

    The next strip is composed, on a thread of its own, while the sink takes this one. `before_naming` may still find
    that all was in vain. On any failure, ^C included, the sink leaves nothing behind.
    """
    with sink, closing(_composed(canvas)) as strips:
        for strip in strips:
            sink.write(strip)
            on_rows(len(strip))
        before_naming()
        return sink.finish()


def _composed(canvas: Composed) -> Generator["Strip", None, None]:
    """Yield the canvas's strips, from the top; one is composed ahead."""
    composer = ThreadPoolExecutor(1, thread_name_prefix="compose")
    try:
        ahead: Future[Strip] | None = None
        for top, rows in spans(canvas.height, strip_rows(canvas.width)):
            ready, ahead = ahead, composer.submit(canvas.strip, top, rows)
            if ready is not None:
                yield ready.result()
        if ahead is not None:
            yield ahead.result()
    finally:
        composer.shutdown(cancel_futures=True)
