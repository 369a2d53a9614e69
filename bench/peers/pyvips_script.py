"""The pyvips script: designs shrunk into memory, inserted one after another into one lazy sheet, `pngsave`."""

import pyvips

from bench.peers.job import read_job

job = read_job()
designs = {
    (number, width, height): pyvips.Image.thumbnail(path, width, height=height, size="force").copy_memory()
    for (number, width, height), path in job.sizes().items()
}
sheet = pyvips.Image.black(job.width, job.height, bands=4).copy(interpretation="srgb")
for placement in job.placements:
    design = designs[placement.design, placement.width, placement.height]
    sheet = sheet.insert(design, placement.x, placement.y)
sheet.copy(xres=job.dpi / 25.4, yres=job.dpi / 25.4).pngsave(job.target)
