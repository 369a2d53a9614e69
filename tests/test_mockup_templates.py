"""What people write into templates, and send as photographs: the good is used, the bad is named with its place."""

import io
import os
import re
import shutil
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from PIL import Image

from config.errors import ExitCode
from tests.mockups import area
from tests.test_bad_input import bomb

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Outcome
    from tests.mockups import PhotoShop

SECRET = "canary-database-password"
URL = f"postgresql://shop:{SECRET}@db/shop"

AREAS = "areas:\n  - {name: f, box: {x: 10, y: 10, width: 50, height: 40}}\n"
SQUARE = "[[60, 40], [240, 50], [230, 160], [70, 150]]"
ALIASES = "".join(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise("abcdefghi"))


def on(background: str) -> str:
    return f'background: "{background}"\n{AREAS}'


def with_area(corners: str = SQUARE, more: str = "") -> str:
    return f"background: photo.png\nareas:\n  - name: front\n    corners: {corners}\n    {more}\n"


class Bad(NamedTuple):
    """A template that cannot be used: what stands in it, and what is said, after its file's path, as a pattern."""

    text: str
    said: str


BAD = {
    "outside": Bad(
        with_area("[[60, 40], [340, 50], [230, 160], [70, 150]]"),
        r":4: areas\[0\]\.corners: corner 2 \(top right\) at \(340, 50\) lies outside of the background, which has "
        r"300×200 pixels; move it inside",
    ),
    "box-outside": Bad(
        "background: photo.png\nareas:\n  - name: f\n    box: {x: 260, y: 100, width: 50, height: 50}\n",
        r":4: areas\[0\]\.box: corner 2 \(top right\) at \(310, 100\) lies outside .* move it inside\n"
        r".*:4: areas\[0\]\.box: corner 3 \(bottom right\) at \(310, 150\) lies outside .*",
    ),
    "crossing": Bad(
        with_area("[[60, 40], [240, 50], [70, 150], [230, 160]]"),
        r":4: areas\[0\]\.corners: the sides cross each other; name the corners clockwise from the top left",
    ),
    "concave": Bad(
        with_area("[[60, 40], [240, 50], [100, 80], [70, 150]]"),
        r":4: areas\[0\]\.corners: corner 3 \(bottom right\) points inwards: .*; move it out, or use two areas",
    ),
    "counter-clockwise": Bad(
        with_area("[[60, 40], [70, 150], [230, 160], [240, 50]]"),
        r":4: areas\[0\]\.corners: the corners run counter-clockwise; begin at the top left and go clockwise",
    ),
    "strings": Bad(
        with_area('[["60", "40"], [240, 50], [230, 160], [70, 150]]'),
        r":4: areas\[0\]\.corners: corner 1 \(top left\) is written as text; write its numbers without quotes",
    ),
    "not-a-number": Bad(
        with_area("[[60, .nan], [240, 50], [230, 160], [70, 150]]"),
        r":4: areas\[0\]\.corners: corner 1 \(top left\) must be finite",
    ),
    "three-corners": Bad(
        with_area("[[60, 40], [240, 50], [230, 160]]"),
        r":4: areas\[0\]\.corners: must be four corners, .*, clockwise from the top left; there are 3",
    ),
    "mask-of-another-size": Bad(
        with_area(more="mask: small.png"),
        r":5: areas\[0\]\.mask: it has 10×10 pixels, the background 300×200; save it at that size",
    ),
    "shade-missing": Bad(with_area(more="shade: gone.png"), r":5: areas\[0\]\.shade: not found: gone\.png"),
    "blend": Bad(with_area(more="blend: burn"), r":5: areas\[0\]\.blend: must be 'over', 'multiply', .*"),
    "key": Bad(with_area(more="opasity: 0.5"), r":5: areas\[0\]\.opasity: unknown key; did you mean opacity\?"),
    "colour": Bad(with_area(more="tint: red"), r':5: areas\[0\]\.tint: must be a colour as "#RRGGBB", in quotes: .*'),
    "nothing-to-show": Bad(with_area(more="design: none"), r":3: areas\[0\]: design: none is for areas with a tint.*"),
    "no-areas": Bad("background: photo.png\nareas: []\n", r":2: areas: must be a list with at least one entry"),
    "no-background": Bad(AREAS, r":1: background: missing; add this key"),
    "neither": Bad("background: photo.png\nareas:\n  - name: f\n", r":3: areas\[0\]: give corners or box, one of them"),
    "caption": Bad(
        f'caption: {{text: "{{price}}"}}\n{on("photo.png")}',
        r":1: caption\.text: of braces, only \{design\} and \{template\} may stand in it",
    ),
    "watermark": Bad(
        f"watermark: {{image: gone.png}}\n{on('photo.png')}", r":1: watermark\.image: not found: gone\.png"
    ),
    "bomb": Bad(on("bomb.png"), r":1: background: the header claims 100,000 × 100,000 pixels; .*"),
    "empty": Bad(on("empty.png"), r":1: background: the file is empty"),
    "text": Bad(on("text.png"), r":1: background: the content is no image\. Send PNG, JPEG, .*"),
    "up": Bad(on("../secret.png"), r":1: background: outside templates\.root: \.\./secret\.png"),
    "link": Bad(on("link.png"), r":1: background: outside templates\.root: link\.png is a link that leads out of it"),
    "absolute": Bad(on("/etc/passwd"), r":1: background: outside templates\.root: /etc/passwd"),
    "pipe": Bad(on("pipe.png"), r":1: background: no regular file: pipe\.png"),
    "url": Bad(on("http://example.com/a.png"), r":1: background: .* is not below templates\.root, nor among .*"),
    "variable": Bad(
        on("${DATABASE_URL}"), r":1: background: variables are not read here; write the value itself"
    ),
    "aliases": Bad(
        f"a: &a [x, x, x, x, x, x, x, x, x]\n{ALIASES}{on('photo.png')}", r":\d+: more than 100,000 values"
    ),
    "tag": Bad(
        f'background: !!python/object/apply:os.system ["exit"]\n{AREAS}', r":1: background: tags are not read; .*"
    ),
    "syntax": Bad("background: [1, 2\nareas: x", r":2: not valid YAML: .*"),
    "nothing": Bad("", r": the file is empty"),
    "list": Bad("- a\n- b\n", r":1: a template is a mapping of keys"),
}  # fmt: skip


