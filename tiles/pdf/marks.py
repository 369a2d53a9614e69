"""What lies on a page, by pdfium's objects: images as they are placed, the smallest text, the thinnest line."""

import ctypes
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pypdfium2
from pypdfium2 import raw

MAX_OBJECTS = 20_000  # of a page, those within forms counted: a map's detail; they take 0.1 s
_MAX_DEPTH = 28  # forms within forms; pdfium reads no deeper
_GLYPH_HEIGHTS = (0.3, 1.5)  # of the type size: below are dots and rules; above, a size that its font scales anew
_INVISIBLE = (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)

Handle = Any  # ctypes' pointer to a pdfium object; it lives as long as its page is open


@dataclass(frozen=True, slots=True)
class Matrix:
    """A PDF matrix: (x, y) becomes (a·x + c·y + e, b·x + d·y + f)."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    e: float = 0.0
    f: float = 0.0

    def then(self, outer: "Matrix") -> "Matrix":
        """Return the matrix that applies this one, then `outer`."""
        return Matrix(
            self.a * outer.a + self.b * outer.c,
            self.a * outer.b + self.b * outer.d,
            self.c * outer.a + self.d * outer.c,
            self.c * outer.b + self.d * outer.d,
            self.e * outer.a + self.f * outer.c + outer.e,
            self.e * outer.b + self.f * outer.d + outer.f,
        )

    @property
    def along(self) -> float:
        """How long a step along x becomes."""
        return math.hypot(self.a, self.b)

    @property
    def across(self) -> float:
        """How long a step along y becomes."""
        return math.hypot(self.c, self.d)

    @property
    def scale(self) -> float:
        """How long the side of a square becomes that keeps its area."""
        return math.sqrt(abs(self.a * self.d - self.b * self.c))


@dataclass(frozen=True, slots=True)
class ImageMark:
    """An image on a page: its pixels, and the lengths of its sides on the page in points, before UserUnit."""

    handle: Handle
    width_px: int
    height_px: int
    width_pt: float
    height_pt: float


@dataclass(slots=True)
class Marks:
    """What was found on a page. Sizes are in points before UserUnit, None if there is nothing of the kind.

    Images that lie beside the page, or have no area, are left out. `fonts` are the names of those that visible text is
    set in. `least_text_pt` is the smallest size of type; `least_line_pt` the width of the thinnest stroke, 0 standing
    for the thinnest that a device can draw. Hidden layers and what is clipped away are counted, patterns and
    annotations are not. `transparency` is whether anything is blended or see-through, other than images by
    their own masks. `complete` is False if the page holds more than `MAX_OBJECTS`.
    """

    images: list[ImageMark] = field(default_factory=list)
    fonts: set[str] = field(default_factory=set)
    least_text_pt: float | None = None
    least_line_pt: float | None = None
    transparency: bool = False
    complete: bool = True


def marks_on(page: pypdfium2.PdfPage) -> Marks:
    """Return what lies on an open page; no image is decoded. Raises PdfiumError if the page has no extent."""
    marks = Marks()
    names: dict[int, str] = {}  # by address, which is a font's own as long as the page is open
    extent = page.get_bbox()
    for number, (handle, kind, matrix, outer) in enumerate(_objects(page)):
        if number == MAX_OBJECTS:
            marks.complete = False
            break
        marks.transparency = marks.transparency or bool(raw.FPDFPageObj_HasTransparency(handle))
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            _add_image(marks, handle, matrix.then(outer), extent)
        elif kind == raw.FPDF_PAGEOBJ_TEXT and raw.FPDFTextObj_GetTextRenderMode(handle) not in _INVISIBLE:
            marks.fonts.add(_font_name(handle, names))
            marks.least_text_pt = _least(marks.least_text_pt, _text_size(handle, matrix, outer, marks.least_text_pt))
        elif kind == raw.FPDF_PAGEOBJ_PATH:
            marks.least_line_pt = _least(marks.least_line_pt, _line_width(handle, matrix.then(outer).scale))
    return marks


def _objects(page: pypdfium2.PdfPage) -> Iterator[tuple[Handle, int, Matrix, Matrix]]:
    """Yield (object, kind, its matrix, the matrix of what it stands in), in the order they are drawn.

    Objects whose matrices have no finite numbers are left out. Forms are yielded before what is in them.
    """
    levels = [(_children(page, raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject), Matrix())]
    while levels:
        handles, outer = levels[-1]
        handle = next(handles, None)
        if handle is None:
            levels.pop()
            continue
        matrix = _matrix(handle)
        if matrix is None:
            continue
        kind = raw.FPDFPageObj_GetType(handle)
        yield handle, kind, matrix, outer
        if kind == raw.FPDF_PAGEOBJ_FORM and len(levels) < _MAX_DEPTH:
            inside = _children(handle, raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject)
            levels.append((inside, matrix.then(outer)))


def _children(parent: Handle, count: Callable[[Handle], int], get: Callable[[Handle, int], Handle]) -> Iterator[Handle]:
    for index in range(max(0, count(parent))):
        child = get(parent, index)
        if child:
            yield child


def _matrix(handle: Handle) -> Matrix | None:
    read = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(handle, read):
        return Matrix()  # shadings have none
    values = (read.a, read.b, read.c, read.d, read.e, read.f)
    return Matrix(*values) if all(map(math.isfinite, values)) else None


def _add_image(marks: Marks, handle: Handle, matrix: Matrix, extent: tuple[float, float, float, float]) -> None:
    width, height = ctypes.c_uint(), ctypes.c_uint()
    if not raw.FPDFImageObj_GetImagePixelSize(handle, width, height):
        return
    image = ImageMark(handle, width.value, height.value, matrix.along, matrix.across)
    if _is_seen(image, matrix, extent):
        marks.images.append(image)


def _is_seen(image: ImageMark, matrix: Matrix, extent: tuple[float, float, float, float]) -> bool:
    """Whether an image has pixels and an area, some of it on the page."""
    if not (image.width_px and image.height_px and 0 < matrix.scale < math.inf):
        return False
    left, bottom, right, top = extent
    xs = [matrix.e + x for x in (0, matrix.a, matrix.c, matrix.a + matrix.c)]
    ys = [matrix.f + y for y in (0, matrix.b, matrix.d, matrix.b + matrix.d)]
    return min(xs) < right and max(xs) > left and min(ys) < top and max(ys) > bottom


def _font_name(text: Handle, names: dict[int, str]) -> str:
    """Return the name of a text's font without the prefix that marks a subset; "" if it has none."""
    font = raw.FPDFTextObj_GetFont(text)
    if not font:
        return ""
    address = ctypes.addressof(font.contents)
    if address not in names:
        buffer = ctypes.create_string_buffer(raw.FPDFFont_GetBaseFontName(font, None, 0))
        raw.FPDFFont_GetBaseFontName(font, buffer, len(buffer))
        names[address] = buffer.value.decode(errors="replace")
    return names[address]


