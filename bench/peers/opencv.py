"""OpenCV: the whole sheet in memory. Area resampling is what OpenCV shrinks well with, in premultiplied alpha."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.peers.job import read_job

Pixels = NDArray[np.uint8]


def shrink(path: str, width: int, height: int) -> Pixels:
    artwork = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if artwork is None or artwork.shape[2] != 4:
        raise SystemExit(f"{path}: no RGBA image")
    alpha = artwork[:, :, 3]
    artwork[:, :, :3] = cv2.multiply(artwork[:, :, :3], cv2.merge([alpha, alpha, alpha]), scale=1 / 255)
    small = cv2.resize(artwork, (width, height), interpolation=cv2.INTER_AREA)
    opacity = np.maximum(small[:, :, 3:], 1).astype(np.float32) / 255
    small[:, :, :3] = np.minimum(np.rint(small[:, :, :3] / opacity), 255).astype(np.uint8)
    return small.astype(np.uint8, copy=False)


job = read_job()
designs = {key: shrink(path, *key[1:]) for key, path in job.sizes().items()}
sheet = np.zeros((job.height, job.width, 4), np.uint8)
for placement in job.placements:
    rows = slice(placement.y, placement.y + placement.height)
    columns = slice(placement.x, placement.x + placement.width)
    sheet[rows, columns] = designs[placement.design, placement.width, placement.height]
cv2.imwrite(job.target, sheet)
