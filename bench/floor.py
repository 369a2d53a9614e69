"""The floor of a work, printed as JSON: seconds to decode its inputs once, and to copy its printed pixels once.

Run as a process of its own, `python -m bench.floor JOB.json -`, on one core: no program that does the work with
these decoders and this memory can take less processor time.
"""

import json
import time

import numpy as np
import pyvips

from bench.peers.job import Job, read_job


def decode_seconds(job: Job) -> float:
    """Decode every artwork, row by row, keeping nothing."""
    began = time.monotonic()
    for path in job.designs:
        pyvips.Image.new_from_file(path, access="sequential").copy_memory()
    return time.monotonic() - began


def copy_seconds(job: Job) -> float:
    """Copy every placement's pixels, each design from a place of its own, into memory that is used again and again."""
    designs = {key: np.ones((key[2], key[1], 4), np.uint8) for key in job.sizes()}
    targets = {design.shape: np.ones_like(design) for design in designs.values()}
    began = time.monotonic()
    for placement in job.placements:
        design = designs[placement.design, placement.width, placement.height]
        np.copyto(targets[design.shape], design)
    return time.monotonic() - began


if __name__ == "__main__":
    pyvips.concurrency_set(1)
    work = read_job()
    print(json.dumps({"decode_seconds": decode_seconds(work), "copy_seconds": copy_seconds(work)}))
