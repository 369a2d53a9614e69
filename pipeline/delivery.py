"""Where parts go: a folder of this machine, or one on a server; the one place outside the work folder a run writes to.

It holds one run of one job: its parts and the manifest that lists them. A new run takes the place of the last.

A part is rendered where it belongs if that is on this machine. If not, it is rendered in the work folder, delivered
from there, and removed. The manifest goes last: where it lies, everything it lists lies too.
"""

import errno
import hashlib
import itertools
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from filelock import FileLock, Timeout

from config.errors import ArtworkError, BudgetError, ConfigurationError, LockError, StorageError
from pipeline.machine import free_disk_bytes
from pipeline.storage.address import Address, is_url, parse_address
from pipeline.storage.contracts import Shelf
from tiles.sinks.sink import PARTIAL, AtomicFile, SheetFile, write_atomically
from tiles.store import hash_file

if TYPE_CHECKING:
    from pipeline.context import Context

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 512_000_000  # 500,000 copies at about 300 bytes, and as much again
LOCK = ".tilepress.lock"
SECTIONS = b' "sections": [\n'  # the line of a manifest behind which each line is an entry
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

Result = TypeVar("Result")


class Steadily(Protocol):
    """Calls what it is given, again after a pause if it fails for a reason that may pass."""

    def __call__(self, work: Callable[[], Result]) -> Result:
        """Return what `work()` returns."""


class Outbox(Protocol):
    """The place of one run's parts, for one job. `folder` is where they are rendered."""

    folder: Path

    def locate(self, file: str) -> str:
        """Return where a file lies, or will: a path or a URL."""

    def former(self) -> Mapping[str, Any]:
        """Return the manifest that lies there, or was to, but for entries of its own lines; {} if there is none."""

    def entries(self) -> Iterator[Any]:
        """Yield the entries that stand on lines of their own in that manifest, one after the other: see SECTIONS."""

    def is_free(self, run: str, files: Collection[str]) -> bool:
        """Tell whether nothing lies there that is not of this run: no manifest of another one, none of these files."""

    def begin(self, planned: Collection[str], keep: Collection[str]) -> list[str]:
        """Make the place ready for a run that plans these files: the former run's are removed, but those to `keep`.

        Return the names of what was removed. A part that no manifest lists could be taken for one to print.
        """

    def find(self, file: str, size: int, sha256: str) -> SheetFile | None:
        """Return a part that was rendered before, if it is still at hand, bit by bit."""

    def holds(self, file: str, size: int, sha256: str) -> bool:
        """Tell whether a part lies at its place, whole."""

    def keeps(self, file: str, size: int, sha256: str) -> bool:
        """Tell whether a delivered file seems to be there: by its bytes on this machine, by its size on a server."""

    def lies(self, file: str) -> bool:
        """Tell whether anything lies at its place under this name."""

    def replace(self, sheet: SheetFile) -> None:
        """Deliver a file in the place of what a former run has left there under its name."""

    def deliver(self, sheet: SheetFile) -> None:
        """Bring a rendered part to its place; it appears there whole or not at all."""

    def note(self, manifest: Iterable[str]) -> None:
        """Write the manifest of a run at work, for this machine; it comes in pieces of text, so that it may be long."""

    def publish(self, manifest: Iterable[str]) -> None:
        """Write the manifest of a run that is over, to where its parts are."""


class FolderOutbox:
    """A folder on this machine's disks."""

    def __init__(self, folder: Path, manifest: str = MANIFEST) -> None:
        """Name the folder, and its manifest; see `opened_folder`."""
        self.folder, self.manifest = folder, manifest

    def locate(self, file: str) -> str:
        """Return the file's path."""
        return str(self.folder / file)

    def former(self) -> Mapping[str, Any]:
        """Return the manifest in the folder."""
        return _read_json(self.folder / self.manifest)

    def entries(self) -> Iterator[Any]:
        """Yield the entries of the manifest in the folder."""
        yield from _read_entries(self.folder / self.manifest)

    def is_free(self, run: str, files: Collection[str]) -> bool:
        """Tell whether the folder is this run's, or holds neither a manifest nor any of the files."""
        owner = self.former().get("run")
        return owner == run or (owner is None and not any((self.folder / file).exists() for file in files))

    def begin(self, planned: Collection[str], keep: Collection[str]) -> list[str]:  # noqa: ARG002 - of the contract
        """Remove the parts that the former run's manifest plans. Nothing else is touched."""
        return self.remove([name for name in planned_files(self.former()) if name not in keep])

    def find(self, file: str, size: int, sha256: str) -> SheetFile | None:
        """Return the part in the folder, if its bytes are those."""
        path = self.folder / file
        with suppress(OSError):
            if path.stat().st_size == size and hash_file(path) == sha256:
                return SheetFile(path, size, sha256)
        return None

    def holds(self, file: str, size: int, sha256: str) -> bool:
        """Tell whether the part is in the folder."""
        return self.find(file, size, sha256) is not None

    def keeps(self, file: str, size: int, sha256: str) -> bool:
        """Tell whether the file is in the folder."""
        return self.holds(file, size, sha256)

    def lies(self, file: str) -> bool:
        """Tell whether there is such a name in the folder."""
        return os.path.lexists(self.folder / file)

    def replace(self, sheet: SheetFile) -> None:
        """Do nothing: it was renamed over what was there."""

    def deliver(self, sheet: SheetFile) -> None:
        """Do nothing: it was rendered where it belongs."""

    def note(self, manifest: Iterable[str]) -> None:
        """Write the manifest beside the parts."""
        write_pieces(self.folder / self.manifest, manifest)

    def publish(self, manifest: Iterable[str]) -> None:
        """Write the manifest beside the parts."""
        self.note(manifest)

    def remove(self, names: Iterable[str]) -> list[str]:
        """Remove files; return the names of those that were there."""
        with storing(self.folder):
            there = [name for name in names if (self.folder / name).is_file()]
            for name in there:
                (self.folder / name).unlink(missing_ok=True)
        return there


