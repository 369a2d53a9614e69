"""Has the kernel forget files, so that whoever reads them next pays for it: in time, and in a cage in memory."""

import os
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path


def forget(paths: Iterable[Path]) -> None:
    """Drop the pages of files, and of all files below folders; those that some process has mapped stay."""
    os.sync()  # pages not yet written cannot be dropped
    for file in _files(paths):
        with suppress(OSError):
            handle = os.open(file, os.O_RDONLY)
            try:
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(handle)


@cache
def libraries() -> tuple[Path, ...]:
    """Return the shared libraries of the installed packages: in a fresh container, they are read anew too."""
    return tuple(Path(sysconfig.get_path("platlib")).rglob("*.so*"))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (file for file in path.rglob("*") if file.is_file())
        else:
            yield path
