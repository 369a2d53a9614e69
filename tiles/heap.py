"""The C library's heap: how much of what was freed it keeps from the system. Does nothing where it cannot be told."""

import ctypes

_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3  # malloc.h


def trim_heap() -> None:
    """Return free heap pages to the system (glibc's malloc_trim)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def limit_arenas(count: int) -> None:
    """Let malloc keep at most `count` arenas, each of which holds on to what its threads freed (mallopt(3))."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, count)


def return_large_blocks(least_bytes: int) -> None:
    """Have malloc give every block of so many bytes back to the system when it is freed (mallopt(3))."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, least_bytes)
