"""Drawing where a template's areas lie: their corners, sides and names over the photograph, shrunk to be looked at.

What is drawn is what was written, right or wrong. Knows nothing of templates, and needs no font of the machine.
"""

import colorsys
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyvips
from numpy.typing import NDArray

from tiles.design import BYTES_PER_PX
from tiles.geometry import Rect, spans
from tiles.lettering import draw_line
from tiles.resample import Rgba, Shrinker

Point = tuple[float, float]
Rgb = NDArray[np.uint8]  # rows × width × 3
Colour = tuple[int, int, int]

_GROUND = 224  # the grey behind a photograph that is transparent in parts
_FAR = 1e9  # pixels; a corner beyond is as wrong as one there, and is drawn there
_BLEND_ROWS = 256  # laid over others at once

_UNITS = 1000  # in the picture's longer side; all that is drawn is so many of them large
_LEAST_UNIT = 1.0  # pixels
_RIM, _LINE, _CORE = 6.0, 3.8, 1.8  # the widths of a side's dark rim, of its white line, and of its colour within
_DOT, _AWAY = 9.0, 15.0  # the radius of a corner's dot, and how far off the corner it is, which stays in sight
_RINGS = 1.2, 3.2  # off a dot's radius: where its white ring ends, and its coloured one
_DIGIT = 13.0  # the height of a digit's line
_ARROW, _LEAST_SIDE = 16.0, 8.0  # the length of an arrow head, and that of a side which has room for one
_ARROW_RIMS = 5.0, 2.6  # the widths of its dark rim and of its white line
_NAME, _PADDING = 20.0, 6.0  # the height of a name's line, and its label's edge around it
_GAP = 3.0  # between an area's dots and a label beside it, and between anything and the picture's edge
_LABEL_RIM = 2.0
_NAME_SHARE, _LEAST_NAME_PX = 0.6, 60  # how wide a name may be: a share of the picture, but so many pixels
_INSIDE_SHARE = 0.7  # of an area's width and height; a larger label goes beside it
_STEP = 1.3  # label heights by which a label makes room for another one

_WHITE, _DARK = (255, 255, 255), (17, 17, 17)
_GOLDEN = 0.381966  # of the circle of hues, from one area to the next: however many follow, no two are the same
_OUTWARDS = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))  # from the corners of an upright rectangle


@dataclass(frozen=True, slots=True)
class OutlinedArea:
    """An area's name, and its corners in the photograph's pixels, y downwards; they may lie outside of it."""

    name: str
    corners: tuple[Point, Point, Point, Point]


def outline_picture(
    rows: Iterable[Rgba], size: tuple[int, int], areas: Sequence[OutlinedArea], longest_px: int
) -> bytes:
    """Return a PNG, in RGB, of the photograph with the areas' outlines, at most `longest_px` on its longer side.

    `rows` are the photograph's, top to bottom, in chunks of any height; its `size` is (width, height). It is shrunk as
    it comes, and never enlarged. Each area has a colour; its corners have the numbers 1 to 4, and its first side an
    arrow head. The number of a corner outside of the picture is at the nearest edge, dark on white, and stands in the
    area's label.
    """
    picture = _shrunk(rows, size, longest_px)
    height, width, _ = picture.shape
    sheet = _Sheet(width, height)
    shapes = [_shape(area, index, width / size[0], height / size[1]) for index, area in enumerate(areas)]
    dots = [dot for shape in shapes for dot in _dots(sheet, shape)]
    labels = _labels(sheet, shapes, dots)
    _lay(picture, _overlay(sheet, shapes, dots, labels), 0, 0)
    for dot in dots:
        _write(picture, dot.letters, dot.centre)
    for label in labels:
        _write(picture, label.letters, label.centre)
    image = pyvips.Image.new_from_memory(picture.data, width, height, 3, "uchar")
    return bytes(image.copy(interpretation="srgb").pngsave_buffer(keep="none"))


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The size in pixels of the picture that is drawn on, and what follows from it."""

    width: int
    height: int

    @property
    def unit(self) -> float:
        """The pixels of a unit."""
        return max(_LEAST_UNIT, max(self.width, self.height) / _UNITS)

    def holds(self, point: Point) -> bool:
        """Tell whether a point is in the picture, or on its edge."""
        return 0 <= point[0] <= self.width and 0 <= point[1] <= self.height

    def nearest(self, point: Point, right: float = 0.0, down: float = 0.0) -> Point:
        """Return the point next to this one that is at least so far inside of the picture; its middle if none is."""
        x, y = point
        right, down = min(right, self.width / 2), min(down, self.height / 2)
        return min(max(x, right), self.width - right), min(max(y, down), self.height - down)

    def line_px(self, units: float) -> int:
        """Return the height of a line of text."""
        return max(1, round(units * self.unit))


@dataclass(frozen=True, slots=True)
class _Shape:
    """An area in the picture's pixels."""

    name: str
    colour: Colour
    corners: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class _Dot:
    """The number of a corner, drawn, and where it stands; `inside` says whether the corner is in the picture."""

    letters: Rgba
    centre: Point
    colour: Colour
    inside: bool