class ShelfOutbox:
    """A folder on a server; what is on its way there stops over in a folder of this machine."""

    def __init__(
        self, address: Address, shelf: Shelf, stopover: FolderOutbox, steadily: Steadily, scratch: Path
    ) -> None:
        """Deliver to `shelf`, which is the folder at `address`; `scratch` is a temporary file's name."""
        self.folder, self._manifest = stopover.folder, stopover.manifest
        self._address, self._shelf, self._stopover, self._steadily = address, shelf, stopover, steadily
        self._scratch = scratch

    def locate(self, file: str) -> str:
        """Return the file's URL."""
        return str(self._address.below(file))

    def former(self) -> Mapping[str, Any]:
        """Return the manifest of the last run that this machine knows of, else the server's."""
        return self._stopover.former() or self._delivered_manifest()

    def entries(self) -> Iterator[Any]:
        """Yield the entries of the last run that this machine knows of, else the server's."""
        if self._stopover.former():
            yield from self._stopover.entries()
            return
        with self._delivered() as manifest:
            yield from _read_entries(manifest)

    def is_free(self, run: str, files: Collection[str]) -> bool:
        """Tell whether the server's folder is this run's, or holds neither a manifest nor any of the files."""
        owner = self.former().get("run")
        there = (self._steadily(partial(self._shelf.find, file)) for file in files)
        return owner == run or (owner is None and all(version is None for version in there))

    def begin(self, planned: Collection[str], keep: Collection[str]) -> list[str]:
        """Remove what is left of earlier runs on the server: first the manifest, so that it never lists what is not."""
        former = {*planned_files(self._stopover.former()), *planned_files(self._delivered_manifest())}
        self._steadily(lambda: self._shelf.sweep((*sorted({*planned, *former}), self._manifest)))
        self._steadily(lambda: self._shelf.remove(self._manifest))
        removed = []
        for name in sorted(former - set(keep)):
            if self._steadily(partial(self._shelf.find, name)) is not None:
                self._steadily(partial(self._shelf.remove, name))
                removed.append(name)
        self._stopover.remove(former - set(keep))
        return removed

    def find(self, file: str, size: int, sha256: str) -> SheetFile | None:
        """Return the part if it stops over on this machine."""
        return self._stopover.find(file, size, sha256)

    def holds(self, file: str, size: int, sha256: str) -> bool:
        """Tell whether the part is on the server; its bytes are read back."""
        there = self._steadily(lambda: self._shelf.find(file))
        return there is not None and there.bytes == size and self._steadily(lambda: self._shelf.hash(file)) == sha256

    def keeps(self, file: str, size: int, sha256: str) -> bool:  # noqa: ARG002 - of the contract
        """Tell whether a file of this name and size is there; its bytes were read back when it was delivered."""
        there = self._steadily(lambda: self._shelf.find(file))
        return there is not None and there.bytes == size

    def lies(self, file: str) -> bool:
        """Tell whether there is such a file on the server."""
        return self._steadily(lambda: self._shelf.find(file)) is not None

    def replace(self, sheet: SheetFile) -> None:
        """Remove what a former run has left on the server, then upload the new one: a shelf never overwrites."""
        if self._steadily(lambda: self._shelf.hash(sheet.path.name)) not in {None, sheet.sha256}:
            self._steadily(lambda: self._shelf.remove(sheet.path.name))
        self.deliver(sheet)

    def deliver(self, sheet: SheetFile) -> None:
        """Upload the part under its name; what stopped over is removed."""
        self._steadily(lambda: self._shelf.put(sheet.path, sheet.path.name, sheet.sha256))
        self._stopover.remove([sheet.path.name])

    def note(self, manifest: Iterable[str]) -> None:
        """Write the manifest where parts stop over."""
        self._stopover.note(manifest)

    def publish(self, manifest: Iterable[str]) -> None:
        """Write the manifest, and upload it; one that is there already is of this very run, and replaced."""
        self.note(manifest)
        path = self.folder / self._manifest
        self._steadily(lambda: self._shelf.remove(self._manifest))
        self._steadily(lambda: self._shelf.put(path, self._manifest, hash_file(path)))

    def _delivered_manifest(self) -> Mapping[str, Any]:
        with self._delivered() as manifest:
            return _read_json(manifest)

    @contextmanager
    def _delivered(self) -> Iterator[Path]:
        """Bring the server's manifest here for the length of the block; nothing is there if there is none."""
        try:
            with storing(self._scratch), suppress(ArtworkError):  # there is none
                self._steadily(lambda: self._shelf.get(self._manifest, self._scratch, MAX_MANIFEST_BYTES))
            yield self._scratch
        finally:
            self._scratch.unlink(missing_ok=True)


