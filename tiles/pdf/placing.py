"""Where a page's content comes to lie among its pixels, and which of it wants to be drawn in one piece."""

import ctypes
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pypdfium2
from pypdfium2 import raw

from tiles.pdf.marks import Matrix

_DEEPEST = 20  # forms within forms; pdfium itself stops a little later
_SKEWED = 1e-3  # of an image's longer side: what is less is upright, or on its side
_SLACK_PX = 2  # round an object: antialiasing
_OPAQUE = 255
_PATTERNED = (0xBF, 0xBF, 0xBF, _OPAQUE)  # what pdfium says of a coloured pattern; the same grey is taken for one

Span = tuple[int, int]
"""Rows from the first to behind the last."""


def to_pixels(page: pypdfium2.PdfPage, width: float, height: float) -> Matrix:
    """Return the map from a page's own coordinates to pixels, y downwards, of a picture of this size of the page."""
    return _upright(page).then(Matrix(width / page.get_width(), 0, 0, -height / page.get_height(), 0, height))


def enlargement(page: pypdfium2.PdfPage, width: float, height: float) -> Matrix:
    """Return what FPDF_RenderPageBitmapWithMatrix is to be given for a picture of this size of the whole page.

    pdfium counts in single precision: the map is such that it arrives at the very numbers of FPDF_RenderPageBitmap.
    """
    single = np.float32
    wide, high = single(page.get_width()), single(page.get_height())
    across, down = single(width) / wide, single(height) / high
    f = single(_upright(page).f)
    below = (f * -down + single(height)) - (high - f) * down
    return Matrix(float(across), 0, 0, float(down), 0, float(below))


def _upright(page: pypdfium2.PdfPage) -> Matrix:
    """Return the map that turns a page as its Rotate says, its lower left corner to 0, 0; as pdfium has it."""
    left, bottom, right, top = page.get_bbox()
    return {
        0: Matrix(1, 0, 0, 1, -left, -bottom),
        90: Matrix(0, -1, 1, 0, -bottom, right),
        180: Matrix(-1, 0, 0, -1, right, top),
        270: Matrix(0, 1, -1, 0, top, -left),
    }[page.get_rotation()]


def delicate_spans(page: pypdfium2.PdfPage, to_device: Matrix) -> list[Span]:
    """Return the rows of all objects whose pixels depend on how much of them is drawn at once, lowest spans first.

    These are images that are neither upright nor on their side, which pdfium samples in steps counted from the clip's
    corner; what is painted with patterns and shadings; and what is masked, blended or a transparency group, for which
    it takes a bitmap of its own. All else is the same in any clip.
    """
    objects = (raw.FPDFPage_GetObject(page, index) for index in range(raw.FPDFPage_CountObjects(page)))
    spans = {
        (math.floor(first) - _SLACK_PX, math.ceil(last) + _SLACK_PX) for first, last in _walk(objects, to_device, 0)
    }
    return sorted(spans, key=lambda span: (span[1] - span[0], span))


def _walk(objects: Iterator[Any], to_device: Matrix, depth: int) -> Iterator[tuple[float, float]]:
    """Yield the rows of the delicate among objects and those within them."""
    for item in objects:
        kind = raw.FPDFPageObj_GetType(item)
        if _is_delicate(item, kind, to_device):
            yield from _rows(item, to_device)
        if kind == raw.FPDF_PAGEOBJ_FORM and depth < _DEEPEST:
            matrix = _matrix(item)
            if matrix is not None:
                count = raw.FPDFFormObj_CountObjects(item)
                inner = (raw.FPDFFormObj_GetObject(item, index) for index in range(count))
                yield from _walk(inner, matrix.then(to_device), depth + 1)


def _is_delicate(item: Any, kind: int, to_device: Matrix) -> bool:
    if kind == raw.FPDF_PAGEOBJ_FORM:
        return bool(raw.FPDFPageObj_HasTransparency(item))
    if kind == raw.FPDF_PAGEOBJ_IMAGE:
        matrix = _matrix(item)
        if matrix is not None and _is_skewed(matrix.then(to_device)):
            return True
    colours = [_colour(raw.FPDFPageObj_GetFillColor, item), _colour(raw.FPDFPageObj_GetStrokeColor, item)]
    if kind == raw.FPDF_PAGEOBJ_SHADING or _PATTERNED in colours:
        return True
    # what is merely see-through needs no bitmap of its own, as masks and blend modes do
    opaque = all(colour is None or colour[-1] == _OPAQUE for colour in colours)
    return opaque and bool(raw.FPDFPageObj_HasTransparency(item))


def _colour(colour_of: Callable[..., int], item: Any) -> tuple[int, ...] | None:
    """Return the red, green, blue and alpha that an object is painted with."""
    parts = [ctypes.c_uint() for _ in range(4)]
    return tuple(part.value for part in parts) if colour_of(item, *parts) else None


def _is_skewed(matrix: Matrix) -> bool:
    longest = max(abs(matrix.a), abs(matrix.b), abs(matrix.c), abs(matrix.d))
    upright = max(abs(matrix.b), abs(matrix.c)) <= _SKEWED * longest
    on_its_side = max(abs(matrix.a), abs(matrix.d)) <= _SKEWED * longest
    return not (upright or on_its_side)


def _matrix(item: Any) -> Matrix | None:
    matrix = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(item, matrix):
        return None
    return Matrix(matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)


def _rows(item: Any, to_device: Matrix) -> Iterator[tuple[float, float]]:
    """Yield the rows that an object covers, if it says so."""
    sides = [ctypes.c_float() for _ in range(4)]
    if raw.FPDFPageObj_GetBounds(item, *sides):
        left, bottom, right, top = (side.value for side in sides)
        rows = [to_device.b * x + to_device.d * y + to_device.f for x in (left, right) for y in (bottom, top)]
        if all(map(math.isfinite, rows)):
            yield min(rows), max(rows)
