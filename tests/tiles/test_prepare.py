"""Prepared designs: any accepted artwork, upright, trimmed, in sRGB, at exactly its printed pixels.

Decoding is compared with Pillow, colour with LittleCMS as Pillow calls it, resampling with a plain numpy reference.
"""

import errno
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from config.errors import ArtworkError
from tiles.design import Geometry
from tiles.geometry import Rect
from tiles.prepare import Preparation, find_trim_box, prepare
from tiles.store import V_HEADER_BYTES
from tiles.vips import srgb_profile

if TYPE_CHECKING:
    from tests.tiles.conftest import DesignOf, Noise, Pixels, Prepared

Floats = NDArray[np.float64]


def clear(pixels: "Pixels") -> "Pixels":
    """Return the pixels with no colour where there is no ink."""
    return np.where(pixels[..., 3:] == 0, np.uint8(0), pixels)


def as_rgba(path: Path) -> "Pixels":
    """Return what Pillow sees, upright, as RGBA without colour under transparency."""
    with Image.open(path) as image:
        return clear(np.array(ImageOps.exif_transpose(image).convert("RGBA")))


def apart(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    """Return the greatest difference."""
    assert one.shape == other.shape
    return float(np.abs(one.astype(float) - other.astype(float)).max(initial=0))


def artwork(width: int = 47, height: int = 33) -> Image.Image:
    """Return RGBA noise with some rows clear and some opaque."""
    pixels = np.random.default_rng(width * height).integers(0, 256, (height, width, 4), np.uint8)
    pixels[3:5, :, 3], pixels[5:9, :, 3] = 0, 255
    return Image.fromarray(pixels)


# -- at its own size: exactly the artwork's pixels -------------------------------------------------

EXACT: dict[str, Callable[[Path], object]] = {
    "RGBA PNG": lambda path: artwork().save(path, "png"),
    "RGB PNG": lambda path: artwork().convert("RGB").save(path, "png"),
    "grey PNG": lambda path: artwork().convert("L").save(path, "png"),
    "grey PNG with alpha": lambda path: artwork().convert("LA").save(path, "png"),
    "1-bit PNG": lambda path: artwork().convert("1").save(path, "png"),
    "2-bit palette PNG": lambda path: artwork().convert("RGB").quantize(4).save(path, "png", bits=2),
    "palette PNG with alpha": lambda path: artwork().quantize(9).save(path, "png"),
    "RGB PNG with a transparent colour": lambda path: (
        artwork().convert("RGB").point(lambda level: level & 0x80).save(path, "png", transparency=(128, 0, 128))
    ),
    "interlaced PNG": lambda path: pyvips.Image.new_from_array(np.array(artwork()), interpretation="srgb").pngsave(
        str(path), interlace=True
    ),
    "1-bit TIFF": lambda path: artwork().convert("1").save(path, "tiff", compression="group4"),
    "TIFF with alpha": lambda path: artwork().save(path, "tiff", compression="tiff_adobe_deflate"),
    "grey TIFF": lambda path: artwork().convert("L").save(path, "tiff"),
    "tiled TIFF": lambda path: pyvips.Image.new_from_array(np.array(artwork()), interpretation="srgb").tiffsave(
        str(path), tile=True, tile_width=16, tile_height=16
    ),
    "TIFF in planes": lambda path: artwork().convert("RGB").save(path, "tiff", tiffinfo={284: 1}),
    "lossless WebP": lambda path: artwork().save(path, "webp", lossless=True, exact=True),
}


@pytest.mark.parametrize("name", EXACT)
def test_at_its_own_size_a_design_has_exactly_the_pixels_of_its_artwork(
    name: str, tmp_path: Path, prepared: "Prepared"
) -> None:
    path = tmp_path / "artwork"
    EXACT[name](path)
    assert prepared(path).tolist() == as_rgba(path).tolist()


def test_16_bits_become_their_upper_8(tmp_path: Path, prepared: "Prepared") -> None:
    deep = np.random.default_rng(3).integers(0, 65536, (33, 47, 4), np.uint16)
    (tmp_path / "artwork.png").write_bytes(cv2.imencode(".png", deep[..., [2, 1, 0, 3]])[1].tobytes())
    pyvips.Image.new_from_array(deep, interpretation="rgb16").tiffsave(str(tmp_path / "artwork.tif"))
    upper = clear((deep >> 8).astype(np.uint8)).tolist()
    assert prepared(tmp_path / "artwork.png").tolist() == upper
    assert prepared(tmp_path / "artwork.tif").tolist() == upper


def test_16_bit_grey_becomes_its_upper_8_bits(tmp_path: Path, prepared: "Prepared") -> None:
    deep = np.random.default_rng(3).integers(0, 65536, (33, 47), np.uint16)
    path = tmp_path / "artwork"
    Image.fromarray(deep).save(path, "png")
    grey = (deep >> 8).astype(np.uint8)
    assert prepared(path).tolist() == np.dstack([grey, grey, grey, np.full_like(grey, 255)]).tolist()


def test_associated_alpha_is_divided_out_within_a_level(tmp_path: Path, prepared: "Prepared") -> None:
    pixels = np.array(artwork())
    path = tmp_path / "artwork"
    pyvips.Image.new_from_array(pixels, interpretation="srgb").tiffsave(str(path), premultiply=True)
    with Image.open(path) as image:
        assert image.tag_v2[338] == (1,)  # type: ignore[attr-defined]
    found = prepared(path)
    alpha = pixels[..., 3:] / 255
    assert found[..., 3].tolist() == pixels[..., 3].tolist()
    assert apart(found[..., :3] * alpha, pixels[..., :3] * alpha) <= 2


LOSSY: dict[str, Callable[[Path], object]] = {
    "JPEG": lambda path: smooth().save(path, "jpeg", quality=95),
    "progressive JPEG": lambda path: smooth().save(path, "jpeg", quality=95, progressive=True),
    "grey JPEG": lambda path: smooth().convert("L").save(path, "jpeg"),
    "WebP": lambda path: smooth().save(path, "webp", quality=90),
    "AVIF": lambda path: smooth().save(path, "avif", quality=90, subsampling="4:4:4"),
}


def smooth(width: int = 64, height: int = 48) -> Image.Image:
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([x * 4, y * 5, (x + y) * 2], -1).astype(np.uint8))


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_artwork_is_decoded_as_pillow_decodes_it(name: str, tmp_path: Path, prepared: "Prepared") -> None:
    path = tmp_path / "artwork"
    LOSSY[name](path)
    assert apart(prepared(path), as_rgba(path)) <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "tiff", "webp", "jpeg", "avif"])
