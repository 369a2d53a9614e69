"""Who takes part: tilepress with an empty and with a filled tile store, and the peers in `bench.peers`."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.layout import Layout
from bench.tilepress import tilepress
from bench.works import Work

PEERS = Path(__file__).parent / "peers"
REFERENCE = "pyvips script"  # every ratio is to this one: the best script a user of libvips would write
COLD, WARM = "tilepress, cold", "tilepress, warm"


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to make a sheet: its command, where the sheet then is, and what is cleared away before it begins."""

    name: str
    command: Callable[[Layout], list[str]]
    sheet: Callable[[Layout], Path]
    clear: Callable[[Layout], None]

    @property
    def is_tilepress(self) -> bool:
        """Whether its stages and its prediction can be told."""
        return self.name in {COLD, WARM}


@dataclass(frozen=True, slots=True)
class Peer:
    """A script in `bench.peers`. `refusals` say, by work, why it is left out unless everything is asked for."""

    name: str
    script: str
    refusals: dict[str, str]

    @property
    def contestant(self) -> Contestant:
        """Return the peer as one who takes part."""
        return Contestant(self.name, self._command, self._sheet, lambda layout: self._sheet(layout).unlink(True))

    def reason_against(self, work: Work, *, everything: bool) -> str | None:
        """Return why this peer does not take part in the work; None if it does."""
        if self.script.endswith(".cjs") and not _has_sharp():
            return "not here: it needs node and the package sharp"
        return None if everything else self.refusals.get(work.name)

    def _command(self, layout: Layout) -> list[str]:
        files = [str(layout.job), str(self._sheet(layout))]
        if self.script.endswith(".cjs"):
            return ["node", str(PEERS / self.script), *files]
        return [sys.executable, "-m", f"bench.peers.{self.script}", *files]

    def _sheet(self, layout: Layout) -> Path:
        return layout.folder / f"{self.script.partition('.')[0]}.png"


_WHOLE_SHEET = {"R": "left out: it holds the whole sheet, 3.2 GB and more (--all runs it)"}

_DEEP = {"P": "left out: 5,000 chained inserts take minutes, or crash (--all runs it)"}

_PEERS = {
    peer.name: peer
    for peer in (
        Peer(REFERENCE, "pyvips_script", _DEEP),
        Peer("pyvips composite", "pyvips_composite", {}),
        Peer("OpenCV", "opencv", _WHOLE_SHEET),
        Peer("Pillow + numpy", "pillow_numpy", _WHOLE_SHEET),
        Peer("sharp", "sharp.cjs", {}),
    )
}


def line_up(work: Work, *, everything: bool) -> tuple[Sequence[Contestant], dict[str, str]]:
    """Return who takes part in the work, in the order of the runs, and why the others of its peers do not."""
    reasons = {name: _PEERS[name].reason_against(work, everything=everything) for name in work.peers}
    taking_part = [_PEERS[name].contestant for name, reason in reasons.items() if reason is None]
    return [*_tilepress(), *taking_part], {name: reason for name, reason in reasons.items() if reason is not None}


def _tilepress() -> list[Contestant]:
    """Return tilepress twice; the second run finds the store as the first one left it."""

    def sheet(layout: Layout) -> Path:
        return layout.out / "GangSheet_Part_1.png"

    def run(layout: Layout) -> list[str]:
        return tilepress("run", layout.pipeline, "--log-format", "json")

    return [Contestant(COLD, run, sheet, _clear_all), Contestant(WARM, run, sheet, _clear_sheets)]


def _clear_sheets(layout: Layout) -> None:
    shutil.rmtree(layout.out, ignore_errors=True)


def _clear_all(layout: Layout) -> None:
    _clear_sheets(layout)
    shutil.rmtree(layout.store, ignore_errors=True)


def _has_sharp() -> bool:
    if shutil.which("node") is None:
        return False
    asked = subprocess.run(["node", "-e", "require('sharp')"], cwd=PEERS, capture_output=True, check=False)
    return asked.returncode == 0
