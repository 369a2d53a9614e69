"""The tile store: prepared designs on disk, under a key made of content hash and geometry, that outlive the run.

Safe for several processes: an entry is looked for, locked, looked for again, built aside and renamed into place.
Nothing under a final name is ever partial. The least recently used entries go first when it is pruned.

Every entry is sealed with a checksum of its pixels, which is checked when it is found: what a power cut, a bad disk or
anybody has made of it is never printed, and nothing need be waited for until it is on the disk.
"""

import fcntl
import hashlib
import json
import os
import secrets
import struct
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from io import BufferedRandom, BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from config.errors import LockError
from tiles.design import BYTES_PER_PX, Design, Geometry, Header, PreparedDesign
from tiles.geometry import Rect

if TYPE_CHECKING:
    from tiles.resample import Rgba

_V_HEADER = struct.Struct("<4s7I2f24x")  # of libvips' own format: iofuncs/vips.c; the pixels follow, row by row
_V_MAGIC = b"\xb6\xa6\xf2\x08"  # little-endian
_V_UCHAR, _V_UNCODED, _V_SRGB = 0, 0, 22  # libvips' numbers for format, coding and interpretation
V_HEADER_BYTES = _V_HEADER.size
_SEAL = struct.Struct("<I")  # the CRC-32 of the pixels, in the header's last bytes, which libvips leaves alone
_CHUNK_BYTES = 1 << 18  # of a file read at once
IN_USE_S = 6 * 3600.0  # an entry used this recently may belong to a run that is still at work
_PIPELINE = "4"  # raised when preparation changes its pixels: older entries are then never found


@dataclass(frozen=True, slots=True)
class StoreStats:
    """What the store holds."""

    designs: int
    bytes: int
    oldest_use: float | None


@dataclass(frozen=True, slots=True)
class Original:
    """Artwork that was fetched: its file, its SHA-256, and what its server said, by which a change is told."""

    path: Path
    sha256: str
    said: dict[str, Any]


