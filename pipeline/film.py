"""How large the sheet is: from the database by printer and canvas, or from the pipeline file."""

from typing import TYPE_CHECKING

from config import schema
from config.errors import ConfigurationError
from config.units import inches_to_px
from pipeline.plan import Sheet

if TYPE_CHECKING:
    from config.database import Database

MAX_SIDE_PX = 1_000_000  # PNG readers stop there (libpng's PNG_USER_WIDTH_MAX)


def resolve_sheet(sheet: schema.Sheet, database: "Database | None") -> Sheet:
    """Return the sheet at full size, in pixels; what the pipeline file says of spacing counts over the database."""
    spacing_x_in, spacing_y_in = _spacing(sheet.spacing_in)
    if sheet.from_database:
        if database is None:
            raise ConfigurationError("the sheet comes from the database, but none is named", "Add the key database.")
        record = database.sheet(sheet.printer, sheet.canvas)
        width_in, height_in, dpi = record.width_in, record.height_in, record.dpi
        spacing_x_in = record.spacing_x_in if spacing_x_in is None else spacing_x_in
        spacing_y_in = record.spacing_y_in if spacing_y_in is None else spacing_y_in
    else:
        width_in, height_in, dpi = sheet.width_in or 0.0, sheet.height_in or 0.0, sheet.dpi or 0
    resolved = Sheet(
        width_in=width_in,
        height_in=height_in,
        dpi=dpi,
        width_px=inches_to_px(width_in, dpi),
        height_px=inches_to_px(height_in, dpi),
        spacing_x_px=inches_to_px(spacing_x_in or 0.0, dpi),
        spacing_y_px=inches_to_px(spacing_y_in or 0.0, dpi),
        margin_px=inches_to_px(sheet.margin_in, dpi),
        dynamic_sizing=sheet.dynamic_sizing,
        source="database" if sheet.from_database else "pipeline file",
    )
    return _checked(resolved)


def _spacing(spacing: float | schema.Spacing | None) -> tuple[float | None, float | None]:
    if isinstance(spacing, schema.Spacing):
        return spacing.x, spacing.y
    return spacing, spacing


def _checked(sheet: Sheet) -> Sheet:
    size = f"{sheet.width_px:,}×{sheet.height_px:,} pixels"
    if max(sheet.width_px, sheet.height_px) > MAX_SIDE_PX:
        raise ConfigurationError(f"the sheet would be {size}", f"No side may pass {MAX_SIDE_PX:,}: lower size or DPI.")
    if min(sheet.width_px, sheet.height_px) < 1:
        raise ConfigurationError(f"the sheet would be {size}", "Give it a larger size or DPI.")
    if sheet.usable.width < 1 or sheet.usable.height < 1:
        raise ConfigurationError(f"the margin leaves nothing of the sheet's {size}", "Lower sheet.margin_in.")
    return sheet
