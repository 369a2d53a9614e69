"""Verification: a sound run passes, and each way in which film could be wrong is named."""

import json
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import pyvips

if TYPE_CHECKING:
    from tests.conftest import Outcome, Shop

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def sound(make_shop: "Callable[[], Shop]") -> "Shop":
    """A finished run of two parts."""
    shop = make_shop()
    shop.design("disc.png", 90, 60)
    shop.design("noise.png", 150, 110, noise=True)
    shop.job["sheet"]["margin_in"] = 0.05
    shop.orders([("1001", "disc.png", 8), ("1002", "noise.png", 9)])
    assert shop.run().exit_code == 0
    assert len(shop.manifest["parts"]) == 2
    return shop


@pytest.fixture
def copied(sound: "Shop", make_shop: "Callable[[], Shop]") -> "Shop":
    """The finished run, to be tampered with."""
    shop = make_shop()
    shutil.copytree(sound.folder, shop.folder, dirs_exist_ok=True)
    rewrite(shop, lambda manifest: manifest.update(designs_root=str(shop.folder / "designs")))
    return shop


def rewrite(shop: "Shop", change: Change) -> None:
    manifest = shop.manifest
    change(manifest)
    (shop.out / "manifest.json").write_text(json.dumps(manifest))


def replace_part(shop: "Shop", change: Callable[[pyvips.Image], pyvips.Image], number: int = 1) -> None:
    """Write a part anew through libvips, and make the manifest agree with the new file."""
    path = shop.out / f"GangSheet_Part_{number}.png"
    image = change(pyvips.Image.new_from_file(str(path), memory=True))
    image.pngsave(str(path) + ".new")
    Path(str(path) + ".new").replace(path)
    admit(shop, path, number)


def admit(shop: "Shop", path: Path, number: int) -> None:
    """Let the manifest state the hash and size of the file as it is now."""
    import hashlib  # noqa: PLC0415

    def change(manifest: dict[str, Any]) -> None:
        manifest["parts"][number - 1]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        manifest["parts"][number - 1]["bytes"] = path.stat().st_size

    rewrite(shop, change)


def problems(shop: "Shop") -> list[str]:
    """Return what verify says is wrong, and make sure that it ends with 3."""
    outcome = shop.verify()
    assert outcome.stderr == ""
    assert outcome.exit_code == 3, outcome.stdout
    return outcome.stdout.splitlines()[:-1]


def edit_pixels(shop: "Shop", change: Callable[[np.ndarray[Any, Any]], None]) -> None:
    def edit(image: pyvips.Image) -> pyvips.Image:
        pixels = image.numpy().copy()
        change(pixels)
        edited = pyvips.Image.new_from_array(pixels, interpretation="srgb").copy(xres=image.xres, yres=image.yres)
        edited.set_type(pyvips.GValue.blob_type, "icc-profile-data", image.get("icc-profile-data"))
        return edited

    replace_part(shop, edit)


def test_a_sound_run_passes(sound: "Shop") -> None:
    outcome = sound.verify()
    assert outcome.exit_code == 0
    assert outcome.stdout == "2 parts, 17 placements verified: all is as the manifest says\n"


def test_nothing_is_left_behind(sound: "Shop") -> None:
    sound.verify()
    assert {path.name for path in sound.out.iterdir()} == {
        ".tilepress.lock",
        "GangSheet_Part_1.png",
        "GangSheet_Part_2.png",
        "manifest.json",
    }


def test_a_changed_pixel_within_a_copy_is_named(copied: "Shop") -> None:
    place = copied.manifest["parts"][0]["placements"][3]
    x, y = place["x_px"] + 40, place["y_px"] + 30

    def change(pixels: np.ndarray[Any, Any]) -> None:
        pixels[y, x, 0] ^= 1

    edit_pixels(copied, change)
    (problem,) = problems(copied)
    assert problem.startswith(f"GangSheet_Part_1.png: pixel ({x}, {y}) is [")
    assert problem.endswith(f"in order {place['order']}, {place['design']}, copy {place['copy']}")


def test_ink_where_nothing_is_placed_is_named(copied: "Shop") -> None:
    def change(pixels: np.ndarray[Any, Any]) -> None:
        pixels[0, 0] = [1, 2, 3, 4]

    edit_pixels(copied, change)
    assert problems(copied) == [
        "GangSheet_Part_1.png: pixel (0, 0) is [1, 2, 3, 4], not [0, 0, 0, 0], where nothing is placed"
    ]


def test_a_file_that_is_not_the_one_written_is_named(copied: "Shop") -> None:
    path = copied.out / "GangSheet_Part_2.png"
    path.write_bytes(path.read_bytes() + b"\0")
    assert problems(copied)[0] == (
        "GangSheet_Part_2.png: the file is not the one that was written: its SHA-256 differs"
    )


def test_a_truncated_part_is_named(copied: "Shop") -> None:
    path = copied.out / "GangSheet_Part_1.png"
    path.write_bytes(path.read_bytes()[:-400])
    admit(copied, path, 1)
    assert any("cannot be decoded from row" in problem for problem in problems(copied))


def test_a_missing_part_is_named(copied: "Shop") -> None:
    (copied.out / "GangSheet_Part_2.png").unlink()
    assert problems(copied) == ["GangSheet_Part_2.png: the file is missing"]


