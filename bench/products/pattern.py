"""The pattern of a T-shirt: its outlines, and the relief of its collar, seams and stitches. Lengths are centimetres.

Places are told as if the shirt lay smooth: x from its middle, y down from the corners of its neck.
"""

import numpy as np

from bench.products.curves import away, curve, joined, mirrored
from bench.products.texture import Field

_SHOULDER = curve((9.2, 0), (17, 2.2), (24.5, 5.2))
_ARM = curve((24.5, 5.2), (32, 10.5), (39.0, 17.6))
_CUFF = curve((39.0, 17.6), (35, 21.9), (30.6, 25.8))
_UNDERARM = curve((30.6, 25.8), (28, 22.6), (25.8, 21.0))
_SIDE = curve((25.8, 21.0), (25.3, 24.5), (25.2, 45), (25.9, 70.2))
_HEM = curve((25.9, 70.2), (14, 71.2), (0, 71.5), (-14, 71.2), (-25.9, 70.2))
_ARMHOLE = curve((24.5, 5.2), (22.7, 12.5), (25.8, 21.0))
_NECK = curve((-9.2, 0), (-8.1, 3.9), (-4.9, 7.5), (0, 8.9), (4.9, 7.5), (8.1, 3.9), (9.2, 0))
_NAPE = curve((-9.2, 0), (-5, 1.4), (0, 1.9), (5, 1.4), (9.2, 0))
_RIGHT = np.vstack((_SHOULDER, _ARM, _CUFF, _UNDERARM, _SIDE))
FRONT = joined(_RIGHT, _HEM, mirrored(_RIGHT), _NECK)
WHOLE = joined(_RIGHT, _HEM, mirrored(_RIGHT), _NAPE)
_COLLAR, _SEAM = 2.0, 2.3  # how wide the collar and the seams are
_PITCH = 0.32  # of ribs and stitches


def edge(depth: Field, thickness: float) -> Field:
    """Return the height of cloth that is folded over at its edge."""
    share = 1 - np.clip(depth / np.float32(0.3), 0, 1)
    height: Field = np.float32(thickness) * np.sqrt(1 - share * share)
    return height


def front_seams(x: Field, y: Field) -> Field:
    """Return how much the front stands out at places, by its collar and seams."""
    distance, along = away([_NECK], x, y)
    seams = _ribbed(distance, along) - 0.03 * _stitches(distance, along, _COLLAR + 0.5)
    distance, _ = away([_ARMHOLE, mirrored(_ARMHOLE)], x, y)
    seams += 0.06 * np.exp(-(((distance - 0.4) / 0.35) ** 2)) - 0.09 * np.exp(-((distance / 0.1) ** 2))
    for lines in ([_CUFF, mirrored(_CUFF)], [_HEM]):
        distance, along = away(lines, x, y)
        seams += 0.05 * np.clip((_SEAM - distance) / 0.3, 0, 1) - 0.05 * np.exp(-(((distance - _SEAM) / 0.35) ** 2))
        seams -= 0.035 * (_stitches(distance, along, _SEAM - 0.15) + _stitches(distance, along, _SEAM + 0.2))
    return seams


def back_seams(x: Field, y: Field) -> Field:
    """Return how much the inside of the back stands out at places, by its collar."""
    return _ribbed(*away([_NAPE], x, y))


def _ribbed(distance: Field, along: Field) -> Field:
    """Return the height of a collar's ribs, and of the groove where it is sewn on."""
    band = np.clip((_COLLAR - distance) / 0.12, 0, 1)
    ribs = 0.022 * np.sin(along * np.float32(2 * np.pi / _PITCH)) * np.clip(distance / 0.25, 0, 1)
    height: Field = band * (0.06 + ribs) - 0.08 * np.exp(-(((distance - _COLLAR - 0.06) / 0.09) ** 2))
    return height


def _stitches(distance: Field, along: Field, place: float) -> Field:
    """Return how deep the cloth is drawn in along a row of stitches, 0 to 1."""
    dashes = np.clip(np.cos(along * np.float32(2 * np.pi / _PITCH)) * 2 + 1.2, 0, 1)
    depth: Field = np.exp(-(((distance - np.float32(place)) / 0.055) ** 2)) * (0.35 + 0.65 * dashes)
    return depth
