"""Rectangles as values; pixels, y downwards, the right and bottom edges exclusive."""

from collections.abc import Iterator
from dataclasses import dataclass

Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""A convex quadrilateral, clockwise where y runs downwards; (x, y) from the outer top left corner of a picture."""


@dataclass(frozen=True, slots=True, order=True)
class Rect:
    """A rectangle of whole pixels: left `x`, top `y`, `width`, `height`."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column to the right of it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.y + self.height

    @property
    def area(self) -> int:
        """Its pixels; 0 when it is empty."""
        return max(0, self.width) * max(0, self.height)

    def intersect(self, other: "Rect") -> "Rect":
        """Return what both cover; its area is 0 when they do not meet."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        width, height = min(self.right, other.right) - x, min(self.bottom, other.bottom) - y
        return Rect(x, y, max(0, width), max(0, height))

    def contains(self, other: "Rect") -> bool:
        """Return whether `other` lies wholly within."""
        return self.intersect(other) == other

    def inset(self, margin: int) -> "Rect":
        """Return the rectangle with `margin` pixels taken off each side."""
        return Rect(self.x + margin, self.y + margin, self.width - 2 * margin, self.height - 2 * margin)

    def grow(self, right: int, bottom: int) -> "Rect":
        """Return the rectangle made larger to the right and to the bottom."""
        return Rect(self.x, self.y, self.width + right, self.height + bottom)


def spans(height: int, rows: int) -> Iterator[tuple[int, int]]:
    """Yield (top, rows) of strips that partition a height from top to bottom; the last may be shorter."""
    for top in range(0, height, rows):
        yield top, min(rows, height - top)