def test_the_orientation_tag_is_applied(kind: str, orientation: int, tmp_path: Path, prepared: "Prepared") -> None:
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / "artwork"
    smooth().save(path, kind, exif=exif, lossless=True, subsampling="4:4:4")
    assert apart(prepared(path), as_rgba(path)) <= (3 if kind in {"jpeg", "avif"} else 0)


# -- colour ----------------------------------------------------------------------------------------


def profile(name: str) -> bytes:
    return bytes(pyvips.Image.profile_load(name))


def by_littlecms(image: Image.Image, embedded: bytes) -> "Pixels":
    transformed = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(io.BytesIO(embedded)),
        ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile())),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert transformed is not None
    return np.array(transformed.convert("RGBA"))


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff", "webp"])
def test_an_embedded_rgb_profile_is_converted_to_srgb(kind: str, tmp_path: Path, prepared: "Prepared") -> None:
    path = tmp_path / "artwork"
    smooth().save(path, kind, icc_profile=profile("p3"), lossless=True)
    expected = by_littlecms(Image.fromarray(as_rgba(path)).convert("RGB"), profile("p3"))
    assert apart(prepared(path), expected) <= 3
    assert apart(prepared(path), as_rgba(path)) > 20


@pytest.mark.parametrize("kind", ["jpeg", "tiff"])
def test_an_embedded_cmyk_profile_is_converted_to_srgb(kind: str, tmp_path: Path, prepared: "Prepared") -> None:
    path = tmp_path / "artwork"
    smooth().convert("CMYK").save(path, kind, icc_profile=profile("cmyk"), quality=95)
    with Image.open(path) as image:
        expected = by_littlecms(image, profile("cmyk"))
    assert apart(prepared(path), expected) <= 3


def test_cmyk_without_a_profile_is_taken_for_the_usual_press(tmp_path: Path, prepared: "Prepared") -> None:
    path = tmp_path / "artwork.tif"
    cmyk = smooth().convert("CMYK")
    cmyk.save(path)
    assert apart(prepared(path), by_littlecms(cmyk, profile("cmyk"))) <= 3


