"""The plan of mock-ups: every design on every template, once, under a key of all that its pixels depend on."""

import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ArtworkError
from config.templates import Caption, Watermark
from pipeline.mockups.artwork import MockupDesign
from pipeline.mockups.planning import Failure, Mockup, MockupPlan, misfit, size_of
from pipeline.mockups.templates import OpenTemplate
from tests.pipeline.mockup_parts import AREA, only, output, picture, plan, single, template


def reasons(result: MockupPlan) -> dict[str, str]:
    return {failure.file: failure.reason for failure in result.failures}


def test_every_design_is_put_on_every_template_those_of_a_design_together() -> None:
    result = plan([single("b"), single("a")], [template("mug"), template("card")])
    assert [mockup.file for mockup in result.mockups] == ["b_mug.jpg", "b_card.jpg", "a_mug.jpg", "a_card.jpg"]
    assert (result.asked, result.failures) == (4, ())


def test_what_cannot_be_used_fails_for_itself() -> None:
    damaged = {"b.png": ArtworkError("the file is empty")}
    result = plan([single("a"), single("b")], [template("mug")], {"torn": "torn.yaml:1: no"}, damaged)
    assert [mockup.file for mockup in result.mockups] == ["a_mug.jpg"]
    assert reasons(result) == {
        "a_torn.jpg": "template torn: torn.yaml:1: no",
        "b_mug.jpg": "b.png: the file is empty",
        "b_torn.jpg": "template torn: torn.yaml:1: no",
    }
    assert result.asked == 4


def test_areas_show_their_sides() -> None:
    areas = ({**AREA, "name": "f", "design": "front"}, {**AREA, "name": "b", "design": "back"})
    tinted = {**AREA, "name": "t", "design": "none", "tint": "#ffffff"}
    both = MockupDesign("tour", {"front": "f.png", "back": "b.png"})
    assert only(plan([both], [template("shirt", *areas, tinted)])).references == {"f": "f.png", "b": "b.png"}
    assert only(plan([single("logo")], [template("shirt", *areas)])).references == {"f": "logo.png", "b": "logo.png"}


def test_a_missing_side_is_named() -> None:
    front = MockupDesign("tour", {"front": "f.png"})
    result = plan([front], [template("shirt", {**AREA, "design": "back"})])
    assert reasons(result) == {"tour_shirt.jpg": "design tour has no side back, which area front of the template shows"}


@pytest.mark.parametrize(
    ("kind", "longest"), [("jpg", 65_500), ("webp", 16_383)]
)  # fmt: skip
def test_a_picture_longer_than_its_format_takes_does_not_fit_but_a_smaller_one_does(kind: str, longest: int) -> None:
    wide, just = (
        template("wide", background=picture("1", longest + 1, 9)),
        template("just", background=picture("2", 9, longest)),
    )
    assert f"a {kind} has at most {longest:,} a side" in misfit(single("a"), wide, output(format=kind))
    assert misfit(single("a"), just, output(format=kind)) == ""
    assert misfit(single("a"), wide, output(format=kind, max_px=16_000)) == ""


@pytest.mark.parametrize(
    ("names", "clash"),
    [
        (["a", "a"], "1.png on mug"),
        (["a", "A"], "1.png on mug"),
        (["\u00e9", "e\u0301"], "1.png on mug"),
        (["straße", "STRASSE"], "1.png on mug"),
    ],
)
def test_files_that_some_disk_takes_for_one_are_made_once(names: list[str], clash: str) -> None:
    designs = [single(name, f"{number}.png") for number, name in enumerate(names, start=1)]
    result = plan(designs, [template("mug")])
    assert [mockup.references["front"] for mockup in result.mockups] == ["1.png"]
    assert [failure.reason for failure in result.failures] == [f"its file would be that of {clash}; rename one of them"]


def test_one_file_under_two_names_is_two_designs() -> None:
    result = plan([single("a", "x.png"), single("b", "x.png"), single("A", "x.png")], [template("mug")])
    assert [mockup.file for mockup in result.mockups] == ["a_mug.jpg", "b_mug.jpg"]
    assert len(result.failures) == 1


@pytest.mark.parametrize("name", ["a/b", "a:b", 'a"b', "a\nb", "x" * 200, ".a"])
def test_a_name_that_no_file_can_have_fails_for_itself(name: str) -> None:
    result = plan([single(name, "x.png"), single("a")], [template("mug")])
    assert [mockup.file for mockup in result.mockups] == ["a_mug.jpg"]
    assert "no file can be called" in result.failures[0].reason


