"""Whole mock-ups: areas with masks, shades and tints on any background, the same on any threads and strips."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from config.errors import ArtworkError
from tests.tiles.compositing import MODES, Floats, composited
from tests.tiles.perspective import Quad
from tests.tiles.photos import Pixels, Studio, box, design_at, flat
from tiles.fitting import Manner
from tiles.photo import open_photo, render_photo
from tiles.scene import Lettering, Overlay, PhotoFormat, Scene, Surface
from tiles.sinks.sink import SheetFile
from tiles.vips import srgb_profile

FRAME = (120, 90)
SLANTED = ((12.0, 20.5), (100.3, 4.0), (111.0, 70.0), (20.0, 84.2))
ALL_OVER = box(0, 0, *FRAME)
CLEAR = (0, 0, 0, 0)
JPG = PhotoFormat("jpg", 90, "4:4:4")
ROUNDING = 0.51  # of levels: to the nearest of them


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


def noise(width: int, height: int, seed: int = 0, bands: int = 3) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, bands), np.uint8)


def columns(*levels: Sequence[int]) -> Pixels:
    """Return a picture of the frame's size with upright bands of these colours."""
    width = FRAME[0] // len(levels)
    return np.concatenate([flat(width, FRAME[1], tuple(colour)) for colour in levels], axis=1)


# -- artwork ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("opacity", [1.0, 0.4])
@pytest.mark.parametrize("alpha", [255, 255.0 / 2, 30])
@pytest.mark.parametrize("mode", MODES)
def test_artwork_is_blended_as_the_recommendation_says(mode: str, alpha: float, opacity: float, studio: Studio) -> None:
    artwork = noise(*FRAME, seed=1, bands=4)
    artwork[..., 3] = round(alpha)
    background = noise(*FRAME, seed=2)
    pixels = studio.shot(studio.scene(background, studio.surface(artwork, ALL_OVER, blend=mode, opacity=opacity)))
    shown = np.array(round(alpha) / 255 * opacity)
    expected, _ = composited(background / 255, np.ones(()), artwork[..., :3] / 255, shown, mode)
    assert np.abs(pixels - np.rint(255 * expected)).max() <= 1


@pytest.mark.parametrize("alpha", [255, 128])
@pytest.mark.parametrize("mode", MODES)
def test_on_a_transparent_background_too(mode: str, alpha: int, studio: Studio) -> None:
    artwork, background = noise(*FRAME, seed=1, bands=4), noise(*FRAME, seed=2, bands=4)
    artwork[..., 3] = alpha
    background[:40, :, 3] = 128
    pixels = studio.shot(studio.scene(background, studio.surface(artwork, ALL_OVER, blend=mode), ground=None))
    below, share = background[..., 3:] / 255, np.full((*FRAME[::-1], 1), alpha / 255)
    colour, total = composited(background[..., :3] / 255, below, artwork[..., :3] / 255, share, mode)
    assert np.abs(pixels[..., 3:] - 255 * total).max() <= ROUNDING
    # hard light doubles the half level that a sample in the store may be off
    assert (np.abs(pixels[..., :3] - 255 * colour) * total).max() <= (1.51 if mode == "hard-light" else 1.01)


def test_the_later_area_lies_on_the_earlier(studio: Studio) -> None:
    red, green = (studio.surface(flat(9, 9, colour), SLANTED) for colour in ((255, 0, 0), (0, 255, 0)))
    pixels = studio.shot(studio.scene(flat(*FRAME), red, green))
    assert pixels[45, 60].tolist() == [0, 255, 0]


@pytest.mark.parametrize("place", [box(-30, -20, 60, 50), box(100, 70, 60, 50), box(-40, -40, 400, 400)])
def test_an_area_may_reach_out_of_the_picture(place: Quad, studio: Studio) -> None:
    pixels = studio.shot(studio.scene(flat(*FRAME), studio.surface(flat(4, 4, (1, 2, 3)), place)))
    (left, top), _, (right, low), _ = place
    expected = flat(*FRAME)
    expected[max(0, int(top)) : int(low), max(0, int(left)) : int(right)] = (1, 2, 3)
    assert pixels.tolist() == expected.tolist()