class TileStore:
    """Prepared designs below one folder, and the artwork that was fetched for them.

    A path it returns stays for IN_USE_S at least, if nobody prunes with less.
    """

    def __init__(self, root: Path) -> None:
        """Name the folder; it is made when something is first put there."""
        self.root = root

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be at work in the store for the length of the block, beside any number of others.

        If nobody else is, what killed processes have left aside is removed first.
        """
        with self._lock_file() as lock:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._sweep(idle_s=0)
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield

    def clear(self) -> int:
        """Remove everything; return the bytes freed. Raises LockError if a run is at work in the store."""
        with self._lock_file() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LockError(f"a run is at work in {self.root}", "Wait until it has ended.") from None
            return self.prune(0, idle_s=0)

    def is_empty(self) -> bool:
        """Return whether nothing was ever put there."""
        return not (self.root / "designs").exists()

    def has(self, design: Design, geometry: Geometry) -> bool:
        """Return whether the prepared design seems to be there; `find` may still reject it."""
        try:
            return self._path(design, geometry).stat().st_size >= V_HEADER_BYTES + geometry.prepared_bytes
        except OSError:
            return False

    def find(self, design: Design, geometry: Geometry) -> PreparedDesign | None:
        """Return the prepared design if it is there, with the pixels it was sealed with; mark it as used."""
        path = self._path(design, geometry)
        try:
            if not self.has(design, geometry) or not _is_sealed(path, geometry.prepared_bytes):
                return None
            os.utime(path)
        except OSError:
            return None
        return PreparedDesign(path, geometry.width_px, geometry.height_px)

    def put(self, design: Design, geometry: Geometry, build: Callable[[Path], None]) -> PreparedDesign:
        """Return the prepared design, made by `build(target)` unless it is there or another process makes it now."""
        path = self._path(design, geometry)
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._aside() / f"{path.stem}.lock"):
            ready = self.find(design, geometry)
            if ready is not None:
                return ready
            aside = self.scratch(path.name)
            try:
                build(aside)
                _seal_pixels(aside, geometry.prepared_bytes)
                aside.replace(path)
            finally:
                aside.unlink(missing_ok=True)
        return PreparedDesign(path, geometry.width_px, geometry.height_px)

    def discard(self, design: Design, geometry: Geometry) -> None:
        """Remove a prepared design that this run made for itself; whoever else has it mapped keeps its pixels."""
        self._path(design, geometry).unlink(missing_ok=True)

    def find_header(self, sha256: str) -> Header | None:
        """Return the header that content with this hash was found to have."""
        noted = self._read_note(sha256, "header", {field.name for field in fields(Header)})
        return Header(**{**noted, "warnings": tuple(noted["warnings"])}) if noted else None

    def put_header(self, sha256: str, header: Header) -> None:
        """Note a header, so that the file need not be judged again."""
        self._write_note(sha256, "header", asdict(header))

    def find_box(self, sha256: str) -> Rect | None:
        """Return the trim box that content with this hash was found to have."""
        noted = self._read_note(sha256, "box", {field.name for field in fields(Rect)})
        return Rect(**noted) if noted else None

    def put_box(self, sha256: str, box: Rect) -> None:
        """Note a trim box, so that the file need not be decoded for it again."""
        self._write_note(sha256, "box", asdict(box))

    def find_original(self, key: str) -> Original | None:
        """Return the artwork fetched under this key if it is there, byte by byte; mark it as used."""
        path = self._original(key)
        noted = self._read_note(key, "original", {"sha256", "said"})
        try:
            if noted is None or hash_file(path) != noted["sha256"]:
                return None
            os.utime(self._note(key, "original"))  # not the file's own time, by which a change of it is told
        except OSError:
            return None
        return Original(path, noted["sha256"], noted["said"])

    def put_original(self, key: str, fetched: Original) -> Path:
        """Keep fetched artwork under a key; return where it lies. What is there already, and the same, stays."""
        path = self._original(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._aside() / f"{key}.lock"):
            known = self.find_original(key)
            if known is None or known.sha256 != fetched.sha256:
                fetched.path.replace(path)
            self._write_note(key, "original", {"sha256": fetched.sha256, "said": fetched.said})
        return path

    def scratch(self, name: str) -> Path:
        """Return a path for a temporary file on the store's disk; no other process is given the same."""
        return self._aside() / f"{secrets.token_hex(4)}-{name}"

    def stats(self) -> StoreStats:
        """Count what is there."""
        entries = list(self._entries())
        return StoreStats(
            designs=len(entries),
            bytes=sum(size for _, _, size in entries),
            oldest_use=min((used for used, _, _ in entries), default=None),
        )

    def prune(self, max_bytes: int, *, idle_s: float = IN_USE_S) -> int:
        """Remove the least recently used designs until at most `max_bytes` are left; return the bytes freed.

        Designs used within the last `idle_s` seconds stay, whatever the size.
        """
        entries = sorted(self._entries())
        total, freed = sum(size for _, _, size in entries), 0
        for used, path, size in entries:
            if total - freed <= max_bytes or used > time.time() - idle_s:
                break
            with suppress(FileNotFoundError):
                path.unlink()
            freed += size
        self._sweep(idle_s)
        return freed

    @contextmanager
    def _lock_file(self) -> Iterator[int]:
        """Yield the file that whoever is at work here has locked; closing it lets go, as does death (flock(2))."""
        self.root.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            yield lock
        finally:
            os.close(lock)

    def _aside(self) -> Path:
        folder = self.root / "aside"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _sweep(self, idle_s: float) -> None:
        """Remove what killed processes left aside."""
        for path in (self.root / "aside").glob("*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - idle_s:
                    path.unlink()

    def _entries(self) -> Iterator[tuple[float, Path, int]]:
        for path in (self.root / "designs").glob("*/*.v"):
            with suppress(FileNotFoundError):
                status = path.stat()
                yield status.st_mtime, path, status.st_size
        for path in (self.root / "originals").glob("*/*"):
            with suppress(FileNotFoundError):
                used = self._note(path.name, "original").stat().st_mtime
                yield used, path, path.stat().st_size

    def _path(self, design: Design, geometry: Geometry) -> Path:
        box = geometry.box
        trim = f"-{box.x}.{box.y}.{box.width}.{box.height}" if box else ""
        vector = "-svg" if design.header.is_vector else ""
        alpha = "-premultiplied" if geometry.premultiplied else ""
        name = f"{design.sha256}{vector}{trim}{alpha}-{geometry.width_px}x{geometry.height_px}-{_PIPELINE}.v"
        return self.root / "designs" / design.sha256[:2] / name

    def _original(self, key: str) -> Path:
        return self.root / "originals" / key[:2] / key

    def _note(self, sha256: str, kind: str) -> Path:
        return self.root / "notes" / sha256[:2] / f"{sha256}.{kind}-{_PIPELINE}.json"

    def _read_note(self, sha256: str, kind: str, names: set[str]) -> dict[str, Any] | None:
        """Return the fields of these names as they were noted; None if they were not, or are not what was written."""
        try:
            seal, text = self._note(sha256, kind).read_bytes().split(b"\n", 1)
        except (OSError, ValueError):
            return None
        if seal != _seal(text):
            return None
        noted: dict[str, Any] = json.loads(text)
        return noted if noted.keys() == names else None

    def _write_note(self, sha256: str, kind: str, content: dict[str, Any]) -> None:
        path = self._note(sha256, kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content).encode()
        aside = self.scratch(path.name)
        try:
            aside.write_bytes(_seal(text) + b"\n" + text)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


def write_prepared(path: Path, geometry: Geometry, chunks: "Iterable[Rgba]") -> None:
    """Write a prepared design as libvips' own format, from its rows, top to bottom."""
    with path.open("wb") as file:
        file.write(v_header(geometry.width_px, geometry.height_px, BYTES_PER_PX))
        for chunk in chunks:
            file.write(chunk.data)


def v_header(width: int, height: int, bands: int) -> bytes:
    """Return what stands in libvips' own format before 8-bit sRGB pixels."""
    return _V_HEADER.pack(_V_MAGIC, width, height, bands, 8, _V_UCHAR, _V_UNCODED, _V_SRGB, 1.0, 1.0)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp_of(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is replaced or written to."""
    status = path.stat()
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _seal_pixels(path: Path, count: int) -> None:
    """Write the checksum of the `count` bytes of pixels into a prepared design's header."""
    with path.open("r+b") as file:
        seal = _SEAL.pack(_crc_of_pixels(file, count))
        file.seek(V_HEADER_BYTES - _SEAL.size)
        file.write(seal)


def _is_sealed(path: Path, count: int) -> bool:
    """Tell whether a prepared design's pixels are those it was sealed with."""
    with path.open("rb") as file:
        file.seek(V_HEADER_BYTES - _SEAL.size)
        return file.read(_SEAL.size) == _SEAL.pack(_crc_of_pixels(file, count))


def _crc_of_pixels(file: BufferedReader | BufferedRandom, count: int) -> int:
    from tiles.sinks.deflate import best_deflater  # noqa: PLC0415 - where nothing is found, nothing is checked

    crc32, crc = best_deflater().library.crc32, 0
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    file.seek(V_HEADER_BYTES)
    while count > 0:
        read = file.readinto(buffer[: min(count, len(buffer))])
        if not read:
            break
        crc, count = crc32(buffer[:read], crc), count - read
    return crc


def _seal(text: bytes) -> bytes:
    """Return what stands before a note's text, to tell it from one cut short or changed."""
    return b"%08x" % zlib.crc32(text)
