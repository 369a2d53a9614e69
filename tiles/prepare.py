"""Artwork to a prepared design: upright, trimmed, sRGB, at its printed pixel size. Runs in a child process.

Pixels flow once from top to bottom wherever the format allows it, so that memory stays that of a few rows. Only
artwork with an orientation tag is first laid down whole: on disk, not in memory. A PDF's page is drawn at its printed
size, and needs no resampling.
"""

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyvips

from config.errors import ArtworkError
from tiles.design import BYTES_PER_PX, Design, Geometry, Header, PreparedDesign
from tiles.geometry import Rect, spans
from tiles.header import open_artwork, reading, reason_of
from tiles.profile import has_profile, to_srgb
from tiles.resample import Rgba, Shrinker
from tiles.store import TileStore, stamp_of, write_prepared
from tiles.vips import disk_error

TRIM_ALPHA = 1  # the least alpha that counts as ink: anything the printer could lay down
SVG_MEASURE_PX = 2048  # an SVG's box is found on a drawing about this large, its longer side
PDF_MEASURE_PX = 8192  # a PDF's, at most: pdfium moves a rectangle's edges to whole pixels, which is to cut off no ink
OPAQUE = 255
_CHUNK_ROWS = 64  # fetched at once where nothing else asks for a number: some MB of the widest artwork
_GAP = 4.0  # pure Lanczos to an eighth of the size; beyond, whole pixels are averaged first


@dataclass(frozen=True, slots=True)
class Preparation:
    """One design to be prepared: into `target`, with room for temporaries beside it."""

    design: Design
    geometry: Geometry
    target: Path


