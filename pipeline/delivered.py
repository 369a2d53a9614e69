"""A finished run's files, read back from where they were delivered to: a folder of this machine, or one on a server."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from config.errors import ArtworkError, ConfigurationError
from pipeline.delivery import MANIFEST, MAX_MANIFEST_BYTES
from pipeline.manifest import NAME_ONE
from pipeline.servers import Servers
from pipeline.storage.address import is_url, parse_address
from pipeline.storage.contracts import Shelf

MAX_PART_BYTES = 2**40


class Delivered(Protocol):
    """A run's files, where they lie."""

    @property
    def name(self) -> str:
        """The manifest's path or URL, for messages."""

    @property
    def manifest(self) -> Path:
        """The manifest, as a file of this machine."""

    def opened(self, file: str) -> AbstractContextManager[Path | None]:
        """Have a part as a file of this machine for the length of a block; None if it is not there."""


@contextmanager
def open_delivered(manifest: str, servers: Servers, scratch: Path) -> Iterator[Delivered]:
    """Yield the files beside the manifest at a path or URL; what is on a server is brought to the folder `scratch`.

    Raises ConfigurationError if there is no such manifest on the server, StorageError if that is out of reach.
    """
    if not is_url(manifest):
        yield _InFolder(manifest, Path(manifest))
        return
    address, target = parse_address(manifest), scratch / MANIFEST
    with closing(servers.shelf(address.parent)) as shelf:
        try:
            servers.steadily(lambda: shelf.get(address.name, target, MAX_MANIFEST_BYTES))
        except ArtworkError as error:
            raise ConfigurationError(error.message, NAME_ONE) from None
        yield _OnShelf(str(address), target, shelf, servers)


@dataclass(frozen=True, slots=True)
class _InFolder:
    name: str
    manifest: Path

    @contextmanager
    def opened(self, file: str) -> Iterator[Path | None]:
        path = self.manifest.parent / file
        yield path if path.is_file() else None


@dataclass(frozen=True, slots=True)
class _OnShelf:
    """Files on a server: one part at a time is brought here, and removed again."""

    name: str
    manifest: Path
    shelf: Shelf
    servers: Servers

    @contextmanager
    def opened(self, file: str) -> Iterator[Path | None]:
        target = self.manifest.parent / f"part-{file}"
        try:
            yield target if self._bring(file, target) else None
        finally:
            target.unlink(missing_ok=True)

    def _bring(self, file: str, target: Path) -> bool:
        try:
            self.servers.steadily(lambda: self.shelf.get(file, target, MAX_PART_BYTES))
        except ArtworkError:
            return False
        return True
