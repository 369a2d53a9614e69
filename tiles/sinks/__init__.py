"""Sinks take strips and write one file each; `open_sink` knows them by the name of their format."""

from pathlib import Path

from tiles.sinks.png import PngSink
from tiles.sinks.sink import SheetFormat, Sink
from tiles.sinks.tiff import TiffSink

SUFFIXES = {"png": ".png", "tiff": ".tif"}


def open_sink(kind: str, path: Path, sheet: SheetFormat) -> Sink:
    """Open a sink of the format `kind` ("png" or "tiff") that will write `path`."""
    sinks: dict[str, type[PngSink] | type[TiffSink]] = {"png": PngSink, "tiff": TiffSink}
    return sinks[kind](path, sheet)