def _text_size(handle: Handle, matrix: Matrix, outer: Matrix, least: float | None) -> float | None:
    """Return the size of a piece of text on the page if it is below `least` and can be told, else None."""
    size = ctypes.c_float()
    if not raw.FPDFTextObj_GetFontSize(handle, size) or not math.isfinite(size.value):
        return None
    printed = abs(size.value) * matrix.then(outer).across
    if not 0 < printed < math.inf or (least is not None and printed >= least):
        return None
    height = _glyph_height(handle, matrix) / (abs(size.value) * matrix.across)
    return printed if _GLYPH_HEIGHTS[0] <= height <= _GLYPH_HEIGHTS[1] else None


def _glyph_height(handle: Handle, matrix: Matrix) -> float:
    """Return how high a line's glyphs stand, in what it stands in; 0 if it is empty, or neither level nor upright."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not raw.FPDFPageObj_GetBounds(handle, left, bottom, right, top):
        return 0.0
    slant = 1e-3 * matrix.across  # what rounding leaves of a right angle
    if abs(matrix.c) <= slant:
        return top.value - bottom.value
    return right.value - left.value if abs(matrix.d) <= slant else 0.0


def _line_width(handle: Handle, scale: float) -> float | None:
    """Return the width of a path's stroke on the page; None if it has none."""
    fill, stroke, width = ctypes.c_int(), raw.FPDF_BOOL(), ctypes.c_float()
    if not raw.FPDFPath_GetDrawMode(handle, fill, stroke) or not stroke.value:
        return None
    if not raw.FPDFPageObj_GetStrokeWidth(handle, width):
        return None
    printed = abs(width.value) * scale
    return printed if math.isfinite(printed) else None


def _least(former: float | None, found: float | None) -> float | None:
    return former if found is None else found if former is None else min(former, found)