@pytest.mark.parametrize("place", [box(-70, 0, 60, 50), box(121, 0, 60, 50), box(0, -70, 60, 50), box(0, 91, 60, 50)])
def test_an_area_outside_of_the_picture_changes_nothing(place: Quad, studio: Studio) -> None:
    background = noise(*FRAME)
    surface = studio.surface(flat(4, 4, (1, 2, 3)), place, tint=(0, 0, 0))
    assert studio.shot(studio.scene(background, surface)).tobytes() == background.tobytes()


# -- mask, shade, tint -----------------------------------------------------------------------------


def test_white_shows_black_hides_grey_halves_and_what_is_transparent_hides(studio: Studio) -> None:
    mask = columns((255,) * 4, (0, 0, 0, 255), (128, 128, 128, 255), (255, 255, 255, 0), (255, 255, 255, 51))
    surface = studio.surface(flat(8, 8, (0, 0, 0)), ALL_OVER, mask=studio.picture(mask))
    pixels = studio.shot(studio.scene(flat(*FRAME, (255, 255, 255)), surface))
    expected = columns(*([round(255 * (1 - share))] * 3 for share in (1, 0, 128 / 255, 0, 0.2)))
    assert np.abs(pixels - expected.astype(int)).max() <= 1
    assert pixels[:, :48].tolist() == expected[:, :48].tolist()


def test_a_coloured_mask_lets_through_as_bright_as_it_is(studio: Studio) -> None:
    mask = columns((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))
    surface = studio.surface(flat(8, 8, (255, 255, 255)), ALL_OVER, mask=studio.picture(mask))
    pixels = studio.shot(studio.scene(flat(*FRAME, (0, 0, 0)), surface))
    assert pixels[0, 15::30, 0].tolist() == [round(255 * share) for share in (0.2126, 0.7152, 0.0722, 0.9278)]


def test_a_shade_darkens_the_artwork_only(studio: Studio) -> None:
    artwork, background = noise(60, 50, seed=3, bands=4), noise(*FRAME, seed=4)
    artwork[:10, :, 3], artwork[10:30, :, 3], artwork[30:, :, 3] = 0, 128, 255
    shade = noise(*FRAME, seed=5)
    pixels = studio.shot(
        studio.scene(background, studio.surface(artwork, box(30, 20, 60, 50), shade=studio.picture(shade)))
    )
    alpha = artwork[..., 3:] / 255
    inside = (slice(20, 70), slice(30, 90))
    expected = background[inside] * (1 - alpha) + artwork[..., :3] * (shade[inside] / 255) * alpha
    assert np.abs(pixels[inside] - expected).max() <= 1
    assert pixels[20:30, 30:90].tolist() == background[20:30, 30:90].tolist()
    pixels[inside] = background[inside]
    assert pixels.tolist() == background.tolist()


def test_a_shade_that_is_transparent_shades_not(studio: Studio) -> None:
    surface = studio.surface(noise(*FRAME), ALL_OVER, shade=studio.picture(flat(*FRAME, CLEAR)))
    assert studio.shot(studio.scene(flat(*FRAME), surface)).tolist() == noise(*FRAME).tolist()


def test_a_tint_is_multiplied_within_the_area_and_its_mask_only(studio: Studio) -> None:
    background, tint = noise(*FRAME, seed=6), (255, 128, 0)
    mask = columns((255,) * 3, (128,) * 3, (0,) * 3)
    area = box(10, 12, 100, 60)
    surface = Surface(area, mask=studio.picture(mask), tint=tint)
    pixels = studio.shot(studio.scene(background, surface))
    shown = np.zeros((*FRAME[::-1], 1))
    shown[12:72, 10:110] = mask[12:72, 10:110, :1] / 255
    expected = background * (1 - shown * (1 - np.array(tint) / 255))
    assert np.abs(pixels - expected).max() <= ROUNDING
    assert pixels[(shown == 0)[..., 0]].tolist() == background[(shown == 0)[..., 0]].tolist()


