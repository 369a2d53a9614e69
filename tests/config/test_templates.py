"""Templates of mock-ups: what their YAML may say, and how a mistake in it is told, with its line."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigurationError
from config.templates import (
    CORNER_NAMES,
    Area,
    Box,
    Corners,
    Point,
    Template,
    read_template,
    shape_problem,
    template_from_json,
)
from tests.tiles.perspective import Quad, quads

CORNERS = "    corners: [[0, 0], [100, 0], [100, 50], [0, 50]]\n"
AREA = "background: mug.jpg\nareas:\n  - name: front\n"
NEAR, FAR = "less than a pixel apart", "lies on a line with its neighbours; an area has four corners"

convex = quads(30, 2000, (1000, 800))
starts = st.integers(0, 3)
inner_shares = st.tuples(*[st.floats(0.1, 1)] * 3)


def rolled(quad: Sequence[Point], start: int) -> list[Point]:
    return [*quad[start:], *quad[:start]]


def numbered(index: int) -> str:
    return f"{index + 1} ({CORNER_NAMES[index]})"


# -- the shape of an area --------------------------------------------------------------------------


@given(convex, starts)
def test_a_convex_clockwise_area_is_accepted_wherever_it_begins(quad: Quad, start: int) -> None:
    assert shape_problem(rolled(quad, start)) == ""


@given(convex, starts)
def test_a_counter_clockwise_area_is_told_to_be_one(quad: Quad, start: int) -> None:
    assert shape_problem(rolled(quad[::-1], start)) == (
        "the corners run counter-clockwise; begin at the top left and go clockwise"
    )


@given(convex, starts)
def test_two_neighbours_that_are_swapped_make_the_sides_cross(quad: Quad, start: int) -> None:
    corners = rolled(quad, start)
    corners[0], corners[1] = corners[1], corners[0]
    assert shape_problem(corners) == "the sides cross each other; name the corners clockwise from the top left"


@given(convex, starts, inner_shares, st.booleans())
def test_a_corner_that_points_inwards_is_named(
    quad: Quad, index: int, shares: tuple[float, float, float], is_reversed: bool
) -> None:
    corners = list(quad[::-1] if is_reversed else quad)
    others = [corners[(index + step) % 4] for step in (1, 2, 3)]
    x, y = (sum(share * point[axis] for share, point in zip(shares, others, strict=True)) for axis in (0, 1))
    corners[index] = (x / sum(shares), y / sum(shares))
    assert shape_problem(corners) == (
        f"corner {numbered(index)} points inwards: the area must be convex; move it out, or use two areas"
    )


@given(convex, starts, st.floats(0.3, 0.7))
def test_a_corner_between_its_neighbours_is_named(quad: Quad, index: int, share: float) -> None:
    corners: list[Point] = list(quad)
    (ax, ay), (bx, by) = corners[index - 1], corners[(index + 1) % 4]
    corners[index] = (ax + share * (bx - ax), ay + share * (by - ay))
    assert shape_problem(corners) == f"corner {numbered(index)} {FAR}"


@given(convex, starts, st.floats(0, 0.7), st.floats(0, 0.7))
def test_corners_that_are_no_pixel_apart_are_named(quad: Quad, index: int, right: float, down: float) -> None:
    corners: list[Point] = list(quad)
    x, y = corners[index - 1]
    corners[index] = (x + right, y + down)
    assert shape_problem(corners) == f"corners {numbered((index - 1) % 4)} and {numbered(index)} are {NEAR}"


@pytest.mark.parametrize(
    "corners",
    [
        [(5, 5)] * 4,
        [(0, 0), (10, 0), (0, 0), (10, 0)],
        [(0, 0), (10, 0), (20, 0), (30, 0)],
        [(0, 0), (30, 0), (10, 0), (20, 0)],
        [(0, 0), (10, 0), (10, 0), (0, 10)],
    ],
)
def test_what_is_no_area_at_all_is_refused(corners: list[Point]) -> None:
    assert shape_problem(corners) != ""


# -- boxes and proportions -------------------------------------------------------------------------

lengths = st.floats(1.001, 5000)
boxes = st.builds(
    lambda x, y, width, height, turn: Box(x=x, y=y, width=width, height=height, rotation=turn),
    st.floats(0, 5000),
    st.floats(0, 5000),
    lengths,
    lengths,
    st.floats(-360, 360),
)


def is_close(one: Corners, other: Sequence[Point]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(math.dist(here, there) <= 1e-6 for here, there in pairs)


@given(boxes)
def test_a_box_keeps_its_centre_its_sides_and_its_sense(box: Box) -> None:
    a, b, c, d = box.corners
    for one, other in ((a, c), (b, d)):
        middle = (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
        assert math.dist(middle, (box.x + box.width / 2, box.y + box.height / 2)) <= 1e-6
    assert [math.isclose(math.dist(*side), box.width) for side in ((a, b), (d, c))] == [True, True]
    assert [math.isclose(math.dist(*side), box.height) for side in ((b, c), (a, d))] == [True, True]
    assert shape_problem(box.corners) == ""


@given(boxes)
def test_a_box_is_turned_counter_clockwise(box: Box) -> None:
    a, b, _, _ = box.corners
    turn = math.degrees(math.atan2(a[1] - b[1], b[0] - a[0]))  # as y runs downwards
    assert abs((turn - box.rotation + 180) % 360 - 180) <= 1e-6


@pytest.mark.parametrize(
    ("rotation", "expected"),
    [
        (0, [(10, 20), (40, 20), (40, 30), (10, 30)]),
        (90, [(20, 40), (20, 10), (30, 10), (30, 40)]),
        (-90, [(30, 10), (30, 40), (20, 40), (20, 10)]),
        (180, [(40, 30), (10, 30), (10, 20), (40, 20)]),
    ],
)
def test_the_corners_of_a_box_begin_at_what_was_the_top_left(rotation: float, expected: list[Point]) -> None:
    assert is_close(Box(x=10, y=20, width=30, height=10, rotation=rotation).corners, expected)


@given(boxes)
def test_the_proportions_of_an_area_are_those_of_its_box(box: Box) -> None:
    area = Area(name="a", box=box)
    assert area.quad == box.corners
    assert math.isclose(area.ratio, box.width / box.height, rel_tol=1e-6)


def test_the_proportions_of_a_slanted_area_are_those_of_its_mean_sides_unless_they_are_given() -> None:
    corners: Corners = ((0.0, 0.0), (80.0, 30.0), (80.0, 90.0), (0.0, 120.0))
    a, b, c, d = corners
    expected = (math.dist(a, b) + math.dist(d, c)) / (math.dist(a, d) + math.dist(b, c))
    assert Area(name="a", corners=corners).ratio == expected
    assert Area(name="a", corners=corners, aspect=1.75).ratio == 1.75


# -- files -----------------------------------------------------------------------------------------


def read(text: str, folder: Path) -> Template:
    (folder / "mug.yaml").write_text(text, encoding="utf-8")
    return read_template(folder / "mug.yaml", folder).template


def complaint(text: str, folder: Path) -> list[str]:
    """Return the lines of the message that a template is refused with, without the file's folder."""
    with pytest.raises(ConfigurationError) as refusal:
        read(text, folder)
    return refusal.value.message.replace(f"{folder}/", "").splitlines()


