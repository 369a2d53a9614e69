"""A mock-up before it is rendered: which picture, which artwork where, and how they mix. Frozen values; no pixels.

All places are in pixels of the finished mock-up, whose size is the background's as it is read.
"""

from dataclasses import dataclass
from typing import Literal

from tiles.design import Design, Geometry
from tiles.geometry import Corners

Colour = tuple[int, int, int]  # red, green, blue; 0 to 255


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to be read at a size; `name` is what messages call it."""

    name: str
    design: Design
    geometry: Geometry


@dataclass(frozen=True, slots=True)
class Print:
    """Artwork on a surface. It is prepared premultiplied, and looked at in `sizes`: the largest first, then halves.

    `to_picture` is the map of its unit square onto the mock-up, row by row; what lies outside of `clip` is not seen.
    """

    artwork: Picture
    sizes: tuple[tuple[int, int], ...]
    to_picture: tuple[float, ...]
    clip: Corners
    blend: str
    opacity: float


@dataclass(frozen=True, slots=True)
class Surface:
    """An area of the mock-up. What `mask` is black at is left alone; `shade` is multiplied onto the artwork."""

    corners: Corners
    print: Print | None = None
    mask: Picture | None = None
    shade: Picture | None = None
    tint: Colour | None = None


@dataclass(frozen=True, slots=True)
class Lettering:
    """A line of text laid over the mock-up: see `Overlay`. `size_px` is its height, or its width."""

    text: str
    colour: Colour
    size_px: int
    sized_by: Literal["height", "width"]
    ground: Colour | None = None


@dataclass(frozen=True, slots=True)
class Overlay:
    """A text or picture over everything, turned by `angle` degrees counter-clockwise.

    It lies at `align` (x and y, from 0 to 1) within the mock-up less `margin_px`, or all over it if `tiled`.
    """

    content: Lettering | Picture
    opacity: float = 1.0
    angle: float = 0.0
    align: tuple[float, float] = (0.5, 0.5)
    margin_px: int = 0
    tiled: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole mock-up. `ground` is what shows through the background where it is transparent; None keeps it so."""

    background: Picture
    surfaces: tuple[Surface, ...]
    overlays: tuple[Overlay, ...] = ()
    ground: Colour | None = (255, 255, 255)

    @property
    def width(self) -> int:
        """The mock-up's width in pixels."""
        return self.background.geometry.width_px

    @property
    def height(self) -> int:
        """The mock-up's height in pixels."""
        return self.background.geometry.height_px

    @property
    def bands(self) -> int:
        """The channels of the mock-up: with alpha or without."""
        return 3 if self.ground is not None else 4


@dataclass(frozen=True, slots=True)
class PhotoFormat:
    """How a mock-up is written: `kind` is jpg, png or webp, `quality` 1 to 100, `chroma` "4:2:0" or "4:4:4"."""

    kind: str
    quality: int
    chroma: str
    dpi: int = 72