def find_trim_box(design: Design, scratch: Path) -> Rect:
    """Return the smallest rectangle that holds all ink, in the design's upright header pixels.

    Raises ArtworkError for a design without any. An SVG's box, or a PDF's, is outwards to whole header pixels.
    """
    header = design.header
    if header.format == "pdf":
        return _page_box(design)
    scale = _measuring_scale(header)
    try:
        image = _upright(design, scratch, float(scale))
        if not image.hasalpha():
            return Rect(0, 0, header.width_px, header.height_px)
        box = _ink_box(_alpha(image))
        _check_unchanged(design)
    except pyvips.Error as error:
        raise _meaning(error) from None
    finally:
        scratch.unlink(missing_ok=True)
    if box.area == 0:
        raise ArtworkError("the artwork is wholly transparent")
    if header.is_vector:
        left, top = box.x // scale, box.y // scale
        right, bottom = -(-box.right // scale), -(-box.bottom // scale)
        whole = Rect(0, 0, header.width_px, header.height_px)
        return Rect(left, top, right - left, bottom - top).intersect(whole)
    return box


def prepare(job: Preparation) -> None:
    """Write the prepared design to `job.target` (a `.v` file); leave nothing there when it fails.

    The same design and geometry give the same bytes. Raises ArtworkError if the artwork cannot be decoded whole,
    or has changed since it was hashed; OSError if there is no room for it.
    """
    try:
        rows = prepared_rows(job.design, job.geometry, job.target)
        write_prepared(job.target, job.geometry, map(_four_bands, rows))
    except BaseException:
        job.target.unlink(missing_ok=True)
        raise


def prepare_in(store: TileStore, design: Design, geometry: Geometry) -> PreparedDesign:
    """Return the prepared design from `store`, prepared now unless it is there."""
    return store.put(design, geometry, lambda target: prepare(Preparation(design, geometry, target)))


def prepared_rows(design: Design, geometry: Geometry, beside: Path) -> Generator[Rgba, None, None]:
    """Yield the prepared design's rows, top to bottom, some at a time; what is yielded may be overwritten by the next.

    Artwork without alpha that is neither shrunk nor enlarged comes as RGB: three bands, where there are four otherwise.
    Room for temporaries is taken beside the path. Raises as `prepare` does, a change of the file after the last rows.
    """
    scratch = beside.with_suffix(".upright.v")
    try:
        rows = _drawn(design, geometry) if design.header.format == "pdf" else _decoded(design, geometry, scratch)
        yield from map(_premultiplied, rows) if geometry.premultiplied else rows
        _check_unchanged(design)
    except pyvips.Error as error:
        raise _meaning(error) from None
    finally:
        scratch.unlink(missing_ok=True)


def _decoded(design: Design, geometry: Geometry, scratch: Path) -> Iterator[Rgba]:
    """Return the rows of an image: trimmed, in sRGB, at the printed size."""
    image = _upright(design, scratch, _drawing_scale(design, geometry))
    image = _trimmed(image, geometry, design)
    if _is_shrunk(image, geometry):
        return _shrunk(_with_alpha(image), geometry)
    if image.hasalpha() or not _has_size(image, geometry):
        return _rows(_print_size(_with_alpha(image), geometry))
    return _rows(image)


def _drawn(design: Design, geometry: Geometry) -> Iterator[Rgba]:
    """Yield the rows of a PDF's page: what is shown of it fills the printed size."""
    from tiles.pdf.artwork import drawn_rows  # noqa: PLC0415 - pdfium is for those who have a PDF
    from tiles.pdf.canvas import View  # noqa: PLC0415

    header = design.header
    box = geometry.box or Rect(0, 0, header.width_px, header.height_px)
    wide, high = header.width_px, header.height_px
    view = View(box.x / wide, box.y / high, box.width / wide, box.height / high)
    with reading():
        yield from drawn_rows(design.path, header.page, (geometry.width_px, geometry.height_px), view)


def _page_box(design: Design) -> Rect:
    """Return the box of a PDF's page, outwards to whole header pixels."""
    from tiles.pdf.artwork import ink_box  # noqa: PLC0415 - as above

    header = design.header
    parts = math.ceil(max(header.width_px, header.height_px) / PDF_MEASURE_PX)
    width, height = math.ceil(header.width_px / parts), math.ceil(header.height_px / parts)
    with reading():
        box = ink_box(design.path, header.page, (width, height), TRIM_ALPHA)
    _check_unchanged(design)
    if box.area == 0:
        raise ArtworkError("the artwork is wholly transparent")
    left, top = box.x * header.width_px // width, box.y * header.height_px // height
    right, bottom = -(-box.right * header.width_px // width), -(-box.bottom * header.height_px // height)
    return Rect(left, top, right - left, bottom - top)


def _upright(design: Design, scratch: Path, scale: float) -> pyvips.Image:
    """Open the design so that its first row is its top row; through `scratch` when it lies on its side."""
    image = open_artwork(design.path, design.header.format, scale)
    if design.header.orientation == 1:
        return image
    image.write_to_file(str(scratch))
    return pyvips.Image.new_from_file(str(scratch), access="random").autorot()


def _check_unchanged(design: Design) -> None:
    with reading():
        stamp = stamp_of(design.path)
    if stamp != design.stamp:
        raise ArtworkError("the file changed while it was read", "Run again when nobody writes to it.")


def _alpha(image: pyvips.Image) -> pyvips.Image:
    """Return the alpha channel in 8 bits, as it is printed."""
    alpha = image[image.bands - 1]
    return (alpha >> 8).cast("uchar") if alpha.format == "ushort" else alpha


def _ink_box(alpha: pyvips.Image) -> Rect:
    """Return the box of samples at or above TRIM_ALPHA, found in one pass."""
    x, y, width, height = alpha.find_trim(threshold=TRIM_ALPHA - 1, background=[0], line_art=True)
    return Rect(int(x), int(y), int(width), int(height))


def _measuring_scale(header: Header) -> Fraction:
    """Return the scale at which an SVG's box is looked for, an even one so that its edges are found exactly."""
    longest = max(header.width_px, header.height_px)
    if not header.is_vector:
        return Fraction(1)
    if longest > SVG_MEASURE_PX:
        return Fraction(1, -(-longest // SVG_MEASURE_PX))
    return Fraction(SVG_MEASURE_PX // longest)


def _drawing_scale(design: Design, geometry: Geometry) -> float:
    """Return the scale at which an SVG has at least the pixels it is printed with; 1 for all else."""
    if not design.header.is_vector:
        return 1.0
    box = geometry.box or Rect(0, 0, design.header.width_px, design.header.height_px)
    return max(geometry.width_px / box.width, geometry.height_px / box.height)


def _trimmed(image: pyvips.Image, geometry: Geometry, design: Design) -> pyvips.Image:
    """Return the image trimmed, in 8-bit sRGB, with the alpha it had."""
    if geometry.box is not None:
        image = _crop(image, geometry.box, image.width / design.header.width_px)
    return _to_srgb(image)


def _has_size(image: pyvips.Image, geometry: Geometry) -> bool:
    return (image.width, image.height) == (geometry.width_px, geometry.height_px)


def _is_shrunk(image: pyvips.Image, geometry: Geometry) -> bool:
    """Tell whether the image becomes smaller, and larger in neither direction."""
    smaller = geometry.width_px <= image.width and geometry.height_px <= image.height
    return smaller and not _has_size(image, geometry)


def _shrunk(image: pyvips.Image, geometry: Geometry) -> Iterator[Rgba]:
    """Yield the image's rows at its printed size, top to bottom."""
    shrinker = Shrinker((image.width, image.height), (geometry.width_px, geometry.height_px))
    for chunk in _rows(image, shrinker.rows_in):
        yield from shrinker.take(chunk)


def _rows(image: pyvips.Image, count: int = _CHUNK_ROWS) -> Iterator[Rgba]:
    """Yield an image's rows, `count` at a time."""
    region = pyvips.Region.new(image)
    for top, rows in spans(image.height, count):
        fetched = region.fetch(0, top, image.width, rows)
        yield np.frombuffer(fetched, np.uint8).reshape(rows, image.width, image.bands)


def _four_bands(rows: Rgba) -> Rgba:
    """Return rows as RGBA, whatever they came as."""
    if rows.shape[2] == BYTES_PER_PX:
        return rows
    whole = np.full((*rows.shape[:2], BYTES_PER_PX), OPAQUE, np.uint8)
    whole[..., :3] = rows
    return whole


def _premultiplied(rows: Rgba) -> Rgba:
    """Return rows with their colours multiplied by alpha, rounded half up."""
    alpha = rows[..., 3:]
    if not alpha.size or alpha.min() == OPAQUE:
        return rows
    product = rows[..., :3].astype(np.uint16) * alpha + OPAQUE // 2
    return np.concatenate([(product // OPAQUE).astype(np.uint8), alpha], axis=2)


def _print_size(image: pyvips.Image, geometry: Geometry) -> pyvips.Image:
    """Return the image at its printed size, as it is or enlarged; no colour is left where there is no ink."""
    if not _has_size(image, geometry):
        image = _enlarged(image, geometry.width_px, geometry.height_px)
    inked = image[3] > 0
    return inked.ifthenelse(image, [0, 0, 0, 0]).copy(interpretation="srgb", xres=1.0, yres=1.0)


def _crop(image: pyvips.Image, box: Rect, scale: float) -> pyvips.Image:
    left, top = round(box.x * scale), round(box.y * scale)
    width = min(image.width - left, max(1, round(box.width * scale)))
    height = min(image.height - top, max(1, round(box.height * scale)))
    return image.crop(left, top, width, height)


def _with_alpha(image: pyvips.Image) -> pyvips.Image:
    return image if image.hasalpha() else image.addalpha()


def _to_srgb(image: pyvips.Image) -> pyvips.Image:
    """Return 8-bit sRGB with the alpha it had."""
    if (image.format, image.interpretation) == ("uchar", "srgb") and not has_profile(image):
        return image
    if not image.hasalpha():
        return to_srgb(image)
    return to_srgb(image.extract_band(0, n=image.bands - 1)).bandjoin(_alpha(image))


def _enlarged(image: pyvips.Image, width_px: int, height_px: int) -> pyvips.Image:
    """Resample to a size that is larger in one direction at least, in premultiplied alpha: no colour bleeds in.

    Bicubic, about pixel centres; libvips' own `resize` would shift the picture by half a printed pixel. A direction
    in which it becomes smaller is shrunk by Lanczos first.
    """
    narrow, low = min(width_px, image.width), min(height_px, image.height)
    lanczos = {"kernel": "lanczos3", "gap": _GAP}
    resized = image.premultiply().reduceh(image.width / narrow, **lanczos).reducev(image.height / low, **lanczos)
    resized = resized.affine(
        [width_px / narrow, 0, 0, height_px / low],
        interpolate=pyvips.Interpolate.new("bicubic"),
        oarea=[0, 0, width_px, height_px],
        idx=0.5,
        idy=0.5,
        odx=-0.5,
        ody=-0.5,
        extend="copy",
        premultiplied=True,
    )
    return resized.unpremultiply().rint().cast("uchar")


def _meaning(error: pyvips.Error) -> ArtworkError | OSError:
    """Return what a libvips error means: a full disk, or an artwork that cannot be decoded."""
    undecodable = ArtworkError(f"cannot be decoded whole: {reason_of(error)}", "Export the artwork again.")
    return disk_error(error) or undecodable
