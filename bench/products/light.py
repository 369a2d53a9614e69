"""How light comes to a picture: paths traced from the camera's pixels, through chance as even as can be.

Light bounces once off everything, and is taken as even after that; glazed surfaces mirror the scene and the
softboxes too (J. T. Kajiya, The Rendering Equation, SIGGRAPH 1986; R. L. Cook, Stochastic Sampling, TOG 5, 1986).
"""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.products.camera import Camera
from bench.products.scene import Scene, Softbox
from bench.products.shapes import NEAR, Plane, Scalars, Vectors, column, dot, unit

_BAND_RAYS = 30_000  # traced at once: its arrays stay in the processor's cache
_THREADS = 2
_LATER = 0.6  # of the dome's light, that comes after the first bounce
_GLARE = 25.0  # what is mirrored of a softbox at most: the sun would show as specks
_BRIGHTEST = 2.0  # what a bounce may bring: more comes from so close to a softbox that few rays find it, as specks

Pairs = Callable[[int], tuple[Scalars, Scalars]]  # called with how many pairs


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the camera saw, by pixel: arrays of (height, width, …), means over the pixel's rays.

    `radiance` and `light` are linear, of 3 bands: what is seen, and what a white surface would show in its place,
    unglazed. `points` are the places that were seen first; `cover` is the share of rays that met each thing.
    """

    radiance: NDArray[np.float32]
    light: NDArray[np.float32]
    points: NDArray[np.float32]
    cover: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Hits:
    """Where rays met something: the points, a little off the surface, and what the surface is like there."""

    index: NDArray[np.intp]
    points: Vectors
    normals: Vectors
    colours: Vectors
    directions: Vectors


def expose(scene: Scene, camera: Camera, samples: int) -> Exposure:
    """Take a picture with `samples` rays for each pixel, a square number. The same every time."""
    rows = max(1, _BAND_RAYS // camera.width_px)
    bands = [range(top, min(top + rows, camera.height_px)) for top in range(0, camera.height_px, rows)]
    with ThreadPoolExecutor(_THREADS) as pool:
        parts = list(pool.map(lambda band: _expose_band(scene, camera, samples, band), bands))
    return Exposure(*(np.concatenate(planes) for planes in zip(*parts, strict=True)))


def _expose_band(scene: Scene, camera: Camera, samples: int, rows: range) -> tuple[NDArray[np.float32], ...]:
    shape = (len(rows), camera.width_px)
    down, across = (axis.ravel().astype(np.float32) for axis in np.mgrid[rows.start : rows.stop, 0 : shape[1]])
    count = down.size
    totals = [np.zeros((bands, count), np.float32) for bands in (3, 3, 3, len(scene.things))]
    for pairs in _strata(count, samples, rows.start):
        jitter, lens = pairs(count), pairs(count)
        origins, directions = camera.rays(across + jitter[0], down + jitter[1], lens)
        hits, seen = _look(scene, origins, directions)
        radiance = scene.ambient(directions)
        light, points, cover = np.ones_like(radiance), np.zeros_like(radiance), np.zeros_like(totals[3])
        light[:, seen] = _falling(scene, hits, pairs)
        radiance[:, seen] = light[:, seen] * hits.colours
        points[:, seen] = hits.points
        cover[hits.index, seen] = 1
        _glaze(scene, hits, seen, radiance, pairs)
        for number, part in enumerate((radiance, light, points, cover)):
            totals[number] += part
    return tuple((total.T / samples).reshape(*shape, -1).astype(np.float32) for total in totals)


def _strata(count: int, samples: int, seed: int) -> Iterator[Pairs]:
    """Yield, sample by sample, a source of pairs of numbers from 0 to 1, `count` at a time.

    Over all samples the n-th pairs of a pixel fall one into each cell of a square grid, in an order of their own.
    """
    side = math.isqrt(samples)
    if side * side != samples:
        raise ValueError(f"{samples} samples do not fill a square grid")
    rng = np.random.default_rng(seed)
    orders: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []
    for sample in range(samples):
        number = iter(range(1_000))

        def pairs(size: int, sample: int = sample, number: Iterator[int] = number) -> tuple[Scalars, Scalars]:
            dimension = next(number)
            if dimension == len(orders):
                orders.append((rng.permutation(samples), rng.integers(0, samples, count)))
            order, begin = orders[dimension]
            row, place = np.divmod(order[(begin[:size] + sample) % samples], side)
            spread = rng.random((2, size), np.float32)
            return (row + spread[0]) / np.float32(side), (place + spread[1]) / np.float32(side)

        yield pairs


def _look(scene: Scene, origins: Vectors, directions: Vectors) -> tuple[_Hits, NDArray[np.intp]]:
    """Return what rays meet, and which of the rays meet anything."""
    reach, index = scene.meet(origins, directions)
    seen = np.flatnonzero(index >= 0)
    index, heading = index[seen], directions[:, seen]
    points = origins[:, seen] + heading * reach[seen]
    normals, colours = np.empty_like(points), np.empty_like(points)
    for number in np.unique(index):
        own = index == number
        normals[:, own] = scene.things[number].normals(points[:, own])
        colours[:, own] = scene.things[number].colours(points[:, own])
    normals = np.where(dot(normals, heading) > 0, -normals, normals)
    return _Hits(index, points + normals * np.float32(3 * NEAR), normals, colours, heading), seen


def _falling(scene: Scene, hits: _Hits, pairs: Pairs) -> Vectors:
    """Return the light on surfaces: the softboxes', and what one bounce brings from elsewhere."""
    light = _direct(scene, hits, pairs)
    directions = _about(hits.normals, pairs(hits.index.size))
    return light + _arriving(scene, hits.points, directions, pairs)


