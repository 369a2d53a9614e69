"""The ledger: which parts of the plan are whole in the output folder, kept in the manifest as the run goes.

A run of the same plan begins where the last one ended, by death or not: parts it had finished, and which are still
there bit by bit, are not made again.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from config.errors import TilepressError
from pipeline.delivery import MANIFEST, Outbox
from pipeline.manifest import finished_parts, read_manifest
from pipeline.plan import Part, Plan
from tiles.sinks.sink import SheetFile
from tiles.store import hash_file

Finished = list[tuple[Part, SheetFile]]


class Ledger:
    """Parts delivered so far; every delivery is written down at once, by `describe(finished, done)`."""

    def __init__(self, outbox: Outbox, plan: Plan, describe: Callable[[Finished, bool], dict[str, Any]]) -> None:
        """Take over what an earlier run of the same plan had finished."""
        self._outbox, self._describe = outbox, describe
        self.finished: Finished = list(self._taken_over(plan))

    def begin(self) -> list[str]:
        """Remove parts of the former run, return their names, and write the manifest of a run at work."""
        removed = self._outbox.clear(keep=[part.file for part, _ in self.finished])
        self._outbox.put_json(MANIFEST, self._describe(self.finished, False))
        return removed

    def is_delivered(self, part: Part) -> bool:
        """Tell whether the part need not be made."""
        return any(done.number == part.number for done, _ in self.finished)

    def delivered(self, part: Part, file: SheetFile) -> None:
        """Write down that the part is whole under its name."""
        self.finished.append((part, file))
        self._outbox.put_json(MANIFEST, self._describe(self.finished, False))

    def close(self) -> None:
        """Write down that the run is over."""
        self.finished.sort(key=lambda entry: entry[0].number)
        self._outbox.put_json(MANIFEST, self._describe(self.finished, True))

    def _taken_over(self, plan: Plan) -> Iterator[tuple[Part, SheetFile]]:
        try:
            known = finished_parts(read_manifest(self._outbox.manifest), plan)
        except (TilepressError, KeyError, TypeError):  # none, or not one of ours: everything is made
            return
        for part in plan.parts:
            path = self._outbox.folder / part.file
            with suppress(OSError):
                size, sha256 = known.get(part.number, (-1, ""))
                if path.stat().st_size == size and hash_file(path) == sha256:
                    yield part, SheetFile(path, size, sha256)
