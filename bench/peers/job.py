"""What a peer is given: the sheet, the artwork's files, and where each copy lies. Imports little: peers are timed."""

import json
import sys
from typing import NamedTuple


class Placement(NamedTuple):
    """A copy of design number `design`, in pixels."""

    design: int
    x: int
    y: int
    width: int
    height: int


class Job(NamedTuple):
    """One sheet and all that lies on it, and the file it goes to."""

    width: int
    height: int
    dpi: int
    designs: list[str]
    placements: list[Placement]
    target: str

    def sizes(self) -> dict[tuple[int, int, int], str]:
        """Return the file of each distinct (design, width, height), so that every artwork is shrunk once."""
        return {(p.design, p.width, p.height): self.designs[p.design] for p in self.placements}


def read_job() -> Job:
    """Return the job that the command line names: JOB.json SHEET.png."""
    file, target = sys.argv[1:]
    with open(file) as text:  # noqa: PTH123 - pathlib is not needed otherwise
        content = json.load(text)
    content["placements"] = [Placement(**placement) for placement in content["placements"]]
    return Job(**content, target=target)
