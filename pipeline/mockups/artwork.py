"""Which artwork a mock-up job is about: designs by name, each with one artwork or with sides, from files or a list."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from config.errors import ConfigurationError
from config.mockups import MockupDesigns
from pipeline.library import Library
from pipeline.patterns import matching
from pipeline.storage.address import public_name

ONLY = ""  # the side of a design that has one artwork, which goes wherever a template wants any


@dataclass(frozen=True, slots=True)
class MockupDesign:
    """A design: where the artwork of each of its sides is found."""

    name: str
    sides: Mapping[str, str]

    def artwork(self, side: str | None) -> str | None:
        """Return where the artwork for an area's `design` is: that side's, or the first where none is asked for.

        A design that has one artwork has it on every side. None if it has no such side.
        """
        if ONLY in self.sides:
            return self.sides[ONLY]
        return next(iter(self.sides.values())) if side is None else self.sides.get(side)


def public(reference: str) -> str:
    """Return what artwork is called where anyone may read it: of a URL, nothing that may be a signature."""
    try:
        return public_name(reference)
    except ValueError:
        return "a URL that cannot be used"


def list_designs(said: MockupDesigns, library: Library, place: str) -> list[MockupDesign]:
    """Return the designs that the job names, in order. Raises ConfigurationError if there are none."""
    if said.items is not None:
        return [
            MockupDesign(item.name, dict(item.sides) if item.sides else {ONLY: item.file or ""}) for item in said.items
        ]
    assert said.glob is not None
    instead = "List the designs of a server under designs.items."
    names = matching(said.glob, library, Path(place), "designs", instead)
    return _grouped(names, said.sides)


def _grouped(names: Iterable[str], sides: Sequence[str]) -> list[MockupDesign]:
    """Return the designs that files are of: those whose names end in a side go together.

    Raises ConfigurationError if two files are the same side of a design.
    """
    grouped: dict[tuple[str, str], dict[str, str]] = {}
    designs: list[MockupDesign] = []
    ending = re.compile(rf"(.+)[_-]({'|'.join(map(re.escape, sides))})") if sides else None
    for name in names:
        path = PurePosixPath(name)
        match = ending.fullmatch(path.stem) if ending else None
        if match is None:
            designs.append(MockupDesign(path.stem, {ONLY: name}))
            continue
        found = grouped.setdefault((str(path.parent), match[1]), {})
        if match[2] in found:
            raise ConfigurationError(
                f"{name}: side {match[2]} of design {match[1]} is {found[match[2]]} already", "Rename one of them."
            )
        found[match[2]] = name
    for (_, stem), found in grouped.items():
        designs.append(MockupDesign(stem, {side: found[side] for side in sides if side in found}))
    return sorted(designs, key=lambda design: design.name)
