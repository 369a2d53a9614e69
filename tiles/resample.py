"""Shrinking by Lanczos in premultiplied alpha: rows in, rows out. Pure numpy; no files, no libvips.

Floating point is used for whole numbers only, small enough that no sum needs rounding: the pixels depend neither on
the machine nor on its BLAS, nor on how many rows come at once. They are rounded once, at the very end.

Only some rows are held, whatever the artwork's height: a printed row collects its share of the artwork as it passes.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tiles.design import BYTES_PER_PX
from tiles.geometry import spans

Rgba = NDArray[np.uint8]  # rows × width × 4, straight alpha
Single = NDArray[np.float32]
Double = NDArray[np.float64]
Scalar = TypeVar("Scalar", bound=np.generic)

LOBES = 3  # of the Lanczos window (Duchon 1979), which is stretched by as much as the image is shrunk
GREATEST_SUM = 1.6  # of a pixel's weights without their signs, which are negative in turn; with them it is 1
STEPS = 10  # of a premultiplied sample to an 8-bit level; fewer of these, and weights could be finer, and vice versa:
ROW_UNIT = 2**12  # what the weights of a row add up to. 255 · STEPS · ROW_UNIT · GREATEST_SUM < 2²⁴, float32's limit
COLUMN_UNIT = 2**20  # and those of a column; times all that < 2⁵³, float64's limit
CHUNK_PX = 60_000  # pixels taken at once: expanded, they fit a core's second cache
ROWS_OUT = 32  # rows finished at once: fewer would cost calls, more would cost memory
COLUMNS_OUT = 24  # columns finished at once: fewer would cost calls, more would multiply zeros

_RED, _GREEN, _BLUE, _ALPHA = range(BYTES_PER_PX)
_PREMULTIPLY = round(STEPS / 255 * 2**16)  # level · alpha · this / 2¹⁶ is the premultiplied sample


@dataclass(frozen=True, slots=True)
class Kernel:
    """How pixels are made of source ones: pixel i of those from first[i] to stop[i], by the weights taps[i].

    The weights of a pixel are whole numbers of a known sum; behind its stop they are 0.
    """

    first: NDArray[np.intp]
    stop: NDArray[np.intp]
    taps: Double

    def matrix(self, pixels: slice, source: slice) -> Double:
        """Return the weights of `pixels` (rows), each of which has some, for the pixels of `source` (columns)."""
        taps = self.taps[pixels]
        count, reach = taps.shape
        width = source.stop - source.start
        padded = np.zeros((count, reach + width + reach))
        start = self.first[pixels] - source.start + reach + np.arange(0, padded.size, padded.shape[1])
        padded.ravel()[start[:, None] + np.arange(reach)] = taps
        return padded[:, reach : reach + width]


def lanczos(source: int, count: int, unit: int) -> Kernel:
    """Return the kernel that shrinks `source` pixels to `count` about their centres, with weights that sum to `unit`.

    Beyond an edge, its pixel goes on.
    """
    scale = source / count
    centre = (np.arange(count) + 0.5) * scale - 0.5
    lowest = np.floor(centre - LOBES * scale).astype(np.intp) + 1
    place = lowest[:, None] + np.arange(math.ceil(2 * LOBES * scale))
    x = (place - centre[:, None]) / scale
    weights = np.where(np.abs(x) < LOBES, np.sinc(x) * np.sinc(x / LOBES), 0.0)
    inside = place.clip(0, source - 1)
    first, stop = inside[:, 0], inside[:, -1] + 1
    taps = np.zeros((count, int((stop - first).max())))
    np.add.at(taps, (np.arange(count)[:, None], inside - first[:, None]), weights)
    return Kernel(first, stop, _whole(taps * (unit / taps.sum(axis=1, keepdims=True))))


def _whole(weights: Double) -> Double:
    """Return the weights as whole numbers with the same sums: those that lack least are rounded up."""
    low = np.floor(weights)
    missing = np.rint((weights - low).sum(axis=1, keepdims=True))
    rank = np.argsort(np.argsort(low - weights, axis=1, kind="stable"), axis=1, kind="stable")
    whole: Double = low + (rank < missing)
    return whole


class Shrinker:
    """Shrinks one image. It comes in chunks of `rows_in` rows, top to bottom; the last may be shorter."""

    def __init__(self, size: tuple[int, int], printed: tuple[int, int]) -> None:
        """Prepare to shrink from `size` (width, height) to `printed`, which is no larger in either direction."""
        (width, height), (printed_width, printed_height) = size, printed
        self.rows_in = max(1, min(height, CHUNK_PX // width))
        self._down = lanczos(height, printed_height, ROW_UNIT)
        self._across = _Across(width, printed_width)
        self._planes = np.empty(BYTES_PER_PX * self.rows_in * width, np.float32)
        self._levels = np.empty((2, self.rows_in * width), np.uint32)
        reached = math.ceil(self.rows_in * printed_height / height) + 2 * LOBES + 2  # rows, by a chunk
        self._share = np.empty(BYTES_PER_PX * reached * width, np.float32)
        self._ring = _Ring(reached + ROWS_OUT, width)
        self._row = 0  # the next to come
        self._finished = 0  # printed rows given out

    def take(self, strip: Rgba) -> Iterator[Rgba]:
        """Take the next rows; yield the printed rows that are complete by then. What is yielded is overwritten."""
        above, self._row = self._row, self._row + len(strip)
        self._collect(strip, above)
        down = self._down
        complete = int(np.searchsorted(down.stop, self._row, side="right"))
        while complete - self._finished >= ROWS_OUT or self._finished < complete == len(down.stop):
            rows = min(ROWS_OUT, complete - self._finished)
            yield self._across.shrink(*self._ring.rows(self._finished, rows))
            self._finished += rows

    def _collect(self, strip: Rgba, above: int) -> None:
        """Give every printed row that reaches into the strip its share; `above` rows came before."""
        down = self._down
        start = int(np.searchsorted(down.stop, above, side="right"))
        stop = int(np.searchsorted(down.first, self._row, side="left"))
        pixels = np.ascontiguousarray(strip).view(np.uint32)[..., 0]  # little-endian: alpha is the upper byte
        left, right = _inked(pixels)
        weights = down.matrix(slice(start, stop), slice(above, self._row)).astype(np.float32)
        share = _carve(self._share, BYTES_PER_PX, stop - start, right - left)
        np.matmul(weights, self._expand(pixels[:, left:right]), out=share)
        self._ring.add(share.transpose(1, 0, 2), start, left)

    def _expand(self, pixels: NDArray[np.uint32]) -> Single:
        """Return 4 planes × rows × columns: red, green and blue premultiplied, and alpha, in steps."""
        planes = _carve(self._planes, BYTES_PER_PX, *pixels.shape)
        level, alpha = (_carve(levels, *pixels.shape) for levels in self._levels)
        np.right_shift(pixels, 24, out=alpha)
        np.multiply(alpha, STEPS, out=level)
        planes[_ALPHA] = level.view(np.int32)  # signed integers become floating point faster
        np.multiply(alpha, _PREMULTIPLY, out=alpha)
        for colour in (_RED, _GREEN, _BLUE):
            np.right_shift(pixels, 8 * colour, out=level)
            np.bitwise_and(level, 255, out=level)
            np.multiply(level, alpha, out=level)
            np.add(level, 2**15, out=level)
            np.right_shift(level, 16, out=level)
            planes[colour] = level.view(np.int32)
        return planes


class _Ring:
    """The rows under way, rows × 4 planes × width. Row n lies at n modulo their number, a multiple of ROWS_OUT."""

    def __init__(self, rows: int, width: int) -> None:
        self._rows = np.zeros((ROWS_OUT * math.ceil(rows / ROWS_OUT), BYTES_PER_PX, width), np.float32)
        self._begun = 0  # rows below this have collected something; the others still hold what is long finished
        self._ink = np.zeros((2, len(self._rows)), np.intp)  # of each row: its first column, and behind its last

    def add(self, share: Single, start: int, left: int) -> None:
        """Add to the rows from `start` on, from column `left` on; rows begun by it are 0 elsewhere."""
        rows, _, width = share.shape
        stop, right = start + rows, left + width
        for top, bottom in self._spans(start, min(stop, self._begun)):
            lie = self._lie(top, bottom)
            self._rows[lie, :, left:right] += share[top - start : bottom - start]
            first, last = self._ink[:, lie]
            if right > left:
                np.minimum(first, left, out=first)
                np.maximum(last, right, out=last)
        for top, bottom in self._spans(max(start, self._begun), stop):
            lie = self._lie(top, bottom)
            fresh = self._rows[lie]
            fresh[..., :left], fresh[..., right:] = 0, 0
            fresh[..., left:right] = share[top - start : bottom - start]
            self._ink[0, lie], self._ink[1, lie] = (left, right) if right > left else (fresh.shape[2], 0)
        self._begun = max(self._begun, stop)

    def rows(self, start: int, count: int) -> tuple[Single, int, int]:
        """Return up to ROWS_OUT rows, and the columns between which their ink lies; `start` is a multiple of it."""
        lie = self._lie(start, start + count)
        return self._rows[lie], int(self._ink[0, lie].min()), int(self._ink[1, lie].max())

    def _lie(self, start: int, stop: int) -> slice:
        slot = start % len(self._rows)
        return slice(slot, slot + stop - start)

    def _spans(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield the rows from `start` to `stop` in pieces that lie together."""
        while start < stop:
            end = min(stop, start - start % len(self._rows) + len(self._rows))
            yield start, end
            start = end


