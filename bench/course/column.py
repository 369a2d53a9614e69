"""Type set down a page: headings, paragraphs, lists, tables, figures, one below the other. Too much is an error."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.course.look import BODY, HEADING, LEADING, MUTED, RULE, SMALL, SMALL_LEADING, TINT, WHITE
from bench.course.sheet import Area, Sheet

Drawing = Callable[[Sheet, Area], None]

PARAGRAPH_GAP, BEFORE_HEADING = 7.0, 12.0
_INSET, _TICK = 14.0, 17.0


@dataclass(slots=True)
class Column:
    """Where on a page text goes next: below `top`, `width` wide from `x`, not below `foot`. `colour` is for accents."""

    sheet: Sheet
    x: float
    top: float
    width: float
    foot: float
    colour: str
    size: float = BODY
    leading: float = LEADING
    tick_size: float = SMALL + 0.6

    def heading(self, title: str) -> None:
        """Set a heading, which the outline leads to."""
        key = f"heading-{title}"
        self.sheet.entry(title, key, 1, self.top + 6)
        self._take(HEADING + 3)
        self.sheet.text(title, self.x, self.top + 3, HEADING, self.colour, weight=0.35)
        self._take(6)

    def words(self, words: str) -> None:
        """Set a paragraph."""
        self._take(self.sheet.words(words, self.x, self.top, self.width, self.size, self.leading) + PARAGRAPH_GAP)

    def note(self, title: str, words: str) -> None:
        """Set a note: small, below a short coloured line and a title."""
        self.sheet.line([(self.x, self.top), (self.x + 26, self.top)], self.colour, 1.6)
        self._take(12)
        self.sheet.text(title, self.x, self.top, SMALL + 0.5, self.colour)
        self._take(4)
        height = self.sheet.words(words, self.x, self.top, self.width, SMALL, SMALL_LEADING, MUTED)
        self._take(height + 14)

    def points(self, items: Sequence[str]) -> None:
        """Set a list."""
        for item in items:
            self.sheet.circle(self.x + 3, self.top - self.leading * 0.58, 1.7, self.colour)
            height = self.sheet.words(item, self.x + 13, self.top, self.width - 13, self.size, self.leading)
            self._take(height + 3)
        self._take(PARAGRAPH_GAP - 3)

    def checklist(self, title: str, items: Sequence[str], columns: int = 1) -> None:
        """Set a tinted box of things to tick off, in so many columns, read downwards."""
        each = -(-len(items) // columns)
        groups = [items[start : start + each] for start in range(0, len(items), each)]
        width = (self.width - _INSET * (columns + 1)) / columns
        sized = [[(item, self._height_of_tick(item, width)) for item in group] for group in groups]
        height = max(sum(high for _, high in group) for group in sized) + 36 + self.tick_size
        self.sheet.box(self.x, self.top - height, self.width, height, TINT, radius=4)
        self.sheet.box(self.x, self.top - height, 3.5, height, self.colour)
        self.sheet.text(title, self.x + _INSET, self.top - 21, self.tick_size * 1.2, self.colour, weight=0.25)
        for number, group in enumerate(sized):
            y, x = self.top - 24 - self.tick_size, self.x + _INSET + number * (width + _INSET)
            for item, high in group:
                self._tick(item, x, y, width)
                y -= high
        self._take(height + 10)

    def _tick(self, item: str, x: float, top: float, width: float) -> None:
        square = self.tick_size * 0.9
        self.sheet.box(x, top - self.tick_size * 1.22, square, square, WHITE, self.colour, 0.9, radius=1.2)
        self.sheet.words(item, x + _TICK, top, width - _TICK, *self._item())

    def _height_of_tick(self, item: str, width: float) -> float:
        return self.sheet.height_of(item, width - _TICK, *self._item()) + 4

    def _item(self) -> tuple[float, float]:
        """Return size and leading of what is to be ticked off."""
        return self.tick_size, self.tick_size * 1.5

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[float]) -> None:
        """Set a table; `shares` are its columns' parts of the width."""
        starts = [self.x + self.width * sum(shares[:index]) for index in range(len(shares))]
        self._take(9)
        for title, x in zip(head, starts, strict=True):
            self.sheet.text(title, x, self.top, SMALL, self.colour)
        self._take(5)
        self.sheet.line([(self.x, self.top), (self.x + self.width, self.top)], self.colour, 1.1)
        for row in rows:
            self._take(4)
            heights = [
                self.sheet.words(cell, x, self.top, self.width * share - 8, SMALL + 0.5, SMALL_LEADING + 0.8)
                for cell, x, share in zip(row, starts, shares, strict=True)
            ]
            self._take(max(heights) + 4)
            self.sheet.line([(self.x, self.top), (self.x + self.width, self.top)], RULE, 0.6)
        self._take(PARAGRAPH_GAP + 4)

    def figure(self, height: float, draw: Drawing, caption: str = "") -> None:
        """Give a drawing the whole width and so much height, and set a caption below."""
        self._take(height)
        draw(self.sheet, Area(self.x, self.top, self.width, height))
        if caption:
            self._take(5)
            self._take(self.sheet.words(caption, self.x, self.top, self.width, SMALL, SMALL_LEADING, MUTED))
        self._take(10)

    def gap(self, height: float) -> None:
        """Leave some room."""
        self._take(height)

    def _take(self, height: float) -> None:
        self.top -= height
        if self.top < self.foot - PARAGRAPH_GAP - 4:
            raise ValueError(f"{self.foot - self.top:.0f} points too much on page {self.sheet.canvas.getPageNumber()}")