def test_16_bit_cmyk_is_converted_as_8_bit_cmyk_is(tmp_path: Path, prepared: "Prepared") -> None:
    cmyk = smooth().convert("CMYK")
    deep = np.array(cmyk).astype(np.uint16) * 257
    path = tmp_path / "artwork.tif"
    pyvips.Image.new_from_array(deep, interpretation="cmyk").tiffsave(str(path))
    assert apart(prepared(path), by_littlecms(cmyk, profile("cmyk"))) <= 3


def test_alpha_is_untouched_by_colour_conversion(tmp_path: Path, prepared: "Prepared") -> None:
    path = tmp_path / "artwork.png"
    artwork().save(path, icc_profile=profile("p3"))
    assert prepared(path)[..., 3].tolist() == as_rgba(path)[..., 3].tolist()


def test_16_bit_alpha_is_the_same_with_a_profile_and_without(tmp_path: Path, prepared: "Prepared") -> None:
    deep = np.arange(65536, dtype=np.uint16).repeat(4).reshape(256, 256, 4)
    image = pyvips.Image.new_from_array(deep, interpretation="rgb16")
    image.tiffsave(str(tmp_path / "plain.tif"))
    image.tiffsave(str(tmp_path / "profiled.tif"), profile="p3")
    plain, profiled = prepared(tmp_path / "plain.tif"), prepared(tmp_path / "profiled.tif")
    assert profiled[..., 3].tolist() == plain[..., 3].tolist() == (deep[..., 3] >> 8).tolist()


def test_an_srgb_profile_changes_nothing(tmp_path: Path, prepared: "Prepared") -> None:
    path = tmp_path / "artwork.png"
    artwork().save(path, icc_profile=srgb_profile())
    assert prepared(path).tolist() == as_rgba(path).tolist()


@pytest.mark.parametrize(
    "damaged",
    [b"garbage" * 30, srgb_profile()[:300], srgb_profile()[:12] + b"link" + srgb_profile()[16:], profile("cmyk")],
    ids=["garbage", "cut short", "that links devices", "for CMYK"],
)
@pytest.mark.parametrize("kind", ["png", "tiff", "webp"])
def test_a_profile_that_cannot_be_used_is_ignored(
    kind: str, damaged: bytes, tmp_path: Path, prepared: "Prepared"
) -> None:
    path = tmp_path / "artwork"
    smooth().save(path, kind, icc_profile=damaged, lossless=True)
    with Image.open(path) as image:
        assert prepared(path).tolist() == np.array(image.convert("RGBA")).tolist()


def test_an_rgb_profile_on_cmyk_pixels_is_ignored(tmp_path: Path, prepared: "Prepared") -> None:
    path = tmp_path / "artwork.tif"
    cmyk = smooth().convert("CMYK")
    cmyk.save(path, icc_profile=srgb_profile())
    assert apart(prepared(path), by_littlecms(cmyk, profile("cmyk"))) <= 3


# -- size ------------------------------------------------------------------------------------------


def lanczos(x: Floats) -> Floats:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


def bicubic(x: Floats) -> Floats:
    x = np.abs(x)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def resampling(size: int, wanted: int) -> Floats:
    """Return the matrix that takes a column of `size` samples to `wanted`: Lanczos to shrink, bicubic to enlarge."""
    scale = size / wanted
    kernel, reach = (lanczos, 3 * scale) if scale > 1 else (bicubic, 2.0)
    matrix = np.zeros((wanted, size))
    for row in range(wanted):
        centre = (row + 0.5) * scale - 0.5
        taps = np.arange(int(np.floor(centre - reach)), int(np.ceil(centre + reach)) + 1)
        weights = kernel((taps.astype(float) - centre) / max(scale, 1.0))
        np.add.at(matrix[row], np.clip(taps, 0, size - 1), weights / weights.sum())
    return matrix


def premultiplied(pixels: "Pixels") -> Floats:
    exact = pixels.astype(float)
    exact[..., :3] *= exact[..., 3:] / 255
    return exact


