"""A PDF written object by object, so that a document of any size is made in the memory of its largest object."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

CATALOG, PAGES, FONT, FIRST_FREE = 1, 2, 3, 4  # numbers of objects
_HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


class PdfFile:
    """Writes a PDF; entering opens the file beside its place, leaving completes it there, or removes it on an error."""

    def __init__(self, file: Path) -> None:
        """Name the file."""
        self._file = file
        self._aside = file.with_name(f"{file.name}.partial")
        self._offsets: dict[int, int] = {}
        self._next = FIRST_FREE
        self._kids: list[int] = []

    def __enter__(self) -> "PdfFile":
        self._out = self._aside.open("wb")
        self._out.write(_HEADER)
        self.write(FONT, b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._out:
                if kind is None:
                    self._end()
            if kind is None:
                self._aside.replace(self._file)
        finally:
            self._aside.unlink(missing_ok=True)

    def number(self) -> int:
        """Return the number of an object that is to be written."""
        self._next += 1
        return self._next - 1

    def write(self, number: int, content: bytes) -> None:
        """Write an object."""
        self._offsets[number] = self._out.tell()
        self._out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))

    def stream(self, content: bytes, entries: bytes = b"") -> int:
        """Write a stream with the entries of its dictionary, and return its number."""
        number = self.number()
        self.write(number, b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(content), content))
        return number

    def jpeg(self, data: bytes, width_px: int, height_px: int) -> int:
        """Write an RGB JPEG as an image, and return its number."""
        form = b"/Type/XObject/Subtype/Image/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode"
        return self.stream(data, b"%s/Width %d/Height %d" % (form, width_px, height_px))

    def page(self, width_pt: float, height_pt: float, content: bytes, resources: int) -> None:
        """Write a page; `resources` is the number of their dictionary."""
        number, drawing = self.number(), self.stream(content)
        box = b"%.3f %.3f" % (width_pt, height_pt)
        entries = b"/Parent %d 0 R/MediaBox[0 0 %s]/Resources %d 0 R/Contents %d 0 R" % (PAGES, box, resources, drawing)
        self.write(number, b"<</Type/Page%s>>" % entries)
        self._kids.append(number)

    def resources(self, number: int, images: Mapping[str, int]) -> None:
        """Write a dictionary of resources: the font, and images by their names."""
        listed = b"".join(b"/%s %d 0 R" % (name.encode(), image) for name, image in images.items())
        self.write(number, b"<</Font<</F1 %d 0 R>>/XObject<<%s>>>>" % (FONT, listed))

    def _end(self) -> None:
        kids = b" ".join(b"%d 0 R" % kid for kid in self._kids)
        self.write(PAGES, b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(self._kids), kids))
        self.write(CATALOG, b"<</Type/Catalog/Pages %d 0 R>>" % PAGES)
        at = self._out.tell()
        entries = b"".join(b"%010d 00000 n \n" % self._offsets[number] for number in range(1, self._next))
        self._out.write(b"xref\n0 %d\n0000000000 65535 f \n%s" % (self._next, entries))
        self._out.write(b"trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (self._next, CATALOG, at))
