"""Pages of every kind of content that pdfium draws in a way of its own, and pdfium's picture of a whole page."""

import ctypes
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from pikepdf import Array, Dictionary, Name, Stream
from PIL import Image
from pypdfium2 import raw
from reportlab.lib import colors  # type: ignore[import-untyped, unused-ignore]
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped, unused-ignore]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped, unused-ignore]

from tests.tiles.pdf.pages import Written, drawn

Pixels = NDArray[np.uint8]
SIZE = WIDTH, HEIGHT = 297.638, 420.945  # A6, in points

FLAGS = raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER


def one_shot(page: pypdfium2.PdfPage, width: int, height: int, bands: int = 3) -> Pixels:
    """Return a whole page as pdfium draws it at once: RGB on white, RGBA on nothing with no colour where alpha is 0."""
    pixels = np.full((height, width, bands), 255 if bands == 3 else 0, np.uint8)
    form = raw.FPDFBitmap_BGR if bands == 3 else raw.FPDFBitmap_BGRA
    bitmap = raw.FPDFBitmap_CreateEx(width, height, form, pixels.ctypes.data_as(ctypes.c_void_p), width * bands)
    raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, FLAGS)
    if page.formenv is not None:
        raw.FPDF_FFLDraw(page.formenv, bitmap, page, 0, 0, width, height, 0, FLAGS)
    raw.FPDFBitmap_Destroy(bitmap)
    if bands == 4:
        pixels[pixels[..., 3] == 0] = 0
    return pixels


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8))


def shapes(canvas: Canvas) -> None:
    """Draw circles, half of them see-through, dashed curves, hairlines, and type in several manners."""
    dice = random.Random(1)
    for number in range(25):
        canvas.setFillColorRGB(dice.random(), dice.random(), dice.random(), alpha=dice.choice([1, 0.5]))
        canvas.circle(dice.random() * WIDTH, dice.random() * HEIGHT, dice.random() * 60, fill=1, stroke=0)
        canvas.setLineWidth(dice.random())
        canvas.line(*_points(dice, 2))
        canvas.setDash([1 + dice.random() * 6, 1 + dice.random() * 4])
        canvas.bezier(*_points(dice, 4))
        canvas.setDash()
        canvas.saveState()
        canvas.translate(*_points(dice, 1))
        canvas.rotate(dice.choice([0, 0, 90, dice.random() * 360]))
        canvas.setFont("Times-Roman", 6 + dice.random() * 30)
        canvas.drawString(0, 0, f"Line {number}", mode=dice.choice([0, 1, 2]))
        canvas.restoreState()


def _points(dice: random.Random, count: int) -> list[float]:
    return [dice.random() * side for _ in range(count) for side in SIZE]


def images(canvas: Canvas) -> None:
    """Draw images made larger, made smaller, with an alpha channel, of one bit, turned by quarters and mirrored."""
    canvas.drawImage(ImageReader(noise(60, 40)), 10, 10, 260, 150)
    canvas.drawImage(ImageReader(noise(700, 500)), 20, 170, 90, 70)
    faded = np.dstack([np.asarray(noise(50, 50)), np.full((50, 50), np.arange(0, 250, 5), np.uint8)])
    canvas.drawImage(ImageReader(Image.fromarray(faded)), 120, 120, 160, 180, mask="auto")
    canvas.drawImage(ImageReader(noise(90, 90).convert("1")), 10, 250, 100, 160)
    canvas.drawInlineImage(noise(20, 15), 180, 180, 50, 45)
    for turn, left in ((90, 190), (180, 240), (270, 200)):
        canvas.saveState()
        canvas.translate(left, 370)
        canvas.rotate(turn)
        canvas.scale(1, -1)
        canvas.drawImage(ImageReader(noise(30 + turn, 40)), 0, 0, 60, 40)
        canvas.restoreState()