@contextmanager
def open_outbox(
    place: str, job: str, context: "Context", kind: str = "gangsheet", manifest: str = MANIFEST
) -> Iterator[Outbox]:
    """Open the place of a job's parts, a path or a URL, for this process alone as far as this machine goes.

    Raises LockError if another run holds it, ConfigurationError if it holds another job's parts, StorageError if it
    is out of reach.
    """
    if not is_url(place):
        with opened_folder(Path(place), manifest) as folder:
            check_owner(folder, place, job, kind)
            yield folder
        return
    stopover = context.store.root / "outgoing" / f"{job}-{hashlib.sha256(place.encode()).hexdigest()[:8]}"
    address, steadily = parse_address(place), context.servers.steadily
    with opened_folder(stopover, manifest) as folder, closing(context.servers.shelf(address)) as shelf:
        outbox = ShelfOutbox(address, shelf, folder, steadily, context.store.scratch(manifest))
        check_owner(outbox, place, job, kind)
        yield outbox


@contextmanager
def opened_folder(folder: Path, manifest: str = MANIFEST) -> Iterator[FolderOutbox]:
    """Make a folder and hold it for this process, without what a killed run left half-written.

    Raises LockError if another run holds it; a dead run's lock does not count.
    """
    lock = FileLock(folder / LOCK)
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise LockError(f"another run writes to {folder}", "Wait until it has ended.") from None
    try:
        box = FolderOutbox(folder, manifest)
        box.remove([name + PARTIAL for name in planned_files(box.former())])
        yield box
    finally:
        lock.release()


def check_owner(outbox: Outbox, place: str, job: str, kind: str = "gangsheet") -> None:
    """Raise ConfigurationError if the place holds the run of another job: its parts may not have been printed yet."""
    former = outbox.former()
    owner = former.get("job", job)
    if owner != job or former.get("kind", kind) != kind:
        raise ConfigurationError(
            f"{place} holds the parts of job {owner}", "Give each job a folder of its own under output.to."
        )


def check_space(folder: Path, what: str, need_bytes: int) -> None:
    """Raise BudgetError if the disk has less room than `what` will need."""
    free = free_disk_bytes(folder)
    if free < need_bytes:
        raise BudgetError(
            f"disk: {what} needs about {need_bytes:,} bytes; {free:,} are free at {folder}",
            "Free some space and run again. What was finished before is kept.",
        )


def planned_files(manifest: Mapping[str, Any]) -> list[str]:
    """Return the files of the parts that a manifest plans: plain names, whatever stands there."""
    planned = manifest.get("planned")
    return [name for name in planned if Path(str(name)).name == name] if isinstance(planned, list) else []


def _read_json(path: Path) -> dict[str, Any]:
    """Return a manifest, but for the entries that stand on lines of their own: there may be many. {} if it is none."""
    try:
        with path.open("rb") as file:
            head = b"".join(itertools.takewhile(lambda line: line != SECTIONS, file))
            cut = file.tell() < path.stat().st_size or head.endswith(b",\n")
        content = json.loads(head.rstrip().removesuffix(b",") + b"}" if cut else head)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _read_entries(path: Path) -> Iterator[Any]:
    """Yield the entries of a manifest that stand on lines of their own, as far as they can be read."""
    with suppress(OSError), path.open("rb") as file:
        for line in itertools.dropwhile(lambda line: line != SECTIONS, file):
            with suppress(ValueError):
                yield json.loads(line.strip().removesuffix(b","))


def as_text(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a manifest as text, in one piece."""
    return (json.dumps(manifest, indent=1, ensure_ascii=False),)


def write_text(path: Path, text: str) -> Path:
    """Write a text file: whole or not at all; return it."""
    return write_pieces(path, (text,)).path


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file: whole or not at all; return it. Its folder is made if it is missing."""
    return _write(path, (content,)).path


def write_pieces(path: Path, pieces: Iterable[str]) -> SheetFile:
    """Write a text file from its pieces, which are not held together: whole or not at all; return it."""
    return _write(path, (piece.encode("utf-8", "surrogateescape") for piece in pieces))


def _write(path: Path, pieces: Iterable[bytes]) -> SheetFile:
    def fill(file: AtomicFile) -> None:
        for piece in pieces:
            file.write(piece)

    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_atomically(path, fill)


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
