"""Memory over time: tilepress, cold, on S and on R, and OpenCV on S, which holds the whole sheet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.contestants import COLD
from bench.pictures import svg
from bench.results import Results

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 860, 450, 78, 830, 144, 392
_MB = 1e6
_SHOWN = (("S", "OpenCV", "#d55e00", 1.5), ("R", COLD, "#0072b2", 2.5), ("S", COLD, "#009e73", 2.5))


@dataclass(frozen=True, slots=True)
class _Line:
    """One run: (seconds, MB) over time."""

    label: str
    points: Sequence[tuple[float, float]]
    colour: str
    width: float

    @property
    def peak(self) -> float:
        return max(held for _, held in self.points)


def draw_memory(results: Results) -> str | None:
    """Return the picture; None if none of its runs was measured."""
    lines = list(_lines(results))
    if not lines:
        return None
    across = svg.Scale(max(line.points[-1][0] for line in lines) * 1.02, _LEFT, _RIGHT)
    up = svg.Scale(max(line.peak for line in lines) * 1.08, _BOTTOM, _TOP)
    shapes = [
        svg.text(
            24,
            32,
            "Memory held while a sheet is made: of all processes, files that are mapped or cached not counted",
            size=svg.TITLE_PX,
        ),
        *_axes(across, up),
    ]
    for number, line in enumerate(lines):
        shapes.append(svg.curve([(across.at(at), up.at(held)) for at, held in line.points], line.colour, line.width))
        shapes.append(svg.curve([(24, 56 + 20 * number), (52, 56 + 20 * number)], line.colour, line.width))
        shapes.append(svg.text(60, 60 + 20 * number, line.label))
    return svg.document(_WIDTH, _HEIGHT, "Memory over time of tilepress on S and R, and of OpenCV on S", shapes)


def _lines(results: Results) -> Iterator[_Line]:
    for name, contestant, colour, width in _SHOWN:
        work = results.work(name)
        runs = sorted(work.good_runs(contestant), key=lambda run: run.seconds) if work else []
        if work is not None and runs:
            run = runs[len(runs) // 2]
            points = [(0.0, 0.0), *((at, held / _MB) for at, held in run.memory), (run.seconds, 0.0)]
            size = f"{work.width_px} × {work.height_px} pixels"
            peak = f"peak {max(held for _, held in points):.0f} MB"
            yield _Line(f"{contestant}: {work.name}, {size}; {peak}", points, colour, width)


def _axes(across: svg.Scale, up: svg.Scale) -> Iterator[str]:
    for tick in up.ticks(6):
        yield svg.line(_LEFT, up.at(tick), _RIGHT, up.at(tick))
        yield svg.text(_LEFT - 10, up.at(tick) + 4, f"{tick:g}", anchor="end", colour=svg.FAINT)
    for tick in across.ticks(10):
        yield svg.line(across.at(tick), _BOTTOM, across.at(tick), _BOTTOM + 5, svg.FAINT)
        yield svg.text(across.at(tick), _BOTTOM + 21, f"{tick:g}", anchor="middle", colour=svg.FAINT)
    yield svg.line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, svg.FAINT)
    yield svg.text(24, _TOP - 8, "MB", colour=svg.FAINT)
    yield svg.text((_LEFT + _RIGHT) / 2, _BOTTOM + 44, "seconds", anchor="middle", colour=svg.FAINT)
