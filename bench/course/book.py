"""The course from cover to poster, and what is done to the file so that each page has only the fonts it uses."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pikepdf
from reportlab import rl_config  # type: ignore[import-untyped]

from bench.course import artwork, colour, front, gangsheets, introduction, press
from bench.course.look import FRONT
from bench.course.sheet import Sheet

_CHAPTERS = (front, introduction, artwork, colour, gangsheets, press)
_SUBJECT = "A short course in printing on film"


def make(file: Path) -> None:
    """Draw the course into a file, which appears whole."""
    aside = file.with_name(f"{file.name}.partial")
    try:
        with _as_bytes():
            sheet = Sheet(aside, FRONT.title, _SUBJECT)
            for chapter in _CHAPTERS:
                chapter.draw(sheet)
            sheet.save()
        _tidy(aside)
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def _as_bytes() -> Iterator[None]:
    """Have reportlab write streams as they are meanwhile, not as letters, which are a quarter more."""
    former, rl_config.useA85 = rl_config.useA85, 0
    try:
        yield
    finally:
        rl_config.useA85 = former


def _tidy(file: Path) -> None:
    """Leave each page the fonts that it uses: reportlab gives every page those of all."""
    with pikepdf.open(file, allow_overwriting_input=True) as document:
        document.remove_unreferenced_resources()
        document.save(
            file,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            recompress_flate=True,
            deterministic_id=True,
        )
