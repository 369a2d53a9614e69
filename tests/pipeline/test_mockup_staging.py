"""From a planned mock-up to its scene: sizes and places in pixels of the finished picture, overlays in their order."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.templates import Caption, Watermark
from pipeline.mockups.planning import Mockup
from pipeline.mockups.staging import Staging, compose, stage
from pipeline.mockups.templates import OpenTemplate
from tests.pipeline.mockup_parts import AREA, only, output, picture, plan, single, template
from tiles.design import Design, Geometry
from tiles.scene import Lettering, Picture

CORNERS = [[10.0, 10.0], [110.0, 10.0], [110.0, 90.0], [10.0, 90.0]]


def planned(on: OpenTemplate, artwork: Design | None = None) -> Mockup:
    return only(plan([single("a")], [on], artwork={"a.png": artwork or picture("art", 100, 80)}))


def staged(on: OpenTemplate, artwork: Design | None = None, **keys: Any) -> Staging:
    return stage(planned(on, artwork), output(**keys))


def test_corners_masks_and_shades_are_scaled_with_the_mockup() -> None:
    on = template("mug", {**AREA, "mask": "m.png", "shade": "s.png"}, pictures=["m.png", "s.png"])
    scene = compose(staged(on, max_px=150), output(max_px=150))
    (surface,) = scene.surfaces
    assert (scene.width, scene.height) == (150, 100)
    assert surface.corners == tuple((x / 2, y / 2) for x, y in CORNERS)
    assert surface.mask == Picture("folder/mug/m.png", on.pictures["m.png"], Geometry(150, 100))
    assert surface.shade == Picture("folder/mug/s.png", on.pictures["s.png"], Geometry(150, 100))


def test_artwork_is_prepared_premultiplied_at_the_size_that_is_shown() -> None:
    (artwork,) = staged(template("mug")).prepared()
    assert artwork == Picture("a.png", picture("art", 100, 80), Geometry(100, 80, premultiplied=True))


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_artwork_is_never_enlarged_nor_prepared_beyond_twice_what_is_shown(width: int, height: int) -> None:
    staging = staged(template("mug"), picture("art", width, height))
    (shown,) = staging.shown.values()
    geometry = shown.artwork.geometry
    assert shown.sizes[0][0] <= geometry.width_px <= width
    assert shown.sizes[0][1] <= geometry.height_px <= height
    assert geometry.width_px <= 2 * shown.sizes[0][0] or geometry.height_px <= 2 * shown.sizes[0][1]


def test_an_area_without_artwork_is_tinted_only() -> None:
    staging = staged(template("mug", {**AREA, "design": "none", "tint": "#0080ff"}))
    (surface,) = compose(staging, output()).surfaces
    assert (surface.print, surface.tint) == (None, (0, 128, 255))
    assert staging.prepared() == []


def test_areas_keep_their_order_blend_and_opacity() -> None:
    areas = [{**AREA, "name": name, "blend": blend} for name, blend in (("b", "screen"), ("a", "multiply"))]
    prints = [surface.print for surface in compose(staged(template("mug", *areas)), output()).surfaces]
    assert [shown.blend for shown in prints if shown] == ["screen", "multiply"]


CAPTION = Caption.model_validate({"text": "{design} on {template}", "size": 0.1, "margin": 0.1, "align": "top-right"})
MARK = Watermark.model_validate({"image": "sign.png", "size": 0.5, "align": "left", "angle": 30, "opacity": 0.4})


def test_the_watermark_lies_below_the_caption() -> None:
    on = replace(template("mug"), caption=CAPTION, watermark=Watermark.model_validate({"text": "SAMPLE", "size": 0.2}))
    watermark, caption = compose(staged(on), output()).overlays
    assert watermark.content == Lettering("SAMPLE", (255, 255, 255), 60, "width")
    assert (watermark.align, watermark.margin_px, watermark.tiled) == ((0.5, 0.5), 9, False)
    assert caption.content == Lettering("a on mug", (0, 0, 0), 20, "height")
    assert (caption.align, caption.margin_px) == ((1.0, 0.0), 30)


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(40, 20, Geometry(150, 75)), (10, 100, Geometry(20, 200)), (1, 9000, Geometry(1, 200))],
)
def test_a_watermarks_picture_is_as_wide_as_is_said_and_never_higher_than_the_mockup(
    width: int, height: int, expected: Geometry
) -> None:
    sign = picture("sign", width, height)
    on = replace(template("mug"), watermark=MARK, watermark_picture=sign, watermark_file="sign.png")
    staging = staged(on)
    (overlay,) = compose(staging, output()).overlays
    assert overlay.content == Picture("sign.png", sign, expected)
    assert (overlay.angle, overlay.opacity, overlay.align) == (30.0, 0.4, (0.0, 0.5))
    assert staging.prepared()[-1] == overlay.content


@pytest.mark.parametrize(
    ("kind", "has_alpha", "ground"),
    [
        ("jpg", False, (1, 2, 3)),
        ("jpg", True, (1, 2, 3)),
        ("png", False, (1, 2, 3)),
        ("png", True, None),
        ("webp", True, None),
    ],
)
def test_transparency_is_kept_where_the_photograph_has_it_and_the_format_can(
    kind: str, has_alpha: bool, ground: object
) -> None:
    on = template("mug", background=picture("bg", bands=4, has_alpha=has_alpha))  # without, its bands are inks
    assert compose(staged(on, format=kind), output(format=kind, ground="#010203")).ground == ground
