"""Cards on a desk, seen from above: three lie there, turned each its own way, one leans on a mug."""

import math
from pathlib import Path

import numpy as np

from bench.products.camera import Camera
from bench.products.develop import display, save_gray, save_photograph, smoothed
from bench.products.light import expose
from bench.products.props import MUG_RADIUS, coffee, mug, pencil, turned
from bench.products.scene import Scene, Thing, softbox
from bench.products.shapes import Box, Plane, Vectors
from bench.products.template import corners, write_template
from bench.products.texture import wood

_THICK = 0.11
_PAPER = (0.80, 0.795, 0.775)
_MUG = (13.1, 7.0)
_TILT, _TURN = 35.0, -32.0  # degrees: of the card that leans on it
_LEANING = (7.6, 10.0)
# middle, size, and how far each is turned counter-clockwise
_LYING = (((-10.3, 4.9), (9.8, 6.4), 14), ((-6.2, -4.9), (9.8, 6.4), -9), ((0.2, 5.6), (7.4, 7.4), 7))

_TEMPLATE = """\
# Four cards on a desk. Three lie flat: rectangles, turned counter-clockwise. The fourth leans on the mug, and is told
# by its corners. All show the same artwork; with `design:`, an area would show one side of it.
version: 1
background: cards.jpg

areas:
  - name: left
    box: $left
    inset: 0.08                   # of the shorter side, free at each edge
    shade: cards-shade.jpg        # multiplied onto the artwork: one picture for all areas
  - name: middle
    box: $middle
    inset: 0.08
    shade: cards-shade.jpg
  - name: square
    box: $square
    inset: 0.08
    shade: cards-shade.jpg
  - name: leaning
    corners: $leaning
    aspect: $aspect
    inset: 0.08
    shade: cards-shade.jpg
"""


def make(folder: Path, scale: float, samples: int) -> None:
    """Render the photograph and its shade, and write the template."""
    cards = [*_lying(), _leaning()]
    shot = expose(_scene(cards), _camera(scale), samples)
    save_photograph(shot.radiance, folder / "cards.jpg")
    light = smoothed(display(shot.light * np.array(_PAPER, np.float32) * np.float32(1.03)), 1.2 * scale)
    on_cards = shot.cover[..., : len(cards)].sum(axis=-1) > 0
    save_gray(np.where(on_cards, light, 1), folder / "cards-shade.jpg")
    describe(folder, scale)


def describe(folder: Path, scale: float) -> None:
    """Write the template."""
    camera, leaning = _camera(scale), _leaning()
    turns = [turn for _, _, turn in _LYING]
    left, middle, square = (_box(camera, card, turn) for card, turn in zip(_lying(), turns, strict=True))
    edges = [camera.see(leaning.point(right, up, 1)) for right, up in ((-1, 1), (1, 1), (1, -1), (-1, -1))]
    path, aspect = folder / "cards.yaml", _LEANING[0] / _LEANING[1]
    places = {"left": left, "middle": middle, "square": square, "leaning": corners(edges)}
    write_template(path, _TEMPLATE, **places, aspect=f"{aspect:.2f}")


def _camera(scale: float) -> Camera:
    return Camera((0, 0, 58), (0, 0, 0), round(1800 * scale), round(1240 * scale), focal_mm=61, above=(0, 1, 0))


def _lying() -> list[Box]:
    return [Box((*middle, _THICK / 2), (*size, _THICK), turned(turn)) for middle, size, turn in _LYING]


def _leaning() -> Box:
    """Return a card that stands on the desk, its upper edge against the mug."""
    across, ahead, _ = turned(_TURN)
    flat, steep = math.cos(math.radians(_TILT)), math.sin(math.radians(_TILT))
    up, out = (ahead[0] * flat, ahead[1] * flat, steep), (-ahead[0] * steep, -ahead[1] * steep, flat)
    away = MUG_RADIUS + _LEANING[1] / 2 * flat + 0.1
    centre = (_MUG[0] - ahead[0] * away, _MUG[1] - ahead[1] * away, _LEANING[1] / 2 * steep + _THICK)
    return Box(centre, (*_LEANING, _THICK), (across, up, out))


def _box(camera: Camera, card: Box, turn: float) -> str:
    """Return a card that lies flat as a template's box."""
    x, y = camera.see(card.point(0, 0, 1))
    left, right = camera.see(card.point(-1, 0, 1)), camera.see(card.point(1, 0, 1))
    width = math.dist(left, right)
    height = width * card.size[1] / card.size[0]
    place = f"x: {x - width / 2:.1f}, y: {y - height / 2:.1f}"
    return f"{{{place}, width: {width:.1f}, height: {height:.1f}, rotation: {turn}}}"


def _scene(cards: list[Box]) -> Scene:
    planks = wood((0.40, 0.22, 0.11), (0.135, 0.06, 0.026), seed=21)

    def desk(points: Vectors) -> Vectors:
        x, y = points[0], points[1]
        return planks.at(x * 0.995 + y * 0.1 + 35, y * 0.995 - x * 0.1 + 42)

    things = [
        *(Thing(card, _PAPER) for card in cards),
        Thing(Plane((0, 0, 0), (0, 0, 1)), desk),
        mug(*_MUG, 40),
        coffee(*_MUG),
        pencil(9.2, -8.8, 171),
    ]
    window = softbox((-46, 36, 36), (0, 0, 0), 24, 24, (28.0, 26.2, 23.4))
    room = softbox((50, 0, 40), (0, 0, 0), 30, 40, (0.7, 0.8, 0.95))
    return Scene(things, [window, room], above=(0.38, 0.40, 0.43), below=(0.2, 0.2, 0.2))
