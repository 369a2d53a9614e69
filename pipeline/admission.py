"""Work for children, begun as far as memory admits it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from config.errors import ArtworkError
from config.units import format_bytes
from pipeline.governor import Governor
from pipeline.prediction import PROCESS_BYTES, SERVER_BYTES
from pipeline.workplace import Workplace

if TYPE_CHECKING:
    from tiles.children import Task

Key = TypeVar("Key")
Result = TypeVar("Result")


def admitted(
    keys: Iterable[Key],
    begin: "Callable[[Key], Task[Result]]",
    needs: Mapping[Key, int],
    place: Workplace,
    meanwhile: Callable[[], object] = lambda: None,
) -> Iterator[tuple[Key, Result | ArtworkError]]:
    """Do `begin(key)` for every key in children, and yield (key, result or failure) as they end.

    `needs` says in bytes what each will hold. One that no memory here would ever suffice for fails for itself;
    `meanwhile` is called before an answer is waited for.
    """
    governor = place.governor
    fitting: list[Key] = []
    for key in keys:
        if PROCESS_BYTES + SERVER_BYTES + needs[key] > governor.ceiling_bytes:
            yield key, _too_large(needs[key], governor)
        else:
            fitting.append(key)

    def admit(key: Key) -> "Task[Result]":
        if needs[key] > governor.room_bytes():  # nothing is under way, or it would not be this one's turn
            place.bench.close()  # what idle children hold is worth more elsewhere
        governor.admit("the next design", needs[key])
        return begin(key)

    def may_begin(key: Key, under_way: list[Key]) -> bool:
        return needs[key] + sum(needs[other] for other in under_way) <= governor.room_bytes()

    yield from place.bench.outcomes(fitting, admit, may_begin, meanwhile)


def _too_large(need_bytes: int, governor: Governor) -> ArtworkError:
    return ArtworkError(
        f"it needs about {format_bytes(need_bytes)} of memory; the limit is {format_bytes(governor.limit.bytes)}",
        "Send a smaller picture, or one that can be read row by row (a PNG without interlacing).",
    )
