"""Where artwork is found: below a root, which may be on a server, and at the URLs that order lines may name.

What is fetched is kept in the tile store; when a server says that it has not changed, it is not fetched again.
Names come from customers: nothing outside the root is read, and no URL that the pipeline file does not let in.
"""

import hashlib
import os
import stat
import unicodedata
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from threading import Lock

from config.designs import Sources
from config.errors import ArtworkError, ConfigurationError, StorageError, TransientError, UnavailableError
from config.units import parse_bytes
from pipeline.daemons import settle
from pipeline.delivery import storing
from pipeline.servers import Servers
from pipeline.storage.address import SCHEMES, Address, is_url, parse_address, split_page
from pipeline.storage.contracts import Version
from tiles.design import Limits
from tiles.store import Original, TileStore, hash_file

FETCH_THREADS = 8  # they wait for servers, most of the time
FETCH_BYTES = 3_000_000  # what a download holds: a connection, and what was read last


class Library:
    """The artwork of one job; used from several threads. `spared` counts files that were found unchanged."""

    def __init__(
        self, designs: Sources, folder: Path, servers: Servers, store: TileStore, key: str = "designs.root"
    ) -> None:
        """Look names up as `designs` says; a relative root counts from `folder`. `key` is what messages call the root.

        Raises ConfigurationError if `designs` names a URL that is none.
        """
        self._key = key
        self._designs, self._servers, self._store = designs, servers, store
        self._max_bytes = parse_bytes(designs.max_bytes)
        self.root = parse_address(designs.root) if is_url(designs.root) else folder / designs.root
        self._allowed = tuple(_allowed(text) for text in designs.urls)
        self.fetched = 0
        self.spared = 0
        self._lock = Lock()
        self._fetches: dict[str, Future[Path]] = {}

    @property
    def limits(self) -> Limits:
        """What the files found here may ask for."""
        return Limits(self._designs.max_pixels, self._max_bytes, self._designs.accepts_svg)

    @property
    def root_name(self) -> str:
        """The root as it may be read by anyone."""
        return str(self.root if isinstance(self.root, Address) else self.root.absolute())

    def check(self) -> None:
        """Raise ConfigurationError if the root is a folder of this machine, and there is none."""
        if isinstance(self.root, Path) and not self.root.is_dir():
            raise ConfigurationError(f"{self.root}: no such folder", f"Check {self._key} in the pipeline file.")

    def is_remote(self, reference: str) -> bool:
        """Tell whether a design has to be fetched."""
        return is_url(reference) or isinstance(self.root, Address)

    def locate(self, reference: str) -> Path:
        """Return a file of this machine with the design's bytes, fetched if need be.

        Of a page of a PDF, that is the PDF. Raises ArtworkError if there is none; StorageError if the shop's own
        storage is out of reach.
        """
        reference, _ = split_page(reference)
        if is_url(reference):
            return self._fetch(self._let_in(reference))
        if isinstance(self.root, Path):
            return resolve(reference, self.root, self._key)
        try:
            return self._fetch(self.root.below(reference))
        except ValueError:
            raise ArtworkError(f"outside {self._key}: {reference}") from None

    def _let_in(self, reference: str) -> Address:
        try:
            address = parse_address(reference)
        except ConfigurationError as error:
            raise ArtworkError(error.message) from None
        inside = isinstance(self.root, Address) and self.root.contains(address)
        if not inside and not any(_covers(allowed, address) for allowed in self._allowed):
            raise ArtworkError(f"{address} is not below {self._key}, nor among designs.urls")
        return address

    def _fetch(self, address: Address) -> Path:
        """Fetch a file, once: whoever asks for it too, as for other pages of a PDF, is given what came of that."""
        key = hashlib.sha256(address.url.encode("utf-8", "surrogateescape")).hexdigest()
        with self._lock:
            is_first = key not in self._fetches
            fetch = self._fetches.setdefault(key, Future())
        if is_first:
            settle(fetch, lambda: self._fetched(address, key))
        with storing(self._store.root):
            return fetch.result()

    def _fetched(self, address: Address, key: str) -> Path:
        known = self._store.find_original(key)
        version = Version(**known.said) if known else None
        source = self._servers.source(address.scheme, self._designs.private_hosts)
        target = self._store.scratch(f"{key}.original")
        try:
            told = version if version and version.tells else None
            found = self._servers.steadily(lambda: source.fetch(address, target, self._max_bytes, told))
            if found is None:
                if known is None:
                    raise StorageError(f"{address}: the server says it has not changed; it was never fetched")
                self.spared += 1
                return known.path
            self.fetched += 1
            return self._store.put_original(key, Original(target, hash_file(target), asdict(found)))
        except TransientError as error:
            if address.scheme in {"http", "https"} and not self._is_own(address):
                raise UnavailableError(f"{error.message}; it may be there when the job is run again") from None
            raise
        finally:
            target.unlink(missing_ok=True)

    def _is_own(self, address: Address) -> bool:
        return isinstance(self.root, Address) and self.root.origin == address.origin


def resolve(name: str, root: Path, key: str = "designs.root") -> Path:
    """Return the file that `name` leads to below `root`; raise ArtworkError if none does.

    Composed and decomposed Unicode spellings of a name are the same name. A link may lead anywhere below the root.
    """
    if any(ord(char) < 32 for char in name):  # noqa: PLR2004 - ASCII control characters
        raise ArtworkError("the design's name has control characters")
    root = Path(os.path.normpath(root))
    if not Path(os.path.normpath(root / name)).is_relative_to(root):
        raise ArtworkError(f"outside {key}: {name}")
    for spelling in dict.fromkeys((name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name))):
        path = root / spelling
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ArtworkError(f"cannot be read: {error.strerror}: {name[:80]}") from None
        if not path.resolve().is_relative_to(root.resolve()):
            raise ArtworkError(f"outside {key}: {name} is a link that leads out of it")
        if not stat.S_ISREG(status.st_mode):
            raise ArtworkError(f"no regular file: {name}")
        return path
    raise ArtworkError(f"not found: {name}")


def _allowed(text: str) -> Address | str:
    """Return what `designs.urls` lets in: a whole scheme, or what lies below an address."""
    scheme, _, rest = text.partition("://")
    if not rest and scheme in SCHEMES and text.endswith("://"):
        return scheme
    try:
        return parse_address(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"designs.urls: {error.message}", "Write https://, or s3://bucket/folder.") from None


def _covers(allowed: Address | str, address: Address) -> bool:
    return address.scheme == allowed if isinstance(allowed, str) else allowed.contains(address)