@dataclass(frozen=True, slots=True)
class _Label:
    """The name of an area, drawn, and the box around it."""

    letters: Rgba
    box: Rect
    colour: Colour

    @property
    def centre(self) -> Point:
        return self.box.x + self.box.width / 2, self.box.y + self.box.height / 2


def _shrunk(rows: Iterable[Rgba], size: tuple[int, int], longest_px: int) -> Rgb:
    """Return the photograph at the size to be looked at, on grey."""
    scale = min(1.0, longest_px / max(size))
    width, height = (max(1, round(side * scale)) for side in size)
    picture = np.full((height, width, 3), _GROUND, np.uint8)
    shrinker = Shrinker(size, (width, height))
    row = 0
    for chunk in rows:
        for top, count in spans(len(chunk), shrinker.rows_in):
            strip = chunk[top : top + count]
            for done in [strip] if (width, height) == size else shrinker.take(strip):
                _lay(picture, done, 0, row)
                row += len(done)
    return picture


def _lay(picture: Rgb, pixels: Rgba, left: int, top: int) -> None:
    """Lay pixels over the picture; those outside of it are left out."""
    height, width, _ = pixels.shape
    seen = Rect(left, top, width, height).intersect(Rect(0, 0, picture.shape[1], picture.shape[0]))
    for first, rows in spans(seen.height, _BLEND_ROWS):
        under = picture[seen.y + first :, seen.x :][:rows, : seen.width]
        over = pixels[seen.y + first - top :, seen.x - left :][:rows, : seen.width].astype(np.uint16)
        alpha = over[..., 3:]
        under[...] = (over[..., :3] * alpha + under * (255 - alpha) + 127) // 255


def _write(picture: Rgb, letters: Rgba, centre: Point) -> None:
    height, width, _ = letters.shape
    _lay(picture, letters, round(centre[0] - width / 2), round(centre[1] - height / 2))


def _shape(area: OutlinedArea, index: int, right: float, down: float) -> _Shape:
    """Return an area in the picture, which is the photograph by these factors; each has another colour."""
    red, green, blue = colorsys.hls_to_rgb(index * _GOLDEN % 1, 0.55, 0.95)
    corners = ((min(max(x * right, -_FAR), _FAR), min(max(y * down, -_FAR), _FAR)) for x, y in area.corners)
    return _Shape(area.name, (round(red * 255), round(green * 255), round(blue * 255)), tuple(corners))


def _dots(sheet: _Sheet, shape: _Shape) -> Iterator[_Dot]:
    """Yield the numbers of a shape's corners, each a little outwards of it, but in the picture."""
    for index, (x, y) in enumerate(shape.corners):
        right, down = _outwards(shape.corners, index)
        away, edge = _AWAY * sheet.unit, (_DOT + _GAP) * sheet.unit
        inside = sheet.holds((x, y))
        height_px = sheet.line_px(_DIGIT)
        digit = draw_line(
            str(index + 1),
            height_px=height_px,
            longest=(height_px, height_px),
            colour=_WHITE if inside else _DARK,
        )
        yield _Dot(digit, sheet.nearest((x + right * away, y + down * away), edge, edge), shape.colour, inside)