def resampled(pixels: "Pixels", width: int, height: int) -> Floats:
    """Return the pixels resampled in float64, premultiplied; ringing clipped as straight colour and alpha are."""
    rows, columns = resampling(pixels.shape[0], height), resampling(pixels.shape[1], width)
    exact: Floats = np.einsum("yj,jic,xi->yxc", rows, premultiplied(pixels), columns, optimize=True)
    alpha = exact[..., 3:]
    straight = np.divide(exact[..., :3] * 255, alpha, out=np.zeros_like(exact[..., :3]), where=alpha > 0)
    alpha = np.clip(alpha, 0, 255)
    return np.concatenate([np.clip(straight, 0, 255) * alpha / 255, alpha], axis=-1)


def save(path: Path, pixels: "Pixels") -> "Pixels":
    Image.fromarray(pixels).save(path)
    return pixels


@pytest.mark.parametrize("size", [(83, 83), (239, 120), (61, 47), (40, 31), (241, 90), (300, 241), (480, 480)])
def test_resampling_is_that_of_the_reference_even_on_noise(
    size: tuple[int, int], tmp_path: Path, prepared: "Prepared"
) -> None:
    pixels = save(tmp_path / "artwork.png", np.random.default_rng(0).integers(0, 256, (240, 240, 4), np.uint8))
    difference = np.abs(premultiplied(prepared(tmp_path / "artwork.png", *size)) - resampled(pixels, *size))
    assert difference.max() <= 4  # libvips places its kernel to a 64th of a pixel; rounding to 8 bits takes one
    assert difference.mean() < 0.5


@pytest.mark.parametrize("size", [(83, 83), (239, 120), (40, 31), (241, 90), (480, 480)])
def test_resampling_is_within_a_level_of_the_reference_on_soft_artwork(
    size: tuple[int, int], tmp_path: Path, prepared: "Prepared"
) -> None:
    y, x = np.mgrid[:240, :240]
    soft = np.stack([x, y, (x + y) // 2, 128 + 100 * np.sin(x / 20) * np.cos(y / 15)], -1).astype(np.uint8)
    pixels = save(tmp_path / "artwork.png", soft)
    difference = np.abs(premultiplied(prepared(tmp_path / "artwork.png", *size)) - resampled(pixels, *size))
    assert difference.max() <= 1


def test_beyond_an_eighth_resampling_stays_close_to_the_reference(tmp_path: Path, prepared: "Prepared") -> None:
    pixels = save(tmp_path / "artwork.png", np.random.default_rng(0).integers(0, 256, (240, 240, 4), np.uint8))
    difference = np.abs(premultiplied(prepared(tmp_path / "artwork.png", 20, 20)) - resampled(pixels, 20, 20))
    assert difference.max() <= 6
    assert difference.mean() < 1


@pytest.mark.parametrize("colour", [(255, 255, 255), (1, 128, 200)])
@pytest.mark.parametrize("size", [37, 83, 124, 199, 200, 201, 333])
def test_a_disc_keeps_its_colour_to_its_last_half_transparent_pixel(
    size: int, colour: tuple[int, int, int], tmp_path: Path, prepared: "Prepared"
) -> None:
    y, x = np.mgrid[:200, :200]
    pixels = np.zeros((200, 200, 4), np.uint8)
    pixels[(x - 99.5) ** 2 + (y - 99.5) ** 2 < 80**2] = (*colour, 255)
    Image.fromarray(pixels).save(tmp_path / "disc.png")
    disc = prepared(tmp_path / "disc.png", size, size)
    assert np.unique(disc[disc[..., 3] > 0][:, :3], axis=0).tolist() == [list(colour)]
    assert size == 200 or len(np.unique(disc[..., 3])) > 20  # there is an edge to be seen


@pytest.mark.parametrize("size", [77, 333])
def test_a_symmetric_design_stays_symmetric(size: int, tmp_path: Path, prepared: "Prepared") -> None:
    half = np.random.default_rng(5).integers(0, 256, (100, 100, 4), np.uint8)
    upper = np.concatenate([half, half[:, ::-1]], axis=1)
    Image.fromarray(np.concatenate([upper, upper[::-1]])).save(tmp_path / "artwork.png")
    found = premultiplied(prepared(tmp_path / "artwork.png", size, size))
    assert apart(found, found[::-1]) <= 3
    assert apart(found, found[:, ::-1]) <= 3


sides = st.one_of(st.integers(1, 9), st.integers(1, 400))


@settings(max_examples=60, deadline=None)
@given(width=sides, height=sides, printed_width=sides, printed_height=sides, data=st.data())
def test_the_printed_size_is_always_exact(
    width: int,
    height: int,
    printed_width: int,
    printed_height: int,
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
    design_of: "DesignOf",
) -> None:
    folder = tmp_path_factory.mktemp("size")
    Image.new("LA", (width, height), (9, 200)).save(folder / "artwork.png")
    box = None
    if data.draw(st.booleans(), label="trim"):
        x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
        box = Rect(x, y, data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y)))
    geometry = Geometry(printed_width, printed_height, box)
    prepare(Preparation(design_of(folder / "artwork.png"), geometry, folder / "prepared.v"))
    image = pyvips.Image.new_from_file(str(folder / "prepared.v"))
    assert (image.width, image.height, image.bands) == (printed_width, printed_height, 4)
    assert set(bytes(image.write_to_memory())) == {9, 200}


