"""Pillow and numpy: the whole sheet in memory. Pillow premultiplies RGBA by itself when it shrinks."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.peers.job import read_job

Image.MAX_IMAGE_PIXELS = None  # sheets are meant to be large


def shrink(path: str, width: int, height: int) -> NDArray[np.uint8]:
    with Image.open(path) as artwork:
        return np.asarray(artwork.convert("RGBA").resize((width, height), Image.Resampling.LANCZOS))


job = read_job()
designs = {key: shrink(path, *key[1:]) for key, path in job.sizes().items()}
sheet = np.zeros((job.height, job.width, 4), np.uint8)
for placement in job.placements:
    rows = slice(placement.y, placement.y + placement.height)
    columns = slice(placement.x, placement.x + placement.width)
    sheet[rows, columns] = designs[placement.design, placement.width, placement.height]
Image.fromarray(sheet).save(job.target, dpi=(job.dpi, job.dpi))
