"""Mock-ups at full size in a container of 192 MB, artwork and photographs read from the disk."""

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench.cage import Cage, why_no_cage
from bench.pagecache import forget
from tests.conftest import REPOSITORY, environment
from tests.mockups import area

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mockups import PhotoShop

LIMIT_BYTES = 192_000_000
TIMEOUT_S = 300.0
SIDE = 3000

no_cage = why_no_cage()


def grainy(side: int, seed: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Return a picture that fades from dark to light, with grain."""
    fade = np.linspace(20, 200, side)[:, None, None]
    grain = np.random.default_rng(seed).integers(0, 40, (side, side, 3))
    return (fade + grain).astype(np.uint8)


@pytest.mark.slow
@pytest.mark.skipif(no_cage is not None, reason=f"no cage can be made here: {no_cage}")
def test_192_megabytes_are_enough(photo_shop: "PhotoShop", tmp_path: "Path") -> None:
    shop = photo_shop
    artwork = shop.picture("../designs/large.png", grainy(3600, 1))
    photo = shop.picture("photo.jpg", grainy(SIDE, 2))
    for number in range(3):
        corners = [[300 + 100 * number, 300], [2700, 400], [2600, 2700], [400, 2600]]
        shop.template(f"poster-{number}", area(corners=corners, blend="multiply"), background="photo.jpg")
    forget([artwork, photo])  # so that reading them counts
    command = [sys.executable, str(REPOSITORY / "cli.py"), "run", str(shop.write())]

    with Cage.of(LIMIT_BYTES) as cage:
        run = cage.run(command, timeout_s=TIMEOUT_S, environment=environment({}), log=tmp_path / "log")

    assert run.survived, f"{run}\n{(tmp_path / 'log').read_text()}"
    assert shop.files() == [f"large_poster-{number}.jpg" for number in range(3)]
    assert shop.manifest["memory"]["limit_bytes"] == LIMIT_BYTES
    assert shop.pixels("large_poster-0.jpg").shape == (SIDE, SIDE, 3)


def test_where_memory_is_short_fewer_threads_work_on_a_mockup(photo_shop: "PhotoShop") -> None:
    photo_shop.design("a.png")
    photo_shop.template("mug")

    outcome = photo_shop.run("--set", "threads=16", "--set", "memory.budget=192MB")

    assert outcome.exit_code == 0, outcome.text
    assert photo_shop.files() == ["a_mug.jpg"]
