"""Reading a finished sheet or mock-up as anybody would: with libvips' own decoders, row by row, in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvips

from config.errors import ArtworkError
from tiles.canvas import Strip
from tiles.design import BYTES_PER_PX
from tiles.geometry import spans
from tiles.header import reason_of
from tiles.strips import strip_rows
from tiles.vips import srgb_profile

MM_PER_INCH = 25.4
_BLOCK = 8  # pixels
_KINDS = {"jpegload": "jpg", "pngload": "png", "webpload": "webp"}  # by libvips' loader


@dataclass(frozen=True, slots=True)
class SheetHeader:
    """What a sheet's file says of itself; `dpi_x`, `dpi_y` from its resolution tag."""

    width_px: int
    height_px: int
    bands: int
    dpi_x: float
    dpi_y: float
    profile: bytes


class SheetReader:
    """An opened sheet. Its strips can be read once, from top to bottom.

    Raises ArtworkError when the file is no image, or turns out to be damaged.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and read its header."""
        self._image = _opened(path)
        image = self._image
        self.header = SheetHeader(
            width_px=image.width,
            height_px=image.height,
            bands=image.bands,
            dpi_x=image.xres * MM_PER_INCH,
            dpi_y=image.yres * MM_PER_INCH,
            profile=bytes(image.get("icc-profile-data")) if image.get_typeof("icc-profile-data") else b"",
        )

    def strips(self) -> Iterator[tuple[int, Strip]]:
        """Yield (top, strip) over the whole sheet; raise ArtworkError unless it is 8-bit RGBA."""
        width, height = self._image.width, self._image.height
        if (self._image.bands, self._image.format) != (BYTES_PER_PX, "uchar"):
            raise ArtworkError(f"{self._image.bands} channels of {self._image.format} samples, not 8-bit RGBA")
        region = pyvips.Region.new(self._image)
        for top, rows in spans(height, strip_rows(width)):
            try:
                pixels = region.fetch(0, top, width, rows)
            except pyvips.Error as error:
                raise ArtworkError(f"cannot be decoded from row {top:,} on: {reason_of(error)}") from None
            yield top, np.frombuffer(pixels, np.uint8).reshape(rows, width, BYTES_PER_PX)


@dataclass(frozen=True, slots=True)
class PhotoHeader:
    """What a mock-up's file says of itself; `kind` is jpg, png or webp."""

    kind: str
    width_px: int
    height_px: int
    is_srgb: bool


def read_photo_header(path: Path) -> PhotoHeader:
    """Read a mock-up's header; ArtworkError if the file is no picture of a known kind."""
    image = _opened(path)
    kind = _KINDS.get(str(image.get("vips-loader")), "")
    if not kind:
        raise ArtworkError("it is neither a JPEG, nor a PNG, nor a WebP")
    has_profile = bool(image.get_typeof("icc-profile-data"))
    is_srgb = has_profile and bytes(image.get("icc-profile-data")) == srgb_profile()
    return PhotoHeader(kind, image.width, image.height, is_srgb)


def difference(one: Path, other: Path) -> float:
    """Return by how many levels two pictures of the same size differ where they differ most: the mean of 8×8 pixels.

    Such blocks are what JPEG and WebP are made of. They are read row by row; 255 if their sizes or channels differ.
    """
    first, second = _opened(one), _opened(other)
    if (first.width, first.height, first.bands) != (second.width, second.height, second.bands):
        return 255.0
    width, height = (-(-side // _BLOCK) * _BLOCK for side in (first.width, first.height))
    try:
        apart = (first - second).abs().embed(0, 0, width, height, extend="copy")
        return float(apart.shrink(_BLOCK, _BLOCK).max())
    except pyvips.Error as error:
        raise ArtworkError(f"cannot be decoded: {reason_of(error)}") from None


def _opened(path: Path) -> pyvips.Image:
    try:
        return pyvips.Image.new_from_file(str(path), access="sequential", fail_on="warning")
    except pyvips.Error as error:
        raise ArtworkError(f"cannot be opened: {reason_of(error)}") from None
