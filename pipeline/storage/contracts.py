"""The two contracts of storage: a source is read from, a shelf is delivered to. And the values both speak in.

Every failure is one of the project's errors: TransientError where trying again in a moment may do (a connection that
broke, a server that is busy), StorageError where it will not (refused, unknown host key, wrong credentials), and
ArtworkError where one file alone is at fault (not there, forbidden, too long, cut short). None holds a secret.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pipeline.storage.address import Address


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds: for a connection, for the next bytes, and for a whole file."""

    connect_s: float = 10.0
    read_s: float = 30.0
    total_s: float = 900.0


@dataclass(frozen=True, slots=True)
class Version:
    """What a server says that tells one content of a file from the next. `etag` and `modified` as they were sent."""

    bytes: int
    etag: str = ""
    modified: str = ""

    @property
    def tells(self) -> bool:
        """Whether a change of content would show."""
        return bool(self.etag or self.modified)


@dataclass(frozen=True, slots=True)
class SftpAccess:
    """How SFTP servers are known, and how this machine is known to them."""

    known_hosts: Path | None = None  # None: ~/.ssh/known_hosts
    host_keys: tuple[str, ...] = ()  # lines of a known_hosts file, besides
    user: str = ""  # where the URL names none
    key_file: Path | None = None
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class S3Access:
    """Where S3 is, if not at AWS; credentials come from the environment, as everywhere with S3."""

    endpoint: str = ""
    region: str = ""


class Source(Protocol):
    """Where artwork is fetched from. Safe to use from several threads."""

    def fetch(self, address: Address, target: Path, max_bytes: int, known: Version | None) -> Version | None:
        """Stream a file to `target` and return its version; None if it is still the `known` one.

        At most `max_bytes` are taken, and as many as were promised. What is left at `target` after an error is the
        caller's to remove.
        """

    def close(self) -> None:
        """Let go of connections."""


class Shelf(Protocol):
    """A folder to which finished files are delivered. Names have no "/" in them. Used from one thread."""

    def find(self, name: str) -> Version | None:
        """Return what lies under the name, None if nothing does."""

    def put(self, source: Path, name: str, sha256: str) -> None:
        """Deliver a file: under a temporary name, read back and held against `sha256`, then under its own.

        A file of this content that is there already is left as it is. Any other of this name is never overwritten:
        StorageError. What an error leaves under a temporary name is removed, if the server can be reached.
        """

    def get(self, name: str, target: Path, max_bytes: int) -> None:
        """Stream a delivered file to `target`; ArtworkError if it is not there."""

    def hash(self, name: str) -> str | None:
        """Return the SHA-256 of what lies under the name, by reading it; None if nothing does."""

    def remove(self, name: str) -> None:
        """Remove a file; harmless if it is not there."""

    def sweep(self, names: tuple[str, ...]) -> None:
        """Remove what killed deliveries of these names left under temporary names, or half-uploaded."""

    def close(self) -> None:
        """Let go of connections."""
