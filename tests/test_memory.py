"""A sheet and a roll at full size in a container of 256 MB, and how many designs are prepared at once in how much."""

import hashlib
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyvips

from bench.cage import Cage, why_no_cage
from bench.pagecache import forget
from tests.conftest import REPOSITORY, Shop, environment
from tiles.readback import SheetReader

LIMIT_BYTES = 256_000_000
TIMEOUT_S = 300.0
SHEETS = {"sheet": (16, 20, 30), "roll": (23, 215, 465)}  # inches, and copies of 15 designs 3.1 in wide


@pytest.fixture(scope="module")
def designs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return 15 discs of 3600×3600 pixels, one of 6000×6000; every third is grainy and fades out."""
    home = tmp_path_factory.mktemp("artwork")
    return [draw_disc(home / f"{number}.png", 6000 if number == 2 else 3600, number) for number in range(15)]


def draw_disc(path: Path, side: int, number: int) -> Path:
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    radius = np.hypot(axis[:, None], axis)
    pixels = np.empty((side, side, 4), np.uint8)
    pixels[..., :3] = (number * 16, 200, 90)
    pixels[..., 3] = np.clip((0.95 - radius) * (3 if number % 3 == 2 else side), 0, 1) * 255
    if number % 3 == 2:
        grain = np.random.default_rng(number).integers(0, 32, (500, 500, 3), np.uint8)
        pixels[..., :3] += np.tile(grain, (side // 500 + 1, side // 500 + 1, 1))[:side, :side]
    pyvips.Image.new_from_array(pixels, interpretation="srgb").pngsave(str(path), compression=1)
    return path


@pytest.fixture(scope="module")
def confined() -> Callable[[list[object]], str]:
    """Return a function that runs the program in 256 MB, and returns how it failed: "" if it did not."""
    why_not = why_no_cage()

    def in_a_cage(arguments: list[object]) -> str:
        with Cage.of(LIMIT_BYTES) as cage:
            run = cage.run(command(arguments), timeout_s=TIMEOUT_S, environment=environment({}))
        return "" if run.survived else str(run)

    def under_an_rlimit(arguments: list[object]) -> str:
        limits = (LIMIT_BYTES, LIMIT_BYTES)
        done = subprocess.run(
            command(arguments),
            env=environment({}),
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, limits),
        )
        return "" if done.returncode == 0 else f"exit code {done.returncode}: {done.stdout}{done.stderr}"

    def command(arguments: list[object]) -> list[str]:
        return [sys.executable, str(REPOSITORY / "cli.py"), *map(str, arguments)]

    return under_an_rlimit if why_not else in_a_cage


def pixels_of(path: Path) -> bytes:
    """Return a hash of a sheet's pixels, read row by row."""
    digest, reader = hashlib.sha256(), SheetReader(path)
    for _, strip in reader.strips():
        digest.update(strip.data)
    return digest.digest()


@pytest.mark.slow
@pytest.mark.parametrize(("size", "threads"), [("sheet", 1), ("roll", "auto")])
def test_256_megabytes_are_enough_cold_and_warm(
    size: str, threads: object, designs: list[Path], shop: Shop, confined: Callable[[list[object]], str]
) -> None:
    width_in, height_in, copies = SHEETS[size]
    shop.job["sheet"] = {"width_in": width_in, "height_in": height_in, "dpi": 400, "spacing_in": 0.1}
    shop.job["designs"] = {"root": str(designs[0].parent)}
    shop.orders((index, design.name, copies // 15, 3.1) for index, design in enumerate(designs))
    shop.write(threads=threads)
    forget(designs)  # so that reading them counts

    assert confined(["run", shop.pipeline]) == ""  # cold
    assert shop.manifest["totals"] == {"ordered": copies, "placed": copies, "rejected": 0}
    (part,) = shop.manifest["parts"]
    cold = pixels_of(shop.out / part["file"])

    shutil.rmtree(shop.out)
    forget([shop.folder])
    assert confined(["run", shop.pipeline]) == ""  # warm
    assert pixels_of(shop.out / part["file"]) == cold