def test_artwork_lies_on_the_tint_and_is_not_tinted(studio: Studio) -> None:
    artwork = noise(50, 40)
    surface = studio.surface(artwork, box(5, 6, 100, 60), Manner("contain", (0, 0), 0, 0), tint=(0, 255, 0))
    pixels = studio.shot(studio.scene(flat(*FRAME, (100, 100, 100)), surface))
    large = studio.shot(
        studio.scene(flat(*FRAME), studio.surface(artwork, box(5, 6, 75, 60), Manner("contain", (0, 0), 0, 0)))
    )
    assert pixels[6:66, 5:80].tolist() == large[6:66, 5:80].tolist()
    assert pixels[6:66, 80:105].tolist() == flat(25, 60, (0, 100, 0)).tolist()


def test_a_tint_follows_the_edges_of_a_slanted_area(studio: Studio) -> None:
    tinted = studio.shot(studio.scene(flat(*FRAME, (255, 255, 255)), Surface(SLANTED, tint=(0, 0, 0))))
    covered = studio.shot(studio.scene(flat(*FRAME, (255, 255, 255)), studio.surface(flat(1, 1, (0, 0, 0)), SLANTED)))
    assert np.abs(tinted - covered.astype(int)).max() <= 1


def test_mask_and_shade_are_read_at_the_size_of_the_mock_up(studio: Studio) -> None:
    mask = np.zeros((30, 40, 3), np.uint8)
    mask[:, 20:] = 255
    surface = studio.surface(flat(8, 8, (0, 0, 0)), ALL_OVER, mask=studio.picture(mask, size=FRAME))
    pixels = studio.shot(studio.scene(flat(*FRAME, (255, 255, 255)), surface))
    assert (pixels[:, :55] == 255).all()
    assert (pixels[:, 65:] == 0).all()


# -- backgrounds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ground", [(255, 255, 255), (0, 90, 200)])
def test_the_ground_shows_through_a_transparent_background(ground: tuple[int, int, int], studio: Studio) -> None:
    background = noise(*FRAME, bands=4)
    pixels = studio.shot(studio.scene(background, ground=ground))
    alpha = background[..., 3:] / 255
    assert np.abs(pixels - (alpha * background[..., :3] + (1 - alpha) * np.array(ground))).max() <= ROUNDING


def test_without_a_ground_a_background_stays_as_it_is_beside_the_artwork(studio: Studio) -> None:
    background = noise(*FRAME, bands=4)
    background[:30, :, 3] = 0
    surface = studio.surface(flat(8, 8, (255, 0, 0)), box(40, 10, 30, 60))
    pixels = studio.shot(studio.scene(background, surface, ground=None))
    assert (pixels[10:70, 40:70] == (255, 0, 0, 255)).all()
    pixels[10:70, 40:70] = background[10:70, 40:70]
    is_seen = background[..., 3] > 0
    assert pixels[..., 3].tolist() == background[..., 3].tolist()
    assert pixels[is_seen].tolist() == background[is_seen].tolist()


# -- the same pixels, however they are made --------------------------------------------------------


@pytest.fixture(scope="module")
def crowded(studio: Studio) -> Scene:
    """Return a scene with everything on it, its background partly opaque, its areas crossing each other."""
    background, artwork = noise(*FRAME, seed=1, bands=4), noise(300, 200, seed=2, bands=4)
    background[20:50, :, 3] = 255
    mask, shade = (studio.picture(noise(*FRAME, seed=seed), size=FRAME) for seed in (3, 4))
    first = studio.surface(
        artwork, SLANTED, Manner("cover", (0, 1), 0, 20), "overlay", 0.7, mask=mask, tint=(9, 99, 200)
    )
    second = studio.surface(artwork, box(3.5, 30, 110, 55.2), blend="hard-light", shade=shade, mask=mask)
    third = studio.surface(noise(9, 7, bands=4), ((60.0, 2.0), (118.0, 30.0), (100.0, 88.0), (50.0, 50.0)), opacity=0.3)
    mark = Overlay(studio.picture(noise(30, 20, seed=7, bands=4)), 0.4, angle=33, tiled=True)
    caption = Overlay(Lettering("Größe M", (200, 30, 7), 14, "height", (255, 255, 255)), align=(0.5, 1), margin_px=4)
    return studio.scene(background, first, second, third, overlays=(mark, caption), ground=None)