class _Across:
    """The second half: rows to their printed width, no longer premultiplied, in 8 bits."""

    def __init__(self, width: int, printed: int) -> None:
        self._wide = np.zeros((ROWS_OUT, BYTES_PER_PX, width))
        self._sums = np.empty((ROWS_OUT, BYTES_PER_PX, printed))
        self._blocks = list(self._cut(lanczos(width, printed, COLUMN_UNIT)))
        self._narrow = np.empty((ROWS_OUT, BYTES_PER_PX, printed), np.float32)
        self._levels = np.empty((2, ROWS_OUT, printed), np.int32)

    def shrink(self, rows: Single, left: int, right: int) -> Rgba:
        """Return up to ROWS_OUT rows, finished; their ink lies between the columns `left` and `right`."""
        count = len(rows)
        pixels, level = self._levels[:, :count]
        blocks = [block for block in self._blocks if block.source.start < right and block.source.stop > left]
        seen = slice(blocks[0].pixels.start, blocks[-1].pixels.stop) if blocks else slice(0, 0)
        if blocks:
            read = slice(blocks[0].source.start, blocks[-1].source.stop)
            self._wide[:count, :, read] = rows[..., read]
        for block in blocks:
            np.matmul(block.wide, block.weights, out=block.sums)  # of all rows: there are fewer only once, at the end
        narrow = self._narrow[:count, :, seen]
        narrow[...] = self._sums[:count, :, seen]
        pixels[:, : seen.start], pixels[:, seen.stop :] = 0, 0
        _unpremultiply(narrow, pixels[:, seen], level[:, seen])
        finished: Rgba = pixels.view(np.uint8).reshape(count, -1, BYTES_PER_PX)
        return finished

    def _cut(self, kernel: Kernel) -> Iterator["_Block"]:
        wide, sums = self._wide.reshape(ROWS_OUT * BYTES_PER_PX, -1), self._sums.reshape(ROWS_OUT * BYTES_PER_PX, -1)
        for first, count in spans(len(kernel.first), COLUMNS_OUT):
            pixels = slice(first, first + count)
            source = slice(int(kernel.first[first]), int(kernel.stop[first + count - 1]))
            weights = np.ascontiguousarray(kernel.matrix(pixels, source).T)
            yield _Block(pixels, source, wide[:, source], weights, sums[:, pixels])