def _arriving(scene: Scene, origins: Vectors, directions: Vectors, pairs: Pairs) -> Vectors:
    """Return the radiance along rays: the dome's, or that of what they meet."""
    radiance = scene.ambient(directions)
    hits, seen = _look(scene, origins, directions)
    light = _direct(scene, hits, pairs)
    even = (column(scene.above) + column(scene.below)) / 2
    radiance[:, seen] = hits.colours * (np.minimum(light, np.float32(_BRIGHTEST)) + even * np.float32(_LATER))
    return radiance


def _direct(scene: Scene, hits: _Hits, pairs: Pairs) -> Vectors:
    light = np.zeros_like(hits.points)
    for source in scene.softboxes:
        light += _from_softbox(scene, source, hits, pairs(hits.index.size))
    return light


def _from_softbox(scene: Scene, source: Softbox, hits: _Hits, pair: tuple[Scalars, Scalars]) -> Vectors:
    """Return the light that reaches surfaces from one point of a softbox, as if all of it shone from there."""
    across, along = (2 * part - 1 for part in pair)
    place = column(source.centre) + column(source.across) * across + column(source.along) * along
    way = place - hits.points
    square = dot(way, way)
    heading = way / np.sqrt(square)
    facing = np.maximum(dot(hits.normals, heading), 0) * np.maximum(-dot(source.facing, heading), 0)
    strength = facing * 4 / (np.float32(math.pi) * square)
    lit = np.flatnonzero(strength > 0)
    free = np.ones(lit.size, bool)
    origins, directions, limit = hits.points[:, lit], heading[:, lit], np.sqrt(square[lit])
    for thing in scene.things:
        if not isinstance(thing.shape, Plane):  # softboxes stand on the same side of planes as everything
            free &= thing.shape.reach(origins, directions) > limit
    strength[lit] *= free
    if source.stencil is not None:
        strength[lit] *= source.stencil(origins, directions)
    light: Vectors = strength * column(source.radiance)
    return light


def _glaze(scene: Scene, hits: _Hits, seen: NDArray[np.intp], radiance: Vectors, pairs: Pairs) -> None:
    """Add to the radiance of rays what glazed surfaces mirror (Schlick's Fresnel term)."""
    gloss = np.array([thing.gloss for thing in scene.things], np.float32)[hits.index]
    rough = np.array([thing.roughness for thing in scene.things], np.float32)[hits.index]
    own = np.flatnonzero(gloss)
    if not own.size:
        return
    points, normals, heading = hits.points[:, own], hits.normals[:, own], hits.directions[:, own]
    normals = unit(normals + (_about(normals, pairs(own.size)) - normals) * rough[own])
    slant = np.clip(-dot(normals, heading), 0, 1)
    mirrored = heading + normals * (2 * slant)
    share = gloss[own] + (1 - gloss[own]) * (1 - slant) ** 5
    arriving = _arriving(scene, points, mirrored, pairs)
    for source in scene.softboxes:
        arriving += source.mirrored(points, mirrored) * np.minimum(column(source.radiance), np.float32(_GLARE))
    radiance[:, seen[own]] *= 1 - share
    radiance[:, seen[own]] += arriving * share


def _about(normals: Vectors, pair: tuple[Scalars, Scalars]) -> Vectors:
    """Return directions spread about normals as the cosine of their angle has it."""
    height = 1 - 2 * pair[0]
    radius = np.sqrt(np.maximum(1 - height * height, 0))
    angle = pair[1] * np.float32(math.tau)
    return unit(normals * np.float32(1.0001) + np.stack((radius * np.cos(angle), radius * np.sin(angle), height)))
