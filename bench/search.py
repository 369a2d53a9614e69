"""Finds the smallest limit that something passes, with few trials. Pure: what a trial is, it is told."""

from collections.abc import Callable
from dataclasses import dataclass

STEP_BYTES = 8_000_000  # the answer is this exact, or STEP_SHARE of itself: what decides which container to rent
STEP_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Trial:
    """One run under a limit; `failure` says why it did not pass."""

    limit_bytes: int
    seconds: float
    failure: str | None


@dataclass(frozen=True, slots=True)
class Range:
    """Where to search: begin at `first_bytes`, go up by `growth` to `most_bytes`; `fails_at_bytes` is too little."""

    first_bytes: int
    growth: float
    fails_at_bytes: int
    most_bytes: int


def smallest_limit(attempt: Callable[[int], Trial], where: Range) -> tuple[Trial, ...]:
    """Return the trials made: up until one passes, then halving what is uncertain."""
    trials: list[Trial] = []
    failed, passed, limit = where.fails_at_bytes, 0, min(where.first_bytes, where.most_bytes)
    while not passed and failed < where.most_bytes:
        trials.append(attempt(limit))
        if trials[-1].failure is None:
            passed = limit
        else:
            failed, limit = limit, min(round(limit * where.growth), where.most_bytes)
    while passed and passed - failed > max(STEP_BYTES, STEP_SHARE * passed):
        limit = (failed + passed) // 2
        trials.append(attempt(limit))
        if trials[-1].failure is None:
            passed = limit
        else:
            failed = limit
    return tuple(trials)
