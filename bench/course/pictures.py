"""The raster pictures of the course: artwork and photographs of the embedded example, in the sizes that it needs."""

from dataclasses import dataclass
from functools import cache
from io import BytesIO

from PIL import Image

from bench.course.look import EXAMPLES

_QUALITY = 82
# Of designs that stand on several pages: at the size that they are printed largest, more than 150 DPI.
_WIDTHS_PX = {"cactus": 190, "planet": 290, "rocket": 190, "sunset": 300, "whale": 310}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as the bytes of its file, and its size in pixels."""

    data: bytes
    width: int
    height: int

    @property
    def aspect(self) -> float:
        """Height ÷ width."""
        return self.height / self.width


@cache
def artwork(name: str) -> Picture:
    """Return a design cut to what is not empty, in the one size that all pages share: a PNG with its transparency."""
    return _encoded(_cut(name, _WIDTHS_PX[name]), "PNG")


@cache
def on_white(name: str, width_px: int) -> Picture:
    """Return a design on white, so many pixels wide: a JPEG."""
    design = _cut(name, width_px)
    paper = Image.new("RGB", design.size, "white")
    paper.paste(design, mask=design.getchannel("A"))
    return _encoded(paper, "JPEG")


@cache
def photograph(name: str, box: tuple[int, int, int, int], width_px: int) -> Picture:
    """Return what lies in a box (left, top, right, bottom) of a photograph, so many pixels wide: a JPEG."""
    with Image.open(EXAMPLES / "templates" / f"{name}.jpg") as picture:
        cut = picture.crop(box)
    return _encoded(_sized(cut, width_px), "JPEG")


def _cut(name: str, width_px: int) -> Image.Image:
    with Image.open(EXAMPLES / "designs" / f"{name}.png") as picture:
        return _sized(picture.crop(picture.getchannel("A").getbbox()), width_px)


def _sized(picture: Image.Image, width_px: int) -> Image.Image:
    return picture.resize((width_px, round(width_px * picture.height / picture.width)), Image.Resampling.LANCZOS)


def _encoded(picture: Image.Image, encoding: str) -> Picture:
    encoded = BytesIO()
    picture.save(encoded, encoding, quality=_QUALITY, optimize=True)
    return Picture(encoded.getvalue(), *picture.size)