names = st.text(st.sampled_from("abAB_e\u0301\u00e9/:"), min_size=1, max_size=3)


@given(st.lists(names, max_size=6), st.lists(names, max_size=4, unique=True), st.lists(names, max_size=2, unique=True))
def test_whatever_the_names_each_pair_is_planned_or_fails_and_no_two_files_are_one(
    designs: list[str], templates: list[str], broken: list[str]
) -> None:
    asked = [single(name, f"{number}.png") for number, name in enumerate(designs)]
    torn = {name: "torn" for name in broken if name not in templates}

    result = plan(asked, [template(name) for name in templates], torn)

    assert result.asked == len(designs) * (len(templates) + len(torn))
    entries: list[Mockup | Failure] = [*result.mockups, *result.failures]
    pairs = Counter((entry.design, entry.file) for entry in entries)
    assert pairs == Counter((name, f"{name}_{other}.jpg") for name in designs for other in (*templates, *torn))
    spellings = [unicodedata.normalize("NFC", mockup.file).casefold() for mockup in result.mockups]
    assert len(set(spellings)) == len(spellings)


CAPTION = Caption.model_validate({"text": "{design} on {template}"})
PLAIN = Caption.model_validate({"text": "Buy"})
MARK = Watermark.model_validate({"image": "sign.png"})
BASE = template("mug")


def key(of: OpenTemplate = BASE, design: MockupDesign | None = None, art: str = "art", **keys: Any) -> str:
    design = design or single("a")
    artwork = {reference: picture(art) for reference in design.sides.values()}
    return only(plan([design], [of], artwork=artwork, **keys)).key


@pytest.mark.parametrize(
    "other",
    [
        lambda: key(art="other"),
        lambda: key(template("mug", background=picture("other"))),
        lambda: key(template("mug", {**AREA, "opacity": 0.5})),
        lambda: key(template("mug", {**AREA, "name": "renamed"})),
        lambda: key(replace(BASE, caption=PLAIN)),
        lambda: key(replace(BASE, watermark=MARK, watermark_picture=picture("1"))),
        lambda: key(replace(BASE, watermark=MARK, watermark_picture=picture("2"))),
        lambda: key(quality=80),
        lambda: key(format="png"),
        lambda: key(chroma="4:4:4"),
        lambda: key(ground="#000000"),
        lambda: key(max_px=100),
    ],
)
def test_another_input_gives_another_key(other: Callable[[], str]) -> None:
    assert other() != key()


@pytest.mark.parametrize(
    "same",
    [
        lambda: key(design=single("b")),
        lambda: key(template("other name")),
        lambda: key(design=single("a", "elsewhere.png")),
        lambda: key(to="other folder"),
        lambda: key(filename="{template}-{design}"),
        lambda: key(replace(BASE, files={"photo.png": "moved/photo.png"})),
        lambda: key(template("mug", {**AREA, "fit": "contain", "rotate": 0})),
    ],
)
def test_names_and_places_do_not_change_the_key(same: Callable[[], str]) -> None:
    assert same() == key()


def test_names_change_the_key_where_the_caption_shows_them() -> None:
    named = replace(BASE, caption=CAPTION)
    assert key(named) != key(named, design=single("b"))
    plain = replace(BASE, caption=PLAIN)
    assert key(plain) == key(plain, design=single("b"))


def test_a_mockup_names_the_hash_of_all_that_it_is_made_of() -> None:
    marked = replace(BASE, watermark=MARK, watermark_picture=picture("sign"), watermark_file="sign.png")
    mockup = only(plan([single("a")], [marked], artwork={"a.png": picture("art")}))
    pictures = {"folder/mug/photo.png": "bg", "sign.png": "sign"}
    assert mockup.inputs == {"designs": {"a.png": "art"}, "templates": pictures}


sizes = st.integers(1, 40_000)


@given(sizes, sizes, st.none() | st.integers(16, 65_000))
def test_the_longer_side_is_bounded_and_the_shape_stays(width: int, height: int, most: int | None) -> None:
    across, down = size_of(template("mug", background=picture("bg", width, height)), output(max_px=most))
    assert max(across, down) == min(max(width, height), most or 65_536)
    scale = max(across, down) / max(width, height)
    assert abs(across - width * scale) <= 0.5 + 1e-6 or across == 1
    assert abs(down - height * scale) <= 0.5 + 1e-6 or down == 1
