"""Sinks take strips and write one file each; `open_sink` knows them by the name of their format."""

from pathlib import Path

from tiles.sinks.sink import SheetFormat, Sink

LONGEST_PX = {  # a picture's sides, by its format
    "jpg": 65_500,  # libjpeg's limit, a little below the format's
    "webp": 16_383,  # RFC 9649, 2.6
    "png": 2**31 - 1,  # W3C PNG, third edition, 11.2.1
}
SUFFIXES = {"png": ".png", "tiff": ".tif", "jpg": ".jpg", "webp": ".webp"}


def open_sink(kind: str, path: Path, sheet: SheetFormat) -> Sink:
    """Open a sink of the format `kind` ("png" or "tiff") that will write `path`; its module is imported now."""
    if kind == "png":
        from tiles.sinks.png import PngSink  # noqa: PLC0415

        return PngSink(path, sheet)
    from tiles.sinks.tiff import TiffSink  # noqa: PLC0415

    return TiffSink(path, sheet)
