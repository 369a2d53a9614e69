"""Text as pixels: for captions and watermarks on mock-ups, and for names in drawings. Knows of no template.

The font comes with the program, so that a line looks alike on every machine, also on one without fonts. Characters that
it lacks are taken from the machine's fonts; where there is none with them either, their code is drawn in a box.
"""

import functools
import html
import math
import os
import unicodedata
from dataclasses import dataclass

import numpy as np
import pyvips
from numpy.typing import NDArray

from config.errors import ArtworkError
from tiles.design import BYTES_PER_PX
from tiles.fontconfig import FONTS, configure_fonts
from tiles.geometry import Rect
from tiles.resample import Rgba

MAX_CHARACTERS = 1_000

_FONT, _FAMILY = FONTS / "TilepressSans.ttf", "Tilepress Sans"
_LINE_EM = (1901 + 483) / 2048  # ascent and descent by the font's table hhea: the height of a line, for a size of 1
_DPI = 72  # at which a point, the unit of a font's size, is a pixel
_MEASURE_PX = 32  # the height of a line whose letters are only measured
_FINER = 4  # times as large as asked for letters are drawn, and shrunk, as libvips puts them on whole pixels; or …
_FINER_PX = 2_000_000  # … less than that, down to their size, not to draw more pixels
_MOST_PX = 8_000_000  # more are never drawn; what is to be larger is enlarged
_MOST_SIDE_PX = 30_000  # nor as many in a row: cairo draws nothing beyond 32,767
_SPACES = {"Cc", "Cs", "Zl", "Zp"}  # categories of Unicode that would end the line, or cannot be drawn
_NO_INK = "no text to render"  # as libvips has it
_FAINT = 16  # levels of alpha, fewer than which are not seen
_SHOWN = 40  # characters of a text in a message
_QUARTER = 90  # degrees


def draw_line(
    text: str,
    *,
    height_px: int | None = None,
    width_px: int | None = None,
    longest: tuple[int, int],
    colour: tuple[int, int, int],
) -> Rgba:
    """Return one line of text, as high as a line of `height_px`, or `width_px` wide; smaller if `longest` demands it.

    `longest` is (width, height), in pixels; it holds for the whole result. Its columns are those of the letters; its
    rows are those of the line, from its ascent to its descent, whatever the letters, and more only for those that reach
    out of it: lines of the same height have letters of the same size on the same baseline. Where there is no letter,
    all is 0.

    Control characters and line ends become spaces; markup is shown as it is written. Raises ArtworkError if there is
    nothing to see, or the text is longer than MAX_CHARACTERS.
    """
    if (height_px is None) == (width_px is None):
        raise ValueError("a line is as high as height_px or as wide as width_px says")
    wanted = _Wanted(height_px, width_px, longest)
    measured = _draw(text, _MEASURE_PX)
    drawn = _draw(text, _finest(measured, wanted.scale(measured)))
    alpha = _scaled(drawn, wanted.scale(drawn))
    if alpha.max() < _FAINT:
        raise _nothing(text)
    return _coloured(alpha, colour)


def turned(letters: Rgba, degrees: float) -> Rgba:
    """Return the picture turned counter-clockwise, and cut to what is not wholly transparent; by bicubic."""
    if degrees % _QUARTER == 0:
        return _tight(np.rot90(letters, round(degrees / _QUARTER)))
    height, width, _ = letters.shape
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    image = pyvips.Image.new_from_memory(np.ascontiguousarray(letters).data, width, height, BYTES_PER_PX, "uchar")
    image = image.copy(interpretation="srgb").embed(2, 2, width + 4, height + 4)  # so that edges are turned smoothly
    bicubic = pyvips.Interpolate.new("bicubic")
    image = image.premultiply().affine([cos, sin, -sin, cos], interpolate=bicubic, premultiplied=True)
    image = image.unpremultiply().rint().cast("uchar")
    pixels: Rgba = np.frombuffer(image.write_to_memory(), np.uint8).reshape(image.height, image.width, BYTES_PER_PX)
    return _tight(pixels * (pixels[..., 3:] > 0))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Letters as libvips draws them: their alpha, where it lies below the top of its line, and the line's height."""

    alpha: pyvips.Image
    ink: Rect
    line_px: int

    @property
    def above(self) -> int:
        """The rows that reach out of the line at its top."""
        return max(0, -self.ink.y)

    @property
    def rows(self) -> int:
        """The rows of the line and of what reaches out of it."""
        return self.above + max(self.line_px, self.ink.bottom)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """How large a line shall be: as `draw_line` has it."""

    height_px: int | None
    width_px: int | None
    longest: tuple[int, int]

    def scale(self, drawn: _Drawn) -> float:
        """Return the factor by which drawn letters come to the size that is wanted."""
        width, height = self.longest
        scale = min(width / drawn.ink.width, height / drawn.rows)
        if self.height_px is not None:
            scale = min(scale, self.height_px / drawn.line_px)
        if self.width_px is not None:
            scale = min(scale, self.width_px / drawn.ink.width)
        return scale


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


