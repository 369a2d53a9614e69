"""Keys whose values have a form of their own, and the bounds that keep them usable."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from config.designs import Designs
from config.schema import InlineItem, Layout, Memory, Orders, Output, Quality, Sheet, Store


def reason(model: type[Any], **keys: object) -> str:
    with pytest.raises(ValidationError) as caught:
        model(**keys)
    return str(caught.value.errors()[0]["msg"])


@pytest.mark.parametrize(
    ("budget", "limit"), [("100%", 1000), ("75%", 750), ("33.3%", 333), ("600", 600), ("1GB", 1000)]
)
def test_a_budget_is_a_share_or_an_amount_and_never_above_the_limit(budget: str, limit: int) -> None:
    assert limit == Memory(budget=budget).limit_of(1000)


@pytest.mark.parametrize("budget", ["0%", "101%", "-5%", "nan%", "inf%", "%", "many%"])
def test_a_share_is_above_0_and_at_most_100_per_cent(budget: str) -> None:
    assert "a share of the limit is above 0% and at most 100%" in reason(Memory, budget=budget)


@pytest.mark.parametrize("amount", ["", "0MB", "-1GB", "5 apples", 512, None, True, ["1GB"]])
def test_an_amount_is_above_0_and_has_its_unit(amount: object) -> None:
    for model, key in ((Memory, "budget"), (Store, "max_bytes"), (Designs, "max_bytes")):
        assert "must be an amount above 0 with its unit" in reason(model, **{key: amount})


@pytest.mark.parametrize(
    "filename",
    ["GangSheet_Part_{part}", "{job}-{part:03}", "{part:3d}", "{part:02d} of {job}", "{{x}}{part}", "Ünï{part}"],
)
def test_file_names_are_made_of_part_and_job(filename: str) -> None:
    assert filename == Output(to="out", filename=filename).filename


@pytest.mark.parametrize(
    ("filename", "why"),
    [
        ("sheet", "the file name needs {part}, or the parts would overwrite each other"),
        ("{job}", "the file name needs {part}, or the parts would overwrite each other"),
        ("{{part}}", "the file name needs {part}, or the parts would overwrite each other"),
        ("{part}{order}", "the fields of a file name are {part}, {part:03}, {job}, {date} and {run}"),
        ("{part}{}", "the fields of a file name are {part}, {part:03}, {job}, {date} and {run}"),
        ("{part}{0}", "the fields of a file name are {part}, {part:03}, {job}, {date} and {run}"),
        ("{part.__class__}", "the fields of a file name are {part}, {part:03}, {job}, {date} and {run}"),
        ("{part!r}", "the fields of a file name are {part}, {part:03}, {job}, {date} and {run}"),
        ("{part:9999999999}", "the fields of a file name are {part}, {part:03}, {job}, {date} and {run}"),
        ("{part:{part}}", "the fields of a file name are {part}, {part:03}, {job}, {date} and {run}"),
        ("{part}{job:>999999999}", "the fields of a file name are {part}, {part:03}, {job}, {date} and {run}"),
        ("{part", "a brace is missing or too many; write {part}, and a literal brace as {{ or }}"),
        ("part}{part}", "a brace is missing or too many; write {part}, and a literal brace as {{ or }}"),
        ("a/{part}", "has no /"),
        ("..\\{part}", "has no /"),
        (".{part}", "begins with no dot"),
        ("a\n{part}", "a file name is short"),
        ("a\0{part}", "a file name is short"),
        ("é" * 100 + "{part}", "a file name is short"),
    ],
)
def test_other_file_names_are_refused(filename: str, why: str) -> None:
    assert why in reason(Output, to="out", filename=filename)


@settings(deadline=None)
@given(st.text("{}part:job0123!.rdx", max_size=20))
def test_a_file_name_that_is_taken_tells_parts_apart_and_stays_short(filename: str) -> None:
    try:
        output = Output(to="out", filename=filename)
    except ValidationError:
        return
    names = {output.filename.format(part=part, job="job") for part in range(1, 1200)}
    assert len(names) == 1199
    assert max(map(len, names)) < 250


@pytest.mark.parametrize("effort", ["fast", "normal", "thorough"])
def test_film_is_saved_with_one_of_three_efforts(effort: str) -> None:
    assert effort == Layout.model_validate({"effort": effort}).effort


@pytest.mark.parametrize("effort", ["", "Fast", "quick", 3, None, True])
def test_no_other_effort_is_known(effort: object) -> None:
    assert "Input should be 'fast', 'normal' or 'thorough'" in reason(Layout, effort=effort)


@pytest.mark.parametrize("dpi", [float("nan"), float("inf"), -1])
def test_the_least_dpi_is_a_number_that_artwork_can_have(dpi: float) -> None:
    assert "Input should be" in reason(Quality, min_dpi=dpi)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 0])
def test_the_time_a_design_may_take_ends(seconds: float) -> None:
    assert "Input should be" in reason(Designs, timeout_s=seconds)


def test_a_sheet_has_its_own_size_or_the_database_s() -> None:
    assert not Sheet(width_in=16, height_in=20, dpi=400).from_database
    assert Sheet(printer="Main UV").from_database
    assert Sheet(canvas="UVDTF 16oz").from_database


def test_orders_may_be_none_at_all() -> None:
    assert Orders(items=()).items == ()


def test_what_an_order_line_asks_for_is_judged_later() -> None:
    item = InlineItem(order=1001, design="a.png", quantity="many", width_in=-1.0)
    assert (item.order, item.quantity, item.width_in) == (1001, "many", -1.0)


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Memory().budget = "1%"
