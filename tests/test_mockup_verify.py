"""Verification of mock-ups: a sound run passes, and each way in which one could be wrong is named."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from config.errors import ExitCode
from tests.conftest import tilepress
from tests.mockups import BLUE, area, sha256

if TYPE_CHECKING:
    from tests.conftest import Outcome
    from tests.mockups import PhotoShop

Pixels = NDArray[np.uint8]
Change = Callable[[dict[str, Any]], object]

KINDS = ("jpg", "png", "webp")
SAVED: dict[str, dict[str, Any]] = {  # as they were written, but by another encoder
    "jpg": {"quality": 90, "subsampling": "4:2:0"},
    "png": {},
    "webp": {"quality": 90},
}
NOT_THE_PICTURE = "it is not the picture that its inputs give: "
OTHER_BYTES = "the file is not the one that was written: its SHA-256 differs"


class Tampering:
    """Ways to change a finished mock-up, and to have the manifest agree; `save` encodes pixels anew."""

    def __init__(self, shop: "PhotoShop", kind: str) -> None:
        self.shop, self.kind = shop, kind
        self.manifest = json.loads((shop.out / kind / "manifest.json").read_text())

    def path(self, design: str) -> Path:
        return self.shop.out / self.kind / f"{design}_mug.{self.kind}"

    def pixels(self, design: str) -> Pixels:
        """Return the picture before it was encoded: that of the lossless format."""
        with Image.open(self.shop.out / f"png/{design}_mug.png") as image:
            return np.array(image)

    def save(self, design: str, pixels: Pixels, *, profile: bool = True) -> None:
        with Image.open(self.shop.out / "png/sound_mug.png") as image:
            icc = {"icc_profile": image.info["icc_profile"]} if profile else {}
        Image.fromarray(pixels).save(self.path(design), **SAVED[self.kind], **icc)
        self.admit(design)

    def admit(self, design: str) -> None:
        """Let the manifest state the hash and size of a file as it is now."""
        path = self.path(design)
        self.entry(design).update(sha256=sha256(path), bytes=path.stat().st_size)

    def entry(self, design: str) -> dict[str, Any]:
        """Return what the manifest states of a mock-up, to be changed."""
        stated: list[dict[str, Any]] = self.manifest["mockups"]
        (found,) = (entry for entry in stated if entry["design"] == design)
        return found

    def commit(self) -> None:
        (self.shop.out / self.kind / "manifest.json").write_text(json.dumps(self.manifest))


def repaint(tampering: Tampering) -> None:
    pixels = tampering.pixels("repainted")
    pixels[100:124, 150:174] = (255, 0, 255)
    tampering.save("repainted", pixels)


def other_format(tampering: Tampering) -> None:
    other = "png" if tampering.kind != "png" else "jpeg"
    Image.fromarray(tampering.pixels("foreign")).save(tampering.path("foreign"), other)
    tampering.admit("foreign")


def truncate(tampering: Tampering) -> None:
    path = tampering.path("truncated")
    path.write_bytes(path.read_bytes()[:-400])
    tampering.admit("truncated")


def overwrite(tampering: Tampering) -> None:
    tampering.path("text").write_text("nothing to see")
    tampering.admit("text")


def lengthen(tampering: Tampering) -> None:
    with tampering.path("longer").open("ab") as file:
        file.write(b"\0")


TAMPERED: Mapping[str, tuple[Callable[[Tampering], object], tuple[str, ...]]] = {  # and how what is said begins
    "sound": (lambda tampering: None, ()),
    "reencoded": (lambda tampering: tampering.save("reencoded", tampering.pixels("reencoded")), ()),
    "repainted": (repaint, (NOT_THE_PICTURE,)),
    "cropped": (
        lambda tampering: tampering.save("cropped", tampering.pixels("cropped")[:199]),
        ("it is 300×199 pixels, not 300×200", NOT_THE_PICTURE),
    ),
    "bare": (
        lambda tampering: tampering.save("bare", tampering.pixels("bare"), profile=False),
        ("its colour profile is not sRGB",),
    ),
    "text": (overwrite, ("cannot be opened: ",)),
    "foreign": (other_format, ("it is a ",)),
    "truncated": (truncate, ("cannot be ",)),
    "longer": (lengthen, (OTHER_BYTES,)),
    "removed": (lambda tampering: tampering.path("removed").unlink(), ("the file is missing",)),
    "key": (
        lambda tampering: tampering.entry("key").update(key="0" * 64),
        ("its key is not that of its template, artwork and settings",),
    ),
    "changed": (
        lambda tampering: tampering.shop.design("changed.png", colour=(1, 2, 3)),
        ("changed.png: changed since the run; the mock-up could not be made again",),
    ),
    "gone": (
        lambda tampering: (tampering.shop.folder / "designs/gone.png").unlink(missing_ok=True),
        ("gone.png: not found: gone.png; the mock-up could not be made again",),
    ),
}


@pytest.fixture(scope="module")
def sound(make_photo_shop: "Callable[[], PhotoShop]") -> "PhotoShop":
    """Designs on a template with everything, made in every format: below out/jpg, out/png and out/webp."""
    shop = make_photo_shop()
    for number, name in enumerate(TAMPERED):
        shop.design(f"{name}.png", colour=(20 * number, 200, 90))
    shop.photo("mask.png", colour=(255, 255, 255))
    shop.photo("shade.png", colour=(200, 200, 200))
    shop.photo("sign.png", (40, 30))
    shop.template(
        "mug",
        area(mask="mask.png", shade="shade.png", blend="multiply"),
        watermark={"image": "sign.png", "align": "top-left"},
        caption={"text": "{design}"},
    )
    for kind in KINDS:
        shop.output(format=kind, to=f"out/{kind}")
        outcome = shop.run()
        assert outcome.exit_code == 0, outcome.text
    return shop


def copy_of(sound: "PhotoShop", make_photo_shop: "Callable[[], PhotoShop]") -> "PhotoShop":
    """Return the finished runs in another folder, to be tampered with."""
    shop = make_photo_shop()
    shutil.copytree(sound.folder, shop.folder, dirs_exist_ok=True)
    roots = {f"{name}_root": str(shop.folder / name) for name in ("designs", "templates")}
    for kind in KINDS:
        rewrite(shop, lambda manifest: manifest.update(roots), kind)
    return shop


@pytest.fixture
def copied(sound: "PhotoShop", make_photo_shop: "Callable[[], PhotoShop]") -> "PhotoShop":
    return copy_of(sound, make_photo_shop)


def rewrite(shop: "PhotoShop", change: Change, kind: str = "jpg") -> None:
    path = shop.out / kind / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def verify(shop: "PhotoShop", kind: str = "jpg", *more: object) -> "Outcome":
    return tilepress("verify", shop.out / kind / "manifest.json", *more)


def problems(outcome: "Outcome") -> list[str]:
    """Return what verify says is wrong, and make sure that it ends with 3."""
    assert outcome.stderr == ""
    assert outcome.exit_code == ExitCode.INCOMPLETE, outcome.stdout
    return outcome.stdout.splitlines()[:-1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_run_passes_and_nothing_is_left_behind(sound: "PhotoShop", kind: str) -> None:
    before = sorted(path.name for path in (sound.out / kind).iterdir())

    outcome = verify(sound, kind)

    count = len(TAMPERED)
    assert (outcome.exit_code, outcome.stdout) == (0, f"{count} mock-ups verified: all is as the manifest says\n")
    assert sorted(path.name for path in (sound.out / kind).iterdir()) == before


@pytest.fixture(scope="module", params=KINDS)
def found(
    request: pytest.FixtureRequest, sound: "PhotoShop", make_photo_shop: "Callable[[], PhotoShop]"
) -> dict[str, list[str]]:
    """What verify says of each mock-up of a run, all of which were tampered with, by design."""
    kind: str = request.param
    tampering = Tampering(copy_of(sound, make_photo_shop), kind)
    for tamper, _ in TAMPERED.values():
        tamper(tampering)
    tampering.commit()
    said: dict[str, list[str]] = {name: [] for name in TAMPERED}
    for problem in problems(verify(tampering.shop, kind)):
        file, _, reason = problem.partition(": ")
        said[file.removesuffix(f"_mug.{kind}")].append(reason)
    return said


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_tampered_with_is_named_and_nothing_else(found: dict[str, list[str]], what: str) -> None:
    """Re-encoded from the same picture, a mock-up passes: another version of the encoder might have written it."""
    expected = TAMPERED[what][1]
    said = found[what]
    assert len(said) >= len(expected)
    for beginning, reason in zip(expected, said, strict=False):
        assert reason.startswith(beginning)
    assert bool(said) == bool(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_changed_pixels_are_named(copied: "PhotoShop", kind: str) -> None:
    tampering = Tampering(copied, kind)
    pixels = tampering.pixels("sound")
    pixels[100:108, 150:158] = (255, 0, 255)
    tampering.save("sound", pixels)
    tampering.commit()
    assert problems(verify(copied, kind))[0].startswith(f"sound_mug.{kind}: {NOT_THE_PICTURE}")


def test_entries_that_stand_twice_or_were_not_planned_are_named(copied: "PhotoShop") -> None:
    rewrite(copied, lambda manifest: manifest["mockups"].append(manifest["mockups"][0]))
    count = len(TAMPERED)
    assert problems(verify(copied)) == [
        f"totals.asked is {count}; {count + 1} were made and 0 could not be",
        f"totals.made is {count}, counted: {count + 1}",
        "the mock-ups listed are not those planned: one is listed twice",
    ]


def test_entries_that_are_gone_are_told_by_the_totals(copied: "PhotoShop") -> None:
    rewrite(copied, lambda manifest: [manifest["mockups"].pop(), manifest["planned"].remove("sound_mug.jpg")])
    count = len(TAMPERED)
    assert problems(verify(copied)) == [
        f"totals.asked is {count}; {count - 1} were made and 0 could not be",
        f"totals.made is {count}, counted: {count - 1}",
        "the mock-ups listed are not those planned: sound_mug.jpg",
    ]


def test_changed_totals_are_named(copied: "PhotoShop") -> None:
    rewrite(copied, lambda manifest: manifest["totals"].update(asked=1, made=2, failed=3))
    count = len(TAMPERED)
    assert problems(verify(copied)) == [
        f"totals.asked is 1; {count} were made and 0 could not be",
        f"totals.made is 2, counted: {count}",
        "totals.failed is 3, counted: 0",
    ]


def test_changed_settings_are_named(copied: "PhotoShop") -> None:
    rewrite(copied, lambda manifest: manifest["output"].update(quality=40))
    found = problems(verify(copied))
    assert [problem for problem in found if "its key is not that" in problem] == [
        f"{name}_mug.jpg: its key is not that of its template, artwork and settings" for name in sorted(TAMPERED)
    ]


def test_a_run_that_was_not_finished_is_named(copied: "PhotoShop") -> None:
    rewrite(copied, lambda manifest: manifest.update(finished_at=None))
    count = len(TAMPERED)
    assert problems(verify(copied)) == [f"the run was not finished: {count} of {count} mock-ups are there"]


@pytest.mark.parametrize("name", ["mug.png", "mask.png", "shade.png", "sign.png"])
def test_changed_pictures_of_a_template_are_named(copied: "PhotoShop", name: str) -> None:
    with Image.open(copied.folder / "templates" / name) as image:
        size = image.size
    copied.photo(name, size, BLUE)
    reason = f"{name}: changed since the run; the mock-up could not be made again"
    assert problems(verify(copied)) == [f"{design}_mug.jpg: {reason}" for design in sorted(TAMPERED)]


def test_artwork_that_moved_is_found_where_one_says(copied: "PhotoShop") -> None:
    (copied.folder / "designs").rename(copied.folder / "archive")
    assert verify(copied, "jpg", "--designs", copied.folder / "archive").exit_code == 0


def test_the_manifest_holds_all_that_a_template_said(copied: "PhotoShop") -> None:
    shutil.rmtree(copied.folder / ".tilepress")
    (copied.folder / "templates/mug.yaml").unlink()
    assert verify(copied).exit_code == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.pop("mockups"),
        lambda manifest: manifest.update(mockups=[{}]),
        lambda manifest: manifest["templates"]["mug"].update(template={}),
        lambda manifest: manifest["output"].update(format="gif"),
    ],
)
def test_a_damaged_manifest_is_refused(copied: "PhotoShop", change: Change) -> None:
    rewrite(copied, change)
    outcome = verify(copied)
    assert outcome.exit_code == ExitCode.CONFIGURATION
    assert "the manifest is damaged" in outcome.stderr


def test_a_manifest_leads_nowhere_else(copied: "PhotoShop") -> None:
    shutil.copy(copied.out / "jpg/bare_mug.jpg", copied.folder / "secret.jpg")

    def change(manifest: dict[str, Any]) -> None:
        manifest["mockups"][0]["file"] = "../../secret.jpg"
        manifest["templates"]["mug"]["pictures"]["mask.png"]["file"] = "../secret.jpg"

    rewrite(copied, change)
    found = problems(verify(copied))
    assert "../../secret.jpg: the file is missing" in found
    assert (
        "sound_mug.jpg: ../secret.jpg: outside templates.root: ../secret.jpg; the mock-up could not be made again"
        in found
    )
