"""The output folder: the one place outside the work folder that a run writes to, and nobody else meanwhile.

It holds one run: its parts and the manifest that lists them. A new run of the job takes the place of the last.
"""

import errno
import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Formatter
from typing import Any

from filelock import FileLock, Timeout

from config.errors import BudgetError, ConfigurationError, LockError, StorageError
from config.schema import Output
from pipeline.machine import free_disk_bytes
from tiles.sinks import SUFFIXES
from tiles.sinks.sink import PARTIAL, AtomicFile, write_atomically

MANIFEST = "manifest.json"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Outbox:
    """The folder that `output.to` names, for one job."""

    def __init__(self, output: Output, job: str, base: Path) -> None:
        """Name the folder; a relative one counts from `base`."""
        if "://" in output.to:
            raise ConfigurationError("output.to is a URL; parts are delivered to folders", "Name a local folder.")
        self.folder = base / output.to
        self._template, self._job, self._suffix = output.filename, job, SUFFIXES[output.format]

    @property
    def manifest(self) -> Path:
        """Where the manifest stands."""
        return self.folder / MANIFEST

    def part_name(self, number: int) -> str:
        """Return the file name of the part with this number."""
        return self._template.format(part=number, job=self._job) + self._suffix

    @contextmanager
    def opened(self, locks: Path) -> Iterator[None]:
        """Make the folder and hold it for this process, without what a killed run left half-written.

        Raises LockError if another run holds it; a dead run's lock does not count. Raises ConfigurationError if
        the folder holds the run of another job: its parts may not have been printed yet.
        """
        name = hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:32]
        with storing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / f"{name}.lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise LockError(f"another run writes to {self.folder}", "Wait until it has ended.") from None
        try:
            self._check_owner()
            with storing(self.folder):
                self._remove(lambda name: name.endswith(PARTIAL) and self._is_part(name.removesuffix(PARTIAL)))
            yield
        finally:
            lock.release()

    def clear(self, keep: Collection[str]) -> list[str]:
        """Remove parts of former runs of the job, except the ones to `keep`; return their names.

        A part that no manifest lists could be taken for one to print.
        """
        with storing(self.folder):
            return self._remove(lambda name: self._is_part(name) and name not in keep)

    def put_json(self, name: str, content: dict[str, Any]) -> Path:
        """Write a JSON file: whole or not at all."""
        text = json.dumps(content, indent=1, ensure_ascii=False)

        def fill(file: AtomicFile) -> None:
            file.write(text.encode("utf-8", "surrogateescape"))

        with storing(self.folder):
            return write_atomically(self.folder / name, fill).path

    def check_space(self, what: str, need_bytes: int) -> None:
        """Raise BudgetError if the disk has less room than `what` will need."""
        free = free_disk_bytes(self.folder)
        if free < need_bytes:
            raise BudgetError(
                f"disk: {what} needs about {need_bytes:,} bytes; {free:,} are free at {self.folder}",
                "Free some space and run again. What was finished before is kept.",
            )

    def _check_owner(self) -> None:
        try:
            owner = json.loads(self.manifest.read_bytes())["job"]
        except (OSError, ValueError, KeyError, TypeError):  # none, or nobody's
            return
        if owner != self._job:
            raise ConfigurationError(
                f"{self.folder} holds the parts of job {owner}", "Give each job a folder of its own under output.to."
            )

    def _is_part(self, name: str) -> bool:
        pattern = ""
        for literal, field, _, _ in Formatter().parse(self._template):
            pattern += re.escape(literal) + {"part": r"\d+", "job": re.escape(self._job)}.get(field or "", "")
        return any(re.fullmatch(pattern + re.escape(suffix), name) for suffix in SUFFIXES.values())

    def _remove(self, unwanted: Callable[[str], bool]) -> list[str]:
        names = sorted(path.name for path in self.folder.iterdir() if path.is_file() and unwanted(path.name))
        for name in names:
            (self.folder / name).unlink(missing_ok=True)
        return names


@contextmanager
def storing(place: Path) -> Iterator[None]:
    """Turn what the file system refuses at `place` into the error, and the exit code, that says so."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise BudgetError(
                f"disk: full while writing to {place}", "Free some space and run again. Finished parts are kept."
            ) from error
        raise StorageError(f"{place}: {error.strerror or error}", "Check the folder and its permissions.") from error
