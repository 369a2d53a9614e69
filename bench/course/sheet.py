"""Lines, areas, letters and pictures on pages: the few things of reportlab that the course needs, with types."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from math import atan2, cos, pi, sin
from pathlib import Path
from typing import Any, Literal, NamedTuple

from reportlab.lib.colors import HexColor  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]
from reportlab.platypus import Paragraph  # type: ignore[import-untyped]

from bench.course.look import BODY, FONT_FILE, INK, LEADING
from bench.course.pictures import Picture

FONT = "TilepressSans"
Point = tuple[float, float]
Anchor = Literal["left", "centre", "right"]


class Area(NamedTuple):
    """A rectangle by its lower left corner and its size, in points."""

    x: float
    y: float
    width: float
    height: float


class Sheet:
    """The pages of one document, drawn one after the other. Points from the bottom left; colours as `#RRGGBB`."""

    def __init__(self, file: Path, title: str, subject: str) -> None:
        """Begin a document; `invariant` leaves out what would differ from run to run."""
        pdfmetrics.registerFont(TTFont(FONT, FONT_FILE))
        self.canvas: Any = Canvas(
            str(file), invariant=1, pageCompression=1, pdfVersion=(1, 5), initialFontName=FONT, lang="en-GB"
        )
        self.canvas.setTitle(title)
        self.canvas.setSubject(subject)
        self.canvas.setAuthor("tilepress")
        self.canvas.setCreator("bench.course")
        self.size: Point = (0.0, 0.0)

    def begin(self, size: Point) -> None:
        """Begin a page."""
        self.size = size
        self.canvas.setPageSize(size)

    def end(self) -> None:
        """End the page."""
        self.canvas.showPage()

    def save(self) -> None:
        """Write the document."""
        self.canvas.save()

    def entry(self, title: str, key: str, level: int, top: float) -> None:
        """Put a place of this page into the outline; `level` 0 is the outermost."""
        self.canvas.bookmarkPage(key, fit="XYZ", left=0, top=top, zoom=0)
        self.canvas.addOutlineEntry(title, key, level, closed=level == 0)

    def link(self, key: str, x: float, y: float, width: float, height: float) -> None:
        """Make an area lead to a place of the outline."""
        self.canvas.linkRect("", key, (x, y, x + width, y + height), relative=0, thickness=0, Border="[0 0 0]")

    def text(
        self,
        words: str,
        x: float,
        y: float,
        size: float = BODY,
        colour: str = INK,
        *,
        anchor: Anchor = "left",
        weight: float = 0.0,
        spacing: float = 0.0,
        font: str = FONT,
    ) -> None:
        """Set one line on the base line `y`; a `weight` thickens strokes by so much, as the font has no bold."""
        width = self.width_of(words, size, spacing, font)
        start = x - {"left": 0.0, "centre": width / 2, "right": width}[anchor]
        line = self.canvas.beginText(start, y)
        line.setFont(font, size)
        line.setFillColor(HexColor(colour))
        line.setCharSpace(spacing)
        if weight:
            self.canvas.setStrokeColor(HexColor(colour))
            self.canvas.setLineWidth(weight)
            line.setTextRenderMode(2)
        line.textOut(words)
        line.setTextRenderMode(0)
        line.setCharSpace(0)
        self.canvas.drawText(line)

    def width_of(self, words: str, size: float, spacing: float = 0.0, font: str = FONT) -> float:
        """Return how wide a line is."""
        return float(pdfmetrics.stringWidth(words, font, size)) + spacing * (len(words) - 1)

    def words(
        self,
        words: str,
        x: float,
        top: float,
        width: float,
        size: float = BODY,
        leading: float = LEADING,
        colour: str = INK,
        *,
        anchor: Anchor = "left",
    ) -> float:
        """Set a paragraph below `top`, and return its height. `<font color="…">` and `<br/>` are understood."""
        paragraph = _paragraph(words, size, leading, colour, anchor)
        height = float(paragraph.wrap(width, 10_000)[1])
        paragraph.drawOn(self.canvas, x, top - height)
        return height

    def height_of(self, words: str, width: float, size: float, leading: float) -> float:
        """Return how high a paragraph is, without setting it."""
        return float(_paragraph(words, size, leading, INK, "left").wrap(width, 10_000)[1])

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str | None = None,
        stroke: str | None = None,
        line: float = 0.7,
        *,
        radius: float = 0.0,
        dash: Sequence[float] = (),
        alpha: float = 1.0,
    ) -> None:
        """Draw a rectangle, its corners rounded by `radius`."""
        with self._painted(fill, stroke, line, dash, alpha) as how:
            if radius:
                self.canvas.roundRect(x, y, width, height, radius, **how)
            else:
                self.canvas.rect(x, y, width, height, **how)

    def circle(
        self, x: float, y: float, radius: float, fill: str | None = None, stroke: str | None = None, line: float = 0.7
    ) -> None:
        """Draw a circle around a point."""
        with self._painted(fill, stroke, line, (), 1.0) as how:
            self.canvas.circle(x, y, radius, **how)

    def ellipse(
        self, x: float, y: float, across: float, up: float, fill: str | None = None, stroke: str | None = None
    ) -> None:
        """Draw an ellipse by its radii."""
        with self._painted(fill, stroke, 0.7, (), 1.0) as how:
            self.canvas.ellipse(x - across, y - up, x + across, y + up, **how)

    def area(
        self, points: Sequence[Point], fill: str | None = None, stroke: str | None = None, line: float = 0.7
    ) -> None:
        """Draw a closed polygon."""
        with self._painted(fill, stroke, line, (), 1.0) as how:
            self.canvas.drawPath(self._path(points, closed=True), **how)

    def line(self, points: Sequence[Point], colour: str = INK, line: float = 0.7, dash: Sequence[float] = ()) -> None:
        """Draw lines from point to point."""
        with self._painted(None, colour, line, dash, 1.0) as how:
            self.canvas.drawPath(self._path(points, closed=False), **how)

    def arrow(self, start: Point, end: Point, colour: str = INK, line: float = 0.8, head: float = 4.5) -> None:
        """Draw a line with a head at its end."""
        angle = atan2(end[1] - start[1], end[0] - start[0])
        wings = [(end[0] - head * cos(angle + turn), end[1] - head * sin(angle + turn)) for turn in (pi / 8, -pi / 8)]
        middle = (sum(x for x, _ in wings) / 2, sum(y for _, y in wings) / 2)
        self.line([start, middle], colour, line)
        self.area([end, *wings], colour)

    def picture(self, picture: Picture, x: float, y: float, width: float) -> None:
        """Put a picture down by its lower left corner, so wide; where it is transparent, what lies below shows.

        The same picture is stored once, however often it is put down.
        """
        self.canvas.drawImage(ImageReader(BytesIO(picture.data)), x, y, width, width * picture.aspect, mask="auto")

    @contextmanager
    def within(self, points: Sequence[Point]) -> Iterator[None]:
        """Show only what lies in a polygon."""
        self.canvas.saveState()
        self.canvas.clipPath(self._path(points, closed=True), stroke=0, fill=0)
        yield
        self.canvas.restoreState()

    def _path(self, points: Sequence[Point], *, closed: bool) -> object:
        path = self.canvas.beginPath()
        path.moveTo(*points[0])
        for point in points[1:]:
            path.lineTo(*point)
        if closed:
            path.close()
        return path

    @contextmanager
    def _painted(
        self, fill: str | None, stroke: str | None, line: float, dash: Sequence[float], alpha: float
    ) -> Iterator[dict[str, int]]:
        self.canvas.saveState()
        if fill is not None:
            self.canvas.setFillColor(HexColor(fill))
        if stroke is not None:
            self.canvas.setStrokeColor(HexColor(stroke))
            self.canvas.setLineWidth(line)
            self.canvas.setDash(list(dash))
        if alpha < 1:
            self.canvas.setFillAlpha(alpha)
        yield {"fill": int(fill is not None), "stroke": int(stroke is not None)}
        self.canvas.restoreState()


def _paragraph(words: str, size: float, leading: float, colour: str, anchor: Anchor) -> Any:
    style = ParagraphStyle(
        "words",
        fontName=FONT,
        fontSize=size,
        leading=leading,
        textColor=HexColor(colour),
        alignment={"left": 0, "centre": 1, "right": 2}[anchor],
        splitLongWords=0,
    )
    return Paragraph(words, style)


def mixed(colour: str, other: str, share: float) -> str:
    """Return a colour with a share of another one in it."""
    pairs = ((int(colour[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(one + (two - one) * share):02X}" for one, two in pairs)
