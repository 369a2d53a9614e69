"""Signals that end a run, and blocks that they wait for."""

import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from tiles.undisturbed import undisturbed


class Told(BaseException):
    """What the handlers of these tests raise."""


def tell(number: int, frame: object) -> None:
    raise Told(signal.Signals(number).name)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    former = {number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


def by_another_thread(number: int) -> None:
    """Have a signal arrive as one does that the system gives to some thread."""
    thread = threading.Thread(target=lambda: signal.pthread_kill(threading.get_ident(), number))
    thread.start()
    thread.join()


@pytest.mark.parametrize("send", [signal.raise_signal, by_another_thread])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_until_the_block_is_over(send: Callable[[int], None], number: signal.Signals) -> None:
    done = []
    with pytest.raises(Told, match=number.name), undisturbed():
        send(number)
        done.append("the rest of the block")
    assert done
    assert signal.getsignal(number) is tell


def test_outside_signals_are_heard_at_once() -> None:
    with undisturbed():
        pass
    with pytest.raises(Told):
        by_another_thread(signal.SIGTERM)


def test_an_error_of_the_block_goes_on_and_leaves_the_handlers_as_they_were() -> None:
    with pytest.raises(ZeroDivisionError), undisturbed():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is tell


def test_what_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with undisturbed():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_another_thread_may_use_it_too() -> None:
    done = []

    def work() -> None:
        with undisturbed():
            done.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [tell]