def askew(canvas: Canvas, side: float = 30) -> None:
    """Draw images that stand neither upright nor on their side."""
    dice = random.Random(2)
    for number in range(12):
        canvas.saveState()
        canvas.translate(*_points(dice, 1))
        canvas.rotate(5 + number * 31)
        canvas.drawImage(ImageReader(noise(50, 40)), 0, 0, side, side * 0.7)
        canvas.restoreState()


def gradients(canvas: Canvas) -> None:
    for bottom in range(0, 400, 50):
        canvas.saveState()
        path = canvas.beginPath()
        path.rect(20, bottom, 250, 40)
        canvas.clipPath(path, stroke=0)
        canvas.linearGradient(0, bottom, WIDTH, bottom + 40, (colors.red, colors.yellow, colors.blue))
        canvas.restoreState()


def form_fields(canvas: Canvas) -> None:
    for number in range(9):
        canvas.acroForm.textfield(
            name=f"field{number}",
            value=f"filled in {number}",
            x=15 + 12 * number,
            y=20 + 44 * number,
            width=120,
            height=22,
        )
    canvas.acroForm.checkbox(name="box", checked=True, x=230, y=200, size=30)
    canvas.acroForm.choice(name="choice", options=["one", "two"], value="two", x=180, y=60, width=90, height=25)


def links(canvas: Canvas) -> None:
    canvas.linkURL("https://example.org", (30, 30, 200, 300), thickness=2, color=colors.red)
    canvas.textAnnotation("a note", (220, 320, 260, 360))


def _lines(count: int, seed: int) -> bytes:
    dice = random.Random(seed)
    return b" ".join(
        f"{dice.random():.2f} 0.2 0.6 RG {dice.random() * 2:.2f} w {x:.2f} {y:.2f} m {v:.2f} {w:.2f} l S".encode()
        for x, y, v, w in (_points(dice, 2) for _ in range(count))
    )


def _group(pdf: Written, content: bytes, box: tuple[float, ...], **resources: Any) -> Stream:
    group = Dictionary(S=Name.Transparency, I=True, CS=Name.DeviceRGB)
    return pdf.stream(
        content, Type=Name.XObject, Subtype=Name.Form, BBox=Array(box), Group=group, Resources=Dictionary(**resources)
    )


def groups(path: Path) -> Path:
    """Write a page of transparency groups, a soft mask and blend modes, all of them less than a band high."""
    pdf = Written()
    box = (0.0, 0.0, 280.0, 30.0)
    blended = _group(
        pdf, b"/M gs 0.9 0 0 0.07 0 0 cm " + _lines(20, 9), box, ExtGState=Dictionary(M=Dictionary(BM=Name.Multiply))
    )
    plain = _group(pdf, b"0.9 0 0 0.07 0 0 cm " + _lines(60, 4), box)
    fade = Dictionary(
        ShadingType=2, ColorSpace=Name.DeviceGray, Coords=Array([0, 0, 280, 0]),
        Function=Dictionary(FunctionType=2, Domain=Array([0, 1]), C0=Array([0]), C1=Array([1]), N=1),
    )  # fmt: skip
    mask = _group(pdf, b"/F sh", (0, 330, 280, 360), Shading=Dictionary(F=fade))
    mask.Group.CS = Name.DeviceGray
    states = Dictionary(
        H=Dictionary(ca=0.5, CA=0.5),
        D=Dictionary(BM=Name.Difference),
        S=Dictionary(SMask=Dictionary(S=Name.Luminosity, G=mask)),
    )
    content = b"0.9 0.9 0.2 rg 0 0 150 420 re f " + b" ".join(
        b"q 1 0 0 1 5 %d cm /%s gs /G Do Q" % (20 + 60 * number, state)
        for number, state in enumerate([b"H", b"D", b"H", b"D"])
    )
    content += b" ".join(b" q 1 0 0 1 5 %d cm /H gs /P Do Q" % bottom for bottom in range(50, 290, 60))
    pdf.page(
        content + b" q /S gs 1 0 0 rg 10 332 260 26 re f Q",
        SIZE,
        XObject=Dictionary(G=blended, P=plain),
        ExtGState=states,
    )
    return pdf.save(path)


