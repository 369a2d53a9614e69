"""What is taken apart: a document of many photographs, and a drawing on one page, of A4 and of A0. Made once, and kept.

The document comes twice: with a dictionary of resources for each page, and with one for all.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from math import cos, pi, sin
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.sections.pdffile import PdfFile

PAGES, EVERY = 280, 7
MM = 72 / 25.4
A4_MM, A0_MM = (210.0, 297.0), (841.0, 1189.0)
PHOTO_DPI = 200
_NOISE, _QUALITY = 12.13, 75  # together they make 0.9 MB of an A4 page: 280 of them weigh 252 MB
_PATCHES = (24, 17)
_RAYS, _RINGS = 240, 40


@dataclass(frozen=True, slots=True)
class Photographs:
    """A document of so many pages, each a photograph of its own; in `shared` all have one resource dictionary."""

    plain: Path
    shared: Path
    pages: int
    width_px: int
    height_px: int


def photographs(folder: Path, pages: int, scale: float) -> Photographs:
    """Return the documents, made in `folder` unless they are there."""
    width, height = (max(16, round(side / 25.4 * PHOTO_DPI * scale)) for side in A4_MM)
    plain, shared = (folder / f"{name}-{pages}x{width}.pdf" for name in ("plain", "shared"))
    if not (plain.exists() and shared.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        _write(plain, shared, pages, width, height)
    return Photographs(plain, shared, pages, width, height)


def _write(plain: Path, shared: Path, pages: int, width: int, height: int) -> None:
    size = A4_MM[0] * MM, A4_MM[1] * MM
    with ExitStack() as opened:
        each, together = (opened.enter_context(PdfFile(file)) for file in (plain, shared))
        everything, images = together.number(), {}
        for number, data in enumerate(_pictures(pages, width, height), 1):
            name = f"Im{number}"
            content = _page_content(name, number, pages, *size)
            own = each.number()
            each.resources(own, {name: each.jpeg(data, width, height)})
            each.page(*size, content, own)
            images[name] = together.jpeg(data, width, height)
            together.page(*size, content, everything)
        together.resources(everything, images)


def _page_content(image: str, number: int, pages: int, width: float, height: float) -> bytes:
    words = f"Page {number} of {pages}"
    return (
        f"q {width:.3f} 0 0 {height:.3f} 0 0 cm /{image} Do Q\n"
        f"1 g 30 30 150 24 re f 0 g BT /F1 14 Tf 38 37 Td ({words}) Tj ET\n"
    ).encode()


def _pictures(count: int, width: int, height: int) -> Iterator[bytes]:
    """Yield JPEGs of soft patches of colour under grain, no two alike, the same in every run."""
    random = np.random.default_rng(7)
    grain = (random.standard_normal((height, width, 1)) * _NOISE).astype(np.int16)
    for _ in range(count):
        patches = random.integers(20, 236, (*_PATCHES, 3)).astype(np.uint8)
        shift = (int(random.integers(height)), int(random.integers(width)))
        yield _jpeg(_enlarged(patches, width, height) + np.roll(grain, shift, (0, 1)))


def _enlarged(patches: NDArray[np.uint8], width: int, height: int) -> NDArray[np.int16]:
    return np.asarray(Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC)).astype(np.int16)


def _jpeg(pixels: NDArray[np.int16]) -> bytes:
    encoded = BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(encoded, "JPEG", quality=_QUALITY)
    return encoded.getvalue()


def poster(folder: Path, name: str, size_mm: tuple[float, float]) -> Path:
    """Return a document of one page so large, made in `folder` unless it is there: a photograph, lines and areas."""
    file = folder / f"{name}.pdf"
    if file.exists():
        return file
    folder.mkdir(parents=True, exist_ok=True)
    width, height = size_mm[0] * MM, size_mm[1] * MM
    with PdfFile(file) as pdf:
        side = 1200
        (data,) = _pictures(1, side, side)
        resources = pdf.number()
        pdf.resources(resources, {"Im1": pdf.jpeg(data, side, side)})
        pdf.page(width, height, _poster_content(width, height), resources)
    return file


def _poster_content(width: float, height: float) -> bytes:
    """Draw in a square of 2 by 2 around the origin, stretched to the page: more ink and edges than a poster has."""
    half = f"{width / 2:.3f} 0 0 {height / 2:.3f} {width / 2:.3f} {height / 2:.3f}"
    lines = [f"q {half} cm q 1.4 0 0 1.4 -0.7 -0.7 cm /Im1 Do Q"]
    for index in range(_RAYS):
        angle = 2 * pi * index / _RAYS
        lines.append(f"{0.002 + index * 1e-5:.5f} w {index / _RAYS:.3f} 0.2 0.5 RG")
        lines.append(f"{0.3 * cos(angle):.4f} {0.3 * sin(angle):.4f} m {cos(angle):.4f} {sin(angle):.4f} l S")
    for index in range(_RINGS):
        away = 0.95 * (index + 1) / _RINGS
        lines.append(f"0 {index / _RINGS:.3f} 0.4 rg")
        lines += [
            f"{away * cos(turn):.4f} {away * sin(turn):.4f} 0.01 0.01 re f"
            for turn in (2 * pi * step / 36 for step in range(36))
        ]
    lines.append("Q BT /F1 24 Tf 40 40 Td (A poster) Tj ET")
    return "\n".join(lines).encode()
