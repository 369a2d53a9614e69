"""Time by stage: S and R, cold and warm, each a bar beside the pyvips script's and the floor."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.contestants import COLD, REFERENCE, WARM
from bench.pictures import svg
from bench.results import Results, WorkResult

_WIDTH, _BAR_LEFT, _BAR_RIGHT, _BAR_HEIGHT, _ROW = 860, 170, 790, 18, 26
_TOP, _LEGEND_ROW, _GROUP_TITLE, _GROUP_GAP, _AXIS = 56, 22, 28, 12, 44

_TICKS = 8
_COLOURS = {
    "fetch": "#56b4e9",
    "prepare": "#0072b2",
    "plan": "#cc79a7",
    "render": "#e69f00",
    "deliver": "#009e73",
    "elsewhere": "#9aa4ae",
    "decode inputs once": "#7fb3d5",
    "copy pixels once": "#f3cd7e",
    "whole script": "#57606a",
}


@dataclass(frozen=True, slots=True)
class _Bar:
    """`total` is that of the whole; a sum of medians may differ a little."""

    name: str
    seconds: Mapping[str, float]
    total: float


def draw_stages(results: Results) -> str | None:
    """Return the picture; None if neither S nor R was measured."""
    cpus = int(results.machine["cpus"])
    works = [work for work in map(results.work, ("S", "R")) if work is not None]
    groups = {_title(work): list(_bars(work, cpus)) for work in works}
    bars = [bar for group in groups.values() for bar in group]
    if not bars:
        return None
    legend = list(_legend([part for part in _COLOURS if any(part in bar.seconds for bar in bars)]))
    rows_top = _TOP + _LEGEND_ROW * len(legend)
    height = rows_top + sum(_GROUP_TITLE + _ROW * len(group) + _GROUP_GAP for group in groups.values()) + _AXIS
    scale = svg.Scale(max(max(bar.total, sum(bar.seconds.values())) for bar in bars), _BAR_LEFT, _BAR_RIGHT)
    shapes = [svg.text(24, 32, f"Where the time goes: whole processes on {cpus} CPUs, by stage", size=svg.TITLE_PX)]
    shapes += [shape for index, row in enumerate(legend) for shape in _legend_row(row, _TOP + _LEGEND_ROW * index)]
    top: float = rows_top
    for title, group in groups.items():
        shapes += _group(title, group, scale, top)
        top += _GROUP_TITLE + _ROW * len(group) + _GROUP_GAP
    shapes += _axis(scale, top)
    return svg.document(_WIDTH, height, "Seconds of tilepress by stage, beside the pyvips script and the floor", shapes)


def _bars(work: WorkResult, cpus: int) -> Iterator[_Bar]:
    reference = work.typical(REFERENCE, "seconds")
    if reference is not None:
        yield _Bar(REFERENCE, {"whole script": reference}, reference)
    for name in (COLD, WARM):
        stages = work.stages(name)
        if stages:
            parts = {stage: seconds for stage, seconds in stages.items() if stage in _COLOURS}
            yield _Bar(name, parts, stages["whole process"])
    decode, copy = work.floor.decode_seconds / cpus, work.floor.copy_seconds
    yield _Bar("the floor", {"decode inputs once": decode, "copy pixels once": copy}, decode + copy)


def _title(work: WorkResult) -> str:
    return f"{work.name}, {work.what}: {work.width_px} × {work.height_px} pixels, {work.copies} copies"


def _legend(parts: list[str]) -> Iterator[list[tuple[float, str]]]:
    """Yield rows of (x, part), as many in each as it has room for."""
    row: list[tuple[float, str]] = []
    left = 24.0
    for part in parts:
        width = 18 + svg.text_width(part) + 22
        if row and left + width > _WIDTH - 24:
            yield row
            row, left = [], 24.0
        row.append((left, part))
        left += width
    yield row


def _legend_row(row: list[tuple[float, str]], top: float) -> Iterator[str]:
    for left, part in row:
        yield svg.rectangle(left, top, 12, 12, _COLOURS[part])
        yield svg.text(left + 18, top + 11, part)


def _group(title: str, group: list[_Bar], scale: svg.Scale, top: float) -> Iterator[str]:
    """Yield a work's title, and below it its bars, on lines of a grid that leave the title free."""
    yield svg.text(24, top + 19, title, colour=svg.FAINT)
    top += _GROUP_TITLE
    for tick in scale.ticks(_TICKS):
        yield svg.line(scale.at(tick), top - 2, scale.at(tick), top + _ROW * len(group))
    for number, bar in enumerate(group):
        yield from _bar(bar, scale, top + _ROW * number)


def _axis(scale: svg.Scale, top: float) -> Iterator[str]:
    for tick in scale.ticks(_TICKS):
        yield svg.text(scale.at(tick), top + 6, f"{tick:g}", anchor="middle", colour=svg.FAINT)
    yield svg.text((_BAR_LEFT + _BAR_RIGHT) / 2, top + 28, "seconds", anchor="middle", colour=svg.FAINT)


def _bar(bar: _Bar, scale: svg.Scale, top: float) -> Iterator[str]:
    yield svg.text(_BAR_LEFT - 10, top + 14, bar.name, anchor="end")
    begun = 0.0
    for part, seconds in bar.seconds.items():
        yield svg.rectangle(
            scale.at(begun), top, scale.at(begun + seconds) - scale.at(begun), _BAR_HEIGHT, _COLOURS[part]
        )
        begun += seconds
    yield svg.text(scale.at(max(begun, bar.total)) + 8, top + 14, f"{bar.total:.2f} s")