@settings(max_examples=14)
@given(rows=st.one_of(st.integers(1, 12), st.integers(1, 100)), threads=st.integers(1, 4))
def test_strips_and_threads_change_no_byte(rows: int, threads: int, studio: Studio, crowded: Scene) -> None:
    assert studio.shot(crowded, rows, threads).tobytes() == studio.shot(crowded, 90, 1).tobytes()


@pytest.mark.parametrize("block_rows", [1, 7, 48, 500])
def test_blocks_change_no_byte(
    block_rows: int, studio: Studio, crowded: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = studio.shot(crowded, 90).tobytes()
    monkeypatch.setattr("tiles.photo._BLOCK_ROWS", block_rows)
    assert studio.shot(crowded, 90).tobytes() == expected


def test_a_mask_on_the_edge_of_rounding_lets_through_the_same_in_any_strip(studio: Studio) -> None:
    levels = np.stack(np.meshgrid(*[np.arange(256)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    ties = levels[levels @ np.array([2126, 7152, 722]) % 10_000 == 5_000]  # as bright as half a level between two
    mask = ties[np.random.default_rng(0).integers(0, len(ties), FRAME[::-1])].astype(np.uint8)
    surface = studio.surface(flat(1, 1, (255, 255, 255)), SLANTED, mask=studio.picture(mask))
    scene = studio.scene(flat(*FRAME, (0, 0, 0)), surface)
    assert len({studio.shot(scene, rows).tobytes() for rows in (1, 7, 13, 90)}) == 1


# -- files -----------------------------------------------------------------------------------------


def rendered(scene: Scene, studio: Studio, folder: Path, form: PhotoFormat = JPG, threads: int = 2) -> SheetFile:
    return render_photo(studio.store, scene, folder / f"photo.{form.kind}", form, threads, folder / "scratch")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


OPAQUE, KEPT = (0, 90, 200), None  # grounds


@pytest.mark.parametrize(
    ("kind", "ground"), [("jpg", OPAQUE), ("png", OPAQUE), ("png", KEPT), ("webp", OPAQUE), ("webp", KEPT)]
)
def test_a_mock_up_is_a_file_of_its_format(
    kind: str, ground: tuple[int, int, int] | None, studio: Studio, tmp_path: Path
) -> None:
    smooth = np.asarray(cv2.resize(noise(6, 5, bands=4), FRAME, interpolation=cv2.INTER_LINEAR), np.uint8)
    scene = studio.scene(smooth, studio.surface(flat(8, 8, (20, 200, 90)), SLANTED), ground=ground)
    file = rendered(scene, studio, tmp_path, PhotoFormat(kind, 95, "4:4:4", dpi=300))
    assert names(tmp_path) == [f"photo.{kind}"]
    content = file.path.read_bytes()
    assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    with Image.open(file.path) as image:
        assert (image.size, image.mode) == (FRAME, "RGBA" if ground is None else "RGB")
        assert image.info["icc_profile"] == srgb_profile()
        if kind != "webp":
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        found = np.array(image)
    expected = studio.shot(scene)
    if kind == "png":
        assert found.tobytes() == expected.tobytes()
    else:
        weight: Floats | float = expected[..., 3:] / 255 if ground is None else 1.0
        assert (np.abs(found.astype(float) - expected) * weight).mean() < 3


def test_a_mock_up_is_the_same_file_on_any_number_of_threads(studio: Studio, crowded: Scene, tmp_path: Path) -> None:
    opaque = replace(crowded, ground=(255, 255, 255))
    files = {rendered(opaque, studio, tmp_path, threads=threads).sha256 for threads in (1, 4)}
    assert len(files) == 1


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])


def replace_by_a_shorter_one(path: Path) -> None:
    with Image.open(path) as image:
        shorter = image.crop((0, 0, image.width, image.height // 2))
    path.unlink()
    shorter.save(path, "png")


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("spoil", [cut, replace_by_a_shorter_one, touch])
@pytest.mark.parametrize("which", ["background", "mask", "shade", "artwork", "watermark"])
@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_a_picture_that_is_not_what_it_was_is_an_error_with_its_name_that_leaves_nothing(
    kind: str, which: str, spoil: object, tmp_path: Path
) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    home.mkdir()
    out.mkdir()
    studio = Studio(home)
    pictures = {name: studio.picture(noise(*FRAME, seed=seed), name) for seed, name in enumerate(("mask", "shade"))}
    surface = studio.surface(noise(60, 50, seed=7), SLANTED, mask=pictures["mask"], shade=pictures["shade"])
    mark = studio.picture(noise(30, 20, seed=8), "watermark")
    scene = studio.scene(noise(*FRAME, seed=9), surface, overlays=(Overlay(mark),))
    assert surface.print is not None
    pictures |= {"background": scene.background, "artwork": surface.print.artwork, "watermark": mark}
    assert callable(spoil)
    spoil(pictures[which].design.path)
    with pytest.raises(ArtworkError) as refusal:
        rendered(scene, studio, out, PhotoFormat(kind, 90, "4:2:0"))
    reason = "cannot be decoded" if spoil is cut else "the file changed while it was read"
    assert refusal.value.message.startswith(f"{which}: {reason}")
    assert names(out) == []


def test_a_picture_that_changes_on_the_way_is_found_before_the_file_is_named(studio: Studio, tmp_path: Path) -> None:
    scene = studio.scene(noise(*FRAME, seed=10))
    with open_photo(studio.store, scene, 1, tmp_path / "scratch") as photo:
        photo.strip(0, 45)
        touch(scene.background.design.path)
        photo.strip(45, 45)
        with pytest.raises(ArtworkError) as refusal:
            photo.finish()
    assert refusal.value.message == "background: the file changed while it was read"
    assert names(tmp_path) == []


def test_pictures_that_lie_on_their_side_leave_nothing(studio: Studio, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 8
    upright, paths = noise(*FRAME, seed=11), [tmp_path / "one.png", tmp_path / "other.png"]
    Image.fromarray(np.rot90(upright, -1)).save(paths[0], exif=exif)
    Image.fromarray(np.rot90(255 - upright, -1)).save(paths[1], exif=exif)
    background, mask = (replace(studio.picture(upright), design=design_at(path)) for path in paths)
    out = tmp_path / "out"
    out.mkdir()
    scene = studio.scene(background, studio.surface(flat(3, 3, (0, 0, 0)), ALL_OVER, mask=mask))
    with Image.open(rendered(scene, studio, out, PhotoFormat("png", 90, "")).path) as image:
        found = np.array(image).astype(int)
    light = (255 - upright) @ np.array([0.2126, 0.7152, 0.0722]) / 255
    assert np.abs(found - upright * (1 - light[..., None])).max() <= 1
    assert names(out) == ["photo.png"]


def test_nothing_is_left_when_a_caption_cannot_be_seen(studio: Studio, tmp_path: Path) -> None:
    overlay = Overlay(Lettering(" ", (0, 0, 0), 20, "height"))
    with pytest.raises(ArtworkError, match="nothing would be seen"):
        rendered(
            studio.scene(noise(*FRAME), studio.surface(noise(9, 9), SLANTED), overlays=(overlay,)), studio, tmp_path
        )
    assert names(tmp_path) == []