def test_all_that_a_template_may_say_is_read(tmp_path: Path) -> None:
    template = read(
        """\
version: 1
background: photos/mug.jpg
areas:
  - name: front
    corners: [[10, 20], [110.5, 25], [105, 90], [12, 80]]
    aspect: 1.5
    design: front
    fit: cover
    align: top-left
    inset: 0.1
    rotate: -15
    blend: multiply
    opacity: 0.9
    mask: masks/front.png
    shade: shades/front.png
    tint: "#fF8000"
  - name: back
    box: {x: 1, y: 2.5, width: 30, height: 40, rotation: 45}
watermark: {image: logo.png, opacity: 0.3, size: 0.5, angle: 30, tile: yes}
caption: {text: "{design} on {template}", colour: "#102030", ground: "#ffffff"}
""",
        tmp_path,
    )
    front, back = template.areas
    assert list(front.quad) == [(10, 20), (110.5, 25), (105, 90), (12, 80)]
    assert [front.fit, front.align, front.blend, front.tint] == ["cover", "top-left", "multiply", "#fF8000"]
    assert back.box == Box(x=1, y=2.5, width=30, height=40, rotation=45)
    assert [back.fit, back.align, back.blend, back.opacity] == ["contain", "center", "over", 1.0]
    assert template.watermark is not None
    assert template.watermark.tile
    assert template.caption is not None
    assert template.caption.align == "bottom"


