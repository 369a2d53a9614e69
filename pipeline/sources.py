"""From design names to designs: found in the library, hashed, judged by their headers, each content once.

Nothing is decoded here. A name that cannot be used fails for itself; the reason becomes its items' rejection.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import ArtworkError
from pipeline.daemons import on_daemons
from pipeline.library import FETCH_BYTES, FETCH_THREADS, Library
from pipeline.prediction import CHILD_BYTES, SERVER_BYTES
from pipeline.storage.address import split_page
from pipeline.workplace import Workplace
from tiles.design import Design, Header, Limits
from tiles.store import hash_file, stamp_of
from tiles.tasks import judge_header

if TYPE_CHECKING:
    from tiles.children import Task

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _File:
    """A file that a name leads to, hashed; of a PDF that a page is named of, `sha256` is that page's alone."""

    path: Path
    sha256: str
    stamp: tuple[int, ...]
    page: int | None


def probe(references: Mapping[str, str], library: Library, place: Workplace) -> dict[str, Design | ArtworkError]:
    """Return the design of each name, or why it cannot be used; `references` says where each name's artwork is.

    A content is judged once, however many names it has; a header the store has noted before costs no child.
    Raises ConfigurationError if the library's root is no folder, StorageError if the shop's storage is out of reach.
    """
    library.check()
    remote = sum(library.is_remote(reference) for reference in references.values())
    if remote:
        place.governor.admit("fetching artwork", min(remote, FETCH_THREADS) * FETCH_BYTES)
    files: dict[str, _File | ArtworkError] = {}
    threads = FETCH_THREADS if remote else place.bench.workers
    with closing(on_daemons(partial(_find, library=library), references.values(), threads)) as finding:

        def usable() -> Iterator[_File]:
            for name, file in zip(references, finding, strict=True):
                files[name] = file
                if isinstance(file, _File):
                    yield file

        headers = _headers(usable(), library.limits, place)
    designs = {name: _design(file, headers) for name, file in files.items()}
    found = [design for design in designs.values() if isinstance(design, Design)]
    distinct = len({design.sha256 for design in found})
    log.info(
        f"{len(files)} design names, {distinct} distinct artworks, {len(files) - len(found)} unusable",
        extra={"names": len(files), "distinct": distinct, "unusable": len(files) - len(found)},
    )
    return designs


def _find(reference: str, library: Library) -> _File | ArtworkError:
    try:
        path = library.locate(reference)
        if not is_text(str(path)):
            return ArtworkError("its name is no UTF-8 text; rename it")
        stamp = stamp_of(path)
        library.limits.check_bytes(path.stat().st_size)
        _, page = split_page(reference)
        sha256 = hash_file(path)
        return _File(path, sha256 if page is None else _hash_of_page(sha256, page), stamp, page)
    except ArtworkError as error:
        return error
    except OSError as error:
        return ArtworkError(f"cannot be read: {error.strerror}")


def _hash_of_page(sha256: str, page: int) -> str:
    """Return what tells a page of a PDF from its others, and from all other artwork."""
    return hashlib.sha256(f"{sha256}#page={page}".encode()).hexdigest()


def is_text(name: str) -> bool:
    """Tell whether a name is one that a decoder can be told."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _headers(files: Iterable[_File], limits: Limits, place: Workplace) -> Mapping[str, Header | ArtworkError]:
    """Return each distinct content's header, or why it is unfit; children judge the first while others are hashed."""
    headers: dict[str, Header | ArtworkError] = {}
    unknown: dict[str, _File] = {}

    def unjudged() -> Iterator[str]:
        for file in files:
            if file.sha256 in headers or file.sha256 in unknown:
                continue
            noted = place.store.find_header(file.sha256)
            if noted is None:
                unknown[file.sha256] = file
                yield file.sha256
            else:
                headers[file.sha256] = _checked(noted, limits)

    @cache
    def children_admitted() -> int:
        place.governor.admit("reading headers", SERVER_BYTES + CHILD_BYTES)
        return (place.governor.room_bytes() - SERVER_BYTES) // CHILD_BYTES

    def begin(sha256: str) -> "Task[Header]":
        children_admitted()
        return place.bench.submit(judge_header, unknown[sha256].path, limits, unknown[sha256].page)

    def may_begin(_: str, under_way: list[str]) -> bool:
        return len(under_way) < children_admitted()

    for sha256, outcome in place.bench.outcomes(unjudged(), begin, may_begin):
        headers[sha256] = outcome
        if isinstance(outcome, Header) and _is_unchanged(unknown[sha256]):
            place.store.put_header(sha256, outcome)
    return headers


def _is_unchanged(file: _File) -> bool:
    try:
        return stamp_of(file.path) == file.stamp
    except OSError:
        return False


def _checked(header: Header, limits: Limits) -> Header | ArtworkError:
    try:
        limits.check(header)
    except ArtworkError as error:
        return error
    return header


def _design(file: _File | ArtworkError, headers: Mapping[str, Header | ArtworkError]) -> Design | ArtworkError:
    if isinstance(file, ArtworkError):
        return file
    header = headers[file.sha256]
    if isinstance(header, ArtworkError):
        return header
    return Design(file.sha256, file.path, file.stamp[2], file.stamp, header)
