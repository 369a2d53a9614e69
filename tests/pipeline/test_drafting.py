"""Before film is spent, the plan is recomputed from scratch."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from config.errors import TilepressError
from pipeline.drafting import Draft, confirm, save_plan
from pipeline.items import Item
from pipeline.orders import OrderBook
from pipeline.plan import Plan, PreparedKey, Printable, Sheet
from pipeline.planning import plan_sheets
from pipeline.preparation import Sized
from tiles.geometry import Rect
from tiles.store import TileStore

SHEET = Sheet(4, 5, 100, 400, 500, 10, 10, 0, False, "pipeline file")
ITEM = Item("1001", "fox.png", 3, None, None, "orders.csv:2")


def draft(change: "Plan | None" = None) -> Draft:
    printables = (Printable(ITEM, PreparedKey("fox", 150, 100)),)
    plan = plan_sheets(printables, SHEET, rotate=False, file_name="Part_{}.png".format)
    return Draft(OrderBook((ITEM,), ()), Sized(printables, {}, ()), change or plan, 0)


def altered(**change: object) -> Plan:
    """Return the plan with its second placement changed."""
    plan = draft().plan
    (part,) = plan.parts
    first, second, third = part.placements
    return replace(plan, parts=(replace(part, placements=(first, replace(second, **change), third)),))  # type: ignore[arg-type]


def test_a_sound_plan_is_confirmed() -> None:
    confirm(draft())


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (altered(rect=Rect(5, 5, 150, 100)), "order 1001, fox.png, copy 1 and order 1001, fox.png, copy 2 overlap"),
        (altered(rect=Rect(300, 0, 150, 100)), "Part_1.png: order 1001, fox.png, copy 2 leaves the sheet"),
        (altered(copy=1), "order 1001, fox.png, copy 1 is placed 2 times"),
        (replace(draft().plan, parts=()), "order 1001, fox.png: 3 ordered, 0 placed or rejected"),
    ],
)
def test_a_plan_that_breaks_a_promise_is_stopped_as_a_bug(plan: Plan, message: str) -> None:
    with pytest.raises(TilepressError, match=message) as caught:
        confirm(draft(plan))
    assert caught.value.exit_code == 70


def test_runs_at_once_may_each_write_their_plan_down(tmp_path: Path) -> None:
    plan, store = draft().plan, TileStore(tmp_path / "store")

    def save(_: int) -> Path:
        return save_plan(plan, store, "night")

    with ThreadPoolExecutor(4) as runs:
        (path,) = set(runs.map(save, range(60)))

    assert json.loads(path.read_text()) == plan.as_json()
    assert list(path.parent.iterdir()) == [path]
