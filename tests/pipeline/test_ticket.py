"""A job ticket: named by what it is to print, and the same after a way through JSON."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.items import Item, Rejection
from pipeline.plan import Plan, PreparedKey, Printable, Sheet
from pipeline.planning import plan_sheets
from pipeline.ticket import DATE, RUN, Ticket, issue_ticket
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
        change.pop("pipeline", "nightly"),
        of,
        **{
            "job": "uvdtf",
            "date": "2026-11-22",
            "place": "sftp://nas/sheets/{date}",
            "format": "png",
            "designs_root": "/art",
            "ordered": {("1001", "Füchse.png"): 9, ("1002", "owl.png"): 2, ("1003", "elk.png"): 2},
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


def test_date_and_run_stand_in_the_names_of_place_and_parts() -> None:
    issued = ticket(plan(name=f"{RUN}-{DATE}-{{}}.png"))
    assert issued.place == "sftp://nas/sheets/2026-11-22"
    assert issued.plan.parts[0].file == f"{issued.run}-2026-11-22-1.png"


def test_a_run_is_named_by_what_it_prints_not_by_the_day() -> None:
    issued = ticket(plan())
    assert ticket(plan(), date="2026-11-23").run == issued.run
    others = [
        ticket(plan(10)),
        ticket(plan(), pipeline="daily"),
        ticket(plan(), job="dtf"),
        ticket(plan(), format="tiff"),
        ticket(plan(), place="sftp://nas/other"),
        ticket(replace(plan(), rejected=())),
    ]
    assert len({issued.run, *(other.run for other in others)}) == len(others) + 1


@pytest.mark.parametrize("change", [{"schema": 2}, {"plan": {}}, {"ordered": 7}])
def test_what_is_no_ticket_of_this_version_is_not_taken_for_one(change: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Ticket.from_json({**ticket(plan()).as_json(), **change})