def test_a_removed_placement_is_named(copied: "Shop") -> None:
    lost = copied.manifest["parts"][0]["placements"][2]
    rewrite(copied, lambda manifest: manifest["parts"][0]["placements"].pop(2))

    found = problems(copied)

    ordered = {"disc.png": 8, "noise.png": 9}[lost["design"]]
    assert found[0] == f"order {lost['order']}, {lost['design']}: {ordered} ordered, {ordered - 1} placed or rejected"
    assert found[1] == "totals.placed is 17, counted: 16"
    assert found[2].endswith("where nothing is placed")


def test_a_removed_placement_is_found_even_when_the_totals_agree(copied: "Shop") -> None:
    def change(manifest: dict[str, Any]) -> None:
        lost = manifest["parts"][0]["placements"].pop(2)
        manifest["totals"]["placed"] -= 1
        manifest["totals"]["ordered"] -= 1
        for entry in manifest["ordered"]:
            entry["copies"] -= entry["design"] == lost["design"]

    rewrite(copied, change)
    assert [problem for problem in problems(copied) if problem.endswith("where nothing is placed")]


def test_a_duplicated_placement_is_named(copied: "Shop") -> None:
    def change(manifest: dict[str, Any]) -> None:
        manifest["parts"][1]["placements"].append(dict(manifest["parts"][0]["placements"][0]))

    first = copied.manifest["parts"][0]["placements"][0]
    rewrite(copied, change)
    name = f"order {first['order']}, {first['design']}, copy {first['copy']}"
    assert f"{name} is placed 2 times" in problems(copied)


def test_overlapping_placements_are_named(copied: "Shop") -> None:
    def change(manifest: dict[str, Any]) -> None:
        first, second = manifest["parts"][0]["placements"][:2]
        second["x_px"], second["y_px"] = first["x_px"] + 5, first["y_px"] + 5

    rewrite(copied, change)
    assert any(problem.endswith(" overlap") for problem in problems(copied))


def test_placements_closer_than_the_spacing_are_named(copied: "Shop") -> None:
    rewrite(copied, lambda manifest: manifest["sheet"].update(spacing_x_px=14, spacing_y_px=14))
    assert any(problem.endswith("are closer than the spacing") for problem in problems(copied))


def test_placements_in_the_margin_are_named(copied: "Shop") -> None:
    rewrite(copied, lambda manifest: manifest["sheet"].update(margin_px=9))
    assert any(problem.endswith("leaves the sheet or its margin") for problem in problems(copied))


def test_a_wrong_phys_is_named(copied: "Shop") -> None:
    path = copied.out / "GangSheet_Part_1.png"
    data = path.read_bytes()
    at = data.index(b"pHYs")
    chunk = b"pHYs" + struct.pack(">IIB", 2835, 2835, 1)
    path.write_bytes(data[:at] + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[at + len(chunk) + 4 :])
    admit(copied, path, 1)
    assert problems(copied) == ["GangSheet_Part_1.png: its resolution tag says 72.01 DPI, not 100"]


def test_a_changed_profile_is_named(copied: "Shop") -> None:
    def change(image: pyvips.Image) -> pyvips.Image:
        edited = image.copy()
        edited.set_type(pyvips.GValue.blob_type, "icc-profile-data", bytes(pyvips.Image.profile_load("p3")))
        return edited

    replace_part(copied, change)
    assert problems(copied) == ["GangSheet_Part_1.png: its colour profile is not sRGB"]


def test_a_lost_profile_is_named(copied: "Shop") -> None:
    def change(image: pyvips.Image) -> pyvips.Image:
        edited = image.copy()
        edited.remove("icc-profile-data")
        return edited

    replace_part(copied, change)
    assert problems(copied) == ["GangSheet_Part_1.png: it has no colour profile"]


def test_a_part_of_another_size_is_named(copied: "Shop") -> None:
    replace_part(copied, lambda image: image.crop(0, 0, image.width, image.height - 1))
    assert problems(copied) == ["GangSheet_Part_1.png: it is 400×499 pixels, not 400×500"]


def test_changed_artwork_is_named(copied: "Shop") -> None:
    copied.design("disc.png", 90, 60, seed=5)
    assert "artwork disc.png: changed since the run; its copies could not be compared" in problems(copied)


def test_artwork_that_is_gone_is_named(copied: "Shop") -> None:
    (copied.folder / "designs" / "disc.png").unlink()
    assert problems(copied) == ["artwork disc.png: not found: disc.png; its copies could not be compared"]


def test_artwork_that_moved_is_found_where_one_says(copied: "Shop", tilepress: "Callable[..., Outcome]") -> None:
    moved = copied.folder / "archive"
    (copied.folder / "designs").rename(moved)
    assert tilepress("verify", copied.out / "manifest.json", "--designs", moved).exit_code == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.pop("parts"),
        lambda manifest: manifest.update(parts=[{}]),
        lambda manifest: manifest["parts"][0]["placements"][0].update(x_px="left"),
        lambda manifest: manifest.update(sheet=None),
    ],
)
def test_a_damaged_manifest_is_refused(copied: "Shop", change: Change) -> None:
    rewrite(copied, change)
    outcome = copied.verify()
    assert outcome.exit_code == 2
    assert "the manifest is damaged" in outcome.stderr