def _nothing(text: str) -> ArtworkError:
    return ArtworkError(
        f"nothing would be seen of the text {_shown(text)}", "Write letters, digits or signs, large enough to be seen."
    )


def _markup(text: str) -> str:
    """Return text of one line that Pango takes literally."""
    if len(text) > MAX_CHARACTERS:
        raise ArtworkError(
            f"the text {_shown(text)} has {len(text):,} characters; at most {MAX_CHARACTERS:,} are drawn", "Shorten it."
        )
    plain = (" " if unicodedata.category(character) in _SPACES else character for character in text)
    return html.escape("".join(plain), quote=False)


@functools.cache
def _load_font() -> None:
    """Let libvips know the program's font. It is told of a font file once, as it adds it anew each time."""
    if not os.access(_FONT, os.R_OK):
        raise ArtworkError(f"text cannot be drawn: the font {_FONT} cannot be read", "Install tilepress again.")
    configure_fonts()
    pyvips.Image.text("x", font=_FAMILY, fontfile=str(_FONT))


def _draw(text: str, line_px: int) -> _Drawn:
    """Return the text in a line of that height; raise ArtworkError if there is no ink in it."""
    words = _markup(text)
    _load_font()
    try:
        alpha = pyvips.Image.text(words, font=f"{_FAMILY} {line_px / _LINE_EM:.3f}", dpi=_DPI)
    except pyvips.Error as error:
        if _NO_INK in error.detail:
            raise _nothing(text) from None
        raise
    return _Drawn(alpha, Rect(int(alpha.xoffset), int(alpha.yoffset), alpha.width, alpha.height), line_px)


def _finest(measured: _Drawn, scale: float) -> int:
    """Return the height of the line to draw, of which the line is made that is wanted: it, measured, times `scale`."""
    width, height = measured.ink.width * scale, measured.rows * scale
    finer = min(_FINER, max(1.0, math.sqrt(_FINER_PX / (width * height))))
    finer = min(finer, math.sqrt(_MOST_PX / (width * height)), _MOST_SIDE_PX / max(width, height))
    return max(1, round(measured.line_px * scale * finer))


def _scaled(drawn: _Drawn, scale: float) -> NDArray[np.uint8]:
    """Return the alpha of the whole line, at its final size."""
    width, rows = drawn.ink.width, drawn.rows
    width_px, height_px = max(1, round(width * scale)), max(1, round(rows * scale))
    line = drawn.alpha.embed(0, drawn.ink.y + drawn.above, width, rows)
    line = line.resize(width_px / width, vscale=height_px / rows, kernel="linear")  # others would ring
    return np.frombuffer(line.write_to_memory(), np.uint8).reshape(height_px, width_px)


def _coloured(alpha: NDArray[np.uint8], colour: tuple[int, int, int]) -> Rgba:
    letters = np.zeros((*alpha.shape, BYTES_PER_PX), np.uint8)
    np.multiply(np.array(colour, np.uint8), (alpha > 0)[..., None], out=letters[..., :3])
    letters[..., 3] = alpha
    return letters


def _tight(pixels: Rgba) -> Rgba:
    """Cut the pixels to those that are not wholly transparent; all remain if there are none."""
    ink = pixels[..., 3] > 0
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return pixels
    return np.ascontiguousarray(pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
