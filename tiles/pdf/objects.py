"""What qpdf's objects lack: forgiving looks into what may be anything."""

from collections.abc import Iterator

from pikepdf import Array, Dictionary, Object

Identity = tuple[int, int]  # of an object that others can refer to; DIRECT for one that stands inside another
DIRECT: Identity = (0, 0)


def dictionary(value: object) -> Object | None:
    """Return a value if it is a dictionary; None for anything else, streams included."""
    return value if isinstance(value, Dictionary) else None


def items(value: object) -> list[object]:
    """Return what an array holds; nothing for anything else."""
    return list(value) if isinstance(value, Array) else []


def dictionaries(value: object) -> Iterator[Object]:
    """Yield the dictionaries in an array; nothing for anything else."""
    for item in items(value):
        if isinstance(item, Dictionary):
            yield item


def keys_of(holder: Object) -> list[str]:
    """Return the keys of a dictionary or stream, as they are now."""
    return list(holder.keys())


def drop(holder: Object, *keys: str) -> None:
    """Take keys from a dictionary or stream, whether or not they are there."""
    for key in keys:
        if key in holder:
            del holder[key]
