"""How tilepress is called: as a whole program, by its command line, in an environment that changes nothing."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
# PYTHONDONTWRITEBYTECODE would have every run compile what it imports anew: a second that no installed program pays.
_UNWANTED = {"DATABASE_URL", "GANGSHEET_DYNAMIC_SIZING", "PYTHONDONTWRITEBYTECODE"}
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in _UNWANTED}


def tilepress(*arguments: object) -> list[str]:
    """Return the command; to be run in the folder REPOSITORY."""
    return [sys.executable, "cli.py", *map(str, arguments)]


def run_tilepress(*arguments: object) -> str:
    """Run the command unmeasured and return what it says; end the benchmark if it fails."""
    done = subprocess.run(
        tilepress(*arguments), cwd=REPOSITORY, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        words = " ".join(map(str, arguments))
        raise SystemExit(f"tilepress {words} failed (exit {done.returncode}):\n{done.stdout}{done.stderr}")
    return done.stdout
