"""Where the peer sharp is, which is no Python package: installed once below the benchmark's work folder."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SCRIPTS = Path(__file__).parent / "peers"  # node looks beside a script first, and in all folders above it
INSTALL_S = 120.0  # a second or ten where a registry can be reached; never the benchmark's end
ABSENT = "not here: it needs node and the package sharp"


@dataclass(frozen=True, slots=True)
class Sharp:
    """The folder that node is to look for packages in, "" where it looks anyway; `problem` says why it is no use."""

    node_path: str
    problem: str | None

    def command(self, script: Path) -> list[str]:
        """Return what runs a script that requires sharp."""
        return ["env", f"NODE_PATH={self.node_path}", "node", str(script)]


def find_sharp(folder: Path, *, install: bool) -> Sharp:
    """Return sharp as node finds it, or below `folder`; install it there when it is nowhere, if that is wanted."""
    if shutil.which("node") is None:
        return Sharp("", ABSENT)
    home = folder / "node"
    places = [os.environ.get("NODE_PATH", ""), str(home / "node_modules")]
    found = next((place for place in places if _is_in(place)), None)
    if found is None and install and shutil.which("npm"):
        problem = _install(home)
        if problem is None and _is_in(places[-1]):
            return Sharp(places[-1], None)
        return Sharp("", f"could not be installed: {problem or 'node does not load it'}")
    return Sharp("", ABSENT) if found is None else Sharp(found, None)


def _is_in(node_path: str) -> bool:
    environment = {**os.environ, "NODE_PATH": node_path}
    command = ["node", "-e", "require('sharp')"]
    return subprocess.run(command, cwd=_SCRIPTS, env=environment, capture_output=True, check=False).returncode == 0


def _install(home: Path) -> str | None:
    """Install the package; return what went wrong."""
    home.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(home), "sharp"]
    try:
        done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False, timeout=INSTALL_S)
    except subprocess.TimeoutExpired:
        return f"npm took longer than {INSTALL_S:g} s"
    lines = done.stderr.strip().splitlines()
    return f"npm ended with {done.returncode}: {' '.join(lines[:1])}" if done.returncode else None
