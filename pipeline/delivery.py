"""The output folder: the one place outside the work folder that a run writes to, and nobody else meanwhile.

It holds one run: its parts and the manifest that lists them. A new run of the job takes the place of the last.
"""

import errno
import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from config.errors import BudgetError, ConfigurationError, LockError, StorageError
from config.schema import Output
from pipeline.machine import free_disk_bytes
from tiles.sinks import SUFFIXES
from tiles.sinks.sink import PARTIAL, write_atomically

MANIFEST = "manifest.json"
LOCK = ".tilepress.lock"
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
    def opened(self) -> Iterator[None]:
        """Make the folder and hold it for this process, without what a killed run left half-written.

        Raises LockError if another run holds it; a dead run's lock does not count. Raises ConfigurationError if
        the folder holds the run of another job: its parts may not have been printed yet.
        """
        lock = FileLock(self.folder / LOCK)
        with storing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                raise LockError(f"another run writes to {self.folder}", "Wait until it has ended.") from None
        try:
            former = self._former()
            if former.get("job", self._job) != self._job:
                raise ConfigurationError(
                    f"{self.folder} holds the parts of job {former['job']}",
                    "Give each job a folder of its own under output.to.",
                )
            self._remove([name + PARTIAL for name in _names(former)])
            yield
        finally:
            lock.release()

    def clear(self, keep: Collection[str]) -> list[str]:
        """Remove the parts that the former run's manifest plans, except the ones to `keep`; return their names.

        A part that no manifest lists any more could be taken for one to print. Nothing else is touched.
        """
        return self._remove([name for name in _names(self._former()) if name not in keep])

    def put_json(self, name: str, content: dict[str, Any]) -> Path:
        """Write a JSON file: whole or not at all."""
        return write_text(self.folder / name, json.dumps(content, indent=1, ensure_ascii=False))

    def check_space(self, what: str, need_bytes: int) -> None:
        """Raise BudgetError if the disk has less room than `what` will need."""
        free = free_disk_bytes(self.folder)
        if free < need_bytes:
            raise BudgetError(
                f"disk: {what} needs about {need_bytes:,} bytes; {free:,} are free at {self.folder}",
                "Free some space and run again. What was finished before is kept.",
            )

    def _former(self) -> dict[str, Any]:
        """Return the manifest that lies in the folder; an empty one if there is none of ours."""
        try:
            content = json.loads(self.manifest.read_bytes())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _remove(self, names: Iterable[str]) -> list[str]:
        with storing(self.folder):
            there = [name for name in names if (self.folder / name).is_file()]
            for name in there:
                (self.folder / name).unlink(missing_ok=True)
        return there


def _names(manifest: dict[str, Any]) -> list[str]:
    """Return the files of the parts that a manifest plans: plain names, whatever stands there."""
    planned = manifest.get("planned")
    return [name for name in planned if Path(str(name)).name == name] if isinstance(planned, list) else []


def write_text(path: Path, text: str) -> Path:
    """Write a text file: whole or not at all; return it."""
    return write_bytes(path, text.encode("utf-8", "surrogateescape"))


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file: whole or not at all; return it. Its folder is made if it is missing."""
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_atomically(path, lambda file: file.write(content)).path


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
