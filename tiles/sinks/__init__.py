"""Sinks take strips and write one file each; `open_sink` knows them by the name of their format."""

from pathlib import Path

from tiles.sinks.sink import SheetFormat, Sink

SUFFIXES = {"png": ".png", "tiff": ".tif"}


def open_sink(kind: str, path: Path, sheet: SheetFormat) -> Sink:
    """Open a sink of the format `kind` ("png" or "tiff") that will write `path`; its module is imported now."""
    if kind == "png":
        from tiles.sinks.png import PngSink  # noqa: PLC0415

        return PngSink(path, sheet)
    from tiles.sinks.tiff import TiffSink  # noqa: PLC0415

    return TiffSink(path, sheet)
