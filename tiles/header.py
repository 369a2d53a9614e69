"""Reading what a file says of itself, before any of its pixels is decoded. Runs in a child process.

The format is what the bytes are, never what the name says.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyvips

from config.errors import ArtworkError
from tiles.design import BYTES_PER_PX, Header, Limits
from tiles.profile import DAMAGED, has_profile, profile_problem

ACCEPTED = "PNG, JPEG, TIFF, WebP, AVIF, HEIF or PDF"
PDF_DPI = 600  # of the pixels that a PDF's header states; it is drawn at any other as well
SVG_MAX_BYTES = 5_000_000

_HEAD_BYTES = 4096
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SIGNATURES = {
    _PNG_SIGNATURE: "png",
    b"\xff\xd8\xff": "jpeg",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
}
_HEIF_BRANDS = {b"avif", b"heic", b"heix", b"heim", b"heis", b"mif1"}
_OTHERS = {b"GIF8": "GIF", b"8BPS": "PSD", b"%!PS": "EPS", b"BM": "BMP", b"\0\0\1\0": "ICO"}
_BITS = {"uchar": 8, "ushort": 16}
_TURNED = range(5, 9)  # EXIF orientations that swap width and height
_CHUNK_HEAD_BYTES, _CRC_BYTES, _PHYS_BYTES = 8, 4, 9  # of a PNG: length and type, check sum; two sizes and a unit
_PHYS_QUANTUM_DPI = 0.0254  # pHYs counts whole pixels per metre
_MAX_DPI = 100_000  # a tag beyond is a mistake
_WITH_RESOLUTION = {"png", "jpeg", "tiff"}  # libvips does not read it from the EXIF of WebP and HEIF
_PDF_HEAD_BYTES = 1024  # where readers look for the mark, behind what a server may have put before it
_METRE = 1  # the unit of pHYs; 0 says no more than the pixels' shape


def read_header(path: Path, limits: Limits, page: int | None = None) -> Header:
    """Read and judge the header of the artwork at `path`; raise ArtworkError with the reason if it is unfit.

    `page` is the one meant of a PDF, counted from 1; None will do for one that has no others.
    """
    with reading():
        limits.check_bytes(path.stat().st_size)
        kind = format_of(path)
        if kind == "pdf":
            return _page_header(path, page)
        if page is not None:
            raise ArtworkError(f"page {page:,} is asked for, and the content is no PDF")
        if kind == "svg" and not limits.allow_svg:
            raise ArtworkError("SVG is not accepted here", "Set designs.allow_svg: true, or send a PNG.")
        chunks = _png_chunks(path) if kind == "png" else {}
    try:
        image = open_artwork(path, kind)
    except pyvips.Error as error:
        raise ArtworkError(f"cannot be decoded: {reason_of(error)}") from None
    return _judge(image, kind, limits, chunks)


@contextmanager
def reading() -> Iterator[None]:
    """Turn what goes wrong when an artwork's file is read into a reason against it."""
    try:
        yield
    except OSError as error:
        raise ArtworkError(f"cannot be read: {error.strerror or error}") from None