def upright() -> Image.Image:
    """Return a photograph that shows how it lies: it is dark at the top left, and light elsewhere."""
    pixels = np.full((200, 300, 3), 230, np.uint8)
    pixels[:100, :150] = 25
    return Image.fromarray(pixels)


def in_bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def turned() -> bytes:
    """Return a JPEG that lies on its side, and says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return in_bytes(upright().transpose(Image.Transpose.ROTATE_90), "jpeg", exif=exif)


def deep() -> bytes:
    """Return a grey PNG of 16 bits."""
    levels = np.array(upright().convert("L")).astype(np.uint16) * 257
    return in_bytes(Image.fromarray(levels), "png")


def interlaced() -> bytes:
    import pyvips  # noqa: PLC0415 - Pillow writes none

    image = pyvips.Image.new_from_array(np.array(upright()), interpretation="srgb")
    return bytes(image.pngsave_buffer(interlace=True))


PHOTOGRAPHS: dict[str, Callable[[], bytes]] = {
    "baseline.jpg": lambda: in_bytes(upright(), "jpeg"),
    "progressive.jpg": lambda: in_bytes(upright(), "jpeg", progressive=True),
    "cmyk.jpg": lambda: in_bytes(upright().convert("CMYK"), "jpeg"),
    "turned.jpg": turned,
    "deep.png": deep,
    "grey.png": lambda: in_bytes(upright().convert("L"), "png"),
    "palette.png": lambda: in_bytes(upright().convert("P"), "png"),
    "interlaced.png": interlaced,
    "lossless.webp": lambda: in_bytes(upright(), "webp", lossless=True),
    "flat.tif": lambda: in_bytes(upright(), "tiff"),
    "Größe 漢字 🦊.png": lambda: in_bytes(upright(), "png"),
}


class Judged(NamedTuple):
    """A shop with templates of all kinds, and what was said of it."""

    shop: "PhotoShop"
    check: "Outcome"
    plan: "Outcome"
    run: "Outcome"


@pytest.fixture(scope="module")
def judged(make_photo_shop: "Callable[[], PhotoShop]") -> Judged:
    shop = make_photo_shop()
    shop.design("a.png", (1, 1))
    templates = shop.folder / "templates"
    photo = shop.photo("photo.png")
    shop.photo("small.png", (10, 10))
    shutil.copy(photo, shop.folder / "secret.png")
    (templates / "link.png").symlink_to(shop.folder / "secret.png")
    (templates / "bomb.png").write_bytes(bomb())
    (templates / "empty.png").write_bytes(b"")
    (templates / "text.png").write_text("a photograph, honestly")
    os.mkfifo(templates / "pipe.png")
    for name, bad in BAD.items():
        (templates / f"{name}.yaml").write_text(bad.text, encoding="utf-8")
    for name, content in PHOTOGRAPHS.items():
        (templates / name).write_bytes(content())
        shop.template(name.partition(".")[0], area(box={"x": 145, "y": 95, "width": 10, "height": 10}), background=name)
    check = shop.run(command="check", DATABASE_URL=URL)
    plan = shop.run(command="plan", DATABASE_URL=URL)
    assert not shop.out.exists()
    return Judged(shop, check, plan, shop.run(DATABASE_URL=URL))


def test_all_of_it_ends_with_3_and_says_nothing_of_a_bug(judged: Judged) -> None:
    for outcome in judged[1:]:
        assert (outcome.exit_code, outcome.stderr) == (ExitCode.INCOMPLETE, "")
        assert "Traceback" not in outcome.stdout


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named_with_its_place_by_check_plan_and_manifest(judged: Judged, name: str) -> None:
    shop, check, plan, _ = judged
    where = re.escape(str(shop.folder / "templates" / f"{name}.yaml"))
    said = f"template {name}: {where}{BAD[name].said}"
    assert re.search(f"^job: {said}$", check.stdout, re.MULTILINE), check.stdout
    assert re.search(f"^  cannot be made: a_{name}.jpg: {said}$", plan.stdout, re.MULTILINE)
    assert re.match(said, shop.reasons()[f"a_{name}.jpg"])


def test_what_can_be_said_on_how_to_mend_it_is_said(judged: Judged) -> None:
    assert judged.check.stdout.count("See docs/mockups.md.") > 10
    assert "Save the file" not in judged.check.stdout
    assert f"job: 1 designs on {len(BAD) + len(PHOTOGRAPHS)} templates, {len(BAD)} problems" in judged.check.stdout


def test_no_secret_is_told(judged: Judged) -> None:
    said = "".join(outcome.text for outcome in judged[1:])
    assert SECRET not in said + (judged.shop.out / "manifest.json").read_text()


def test_the_others_are_made_and_proven(judged: Judged) -> None:
    shop = judged.shop
    made = {f"a_{name.partition('.')[0]}.jpg" for name in PHOTOGRAPHS}
    assert set(shop.files()) == made
    assert shop.manifest["totals"]["failed"] == len(BAD)
    assert shop.verify().stdout == f"{len(made)} mock-ups verified: all is as the manifest says\n"


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_of_every_kind_stand_upright(judged: Judged, name: str) -> None:
    pixels = judged.shop.pixels(f"a_{name.partition('.')[0]}.jpg").astype(int)
    assert pixels.shape == (200, 300, 3)
    quarters = [pixels[50, 75], pixels[50, 225], pixels[150, 75], pixels[150, 225]]
    assert [quarter.mean() > 128 for quarter in quarters] == [False, True, True, True]
    assert max(np.ptp(quarter) for quarter in quarters) <= (20 if name == "cmyk.jpg" else 6)  # inks are not quite grey


def test_artwork_of_one_pixel_fills_its_area(judged: Judged) -> None:
    red, green, _ = judged.shop.pixels("a_grey.jpg")[100, 150].astype(int)
    assert red > green + 100


def test_log_lines_for_people_are_lines(make_photo_shop: "Callable[[], PhotoShop]") -> None:
    shop = make_photo_shop()
    shop.design("a.png")
    (shop.folder / "templates/key.yaml").write_text(BAD["key"].text)
    shop.photo("photo.png")

    outcome = shop.run("--log-format", "text")

    where = shop.folder / "templates/key.yaml"
    lines = outcome.stdout.splitlines()
    said = f"warning: a_key.jpg: template key: {where}:5: areas[0].opasity: unknown key; did you mean opacity?"
    assert lines[lines.index(said) + 1] == "  See docs/mockups.md."


@pytest.fixture(scope="module")
def namesakes(make_photo_shop: "Callable[[], PhotoShop]") -> "PhotoShop":
    """Designs and templates whose mock-ups would be called the same, and names that no file can have."""
    shop = make_photo_shop()
    shop.template("mug")
    shop.template("Mug", background="mug.png")
    shop.template("a:b", background="mug.png")
    shop.design("1.png")
    shop.design("more/1.png")
    shop.design("e\u0301.png")
    shop.design("\u00e9.png")
    shop.job["designs"]["glob"] = "**/*.png"
    return shop


CLASHES = (
    "1_mug.jpg: its file would be that of 1.png on Mug; rename one of them",
    "1_Mug.jpg: its file would be that of 1.png on Mug; rename one of them",
    "\u00e9_Mug.jpg: its file would be that of e\u0301.png on Mug; rename one of them",
    "1_a:b.jpg: no file can be called '1_a:b.jpg': a file name is short, has no / \\ : *",
)


def test_files_of_one_name_are_made_once_and_the_others_named(namesakes: "PhotoShop") -> None:
    shop = namesakes

    check, plan, outcome = (shop.run(command=command) for command in ("check", "plan", "run"))

    assert [check.exit_code, plan.exit_code, outcome.exit_code] == [ExitCode.INCOMPLETE] * 3
    for clash in CLASHES:
        assert f"job: {clash}" in check.stdout
        assert f"  cannot be made: {clash}" in plan.stdout
        assert any(clash in message for message in outcome.messages)
    assert shop.files() == ["1_Mug.jpg", "e\u0301_Mug.jpg"]
    assert shop.manifest["totals"] == {"asked": 12, "made": 2, "unchanged": 0, "failed": 10}
    assert shop.entry("1_Mug.jpg")["artwork"]["front"]["file"] == "1.png"


def test_templates_of_one_name_end_the_job(photo_shop: "PhotoShop") -> None:
    shop = photo_shop
    shop.design("a.png")
    one, other = shop.template("cups/mug"), shop.template("mugs/mug")

    outcomes = [shop.run(command=command) for command in ("check", "run")]

    assert [outcome.exit_code for outcome in outcomes] == [ExitCode.CONFIGURATION] * 2
    for outcome in outcomes:
        assert f"{other}: a template is called mug already, in {one}" in outcome.stdout


@pytest.mark.parametrize(
    ("kind", "longest", "names"),
    [("webp", "16,383", ["wide", "wider"]), ("jpg", "65,500", ["wider"])],
)
def test_a_photograph_longer_than_the_format_takes_is_named(
    photo_shop: "PhotoShop", kind: str, longest: str, names: "list[str]"
) -> None:
    shop = photo_shop
    shop.design("a.png")
    sizes = {"wide": 16_400, "wider": 65_600, "fits": 16_383}
    for name, width in sizes.items():
        shop.photo(f"{name}.png", (width, 12))
        shop.template(name, area(box={"x": 0, "y": 0, "width": 12, "height": 12}), background=f"{name}.png")
    shop.output(format=kind)

    check, outcome = (shop.run(command=command) for command in ("check", "run"))

    expected = {
        f"a_{name}.{kind}": f"it would have {sizes[name]:,}×12 pixels; a {kind} has at most {longest} a side. "
        "Set output.max_px, or another output.format"
        for name in names
    }
    assert (check.exit_code, outcome.exit_code) == (ExitCode.INCOMPLETE, ExitCode.INCOMPLETE)
    assert shop.reasons() == expected
    for file, reason in expected.items():
        assert f"job: {file}: {reason}" in check.stdout
    assert shop.files() == sorted(f"a_{name}.{kind}" for name in sizes if name not in names)


def outline(tilepress: "Callable[..., Outcome]", path: "Path", *arguments: object) -> "Outcome":
    return tilepress("mockups", "outline", path, *arguments)


def test_outline_draws_the_areas(photo_shop: "PhotoShop", tilepress: "Callable[..., Outcome]") -> None:
    template = photo_shop.template("mug")

    outcome = outline(tilepress, template, "--longest", 150)

    drawn = template.with_name("mug-outline.png")
    assert (outcome.exit_code, outcome.stdout) == (0, f"Drawn: {drawn}\n")
    with Image.open(drawn) as image:
        assert image.size == (150, 100)
        pixels = np.array(image.convert("RGB")).astype(int)
    assert np.ptp(pixels, axis=2).max() > 100  # a coloured line on grey
    assert sorted(path.name for path in template.parent.iterdir()) == ["mug-outline.png", "mug.png", "mug.yaml"]


@pytest.mark.parametrize("name", ["outside", "not-a-number", "key"])
def test_outline_draws_what_it_can_and_ends_with_2_saying_what_is_wrong(
    judged: Judged, tilepress: "Callable[..., Outcome]", tmp_path: "Path", name: str
) -> None:
    template, drawn = judged.shop.folder / "templates" / f"{name}.yaml", tmp_path / "outline.png"

    outcome = outline(tilepress, template, "-o", drawn)

    assert (outcome.exit_code, outcome.stderr) == (ExitCode.CONFIGURATION, "")
    problem, last = outcome.stdout.splitlines()
    assert re.fullmatch(re.escape(str(template)) + BAD[name].said, problem)
    assert last == f"Drawn: {drawn}"
    assert drawn.exists()


@pytest.mark.parametrize("name", ["bomb", "variable", "up", "no-background", "syntax"])
def test_outline_without_a_photograph_to_draw_on_says_why(
    judged: Judged, tilepress: "Callable[..., Outcome]", tmp_path: "Path", name: str
) -> None:
    template, drawn = judged.shop.folder / "templates" / f"{name}.yaml", tmp_path / "outline.png"

    outcome = outline(tilepress, template, "-o", drawn)

    said = BAD[name].said.replace(r"templates\.root", "the template's folder")
    assert outcome.exit_code == ExitCode.CONFIGURATION
    assert re.match(f"error: {re.escape(str(template))}{said}", outcome.stderr), outcome.stderr
    assert list(tmp_path.iterdir()) == []
