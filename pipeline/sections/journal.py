"""The journal of a run: a line for each section as it ends, so that a killed run goes on right there.

What sections are like stands on disk; in memory is where. The last line of a killed run may be half a line: it does not
count, and its section is made again.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Entry = Mapping[str, Any]  # of a section, as it stands in sections.json; `key` and `number` are among its keys


class Journal:
    """Lines of JSON in a file, by the number of their section; the last one of a section counts. A context manager."""

    def __init__(self, path: Path) -> None:
        """Name the file; it is begun anew by `begin`."""
        self._path = path
        self._places: dict[int, tuple[int, int]] = {}  # offset and length in bytes

    def former(self) -> Iterator[Entry]:
        """Yield what a former run has left in the file, as far as it is whole."""
        try:
            with self._path.open("rb") as file:
                for line in file:
                    entry = _parse(line)
                    if entry is not None:
                        yield entry
        except FileNotFoundError:
            return

    def begin(self, entries: Iterable[Entry]) -> None:
        """Begin the file anew with these entries, whole or not at all."""
        aside = self._path.with_name(f"{self._path.name}.new")
        self._file = aside.open("w+b", buffering=0)  # what found no room is not tried again behind our back
        for entry in entries:
            self.add(entry)
        aside.replace(self._path)

    def add(self, entry: Entry) -> None:
        """Append a section's entry; it outlives this process from now on."""
        line = json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        offset = self._file.seek(0, os.SEEK_END)
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except BaseException:
            self._file.truncate(offset)
            raise
        self._places[entry["number"]] = (offset, len(line))

    def find(self, number: int) -> Entry | None:
        """Return the entry of a section; None if there is none yet."""
        line = self.line(number)
        entry: Entry | None = json.loads(line) if line else None
        return entry

    def line(self, number: int) -> str:
        """Return the entry of a section as JSON on one line; "" if there is none yet."""
        if number not in self._places:
            return ""
        offset, length = self._places[number]
        self._file.seek(offset)
        return self._file.read(length).decode().rstrip("\n")

    def remove(self) -> None:
        """Remove the file: what it says stands elsewhere."""
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if hasattr(self, "_file"):
            self._file.close()


def _parse(line: bytes) -> Entry | None:
    try:
        entry = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
