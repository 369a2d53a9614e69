"""How large the sheet is: by the database or the pipeline file, in whole pixels, never more than can be printed."""

from pathlib import Path
from typing import Any

import pytest

from config import schema
from config.database import Database
from config.errors import ConfigurationError
from pipeline.film import MAX_SIDE_PX, resolve_sheet
from pipeline.plan import Sheet

PRINTER = {"name": "Main UV", "max_width_inches": 16.0, "max_height_inches": None, "dpi": 300}
CANVAS = {
    "name": "UVDTF 16oz",
    "max_height_inches": 20.0,
    "dpi": 400,
    "spacing_width_inches": 0.32,
    "spacing_height_inches": 0.5,
}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database("sqlite:///shop.db", tmp_path)
    database.init()
    database.load({"printers": [PRINTER], "canvas_configs": [CANVAS]}, [])
    return database


def own(**keys: Any) -> schema.Sheet:
    return schema.Sheet(**{"width_in": 16.0, "height_in": 20.0, "dpi": 400, **keys})


def named(**keys: Any) -> schema.Sheet:
    return schema.Sheet(printer="Main UV", canvas="UVDTF 16oz", **keys)


def test_the_sheet_of_a_printer_and_a_canvas_in_pixels(database: Database) -> None:
    assert resolve_sheet(named(margin_in=0.1), database) == Sheet(
        width_in=16.0,
        height_in=20.0,
        dpi=400,
        width_px=6400,
        height_px=8000,
        spacing_x_px=128,
        spacing_y_px=200,
        margin_px=40,
        dynamic_sizing=False,
        source="database",
    )


def test_the_sheet_of_the_pipeline_file_needs_no_database() -> None:
    sheet = resolve_sheet(own(dynamic_sizing=True), None)
    assert (sheet.width_px, sheet.height_px, sheet.spacing_x_px, sheet.spacing_y_px) == (6400, 8000, 0, 0)
    assert (sheet.source, sheet.dynamic_sizing) == ("pipeline file", True)


@pytest.mark.parametrize(
    ("spacing", "px"), [(None, (128, 200)), (0.1, (40, 40)), (0.0, (0, 0)), (schema.Spacing(x=0.0, y=0.25), (0, 100))]
)
def test_the_pipeline_file_s_spacing_counts_over_the_canvas_s(
    database: Database, spacing: float | schema.Spacing | None, px: tuple[int, int]
) -> None:
    sheet = resolve_sheet(named(spacing_in=spacing), database)
    assert (sheet.spacing_x_px, sheet.spacing_y_px) == px


def test_a_canvas_without_spacing_has_none(database: Database) -> None:
    database.load({"canvas_configs": [{**CANVAS, "spacing_width_inches": None}]}, [])
    sheet = resolve_sheet(named(), database)
    assert (sheet.spacing_x_px, sheet.spacing_y_px) == (0, 200)


def test_dynamic_sizing_leaves_the_full_size_as_it_is(database: Database) -> None:
    full, dynamic = resolve_sheet(named(), database), resolve_sheet(named(dynamic_sizing=True), database)
    assert (full.width_px, full.height_px) == (dynamic.width_px, dynamic.height_px)


def test_halves_of_pixels_go_upwards() -> None:
    sheet = resolve_sheet(own(width_in=4.35, height_in=0.25, dpi=10), None)
    assert (sheet.width_px, sheet.height_px) == (44, 3)


def test_a_sheet_whose_database_is_not_named_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="Add the key database"):
        resolve_sheet(named(), None)


@pytest.mark.parametrize(("width_in", "dpi"), [(10_000.0, 9600), (1000.001, 1000)])
def test_a_side_that_readers_of_png_refuse_is_an_error(width_in: float, dpi: int) -> None:
    with pytest.raises(ConfigurationError, match="No side may pass 1,000,000: lower size or DPI"):
        resolve_sheet(own(width_in=width_in, dpi=dpi), None)


def test_the_longest_roll_that_can_be_printed_is_taken() -> None:
    assert resolve_sheet(own(height_in=1000.0, dpi=1000), None).height_px == MAX_SIDE_PX


@pytest.mark.parametrize("margin_in", [8.0, 100.0])
def test_a_margin_that_leaves_nothing_is_an_error(margin_in: float) -> None:
    with pytest.raises(ConfigurationError, match=r"Lower sheet\.margin_in"):
        resolve_sheet(own(margin_in=margin_in), None)


def test_a_margin_that_leaves_a_pixel_is_taken() -> None:
    usable = resolve_sheet(own(width_in=1.0, height_in=1.0, dpi=101, margin_in=0.495), None).usable
    assert (usable.width, usable.height) == (1, 1)
