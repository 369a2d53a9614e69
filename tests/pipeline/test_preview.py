"""The drawing of a plan."""

from xml.etree import ElementTree as ET

from pipeline.items import Item, Rejection
from pipeline.plan import Plan, PreparedKey, Printable, Sheet
from pipeline.planning import plan_sheets
from pipeline.preview import draw_plan

SVG = "{http://www.w3.org/2000/svg}"


def planned(*designs: str, order: str = "1001", rejected: tuple[Rejection, ...] = ()) -> Plan:
    sheet = Sheet(4, 5, 100, 400, 500, 10, 10, 20, False, "pipeline file")
    printables = [
        Printable(Item(order, design, 3, None, None, "here"), PreparedKey(design, 150, 100)) for design in designs
    ]
    return plan_sheets(printables, sheet, rotate=False, file_name="P{}".format, rejected=rejected)


def titles(svg: str) -> list[str]:
    return [title.text or "" for title in ET.fromstring(svg).iter(f"{SVG}title")]


def test_every_copy_is_drawn_with_its_order_and_design() -> None:
    assert sorted(titles(draw_plan(planned("fox.png", "bee.png")))) == sorted(
        f"1001: {design}, copy {copy}" for design in ("fox.png", "bee.png") for copy in (1, 2, 3)
    )


def test_every_part_says_its_size_its_copies_and_its_film() -> None:
    plan = planned("fox.png", "bee.png", "elk.png", "cat.png")
    texts = [text.text for text in ET.fromstring(draw_plan(plan)).iter(f"{SVG}text")]
    assert [text for text in texts if text and text.startswith("Part ")] == ["Part 1 of 2", "Part 2 of 2"]
    assert "4.00×5.00 in, 8 copies" in texts
    assert "4.70 in used, 60% covered" in texts


def test_names_cannot_break_the_drawing() -> None:
    hostile = '<script>"&\x00\x1b[31m'
    assert titles(draw_plan(planned(hostile, order=hostile)))[0].startswith('<script>"&')


def test_a_plan_without_parts_is_a_drawing_too() -> None:
    svg = draw_plan(planned(rejected=(Rejection("1", "a", 1, 7, "why"),)))
    texts = [text.text for text in ET.fromstring(svg).iter(f"{SVG}text")]
    assert texts == ["Nothing is placed.", "7 copies rejected; the plan lists them."]
