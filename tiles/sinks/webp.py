"""WebP: its encoder wants the whole picture at once, which waits for it on disk, not in memory."""

from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pyvips

from tiles.canvas import Strip
from tiles.sinks.sink import AtomicFile, RowCount, SheetFile, SheetFormat
from tiles.store import v_header


class WebpSink:
    """A lossy WebP with ICC profile, of RGB or RGBA strips; see the contract in sink.py."""

    def __init__(self, path: Path, sheet: SheetFormat, quality: int, chroma: str, scratch: Path) -> None:
        """Open nothing yet; `scratch`, a `.v`, will hold the pixels, and be removed.

        `chroma` "4:4:4" keeps colours sharper where they end: WebP itself has 4:2:0 only.
        """
        self._file, self._sheet, self._scratch = AtomicFile(path), sheet, scratch
        self._quality, self._sharp = quality, chroma == "4:4:4"
        self._rows = RowCount(sheet)
        self._failure: BaseException | None = None

    def write(self, strip: Strip) -> None:
        """Take the next rows."""
        self._rows.take(strip)
        self._pixels.write(strip.data)

    def finish(self) -> SheetFile:
        """Encode the picture, and give the file its name."""
        self._rows.check_complete()
        self._pixels.flush()
        sheet = self._sheet
        image = pyvips.Image.new_from_file(str(self._scratch)).copy()
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", sheet.profile)
        target = pyvips.TargetCustom()
        target.on_write(self._take)
        try:
            image.webpsave_target(target, Q=self._quality, smart_subsample=self._sharp, keep="icc")
        except pyvips.Error:
            if self._failure is not None:
                raise self._failure from None
            raise
        return self._file.commit()

    def _take(self, data: bytes) -> int:
        """Write what was encoded. Nothing can be raised through libvips: a failure is kept, and libvips told of one."""
        try:
            self._file.write(data)
        except BaseException as failure:
            self._failure = failure
            return -1
        return len(data)

    def __enter__(self) -> Self:
        try:
            self._file.open()
            self._pixels = self._scratch.open("wb")
            self._pixels.write(v_header(self._sheet.width, self._sheet.height, self._sheet.bands))
        except BaseException:
            self._file.discard()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # closing flushes, which fails again on a full disk
            self._pixels.close()
        self._scratch.unlink(missing_ok=True)
        self._file.discard()
