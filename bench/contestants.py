"""Who takes part: tilepress with an empty and with a filled tile store, and the peers in `bench.peers`."""

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.layout import Layout
from bench.sharp import Sharp
from bench.tilepress import tilepress
from bench.works import Work

PEERS = Path(__file__).parent / "peers"
REFERENCE = "pyvips script"  # every ratio is to this one: the best script a user of libvips would write
COLD, WARM = "tilepress, cold", "tilepress, warm"


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to make a sheet: its command, the files it then has made, and what is cleared away before it begins."""

    name: str
    command: Callable[[Layout], list[str]]
    sheets: Callable[[Layout], list[Path]]
    clear: Callable[[Layout], None]

    @property
    def is_tilepress(self) -> bool:
        """Whether its stages and its prediction can be told."""
        return self.name.startswith((COLD, WARM))


@dataclass(frozen=True, slots=True)
class Peer:
    """A script in `bench.peers`. `refusals` say, by work, why it is left out unless everything is asked for."""

    name: str
    script: str
    refusals: dict[str, str]

    def contestant(self, sharp: Sharp) -> Contestant:
        """Return the peer as one who takes part."""

        def sheet(layout: Layout) -> Path:
            return layout.folder / f"{self.script.partition('.')[0]}.png"

        def command(layout: Layout) -> list[str]:
            runs = sharp.command(PEERS / self.script) if self.needs_node else peer_command(self.script)
            return [*runs, str(layout.job), str(sheet(layout))]

        def sheets(layout: Layout) -> list[Path]:
            return [sheet(layout)] if sheet(layout).exists() else []

        return Contestant(self.name, command, sheets, lambda layout: sheet(layout).unlink(missing_ok=True))

    def reason_against(self, work: Work, sharp: Sharp, *, everything: bool) -> str | None:
        """Return why this peer does not take part in the work; None if it does."""
        if self.needs_node and sharp.problem is not None:
            return sharp.problem
        return None if everything else self.refusals.get(work.name)

    @property
    def needs_node(self) -> bool:
        """Whether it is no Python script."""
        return self.script.endswith(".cjs")


_WHOLE_SHEET = {"R": "left out: it holds the whole sheet, 3.2 GB and more (--all runs it)"}

_DEEP = {"P": "left out: 5,000 chained inserts take minutes, or crash (--all runs it)"}

_NOT_ON_A_ROLL = "left out: minutes for each limit (--all tries it)"

_PEERS = {
    peer.name: peer
    for peer in (
        Peer(REFERENCE, "pyvips_script", _DEEP),
        Peer("pyvips composite", "pyvips_composite", {"R-large": _NOT_ON_A_ROLL}),
        Peer("OpenCV", "opencv", {**_WHOLE_SHEET, "R-large": _WHOLE_SHEET["R"]}),
        Peer("Pillow + numpy", "pillow_numpy", {**_WHOLE_SHEET, "R-large": _WHOLE_SHEET["R"]}),
        Peer("sharp", "sharp.cjs", {"R-large": _NOT_ON_A_ROLL}),
    )
}


def line_up(work: Work, sharp: Sharp, *, everything: bool) -> tuple[Sequence[Contestant], dict[str, str]]:
    """Return who takes part in the work, in the order of the runs, and why the others of its peers do not."""
    peers, absent = peers_for(work, sharp, everything=everything)
    return [tilepress_cold(), tilepress_warm(), *peers], absent


def peers_for(work: Work, sharp: Sharp, *, everything: bool) -> tuple[Sequence[Contestant], dict[str, str]]:
    """Return the peers that take part in the work, and why the others do not."""
    reasons = {name: _PEERS[name].reason_against(work, sharp, everything=everything) for name in work.peers}
    taking_part = [_PEERS[name].contestant(sharp) for name, reason in reasons.items() if reason is None]
    return taking_part, {name: reason for name, reason in reasons.items() if reason is not None}


def peer_command(script: str) -> list[str]:
    """Return what runs a Python script of `bench.peers`, as a whole process."""
    return [sys.executable, "-m", f"bench.peers.{script}"]


def tilepress_cold(remark: str = "", *settings: str) -> Contestant:
    """Return tilepress with an empty store; with `KEY=VALUE` settings, which the remark after its name tells of."""
    return _tilepress(COLD + remark, _clear_all, settings)


def tilepress_warm(remark: str = "", *settings: str) -> Contestant:
    """Return tilepress with the store as an earlier run left it."""
    return _tilepress(WARM + remark, _clear_sheets, settings)


def _tilepress(name: str, clear: Callable[[Layout], None], settings: Sequence[str]) -> Contestant:
    options = [word for setting in settings for word in ("--set", setting)]

    def command(layout: Layout) -> list[str]:
        return tilepress("run", layout.pipeline, "--log-format", "json", *options)

    def sheets(layout: Layout) -> list[Path]:
        return [file for file in sorted(layout.out.glob("GangSheet_Part_*")) if file.suffix != ".partial"]

    return Contestant(name, command, sheets, clear)


def _clear_sheets(layout: Layout) -> None:
    shutil.rmtree(layout.out, ignore_errors=True)


def _clear_all(layout: Layout) -> None:
    _clear_sheets(layout)
    shutil.rmtree(layout.store, ignore_errors=True)
