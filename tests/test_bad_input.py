"""What customers send, and what becomes of it: the good is printed, the bad is named, nothing else happens."""

import os
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

if TYPE_CHECKING:
    from tests.conftest import Outcome, Shop


def bomb() -> bytes:
    """A small PNG that claims 100,000 × 100,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


def flip_one_bit(data: bytes) -> bytes:
    """Flip one bit in the middle of the compressed pixels."""
    middle = data.index(b"IDAT") + (len(data) - data.index(b"IDAT")) // 2
    return data[:middle] + bytes([data[middle] ^ 0x10]) + data[middle + 1 :]


def test_the_bomb_is_small() -> None:
    assert len(bomb()) < 177


def make_designs(shop: "Shop") -> None:
    folder = shop.folder / "designs"
    good = shop.design("good.png", 120, 80, noise=True).read_bytes()
    (folder / "empty.png").write_bytes(b"")
    (folder / "truncated.png").write_bytes(good[: len(good) * 6 // 10])
    (folder / "flipped.png").write_bytes(flip_one_bit(good))
    (folder / "text.png").write_text("I am a picture, honestly.")
    (folder / "bomb.png").write_bytes(bomb())
    page = Image.new("RGB", (20, 20))
    page.save(folder / "pages.tif", save_all=True, append_images=[page] * 19)
    page.save(folder / "animation.gif")
    (folder / "drawing.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    (shop.folder / "secret.png").write_bytes(good)
    (folder / "link.png").symlink_to(shop.folder / "secret.png")
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.png")
    Image.new("RGBA", (30, 30)).save(folder / "large.png")


LONG_NAME = "n" * 255
UNICODE_NAMES = ("Größe 漢字 🦊.png", "e\u0301te.png", "a" * 251 + ".png")

# design, quantity, width_in, height_in → the reason in the manifest (a regular expression)
BAD: dict[str, tuple[tuple[str, str, str, str], str]] = {
    "missing": (("gone.png", "1", "", ""), r"not found: gone\.png"),
    "empty": (("empty.png", "1", "", ""), r"the file is empty"),
    "truncated at 60 %": (("truncated.png", "1", "", ""), r"cannot be decoded whole: .+"),
    "one flipped bit": (("flipped.png", "1", "", ""), r"cannot be decoded whole: .+"),
    "text named .png": (("text.png", "1", "", ""), r"the content is no image"),
    "100,000 × 100,000 in few bytes": (("bomb.png", "1", "", ""), r"the header claims 100,000 × 100,000 pixels; .+"),
    "20 pages": (("pages.tif", "1", "", ""), r"the file has 20 pages; one is expected"),
    "GIF": (("animation.gif", "1", "", ""), r"GIF is not accepted"),
    "SVG where it is not allowed": (("drawing.svg", "1", "", ""), r"SVG is not accepted here"),
    "larger than the sheet": (
        ("large.png", "1", "30", "30"),
        r"30\.00×30\.00 in does not fit on the sheet of 4×5 in with a margin of 0 in; 4\.00×4\.00 in would",
    ),
    "no pixels when printed": (
        ("large.png", "1", "0.001", ""),
        r"the printed size would be 0×0 pixels; order a larger size",
    ),
    "zero": (("good.png", "0", "", ""), r".*orders\.csv:\d+: the quantity is 0; it must be at least 1"),
    "negative": (("good.png", "-5", "", ""), r".*: the quantity is -5; it must be at least 1"),
    "NaN": (("good.png", "NaN", "", ""), r".*: the quantity NaN is not a whole number"),
    "1e9": (("good.png", "1e9", "", ""), r".*: the quantity 1,000,000,000 is above 100,000, the most .+"),
    "words for a number": (("good.png", "two", "", ""), r".*: the quantity 'two' is not a number"),
    "negative size": (("good.png", "1", "-2", ""), r".*: width_in is -2; it must be above 0 and at most 10,000 inches"),
    "out of the root": (("../../etc/passwd", "1", "", ""), r"outside designs\.root: \.\./\.\./etc/passwd"),
    "an absolute path": (("/etc/passwd", "1", "", ""), r"outside designs\.root: /etc/passwd"),
    "a link out of the root": (("link.png", "1", "", ""), r"outside designs\.root: link\.png is a link .+"),
    "a folder": (("folder.png", "1", "", ""), r"no regular file: folder\.png"),
    "a pipe": (("pipe.png", "1", "", ""), r"no regular file: pipe\.png"),
    "a name of 256 bytes": ((LONG_NAME + "x", "1", "", ""), r"cannot be read: File name too long: n+"),
    "a URL not let in": (("http://example.com/a.png", "1", "", ""), r".* is not below designs\.root, nor among .*"),
    "a private address": (("https://127.0.0.1/a.png", "1", "", ""), r".*: 127\.0\.0\.1 is not a public address.*"),
    "an unknown URL": (("ftp://example.com/a.png", "1", "", ""), r".*: the URL's kind is not known"),
    "a URL with a password": (("https://me:hunter2@example.com/a.png", "1", "", ""), r".*: a https URL holds cred.*"),
    "no design": (("", "1", "", ""), r".*: the design is empty"),
}


@pytest.fixture(scope="module")
def printed(make_shop: "Callable[[], Shop]") -> "tuple[Shop, Outcome]":
    """One run with every bad input, and good orders among them."""
    shop = make_shop()
    make_designs(shop)
    for index, name in enumerate(UNICODE_NAMES):
        shop.design(name, 50 + index, 30)
    rows: list[tuple[object, ...]] = [("good", "good.png", 3)]
    rows += [(f"bad {what.replace(',', '')}", *line) for what, (line, _) in BAD.items()]
    rows += [("good", name, 1) for name in UNICODE_NAMES]
    shop.orders(rows)
    return shop, shop.run()


def test_the_run_ends_with_3_and_says_nothing_of_a_bug(printed: "tuple[Shop, Outcome]") -> None:
    _, outcome = printed
    assert outcome.exit_code == 3
    assert outcome.stderr == ""
    assert "Traceback" not in outcome.stdout


def test_the_good_orders_are_printed_and_proven(printed: "tuple[Shop, Outcome]") -> None:
    shop, _ = printed
    placed = [place["design"] for part in shop.manifest["parts"] for place in part["placements"]]
    assert sorted(placed) == sorted(["good.png"] * 3 + list(UNICODE_NAMES))
    assert shop.verify().stdout.endswith("all is as the manifest says\n")


def test_every_copy_is_placed_or_rejected(printed: "tuple[Shop, Outcome]") -> None:
    shop, _ = printed
    totals = shop.manifest["totals"]
    assert totals["ordered"] == totals["placed"] + totals["rejected"]
    assert len(shop.manifest["rejected"]) == len(BAD)


@pytest.mark.parametrize("what", BAD)
def test_the_manifest_says_why(printed: "tuple[Shop, Outcome]", what: str) -> None:
    shop, _ = printed
    reasons = [
        entry["reason"] for entry in shop.manifest["rejected"] if entry["order"] == f"bad {what.replace(',', '')}"
    ]
    assert len(reasons) == 1
    assert re.fullmatch(BAD[what][1], reasons[0]), reasons[0]


def test_nothing_half_written_is_left(printed: "tuple[Shop, Outcome]") -> None:
    shop, _ = printed
    assert list(shop.folder.rglob("*.partial")) == []
    assert list((shop.folder / ".tilepress/store/aside").glob("*.v")) == []


def test_when_everything_is_rejected_the_manifest_still_says_why(shop: "Shop") -> None:
    shop.orders([("1", "gone.png", 7)])

    assert shop.run().exit_code == 3

    assert shop.manifest["totals"] == {"ordered": 7, "placed": 0, "rejected": 7}
    assert shop.manifest["parts"] == []
    assert shop.verify().exit_code == 0


def test_a_composed_name_finds_a_decomposed_file(shop: "Shop") -> None:
    shop.design("e\u0301te\u0301.png")
    shop.orders([("1", "\u00e9t\u00e9.png", 1)])

    assert shop.run().exit_code == 0


@pytest.mark.parametrize(("policy", "exit_code", "placed"), [("warn", 0, 1), ("reject", 3, 0)])
def test_artwork_too_coarse_for_its_size_is_warned_of_or_rejected(
    shop: "Shop", policy: str, exit_code: int, placed: int
) -> None:
    shop.design("a.png", 60, 60)
    shop.orders([("1", "a.png", 1, 2, "")])
    shop.job["quality"] = {"min_dpi": 50, "on_low_dpi": policy}

    outcome = shop.run()

    assert outcome.exit_code == exit_code
    assert shop.manifest["totals"]["placed"] == placed
    assert any("effective 30 DPI is below the minimum of 50" in message for message in outcome.messages)


def test_an_order_without_a_size_for_untagged_artwork_is_warned_of(shop: "Shop") -> None:
    Image.new("RGBA", (50, 40), "red").save(shop.folder / "designs" / "web.png", dpi=(72, 72))
    shop.orders([("1", "web.png", 1)])

    outcome = shop.run()

    assert any(
        "tagged 72 DPI, an editor's default; printed at the sheet's 100 DPI" in text for text in outcome.messages
    )
    (place,) = shop.manifest["parts"][0]["placements"]
    assert {place["width_px"], place["height_px"]} == {50, 40}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"orders": {"csv": "gone.csv"}}, "gone.csv: no such file"),
        ({"designs": {"root": "nowhere"}}, "nowhere: no such folder"),
        ({"output": {"to": "ftp://nas/out"}}, "the URL's kind is not known"),
        ({"output": {"to": "sftp://nas:secret@host/out"}}, "a sftp URL holds credentials"),
        ({"designs": {"urls": ["anything"]}}, "designs.urls: the URL's kind is not known"),
        (
            {"sheet": {"width_in": 4, "height_in": 5, "dpi": 100, "margin_in": 2}},
            "the margin leaves nothing of the sheet",
        ),
        ({"sheet": {"width_in": 9000, "height_in": 5, "dpi": 400}}, "the sheet would be 3,600,000×2,000 pixels"),
    ],
)
def test_a_job_that_cannot_be_done_ends_with_2_and_leaves_nothing(
    shop: "Shop", change: dict[str, Any], message: str
) -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 1)])
    shop.job.update(change)

    outcome = shop.run()

    assert outcome.exit_code == 2
    assert message in outcome.text
    assert not shop.out.exists() or shop.parts() == []


def test_one_failing_job_does_not_sink_the_next(shop: "Shop", tilepress: "Callable[..., Outcome]") -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 1)])
    shop.write()
    text = shop.pipeline.read_text()
    jobs = text[text.index("- kind") :]
    broken = jobs.replace("name: job", "name: broken").replace("csv: orders.csv", "csv: gone.csv")
    broken = broken.replace("to: out", "to: broken")
    shop.pipeline.write_text(text.replace(jobs, broken + jobs))

    assert shop.run().exit_code == 2
    assert shop.manifest["totals"]["placed"] == 1


def test_csv_with_other_columns_is_refused_before_anything_is_printed(shop: "Shop") -> None:
    (shop.folder / "orders.csv").write_text("order,design,quantity,widht_in\n1,a.png,1,2\n")

    outcome = shop.run()

    assert outcome.exit_code == 2
    assert "orders.csv:1: the header is 'order,design,quantity,widht_in'" in outcome.text


def test_the_manifest_of_something_else_is_refused(tmp_path: Path, tilepress: "Callable[..., Outcome]") -> None:
    (tmp_path / "manifest.json").write_text('{"schema": 1}')
    outcome = tilepress("verify", tmp_path / "manifest.json")
    assert (outcome.exit_code, outcome.stderr.splitlines()[0]) == (
        2,
        f"error: {tmp_path / 'manifest.json'}: no manifest of a run",
    )