def patterns(path: Path) -> Path:
    """Write a page with rows of a tiling pattern that stands askew, each less than a band high."""
    pdf = Written()
    cell = pdf.stream(
        b"1 0 0 rg 0 0 5 5 re f 0 0 1 RG 0.3 w 0 0 m 13 9 l S", Type=Name.Pattern, PatternType=1, PaintType=1,
        TilingType=1, BBox=Array([0, 0, 13, 9]), XStep=13.3, YStep=9.7, Resources=Dictionary(),
        Matrix=Array([0.9, 0.1, -0.1, 0.9, 3, 4]),
    )  # fmt: skip
    content = b"/Pattern cs /P scn " + b" f ".join(b"10 %d 270 30 re" % bottom for bottom in range(10, 400, 45)) + b" f"
    pdf.page(content, SIZE, Pattern=Dictionary(P=cell))
    return pdf.save(path)


def samples(path: Path) -> Path:
    """Write a page with images of 16 bits, CMYK, indexed colours, and one that is a stencil."""
    pdf, dice = Written(), np.random.default_rng(1)

    def image(data: Pixels | NDArray[np.uint16], width: int, height: int, bits: int, **entries: Any) -> Stream:
        return pdf.stream(
            data.tobytes(), Type=Name.XObject, Subtype=Name.Image, Width=width, Height=height, BitsPerComponent=bits,
            **entries,
        )  # fmt: skip

    palette = Array([Name.Indexed, Name.DeviceRGB, 3, bytes(range(12))])
    pictures: dict[str, Any] = {
        "/Deep": image(dice.integers(0, 65536, (30, 25, 3), np.uint16), 25, 30, 16, ColorSpace=Name.DeviceRGB),
        "/Press": image(dice.integers(0, 256, (25, 25, 4), np.uint8), 25, 25, 8, ColorSpace=Name.DeviceCMYK),
        "/Few": image(dice.integers(0, 4, (35, 35), np.uint8), 35, 35, 8, ColorSpace=palette),
        "/Stencil": image(dice.integers(0, 256, (40, 6), np.uint8), 48, 40, 1, ImageMask=True),
    }
    content = b"0 0.5 0 rg" + b" ".join(
        b" q 120 0 0 160 %d %d cm %s Do Q" % (20 + number % 2 * 140, 30 + number // 2 * 190, name.encode())
        for number, name in enumerate(pictures)
    )
    pdf.page(content, SIZE, XObject=Dictionary(pictures))
    return pdf.save(path)


def boxed(path: Path, **entries: Any) -> Path:
    """Write a page of lines with entries of its own in its dictionary: boxes, Rotate, UserUnit."""
    pdf = Written()
    page = pdf.page(_lines(40, 5) + b" 1 0 0 rg 40 50 60 70 re f", SIZE)
    for name, value in entries.items():
        page[f"/{name}"] = Array(list(value)) if isinstance(value, tuple) else value
    return pdf.save(path)


def _by(draw: Callable[[Canvas], None]) -> Callable[[Path], Path]:
    return lambda path: drawn(path, draw, size=SIZE)


KINDS: Mapping[str, Callable[[Path], Path]] = {
    "shapes": _by(shapes),
    "images": _by(images),
    "askew": _by(askew),
    "gradients": _by(gradients),
    "form fields": _by(form_fields),
    "links": _by(links),
    "groups": groups,
    "patterns": patterns,
    "samples": samples,
    "turned by 90": lambda path: boxed(path, Rotate=90),
    "turned by 180": lambda path: boxed(path, Rotate=180),
    "turned by 270": lambda path: boxed(path, Rotate=270),
    "cropped": lambda path: boxed(path, MediaBox=(-10.5, -20.3, 290, 410), CropBox=(33.3, 44.4, 280, 500)),
    "cropped and turned": lambda path: boxed(path, CropBox=(33.3, 44.4, 280, 350), Rotate=90),
}
