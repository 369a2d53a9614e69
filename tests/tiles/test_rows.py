"""Pictures read row by row: the same whatever is taken at once, on any ground, and never one that is damaged."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from config.errors import ArtworkError
from tests.tiles.photos import Pixels, Studio, picture_at
from tiles.rows import RowReader, prepared_picture
from tiles.scene import Colour, Picture
from tiles.store import TileStore

SIZE = (47, 90)
GROUND = (200, 7, 90)
FORMATS: dict[str, Callable[[Path], object]] = {
    "RGB": lambda path: noise().convert("RGB").save(path, "png"),
    "RGBA": lambda path: noise().save(path, "png"),
    "grey": lambda path: noise().convert("L").save(path, "png"),
    "grey with alpha": lambda path: noise().convert("LA").save(path, "png"),
    "palette with alpha": lambda path: noise().quantize(9).save(path, "png"),
    "lossless WebP": lambda path: noise().save(path, "webp", lossless=True, exact=True),
    "turned": lambda path: noise().save(path, "png", exif=turned()),
}


def noise(width: int = SIZE[0], height: int = SIZE[1]) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 4), np.uint8)
    pixels[:9, :, 3], pixels[9:30, :, 3] = 0, 255
    return Image.fromarray(pixels)


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[274] = 6
    return exif


def read(picture: Picture, folder: Path, ground: Colour | None, rows: int = 16) -> Pixels:
    """Return a picture's rows, taken so many at a time."""
    height = picture.geometry.height_px
    with RowReader(picture, folder / "scratch", ground) as reader:
        taken = [reader.take(min(rows, height - top)) for top in range(0, height, rows)]
        reader.finish()
    return np.concatenate(taken)


def by_pillow(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.array(ImageOps.exif_transpose(image).convert("RGBA"))


@pytest.mark.parametrize("name", FORMATS)
def test_without_a_ground_a_picture_keeps_its_alpha(name: str, tmp_path: Path) -> None:
    FORMATS[name](tmp_path / "picture")
    found, expected = read(picture_at(tmp_path / "picture"), tmp_path, None), by_pillow(tmp_path / "picture")
    assert found[..., 3].tolist() == expected[..., 3].tolist()
    is_seen = expected[..., 3] > 0
    assert found[is_seen].tolist() == expected[is_seen].tolist()


@pytest.mark.parametrize("name", FORMATS)
def test_the_ground_shows_through_as_far_as_a_picture_is_transparent(name: str, tmp_path: Path) -> None:
    FORMATS[name](tmp_path / "picture")
    found, pixels = read(picture_at(tmp_path / "picture"), tmp_path, GROUND), by_pillow(tmp_path / "picture")
    alpha = pixels[..., 3:] / 255
    assert found.shape == (*pixels.shape[:2], 3)
    assert np.abs(found - (alpha * pixels[..., :3] + (1 - alpha) * GROUND)).max() <= 0.501


@settings(max_examples=30)
@given(
    name=st.sampled_from(sorted(FORMATS)),
    rows=st.integers(1, 100),
    size=st.sampled_from([None, (20, 40), (100, 200), (30, 300)]),
    ground=st.sampled_from([None, GROUND]),
)
def test_it_does_not_matter_how_many_rows_are_taken_at_once(
    name: str,
    rows: int,
    size: tuple[int, int] | None,
    ground: Colour | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    FORMATS[name](folder / "picture")
    picture = picture_at(folder / "picture", size=size)
    found = read(picture, folder, ground, rows)
    assert found.shape == (picture.geometry.height_px, picture.geometry.width_px, 3 if ground else 4)
    assert found.tobytes() == read(picture, folder, ground, 1000).tobytes()
    assert sorted(path.name for path in folder.iterdir()) == ["picture"]


def test_what_is_taken_stays_as_it_is(tmp_path: Path) -> None:
    Image.new("RGB", (30, 600), (1, 2, 3)).save(tmp_path / "picture.png")
    with RowReader(picture_at(tmp_path / "picture.png"), tmp_path / "scratch", GROUND) as reader:
        first = reader.take(64)
        first[...] = 9
        assert (reader.take(400) == (1, 2, 3)).all()
        assert (first == 9).all()


# -- what cannot be used ---------------------------------------------------------------------------


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_picture_cut_off_is_refused_by_name(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    noise(200, 300).convert("RGB").save(path, kind)
    picture = picture_at(path, "mug/photo.png")
    cut(path)
    with pytest.raises(ArtworkError, match=r"^mug/photo.png: cannot be decoded( whole)?: "):
        read(picture, tmp_path, GROUND)


@pytest.mark.parametrize("height", [40, 89, 90, 300])
def test_a_picture_replaced_by_another_is_refused_by_name(height: int, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    noise().save(path)
    picture = picture_at(path, "mug/photo.png")
    path.unlink()
    noise(SIZE[0], height).save(path)
    with pytest.raises(ArtworkError) as refusal:
        read(picture, tmp_path, GROUND)
    assert refusal.value.message == "mug/photo.png: the file changed while it was read"
    assert refusal.value.remedy == "Run again when nobody writes to it."


@pytest.mark.parametrize("exif", [None, turned()], ids=["upright", "turned"])
def test_a_picture_that_changes_while_it_is_read_is_refused_by_name(exif: Image.Exif | None, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    noise(90, 90).save(path, exif=exif)
    with RowReader(picture_at(path, "mug/photo.png"), tmp_path / "scratch", GROUND) as reader:
        reader.take(45)
        os.utime(path, ns=(1, 1))
        reader.take(45)
        with pytest.raises(ArtworkError) as refusal:
            reader.finish()
    assert refusal.value.message == "mug/photo.png: the file changed while it was read"
    assert list(tmp_path.iterdir()) == [path]


def test_a_picture_that_has_gone_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    noise().save(path)
    picture = picture_at(path, "mug/photo.png")
    path.unlink()
    with pytest.raises(ArtworkError, match=r"^mug/photo.png: "):
        read(picture, tmp_path, GROUND)


def test_a_picture_left_half_read_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    noise(300, 300).save(path, exif=turned())
    with pytest.raises(KeyboardInterrupt), RowReader(picture_at(path), tmp_path / "scratch", None) as reader:
        reader.take(10)
        assert len(list(tmp_path.iterdir())) == 2
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == [path]


def test_artwork_is_prepared_once_and_refused_by_name(tmp_path: Path) -> None:
    studio, store = Studio(tmp_path), TileStore(tmp_path / "tiles")
    picture = studio.picture(np.array(noise()), "tour.png")
    assert prepared_picture(store, picture) == prepared_picture(store, picture)
    assert store.stats().designs == 1
    other = studio.picture(np.array(noise(60, 60)), "other.png")
    cut(other.design.path)
    with pytest.raises(ArtworkError, match=r"^other.png: cannot be decoded( whole)?: "):
        prepared_picture(store, other)
