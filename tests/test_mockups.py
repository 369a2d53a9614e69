"""Mock-ups as users make them: every design on every template, in the format, size and names that were asked for."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageCms, JpegImagePlugin

from config.errors import ExitCode
from tests.mockups import BLUE, GREY, RED, SIZE, area, flat, sha256

if TYPE_CHECKING:
    from tests.conftest import Outcome
    from tests.mockups import PhotoShop

BOX = {"x": 60, "y": 40, "width": 180, "height": 120}  # of the artwork's shape: it fills it
MIDDLE = (100, 150)  # row and column: within the box
LEFT, RIGHT = (100, 80), (100, 220)
CORNER = (3, 3)  # outside of it
CAPTION, CAPTION_AT_TOP = 155, 45  # rows: where one at the bottom, with its plate, begins, and one at the top ends
HALF = (128, 128, 128)
GREEN = (0, 255, 0)
SAME = 2  # levels that JPEG and WebP may change a flat colour by


def split(left: tuple[int, ...], right: tuple[int, ...]) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Return a picture of two halves, beside each other."""
    pixels = flat(SIZE, left)
    pixels[:, SIZE[0] // 2 :] = right
    return pixels


@pytest.fixture(scope="module")
def catalogue(make_photo_shop: "Callable[[], PhotoShop]") -> "tuple[PhotoShop, Outcome]":
    """One run, as PNG, of three designs on templates that each show one thing."""
    shop = make_photo_shop()
    shop.design("tour_front.png")
    shop.design("tour-back.png", colour=BLUE)
    shop.design("logo.png")
    shop.design("half_front.png")
    shop.job["designs"]["sides"] = ["front", "back"]
    shop.template("plain", area(box=BOX))
    shop.template("drinks/cups/cup", area(box=BOX))
    shop.picture("mask.png", split((0, 0, 0), (255, 255, 255)))
    shop.template("masked", area(box=BOX, mask="mask.png"))
    shop.photo("shade.png", colour=HALF)
    shop.template("shaded", area(box=BOX, shade="shade.png"))
    shop.template("tinted", area(box=BOX, design="none", tint="#0080ff"))
    shop.template("both", area("f", box={**BOX, "width": 90, "height": 60}, design="front"), area("b", design="back"))
    own = {"caption": {"text": "{template}", "align": "top", "size": 0.1, "ground": "#00ff00"}}
    shop.template("own", area(box=BOX), **own, watermark={"image": "sign.png", "align": "left", "opacity": 1})
    shop.picture("sign.png", flat((40, 30), BLUE))
    shop.job["caption"] = {"text": "{design} | {template}", "align": "bottom", "size": 0.1, "ground": "#ff00ff"}
    shop.output(format="png")
    return shop, shop.run()


DESIGNS = ("half", "logo", "tour")
TEMPLATES = ("both", "cup", "masked", "own", "plain", "shaded", "tinted")


def test_every_design_is_put_on_every_template(catalogue: "tuple[PhotoShop, Outcome]") -> None:
    shop, outcome = catalogue
    assert outcome.stderr == ""
    made = {f"{design}_{template}.png" for design in DESIGNS for template in TEMPLATES} - {"half_both.png"}
    assert set(shop.files()) == made
    assert shop.leftovers() == []


def test_a_missing_side_costs_the_mockups_that_show_it(catalogue: "tuple[PhotoShop, Outcome]") -> None:
    shop, outcome = catalogue
    reason = "design half has no side back, which area b of the template shows"
    assert outcome.exit_code == ExitCode.INCOMPLETE
    assert shop.reasons() == {"half_both.png": reason}
    assert f"half_both.png: {reason}" in outcome.messages


def test_artwork_fills_its_area_and_leaves_the_photograph_alone(catalogue: "tuple[PhotoShop, Outcome]") -> None:
    shop, _ = catalogue
    pixels = shop.pixels("logo_plain.png")
    assert pixels.shape == (SIZE[1], SIZE[0], 3)
    assert tuple(pixels[MIDDLE]) == RED
    box = np.all(pixels == RED, axis=2)
    rows, columns = np.nonzero(box)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (60, 239, 40, 159)
    assert np.all(pixels[:39] == GREY)


def test_templates_in_folders_take_their_pictures_from_there(catalogue: "tuple[PhotoShop, Outcome]") -> None:
    shop, _ = catalogue
    assert np.array_equal(shop.pixels("logo_cup.png")[:CAPTION], shop.pixels("logo_plain.png")[:CAPTION])
    assert shop.manifest["templates"]["cup"]["pictures"]["cup.png"]["file"] == "drinks/cups/cup.png"


def test_a_mask_hides_a_shade_darkens_artwork_only_and_a_tint_colours_the_photograph(
    catalogue: "tuple[PhotoShop, Outcome]",
) -> None:
    shop, _ = catalogue
    masked, shaded, tinted = (shop.pixels(f"logo_{name}.png") for name in ("masked", "shaded", "tinted"))
    assert (tuple(masked[LEFT]), tuple(masked[RIGHT])) == (GREY, RED)
    assert tuple(shaded[MIDDLE]) == tuple(round(part * 128 / 255) for part in RED)
    assert tuple(shaded[CORNER]) == GREY
    assert tuple(tinted[MIDDLE]) == (0, round(GREY[1] * 128 / 255), GREY[2])
    assert tuple(tinted[CORNER]) == GREY


def test_each_area_shows_its_side_and_a_design_with_one_side_shows_it_everywhere(
    catalogue: "tuple[PhotoShop, Outcome]",
) -> None:
    shop, _ = catalogue
    front, back = (60, 80), (120, 200)
    tour, logo = shop.pixels("tour_both.png"), shop.pixels("logo_both.png")
    assert tuple(tour[back]) == BLUE
    assert tuple(logo[back]) == RED
    assert tuple(logo[front]) == RED
    assert tuple(shop.pixels("tour_plain.png")[MIDDLE]) == RED  # the first side, where none is named


def test_a_templates_caption_and_watermark_count_over_the_jobs(catalogue: "tuple[PhotoShop, Outcome]") -> None:
    shop, _ = catalogue
    own, plain = shop.pixels("logo_own.png"), shop.pixels("logo_plain.png")
    magenta, green = (np.all(plain == (255, 0, 255), axis=2), np.all(own == GREEN, axis=2))
    assert magenta[CAPTION:].any()
    assert not magenta[:CAPTION].any()
    assert green[:CAPTION_AT_TOP].any()
    assert not green[CAPTION_AT_TOP:].any()
    assert not np.all(own == (255, 0, 255), axis=2).any()
    _, columns = np.nonzero(np.all(own == BLUE, axis=2))
    assert (columns.min(), columns.max() - columns.min()) == (9, 89)  # its margin, and 0.3 of the width


def test_captions_name_design_and_template(catalogue: "tuple[PhotoShop, Outcome]") -> None:
    shop, _ = catalogue
    captions = {
        name: shop.pixels(f"{name}.png")[CAPTION:].tobytes() for name in ("logo_plain", "tour_plain", "logo_cup")
    }
    assert len(set(captions.values())) == 3


def test_the_manifest_states_all_that_a_mockup_is_made_of(catalogue: "tuple[PhotoShop, Outcome]") -> None:
    shop, _ = catalogue
    entry = shop.entry("tour_masked.png")
    folder = shop.folder
    assert entry["inputs"] == {
        "templates": {name: sha256(folder / "templates" / name) for name in ("masked.png", "mask.png")},
        "designs": {"tour_front.png": sha256(folder / "designs/tour_front.png")},
    }
    tinted, own = (shop.entry(name)["inputs"] for name in ("tour_tinted.png", "logo_own.png"))
    assert (tinted["designs"].keys(), tinted["templates"].keys()) == (set(), {"tinted.png"})
    assert (own["designs"].keys(), own["templates"].keys()) == ({"logo.png"}, {"own.png", "sign.png"})
    assert (entry["design"], entry["template"]) == ("tour", "masked")
    assert (entry["width_px"], entry["height_px"]) == SIZE
    assert entry["seconds"] > 0
    for stated in shop.manifest["mockups"]:
        path = shop.out / stated["file"]
        assert (stated["sha256"], stated["bytes"]) == (sha256(path), path.stat().st_size)


def test_the_manifest_states_totals_settings_and_templates(catalogue: "tuple[PhotoShop, Outcome]") -> None:
    shop, _ = catalogue
    manifest = shop.manifest
    assert manifest["totals"] == {"asked": 21, "made": 20, "unchanged": 0, "failed": 1}
    assert manifest["output"] == {
        "format": "png",
        "quality": 90,
        "chroma": "4:2:0",
        "ground": "#ffffff",
        "max_px": None,
    }
    assert (manifest["kind"], manifest["job"]) == ("mockups", "job")
    assert manifest["seconds"].keys() == {"fetch", "prepare", "plan", "render", "deliver", "total"}
    stated = manifest["templates"]["own"]
    assert stated["watermark"]["image"] == "sign.png"
    assert stated["watermark_picture"]["sha256"] == sha256(shop.folder / "templates/sign.png")
    assert manifest["templates"]["plain"]["caption"]["text"] == "{design} | {template}"


def test_the_whole_catalogue_is_proven(catalogue: "tuple[PhotoShop, Outcome]") -> None:
    shop, _ = catalogue
    outcome = shop.verify()
    assert (outcome.exit_code, outcome.stdout) == (0, "20 mock-ups verified: all is as the manifest says\n")


@pytest.fixture(scope="module")
def see_through(make_photo_shop: "Callable[[], PhotoShop]") -> "PhotoShop":
    """A design on a photograph, and on one that is transparent on its left half."""
    shop = make_photo_shop()
    shop.design("a.png")
    shop.template("opaque", area(box={"x": 150, "y": 40, "width": 90, "height": 60}))
    shop.picture("cut.png", split((0, 0, 0, 0), (*GREY, 255)))
    Image.fromarray(flat(SIZE, GREY)).convert("CMYK").save(shop.folder / "templates/inks.jpg")
    shop.template("inks", background="inks.jpg")
    shop.template("cut", area(box={"x": 60, "y": 40, "width": 180, "height": 120}), background="cut.png")
    return shop


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_png_and_webp_keep_transparency_where_the_photograph_has_it(see_through: "PhotoShop", kind: str) -> None:
    shop = see_through
    shop.output(format=kind, to="out")

    assert shop.run().exit_code == 0

    with Image.open(shop.out / f"a_inks.{kind}") as inks:
        assert (inks.mode, is_srgb(inks)) == ("RGB", True)
    with Image.open(shop.out / f"a_opaque.{kind}") as opaque, Image.open(shop.out / f"a_cut.{kind}") as cut:
        assert (opaque.mode, cut.mode) == ("RGB", "RGBA")
        assert (is_srgb(opaque), is_srgb(cut)) == (True, True)
        pixels = np.array(cut).astype(int)
    assert (pixels[CORNER][3], pixels[3, 250][3], pixels[LEFT][3]) == (0, 255, 255)
    assert np.abs(pixels[LEFT][:3] - RED).max() <= SAME
    assert shop.files() == [f"a_cut.{kind}", f"a_inks.{kind}", f"a_opaque.{kind}"]
    assert shop.verify().exit_code == 0


@pytest.mark.parametrize(("chroma", "sampling"), [("4:2:0", 2), ("4:4:4", 0)])
def test_jpegs_lie_on_their_ground_in_the_chroma_that_was_chosen(
    see_through: "PhotoShop", chroma: str, sampling: int
) -> None:
    shop = see_through
    shop.output(format="jpg", chroma=chroma, ground="#00ff00", quality=95)

    assert shop.run().exit_code == 0

    with Image.open(shop.out / "a_cut.jpg") as image:
        assert (image.format, image.mode) == ("JPEG", "RGB")
        assert JpegImagePlugin.get_sampling(image) == sampling
        assert is_srgb(image)
        pixels = np.array(image).astype(int)
    assert np.abs(pixels[CORNER] - GREEN).max() <= SAME
    assert np.abs(pixels[LEFT] - RED).max() <= SAME
    assert shop.verify().exit_code == 0


def is_srgb(image: Image.Image) -> bool:
    """Tell whether a picture has the profile that Little CMS calls sRGB."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info.get("icc_profile") or b""))
    return "sRGB" in ImageCms.getProfileName(profile)


def test_max_px_makes_it_small_with_its_areas(photo_shop: "PhotoShop") -> None:
    shop = photo_shop
    shop.design("a.png")
    shop.photo("large.png", (600, 1000))
    shop.template("large", area(box={"x": 100, "y": 200, "width": 300, "height": 200}), background="large.png")
    shop.template("small", area(box=BOX))
    shop.output(format="png", max_px=500, filename="{job}-{template}-{design}")

    assert shop.run().exit_code == 0

    assert shop.files() == ["job-large-a.png", "job-small-a.png"]
    pixels = shop.pixels("job-large-a.png")
    assert pixels.shape == (500, 300, 3)
    rows, columns = np.nonzero(np.all(pixels == RED, axis=2))
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (50, 199, 100, 199)
    assert shop.pixels("job-small-a.png").shape == (SIZE[1], SIZE[0], 3)
    assert shop.entry("job-large-a.png")["width_px"] == 300


def test_items_name_designs_and_their_sides(photo_shop: "PhotoShop") -> None:
    shop = photo_shop
    shop.design("artwork/1/vorne.png")
    shop.design("artwork/1/hinten.png", colour=BLUE)
    shop.job["designs"] = {
        "root": "designs",
        "items": [
            {"name": "tour", "sides": {"front": "artwork/1/vorne.png", "back": "artwork/1/hinten.png"}},
            {"name": "single", "file": "artwork/1/hinten.png"},
            {"name": "gone", "file": "artwork/1/gone.png"},
        ],
    }
    shop.template("back", area(box=BOX, design="back"))
    shop.output(format="png")

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.INCOMPLETE
    assert shop.files() == ["single_back.png", "tour_back.png"]
    assert tuple(shop.pixels("tour_back.png")[MIDDLE]) == BLUE
    assert shop.reasons() == {"gone_back.png": "artwork/1/gone.png: not found: artwork/1/gone.png"}


def test_templates_come_from_the_database_and_by_name(
    photo_shop: "PhotoShop", tilepress: "Callable[..., Outcome]"
) -> None:
    shop = photo_shop
    shop.keys["database"] = "sqlite:///shop.db"
    shop.design("a.png")
    templates = [shop.template(name, area(box=BOX)) for name in ("card", "mug", "unused")]
    shop.job["templates"] |= {"database": True, "names": ["card", "mug"]}
    shop.output(format="png")
    shop.write()
    assert tilepress("db", "init", "--pipeline", shop.pipeline).exit_code == 0
    brought_in = tilepress("db", "import", "--pipeline", shop.pipeline, *templates)
    assert brought_in.exit_code == 0, brought_in.text
    for path in templates:
        path.unlink()

    outcome = shop.run()

    assert outcome.exit_code == 0, outcome.text
    assert shop.files() == ["a_card.png", "a_mug.png"]
    assert tuple(shop.pixels("a_mug.png")[MIDDLE]) == RED
    assert shop.verify().exit_code == 0


def test_templates_are_chosen_by_name_and_a_missing_one_ends_the_job(photo_shop: "PhotoShop") -> None:
    shop = photo_shop
    shop.design("a.png")
    shop.template("card")
    shop.template("mug")
    shop.job["templates"]["names"] = ["mug"]
    assert shop.run().exit_code == 0
    assert shop.files() == ["a_mug.jpg"]

    shop.job["templates"]["names"] = ["mug", "poster"]
    outcome = shop.run()

    assert outcome.exit_code == ExitCode.CONFIGURATION
    assert any("no template poster" in message for message in outcome.messages)
    assert shop.files() == ["a_mug.jpg"]


@pytest.fixture(scope="module")
def ten(make_photo_shop: "Callable[[], PhotoShop]") -> "tuple[PhotoShop, Outcome]":
    """Ten mock-ups, made one after the other."""
    shop = make_photo_shop()
    for number in range(5):
        shop.noise(f"{number}.png", (240, 160), number)
    shop.photo("large.png", (700, 500))
    shop.template("large", area(corners=[[80, 60], [600, 90], [560, 420], [100, 400]]), background="large.png")
    shop.template("mug")
    return shop, shop.run()


def test_memory_is_told_after_every_mockup(ten: "tuple[PhotoShop, Outcome]") -> None:
    _, outcome = ten
    assert outcome.exit_code == 0
    said = [message.partition(":")[0] for message in outcome.messages if message.startswith("Memory usage after")]
    assert said == [f"Memory usage after mockup {number}/10" for number in range(1, 11)]


@pytest.mark.parametrize(("workers", "threads"), [(1, 1), (2, "auto"), ("auto", "auto"), (3, 1)])
def test_the_bytes_do_not_depend_on_workers_nor_threads(
    ten: "tuple[PhotoShop, Outcome]", workers: object, threads: object
) -> None:
    shop, _ = ten
    expected = {entry["file"]: entry["sha256"] for entry in shop.manifest["mockups"]}
    out = shop.folder / f"out-{workers}-{threads}"

    outcome = shop.run("--out", out, "--set", f"jobs.job.workers={workers}", "--set", f"threads={threads}")

    assert outcome.exit_code == 0, outcome.text
    assert len(expected) == 10
    assert {path.name: sha256(path) for path in out.glob("*.jpg")} == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"templates": {"root": "nowhere"}}, "nowhere: no such folder"),
        ({"templates": {"root": "designs"}}, "designs: no templates"),
        ({"designs": {"root": "nowhere", "glob": "*"}}, "nowhere: no such folder"),
        ({"designs": {"root": "designs", "glob": "*.tif"}}, "designs: no file matches *.tif"),
        ({"designs": {"root": "designs", "glob": "../*"}}, "designs.glob: ../* leads out of designs.root"),
        ({"output": {"to": "designs"}}, "output.to and designs.root are the same folder"),
        ({"output": {"to": "templates"}}, "output.to and templates.root are the same folder"),
        ({"output": {"to": "out", "filename": "{design}"}}, "the file name needs {design} and {template}"),
        ({"output": {"to": "out", "quality": 101}}, "must be at most 100"),
        ({"watermark": {"image": "gone.png"}}, "watermark.image: not found: gone.png"),
    ],
)
def test_a_job_that_cannot_be_done_ends_with_2_and_makes_nothing(
    photo_shop: "PhotoShop", change: dict[str, Any], message: str
) -> None:
    shop = photo_shop
    shop.design("a.png")
    shop.template("mug")
    shop.job |= change

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.CONFIGURATION
    assert message in outcome.text
    assert not shop.out.exists() or shop.files() == []
