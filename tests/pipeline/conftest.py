"""What tests of the pipeline's parts share."""

import time
from collections.abc import Callable

import pytest

DEADLINE_S = 30.0


@pytest.fixture
def poll() -> Callable[[Callable[[], bool]], None]:
    """Wait until a condition holds, polling it."""

    def until(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < end, "the condition never held"
            time.sleep(0.005)

    return until
