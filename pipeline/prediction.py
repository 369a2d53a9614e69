"""How much memory and disk a step will need, from headers and sizes alone. Pure.

The constants were measured with libvips 8.18 on Linux x86-64; `make bench` prints prediction beside measurement.
"""

from collections.abc import Sequence

from tiles.design import BYTES_PER_PX, Design, Geometry, Header
from tiles.strips import STRIP_BYTES, strip_rows

PROCESS_BYTES = 40_000_000  # the main process with all it imports, before the first pixel
SERVER_BYTES = 30_000_000  # what children are forked off, with libvips and numpy; once, if there are any
CHILD_BYTES = 28_000_000  # a child, beyond what it shares with the server
COLUMN_BYTES = 9_500  # what a child holds for a column of its artwork: lines decoded, and resampled
PHOTO_BLOCK_BYTES = 5_000  # for a column of a block of a mock-up: its planes, on each thread
ENCODER_BYTES_PER_PX = 12  # of WebP, which holds the whole picture, its prediction and its tokens
SECTION_BYTES = 25_000_000  # a child that cuts a section, reads its text, and draws its pages small
PAGE_BYTES = 40_000_000  # of a page that is drawn: the band at hand, and what pdfium holds for it, images among it
COPY_BYTES = 1_500  # what plan and manifest hold for a copy
DECODER_SHARE = {"heif": 3.0, "webp": 1.6, "jpeg": 2.2}  # of decoded_bytes, when the whole image is held
LOSSLESS_GROWTH = 2.0  # a shrunken PNG has more detail in each pixel than its original
LOSSY_BYTES_PER_PX = 3.0  # a photograph with its grain, deflated


def render_bytes(width_px: int, threads: int) -> int:
    """Return what rendering a sheet this wide holds: strips under way, filtered and compressed."""
    strip = max(STRIP_BYTES, strip_rows(width_px) * width_px * BYTES_PER_PX)
    return strip * (2 * (threads + 1) + 3)


def prepare_bytes(header: Header, geometry: Geometry) -> int:
    """Return what a child preparing a design holds: a few rows, or the whole image where its decoder needs it.

    A page of a PDF is drawn in bands of one size, with the images on it, which its header does not tell of.
    """
    if header.format == "pdf":
        return CHILD_BYTES + PAGE_BYTES
    rows = max(header.width_px, geometry.width_px) * COLUMN_BYTES
    whole = header.decoded_bytes * DECODER_SHARE.get(header.format, 1.0) if header.buffered else 0
    return int(CHILD_BYTES + rows + whole)


def photo_bytes(
    headers: Sequence[Header], width_px: int, height_px: int, area_px: int, threads: int, *, encoder_holds_all: bool
) -> int:
    """Return what a child making a mock-up holds: strips, blocks of them in single precision, and what decoders hold.

    `headers` are of the pictures read beside each other, the background among them; its widest area is `area_px` wide.
    """
    strip = max(STRIP_BYTES, strip_rows(width_px) * width_px * BYTES_PER_PX)
    under_way = strip * (threads + 2 + len(headers))
    blocks = area_px * PHOTO_BLOCK_BYTES * threads
    decoders = sum(
        header.width_px * COLUMN_BYTES // 4
        + (header.decoded_bytes * DECODER_SHARE.get(header.format, 1.0) if header.buffered else 0)
        for header in headers
    )
    encoder = width_px * height_px * ENCODER_BYTES_PER_PX if encoder_holds_all else 0
    return int(CHILD_BYTES + under_way + blocks + decoders + encoder)


def section_bytes(*, draws: bool, threads: int) -> int:
    """Return what a child making a section of a PDF holds, whatever its pages' size: they are drawn in bands."""
    return SECTION_BYTES + (PAGE_BYTES + (threads + 3) * STRIP_BYTES if draws else 0)


def peak_bytes(width_px: int, copies: int, work: Sequence[tuple[Design, Geometry]], threads: int) -> int:
    """Return the most a run will hold at once: while designs are prepared, or while a part is rendered."""
    children = sorted((prepare_bytes(design.header, geometry) for design, geometry in work), reverse=True)[:threads]
    server = SERVER_BYTES if children else 0
    return PROCESS_BYTES + copies * COPY_BYTES + server + max(sum(children), render_bytes(width_px, threads))


def part_file_bytes(designs: Sequence[tuple[Header, int, int]]) -> int:
    """Return about how large a part's file becomes, from its designs' own compression.

    `designs` holds (header, bytes of the artwork's file, printed pixels of all its copies on the part).
    """
    total = 0.0
    for header, file_bytes, printed_px in designs:
        lossless = header.format in {"png", "tiff"}
        grown = file_bytes / (header.width_px * header.height_px) * LOSSLESS_GROWTH
        total += printed_px * min(BYTES_PER_PX, grown if lossless else LOSSY_BYTES_PER_PX)
    return int(total)
