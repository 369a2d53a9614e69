"""A night's run: a thousand orders of three hundred designs in PostgreSQL, and how much of it is not spent on pixels.

`python -m bench.night` prints seconds by step, with an empty store and a full one, and the share spent outside pixels:
on start-up, the database, finding and judging files, planning, and writing down what was done. PostgreSQL is the one
that the tests bring along.
"""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import click
import yaml

from bench.artwork import drawn
from bench.copies import distinct_copies
from bench.tilepress import ENVIRONMENT, REPOSITORY, run_tilepress, tilepress
from tests.servers.postgres import PostgresServer

ORDERS, DESIGNS, DRAWN = 1000, 300, 15
DESIGN_PX, PRINT_IN = 3600, 3.1
PIXEL_STEPS = ("prepare", "render")
MUST = 0.10


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("bench/work/night"), show_default=True)
def main(folder: Path) -> None:
    """Measure it cold and warm."""
    shutil.rmtree(folder, ignore_errors=True)
    designs = make_designs(folder.absolute() / "designs")
    server = PostgresServer(folder.absolute() / "database")
    try:
        pipeline = lay_out(folder.absolute(), server.url, designs)
        for temperature in ("cold", "warm"):
            measure(temperature, pipeline, folder.absolute())
            server.psql("UPDATE orders SET status = 'pending'")
            for run in [row[0] for row in server.psql("SELECT id FROM tilepress_runs")]:
                run_tilepress("runs", "forget", run, "--yes", "--pipeline", pipeline)
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


def make_designs(folder: Path) -> list[str]:
    """Write the designs: as many distinct files, of fewer distinct pictures; return their names."""
    pictures = drawn(range(DRAWN), DESIGN_PX, folder.parent.parent / "artwork-night")
    return [file.name for file in distinct_copies(pictures, DESIGNS, folder)]


def lay_out(folder: Path, database: str, designs: list[str]) -> Path:
    """Write orders and pipeline file; return the latter."""
    sheet = {"width_in": 23, "height_in": 215, "dpi": 400, "spacing_in": 0.1}
    job = {
        "kind": "gangsheet",
        "name": "night",
        "sheet": sheet,
        "orders": {"database": "pending", "mark": {"column": "status", "value": "printed"}},
        "designs": {"root": "designs"},
        "output": {"to": "out"},
    }
    pipeline, orders = folder / "pipeline.yaml", folder / "orders.csv"
    pipeline.write_text(yaml.safe_dump({"version": 1, "name": "night", "database": database, "jobs": [job]}))
    lines = [f"{order},{designs[order % DESIGNS]},1,{PRINT_IN},{PRINT_IN}" for order in range(ORDERS)]
    orders.write_text("\n".join(["order,design,quantity,width_in,height_in", *lines]) + "\n")
    run_tilepress("db", "init", "--pipeline", pipeline)
    run_tilepress("db", "import", "--pipeline", pipeline, orders)
    return pipeline


def measure(temperature: str, pipeline: Path, folder: Path) -> None:
    """Run the whole program, and print where its time went."""
    began = time.monotonic()
    with Path(os.devnull).open("wb") as nowhere:
        subprocess.run(tilepress("run", pipeline), cwd=REPOSITORY, env=ENVIRONMENT, stdout=nowhere, check=True)
    seconds = time.monotonic() - began
    steps = json.loads((folder / "out" / "manifest.json").read_text())["seconds"]
    outside = 1 - sum(steps[step] for step in PIXEL_STEPS) / seconds
    told = ", ".join(f"{step} {spent:.2f}" for step, spent in steps.items())
    click.echo(f"{temperature}: {seconds:.2f} s ({told}); {outside:.1%} outside pixels")
    if temperature == "cold":  # of a warm night, half is reading files that are no news
        click.echo(f"must {MUST:.0%}: {'reached' if outside <= MUST else 'missed'}")


if __name__ == "__main__":
    main()
