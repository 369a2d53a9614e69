"""From what an item asks for to printed pixels. Pure.

Two sizes given: exactly these. One: the other keeps the artwork's aspect. None: the artwork's pixels at its own DPI
tag when that is over 96, else at the sheet's DPI. Inches become pixels by `config.units.inches_to_px` alone.
"""

from dataclasses import dataclass
from decimal import Decimal

from config.units import inches_to_px, round_half_up
from pipeline.items import Item

EDITOR_DPI = 96  # 72 and 96 are editors' defaults, not intent
STRETCH_TOLERANCE = 0.01  # aspect may differ by this much before it is called a stretch


@dataclass(frozen=True, slots=True)
class Artwork:
    """What sizing needs to know of an artwork: its pixels (of the trimmed box, when trimmed) and its DPI tag."""

    width_px: int
    height_px: int
    dpi: float | None
    is_vector: bool = False


@dataclass(frozen=True, slots=True)
class PrintSize:
    """Printed pixels, the lower of the artwork's two effective DPI (None for a vector), and what to warn of."""

    width_px: int
    height_px: int
    effective_dpi: float | None
    warnings: tuple[str, ...]


def print_size(item: Item, artwork: Artwork, sheet_dpi: int) -> PrintSize:
    """Return the pixels the item is printed with on a sheet of `sheet_dpi`; ValueError if it would have none."""
    warnings: list[str] = []
    if item.width_in is not None and item.height_in is not None:
        width, height = inches_to_px(item.width_in, sheet_dpi), inches_to_px(item.height_in, sheet_dpi)
        warnings += _stretch(item.width_in / item.height_in, artwork)
    elif item.width_in is not None:
        width = inches_to_px(item.width_in, sheet_dpi)
        height = _scaled(item.width_in, sheet_dpi, artwork.height_px, artwork.width_px)
    elif item.height_in is not None:
        height = inches_to_px(item.height_in, sheet_dpi)
        width = _scaled(item.height_in, sheet_dpi, artwork.width_px, artwork.height_px)
    else:
        dpi = artwork.dpi
        if dpi is None or dpi <= EDITOR_DPI:
            tag = "has no DPI tag" if dpi is None else f"is tagged {dpi:g} DPI, an editor's default"
            warnings.append(f"no size was ordered and the artwork {tag}; printed at the sheet's {sheet_dpi} DPI")
            dpi = float(sheet_dpi)
        width = _scaled(1.0, sheet_dpi, artwork.width_px, dpi)
        height = _scaled(1.0, sheet_dpi, artwork.height_px, dpi)
    if width < 1 or height < 1:
        raise ValueError(f"the printed size would be {width}×{height} pixels; order a larger size")
    effective = min(artwork.width_px / width, artwork.height_px / height) * sheet_dpi
    return PrintSize(width, height, None if artwork.is_vector else effective, tuple(warnings))


def _scaled(inches: float, dpi: int, numerator: float, denominator: float) -> int:
    """Return `round_half_up(inches × dpi × numerator / denominator)`, without rounding in between."""
    exact = Decimal(repr(inches)) * dpi * Decimal(repr(numerator)) / Decimal(repr(denominator))
    return round_half_up(exact)


def _stretch(aspect: float, artwork: Artwork) -> list[str]:
    stretch = aspect / (artwork.width_px / artwork.height_px)
    if abs(stretch - 1) <= STRETCH_TOLERANCE:
        return []
    side, factor = ("wider", stretch) if stretch > 1 else ("taller", 1 / stretch)
    return [f"the ordered size makes the artwork {factor - 1:.0%} {side} than it is; leave one size empty to keep it"]
