"""How much memory taking documents apart takes: as much for the last section as for the first, and 192 MB suffice."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped, unused-ignore]

from bench.cage import Cage, why_no_cage
from tests.conftest import REPOSITORY, environment

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped, unused-ignore]

    from tests.sections import PdfShop

LIMIT_BYTES = 192_000_000
TIMEOUT_S = 120.0
SECTIONS = 12
A4 = (595.0, 842.0)
A0 = (2384.0, 3370.0)

no_cage = why_no_cage()


def picture_pages(folder: Path, size: tuple[float, float], side: int) -> "Callable[[Canvas, int], None]":
    """Return what fills each page with a photograph of its own, of so many pixels each way."""

    def draw(canvas: "Canvas", page: int) -> None:
        path = folder / f"{page}.jpg"
        grain = np.random.default_rng(page).integers(0, 256, (side // 4, side // 4, 3), np.uint8)
        Image.fromarray(grain).resize((side, side)).save(path, quality=85)
        canvas.drawImage(ImageReader(str(path)), 0, 0, *size)
        canvas.drawString(30, 30, f"This is page {page}")

    return draw


def test_the_last_section_takes_no_more_memory_than_the_first(pdf_shop: "PdfShop", tmp_path: Path) -> None:
    shop = pdf_shop
    shop.document(pages=SECTIONS, size=A4, draw=picture_pages(tmp_path, A4, 1200))
    shop.job |= {"sections": {"every": 1}, "pages": {"dpi": 150}}

    outcome = shop.run()

    assert outcome.exit_code == 0, outcome.text
    peaks = [entry["peak_bytes"] for entry in shop.sections]
    assert len(peaks) == SECTIONS
    assert max(peaks) <= 1.1 * min(peaks)
    assert shop.manifest["memory"]["peak_bytes"] < 140_000_000


@pytest.mark.parametrize("collect", [True, False])
@pytest.mark.skipif(no_cage is not None, reason=f"no cage can be made here: {no_cage}")
def test_192_megabytes_are_enough(pdf_shop: "PdfShop", tmp_path: Path, collect: bool) -> None:
    """For a poster of A0, too: it is drawn band by band."""
    shop = pdf_shop
    shop.document(pages=3, size=A0, draw=picture_pages(tmp_path, A0, 2400))
    shop.job |= {"sections": {"every": 1}, "pages": {"dpi": 100}, "collect_garbage": collect, "workers": "auto"}
    command = [sys.executable, str(REPOSITORY / "cli.py"), "run", str(shop.write())]

    with Cage.of(LIMIT_BYTES) as cage:
        run = cage.run(command, timeout_s=TIMEOUT_S, environment=environment({}), log=tmp_path / "log")

    assert run.survived, f"{run}\n{(tmp_path / 'log').read_text()}"
    assert shop.manifest["memory"]["limit_bytes"] == LIMIT_BYTES
    assert (shop.totals(), shop.errors()) == ((3, 3, 0, 0), {})
    with Image.open(shop.out / "003_Page_3_p001.png") as image:
        assert image.size == (3311, 4681)
