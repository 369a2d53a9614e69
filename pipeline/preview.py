"""A plan drawn for people: every part with order and design on each place, as SVG. Pure text; no pixels."""

from collections.abc import Sequence
from html import escape

from pipeline.plan import Part, Placement, Plan

PART_HEIGHT = 900  # drawn units; a roll far longer than wide is drawn at most this high times MAX_STRETCH
MAX_STRETCH = 6
GAP, HEADER = 40, 56
MIN_LABEL = 26  # a place drawn narrower than this has no room for words
_HUES = 36


def draw_plan(plan: Plan) -> str:
    """Return an SVG with all parts side by side; copies of one order share a colour."""
    scale = _scale(plan)
    hues = {order: index * 360 // _HUES * 7 % 360 for index, order in enumerate(_orders(plan))}
    x, drawn, height = float(GAP), [], 0.0
    for part in plan.parts:
        drawn.append(_part(part, plan, x, scale, hues))
        x += max(part.width_px * scale, 260) + GAP
        height = max(height, part.height_px * scale)
    body = "".join(drawn) or f'<text x="{GAP}" y="{GAP}" class="h">Nothing is placed.</text>'
    width, total = max(x, 400), height + HEADER + 2 * GAP + _FOOTER * bool(plan.rejected)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{total:.0f}" '
        f'viewBox="0 0 {width:.0f} {total:.0f}"><style>{_STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#f4f5f7"/>{body}{_footer(plan, total)}</svg>'
    )


_FOOTER = 30
_STYLE = (
    "text{font-family:DejaVu Sans,Helvetica,Arial,sans-serif;fill:#222}.h{font-size:18px;font-weight:bold}"
    ".s{font-size:13px;fill:#555}.sheet{fill:#fff;stroke:#888}.margin{fill:none;stroke:#bbb;stroke-dasharray:4 4}"
)


def _scale(plan: Plan) -> float:
    tallest = max((part.height_px for part in plan.parts), default=1)
    widest = max((part.width_px for part in plan.parts), default=1)
    stretch = min(MAX_STRETCH, max(1.0, tallest / widest))
    return PART_HEIGHT * stretch / tallest


def _orders(plan: Plan) -> list[str]:
    return list(dict.fromkeys(placement.order for placement in plan.placements()))


def _part(part: Part, plan: Plan, x: float, scale: float, hues: dict[str, int]) -> str:
    sheet, top = plan.sheet, HEADER + GAP
    film = (part.used_height_px + sheet.margin_px) / sheet.dpi
    size = f"{part.width_px / sheet.dpi:.2f}×{part.height_px / sheet.dpi:.2f}"
    margin = sheet.margin_px * scale
    width, height = part.width_px * scale, part.height_px * scale
    places = "".join(_place(placement, x, top, scale, hues) for placement in part.placements)
    return (
        f'<text x="{x:.1f}" y="{GAP}" class="h">Part {part.number} of {len(plan.parts)}</text>'
        f'<text x="{x:.1f}" y="{GAP + 22}" class="s">{size} in, {len(part.placements)} copies</text>'
        f'<text x="{x:.1f}" y="{GAP + 40}" class="s">{film:.2f} in used, {part.utilisation:.0%} covered</text>'
        f'<rect class="sheet" x="{x:.1f}" y="{top}" width="{width:.1f}" height="{height:.1f}"/>'
        f'<rect class="margin" x="{x + margin:.1f}" y="{top + margin:.1f}" width="{width - 2 * margin:.1f}" '
        f'height="{height - 2 * margin:.1f}"/>{places}'
    )


def _place(placement: Placement, x: float, y: float, scale: float, hues: dict[str, int]) -> str:
    rect, hue = placement.rect, hues[placement.order]
    left, top = x + rect.x * scale, y + rect.y * scale
    width, height = rect.width * scale, rect.height * scale
    turned = ", turned" if placement.rotation else ""
    title = _clean(f"{placement.order}: {placement.design}, copy {placement.copy}{turned}")
    box = (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="hsl({hue},60%,86%)" stroke="hsl({hue},45%,45%)"><title>{escape(title)}</title></rect>'
    )
    return box + _labels([placement.order, placement.design], left, top, width, height)


def _labels(lines: Sequence[str], left: float, top: float, width: float, height: float) -> str:
    """Write lines centred on a place, along its longer side, cut to what fits."""
    along, across = (width, height) if width >= height else (height, width)
    if along < MIN_LABEL or across < len(lines) * 7:
        return ""
    size = min(13.0, across / (len(lines) + 1), max(5.0, along / 9))
    room = max(2, int(along / (size * 0.62)))
    turn = f' transform="rotate(-90 {left + width / 2:.1f} {top + height / 2:.1f})"' if height > width else ""
    first = top + height / 2 - (len(lines) - 1) * size * 0.6 + size * 0.35
    texts = "".join(
        f'<text x="{left + width / 2:.1f}" y="{first + index * size * 1.2:.1f}" font-size="{size:.1f}" '
        f'text-anchor="middle">{escape(_cut(line, room))}</text>'
        for index, line in enumerate(lines)
    )
    return f"<g{turn}>{texts}</g>"


def _cut(text: str, room: int) -> str:
    """Return the text with its middle left out if it is longer than `room`."""
    clean = _clean(text)
    if len(clean) <= room:
        return clean
    return clean[: room // 2] + "…" + clean[len(clean) - (room - room // 2 - 1) :]


def _clean(text: str) -> str:
    """Return the text without the characters that XML forbids."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _footer(plan: Plan, total: float) -> str:
    if not plan.rejected:
        return ""
    count = sum(rejection.copies for rejection in plan.rejected)
    return f'<text x="{GAP}" y="{total - 16:.0f}" class="s">{count} copies rejected; the plan lists them.</text>'