@dataclass(frozen=True, slots=True)
class _Block:
    """A few printed columns, the columns they are made of, and the product that makes them: sums = wide · weights."""

    pixels: slice
    source: slice
    wide: Double
    weights: Double
    sums: Double


def _unpremultiply(narrow: Single, pixels: NDArray[np.int32], level: NDArray[np.int32]) -> None:
    """Fill `pixels` with 8-bit RGBA from the sums in `narrow`, which is used up, as is `level`."""
    colours, opacity = narrow[:, :_ALPHA], narrow[:, _ALPHA]
    alpha = opacity * np.float32(1 / (STEPS * ROW_UNIT * COLUMN_UNIT))
    pixels[...] = np.clip(alpha, 0, 255, out=alpha) + np.float32(0.5)
    inked = pixels > 0
    colours *= (np.float32(255) / np.maximum(opacity, 1))[:, None]
    np.clip(colours, 0, 255, out=colours)
    colours += 0.5
    for colour in (_BLUE, _GREEN, _RED):
        pixels <<= 8
        level[...] = colours[:, colour]
        pixels |= level
    pixels *= inked


def _inked(pixels: NDArray[np.uint32]) -> tuple[int, int]:
    """Return the first column with any ink, and the first behind the last; the same where there is none."""
    columns = np.flatnonzero(np.bitwise_or.reduce(pixels, axis=0) >> 24)
    return (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, 0)


def _carve(buffer: NDArray[Scalar], *shape: int) -> NDArray[Scalar]:
    """Return the beginning of a flat buffer in this shape: contiguous, as BLAS likes it."""
    return buffer[: math.prod(shape)].reshape(shape)