def format_of(path: Path) -> str:
    """Return the accepted format that the file's first bytes show; raise ArtworkError for any other."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for signature, kind in _SIGNATURES.items():
        if head.startswith(signature):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return "heif"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"<svg" in head:
        return "svg"
    if b"%PDF-" in head[:_PDF_HEAD_BYTES]:
        return "pdf"
    what = next((name for signature, name in _OTHERS.items() if head.startswith(signature)), "")
    raise ArtworkError(f"{what} is not accepted" if what else "the content is no image", f"Send {ACCEPTED}.")


def open_artwork(path: Path, kind: str, scale: float = 1.0) -> pyvips.Image:
    """Open an artwork for one pass from top to bottom; any warning of its decoder is an error.

    SVG comes from a buffer, so that it cannot pull in files beside it, drawn at `scale`.
    """
    options = {"access": "sequential", "fail_on": "warning"}
    if kind == "svg":
        with reading():
            if path.stat().st_size > SVG_MAX_BYTES:
                raise ArtworkError(f"the SVG is larger than {SVG_MAX_BYTES:,} bytes")
            text = path.read_bytes()
        return pyvips.Image.svgload_buffer(text, scale=scale, **options)
    loaders = {
        "png": pyvips.Image.pngload,
        "jpeg": pyvips.Image.jpegload,
        "tiff": pyvips.Image.tiffload,
        "webp": pyvips.Image.webpload,
        "heif": pyvips.Image.heifload,
    }
    return loaders[kind](str(path), **options)


def reason_of(error: pyvips.Error) -> str:
    """Return what libvips said last, in one line; for a mere warning of a decoder it says nothing."""
    lines = [line.strip() for line in error.detail.splitlines() if line.strip()]
    return lines[-1] if lines else "it is damaged, or not what its format demands"


def _page_header(path: Path, page: int | None) -> Header:
    """Return the header of a page of a PDF; pdfium is imported by whoever has one."""
    from tiles.pdf.artwork import measured  # noqa: PLC0415

    number, (width, height) = measured(path, page, PDF_DPI)
    return Header(
        format="pdf",
        width_px=width,
        height_px=height,
        bands=BYTES_PER_PX,
        bits=8,
        dpi=float(PDF_DPI),
        orientation=1,
        has_profile=False,
        buffered=False,
        has_alpha=True,
        page=number,
    )


def _png_chunks(path: Path) -> dict[bytes, bytes]:
    """Return how each chunk before a PNG's pixels begins, by its type."""
    chunks: dict[bytes, bytes] = {}
    with path.open("rb") as file:
        file.seek(len(_PNG_SIGNATURE))
        while len(head := file.read(_CHUNK_HEAD_BYTES)) == _CHUNK_HEAD_BYTES and head[4:] != b"IDAT":
            length = int.from_bytes(head[:4], "big")
            chunks[head[4:]] = file.read(min(length, _PHYS_BYTES))
            file.seek(length - len(chunks[head[4:]]) + _CRC_BYTES, os.SEEK_CUR)
    return chunks


def _judge(image: pyvips.Image, kind: str, limits: Limits, png_chunks: Mapping[bytes, bytes]) -> Header:
    pages = _field(image, "n-pages", 1)
    if pages > 1:
        raise ArtworkError(f"the file has {pages} pages; one is expected", "Send each page as its own file.")
    colours = {"b-w": 1, "grey16": 1, "cmyk": 4}.get(image.interpretation, 3)
    if image.format not in _BITS or not colours <= image.bands <= colours + 1:
        raise ArtworkError(
            f"{image.bands} channels of {image.format} samples are not accepted",
            "Send grey, RGB or CMYK with at most one alpha channel, 8 or 16 bits each.",
        )
    orientation = _field(image, "orientation", 1)
    turned = orientation in _TURNED
    dropped = b"iCCP" in png_chunks and not has_profile(image)
    problem = DAMAGED if dropped else profile_problem(image)
    header = Header(
        format=kind,
        width_px=image.height if turned else image.width,
        height_px=image.width if turned else image.height,
        bands=image.bands,
        bits=_BITS[image.format],
        dpi=_png_dpi(png_chunks[b"pHYs"]) if b"pHYs" in png_chunks else _dpi(image, kind),
        orientation=orientation,
        has_profile=has_profile(image),
        buffered=_is_buffered(image, kind),
        warnings=(problem,) if problem else (),
        has_alpha=image.bands > colours,
    )
    limits.check(header)
    return header


def _field(image: pyvips.Image, name: str, default: int) -> int:
    return int(image.get(name)) if image.get_typeof(name) else default


def _dpi(image: pyvips.Image, kind: str) -> float | None:
    """Return the resolution tag of a JPEG or TIFF, or the EXIF of a PNG; libvips makes one up where there is none."""
    if kind not in _WITH_RESOLUTION or not image.get_typeof("resolution-unit"):
        return None
    return _rounded_dpi(image.xres * 25.4)


def _png_dpi(phys: bytes) -> float | None:
    return _rounded_dpi(int.from_bytes(phys[:4], "big") * 0.0254) if phys[8:9] == bytes([_METRE]) else None


def _rounded_dpi(dpi: float) -> float | None:
    """Return a DPI tag, None for nonsense; one within the grain of pHYs of a whole number is that number."""
    if not 0 < dpi < _MAX_DPI:
        return None
    return float(round(dpi)) if abs(dpi - round(dpi)) <= _PHYS_QUANTUM_DPI else round(dpi, 3)


def _is_buffered(image: pyvips.Image, kind: str) -> bool:
    """Tell whether the decoder holds all pixels: HEIF and WebP always, interlaced PNG and progressive JPEG too."""
    progressive = _field(image, "interlaced", 0) or _field(image, "jpeg-multiscan", 0)
    return kind in {"heif", "webp", "svg"} or bool(progressive)