@pytest.mark.parametrize(
    ("size", "printed"), [((6000, 60), (10, 1)), ((10, 10), (500, 500)), ((1, 1), (1, 1)), ((1, 1), (300, 7))]
)
def test_an_extreme_change_of_size_keeps_a_flat_colour(
    size: tuple[int, int], printed: tuple[int, int], tmp_path: Path, prepared: "Prepared"
) -> None:
    Image.new("RGBA", size, (250, 3, 99, 77)).save(tmp_path / "artwork.png")
    found = prepared(tmp_path / "artwork.png", *printed)
    assert np.unique(found.reshape(-1, 4), axis=0).tolist() == [[250, 3, 99, 77]]
    assert found.shape == (printed[1], printed[0], 4)


# -- trimming --------------------------------------------------------------------------------------


def box_of(path: Path, design_of: "DesignOf") -> Rect:
    scratch = path.with_name("scratch.v")
    try:
        return find_trim_box(design_of(path), scratch)
    finally:
        assert not scratch.exists()


def spotted(box: Rect, alpha: int = 1) -> Image.Image:
    """Return transparent artwork, coloured all over, with the faintest ink in two corners of `box` only."""
    pixels = np.full((80, 100, 4), 200, np.uint8)
    pixels[..., 3] = 0
    pixels[box.y, box.right - 1, 3] = pixels[box.bottom - 1, box.x, 3] = alpha
    return Image.fromarray(pixels)


INK = Rect(7, 11, 60, 23)


@pytest.mark.parametrize("box", [INK, Rect(0, 0, 100, 80), Rect(99, 79, 1, 1), Rect(0, 40, 100, 1)])
def test_the_box_holds_exactly_the_ink(box: Rect, tmp_path: Path, design_of: "DesignOf") -> None:
    spotted(box).save(tmp_path / "artwork.png")
    assert box_of(tmp_path / "artwork.png", design_of) == box


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_box_is_upright(orientation: int, tmp_path: Path, design_of: "DesignOf", prepared: "Prepared") -> None:
    path = tmp_path / "artwork.png"
    exif = Image.Exif()
    exif[274] = orientation
    spotted(INK, 255).save(path, exif=exif)
    ys, xs = np.nonzero(as_rgba(path)[..., 3])
    box = box_of(path, design_of)
    assert box == Rect(xs.min(), ys.min(), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1)
    assert prepared(path, box=box).tolist() == as_rgba(path)[box.y : box.bottom, box.x : box.right].tolist()


def test_16_bit_alpha_too_faint_to_print_is_no_ink(tmp_path: Path, design_of: "DesignOf") -> None:
    deep = np.zeros((40, 40, 4), np.uint16)
    deep[:, :, 3], deep[10:20, 15:35, 3] = 255, 256
    path = tmp_path / "artwork.png"
    path.write_bytes(cv2.imencode(".png", deep)[1].tobytes())
    assert box_of(path, design_of) == Rect(15, 10, 20, 10)


def test_artwork_without_alpha_is_all_ink(tmp_path: Path, design_of: "DesignOf") -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "artwork.png")
    assert box_of(tmp_path / "artwork.png", design_of) == Rect(0, 0, 30, 20)


def test_wholly_transparent_artwork_has_no_box(tmp_path: Path, design_of: "DesignOf") -> None:
    Image.new("RGBA", (30, 20), (255, 0, 0, 0)).save(tmp_path / "artwork.png")
    with pytest.raises(ArtworkError) as refusal:
        box_of(tmp_path / "artwork.png", design_of)
    assert refusal.value.message == "the artwork is wholly transparent"