def _outwards(corners: Sequence[Point], index: int) -> Point:
    """Return the direction, of length 1, that halves the angle outside of a corner."""
    here, sum_x, sum_y = corners[index], 0.0, 0.0
    for other in (corners[index - 1], corners[(index + 1) % len(corners)]):
        distance = math.dist(here, other) or 1.0
        sum_x, sum_y = sum_x + (here[0] - other[0]) / distance, sum_y + (here[1] - other[1]) / distance
    if math.hypot(sum_x, sum_y) < 1e-6:  # noqa: PLR2004 - no angle: no shape, or straight on
        sum_x, sum_y = _OUTWARDS[index]
    length = math.hypot(sum_x, sum_y)
    return sum_x / length, sum_y / length


def _labels(sheet: _Sheet, shapes: Sequence[_Shape], dots: Sequence[_Dot]) -> list[_Label]:
    """Return the shapes' names where they hide the least of numbers, of names before, and of smaller shapes."""
    side = 2 * _DOT * sheet.unit
    taken = [_box(dot.centre, side, side) for dot in dots]
    bounds = [_bounds(sheet, shape) for shape in shapes]
    longest = (max(_LEAST_NAME_PX, round(_NAME_SHARE * sheet.width)), max(_LEAST_NAME_PX, sheet.height))
    labels = []
    for shape, own in zip(shapes, bounds, strict=True):
        letters = draw_line(_name(sheet, shape), height_px=sheet.line_px(_NAME), longest=longest, colour=_WHITE)
        height, width = (pixels + 2 * _PADDING * sheet.unit for pixels in letters.shape[:2])
        kept = [*taken, *(other for other in bounds if other.area < own.area)]
        boxes = (_box(place, width, height) for place in _places(sheet, own, width, height))
        box = min(boxes, key=lambda box: sum(box.intersect(other).area for other in kept))
        labels.append(_Label(letters, box, shape.colour))
        taken.append(box)
    return labels


def _bounds(sheet: _Sheet, shape: _Shape) -> Rect:
    """Return the rectangle around what is seen of a shape; that nearest to it if nothing is."""
    seen = [sheet.nearest(corner) for corner in shape.corners]
    left, top = (math.floor(min(part)) for part in zip(*seen, strict=True))
    right, bottom = (math.ceil(max(part)) for part in zip(*seen, strict=True))
    return Rect(left, top, right - left, bottom - top)


def _name(sheet: _Sheet, shape: _Shape) -> str:
    outside = [str(number) for number, corner in enumerate(shape.corners, start=1) if not sheet.holds(corner)]
    if not outside:
        return shape.name
    return f"{shape.name}: corner{'s' * (len(outside) > 1)} {', '.join(outside)} outside"


def _places(sheet: _Sheet, area: Rect, width: float, height: float) -> Iterator[Point]:
    """Yield where the middle of a label may be, the best place first: on the area, if it is large enough, or by it."""
    x, y = area.x + area.width / 2, area.y + area.height / 2
    places = []
    if width <= _INSIDE_SHARE * area.width and height <= _INSIDE_SHARE * area.height:
        places = [(x, y + step * _STEP * height) for step in (0, 1, -1, 2, -2)]
    off = (_AWAY + _DOT + _GAP) * sheet.unit
    places += [(x, area.bottom + off + height / 2), (x, area.y - off - height / 2)]
    places += [(area.right + off + width / 2, y), (area.x - off - width / 2, y)]
    edge = _GAP * sheet.unit
    for place in places:
        yield sheet.nearest(place, width / 2 + edge, height / 2 + edge)


def _box(centre: Point, width: float, height: float) -> Rect:
    return Rect(round(centre[0] - width / 2), round(centre[1] - height / 2), math.ceil(width), math.ceil(height))


def _overlay(sheet: _Sheet, shapes: Sequence[_Shape], dots: Sequence[_Dot], labels: Sequence[_Label]) -> Rgba:
    """Return all that is drawn but letters, smooth; a later thing hides an earlier one."""
    body = [mark for shape in shapes for mark in _sides(sheet, shape)]
    body += [mark for dot in dots for mark in _disc(sheet, dot)]
    body += [_plate(sheet, label) for label in labels]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{sheet.width}" height="{sheet.height}" '
        f'stroke-linecap="round" stroke-linejoin="round" fill="none">{"".join(body)}</svg>'
    )
    image = pyvips.Image.svgload_buffer(svg.encode(), unlimited=True)
    return np.frombuffer(image.write_to_memory(), np.uint8).reshape(sheet.height, sheet.width, BYTES_PER_PX)


