"""Textures: noise of a chosen grain, planks of wood, and reading them at points. Lengths are centimetres."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.products.shapes import Scalars

Field = NDArray[np.float32]  # (height, width)


@dataclass(frozen=True, slots=True)
class Texture:
    """A picture, (height, width, bands), that goes on endlessly; each pixel is `pixel_cm` wide."""

    pixels: NDArray[np.float32]
    pixel_cm: float

    def at(self, across: Scalars, down: Scalars) -> NDArray[np.float32]:
        """Return its values at places, (bands, n), taken evenly between the four pixels about each."""
        height, width = self.pixels.shape[:2]
        x, y = across / np.float32(self.pixel_cm), down / np.float32(self.pixel_cm)
        left, top = np.floor(x), np.floor(y)
        right_share, low_share = (x - left)[:, None], (y - top)[:, None]
        columns, rows = left.astype(np.int64) % width, top.astype(np.int64) % height
        after, below = (columns + 1) % width, (rows + 1) % height
        upper = self.pixels[rows, columns] * (1 - right_share) + self.pixels[rows, after] * right_share
        lower = self.pixels[below, columns] * (1 - right_share) + self.pixels[below, after] * right_share
        values: NDArray[np.float32] = (upper * (1 - low_share) + lower * low_share).T
        return values


def noise(shape: tuple[int, int], grain: tuple[float, float], seed: int) -> Field:
    """Return noise of mean 0 and deviation 1 that repeats endlessly; `grain` is its size in pixels, down and across."""
    spectrum = np.fft.rfft2(np.random.default_rng(seed).standard_normal(shape, np.float32))
    down, across = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    spectrum *= np.exp(-2 * np.pi**2 * ((down * grain[0]) ** 2 + (across * grain[1]) ** 2))
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, shape)
    even: Field = (field / field.std()).astype(np.float32)
    return even


def wood(light: tuple[float, float, float], dark: tuple[float, float, float], seed: int) -> Texture:
    """Return planks of wood along x, 12 cm wide, between two linear colours."""
    pixel_cm, planks, side = 0.02, 5, 3000
    high = side // planks
    rng = np.random.default_rng(seed)
    rows = []
    for plank in range(planks):
        tone, depth = _plank((high, side), pixel_cm, rng, seed + 10 * plank)
        shade = np.float32(1 + rng.normal(0, 0.05))
        tone = np.clip(tone, 0, 1)[..., None]
        rows.append((np.array(light, np.float32) * (1 - tone) + np.array(dark, np.float32) * tone) * shade * depth)
    return Texture(np.concatenate(rows).astype(np.float32), pixel_cm)


def _plank(shape: tuple[int, int], pixel_cm: float, rng: np.random.Generator, seed: int) -> tuple[Field, Field]:
    """Return how dark the wood of a plank is, 0 to 1, and the shadow of the joints beside it."""
    down = (np.arange(shape[0], dtype=np.float32) * pixel_cm)[:, None]
    across = (np.arange(shape[1], dtype=np.float32) * pixel_cm)[None, :]

    def grown(height_cm: float, length_cm: float, number: int) -> Field:
        return noise(shape, (height_cm / pixel_cm, length_cm / pixel_cm), seed + number)

    bow = np.sin(across * np.float32(2 * np.pi / (shape[1] * pixel_cm)) + rng.uniform(0, 6)) * rng.uniform(0.5, 1.6)
    heart = down - np.float32(rng.uniform(-2, 14)) + 0.55 * grown(1.8, 9, 0) + 0.10 * grown(0.4, 3, 1)
    rings = np.sqrt(heart**2 + bow**2 + np.float32(0.3)) * np.float32(1.7)
    ring = rings - np.floor(rings)
    late = ring**3 * (1 - ring**12)
    pores = np.clip(grown(0.018, 0.5, 2) - 1.3, 0, 1.2) * (0.4 + 0.6 * late)
    tone = 0.30 + 0.40 * late + 0.07 * grown(0.02, 1.6, 3) + 0.06 * grown(0.09, 5, 4) + 0.07 * grown(1.2, 12, 5)
    joint = np.minimum(down, shape[0] * pixel_cm - down)
    depth = 1 - 0.75 * np.exp(-((joint / 0.05) ** 2))
    shadow = np.broadcast_to(depth, shape)[..., None]
    return (tone + 0.34 * pores).astype(np.float32), shadow.astype(np.float32)
