"""Servers a run speaks to, once it has let go of them: threads that nobody waits for must not begin anew."""

import threading
from pathlib import Path

import pytest

from config.errors import StorageError, TransientError
from config.schema import Storage
from pipeline.servers import Servers
from pipeline.storage.remote import Background


def test_nothing_is_connected_to_once_the_run_has_ended() -> None:
    with Servers(Storage(), Path()) as servers:
        servers.source("https", ())
    with pytest.raises(StorageError, match="the run has ended"):
        servers.source("https", ())


def test_nothing_is_tried_again_once_the_run_has_ended() -> None:
    servers, tries, failed_once = Servers(Storage(attempts=10), Path()), [], threading.Event()

    def fail() -> None:
        tries.append(1)
        failed_once.set()
        raise TransientError("the server is busy")

    def try_on() -> None:
        with pytest.raises(TransientError):
            servers.steadily(fail)

    thread = threading.Thread(target=try_on)
    thread.start()
    assert failed_once.wait(30)
    servers.close()
    thread.join(30)

    assert not thread.is_alive()
    assert len(tries) < 10


async def nothing() -> None: ...


@pytest.mark.parametrize("was_begun", [True, False])
def test_a_loop_that_is_closed_is_not_begun_again(was_begun: bool) -> None:
    loop = Background("sftp")
    if was_begun:
        loop.run(nothing())
    loop.close(nothing)
    with pytest.raises(StorageError, match="sftp: the connection is closed"):
        loop.run(nothing())
    loop.close(nothing)
