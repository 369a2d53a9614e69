"""From a planned mock-up to its scene: sizes in pixels, the sizes its artwork is needed at, and where everything lies.

A mock-up smaller than its background is made small from the start: what is read is shrunk as it is read.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.mockups import MockupOutput
from config.templates import Align, Area, Caption, Watermark
from config.units import round_half_up
from pipeline.mockups.planning import Mockup, areas_with_artwork, size_of
from pipeline.mockups.templates import OpenTemplate
from tiles.design import Geometry
from tiles.fitting import Lie, Manner, lay, level_sizes, octave
from tiles.geometry import Corners
from tiles.scene import Colour, Lettering, Overlay, Picture, Print, Scene, Surface

_ALONG_X: Mapping[str, float] = {"left": 0.0, "right": 1.0}
_ALONG_Y: Mapping[str, float] = {"top": 0.0, "bottom": 1.0}


@dataclass(frozen=True, slots=True)
class Shown:
    """How artwork is shown on an area: where it lies, the sizes it is looked at in, and how it is prepared for them."""

    artwork: Picture
    lie: Lie
    sizes: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Staging:
    """A mock-up thought through: its size, how the artwork of each area is shown, and the watermark's picture."""

    mockup: Mockup
    width: int
    height: int
    shown: Mapping[str, Shown]
    mark: Picture | None

    @property
    def widest_px(self) -> int:
        """The width of the widest area, from its left end to its right."""
        scale = self.width / self.mockup.template.background.header.width_px
        areas = ([x for x, _ in area.quad] for area in self.mockup.template.template.areas)
        return math.ceil(max(max(across) - min(across) for across in areas) * scale)

    def prepared(self) -> list[Picture]:
        """Return what must be prepared in the store."""
        pictures = [shown.artwork for shown in self.shown.values()]
        return pictures if self.mark is None else [*pictures, self.mark]


def stage(mockup: Mockup, output: MockupOutput) -> Staging:
    """Return how a mock-up is to be made."""
    header = mockup.template.background.header
    size = size_of(mockup.template, output)
    shown: dict[str, Shown] = {}
    for area in areas_with_artwork(mockup.template):
        design = mockup.artwork[area.name]
        pixels, is_vector = (design.header.width_px, design.header.height_px), design.header.is_vector
        manner = Manner(area.fit, _align(area.align), area.inset, area.rotate)
        lie = lay(_scaled(area.quad, (header.width_px, header.height_px), size), area.ratio, pixels, manner)
        sizes = level_sizes(lie, pixels, is_vector=is_vector)
        geometry = Geometry(*octave(pixels, sizes[0], is_vector=is_vector), premultiplied=True)
        shown[area.name] = Shown(Picture(mockup.references[area.name], design, geometry), lie, sizes)
    return Staging(mockup, *size, shown, _mark(mockup.template, size))


def _mark(template: OpenTemplate, size: tuple[int, int]) -> Picture | None:
    """Return the watermark's picture, if it has one: as wide as is said, never higher than the mock-up."""
    mark, watermark = template.watermark_picture, template.watermark
    if mark is None or watermark is None:
        return None
    width, height = mark.header.width_px, mark.header.height_px
    scale = min(watermark.size * size[0] / width, size[1] / height)
    return Picture(template.watermark_file, mark, Geometry(_pixels(width * scale), _pixels(height * scale)))


def compose(staging: Staging, output: MockupOutput) -> Scene:
    """Return the scene of a mock-up."""
    template = staging.mockup.template
    keeps_alpha = output.format != "jpg" and template.background.header.has_alpha
    return Scene(
        background=_picture(staging, template.template.background),
        surfaces=tuple(_surface(area, staging) for area in template.template.areas),
        overlays=tuple(_overlays(staging)),
        ground=None if keeps_alpha else _colour(output.ground),
    )


def _surface(area: Area, staging: Staging) -> Surface:
    header = staging.mockup.template.background.header
    shown = staging.shown.get(area.name)
    printed = None
    if shown is not None:
        to_picture = tuple(shown.lie.to_picture.ravel().tolist())
        printed = Print(shown.artwork, shown.sizes, to_picture, shown.lie.clip, area.blend, area.opacity)
    return Surface(
        corners=_scaled(area.quad, (header.width_px, header.height_px), (staging.width, staging.height)),
        print=printed,
        mask=_picture(staging, area.mask) if area.mask is not None else None,
        shade=_picture(staging, area.shade) if area.shade is not None else None,
        tint=_colour(area.tint) if area.tint is not None else None,
    )


def _overlays(staging: Staging) -> Iterator[Overlay]:
    template = staging.mockup.template
    if template.watermark is not None:
        yield _watermark(template.watermark, staging)
    if template.caption is not None:
        text = template.caption.line(staging.mockup.design, template.name)
        yield _caption(template.caption, text, staging)


def _watermark(said: Watermark, staging: Staging) -> Overlay:
    content: Lettering | Picture
    if staging.mark is not None:
        content = staging.mark
    else:
        content = Lettering(said.text or "", _colour(said.colour), _pixels(said.size * staging.width), "width")
    margin = round_half_up(said.margin * staging.width)
    return Overlay(content, said.opacity, said.angle, _align(said.align), margin, said.tile)


def _caption(said: Caption, text: str, staging: Staging) -> Overlay:
    ground = _colour(said.ground) if said.ground is not None else None
    line = Lettering(text, _colour(said.colour), _pixels(said.size * staging.height), "height", ground)
    return Overlay(line, align=_align(said.align), margin_px=round_half_up(said.margin * staging.width))


def _picture(staging: Staging, name: str) -> Picture:
    template = staging.mockup.template
    return Picture(template.files[name], template.pictures[name], Geometry(staging.width, staging.height))


def _scaled(corners: Corners, size: tuple[int, int], to: tuple[int, int]) -> Corners:
    """Return corners in pixels of the background as pixels of the mock-up."""
    across, down = to[0] / size[0], to[1] / size[1]
    (a, b, c, d) = ((x * across, y * down) for x, y in corners)
    return a, b, c, d


def _align(said: Align) -> tuple[float, float]:
    """Return where along x and y something lies, from 0 to 1."""
    words = said.split("-")
    x = next((_ALONG_X[word] for word in words if word in _ALONG_X), 0.5)
    y = next((_ALONG_Y[word] for word in words if word in _ALONG_Y), 0.5)
    return x, y


def _colour(text: str) -> Colour:
    """Return a colour written as #RRGGBB."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _pixels(length: float) -> int:
    return max(1, round_half_up(length))
