"""A job ticket: named by what it is to print, and the same after a way through JSON."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.items import Item, Rejection
from pipeline.plan import Plan, PreparedKey, Printable, Sheet
from pipeline.planning import plan_sheets
from pipeline.ticket import DATE, RUN, Ticket, issue_ticket, name_run
from tiles.geometry import Rect

SHEET = Sheet(4, 5, 100, 400, 500, 10, 10, 0, False, "pipeline file")


def plan(copies: int = 9, name: str = "Part_{}.png", box: Rect | None = None) -> Plan:
    printables = (
        Printable(Item("1001", "Füchse.png", copies, None, None, "orders.csv:2"), PreparedKey("fox", 150, 100, box)),
        Printable(Item("1002", "owl.png", 2, None, None, "orders.csv:3"), PreparedKey("owl", 390, 210)),
    )
    rejected = (Rejection("1003", "elk.png", 1, 2, "not found: elk.png"),)
    return plan_sheets(
        printables,
        SHEET,
        rotate=True,
        file_name=lambda number: name.replace("{}", str(number)),
        rejected=rejected,
        effort="fast",
    )


def ticket(of: Plan, **change: Any) -> Ticket:
    return issue_ticket(
        "3f2a00000000",
        of,
        **{
            "job": "uvdtf",
            "date": "2026-11-22",
            "place": "sftp://nas/sheets",
            "format": "png",
            "designs_root": "/art",
            "ordered": {("1001", "Füchse.png"): 30, ("1002", "owl.png"): 2, ("1003", "elk.png"): 2},
            "artwork": {"owl.png": {"format": "png", "width_px": 10, "height_px": 20}},
            "references": {"owl.png": "https://cdn.test/owl.png?sig=1"},
            "warnings": ("orders.csv:3: owl.png: effective 30 DPI is below the minimum of 150",),
            **change,
        },
    )


@settings(max_examples=25)
@given(st.integers(1, 30), st.sampled_from([None, Rect(1, 2, 3, 4)]))
def test_a_ticket_is_the_same_after_a_way_through_json(copies: int, box: Rect | None) -> None:
    issued = ticket(plan(copies, box=box))
    assert Ticket.from_json(json.loads(json.dumps(issued.as_json()))) == issued


def test_date_and_run_stand_in_the_names_of_parts() -> None:
    issued = ticket(plan(name=f"{RUN}-{DATE}-{{}}.png"))
    assert issued.plan.parts[0].file == "3f2a00000000-2026-11-22-1.png"


def test_a_run_is_named_by_what_it_prints() -> None:
    said = ("nightly", "uvdtf", "sftp://nas/sheets/{date}", "png", plan())
    others = [("daily", *said[1:]), (said[0], "dtf", *said[2:]), (*said[:2], "out", *said[3:])]
    others += [(*said[:3], "tiff", plan()), (*said[:4], plan(10)), (*said[:4], replace(plan(), rejected=()))]
    assert name_run(*said) == name_run(*said)
    assert len({name_run(*said), *(name_run(*other) for other in others)}) == len(others) + 1


def test_what_is_given_up_of_a_ticket_is_neither_planned_nor_ordered() -> None:
    issued = ticket(plan(30))
    assert len(issued.plan.parts) > 2
    left = issued.without([part.number for part in issued.plan.parts[1:]])
    assert left.plan.parts == issued.plan.parts[:1]
    placed = Counter((place.order, place.design) for place in left.plan.placements())
    assert left.ordered.get(("1001", "Füchse.png"), 0) == max(0, 30 - 30 + placed["1001", "Füchse.png"])
    assert issued.without([]) == replace(issued, ordered=dict(issued.ordered))


@pytest.mark.parametrize("change", [{"schema": 2}, {"plan": {}}, {"ordered": 7}])
def test_what_is_no_ticket_of_this_version_is_not_taken_for_one(change: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Ticket.from_json({**ticket(plan()).as_json(), **change})
