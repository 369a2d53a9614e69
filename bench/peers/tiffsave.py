"""libvips' `tiffsave` alone: the canvas is in memory before the clock starts. Prints the seconds of the one call."""

import time

import pyvips

from bench.peers.job import read_job

job = read_job()
sheet = pyvips.Image.black(job.width, job.height, bands=4).copy(interpretation="srgb")
designs = {
    (number, width, height): pyvips.Image.thumbnail(path, width, height=height, size="force").copy_memory()
    for (number, width, height), path in job.sizes().items()
}
for placement in job.placements:
    sheet = sheet.insert(designs[placement.design, placement.width, placement.height], placement.x, placement.y)
sheet = sheet.copy(xres=job.dpi / 25.4, yres=job.dpi / 25.4).copy_memory()

began = time.monotonic()
sheet.tiffsave(job.target, compression="deflate", predictor="horizontal")
print(time.monotonic() - began)
