"""Mock-ups made again: what is unchanged stays the very same file, what has changed is made anew, and no more."""

import json
import os
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
import yaml

from config.errors import ExitCode
from tests.mockups import BLUE, area, sha256

if TYPE_CHECKING:
    from tests.mockups import PhotoShop

Change = Callable[["PhotoShop"], object]

CARD = {"caption": {"text": "Buy {design}"}, "watermark": {"image": "sign.png"}}
ALL = ("a_card.jpg", "a_mug.jpg", "b_card.jpg", "b_mug.jpg")
A, B, ON_CARD, ON_MUG = ALL[:2], ALL[2:], ALL[::2], ALL[1::2]


@pytest.fixture(scope="module")
def finished(make_photo_shop: "Callable[[], PhotoShop]") -> "PhotoShop":
    """Two designs on two templates, one with a mask, one with caption and watermark; and a file of someone else's."""
    shop = make_photo_shop()
    shop.design("a.png")
    shop.design("b.png", colour=BLUE)
    shop.photo("mask.png", colour=(255, 255, 255))
    shop.template("mug", area(mask="mask.png"))
    shop.photo("sign.png", (40, 30), BLUE)
    shop.template("card", **CARD)
    outcome = shop.run()
    assert outcome.exit_code == 0, outcome.text
    (shop.out / "notes.txt").write_text("not tilepress's")
    return shop


@pytest.fixture
def again(finished: "PhotoShop", make_photo_shop: "Callable[[], PhotoShop]") -> "PhotoShop":
    """The finished job in another folder, of which nothing has changed."""
    shop = make_photo_shop()
    shutil.copytree(finished.folder, shop.folder, dirs_exist_ok=True)
    return shop