def test_the_pictures_a_template_names_are_told_with_their_keys(tmp_path: Path) -> None:
    folder = tmp_path / "cups"
    folder.mkdir()
    text = f"{AREA}{CORNERS}    mask: m.png\n  - name: b\n{CORNERS}    shade: s.png\nwatermark: {{image: w.png}}\n"
    (folder / "cup.yaml").write_text(text)
    written = read_template(folder / "cup.yaml", tmp_path)
    assert (written.name, written.folder) == ("cup", "cups")
    assert list(written.pictures()) == [
        (("background",), "mug.jpg"),
        (("areas", 0, "mask"), "m.png"),
        (("areas", 1, "shade"), "s.png"),
        (("watermark", "image"), "w.png"),
    ]
    problem = written.problem(("areas", 1, "shade"), "is not there")
    assert str(problem) == f"{folder}/cup.yaml:8: areas[1].shade: is not there"


BLENDS = "'over', 'multiply', 'screen', 'overlay', 'soft-light' or 'hard-light'"
FOUR = "must be four corners, [[x, y], [x, y], [x, y], [x, y]], clockwise from the top left"
PAIR = "must be a pair of numbers, [x, y]"
MISTAKES = {
    "an unknown blend": (f"{AREA}{CORNERS}    blend: darken\n", f"mug.yaml:5: areas[0].blend: must be {BLENDS}"),
    "an unknown fit": (
        f"{AREA}{CORNERS}    fit: fill\n",
        "mug.yaml:5: areas[0].fit: must be 'contain', 'cover' or 'stretch'",
    ),
    "a slip in a key": (
        f"{AREA}{CORNERS}    blnd: over\n",
        "mug.yaml:5: areas[0].blnd: unknown key; did you mean blend?",
    ),
    "corners as text": (
        f'{AREA}    corners: [[0, 0], [100, "0"], [100, 50], [0, 50]]\n',
        "mug.yaml:4: areas[0].corners: corner 2 (top right) is written as text; write its numbers without quotes",
    ),
    "three corners": (
        f"{AREA}    corners: [[0, 0], [100, 0], [100, 50]]\n",
        f"mug.yaml:4: areas[0].corners: {FOUR}; there are 3",
    ),
    "no corners": (f"{AREA}    corners: all of it\n", f"mug.yaml:4: areas[0].corners: {FOUR}"),
    "a corner in space": (
        f"{AREA}    corners: [[0, 0], [100, 0], [100, 50, 1], [0, 50]]\n",
        f"mug.yaml:4: areas[0].corners: corner 3 (bottom right) {PAIR}",
    ),
    "a corner that is true": (
        f"{AREA}    corners: [[0, 0], [100, 0], [100, 50], [yes, 50]]\n",
        f"mug.yaml:4: areas[0].corners: corner 4 (bottom left) {PAIR}",
    ),
    "a corner at infinity": (
        f"{AREA}    corners: [[-.inf, 0], [100, 0], [100, 50], [0, 50]]\n",
        "mug.yaml:4: areas[0].corners: corner 1 (top left) must be finite",
    ),
    "corners the wrong way round": (
        f"{AREA}    corners: [[0, 0], [0, 50], [100, 50], [100, 0]]\n",
        "mug.yaml:4: areas[0].corners: the corners run counter-clockwise; begin at the top left and go clockwise",
    ),
    "corners and a box": (
        f"{AREA}{CORNERS}    box: {{x: 1, y: 2, width: 3, height: 4}}\n",
        "mug.yaml:3: areas[0]: give corners or box, one of them",
    ),
    "neither corners nor a box": (AREA, "mug.yaml:3: areas[0]: give corners or box, one of them"),
    "an empty box": (
        f"{AREA}    box: {{x: 1, y: 2, width: 0, height: 4}}\n",
        "mug.yaml:4: areas[0].box.width: must be at least 1",
    ),
    "no areas": ("background: mug.jpg\nareas: []\n", "mug.yaml:2: areas: must be a list with at least one entry"),
    "areas left out": ("background: mug.jpg\n", "mug.yaml:1: areas: missing; add this key"),
    "no background": (f"areas:\n  - name: front\n{CORNERS}", "mug.yaml:1: background: missing; add this key"),
    "two areas of a name": (
        f"{AREA}{CORNERS}  - name: front\n{CORNERS}",
        "mug.yaml:2: areas: areas[0] and areas[1] have the same name; rename one of them",
    ),
    "a variable": (
        f"background: ${{HOME}}/mug.jpg\nareas:\n  - name: front\n{CORNERS}",
        "mug.yaml:1: background: variables are not read here; write the value itself",
    ),
    "a colour by name": (
        f"{AREA}{CORNERS}    tint: red\n",
        'mug.yaml:5: areas[0].tint: must be a colour as "#RRGGBB", in quotes: # begins a comment elsewhere',
    ),
    "stretched and slanted": (
        f"{AREA}{CORNERS}    fit: stretch\n    rotate: 45\n",
        "mug.yaml:3: areas[0]: fit: stretch goes with rotate: 0, 90, 180 or 270 only",
    ),
    "nothing to show": (
        f"{AREA}{CORNERS}    design: none\n",
        "mug.yaml:3: areas[0]: design: none is for areas with a tint; this one would show nothing",
    ),
    "two watermarks in one": (
        f"{AREA}{CORNERS}watermark: {{text: a, image: b.png}}\n",
        "mug.yaml:5: watermark: give text or image, one of them",
    ),
    "an unknown field": (
        f'{AREA}{CORNERS}caption: {{text: "{{name}}"}}\n',
        "mug.yaml:5: caption.text: of braces, only {design} and {template} may stand in it",
    ),
    "a later version": (f"version: 2\n{AREA}{CORNERS}", "mug.yaml:1: version: must be 1"),
    "a list": ("- background: mug.jpg\n", "mug.yaml:1: a template is a mapping of keys"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_line_and_key(mistake: str, tmp_path: Path) -> None:
    text, expected = MISTAKES[mistake]
    assert complaint(text, tmp_path) == [expected]


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    text = f"{AREA}{CORNERS}    opacity: 1.5\n    inset: 0.5\n    rotate: 400\ncaption: {{text: a, size: 0.9}}\n"
    assert complaint(text, tmp_path) == [
        "mug.yaml:5: areas[0].opacity: must be at most 1",
        "mug.yaml:6: areas[0].inset: must be at most 0.49",
        "mug.yaml:7: areas[0].rotate: must be at most 360",
        "mug.yaml:8: caption.size: must be at most 0.5",
    ]


@pytest.mark.parametrize("corner", ["[0, 0]", "[0.3, 0.3]"])
def test_an_area_without_extent_is_told_as_any_other_mistake(corner: str, tmp_path: Path) -> None:
    text = f"{AREA}    corners: [[0, 0], {corner}, [100, 50], [0, 50]]\n"
    assert complaint(text, tmp_path) == [
        f"mug.yaml:4: areas[0].corners: corners 1 (top left) and 2 (top right) are {NEAR}"
    ]


# -- the database ----------------------------------------------------------------------------------


def from_json(corners: Any) -> Template:
    data = {"background": "mug.jpg", "areas": [{"name": "front", "corners": corners}]}
    return template_from_json("mug", data, "template mug").template


def test_a_template_is_the_same_from_json(tmp_path: Path) -> None:
    assert from_json([[0, 0], [100, 0], [100, 50], [0, 50]]) == read(AREA + CORNERS, tmp_path)


@pytest.mark.parametrize(
    ("corners", "why"),
    [
        ([[0, 0], [0, 50], [100, 50], [100, 0]], "the corners run counter-clockwise; begin at the top left and go"),
        ([[0, 0], [0, 0], [100, 50], [0, 50]], "corners 1 (top left) and 2 (top right) are less than a pixel apart"),
        ([[0, 0], [10**400, 0], [100, 50], [0, 50]], "corner 2 (top right) must be finite"),
        ({"x": 1}, FOUR),
    ],
)
def test_a_mistake_in_json_is_told_with_its_key(corners: Any, why: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        from_json(corners)
    assert refusal.value.message.startswith(f"template mug: areas[0].corners: {why}")


@pytest.mark.parametrize("key", ["areas[0].tint", "caption.ground"])
def test_a_colour_without_quotes_is_no_colour_that_was_left_out(tmp_path: Path, key: str) -> None:
    area = "  - {name: a, box: {x: 0, y: 0, width: 9, height: 9}}\n"
    tinted = "  - name: a\n    box: {x: 0, y: 0, width: 9, height: 9}\n    tint: #ff8000\n"
    text = f"areas:\n{tinted}" if "tint" in key else f"areas:\n{area}caption:\n  text: x\n  ground: #ff8000\n"
    (tmp_path / "mug.yaml").write_text(f"background: mug.jpg\n{text}")
    with pytest.raises(ConfigurationError, match=r'must be a colour as "#RRGGBB", in quotes') as refusal:
        read_template(tmp_path / "mug.yaml", tmp_path)
    assert key in str(refusal.value)


def test_json_nested_without_end_is_no_template() -> None:
    data: dict[str, Any] = {}
    for _ in range(5000):
        data = {"areas": data}
    with pytest.raises(ConfigurationError, match="db: nested too deep"):
        template_from_json("mug", data, "db")