def _sides(sheet: _Sheet, shape: _Shape) -> Iterator[str]:
    """Yield the lines of a shape's sides as far as they are seen, and the arrow head on the first."""
    ends = zip(shape.corners, (*shape.corners[1:], shape.corners[0]), strict=True)
    sides = [side for side in (_within(sheet, *pair) for pair in ends) if side is not None]
    path = "".join(f"M{a[0]:.2f} {a[1]:.2f}L{b[0]:.2f} {b[1]:.2f}" for a, b in sides)
    for width, colour in ((_RIM, _DARK), (_LINE, _WHITE), (_CORE, shape.colour)):
        yield f'<path d="{path}" stroke="{_css(colour)}" stroke-width="{width * sheet.unit:.2f}"/>'
    first = _within(sheet, shape.corners[0], shape.corners[1])
    if first is not None and math.dist(*first) >= _LEAST_SIDE * sheet.unit:
        for width, colour in zip(_ARROW_RIMS, (_DARK, _WHITE), strict=True):
            yield (
                f'<path d="{_head(sheet, *first)}" fill="{_css(shape.colour)}" stroke="{_css(colour)}" '
                f'stroke-width="{width * sheet.unit:.2f}"/>'
            )


def _within(sheet: _Sheet, start: Point, end: Point) -> tuple[Point, Point] | None:
    """Return the part of a line that is in the picture, None if there is none (Liang and Barsky 1984)."""
    (x, y), across, down = start, end[0] - start[0], end[1] - start[1]
    enters, leaves = 0.0, 1.0
    for speed, room in ((-across, x), (across, sheet.width - x), (-down, y), (down, sheet.height - y)):
        if speed == 0:
            if room < 0:
                return None
        elif speed < 0:
            enters = max(enters, room / speed)
        else:
            leaves = min(leaves, room / speed)
    if enters > leaves:
        return None
    return (x + enters * across, y + enters * down), (x + leaves * across, y + leaves * down)


def _head(sheet: _Sheet, start: Point, end: Point) -> str:
    """Return the path of an arrow head in the middle of a line, no longer than half of it."""
    side = math.dist(start, end)
    along_x, along_y = (end[0] - start[0]) / side, (end[1] - start[1]) / side
    half = min(_ARROW * sheet.unit, side / 2) / 2
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    points = ((1.0, 0.0), (-1.0, 0.9), (-0.5, 0.0), (-1.0, -0.9))  # along the line, and across
    corners = (
        (x + half * (along * along_x - across * along_y), y + half * (along * along_y + across * along_x))
        for along, across in points
    )
    return "M" + "L".join(f"{right:.2f} {down:.2f}" for right, down in corners) + "Z"


def _disc(sheet: _Sheet, dot: _Dot) -> Iterator[str]:
    """Yield a corner's dot: three discs, one on the other."""
    (x, y), (white, coloured) = dot.centre, _RINGS
    fills = (_WHITE, dot.colour, _DARK) if dot.inside else (_DARK, dot.colour, _WHITE)
    for off, fill in zip((0.0, white, coloured), fills, strict=True):
        yield f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{(_DOT - off) * sheet.unit:.2f}" fill="{_css(fill)}"/>'


def _plate(sheet: _Sheet, label: _Label) -> str:
    box, rim = label.box, _LABEL_RIM * sheet.unit
    return (
        f'<rect x="{box.x + rim / 2:.2f}" y="{box.y + rim / 2:.2f}" width="{box.width - rim:.2f}" '
        f'height="{box.height - rim:.2f}" rx="{_PADDING * sheet.unit:.2f}" fill="{_css(_DARK)}" fill-opacity="0.85" '
        f'stroke="{_css(label.colour)}" stroke-width="{rim:.2f}"/>'
    )


def _css(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