def test_a_trimmed_design_is_the_box_and_nothing_else(tmp_path: Path, prepared: "Prepared", noise: "Noise") -> None:
    pixels = noise(100, 80)
    Image.fromarray(pixels).save(tmp_path / "artwork.png")
    inside = pixels[INK.y : INK.bottom, INK.x : INK.right]
    Image.fromarray(inside).save(tmp_path / "inside.png")
    for width, height in (INK.width, INK.height), (31, 40), (200, 23):
        trimmed = prepared(tmp_path / "artwork.png", width, height, INK)
        assert trimmed.tolist() == prepared(tmp_path / "inside.png", width, height).tolist()


# -- SVG -------------------------------------------------------------------------------------------


def write_svg(path: Path, body: str, width: int = 100, height: int = 50) -> None:
    space = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    path.write_text(f'<svg {space} width="{width}" height="{height}">{body}</svg>')


@pytest.mark.parametrize("how", ["secret.png", "./secret.png", "{folder}/secret.png", "file://{folder}/secret.png"])
@pytest.mark.parametrize("tag", ["image", "use", "feImage"])
def test_an_svg_cannot_pull_in_a_file_beside_it(how: str, tag: str, tmp_path: Path, prepared: "Prepared") -> None:
    Image.new("RGB", (100, 50), "red").save(tmp_path / "secret.png")
    address = how.format(folder=tmp_path)
    body = f'<image width="100" height="50" href="{address}" xlink:href="{address}"/>'
    if tag == "use":
        body = f'<use href="{address}"/>'
    if tag == "feImage":
        body = f'<filter id="f"><feImage href="{address}"/></filter><rect width="99" height="49" filter="url(#f)"/>'
    write_svg(tmp_path / "artwork.svg", body)
    assert not prepared(tmp_path / "artwork.svg").any()


def test_an_svg_is_drawn_at_its_printed_size(tmp_path: Path, prepared: "Prepared") -> None:
    write_svg(tmp_path / "artwork.svg", '<rect x="25" width="50" height="50" fill="#0f0"/>')
    found = prepared(tmp_path / "artwork.svg", 1200, 600)
    expected = np.zeros((600, 1200, 4), np.uint8)
    expected[:, 300:900] = (0, 255, 0, 255)
    assert found.tolist() == expected.tolist()


def test_an_svg_is_trimmed_to_its_ink(tmp_path: Path, design_of: "DesignOf", prepared: "Prepared") -> None:
    path = tmp_path / "artwork.svg"
    write_svg(path, '<rect x="25" y="10" width="50" height="30" fill="#00f"/>')
    box = box_of(path, design_of)
    assert box == Rect(25, 10, 50, 30)
    assert np.unique(prepared(path, 500, 300, box).reshape(-1, 4), axis=0).tolist() == [[0, 0, 255, 255]]


# -- files -----------------------------------------------------------------------------------------


@contextmanager
def refused(folder: Path, reason: str) -> Iterator[None]:
    """Expect an ArtworkError of one line, and nothing new left in `folder`."""
    before = sorted(folder.rglob("*"))
    with pytest.raises(ArtworkError) as refusal:
        yield
    assert re.fullmatch(reason, refusal.value.message)
    assert sorted(folder.rglob("*")) == before


def prepare_at_its_size(path: Path, design_of: "DesignOf") -> None:
    design = design_of(path)
    geometry = Geometry(design.header.width_px, design.header.height_px)
    prepare(Preparation(design, geometry, path.with_name("prepared.v")))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff", "webp"])
def test_artwork_cut_off_at_60_percent_is_refused(
    kind: str, turned: bool, tmp_path: Path, design_of: "DesignOf"
) -> None:
    exif = Image.Exif()
    exif[274] = 6 if turned else 1
    path = tmp_path / "artwork"
    artwork(200, 200).convert("RGB").save(path, kind, exif=exif, compression="tiff_lzw" if kind == "tiff" else None)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with refused(tmp_path, "cannot be decoded( whole)?: .+"):
        prepare_at_its_size(path, design_of)


def test_avif_cut_off_at_60_percent_is_refused(tmp_path: Path, design_of: "DesignOf") -> None:
    path = tmp_path / "artwork"
    artwork(200, 200).save(path, "avif")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with refused(tmp_path, "cannot be decoded( whole)?: .+"):
        prepare_at_its_size(path, design_of)


