"""Results of mock-ups as tables: for the terminal, and for README."""

from collections.abc import Iterator

from bench.contestants import COLD, WARM
from bench.mockups.bounds import BOUNDS, CONTAINER_BYTES
from bench.mockups.contestants import OPENCV
from bench.mockups.results import Catalogue, MockupResults
from bench.results import LimitResult
from bench.table import MB, NOTHING, aligned, number


def tables(results: MockupResults) -> str:
    """Return everything, for a terminal."""
    sections = (_machine, _contest, _steps, _likeness, _limits, _many, _catalogue, _bounds)
    blocks = [list(section(results)) for section in sections]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def markdown(results: MockupResults) -> str:
    """Return README's table: one row, a column for each contestant."""
    rows = [["work", *results.runs], ["---"] * (len(results.runs) + 1)]
    rows.append([_title(results), *(_cell(results, name) for name in results.runs)])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    cpus = results.machine["cpus"]
    return f"{table}\n\nWhole processes on {cpus} CPUs: seconds, peak memory, seconds ÷ {OPENCV}'s."


def _machine(results: MockupResults) -> Iterator[str]:
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    yield f"{machine}; scale {results.scale:g}"


def _contest(results: MockupResults) -> Iterator[str]:
    """Yield the table of times, memory and file sizes."""
    runs = max(map(len, results.runs.values()))
    yield f"{_title(results)}; {'one run' if runs == 1 else f'medians of {runs} runs'}; ÷ is by {OPENCV}"
    rows = [["", "seconds", "÷", "CPU s", "peak MB", "÷", "files MB", "÷"]]
    for name, done in results.runs.items():
        failures = [run.failure for run in done if run.failure]
        if failures:
            rows.append([name, f"failed {len(failures)} of {len(done)}: {failures[0]}"])
        else:
            rows.append([name, *_figures(results, name)])
    yield from aligned(rows)
    measured = results.typical(COLD, "peak_bytes")
    share = number(measured / results.predicted_bytes if measured else None)
    yield f"  `tilepress plan` predicts {number(results.predicted_bytes, MB, 1)} MB, cold; measured ÷ predicted {share}"


def _figures(results: MockupResults, name: str) -> list[str]:
    return [
        number(results.typical(name, "seconds")),
        number(results.ratio(name, OPENCV, "seconds")),
        number(results.typical(name, "cpu_seconds")),
        number(results.typical(name, "peak_bytes"), MB, 1),
        number(results.ratio(name, OPENCV, "peak_bytes")),
        number(results.typical(name, "file_bytes"), MB, 1),
        number(results.ratio(name, OPENCV, "file_bytes")),
    ]


def _steps(results: MockupResults) -> Iterator[str]:
    yield "Seconds of tilepress by step"
    for name in (COLD, WARM):
        told = ", ".join(f"{step} {seconds:.2f}" for step, seconds in results.steps(name).items())
        yield f"  {name}: {told or NOTHING}"


def _likeness(results: MockupResults) -> Iterator[str]:
    like = results.likeness
    if like is None:
        yield "Likeness of the mock-ups: not compared"
        return
    verdict = "the same pictures" if like.agrees else "OTHER PICTURES"
    inside, outside = number(like.inside, 1, 3), number(like.outside, 1, 3)
    yield f"Mean absolute difference from {OPENCV}'s, of 255: inside the areas {inside}, outside {outside}: {verdict}"


def _limits(results: MockupResults) -> Iterator[str]:
    """Yield the smallest limits of memory passed."""
    yield "Smallest limit of memory passed, MB: kernel-enforced, page cache counted, no swap"
    if results.no_cage is not None:
        yield f"  not measured: {results.no_cage}"
        return
    rows = [["", "passes", "seconds", "fails", "because"]]
    yield from aligned([*rows, *map(_limit, results.limits)])
    for trial in (trial for limit in results.limits if limit.contestant == COLD for trial in limit.trials):
        if trial.limit_bytes == CONTAINER_BYTES:
            outcome = trial.failure or f"all {results.mockups} made in {trial.seconds:.2f} s"
            yield f"  {COLD}, in {CONTAINER_BYTES / MB:.0f} MB: {outcome}"


def _limit(limit: LimitResult) -> list[str]:
    passed, failed = limit.smallest, limit.largest_failed
    return [
        limit.contestant,
        number(passed.limit_bytes if passed else None, MB, 0),
        number(passed.seconds if passed else None),
        number(failed.limit_bytes if failed else None, MB, 0),
        (failed.failure if failed else None) or NOTHING,
    ]


def _many(results: MockupResults) -> Iterator[str]:
    few = results.typical(COLD, "peak_bytes")
    ratio = number(results.many.peak_bytes / few if few else None)
    yield (
        f"{results.many_mockups} mock-ups of {results.many_mockups // results.mockups} artworks, cold: "
        f"{results.many.seconds:.1f} s, peak {number(results.many.peak_bytes, MB, 1)} MB, {ratio} times that of M"
    )


def _catalogue(results: MockupResults) -> Iterator[str]:
    found = results.catalogue
    if found is None:
        yield "A catalogue: not asked for (--catalogue)"
        return
    yield (
        f"A catalogue: {found.designs} designs of {found.design_px} px on {found.mockups // found.designs} photographs "
        f"of {found.photograph_px} px"
    )
    rate = found.mockups / found.seconds
    yield f"  {found.seconds:.1f} s, {rate:.2f} mock-ups a second, {number(found.file_bytes, MB, 0)} MB of files"
    yield f"  peak memory by tenths of the run, MB: {_by_tenths(found)}"
    yield f"  again, when all is there: {found.seconds_again:.2f} s, {found.seconds_again / found.seconds:.3f} of it"


def _by_tenths(found: Catalogue) -> str:
    half = len(found.peaks) // 2
    growth = max(found.peaks[half:]) / max(found.peaks[:half])
    told = " ".join(number(peak, MB, 0) for peak in found.peaks)
    return f"{told}; the second half's ÷ the first's {growth:.2f}"


def _bounds(results: MockupResults) -> Iterator[str]:
    """Yield what is promised, beside what is."""
    yield f"Bounds: at most what must be{'' if results.scale == 1 else '; they are meant for scale 1'}"
    rows = [["", "measured", "must", "dream", ""]]
    for bound in BOUNDS:
        figure, must, dream = (number(value) for value in (bound.figure(results), bound.must, bound.dream))
        rows.append([bound.what, "none" if figure == "inf" else figure, must, dream, bound.verdict(results)])
    yield from aligned(rows)


def _title(results: MockupResults) -> str:
    side, art = results.photograph_px, results.artwork_px
    return f"M, mock-ups: {results.mockups} of {side}×{side}, artwork of {art}×{art}"


def _cell(results: MockupResults, name: str) -> str:
    seconds, peak = results.typical(name, "seconds"), results.typical(name, "peak_bytes")
    if seconds is None or peak is None:
        return NOTHING
    ratio = results.ratio(name, OPENCV, "seconds")
    compared = f", {ratio:.2f}×" if ratio is not None and name != OPENCV else ""
    return f"{seconds:.1f} s, {peak / MB:.0f} MB{compared}"
