"""A PDF's images as they are printed: effective resolution, and the colours they are stored in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pikepdf
import pypdfium2
from pypdfium2 import raw

from tiles.pdf.marks import ImageMark
from tiles.pdf.tree import entry, items_of, name_of, number_of
from tiles.pdf.values import POINTS_PER_INCH

_NAMED = {
    "DeviceGray": "grey", "G": "grey", "CalGray": "grey",
    "DeviceRGB": "RGB", "RGB": "RGB", "CalRGB": "RGB",
    "DeviceCMYK": "CMYK", "CMYK": "CMYK",
    "Lab": "Lab", "Indexed": "indexed", "I": "indexed", "Separation": "spot", "DeviceN": "several inks",
}  # fmt: skip
_BY_CHANNELS = {1: "grey", 3: "RGB", 4: "CMYK"}
_FAMILIES = {
    raw.FPDF_COLORSPACE_DEVICEGRAY: "grey", raw.FPDF_COLORSPACE_CALGRAY: "grey",
    raw.FPDF_COLORSPACE_DEVICERGB: "RGB", raw.FPDF_COLORSPACE_CALRGB: "RGB",
    raw.FPDF_COLORSPACE_DEVICECMYK: "CMYK", raw.FPDF_COLORSPACE_LAB: "Lab",
    raw.FPDF_COLORSPACE_INDEXED: "indexed", raw.FPDF_COLORSPACE_SEPARATION: "spot",
    raw.FPDF_COLORSPACE_DEVICEN: "several inks",
}  # fmt: skip
UNKNOWN = "unknown"
BITONAL = "bitonal"


@dataclass(frozen=True, slots=True)
class PlacedImage:
    """An image as it is printed at 100 %.

    `page` is its number in the document. `dpi_x` is the resolution along the image's rows, `dpi_y` along its columns.
    `colours` are RGB, CMYK, grey, bitonal, indexed, Lab, spot, several inks or unknown; `bits` are for each sample,
    None if the PDF does not say. It is `transparent` if it has a mask of greys.
    """

    page: int
    width_px: int
    height_px: int
    dpi_x: float
    dpi_y: float
    colours: str
    bits: int | None
    transparent: bool

    @property
    def dpi(self) -> float:
        """The lower of the two."""
        return min(self.dpi_x, self.dpi_y)


@dataclass(frozen=True, slots=True)
class Samples:
    """How an image's samples are stored, in the words of `PlacedImage`."""

    colours: str
    bits: int | None
    transparent: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """What a PDF says of an image: its size, the length of its stream in bytes, and its samples."""

    width_px: int
    height_px: int
    bytes: int
    samples: Samples


class StoredImages:
    """Finds what a PDF says of an image that pdfium shows, by its size, and by its length where that is not enough."""

    def __init__(self, images: Iterable[Stored]) -> None:
        """Take all images of a document."""
        self._by_size: dict[tuple[int, int], set[Stored]] = {}
        for image in images:
            self._by_size.setdefault((image.width_px, image.height_px), set()).add(image)

    def find(self, mark: ImageMark) -> Samples | None:
        """Return an image's samples; None if it is not there, as those within a page's content, or unclear."""
        alike = self._by_size.get((mark.width_px, mark.height_px), set())
        told = {image.samples for image in alike}
        if len(told) > 1:
            length = raw.FPDFImageObj_GetImageDataRaw(mark.handle, None, 0)
            told = {image.samples for image in alike if image.bytes == length}
        return told.pop() if len(told) == 1 else None


def placed(
    page: pypdfium2.PdfPage, number: int, user_unit: float, marks: Iterable[ImageMark], stored: StoredImages
) -> list[PlacedImage]:
    """Return a page's images as they are printed; `number` is the page's in the document. The page must be open."""
    images = []
    for mark in marks:
        samples = stored.find(mark) or _as_pdfium_reads(page, mark)
        dpi_x = _dpi(mark.width_px, mark.width_pt * user_unit)
        dpi_y = _dpi(mark.height_px, mark.height_pt * user_unit)
        colours, bits, transparent = samples.colours, samples.bits, samples.transparent
        images.append(PlacedImage(number, mark.width_px, mark.height_px, dpi_x, dpi_y, colours, bits, transparent))
    return images


def stored_image(stream: pikepdf.Stream) -> Stored | None:
    """Return what an image's dictionary says; None if it has no size. Nothing is decoded."""
    width, height = (number_of(entry(stream, key)) for key in ("/Width", "/Height"))
    if width is None or height is None:
        return None
    length = number_of(entry(stream, "/Length"))
    return Stored(int(width), int(height), int(length or 0), _samples(stream))


def _samples(stream: pikepdf.Stream) -> Samples:
    if entry(stream, "/ImageMask") is True:
        return Samples(BITONAL, 1)
    bits = number_of(entry(stream, "/BitsPerComponent"))
    colours = colours_of(entry(stream, "/ColorSpace"))
    if colours == "grey" and bits == 1:
        colours = BITONAL
    transparent = isinstance(entry(stream, "/SMask"), pikepdf.Stream) or bool(number_of(entry(stream, "/SMaskInData")))
    return Samples(colours, None if bits is None else int(bits), transparent)


def colours_of(space: Any) -> str:
    """Return what a colour space is called here."""
    parts = items_of(space)
    name = name_of(parts[0] if parts else space)
    if name == "ICCBased" and len(parts) > 1:
        return _BY_CHANNELS.get(int(number_of(entry(parts[1], "/N")) or 0), UNKNOWN)
    return _NAMED.get(name, UNKNOWN)


def _as_pdfium_reads(page: pypdfium2.PdfPage, mark: ImageMark) -> Samples:
    """Return an image's samples where the dictionary is out of reach; pdfium tells the kind of space, not the bits."""
    read = raw.FPDF_IMAGEOBJ_METADATA()
    if not raw.FPDFImageObj_GetImageMetadata(mark.handle, page, read):
        return Samples(UNKNOWN, None)
    if read.bits_per_pixel == 1:
        return Samples(BITONAL, 1)
    return Samples(_FAMILIES.get(read.colorspace, UNKNOWN), None)


def _dpi(pixels: int, length_pt: float) -> float:
    return round(min(pixels * POINTS_PER_INCH / length_pt, 1e9), 1) if length_pt > 0 else 0.0
