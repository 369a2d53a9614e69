"""Light on a relief seen from straight above: a height for every pixel, shadows, and ambient light in the folds."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.products.shapes import Triple
from bench.products.texture import Field

_GOLDEN = math.pi * (3 - math.sqrt(5))
_THREADS = 2
_PENUMBRA_CM = 0.05  # height over which a shadow sets in


@dataclass(frozen=True, slots=True)
class Beam:
    """Light from one direction, a unit vector to where it comes from: x right, y down the picture, z up."""

    direction: Triple
    radiance: Triple


def softbox(azimuth: float, elevation: float, spread: float, radiance: Triple, count: int = 40) -> list[Beam]:
    """Return the beams of a round light `spread` degrees in radius. Azimuth 0 is right, 90 the top; in degrees."""
    beams = []
    for number in range(count):
        radius, turn = spread * math.sqrt((number + 0.5) / count), number * _GOLDEN
        side = math.radians(azimuth + radius * math.cos(turn) / math.cos(math.radians(elevation)))
        rise = math.radians(elevation + radius * math.sin(turn))
        direction = (math.cos(rise) * math.cos(side), -math.cos(rise) * math.sin(side), math.sin(rise))
        beams.append(Beam(direction, _scaled(radiance, 1 / count)))
    return beams


def dome(radiance: Triple, count: int = 72) -> list[Beam]:
    """Return the beams of even light from everywhere above."""
    beams = []
    for number in range(count):
        rise, turn = (number + 0.5) / count, number * _GOLDEN
        across = math.sqrt(1 - rise * rise)
        direction = (across * math.cos(turn), across * math.sin(turn), rise)
        beams.append(Beam(direction, _scaled(radiance, 2 / count)))
    return beams


def light_on(heights: Field, pixel_cm: float, beams: Sequence[Beam]) -> NDArray[np.float32]:
    """Return the light on each pixel of a relief, (height, width, 3); 1 as in `bench.products.light`."""
    down, across = np.gradient(heights, np.float32(pixel_cm))
    length = np.sqrt(across * across + down * down + 1)

    def lit(beam: Beam) -> Field:
        right, low, up = beam.direction
        facing = np.maximum((up - across * np.float32(right) - down * np.float32(low)) / length, 0)
        light: Field = facing * _unshadowed(heights, pixel_cm, beam.direction)
        return light

    light = np.zeros((*heights.shape, 3), np.float32)
    with ThreadPoolExecutor(_THREADS) as pool:
        for pair in zip(beams[::2], beams[1::2], strict=True):  # few at once: each is as large as the picture
            for beam, facing in zip(pair, pool.map(lit, pair), strict=True):
                light += facing[..., None] * np.array(beam.radiance, np.float32)
    return light


def _unshadowed(heights: Field, pixel_cm: float, direction: Triple) -> Field:
    """Return how freely the light of one direction reaches each pixel, 0 to 1."""
    right, low, up = direction
    highest = np.full_like(heights, -np.inf)
    for way in _ways(float(np.ptp(heights)) / up, pixel_cm):
        down, across = round(low * way / pixel_cm), round(right * way / pixel_cm)
        here, there = _shifted(heights.shape, down, across)
        highest[here] = np.maximum(highest[here], heights[there] - np.float32(up * way))
    free: Field = np.clip(1 - (highest - heights) / np.float32(_PENUMBRA_CM), 0, 1)
    return free


def _ways(longest: float, pixel_cm: float) -> Iterator[float]:
    """Yield how far from a pixel to look for what is in the light's way, ever less closely."""
    way = 1.5 * pixel_cm
    while way < min(longest, 20):
        yield way
        way = way * 1.22 + 0.5 * pixel_cm


def _shifted(shape: tuple[int, ...], down: int, across: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return the part of a picture whose pixels have another one so far away in it, and those others."""
    height, width = shape
    rows, columns = (max(0, -down), height - max(0, down)), (max(0, -across), width - max(0, across))
    here = slice(rows[0], max(rows)), slice(columns[0], max(columns))
    there = slice(here[0].start + down, here[0].stop + down), slice(here[1].start + across, here[1].stop + across)
    return here, there


def _scaled(colour: Triple, share: float) -> Triple:
    red, green, blue = colour
    return red * share, green * share, blue * share
