"""Results of sections as tables: for the terminal, and for README."""

from collections.abc import Iterator

from bench.sections.bounds import BOUNDS, growth, last_to_first, poster_ratio
from bench.sections.contestants import PYPDF
from bench.sections.results import Drawing, SectionResults
from bench.table import MB, NOTHING, aligned, number


def tables(results: SectionResults) -> str:
    """Return everything, for a terminal."""
    sections = (_machine, _contest, _likeness, _shared, _drawn, _posters, _bounds)
    return "\n\n".join("\n".join(section(results)) for section in sections)


def markdown(results: SectionResults) -> str:
    """Return README's tables: one row with a column for each contestant, and what is promised."""
    rows = [["work", *results.runs], ["---"] * (len(results.runs) + 1)]
    rows.append([_title(results), *(_cell(results, name) for name in results.runs)])
    promises = [["", "measured", "must be at most", ""], ["---"] * 4]
    promises += [[cell or NOTHING for cell in row] for row in _promises(results)]
    cpus = results.machine["cpus"]
    told = f"Whole processes on {cpus} CPUs: seconds, peak memory, seconds ÷ {PYPDF}'s."
    return f"{_as_markdown(rows)}\n\n{told}\n\n{_as_markdown(promises)}"


def _as_markdown(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _machine(results: SectionResults) -> Iterator[str]:
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    yield f"{machine}; scale {results.scale:g}"


def _contest(results: SectionResults) -> Iterator[str]:
    """Yield the table of times, memory and file sizes."""
    runs = max(map(len, results.runs.values()))
    yield f"{_title(results)}; {'one run' if runs == 1 else f'medians of {runs} runs'}; ÷ is by {PYPDF}"
    rows = [["", "seconds", "÷", "CPU s", "peak MB", "÷", "files MB", "÷"]]
    for name, done in results.runs.items():
        failures = [run.failure for run in done if run.failure]
        if failures:
            rows.append([name, f"failed {len(failures)} of {len(done)}: {failures[0]}"])
        else:
            rows.append([name, *_figures(results, name)])
    yield from aligned(rows)


def _figures(results: SectionResults, name: str) -> list[str]:
    return [
        number(results.typical(name, "seconds")),
        number(results.ratio(name, PYPDF, "seconds"), 1, 3),
        number(results.typical(name, "cpu_seconds")),
        number(results.typical(name, "peak_bytes"), MB, 1),
        number(results.ratio(name, PYPDF, "peak_bytes"), 1, 3),
        number(results.typical(name, "file_bytes"), MB, 1),
        number(results.ratio(name, PYPDF, "file_bytes")),
    ]


def _likeness(results: SectionResults) -> Iterator[str]:
    like = results.likeness
    if like is None:
        yield "Likeness of the sections: not compared"
        return
    verdict = "the same sections" if like.agrees else "OTHER SECTIONS"
    yield (
        f"Sections {like.sections[0]} and {like.sections[1]}, {like.pages} pages; with other pictures "
        f"{like.other_pictures}, with other words {like.other_words}: {verdict}"
    )


def _shared(results: SectionResults) -> Iterator[str]:
    run = results.shared
    outcome = run.failure or f"{run.seconds:.2f} s, peak {number(run.peak_bytes, MB, 1)} MB"
    sizes = f"sections of {number(run.file_bytes, MB, 1)} MB from {number(results.document_bytes, MB, 1)} MB"
    yield f"The same with one resource dictionary for all pages: {outcome}; {sizes}"


def _drawn(results: SectionResults) -> Iterator[str]:
    if results.drawn is None:
        yield "Pages as images: not asked for (--drawn)"
        return
    yield f"The first {results.drawn.pages} pages as images, too: {_drawing(results.drawn)}"
    peaks = results.drawn.peaks
    told = " ".join(number(peak, MB, 0) for peak in peaks) or NOTHING
    yield f"  peak memory of each section's process, MB: {told}"
    last, halves = (number(figure(results.drawn), 1, 3) for figure in (last_to_first, growth))
    yield f"  the last ÷ the first {last}, the largest of the second half ÷ that of the first {halves}"


def _posters(results: SectionResults) -> Iterator[str]:
    if results.posters is None:
        yield "A page of A0: not asked for (--no-posters)"
        return
    for drawing in results.posters:
        held = number(drawing.peaks[0] if drawing.peaks else None, MB, 0)
        yield f"One page of {drawing.what}: {_drawing(drawing)}; its section's process {held} MB"
    yield f"  A0 ÷ A4: peak memory {number(poster_ratio(results.posters), 1, 3)}"


def _drawing(drawing: Drawing) -> str:
    run = drawing.run
    done = run.failure or f"{run.seconds:.1f} s, {run.seconds / drawing.pages:.2f} s a page"
    return f"{drawing.dpi} DPI, {done}, peak of the process tree {number(run.peak_bytes, MB, 1)} MB"


def _bounds(results: SectionResults) -> Iterator[str]:
    """Yield what is promised, beside what is."""
    yield f"Bounds: at most what must be{'' if results.scale == 1 else '; they are meant for scale 1'}"
    yield from aligned([["", "measured", "must", ""], *_promises(results)])


def _promises(results: SectionResults) -> list[list[str]]:
    return [
        [bound.what, number(bound.figure(results), 1, 3), number(bound.must), bound.verdict(results)]
        for bound in BOUNDS
    ]


def _title(results: SectionResults) -> str:
    size = f"{results.document_bytes / MB:.0f} MB"
    return f"D, sections: {results.pages} pages of {size} into {results.sections} sections"


def _cell(results: SectionResults, name: str) -> str:
    seconds, peak = results.typical(name, "seconds"), results.typical(name, "peak_bytes")
    if seconds is None or peak is None:
        return NOTHING
    ratio = results.ratio(name, PYPDF, "seconds")
    compared = f", {ratio:.3f}×" if ratio is not None and name != PYPDF else ""
    return f"{seconds:.1f} s, {peak / MB:.0f} MB{compared}"
