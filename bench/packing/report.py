"""The results as one table for a terminal."""

from collections.abc import Iterator
from statistics import mean

from bench.packing.results import BINS_DREAM, PackingResults
from bench.table import NOTHING, aligned

_HEAD = ["", "tilepress", "s", "rectpack", "s", "s ÷ s"]


def table(results: PackingResults) -> str:
    """Return the table, and below it what is promised and whether it is kept."""
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    lines = [f"{machine}{'; a sample' if results.quick else ''}; one core each, by turns", ""]
    lines += aligned([_HEAD, *_bins(results), *_strips(results), *_rolls(results)])
    verdicts = [[verdict.what, "ok" if verdict.kept else "MISSED"] for verdict in results.verdicts()]
    if not results.quick and results.bins is not None and results.bins.bins <= BINS_DREAM:
        verdicts.append([f"dream: at most {BINS_DREAM:,} bins", "ok"])
    return "\n".join([*lines, *([""] if verdicts else []), *aligned(verdicts)])


def _bins(results: PackingResults) -> Iterator[list[str]]:
    bins = results.bins
    if bins is None:
        yield ["bins of the literature", "not measured: no instances"]
        return
    figures = _figures(f"{bins.bins:,}", bins.seconds, f"{bins.peer_bins:,}", bins.peer_seconds)
    yield [f"{bins.instances} instances, bins (rectpack: best of 9)", *figures]


def _strips(results: PackingResults) -> Iterator[list[str]]:
    strips = results.strips
    if strips is None:
        yield ["strips of the literature", "not measured: no instances"]
        return
    seconds, peer_seconds = strips.seconds, strips.peer_seconds
    own, peer = strips.excess, strips.peer_excess
    figures = _figures(f"{mean(own):.2%}", sum(seconds), f"{mean(peer):.2%}", sum(peer_seconds))
    yield [f"{strips.instances} strips, mean excess (rectpack: best of 40)", *figures]
    slowest = [f"{max(own):.2%}", f"{max(seconds):.2f}", f"{max(peer):.2%}", f"{max(peer_seconds):.2f}", NOTHING]
    yield ["the worst excess, and the slowest strip", *slowest]


def _rolls(results: PackingResults) -> Iterator[list[str]]:
    rolls = results.rolls
    own, peer = f"{rolls.film_in:,.1f} on {rolls.rolls}", f"{rolls.peer_film_in:,.1f} on {rolls.peer_rolls}"
    figures = _figures(own, rolls.seconds, peer, rolls.peer_seconds)
    yield [f"{rolls.stickers:,} stickers, inches of film on rolls (rectpack: MaxRects)", *figures]


def _figures(own: str, seconds: float, peer: str, peer_seconds: float) -> list[str]:
    return [own, f"{seconds:.2f}", peer, f"{peer_seconds:.2f}", f"{seconds / peer_seconds:.2f}"]