@pytest.mark.parametrize("place", [0.3, 0.6, 0.9])
def test_a_png_with_one_flipped_bit_is_refused(place: float, tmp_path: Path, design_of: "DesignOf") -> None:
    path = tmp_path / "artwork.png"
    artwork(200, 200).save(path)
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 0x10
    path.write_bytes(data)
    with refused(tmp_path, "cannot be decoded whole: .+"):
        prepare_at_its_size(path, design_of)


def test_a_file_that_has_changed_since_it_was_hashed_is_refused(tmp_path: Path, design_of: "DesignOf") -> None:
    path = tmp_path / "artwork.png"
    artwork().save(path)
    design = replace(design_of(path), stamp=(0, 0, 0, 0))
    with refused(tmp_path, "the file changed while it was read"):
        prepare(Preparation(design, Geometry(47, 33), tmp_path / "prepared.v"))
    with refused(tmp_path, "the file changed while it was read"):
        find_trim_box(design, tmp_path / "scratch.v")


def test_a_file_that_has_gone_since_it_was_hashed_is_refused(tmp_path: Path, design_of: "DesignOf") -> None:
    path = tmp_path / "artwork.svg"
    write_svg(path, "")
    design = design_of(path)
    path.unlink()
    with refused(tmp_path, "cannot be read: No such file or directory"):
        prepare(Preparation(design, Geometry(9, 9), tmp_path / "prepared.v"))


def test_an_interrupted_preparation_leaves_nothing(
    tmp_path: Path, design_of: "DesignOf", monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "artwork.png"
    artwork().save(path)
    design = design_of(path)

    def interrupt(_: Path) -> tuple[int, ...]:
        raise KeyboardInterrupt

    monkeypatch.setattr("tiles.prepare.stamp_of", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prepare(Preparation(design, Geometry(47, 33), tmp_path / "prepared.v"))
    assert list(tmp_path.iterdir()) == [path]


def test_the_prepared_file_is_a_small_header_and_the_pixels_and_keeps_no_secrets(
    tmp_path: Path, design_of: "DesignOf"
) -> None:
    path = tmp_path / "artwork.png"
    exif = Image.Exif()
    exif[271] = "the customer's camera"
    artwork().save(path, exif=exif, icc_profile=srgb_profile(), dpi=(300, 300))
    prepare(Preparation(design_of(path), Geometry(47, 33), tmp_path / "prepared.v"))
    data = (tmp_path / "prepared.v").read_bytes()
    assert data[V_HEADER_BYTES : V_HEADER_BYTES + 47 * 33 * 4] == as_rgba(path).tobytes()
    assert len(data) < V_HEADER_BYTES + 47 * 33 * 4 + 2000
    assert b"camera" not in data


@pytest.mark.parametrize("size", [(47, 33), (20, 30), (100, 33)])
def test_the_same_design_gives_the_same_bytes(size: tuple[int, int], tmp_path: Path, design_of: "DesignOf") -> None:
    path = tmp_path / "artwork.png"
    artwork().save(path)
    for name in ("one.v", "two.v"):
        prepare(Preparation(design_of(path), Geometry(*size), tmp_path / name))
    assert (tmp_path / "one.v").read_bytes() == (tmp_path / "two.v").read_bytes()


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_full_disk_is_not_the_artworks_fault(
    orientation: int, tmp_path: Path, tiny_disk: Path, design_of: "DesignOf"
) -> None:
    path = tmp_path / "artwork.png"
    exif = Image.Exif()
    exif[274] = orientation
    Image.new("RGBA", (1000, 1000)).save(path, exif=exif)
    design = design_of(path)
    with pytest.raises(OSError, match="No space left") as failure:
        prepare(Preparation(design, Geometry(1000, 1000), tiny_disk / "prepared.v"))
    assert failure.value.errno == errno.ENOSPC
    assert list(tiny_disk.iterdir()) == []


def test_a_full_disk_is_no_reason_against_a_design_that_is_turned_to_be_trimmed(
    tmp_path: Path, tiny_disk: Path, design_of: "DesignOf"
) -> None:
    path = tmp_path / "artwork.png"
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGBA", (1000, 1000)).save(path, exif=exif)
    with pytest.raises(OSError, match="No space left"):
        find_trim_box(design_of(path), tiny_disk / "scratch.v")
    assert list(tiny_disk.iterdir()) == []
