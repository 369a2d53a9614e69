"""Plane projective maps: those of the eight equations, with the derivatives that small steps show."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.tiles.perspective import Quad, centres, corners_of, depth_inside, mapped, quads, solved
from tiles.homography import (
    UNIT,
    Grid,
    Jacobian,
    Matrix,
    apply,
    corner_planes,
    half_planes,
    image_of,
    jacobian_at,
    unit_to_quad,
)

FRAME = (400, 300)
SHARES = np.random.default_rng(0).random((20, 2))
STEP = 1e-5

any_quad = st.one_of(
    quads(2, 9, FRAME, flattest=0.3), quads(9, 400, FRAME, flattest=0.05, narrowest=0.1), quads(400, 10**5, FRAME)
)


def to_unit(quad: Quad) -> Matrix:
    return np.linalg.inv(unit_to_quad(quad)).astype(np.float64)


def extent(quad: Quad) -> float:
    return float(np.ptp(np.array(quad), axis=0).max())


@given(any_quad)
def test_the_corners_of_the_unit_square_land_on_the_corners(quad: Quad) -> None:
    assert np.abs(np.array(image_of(unit_to_quad(quad), UNIT)) - quad).max() <= 1e-9 * extent(quad)


@given(any_quad)
def test_all_between_lands_where_the_eight_equations_say(quad: Quad) -> None:
    expected = mapped(solved(corners_of(1, 1), quad), SHARES)
    assert np.abs(apply(unit_to_quad(quad), SHARES) - expected).max() <= 1e-6 * extent(quad)


@given(any_quad)
def test_a_parallelogram_keeps_its_depth(quad: Quad) -> None:
    (ax, ay), (bx, by), (cx, cy), _ = quad
    parallelogram = ((ax, ay), (bx, by), (cx, cy), (ax + cx - bx, ay + cy - by))
    assert np.abs(unit_to_quad(parallelogram)[2] - (0, 0, 1)).max() <= 1e-6


@given(any_quad)
def test_derivatives_are_what_small_steps_show(quad: Quad) -> None:
    matrix = unit_to_quad(quad)
    there = apply(matrix, SHARES)
    steps = [(apply(matrix, SHARES + step) - there) / STEP for step in ((STEP, 0), (0, STEP))]
    assert np.abs(jacobian_at(matrix, SHARES) - np.stack(steps, axis=-1)).max() <= 0.01 * extent(quad)


@given(quads(20, 300, FRAME), st.integers(0, 100), st.integers(0, 100))
def test_a_grid_is_the_map_at_the_centres_of_pixels_with_its_derivatives(quad: Quad, left: int, top: int) -> None:
    matrix = to_unit(quad)
    points = centres(60, 40) + np.array([left, top])
    in_sight = depth_inside(quad, points) >= 0
    grid = Grid(matrix, left, top, 60, 40)
    assert np.allclose(np.stack([grid.u, grid.v], axis=-1)[in_sight], apply(matrix, points[in_sight]), atol=1e-9)
    found, expected = grid.jacobian(), jacobian_at(matrix, points[in_sight])
    for part, row, column in ((found.u_x, 0, 0), (found.u_y, 0, 1), (found.v_x, 1, 0), (found.v_y, 1, 1)):
        assert np.allclose(
            part[in_sight], expected[:, row, column], rtol=1e-3, atol=1e-3 * np.abs(expected).max(initial=0)
        )


@settings(max_examples=60)
@given(quads(4, 100, (100, 75), flattest=0.05, narrowest=0.1))
def test_beyond_the_horizon_all_is_far_away_and_finite(quad: Quad) -> None:
    grid = Grid(to_unit(quad), 0, 0, 100, 75)
    assert np.isfinite(grid.jacobian().steepest()).all()
    outside = depth_inside(quad, centres(100, 75)) < -1e-6
    is_away = (np.minimum(grid.u, grid.v) < 0) | (np.maximum(grid.u, grid.v) > 1)
    assert is_away[outside].all()


@given(st.lists(st.floats(-100, 100, width=32), min_size=4, max_size=4))
def test_the_steepest_step_is_the_greatest_singular_value(parts: list[float]) -> None:
    jacobian = Jacobian(*(np.array([part], np.float32) for part in parts))
    expected = np.linalg.svd(np.array(parts).reshape(2, 2), compute_uv=False).max()
    assert math.isclose(jacobian.steepest()[0], expected, rel_tol=1e-5, abs_tol=1e-20)


@given(quads(4, 300, FRAME))
@example(quad=((90.0, 178.0), (2.0, 90.00000000000001), (89.99999999999999, 2.0), (178.0, 89.99999999999997)))
def test_half_planes_tell_the_distance_from_each_side(quad: Quad) -> None:
    points = centres(*FRAME)[::7, ::7].reshape(-1, 2)
    distances = np.column_stack([points, np.ones(len(points))]) @ half_planes(quad).T
    depth = depth_inside(quad, points)
    assert np.allclose(distances.min(axis=1)[depth >= 0], depth[depth >= 0])
    assert (distances.min(axis=1)[depth < -1e-9] < 0).all()


@given(quads(4, 300, FRAME, flattest=0.05, narrowest=0.1))
def test_acute_corners_have_a_line_through_them_beyond_which_nothing_of_the_area_lies(quad: Quad) -> None:
    planes, corners = corner_planes(quad), np.array(quad)
    assert np.allclose(np.hypot(planes[:, 0], planes[:, 1]), 1)
    distances = np.column_stack([corners, np.ones(4)]) @ planes.T  # from each line (columns), of each corner (rows)
    assert distances.min(initial=0) >= -1e-6
    acute = [index for index in range(4) if angle_at(quad, index) < math.pi / 2 - 1e-6]
    assert set(acute) <= {int(row) for row in np.abs(distances).argmin(axis=0)}


def angle_at(quad: Quad, index: int) -> float:
    (x, y), (bx, by), (ax, ay) = quad[index], quad[index - 1], quad[(index + 1) % 4]
    return abs((math.atan2(by - y, bx - x) - math.atan2(ay - y, ax - x) + math.pi) % (2 * math.pi) - math.pi)


@pytest.mark.parametrize("turn", range(0, 360, 15))
def test_a_rectangle_has_no_acute_corner(turn: int) -> None:
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    a, b, c, d = ((x * cos - y * sin, x * sin + y * cos) for x, y in corners_of(70, 30))
    assert len(corner_planes((a, b, c, d))) == 0
