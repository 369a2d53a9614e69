"""Artwork on servers, asked for from several threads."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from config.designs import Designs
from config.errors import ArtworkError
from config.schema import Storage
from pipeline.library import Library
from pipeline.servers import Servers
from tiles.store import TileStore

if TYPE_CHECKING:
    from tests.servers.http import HttpServer

PAGES = range(1, 9)


@pytest.fixture
def library(http_server: "HttpServer", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setenv("SSL_CERT_FILE", str(http_server.ca_file))
    said = Designs(root=str(tmp_path), urls=(http_server.url("/"),), private_hosts=("localhost",))
    with Servers(Storage(attempts=2), tmp_path) as servers:
        yield Library(said, tmp_path, servers, TileStore(tmp_path / "store"))


def at_once(locate: Callable[[str], Path], url: str) -> list[Path | ArtworkError]:
    """Ask for all pages of a PDF at the same time."""

    def ask(page: int) -> Path | ArtworkError:
        try:
            return locate(f"{url}#page={page}")
        except ArtworkError as error:
            return error

    with ThreadPoolExecutor(len(PAGES)) as pool:
        return list(pool.map(ask, PAGES))


def test_pages_of_a_pdf_that_a_server_makes_anew_each_time_are_of_one_file(
    library: Library, http_server: "HttpServer"
) -> None:
    turns = itertools.count()

    def made_anew() -> Iterable[bytes]:
        content = b"%%PDF-1.7 made at %d" % next(turns)
        yield b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content)

    url = http_server.serve_raw("/catalogue.pdf", made_anew)

    (path,) = set(at_once(library.locate, url))

    assert isinstance(path, Path)
    assert path.read_bytes() == b"%PDF-1.7 made at 0"
    assert (library.fetched, library.spared) == (1, 0)
    assert library.locate(f"{url}#page=9") == path
    assert len(http_server.asked("/catalogue.pdf")) == 1


def test_what_cannot_be_fetched_is_so_for_all_that_ask(library: Library, http_server: "HttpServer") -> None:
    url = http_server.serve("/catalogue.pdf", status=404)

    reasons = {error.message for error in at_once(library.locate, url) if isinstance(error, ArtworkError)}

    assert len(reasons) == 1
    assert "404" in reasons.pop()
    assert len(http_server.asked("/catalogue.pdf")) == 1
