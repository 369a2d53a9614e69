"""What children are for: what they have imported beforehand, how long they live, and what is said when they fail."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trade:
    """A kind of work for children. Messages name it, and who does it; `remedy` says what to do when it fails.

    `modules` are imported by the server that children are forked off, if it is started for them. With `one_off` each
    piece of work has a process of its own, which gives back everything.
    """

    work: str
    worker: str
    remedy: str
    modules: tuple[str, ...]
    one_off: bool = False


DECODING = Trade("decoding", "the decoder", "Export the artwork again.", ("tiles.nursery",))
