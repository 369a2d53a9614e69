"""Where artwork goes on each photograph: a quadrilateral about half as wide as it is, each of another shape."""

from random import Random

PHOTOGRAPHS = 10
PHOTOGRAPH_PX, ARTWORK_PX = 3000, 3600

_MIDDLE = (0.44, 0.56)  # shares of the photograph's side: where an area's middle lies,
_HALF_WIDTH = (0.23, 0.27)  # how far its sides are from there,
_HALF_HEIGHT = (0.20, 0.32)
_ASTRAY = 0.055  # and each corner at most from where a rectangle's would be: always convex

Corners = tuple[tuple[float, float], ...]


def corners(number: int, side_px: int) -> Corners:
    """Return the corners on a photograph `side_px` wide and high, clockwise from the top left; the same every time."""
    rng = Random(number)
    middle_x, middle_y = rng.uniform(*_MIDDLE), rng.uniform(*_MIDDLE)
    across, down = rng.uniform(*_HALF_WIDTH), rng.uniform(*_HALF_HEIGHT)
    return tuple(
        (
            round(side_px * (middle_x + right * across + rng.uniform(-_ASTRAY, _ASTRAY)), 1),
            round(side_px * (middle_y + low * down + rng.uniform(-_ASTRAY, _ASTRAY)), 1),
        )
        for right, low in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    )
