"""Pictures that are read once, from top to bottom, as many rows at a time as are asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np

from config.errors import ArtworkError
from tiles.blending import SAMPLE, level
from tiles.design import BYTES_PER_PX, PreparedDesign
from tiles.prepare import OPAQUE, prepare_in, prepared_rows
from tiles.resample import Rgba
from tiles.scene import Colour, Picture
from tiles.store import TileStore


def prepared_picture(store: TileStore, picture: Picture) -> PreparedDesign:
    """Return a picture from `store`, prepared now unless it is there; ArtworkError with its name if it is damaged."""
    with named(picture):
        return prepare_in(store, picture.design, picture.geometry)


@contextmanager
def named(picture: Picture) -> Iterator[None]:
    """Put a picture's name before what is wrong with it."""
    try:
        yield
    except ArtworkError as error:
        raise ArtworkError(f"{picture.name}: {error.message}", error.remedy) from None


class RowReader:
    """A picture's rows, top to bottom: RGB on a ground, or RGBA, straight alpha, if there is none.

    A context manager, which removes what reading leaves aside.
    """

    def __init__(self, picture: Picture, beside: Path, ground: Colour | None) -> None:
        """Name the picture; room for temporaries is taken beside the path. Nothing is opened yet."""
        self._picture, self._ground = picture, ground
        self._chunks = prepared_rows(picture.design, picture.geometry, beside)
        self._width = picture.geometry.width_px
        self._bands = BYTES_PER_PX if ground is None else BYTES_PER_PX - 1
        self._ready: Rgba = np.empty((0, self._width, self._bands), np.uint8)

    def take(self, rows: int) -> Rgba:
        """Return the next rows, for the caller to keep; ArtworkError with the picture's name if it is damaged."""
        taken = np.empty((rows, self._width, self._bands), np.uint8)
        filled = 0
        while filled < rows:
            if not len(self._ready):
                with named(self._picture):
                    self._ready = next(self._chunks)
            count = min(rows - filled, len(self._ready))
            self._copy(self._ready[:count], taken[filled : filled + count])
            self._ready = self._ready[count:]
            filled += count
        return taken

    def finish(self) -> None:
        """Make sure that the file is still what it was, now that its last rows are taken."""
        with named(self._picture):
            next(self._chunks, None)

    def _copy(self, chunk: Rgba, target: Rgba) -> None:
        """Copy rows of three or four bands to rows of three or four bands."""
        target[..., :3] = chunk[..., :3]
        has_alpha = chunk.shape[2] == BYTES_PER_PX
        if self._ground is None:
            target[..., 3] = chunk[..., 3] if has_alpha else OPAQUE
        elif has_alpha and chunk[..., 3].min() < OPAQUE:
            alpha = chunk[..., 3] * SAMPLE
            for band, part in enumerate(self._ground):
                below = (1 - alpha) * np.float32(part / OPAQUE)
                target[..., band] = level(chunk[..., band] * SAMPLE * alpha + below)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._chunks.close()
