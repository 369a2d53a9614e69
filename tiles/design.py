"""The nouns of artwork: what its header says, what it is, and how it is to be prepared. No pixels, no files read."""

from dataclasses import dataclass
from pathlib import Path

from config.errors import ArtworkError
from tiles.geometry import Rect

BYTES_PER_PX = 4  # RGBA, 8 bits each


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself. Width and height are upright: after its orientation tag is applied.

    `dpi` is its resolution tag, None when it has none. `format` is png, jpeg, tiff, webp, heif, svg or pdf.
    `buffered` says that its decoder holds the whole image in memory. `warnings` are for the operator.
    `page` is the one meant of a PDF, counted from 1, whose pixels are those it would have at its `dpi`.
    """

    format: str
    width_px: int
    height_px: int
    bands: int
    bits: int
    dpi: float | None
    orientation: int
    has_profile: bool
    buffered: bool
    warnings: tuple[str, ...] = ()
    has_alpha: bool = False
    page: int = 1

    @property
    def is_vector(self) -> bool:
        """Whether it can be drawn at any size."""
        return self.format in {"svg", "pdf"}

    @property
    def decoded_bytes(self) -> int:
        """The whole image, decoded."""
        return self.width_px * self.height_px * self.bands * ((self.bits + 7) // 8)


@dataclass(frozen=True, slots=True)
class Limits:
    """What untrusted artwork may ask for; checked from its header, before a pixel is decoded."""

    max_pixels: int = 500_000_000
    max_bytes: int = 2_000_000_000
    allow_svg: bool = False

    def check_bytes(self, size: int) -> None:
        """Raise ArtworkError if a file of `size` bytes is empty or larger than is allowed."""
        if size == 0:
            raise ArtworkError("the file is empty")
        if size > self.max_bytes:
            raise ArtworkError(f"the file has {size:,} bytes; at most {self.max_bytes:,} are accepted")

    def check(self, header: "Header") -> None:
        """Raise ArtworkError if a header asks for more than is allowed.

        A PDF's page asks for nothing: it is drawn at its printed size, in bands.
        """
        if header.format == "pdf":
            return
        if header.format == "svg" and not self.allow_svg:
            raise ArtworkError("SVG is not accepted here", "Set designs.allow_svg: true, or send a PNG.")
        if header.width_px * header.height_px > self.max_pixels:
            raise ArtworkError(
                f"the header claims {header.width_px:,} × {header.height_px:,} pixels; "
                f"at most {self.max_pixels:,} pixels are accepted"
            )


@dataclass(frozen=True, slots=True)
class Design:
    """One distinct artwork: its content's SHA-256, where it lies, and its header.

    `stamp` is the file's identity, size and time when it was hashed; a file that no longer bears it has changed.
    """

    sha256: str
    path: Path
    file_bytes: int
    stamp: tuple[int, ...]
    header: Header


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a design is to be prepared: trimmed to `box` (upright pixels) or whole, then resized to exactly this.

    `premultiplied` colours are what is resampled once more: a transparent pixel's colour then counts for nothing.
    """

    width_px: int
    height_px: int
    box: Rect | None = None
    premultiplied: bool = False

    @property
    def prepared_bytes(self) -> int:
        """What the prepared design takes in the store, without its small header."""
        return self.width_px * self.height_px * BYTES_PER_PX


@dataclass(frozen=True, slots=True)
class PreparedDesign:
    """An artwork at its printed pixel size: 8-bit RGBA, sRGB, in a memory-mappable `.v` file; alpha by its geometry."""

    path: Path
    width_px: int
    height_px: int
