"""From a planned mock-up to its scene: sizes in pixels, the sizes its artwork is needed at, and where everything lies.

A mock-up smaller than its background is made small from the start: what is read is shrunk as it is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config.mockups import MockupOutput
from config.templates import Align, Area, Caption, Watermark
from config.units import round_half_up
from pipeline.mockups.planning import Mockup, areas_with_artwork, size_of
from tiles.design import Design, Geometry, PreparedDesign
from tiles.fitting import Lie, Manner, lay, level_sizes
from tiles.homography import Corners
from tiles.scene import Colour, Lettering, Overlay, Picture, Print, Scene, Surface

Needed = tuple[str, Geometry]  # SHA-256 of a design, and how it is to be prepared

_ALONG_X: Mapping[str, float] = {"left": 0.0, "right": 1.0}
_ALONG_Y: Mapping[str, float] = {"top": 0.0, "bottom": 1.0}


@dataclass(frozen=True, slots=True)
class Staging:
    """A mock-up thought through: its size, where artwork lies on each area, and what must be prepared for it."""

    mockup: Mockup
    width: int
    height: int
    lies: Mapping[str, Lie]
    levels: Mapping[str, tuple[Geometry, ...]]

    def work(self) -> dict[Needed, tuple[Design, Geometry]]:
        """Return every design that must be prepared, and how."""
        needed = [(self.mockup.artwork[area], geometry) for area, sizes in self.levels.items() for geometry in sizes]
        mark = self.mockup.template.watermark_picture
        if mark is not None:
            needed.append((mark, self.mark_geometry(mark)))
        return {(design.sha256, geometry): (design, geometry) for design, geometry in needed}

    def mark_geometry(self, mark: Design) -> Geometry:
        """Return the size of the watermark's picture: as wide as is said, never higher than the mock-up."""
        watermark = self.mockup.template.watermark
        assert watermark is not None
        scale = min(watermark.size * self.width / mark.header.width_px, self.height / mark.header.height_px)
        return Geometry(_pixels(mark.header.width_px * scale), _pixels(mark.header.height_px * scale))


def stage(mockup: Mockup, output: MockupOutput) -> Staging:
    """Return how a mock-up is to be made."""
    header = mockup.template.background.header
    size = size_of(mockup.template, output)
    lies, levels = {}, {}
    for area in areas_with_artwork(mockup.template):
        artwork = mockup.artwork[area.name].header
        pixels = (artwork.width_px, artwork.height_px)
        manner = Manner(area.fit, _align(area.align), area.inset, area.rotate)
        lie = lay(_scaled(area.quad, (header.width_px, header.height_px), size), area.ratio, pixels, manner)
        lies[area.name] = lie
        sizes = level_sizes(lie, pixels, is_vector=artwork.is_vector)
        levels[area.name] = tuple(Geometry(across, down, premultiplied=True) for across, down in sizes)
    return Staging(mockup, *size, lies, levels)


def compose(staging: Staging, prepared: Mapping[Needed, PreparedDesign], output: MockupOutput) -> Scene:
    """Return the scene of a mock-up whose designs are prepared."""
    mockup, template = staging.mockup, staging.mockup.template
    background = template.background
    keeps_alpha = output.format != "jpg" and background.header.has_alpha
    return Scene(
        background=_picture(staging, template.template.background),
        surfaces=tuple(_surface(area, staging, prepared) for area in template.template.areas),
        overlays=tuple(_overlays(staging, prepared, mockup.design)),
        ground=None if keeps_alpha else _colour(output.ground),
    )


def _surface(area: Area, staging: Staging, prepared: Mapping[Needed, PreparedDesign]) -> Surface:
    header = staging.mockup.template.background.header
    size = (staging.width, staging.height)
    lie = staging.lies.get(area.name)
    printed = None
    if lie is not None:
        design = staging.mockup.artwork[area.name]
        printed = Print(
            levels=tuple(prepared[design.sha256, geometry] for geometry in staging.levels[area.name]),
            to_picture=tuple(lie.to_picture.ravel().tolist()),
            clip=lie.clip,
            blend=area.blend,
            opacity=area.opacity,
        )
    return Surface(
        corners=_scaled(area.quad, (header.width_px, header.height_px), size),
        print=printed,
        mask=_picture(staging, area.mask) if area.mask is not None else None,
        shade=_picture(staging, area.shade) if area.shade is not None else None,
        tint=_colour(area.tint) if area.tint is not None else None,
    )


def _overlays(staging: Staging, prepared: Mapping[Needed, PreparedDesign], design: str) -> Sequence[Overlay]:
    template = staging.mockup.template
    overlays = []
    if template.watermark is not None:
        overlays.append(_watermark(template.watermark, staging, prepared))
    if template.caption is not None:
        text = template.caption.text.format(design=design, template=template.name)
        overlays.append(_caption(template.caption, text, staging))
    return overlays


def _watermark(said: Watermark, staging: Staging, prepared: Mapping[Needed, PreparedDesign]) -> Overlay:
    mark = staging.mockup.template.watermark_picture
    content: Lettering | PreparedDesign
    if mark is not None:
        content = prepared[mark.sha256, staging.mark_geometry(mark)]
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
