"""Results as tables: for the terminal, and for README. Whatever is printed comes from results.json's values."""

from collections.abc import Iterator
from statistics import median

from bench.bounds import BOUNDS
from bench.contestants import COLD, REFERENCE, WARM
from bench.results import LimitResult, Results, WorkResult
from bench.search import STEP_BYTES, STEP_SHARE
from bench.table import MB, NOTHING, aligned, number


def tables(results: Results) -> str:
    """Return everything, for a terminal."""
    sections = (_contest(work) for work in results.works)
    others = (_tiff, _memory, _prediction, _limits, _stages, _bounds, _sections)
    blocks = [list(_machine(results)), *map(list, sections), *(list(section(results)) for section in others)]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def markdown(results: Results) -> str:
    """Return README's table: a row for each work, a column for each contestant."""
    names = list(dict.fromkeys(name for work in results.works for name in (*work.runs, *work.absent)))
    names = [name for name in names if any(work.good_runs(name) for work in results.works)]
    rows = [["work", *names], ["---"] * (len(names) + 1)]
    rows += [[_title(work), *(_cell(work, name) for name in names)] for work in results.works]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    cpus = results.machine["cpus"]
    return f"{table}\n\nWhole processes on {cpus} CPUs: seconds, peak memory, seconds ÷ the {REFERENCE}'s."


def _machine(results: Results) -> Iterator[str]:
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    yield f"{machine}; scale {results.scale:g}, {'drawn' if results.drawn else 'given'} artwork"


def _contest(work: WorkResult) -> Iterator[str]:
    """Yield the table of times, memory and file sizes of one work."""
    runs = max(len(runs) for runs in work.runs.values())
    told = f"medians of {runs} runs of tilepress and the {REFERENCE}, one of each other"
    yield f"{_title(work)}; {'one run' if runs == 1 else told}; ÷ is by the {REFERENCE}"
    rows = [["", "seconds", "÷", "CPU s", "peak MB", "÷", "file MB", "÷", "Δ mean", "Δ block"]]
    for name in work.runs:
        failures = [run.failure for run in work.runs[name] if run.failure]
        if failures:
            rows.append([name, f"failed {len(failures)} of {len(work.runs[name])}: {failures[0]}"])
        if work.good_runs(name):
            rows.append([name, *_figures(work, name)])
    rows += [[name, reason] for name, reason in work.absent.items()]
    yield from aligned(rows)


def _figures(work: WorkResult, name: str) -> list[str]:
    agreement = work.agreements.get(name)
    return [
        number(work.typical(name, "seconds")),
        number(work.ratio(name, "seconds")),
        number(work.typical(name, "cpu_seconds")),
        number(work.typical(name, "peak_bytes"), MB, 1),
        number(work.ratio(name, "peak_bytes")),
        number(work.typical(name, "file_bytes"), MB, 1),
        number(work.ratio(name, "file_bytes")),
        number(agreement.mean if agreement else None, 1, 3),
        number(agreement.worst_block if agreement else None, 1, 1),
    ]


def _tiff(results: Results) -> Iterator[str]:
    """Yield S as TIFF beside libvips' own saver."""
    if results.tiff is None:
        return
    yield "S as TIFF (deflate): a whole run of tilepress, warm; libvips' tiffsave alone, of the canvas held in memory"
    seconds = [run.seconds for run in results.tiff.runs if run.failure is None]
    sizes = [run.file_bytes for run in results.tiff.runs if run.failure is None]
    rows = [["", "seconds", "÷", "file MB"]]
    if seconds:
        rows.append([WARM, number(median(seconds)), number(results.tiff_ratio()), number(median(sizes), MB, 1)])
    alone, size = results.tiff.tiffsave_seconds, results.tiff.tiffsave_file_bytes
    rows.append(["tiffsave alone", number(median(alone)), number(1), number(size, MB, 1)])
    yield from aligned(rows)


def _memory(results: Results) -> Iterator[str]:
    """Yield how the peak grows with the sheet, with designs, placements and parts."""
    yield "Peak memory of tilepress ÷ its peak for S"
    rows = [["", "cold", "warm"]]
    for work in results.works[1:]:
        ratios = [results.peak_ratio(work.name, contestant) for contestant in (COLD, WARM)]
        rows.append([f"{work.name}, {work.what}", *map(number, ratios)])
    yield from aligned(rows)


def _prediction(results: Results) -> Iterator[str]:
    """Yield how honest `tilepress plan` is about memory."""
    yield "Peak memory measured ÷ predicted by `tilepress plan`, MB"
    rows = [["", "measured", "predicted", "÷"]]
    for work in results.works:
        for name, predicted in work.predicted_peak_bytes.items():
            measured = work.typical(name, "peak_bytes")
            figures = [number(measured, MB, 1), number(predicted, MB, 1), number(work.prediction_ratio(name))]
            rows.append([f"{work.name} {name}", *figures])
    yield from aligned(rows)


def _limits(results: Results) -> Iterator[str]:
    """Yield the smallest limits of memory passed."""
    yield (
        "Smallest limit of memory passed, MB, with one design 6000×6000: kernel-enforced, page cache counted, no swap; "
        f"to {STEP_BYTES / MB:.0f} MB or {STEP_SHARE:.0%}"
    )
    if results.no_cage is not None:
        yield f"  not measured, no limit can be set here: {results.no_cage}"
        return
    rows = [["", "passes", "seconds", "fails", "because", "unlimited: seconds", "peak MB"]]
    rows += [_limit(limit) for limit in results.limits]
    yield from aligned(rows)


def _limit(limit: LimitResult) -> list[str]:
    name = f"{limit.work.partition('-')[0]} {limit.contestant}"
    if limit.failure is not None:
        return [name, limit.failure]
    passed, failed = limit.smallest, limit.largest_failed
    return [
        name,
        number(passed.limit_bytes if passed else None, MB, 0),
        number(passed.seconds if passed else None),
        number(failed.limit_bytes if failed else None, MB, 0),
        (failed.failure if failed else None) or NOTHING,
        number(limit.free_seconds),
        number(limit.free_peak_bytes, MB, 1),
    ]


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
                decode = number(work.floor.decode_seconds / cpus) if name == COLD else NOTHING
                figures = [number(seconds) for seconds in stages.values()]
                rows.append([f"{work.name} {name}", *figures, decode, number(work.floor.copy_seconds)])
    yield from aligned(rows)


def _bounds(results: Results) -> Iterator[str]:
    """Yield what is promised, beside what is."""
    yield f"Bounds: at most what must be{'' if results.scale == 1 else '; they are meant for scale 1'}"
    rows = [["", "measured", "must", "dream", ""]]
    for bound in BOUNDS:
        digits = 0 if bound.unit == "MB" else 2
        figure, must, dream = (number(value, 1, digits) for value in (bound.figure(results), bound.must, bound.dream))
        least = f"{bound.least:.2f} to " if bound.least else ""
        what = f"{bound.what}, {bound.unit}" if bound.unit else bound.what
        rows.append([what, "none" if figure == "inf" else figure, least + must, dream, bound.verdict(results)])
    yield from aligned(rows)


def _sections(results: Results) -> Iterator[str]:
    seconds = results.section_seconds
    told = ", ".join(f"{name} {taken:.0f}" for name, taken in seconds.items())
    yield f"Seconds of this benchmark: {told}; in all {sum(seconds.values()):.0f}"


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
