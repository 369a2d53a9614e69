"""pyvips with one `composite` of all copies: what libvips offers for the purpose, and most scripts use.

The designs are shrunk into memory first: read lazily, as thumbnails, they can be asked for rows only once, which a
design that lies in two places breaks.
"""

import pyvips

from bench.peers.job import read_job

job = read_job()
designs = {
    (number, width, height): pyvips.Image.thumbnail(path, width, height=height, size="force").copy_memory()
    for (number, width, height), path in job.sizes().items()
}
sheet = pyvips.Image.black(job.width, job.height, bands=4).copy(interpretation="srgb")
sheet = sheet.composite(
    [designs[placement.design, placement.width, placement.height] for placement in job.placements],
    "over",
    x=[placement.x for placement in job.placements],
    y=[placement.y for placement in job.placements],
)
sheet.copy(xres=job.dpi / 25.4, yres=job.dpi / 25.4).pngsave(job.target)
