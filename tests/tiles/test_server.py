"""The server that children are forked off: what it is given, and what it does not hear."""

import json
import os
import signal
import subprocess
import sys
from multiprocessing import forkserver
from pathlib import Path

import pytest

from tiles.server import start_server

REPOSITORY = Path(__file__).parents[2]
GIVEN = ("PYTHONPATH", "PYTHONSAFEPATH", "MALLOC_ARENA_MAX", "OPENBLAS_NUM_THREADS")


def environment_of_a_child() -> dict[str, str | None]:
    """Return what a process that is started now is given."""
    names = ",".join(map(repr, GIVEN))
    script = f"import json, os; print(json.dumps([os.environ.get(name) for name in ({names})]))"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    return dict(zip(GIVEN, json.loads(said), strict=True))


def test_the_server_is_given_its_variables_and_nobody_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that fetch artwork go through `os.environ` meanwhile, for a proxy's: nothing may come and go there."""
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    monkeypatch.setenv("MALLOC_ARENA_MAX", "7")
    started: list[dict[str, str | None]] = []
    seen: list[dict[str, str]] = []

    def start() -> None:
        started.append(environment_of_a_child())
        seen.append(dict(os.environ))

    monkeypatch.setattr(forkserver, "ensure_running", start)
    before, child_before = dict(os.environ), environment_of_a_child()

    start_server()

    assert started == [dict(zip(GIVEN, (str(REPOSITORY), "1", "2", "1"), strict=True))]
    assert seen == [before]
    assert dict(os.environ) == before
    assert environment_of_a_child() == child_before
    assert child_before["MALLOC_ARENA_MAX"] == "7"
    assert child_before["PYTHONSAFEPATH"] is None


_BLOCKED = """
from multiprocessing.forkserver import _forkserver
from pathlib import Path
from tiles.server import start_server

start_server()
for pid in (_forkserver._forkserver_pid, "self"):
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    print(next(line.split()[1] for line in status if line.startswith("SigBlk")))
"""


def test_the_server_does_not_hear_of_ctrl_c_from_its_beginning() -> None:
    """It would print a traceback while it imports; who started it goes on hearing."""
    done = subprocess.run(
        [sys.executable, "-c", _BLOCKED], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    server, starter = (int(mask, 16) >> signal.SIGINT - 1 & 1 for mask in done.stdout.split())
    assert (server, starter) == (1, 0)
