"""How copies are laid, as a user sees it: efforts in the pipeline file, and what keeping orders together costs."""

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Shop

SAID = "to keep orders together, 0.80 in more of that film is used than need be"
LOGGED = "To keep orders together, 0.80 in more of the sheets are used than need be"


@pytest.fixture
def two_orders(shop: "Shop") -> "Shop":
    """Return a shop that would use less of two sheets with a copy of each order side by side."""
    shop.design("a.png")
    shop.orders([("1", "a.png", 1, 1, 1.6), ("1", "a.png", 1, 1, 0.8), ("2", "a.png", 1, 1, 1.6)])
    shop.job["sheet"] = {"width_in": 2, "height_in": 2, "dpi": 100}
    return shop


@pytest.fixture
def stickers(shop: "Shop") -> "Shop":
    """Return a shop with forty stickers of all sizes for a roll."""
    rng = random.Random(40)
    shop.design("a.png")
    shop.orders([(str(i), "a.png", 1, rng.randint(50, 600) / 100, rng.randint(50, 600) / 100) for i in range(40)])
    shop.job["sheet"] = {"width_in": 22, "height_in": 240, "dpi": 100, "spacing_in": 0.125, "dynamic_sizing": True}
    return shop


def saved(shop: "Shop", *arguments: object, **environment: str) -> dict[str, Any]:
    """Return the plan that the shop saves."""
    file: Path = shop.folder / "plan.json"
    assert shop.run("--save", file, *arguments, command="plan", **environment).exit_code == 0
    plan: dict[str, Any] = json.loads(file.read_text())
    return plan


def film(plan: dict[str, Any]) -> tuple[int, int]:
    return len(plan["parts"]), sum(part["height_px"] for part in plan["parts"])


def test_what_keeping_orders_together_costs_is_said_saved_and_logged(two_orders: "Shop") -> None:
    assert SAID in two_orders.run(command="plan").stdout
    assert saved(two_orders)["kept_together_px"] == 80
    (entry,) = [json.loads(line) for line in two_orders.run().stdout.splitlines() if LOGGED in line]
    assert (entry["message"], entry["kept_together_px"]) == (LOGGED, 80)


def test_where_it_costs_nothing_nothing_is_said(two_orders: "Shop") -> None:
    two_orders.job["sheet"]["dynamic_sizing"] = True
    assert "keep orders together" not in two_orders.run(command="plan").stdout
    assert "keep orders together" not in two_orders.run().text
    assert saved(two_orders)["kept_together_px"] == 0


def test_the_effort_of_the_pipeline_file_saves_film(stickers: "Shop") -> None:
    efforts = [film(saved(stickers, "--set", f"jobs.job.layout.effort={effort}")) for effort in ("fast", "normal")]
    assert film(saved(stickers)) == efforts[1] < efforts[0]


def test_every_process_makes_the_same_plan(stickers: "Shop") -> None:
    once, again = (saved(stickers, PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert once == again
