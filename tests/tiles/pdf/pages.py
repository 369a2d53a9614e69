"""PDFs for the tests of what is found in them: drawn with reportlab, or put together by hand with pikepdf."""

import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped, unused-ignore]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped, unused-ignore]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped, unused-ignore]

import tiles

INCH = 72
LETTER = (8.5 * INCH, 11 * INCH)
SHIPPED = "TilepressSans"
FONT_FILE = Path(tiles.__file__).parent / "fonts" / "TilepressSans.ttf"


def drawn(path: Path, *pages: Callable[[Canvas], object], size: tuple[float, float] = LETTER) -> Path:
    """Write a page for each function that draws one with reportlab."""
    if SHIPPED not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(SHIPPED, str(FONT_FILE)))
    canvas = Canvas(str(path), pagesize=size, invariant=True)
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return path


def picture(path: Path, width: int, height: int, mode: str = "RGB") -> Path:
    """Write a picture of one middling colour; JPEG for RGB, L and CMYK, else PNG."""
    colour = {"1": 1, "P": 1, "L": 128}.get(mode, (90, 120, 150, 40)[: len(mode)])
    Image.new(mode, (width, height), colour).save(path)
    return path


class Written:
    """A PDF put together by hand, for what no program would write."""

    def __init__(self) -> None:
        self.pdf = pikepdf.Pdf.new()

    def stream(self, data: bytes = b"", **entries: Any) -> pikepdf.Stream:
        return self.pdf.make_stream(data, Dictionary(**entries))

    def image(
        self, width: int, height: int, space: Any = Name.DeviceRGB, bits: int = 8, **entries: Any
    ) -> pikepdf.Stream:
        """An image without a sample: what is known of it stands in its dictionary."""
        return self.stream(
            zlib.compress(b""), Type=Name.XObject, Subtype=Name.Image, Width=width, Height=height, ColorSpace=space,
            BitsPerComponent=bits, Filter=Name.FlateDecode, **entries,
        )  # fmt: skip

    def form(self, content: bytes, matrix: Iterable[float] = (1, 0, 0, 1, 0, 0), **resources: Any) -> pikepdf.Stream:
        return self.stream(
            content, Type=Name.XObject, Subtype=Name.Form, BBox=Array([-9999, -9999, 9999, 9999]),
            Matrix=Array(list(matrix)), Resources=Dictionary(**resources),
        )  # fmt: skip

    def page(self, content: bytes = b"", size: tuple[float, float] = LETTER, **resources: Any) -> pikepdf.Dictionary:
        page = self.pdf.add_blank_page(page_size=size).obj
        page.Resources = Dictionary(**resources)
        page.Contents = self.stream(content)
        assert isinstance(page, Dictionary)
        return page

    def save(self, path: Path, *, spoil: int | None = None) -> Path:
        """Write the PDF; page `spoil`, counted from 0, cannot be read, though it can be counted."""
        self.pdf.save(path, object_stream_mode=pikepdf.ObjectStreamMode.disable)
        if spoil is not None:
            parts = path.read_bytes().split(b"/Type /Page ")
            path.write_bytes(
                b"/Type /Page ".join(parts[: spoil + 1]) + b"/Type /Pagx " + b"/Type /Page ".join(parts[spoil + 1 :])
            )
        return path
