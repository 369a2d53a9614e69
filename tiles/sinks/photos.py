"""Sinks of mock-ups, by the name of their format."""

from pathlib import Path

from tiles.scene import PhotoFormat
from tiles.sinks import open_sink
from tiles.sinks.jpeg import JpegSink
from tiles.sinks.sink import SheetFormat, Sink
from tiles.sinks.webp import WebpSink


def open_photo_sink(form: PhotoFormat, path: Path, sheet: SheetFormat, scratch: Path) -> Sink:
    """Open a sink that will write a mock-up to `path` in its format; `scratch` names room for temporaries."""
    if form.kind == "jpg":
        return JpegSink(path, sheet, form.quality, form.chroma)
    if form.kind == "webp":
        return WebpSink(path, sheet, form.quality, form.chroma, scratch.with_name(f"{scratch.name}.v"))
    return open_sink(form.kind, path, sheet)
