"""Reading what a file says of itself, before any of its pixels is decoded. Runs in a child process.

The format is what the bytes are, never what the name says.
"""

from pathlib import Path

import pyvips

from config.errors import ArtworkError
from tiles.design import Header, Limits

ACCEPTED = "PNG, JPEG, TIFF, WebP, AVIF or HEIF"
SVG_MAX_BYTES = 5_000_000

_HEAD_BYTES = 4096
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
}
_HEIF_BRANDS = {b"avif", b"heic", b"heix", b"heim", b"heis", b"mif1"}
_OTHERS = {b"GIF8": "GIF", b"%PDF": "PDF", b"8BPS": "PSD", b"%!PS": "EPS", b"BM": "BMP", b"\0\0\1\0": "ICO"}
_BITS = {"uchar": 8, "ushort": 16}
_TURNED = range(5, 9)  # EXIF orientations that swap width and height
_PHYS_QUANTUM_DPI = 0.0254  # pHYs counts whole pixels per metre
_ICC_SPACES = {"b-w": b"GRAY", "grey16": b"GRAY", "cmyk": b"CMYK"}


def read_header(path: Path, limits: Limits) -> Header:
    """Read and judge the header of the artwork at `path`; raise ArtworkError with the reason if it is unfit."""
    size = path.stat().st_size
    if size == 0:
        raise ArtworkError("the file is empty")
    if size > limits.max_bytes:
        raise ArtworkError(f"the file has {size:,} bytes; at most {limits.max_bytes:,} are accepted")
    kind = format_of(path)
    if kind == "svg" and not limits.allow_svg:
        raise ArtworkError("SVG is not accepted here", "Set designs.allow_svg: true, or send a PNG.")
    try:
        image = open_artwork(path, kind)
    except pyvips.Error as error:
        raise ArtworkError(f"cannot be decoded: {first_line(error)}") from None
    return _judge(image, kind, limits)


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
    what = next((name for signature, name in _OTHERS.items() if head.startswith(signature)), "")
    raise ArtworkError(f"{what} is not accepted" if what else "the content is no image", f"Send {ACCEPTED}.")


def open_artwork(path: Path, kind: str, scale: float = 1.0) -> pyvips.Image:
    """Open an artwork for one pass from top to bottom; any warning of its decoder is an error.

    SVG comes from a buffer, so that it cannot pull in files beside it, drawn at `scale`.
    """
    options = {"access": "sequential", "fail_on": "warning"}
    if kind == "svg":
        if path.stat().st_size > SVG_MAX_BYTES:
            raise ArtworkError(f"the SVG is larger than {SVG_MAX_BYTES:,} bytes")
        return pyvips.Image.svgload_buffer(path.read_bytes(), scale=scale, **options)
    loaders = {
        "png": pyvips.Image.pngload,
        "jpeg": pyvips.Image.jpegload,
        "tiff": pyvips.Image.tiffload,
        "webp": pyvips.Image.webpload,
        "heif": pyvips.Image.heifload,
    }
    return loaders[kind](str(path), **options)


def first_line(error: pyvips.Error) -> str:
    """Return what libvips said in one line, without the path in it."""
    lines = [line.strip() for line in str(error.detail or error.message).splitlines() if line.strip()]
    return lines[-1] if lines else "unknown error"


def _judge(image: pyvips.Image, kind: str, limits: Limits) -> Header:
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
    header = Header(
        format=kind,
        width_px=image.height if turned else image.width,
        height_px=image.width if turned else image.height,
        bands=image.bands,
        bits=_BITS[image.format],
        dpi=_dpi(image, kind),
        orientation=orientation,
        has_profile=bool(image.get_typeof("icc-profile-data")),
        buffered=_is_buffered(image, kind),
        warnings=_profile_warnings(image),
    )
    limits.check(header)
    return header


def _field(image: pyvips.Image, name: str, default: int) -> int:
    return int(image.get(name)) if image.get_typeof(name) else default


def _dpi(image: pyvips.Image, kind: str) -> float | None:
    """Return the resolution tag in DPI; a tag within the grain of pHYs of a whole number is that number."""
    if kind == "svg" or (image.xres == 1.0 and not image.get_typeof("resolution-unit")):
        return None
    dpi = image.xres * 25.4
    return float(round(dpi)) if abs(dpi - round(dpi)) <= _PHYS_QUANTUM_DPI else round(dpi, 3)


def _is_buffered(image: pyvips.Image, kind: str) -> bool:
    """Tell whether the decoder holds all pixels: HEIF and WebP always, interlaced PNG and progressive JPEG too."""
    progressive = _field(image, "interlaced", 0) or _field(image, "jpeg-multiscan", 0)
    return kind in {"heif", "webp", "svg"} or bool(progressive)


def _profile_warnings(image: pyvips.Image) -> tuple[str, ...]:
    if not image.get_typeof("icc-profile-data"):
        return ()
    profile = bytes(image.get("icc-profile-data"))
    expected = _ICC_SPACES.get(image.interpretation, b"RGB ")
    if profile[36:40] != b"acsp":  # ICC.1:2022, 7.2: profile file signature, then data colour space
        return ("its colour profile is damaged and was ignored",)
    if profile[16:20] != expected:
        space = profile[16:20].decode("ascii", "replace").strip()
        return (f"its colour profile is for {space} and does not fit its pixels; it was ignored",)
    return ()
