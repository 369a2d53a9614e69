"""Results as tables: for the terminal, and for README. Whatever is printed comes from results.json's values."""

from collections.abc import Iterator, Sequence

from bench.contestants import COLD, REFERENCE, WARM
from bench.results import Results, WorkResult

PEAK_LIMITS = {"R": 1.10, "D": 1.10, "P": 1.10}  # of S's peak, by work
PREDICTION_RANGE = (0.6, 1.0)
MB = 1e6
NOTHING = "–"


def tables(results: Results) -> str:
    """Return everything, for a terminal."""
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    blocks = [f"{machine}; scale {results.scale:g}, {'drawn' if results.drawn else 'given'} artwork"]
    blocks += ["\n".join(_contest(work)) for work in results.works]
    blocks += ["\n".join(_memory(results)), "\n".join(_prediction(results)), "\n".join(_stages(results))]
    blocks.append(f"Start-up: tilepress --help takes {results.help_seconds:.2f} s")
    return "\n\n".join(blocks)


def markdown(results: Results) -> str:
    """Return README's table: a row for each work, a column for each contestant."""
    names = list(dict.fromkeys(name for work in results.works for name in (*work.runs, *work.absent)))
    names = [name for name in names if any(work.good_runs(name) for work in results.works)]
    rows = [["work", *names], ["---"] * (len(names) + 1)]
    rows += [[_title(work), *(_cell(work, name) for name in names)] for work in results.works]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    cpus = results.machine["cpus"]
    return f"{table}\n\nWhole processes on {cpus} CPUs: seconds, peak memory, seconds ÷ the {REFERENCE}'s."


def _contest(work: WorkResult) -> Iterator[str]:
    """Yield the table of times, memory and file sizes of one work."""
    runs = max(len(runs) for runs in work.runs.values())
    yield f"{_title(work)}; {'one run' if runs == 1 else f'medians of {runs} runs'}; ÷ is by the {REFERENCE}"
    rows = [["", "seconds", "÷", "CPU s", "peak MB", "÷", "file MB", "÷", "Δ mean", "Δ block"]]
    for name in work.runs:
        failures = [run.failure for run in work.runs[name] if run.failure]
        if failures:
            rows.append([name, f"failed {len(failures)} of {runs}: {failures[0]}"])
        if work.good_runs(name):
            rows.append([name, *_figures(work, name)])
    rows += [[name, reason] for name, reason in work.absent.items()]
    yield from _aligned(rows)


def _figures(work: WorkResult, name: str) -> list[str]:
    agreement = work.agreements.get(name)
    return [
        _number(work.typical(name, "seconds")),
        _number(work.ratio(name, "seconds")),
        _number(work.typical(name, "cpu_seconds")),
        _number(work.typical(name, "peak_bytes"), MB, 1),
        _number(work.ratio(name, "peak_bytes")),
        _number(work.typical(name, "file_bytes"), MB, 1),
        _number(work.ratio(name, "file_bytes")),
        _number(agreement.mean if agreement else None, 1, 3),
        _number(agreement.worst_block if agreement else None, 1, 1),
    ]


def _memory(results: Results) -> Iterator[str]:
    """Yield how the peak grows with the sheet, with designs and with placements."""
    yield "Peak memory of tilepress ÷ its peak for S"
    rows = [["", "cold", "warm", ""]]
    for name, limit in PEAK_LIMITS.items():
        ratios = [results.peak_ratio(name, contestant) for contestant in (COLD, WARM)]
        verdict = f"at most {limit:.2f}: {_verdict(ratios, 0, limit)}" if limit else ""
        rows.append([name, *(_number(ratio) for ratio in ratios), verdict])
    yield from _aligned(rows)


def _prediction(results: Results) -> Iterator[str]:
    """Yield how honest `tilepress plan` is about memory."""
    least, most = PREDICTION_RANGE
    yield f"Peak memory measured ÷ predicted by `tilepress plan`, MB; {least} to {most:.1f} is honest"
    rows = [["", "measured", "predicted", "÷", ""]]
    for work in results.works:
        for name, predicted in work.predicted_peak_bytes.items():
            measured = work.typical(name, "peak_bytes")
            ratio = measured / predicted if measured is not None else None
            figures = [_number(measured, MB, 1), _number(predicted, MB, 1), _number(ratio)]
            rows.append([f"{work.name} {name}", *figures, _verdict([ratio], least, most)])
    yield from _aligned(rows)


def _stages(results: Results) -> Iterator[str]:
    """Yield where tilepress's time goes, beside the floor."""
    cpus = int(results.machine["cpus"])
    yield f"Seconds of tilepress by stage; the floor is decoding the inputs once (on {cpus} CPUs), copying pixels once"
    rows: list[list[str]] = []
    for work in results.works:
        for name in (COLD, WARM):
            stages = work.stages(name)
            if not rows and stages:
                rows.append(["", *stages, "floor: decode", "copy"])
            if stages:
                decode = _number(work.floor.decode_seconds / cpus) if name == COLD else NOTHING
                figures = [_number(seconds) for seconds in stages.values()]
                rows.append([f"{work.name} {name}", *figures, decode, _number(work.floor.copy_seconds)])
    yield from _aligned(rows)


def _title(work: WorkResult) -> str:
    size = f"{work.width_px}×{work.height_px}"
    return f"{work.name}, {work.what}: {size}, {work.copies:,} copies of {work.designs} designs"


def _cell(work: WorkResult, name: str) -> str:
    seconds, peak = work.typical(name, "seconds"), work.typical(name, "peak_bytes")
    if seconds is None or peak is None:
        return NOTHING
    ratio = work.ratio(name, "seconds")
    compared = f", {ratio:.2f}×" if ratio is not None and name != REFERENCE else ""
    return f"{seconds:.1f} s, {peak / MB:.0f} MB{compared}"


def _verdict(ratios: Sequence[float | None], least: float, most: float) -> str:
    known = [ratio for ratio in ratios if ratio is not None]
    if not known:
        return "not measured"
    return "ok" if all(least <= ratio <= most for ratio in known) else "MISSED"


def _number(value: float | None, unit: float = 1, digits: int = 2) -> str:
    return NOTHING if value is None else f"{value / unit:.{digits}f}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows in columns, names left, figures right; a row of two cells is a remark and takes no part in widths."""
    full = [row for row in rows if len(row) != 2]
    widths = [max(map(len, column)) for column in zip(*full, strict=True)]
    first = max((len(row[0]) for row in rows), default=0)
    for row in rows:
        figures = [row[1]] if len(row) == 2 else [cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)]
        yield f"  {row[0].ljust(first)}  {'  '.join(figures)}".rstrip()
