"""Deflate in pieces, by the best library that is installed.

Pieces are compressed apart and end in Z_FULL_FLUSH, so that they concatenate into one valid stream whatever the number
of threads; the Adler-32 of the whole is combined from theirs. The same pieces give the same bytes, at any time and on
any machine with the same library on the same kind of processor; another library gives other bytes, which say the same.

ISA-L alone needs help with that. Where it begins a stream (`write_first_byte` in igzip_icf_body_h1_gr_bt.asm, up to
version 2.32.1 at least), it takes a register that still holds the address of its own state for the bytes it is to
hash: a piece has other matches than usual at one address in 8192, by where memory happened to be free. Up to 16 bytes
and a flush take another way, on which no such thing is done, and what follows goes on from there. So the first few
bytes go ahead: that costs some 20 bytes a piece, and no time. All x86-64 processors with SSE 4.2 give the same bytes
then; other kinds of processor have code of their own.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Protocol

ZLIB_HEADER = b"\x78\x01"  # RFC 1950: deflate, 32 KiB window, fastest
DEFLATE_END = b"\x03\x00"  # an empty final block (RFC 1951, 3.2.6)
_ADLER_BASE = 65521  # RFC 1950, 8.2
_WITH_HEADER = 15  # bits of the window
_RAW = -15  # the same, and neither header nor check sum


class _Packer(Protocol):
    def compress(self, data: bytes | memoryview, /) -> bytes: ...

    def flush(self, mode: int, /) -> bytes: ...


class Library(Protocol):
    """What `zlib` offers, and the other libraries alike."""

    DEFLATED: int
    Z_SYNC_FLUSH: int
    Z_FULL_FLUSH: int
    Z_FINISH: int

    def compressobj(self, level: int, method: int, wbits: int, /) -> _Packer:
        """Begin a stream."""

    def adler32(self, data: bytes | memoryview, /) -> int:
        """Return the check sum that ends a zlib stream."""

    def crc32(self, data: bytes | memoryview, value: int = 0, /) -> int:
        """Carry the check sum of a PNG chunk on."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A package that may be installed: its name, the module in it that is a Library, and the level for artwork.

    So many bytes as `ahead` are flushed before the rest, for the reason that stands above.
    """

    name: str
    module: str
    level: int
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class Deflated:
    """A compressed piece: raw deflate that others may follow, the Adler-32 and the length of what it holds."""

    data: bytes
    adler: int
    length: int


@dataclass(frozen=True, slots=True)
class Deflater:
    """A library at a level of its own scale. It holds no state: threads share it, and work at once."""

    name: str
    level: int
    library: Library
    ahead: int = 0

    def piece(self, data: bytes | memoryview) -> Deflated:
        """Compress one piece of a longer stream."""
        packed = self._packed(data, _RAW, self.library.Z_FULL_FLUSH)
        return Deflated(packed, self.library.adler32(data), len(data))

    def whole(self, data: bytes | memoryview) -> bytes:
        """Compress data into a zlib stream of its own (RFC 1950)."""
        return self._packed(data, _WITH_HEADER, self.library.Z_FINISH)

    def _packed(self, data: bytes | memoryview, bits: int, end: int) -> bytes:
        packer = self.library.compressobj(self.level, self.library.DEFLATED, bits)
        if not 0 < self.ahead < len(data):
            return packer.compress(data) + packer.flush(end)
        first, rest = memoryview(data)[: self.ahead], memoryview(data)[self.ahead :]
        begun = packer.compress(first) + packer.flush(self.library.Z_SYNC_FLUSH)
        return b"".join((begun, packer.compress(rest), packer.flush(end)))


# The best first. Each level is the one after which more time buys little: of 205 MB of sheet, filtered, two in three
# artworks flat and the others grainy, one thread made with
#   isal 1    18.5 MB in 0.13 s; 2 does the same, 3 makes 19.0 in 0.30
#   zlib-ng 2 18.5 MB in 0.38 s; 1 makes 27.9 in 0.24, 3 makes 17.6 in 0.44
#   zlib 1    19.3 MB in 0.75 s; 3 makes 18.7 in 0.98, 6 makes 16.8 in 2.8
CANDIDATES = (
    Candidate("isal", "isal.isal_zlib", 1, ahead=8),
    Candidate("zlib-ng", "zlib_ng.zlib_ng", 2),
    Candidate("zlib", "zlib", 1),
)


def choose_deflater(
    candidates: Iterable[Candidate] = CANDIDATES, load: Callable[[str], Any] = import_module
) -> Deflater:
    """Return the first candidate that `load`, given its module's name, does not raise ImportError for."""
    for candidate in candidates:
        with suppress(ImportError):
            return Deflater(candidate.name, candidate.level, load(candidate.module), candidate.ahead)
    raise ImportError("no library that deflates can be imported")


@cache
def best_deflater() -> Deflater:
    """Return the best that is installed; looked for once, when first asked."""
    return choose_deflater()


def combine_adler(first: int, second: int, second_length: int) -> int:
    """Return the Adler-32 of two pieces in a row from theirs: the sums of RFC 1950 §8.2, carried on."""
    a1, b1 = first & 0xFFFF, first >> 16
    a2, b2 = second & 0xFFFF, second >> 16
    a = (a1 + a2 - 1) % _ADLER_BASE
    b = (b1 + b2 + second_length * (a1 - 1)) % _ADLER_BASE
    return b << 16 | a
