"""OpenCV: mock-ups on full frames, as scripts on the web make them. Run with JOB.json and the folder to write to.

The artwork is read once and kept premultiplied; for each photograph it is shrunk by area to about its size there,
warped to a whole frame, and mixed with the photograph in single precision.
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def read_artwork(path: str) -> Pixels:
    artwork = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if artwork is None or artwork.shape[2] != 4:
        raise SystemExit(f"{path}: no RGBA image")
    alpha = artwork[:, :, 3]
    artwork[:, :, :3] = cv2.multiply(artwork[:, :, :3], cv2.merge([alpha, alpha, alpha]), scale=1 / 255)
    return artwork.astype(np.uint8, copy=False)


def put_on(photograph: Pixels, artwork: Pixels, corners: list[list[float]]) -> Pixels:
    a, b, c, d = to = np.array(corners, np.float32)
    width = round(float(max(np.linalg.norm(b - a), np.linalg.norm(c - d))))
    height = round(float(max(np.linalg.norm(d - a), np.linalg.norm(c - b))))
    small = cv2.resize(artwork, (width, height), interpolation=cv2.INTER_AREA)
    edges = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(edges - 0.5, to - 0.5)  # OpenCV counts from pixels' centres
    rows, columns = photograph.shape[:2]
    warped = cv2.warpPerspective(small, matrix, (columns, rows)).astype(np.float32)
    alpha = warped[:, :, 3:] / 255
    mixed = photograph.astype(np.float32) * (1 - alpha) + warped[:, :, :3]
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


file, folder = sys.argv[1:]
job = json.loads(Path(file).read_text())
Path(folder).mkdir(exist_ok=True)
artworks = {path: read_artwork(path) for path in dict.fromkeys(mockup["artwork"] for mockup in job["mockups"])}
for mockup in job["mockups"]:
    photograph = cv2.imread(mockup["photograph"])
    if photograph is None:
        raise SystemExit(f"{mockup['photograph']}: no picture")
    made = put_on(photograph.astype(np.uint8, copy=False), artworks[mockup["artwork"]], mockup["corners"])
    cv2.imwrite(f"{folder}/{mockup['file']}", made, [cv2.IMWRITE_JPEG_QUALITY, job["quality"]])
