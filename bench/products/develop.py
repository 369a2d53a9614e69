"""From what the camera saw to picture files: tone, vignette, grain; JPEG and PNG by libvips."""

from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray

from bench.products.texture import Field

_QUALITY = 86
_SHADE_QUALITY = 80
_CORNER_LOSS = 0.22  # of light, by the vignette
_GRAIN = 1.1  # its standard deviation, of 255
_SHOULDER = 0.62  # linear value from which highlights are rolled off


def display(linear: NDArray[np.float32]) -> Field:
    """Return how bright a picture of linear light, (height, width, 3), will look, 0 to 1, without its colours."""
    bright: Field = _tone(linear * _vignette(*linear.shape[:2])[..., None]).mean(axis=-1)
    return bright


def smoothed(field: Field, pixels: float) -> Field:
    """Return a picture blurred over a number of pixels."""
    image = pyvips.Image.new_from_array(np.ascontiguousarray(field, np.float32))
    return np.asarray(image.gaussblur(max(pixels, 0.3), precision="float"), np.float32)


def save_photograph(linear: NDArray[np.float32], path: Path) -> None:
    """Save linear light, (height, width, 3), as a JPEG, with a vignette and a fine grain."""
    height, width = linear.shape[:2]
    tones = _tone(linear * _vignette(height, width)[..., None]) * 255
    grain = np.random.default_rng(7).standard_normal((height, width, 1), np.float32) * np.float32(_GRAIN)
    pixels = np.clip(np.rint(tones + grain), 0, 255).astype(np.uint8)
    image = pyvips.Image.new_from_array(pixels).copy(interpretation="srgb")
    image.jpegsave(str(path), Q=_QUALITY, optimize_coding=True, keep="none")


def save_gray(share: NDArray[np.float32], path: Path) -> None:
    """Save shares, (height, width) from 0 to 1, as a grayscale PNG or JPEG, by the path's suffix."""
    pixels = np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
    image = pyvips.Image.new_from_array(pixels).copy(interpretation="b-w")
    if path.suffix == ".png":
        image.pngsave(str(path), compression=9, keep="none")
    else:
        image.jpegsave(str(path), Q=_SHADE_QUALITY, optimize_coding=True, keep="none")


def _tone(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return display values, 0 to 1, of linear ones: highlights rolled off gently, then the sRGB curve."""
    over = np.maximum(linear - _SHOULDER, 0)
    room = 1 - _SHOULDER
    soft = np.clip(np.minimum(linear, _SHOULDER) + room * (1 - np.exp(-over / room)), 0, 1)
    curved: NDArray[np.float32] = np.where(soft <= 0.0031308, 12.92 * soft, 1.055 * soft ** (1 / 2.4) - 0.055).astype(
        np.float32
    )
    return curved


def _vignette(height: int, width: int) -> Field:
    """Return what to multiply linear values with: 1 in the middle, less in the corners; (height, width)."""
    down = (np.arange(height, dtype=np.float32) + 0.5) / height * 2 - 1
    across = (np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1
    square = (down[:, None] ** 2 + across[None, :] ** 2) / 2
    return (1 - _CORNER_LOSS * square**1.5).astype(np.float32)
