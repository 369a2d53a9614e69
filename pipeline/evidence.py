"""What a finished run is proven with, and what proving it finds: the same for every kind of job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.context import Progress
from pipeline.delivered import Delivered
from pipeline.library import Library
from pipeline.workplace import Workplace


@dataclass(frozen=True, slots=True)
class Evidence:
    """A run's files and manifest, and where its artwork is worked on: `place.store` is for this alone, and empty.

    `library(root, key, allow_svg)` is where files are found that the manifest says lay at `root`, which messages call
    `key`; whatever their size, as they were accepted once. `password` opens encrypted documents.
    """

    delivered: Delivered
    manifest: Mapping[str, Any]
    place: Workplace
    progress: Progress
    library: Callable[[str, str, bool], Library]
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found: nothing wrong when `problems` is empty. `checked` says what was looked at."""

    checked: str
    problems: tuple[str, ...]
