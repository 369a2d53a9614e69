"""A bitmap as high as a page of which only some rows are there: pdfium draws in whole-page coordinates into a band.

Address space costs nothing until it may be written: a mapping nobody may touch counts neither as memory nor towards
RLIMIT_DATA. A write beside the rows that are there ends the process, where it could have been anybody's memory. The
system calls are those of Linux and macOS; `Bin`, for pages with form fields, wants Linux.
"""

import ctypes
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tiles.geometry import spans

Bytes = NDArray[np.uint8]

_PROT_NONE, _MAP_FIXED, _MAP_FAILED = 0, 0x10, ctypes.c_void_p(-1).value
_NOBODYS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
_BIN_BYTES = 1 << 20  # a smaller one takes more mappings, of which a process has 65 530

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (
    ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long
)  # fmt: skip
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)


class Window:
    """Room for `rows` rows of `pitch` bytes each, at `address`; none of them is there at first."""

    def __init__(self, rows: int, pitch: int) -> None:
        """Reserve the addresses."""
        self.rows, self.pitch = rows, pitch
        self._length = _whole_pages(rows * pitch)
        self.address = _map(None, self._length, _PROT_NONE, _NOBODYS)

    @contextmanager
    def present(self, first: int, count: int) -> Iterator[Bytes]:
        """Have `count` rows there for the length of the block, all zeros at first; yield them as `count` × pitch bytes.

        Raises MemoryError if they are not to be had.
        """
        start = first * self.pitch // mmap.PAGESIZE * mmap.PAGESIZE
        length = min(_whole_pages((first + count) * self.pitch), self._length) - start
        _map(self.address + start, length, mmap.PROT_READ | mmap.PROT_WRITE, _NOBODYS | _MAP_FIXED)
        try:
            memory = (ctypes.c_uint8 * (count * self.pitch)).from_address(self.address + first * self.pitch)
            yield np.ctypeslib.as_array(memory).reshape(count, self.pitch)
        finally:
            self._take_back(start, length)

    def close(self) -> None:
        """Give the addresses back."""
        _libc.munmap(self.address, self._length)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _take_back(self, start: int, length: int) -> None:
        """Have nothing there any more."""
        _map(self.address + start, length, _PROT_NONE, _NOBODYS | _MAP_FIXED)


class Bin(Window):
    """A window whose missing rows may be written nevertheless: they all share a little memory, and are never read.

    It is for what pdfium does not clip: form fields.
    """

    def __init__(self, rows: int, pitch: int) -> None:
        """Lay the same memory everywhere."""
        super().__init__(rows, pitch)
        self._file = os.memfd_create("bin")
        os.truncate(self._file, _BIN_BYTES)
        self._take_back(0, self._length)

    def close(self) -> None:
        """Give addresses and memory back."""
        super().close()
        os.close(self._file)

    def _take_back(self, start: int, length: int) -> None:
        for offset, count in spans(length, _BIN_BYTES):
            everywhere = mmap.MAP_SHARED | _MAP_FIXED
            _map(self.address + start + offset, count, mmap.PROT_READ | mmap.PROT_WRITE, everywhere, self._file)


def _whole_pages(count: int) -> int:
    return -(-count // mmap.PAGESIZE) * mmap.PAGESIZE


def _map(address: int | None, length: int, access: int, flags: int, file: int = -1) -> int:
    """Map memory, in place of what is mapped at `address` if one is given (mmap(2)); return where."""
    where: int | None = _libc.mmap(address, length, access, flags, file, 0)
    if where is None or where == _MAP_FAILED:
        raise MemoryError(f"{length:,} bytes cannot be mapped: {os.strerror(ctypes.get_errno())}")
    return where
