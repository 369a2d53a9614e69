"""Headers: what a file says of itself is read from its content; what is unfit is refused before a pixel is decoded."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import pyvips
from PIL import Image

from config.errors import ArtworkError
from tiles.design import Header, Limits
from tiles.header import SVG_MAX_BYTES, read_header
from tiles.vips import srgb_profile

WIDTH, HEIGHT = 30, 20
LIMITS = Limits(allow_svg=True)
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"><rect width="9" height="9"/></svg>'
RNG = np.random.default_rng(1)
RGBA8 = RNG.integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)
RGBA16 = RNG.integers(0, 65536, (HEIGHT, WIDTH, 4), np.uint16)

RGBA = Image.fromarray(RGBA8)
RGB = RGBA.convert("RGB")
GREY = RGBA.convert("L")
Make = Callable[[Path], object]


def vips(pixels: np.ndarray[tuple[int, ...], np.dtype[np.generic]], interpretation: str) -> pyvips.Image:
    height, width, bands = pixels.shape
    formats = {"uint8": "uchar", "uint16": "ushort", "float32": "float"}
    image = pyvips.Image.new_from_memory(pixels.tobytes(), width, height, bands, formats[pixels.dtype.name])
    return image.copy(interpretation=interpretation)


@dataclass(frozen=True)
class Accepted:
    make: Make
    format: str
    bands: int
    bits: int = 8
    buffered: bool = False


ACCEPTED = {
    "grey PNG": Accepted(lambda path: GREY.save(path, "png"), "png", 1),
    "grey PNG with alpha": Accepted(lambda path: GREY.convert("LA").save(path, "png"), "png", 2),
    "1-bit PNG": Accepted(lambda path: GREY.convert("1").save(path, "png"), "png", 1),
    "4-bit palette PNG": Accepted(lambda path: RGB.quantize(16).save(path, "png", bits=4), "png", 3),
    "palette PNG with alpha": Accepted(lambda path: RGBA.quantize(9).save(path, "png"), "png", 4),
    "RGB PNG": Accepted(lambda path: RGB.save(path, "png"), "png", 3),
    "RGBA PNG": Accepted(lambda path: RGBA.save(path, "png"), "png", 4),
    "16-bit RGBA PNG": Accepted(lambda path: path.write_bytes(cv2.imencode(".png", RGBA16)[1].tobytes()), "png", 4, 16),
    "interlaced PNG": Accepted(lambda path: vips(RGBA8, "srgb").pngsave(str(path), interlace=True), "png", 4, 8, True),
    "grey JPEG": Accepted(lambda path: GREY.save(path, "jpeg"), "jpeg", 1),
    "RGB JPEG": Accepted(lambda path: RGB.save(path, "jpeg"), "jpeg", 3),
    "progressive JPEG": Accepted(lambda path: RGB.save(path, "jpeg", progressive=True), "jpeg", 3, 8, True),
    "CMYK JPEG": Accepted(lambda path: RGB.convert("CMYK").save(path, "jpeg"), "jpeg", 4),
    "1-bit TIFF": Accepted(lambda path: GREY.convert("1").save(path, "tiff"), "tiff", 1),
    "RGBA TIFF": Accepted(lambda path: RGBA.save(path, "tiff"), "tiff", 4),
    "LZW TIFF": Accepted(lambda path: RGB.save(path, "tiff", compression="tiff_lzw"), "tiff", 3),
    "CMYK TIFF": Accepted(lambda path: RGB.convert("CMYK").save(path, "tiff"), "tiff", 4),
    "16-bit RGBA TIFF": Accepted(lambda path: vips(RGBA16, "rgb16").tiffsave(str(path)), "tiff", 4, 16),
    "16-bit CMYK TIFF": Accepted(lambda path: vips(RGBA16, "cmyk").tiffsave(str(path)), "tiff", 4, 16),
    "BigTIFF": Accepted(lambda path: RGBA.save(path, "tiff", big_tiff=True), "tiff", 4),
    "WebP": Accepted(lambda path: RGBA.save(path, "webp"), "webp", 4, 8, True),
    "AVIF": Accepted(lambda path: RGBA.save(path, "avif"), "heif", 4, 8, True),
    "SVG": Accepted(lambda path: path.write_text(SVG), "svg", 4, 8, True),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_header_says_what_the_content_is_whatever_the_file_is_called(name: str, tmp_path: Path) -> None:
    kind = ACCEPTED[name]
    path = tmp_path / "artwork.gif"
    kind.make(path)
    has_alpha = kind.bands in {2, 4} and "CMYK" not in name
    assert replace(read_header(path, LIMITS), dpi=None) == Header(
        kind.format, WIDTH, HEIGHT, kind.bands, kind.bits, None, 1, False, kind.buffered, has_alpha=has_alpha
    )


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def claim_100_000_pixels_square(path: Path) -> None:
    claim = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 6, 0, 0, 0))
    empty = png_chunk(b"tEXt", b"Comment\0" + bytes(177 - 8 - len(claim) - 12 - 12 - 20 - 8))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + claim + empty + png_chunk(b"IDAT", zlib.compress(b"")) + IEND)
    assert path.stat().st_size == 177


IEND = png_chunk(b"IEND", b"")

REFUSED: dict[str, tuple[Make, str]] = {
    "a missing file": (lambda path: None, "cannot be read: No such file or directory"),
    "a folder": (lambda path: path.mkdir(), "cannot be read: Is a directory"),
    "an empty file": (lambda path: path.write_bytes(b""), "the file is empty"),
    "text": (lambda path: path.write_text("I am a picture"), "the content is no image"),
    "a GIF": (lambda path: RGB.save(path, "gif"), "GIF is not accepted"),
    "a PSD": (lambda path: path.write_bytes(b"8BPS\0\1" + bytes(40)), "PSD is not accepted"),
    "a BMP": (lambda path: RGB.save(path, "bmp"), "BMP is not accepted"),
    "a bomb of 177 bytes": (
        claim_100_000_pixels_square,
        "the header claims 100,000 × 100,000 pixels; at most 500,000,000 pixels are accepted",
    ),
    "20 pages": (
        lambda path: RGB.save(path, "tiff", save_all=True, append_images=[RGB] * 19),
        "the file has 20 pages; one is expected",
    ),
    "an animation": (
        lambda path: RGB.save(path, "webp", save_all=True, append_images=[GREY.convert("RGB")]),
        "the file has 2 pages; one is expected",
    ),
    "6 channels": (
        lambda path: vips(np.zeros((9, 9, 6), np.uint8), "multiband").tiffsave(str(path)),
        "6 channels of uchar samples are not accepted",
    ),
    "float samples": (
        lambda path: vips(np.zeros((9, 9, 3), np.float32), "scrgb").tiffsave(str(path)),
        "3 channels of float samples are not accepted",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_unfit_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    make, reason = REFUSED[name]
    path = tmp_path / "artwork.png"
    make(path)
    with pytest.raises(ArtworkError) as refusal:
        read_header(path, LIMITS)
    assert refusal.value.message == reason


def test_a_header_cut_short_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "artwork.png"
    RGBA.save(path)
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(ArtworkError, match=r"^cannot be decoded: [^\n]+") as refusal:
        read_header(path, LIMITS)
    assert "\n" not in refusal.value.message
    assert str(tmp_path) not in refusal.value.message


def test_a_file_larger_than_allowed_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "artwork.png"
    RGBA.save(path)
    size = path.stat().st_size
    with pytest.raises(ArtworkError, match=f"the file has {size:,} bytes; at most {size - 1:,} are accepted"):
        read_header(path, Limits(max_bytes=size - 1))


@pytest.mark.parametrize("limit", [WIDTH * HEIGHT, WIDTH * HEIGHT - 1])
def test_as_many_pixels_as_allowed_are_accepted_and_not_one_more(limit: int, tmp_path: Path) -> None:
    path = tmp_path / "artwork.png"
    RGBA.save(path)
    limits = Limits(max_pixels=limit)
    if limit == WIDTH * HEIGHT:
        assert read_header(path, limits).width_px == WIDTH
    else:
        with pytest.raises(ArtworkError, match="the header claims 30 × 20 pixels"):
            read_header(path, limits)


def test_svg_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "artwork.svg"
    path.write_text(SVG)
    with pytest.raises(ArtworkError, match="SVG is not accepted here"):
        read_header(path, Limits())
    assert read_header(path, LIMITS).is_vector


def test_a_huge_svg_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "artwork.svg"
    path.write_text(SVG + " " * SVG_MAX_BYTES)
    with pytest.raises(ArtworkError, match=r"the SVG is larger than 5,000,000 bytes"):
        read_header(path, LIMITS)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp"])
def test_width_and_height_are_upright(kind: str, orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / "artwork"
    RGB.save(path, kind, exif=exif)
    header = read_header(path, LIMITS)
    upright = (WIDTH, HEIGHT) if orientation < 5 else (HEIGHT, WIDTH)
    assert (header.orientation, header.width_px, header.height_px) == (orientation, *upright)


def save_phys(path: Path, per_metre: int, unit: int) -> None:
    RGB.save(path, "png")
    data = path.read_bytes()
    path.write_bytes(data[:33] + png_chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, unit)) + data[33:])


DPI: dict[str, tuple[Make, float | None]] = {
    "PNG at 300": (lambda path: RGB.save(path, "png", dpi=(300, 300)), 300.0),
    "PNG at 72": (lambda path: RGB.save(path, "png", dpi=(72, 72)), 72.0),
    "PNG at 400": (lambda path: save_phys(path, 15748, 1), 400.0),
    "PNG at an odd resolution": (lambda path: save_phys(path, 15768, 1), 400.507),
    "PNG with the shape of its pixels": (lambda path: save_phys(path, 15748, 0), None),
    "PNG with nonsense": (lambda path: save_phys(path, 2**31, 1), None),
    "PNG with none": (lambda path: RGB.save(path, "png"), None),
    "JPEG at 300": (lambda path: RGB.save(path, "jpeg", dpi=(300, 300)), 300.0),
    "JPEG with none": (lambda path: RGB.save(path, "jpeg"), None),
    "TIFF at 300": (lambda path: RGB.save(path, "tiff", dpi=(300, 300)), 300.0),
    "TIFF at 100 to the centimetre": (
        lambda path: RGB.save(path, "tiff", resolution=100, resolution_unit="cm"),
        254.0,
    ),
    "TIFF without a unit": (lambda path: RGB.save(path, "tiff", resolution=300, resolution_unit=1), None),
    "TIFF at 0": (lambda path: RGB.save(path, "tiff", tiffinfo={282: 0.0, 283: 0.0, 296: 2}), None),
    "TIFF with none": (lambda path: RGB.save(path, "tiff"), None),
    "WebP": (lambda path: RGB.save(path, "webp"), None),
}


@pytest.mark.parametrize("name", DPI)
def test_the_resolution_tag_is_read_and_none_is_made_up(name: str, tmp_path: Path) -> None:
    make, dpi = DPI[name]
    path = tmp_path / "artwork"
    make(path)
    assert read_header(path, LIMITS).dpi == dpi


DAMAGED = ("its colour profile is damaged and was ignored",)
SRGB = srgb_profile()


def patched(offset: int, data: bytes) -> bytes:
    return SRGB[:offset] + data + SRGB[offset + len(data) :]


PROFILES = {
    "sound": (SRGB, ()),
    "garbage": (b"garbage" * 30, DAMAGED),
    "cut short": (SRGB[:300], DAMAGED),
    "without tags": (patched(128, bytes(4)), DAMAGED),
    "with tags beyond its end": (patched(136, b"\x7f" * 4 + patched(136, b"")[140:144]), ()),  # the description's
    "with colours beyond its end": (
        SRGB[:184] + b"".join(SRGB[i : i + 4] + b"\x7f" * 4 + SRGB[i + 8 : i + 12] for i in range(184, 252, 12)),
        DAMAGED,
    ),
    "of zeros": (SRGB[:252] + bytes(len(SRGB) - 252), DAMAGED),
    "that links devices": (patched(12, b"link"), DAMAGED),
    "for CMYK": (patched(16, b"CMYK"), ("its colour profile is for CMYK and does not fit its pixels; it was ignored",)),
}


@pytest.mark.parametrize("kind", ["jpeg", "tiff", "webp"])
@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_that_cannot_be_used_is_warned_of(name: str, kind: str, tmp_path: Path) -> None:
    profile, warnings = PROFILES[name]
    path = tmp_path / "artwork"
    RGB.save(path, kind, icc_profile=profile)
    header = read_header(path, LIMITS)
    assert (header.has_profile, header.warnings) == (True, warnings)


@pytest.mark.parametrize("profile", [b"garbage" * 30, SRGB[:300], PROFILES["for CMYK"][0]])
def test_a_profile_that_the_png_decoder_drops_is_warned_of(profile: bytes, tmp_path: Path) -> None:
    path = tmp_path / "artwork"
    RGB.save(path, "png", icc_profile=profile)
    header = read_header(path, LIMITS)
    assert (header.has_profile, header.warnings) == (False, DAMAGED)


def test_a_sound_profile_in_a_png_is_no_cause_for_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "artwork"
    RGB.save(path, "png", icc_profile=SRGB)
    header = read_header(path, LIMITS)
    assert (header.has_profile, header.warnings) == (True, ())


def test_an_rgb_profile_on_grey_or_cmyk_pixels_is_warned_of(tmp_path: Path) -> None:
    reason = "its colour profile is for RGB and does not fit its pixels; it was ignored"
    for image in (GREY, RGB.convert("CMYK")):
        path = tmp_path / f"{image.mode}.jpg"
        image.save(path, icc_profile=SRGB)
        assert read_header(path, LIMITS).warnings == (reason,)


@pytest.mark.parametrize("space", ["cmyk", "p3"])
def test_the_usual_profiles_are_accepted(space: str, tmp_path: Path) -> None:
    path = tmp_path / "artwork"
    profile = bytes(pyvips.Image.profile_load(space))
    (RGB.convert("CMYK") if space == "cmyk" else RGB).save(path, "tiff", icc_profile=profile)
    assert read_header(path, LIMITS).warnings == ()
