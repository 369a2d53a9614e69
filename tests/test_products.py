"""The embedded example's templates, and the program that renders their photographs."""

from pathlib import Path
from typing import Protocol

import pytest
from PIL import Image

from bench.products import cards, frame, mug
from config.templates import NOTHING, WrittenTemplate, read_template

FOLDER = Path(__file__).parents[1] / "config" / "examples" / "templates"
NAMES = ["cards", "frame", "mug", "shirt", "shirt-red"]
LARGEST_BYTES = 2_500_000
SCALE, SAMPLES = 0.04, 1


class Product(Protocol):
    """A module that renders one."""

    def describe(self, folder: Path, scale: float) -> None: ...


def test_there_are_five_templates() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.yaml")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_valid_and_its_areas_lie_in_its_photograph(name: str) -> None:
    assert_sound(read_template(FOLDER / f"{name}.yaml", FOLDER), FOLDER)


def test_every_picture_is_a_templates() -> None:
    templates = [read_template(FOLDER / f"{name}.yaml", FOLDER) for name in NAMES]
    named = {picture for template in templates for _, picture in template.pictures()}
    assert named == {path.name for path in FOLDER.iterdir() if path.suffix != ".yaml"}


def test_the_folder_stays_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= LARGEST_BYTES


def test_the_templates_show_what_can_be_said() -> None:
    areas = [area for name in NAMES for area in read_template(FOLDER / f"{name}.yaml", FOLDER).template.areas]
    assert {"over", "multiply"} == {area.blend for area in areas}
    assert any(area.box is not None and area.box.rotation for area in areas)
    assert any(area.tint is not None and area.design == NOTHING for area in areas)
    assert all(area.shade is not None for area in areas if area.design != NOTHING)


def test_a_product_renders_to_sound_templates_of_any_size_and_the_same_bytes_again(tmp_path: Path) -> None:
    folders = [tmp_path / "once", tmp_path / "again"]
    for folder in folders:
        folder.mkdir()
        mug.make(folder, SCALE, SAMPLES)
    once, again = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert sorted(once) == ["mug-mask.png", "mug-shade.jpg", "mug.jpg", "mug.yaml"]
    assert once == again
    assert_sound(read_template(folders[0] / "mug.yaml", folders[0]), folders[0])


@pytest.mark.parametrize("product", [mug, frame, cards])
def test_the_template_that_ships_is_the_one_the_program_writes(product: Product, tmp_path: Path) -> None:
    product.describe(tmp_path, 1.0)
    (written,) = tmp_path.iterdir()
    assert written.read_text(encoding="utf-8") == (FOLDER / written.name).read_text(encoding="utf-8")


def assert_sound(written: WrittenTemplate, folder: Path) -> None:
    """Every picture is there and as large as the photograph, masks and shades are gray, no corner lies outside."""
    size, mode = look_at(folder / written.template.background)
    assert mode == "RGB"
    for path, name in written.pictures():
        assert look_at(folder / name) == (size, "RGB" if path == ("background",) else "L"), name
    for area in written.template.areas:
        assert all(0 <= x <= size[0] and 0 <= y <= size[1] for x, y in area.quad), area.name


def look_at(path: Path) -> tuple[tuple[int, int], str]:
    with Image.open(path) as picture:
        return picture.size, picture.mode