def touch_all(shop: "PhotoShop") -> None:
    for path in shop.folder.rglob("*.*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))


def rewrite_the_mug(shop: "PhotoShop") -> None:
    """Say the same in other words."""
    path = shop.folder / "templates/mug.yaml"
    content = yaml.safe_load(path.read_text())
    content["areas"][0] |= {"fit": "contain", "opacity": 1}
    path.write_text("# the mug\n" + yaml.safe_dump(content, default_flow_style=True))


def damage(shop: "PhotoShop") -> None:
    path = shop.out / "b_card.jpg"
    content = bytearray(path.read_bytes())
    content[-50] ^= 1
    path.write_bytes(content)


CHANGES: dict[str, tuple[Change, tuple[str, ...]]] = {
    "nothing": (lambda shop: None, ()),
    "times of files": (touch_all, ()),
    "the template's wording": (rewrite_the_mug, ()),
    "artwork": (lambda shop: shop.design("a.png", colour=BLUE), A),
    "a background": (lambda shop: shop.photo("mug.png", colour=(9, 9, 9)), ON_MUG),
    "a mask": (lambda shop: shop.photo("mask.png", colour=(128, 128, 128)), ON_MUG),
    "a watermark's picture": (lambda shop: shop.photo("sign.png", (40, 30), (1, 2, 3)), ON_CARD),
    "a template's caption": (
        lambda shop: shop.template("card", **{**CARD, "caption": {"text": "Sell {design}"}}),
        ON_CARD,
    ),
    "a template's area": (lambda shop: shop.template("mug", area(mask="mask.png", inset=0.1)), ON_MUG),
    "the job's caption, where a template has none": (lambda shop: shop.job.update(caption={"text": "new"}), ON_MUG),
    "quality": (lambda shop: shop.output(quality=80), ALL),
    "size": (lambda shop: shop.output(max_px=150), ALL),
    "the job's workers": (lambda shop: shop.job.update(workers=2), ()),
    "a damaged file": (damage, ("b_card.jpg",)),
    "a removed file": (lambda shop: (shop.out / "a_mug.jpg").unlink(), ("a_mug.jpg",)),
    "a lost store": (lambda shop: shutil.rmtree(shop.folder / ".tilepress"), ()),
}


@pytest.mark.parametrize("what", CHANGES)
def test_exactly_what_has_changed_is_made_anew(again: "PhotoShop", what: str) -> None:
    shop, (change, expected) = again, CHANGES[what]
    change(shop)
    before = {name: inode for name, inode in shop.inodes().items() if name in ALL}

    outcome = shop.run()

    assert (outcome.exit_code, outcome.stderr) == (0, "")
    after = shop.inodes()
    assert shop.files() == [*ALL, "notes.txt"]
    assert {name for name in ALL if after[name] != before.get(name)} == set(expected)
    totals = {"asked": 4, "made": 4, "unchanged": 4 - len(expected), "failed": 0}
    assert shop.manifest["totals"] == totals
    assert {entry["file"]: entry["sha256"] for entry in shop.manifest["mockups"]} == {
        name: sha256(shop.out / name) for name in ALL
    }


def test_what_is_unchanged_is_said_and_seen_by_plan(again: "PhotoShop") -> None:
    saved = again.folder / "plan.json"
    planned = again.run("--save", saved, command="plan")
    outcome = again.run()

    assert "2 designs on 2 templates: 4 can be made, 4 of them are there and unchanged" in planned.stdout
    content = json.loads(saved.read_text())
    assert content["failed"] == []
    assert [entry["key"] for entry in content["mockups"]] == [entry["key"] for entry in again.manifest["mockups"]]
    assert "4 mock-ups asked for: 4 are there and unchanged, 0 to be made, 0 cannot be made" in outcome.messages
    assert not [message for message in outcome.messages if message.startswith("Removed")]


def test_what_is_not_asked_for_any_more_is_removed_and_nothing_else(again: "PhotoShop") -> None:
    shop = again
    (shop.folder / "templates/mug.yaml").unlink()
    (shop.folder / "designs/b.png").rename(shop.folder / "designs/c.png")
    before = shop.inodes()

    outcome = shop.run()

    assert outcome.exit_code == 0
    assert shop.files() == ["a_card.jpg", "c_card.jpg", "notes.txt"]
    assert {name: shop.inodes()[name] for name in ("a_card.jpg", "notes.txt")} == {
        name: before[name] for name in ("a_card.jpg", "notes.txt")
    }
    removed = sorted(message.split()[1] for message in outcome.messages if message.startswith("Removed"))
    assert removed == ["a_mug.jpg:", "b_card.jpg:", "b_mug.jpg:"]


def test_another_format_or_name_takes_the_place_of_the_former(again: "PhotoShop") -> None:
    shop = again
    shop.output(format="webp", filename="{template}-{design}")

    assert shop.run().exit_code == 0

    assert shop.files() == ["card-a.webp", "card-b.webp", "mug-a.webp", "mug-b.webp", "notes.txt"]
    assert shop.verify().exit_code == 0


def test_a_failing_template_or_design_costs_its_own_mockups_only(again: "PhotoShop") -> None:
    shop = again
    shop.template("torn", background="torn.jpg")
    (shop.folder / "templates/torn.jpg").write_bytes(b"")
    (shop.folder / "designs/c.png").write_text("no picture")
    before = shop.inodes()

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.INCOMPLETE
    assert shop.inodes() == before
    assert set(shop.reasons()) == {"a_torn.jpg", "b_torn.jpg", "c_torn.jpg", "c_card.jpg", "c_mug.jpg"}
    assert "torn.yaml:1: background: the file is empty" in shop.reasons()["a_torn.jpg"]
    assert shop.reasons()["c_mug.jpg"] == "c.png: the content is no image"
    assert shop.manifest["totals"] == {"asked": 9, "made": 4, "unchanged": 4, "failed": 5}

    (shop.folder / "designs/c.png").write_bytes((shop.folder / "designs/a.png").read_bytes())
    shop.photo("torn.png")
    shop.template("torn", background="torn.png")
    mended = shop.run()

    assert mended.exit_code == 0
    assert shop.manifest["totals"] == {"asked": 9, "made": 9, "unchanged": 4, "failed": 0}
    assert {name: shop.inodes()[name] for name in before} == before


def test_artwork_that_only_decoding_shows_to_be_damaged_is_named(again: "PhotoShop") -> None:
    shop = again
    whole = shop.noise("c.png", (200, 150)).read_bytes()
    (shop.folder / "designs/c.png").write_bytes(whole[: len(whole) // 2])
    photo = shop.picture("half.png", np.random.default_rng(1).integers(0, 256, (200, 300, 3), np.uint8))
    photo.write_bytes(photo.read_bytes()[:90_000])
    shop.template("half", background="half.png")

    outcome = shop.run()

    assert outcome.exit_code == ExitCode.INCOMPLETE
    reasons = shop.reasons()
    assert set(reasons) == {"a_half.jpg", "b_half.jpg", "c_half.jpg", "c_card.jpg", "c_mug.jpg"}
    assert reasons["c_mug.jpg"].startswith("c.png: cannot be decoded whole: ")
    assert reasons["a_half.jpg"].startswith("half.png: cannot be decoded whole: ")
    assert shop.leftovers() == []


@pytest.mark.parametrize("manifest", [None, '{"mockups": [1, {}'], ids=["lost", "damaged"])
def test_what_no_manifest_lists_is_never_overwritten(again: "PhotoShop", manifest: str | None) -> None:
    path, before = again.out / "manifest.json", again.inodes()
    path.unlink() if manifest is None else path.write_text(manifest)

    outcome = again.run()

    assert outcome.exit_code == 3
    assert set(again.reasons().values()) == {"a file of that name lies there that this job did not make"}
    assert {name: again.inodes()[name] for name in ALL} == {name: before[name] for name in ALL}


def test_a_template_that_breaks_leaves_its_mockups_until_it_is_mended(again: "PhotoShop") -> None:
    before, card = again.hashes(), again.folder / "templates/card.yaml"
    written = card.read_text()
    card.write_text("background: [")

    broken = again.run()

    assert (broken.exit_code, again.hashes()) == (3, before)
    assert [entry["file"] for entry in again.manifest["stale"]] == ["a_card.jpg", "b_card.jpg"]
    assert [entry["file"] for entry in again.manifest["mockups"]] == ["a_mug.jpg", "b_mug.jpg"]
    assert again.verify().exit_code == 0

    card.write_text(written)
    mended = again.run()

    assert (mended.exit_code, again.hashes(), again.manifest["stale"]) == (0, before, [])
    assert again.manifest["totals"] == {"asked": 4, "made": 4, "unchanged": 4, "failed": 0}


def test_artwork_that_is_found_broken_while_it_is_made_leaves_the_former_mockup(again: "PhotoShop") -> None:
    before, design = again.hashes(), again.folder / "designs/a.png"
    design.write_bytes(design.read_bytes()[:-40])

    outcome = again.run()

    assert (outcome.exit_code, again.hashes()) == (3, before)
    assert [entry["file"] for entry in again.manifest["stale"]] == ["a_card.jpg", "a_mug.jpg"]


def test_a_file_that_is_not_the_jobs_own_is_left_alone_however_often_it_is_run(again: "PhotoShop") -> None:
    again.design("c.png")
    (again.out / "c_mug.jpg").write_bytes(b"mine")

    for _ in range(2):
        assert again.run().exit_code == 3
        assert (again.out / "c_mug.jpg").read_bytes() == b"mine"
        assert again.reasons() == {"c_mug.jpg": "a file of that name lies there that this job did not make"}


def test_mockups_never_go_to_where_designs_lie(again: "PhotoShop") -> None:
    before = (again.folder / "designs/a.png").read_bytes()
    again.job["output"]["to"] = "designs"
    again.write()

    outcome = again.run()

    assert outcome.exit_code == 2
    assert "output.to" in outcome.text
    assert (again.folder / "designs/a.png").read_bytes() == before


def test_a_signature_stands_in_no_manifest_and_no_plan(again: "PhotoShop") -> None:
    url = "https://127.0.0.1:1/a.png?X-Amz-Signature=TOPSECRETSIGNATURE"
    again.job["designs"] = {"root": "designs", "items": [{"name": "a", "file": "a.png"}, {"name": "x", "file": url}]}
    again.write()

    outcome = again.run("--save", again.folder / "plan.json", command="plan")
    made = again.run()

    assert made.exit_code == 3
    texts = (
        outcome.text,
        made.text,
        (again.folder / "plan.json").read_text(),
        (again.out / "manifest.json").read_text(),
    )
    assert not [text for text in texts if "TOPSECRET" in text]


def test_a_caption_of_braces_costs_nothing_but_its_template(again: "PhotoShop") -> None:
    card = again.folder / "templates/card.yaml"
    card.write_text(card.read_text() + 'caption: {text: "{{design}template}"}\n')

    outcome = again.run()

    assert outcome.exit_code == 3
    assert again.manifest["totals"]["made"] == 2
