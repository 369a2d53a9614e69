"""A course and its pipeline file on disk, and `tilepress` taking it apart; documents are drawn with reportlab."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import yaml
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped, unused-ignore]

from tests.conftest import Outcome, tilepress
from tests.mockups import sha256

if TYPE_CHECKING:
    import subprocess

SIZE_PT = (144.0, 200.0)
RUN_FILES = {"sections.json", ".tilepress.lock"}  # which say when they were written
Draw = Callable[[Canvas, int], object]


def number_the_page(canvas: Canvas, page: int) -> None:
    """Draw a page that is like no other one: its number, and a bar as long as that."""
    canvas.drawString(12, 170, f"This is page {page}")
    canvas.setFillColorRGB(0.2, 0.4, 0.8)
    canvas.rect(12, 20, page, 30, stroke=0, fill=1)


def draw_document(
    path: Path,
    pages: int,
    outline: Mapping[str, int | tuple[int, int]] | None = None,
    *,
    size: tuple[float, float] = SIZE_PT,
    draw: Draw = number_the_page,
) -> Path:
    """Write a PDF; `outline` has for each title its page, or page and level."""
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas = Canvas(str(path), pagesize=size, invariant=True)
    for page in range(1, pages + 1):
        draw(canvas, page)
        for title, place in (outline or {}).items():
            at, level = place if isinstance(place, tuple) else (place, 0)
            if at == page:
                canvas.bookmarkPage(title)
                canvas.addOutlineEntry(title, title, level)
        canvas.showPage()
    canvas.save()
    return path


@dataclass
class PdfShop:
    """A folder with documents and a pipeline file; `out` is where sections go.

    Its pipeline file is written anew before every command, from `job` and `keys`.
    """

    folder: Path
    job: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.job = {
            "kind": "sections",
            "name": "job",
            "document": "lessons.pdf",
            "sections": {"every": 2},
            "delay_s": 0,
            "output": {"to": "out"},
        }

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def pipeline(self) -> Path:
        return self.folder / "pipeline.yaml"

    @property
    def manifest(self) -> dict[str, Any]:
        return self.manifest_of()

    def manifest_of(self, folder: str = ".") -> dict[str, Any]:
        """Return the sections.json of the job's document, or of one that has a folder of its own."""
        content: dict[str, Any] = json.loads((self.out / folder / "sections.json").read_text("utf-8"))
        return content

    @property
    def sections(self) -> list[dict[str, Any]]:
        return list(self.manifest["sections"])

    @property
    def summary(self) -> str:
        return (self.out / "sections.html").read_text("utf-8")

    def totals(self) -> tuple[int, int, int, int]:
        """Return how many sections there are to be, are complete, were so before, and are not."""
        totals = self.manifest["totals"]
        return totals["sections"], totals["made"], totals["unchanged"], totals["failed"]

    def errors(self) -> dict[int, str]:
        """Return why sections are not complete, by number."""
        return {entry["number"]: entry["error"] for entry in self.sections if entry["error"] is not None}

    def document(
        self,
        name: str = "lessons.pdf",
        pages: int = 6,
        outline: Mapping[str, int | tuple[int, int]] | None = None,
        *,
        size: tuple[float, float] = SIZE_PT,
        draw: Draw = number_the_page,
    ) -> Path:
        """Write a document into the shop's folder."""
        return draw_document(self.folder / name, pages, outline, size=size, draw=draw)

    def output(self, **keys: Any) -> None:
        """Change keys of `output`."""
        self.job["output"].update(keys)

    def bare(self) -> None:
        """Ask for the sections alone: no text, no preview, no analysis."""
        self.output(text=False, preview=False)
        self.job["analyzer"] = {"kind": "none"}

    def write(self) -> Path:
        content = {"version": 1, "name": "course", **self.keys, "jobs": [self.job]}
        self.pipeline.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
        return self.pipeline

    def run(self, *arguments: object, command: str = "run", **environment: str) -> Outcome:
        return tilepress(command, self.write(), *arguments, **environment)

    def verify(self, *arguments: object, folder: str = ".", **environment: str) -> Outcome:
        return tilepress("verify", self.out / folder / "sections.json", *arguments, **environment)

    def files(self) -> list[str]:
        """Return all files below the output folder, but for sections.json, summary and lock."""
        return sorted(self._files(RUN_FILES | {"sections.html"}))

    def inodes(self) -> dict[str, tuple[int, int]]:
        """Return which files those in the output folder are, and when they were written."""
        stats = {name: (self.out / name).stat() for name in self.files()}
        return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of all files in the output folder, but for sections.json, summary and lock."""
        return {name: sha256(self.out / name) for name in self.files()}

    def leftovers(self) -> list[str]:
        """Return the names of files that only exist while something is made."""
        store = self.folder / ".tilepress/store"
        scratch = [*store.rglob("*mended*"), *store.glob("traces/*.json")]
        hidden = [path for path in self.out.rglob(".tilepress.*") if path.name != ".tilepress.lock"]
        return sorted(path.name for path in [*self.folder.rglob("*.partial"), *scratch, *hidden])

    def everything_written(self) -> bytes:
        """Return all that stands in files of the shop that are not the user's own."""
        own = {self.pipeline, *self.folder.glob("*.pdf")}
        return b"\n".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file() and path not in own)

    def _files(self, without: Iterable[str]) -> Iterator[str]:
        skipped = set(without)
        for path in self.out.rglob("*"):
            if path.is_file() and path.name not in skipped:
                yield str(path.relative_to(self.out))


def listed_files(entry: Mapping[str, Any]) -> list[str]:
    """Return the names of a section's files, as sections.json lists them."""
    return [file["file"] for file in entry["files"]]


def lasting(sections: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what sections.json says of sections, but for what no two runs agree on: time, memory, attempts."""
    passing = {"seconds", "peak_bytes", "attempts"}
    return [{key: entry[key] for key in entry if key not in passing} for entry in sections]


def children_of(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(process.pid).children(recursive=True)
    return []


def gone(children: Iterable[psutil.Process]) -> bool:
    """Tell whether all processes have ended."""
    return not any(map(_is_alive, children))


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def pdf_shop(tmp_path: Path) -> PdfShop:
    return PdfShop(tmp_path / "shop")


@pytest.fixture(scope="module")
def make_pdf_shop(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], PdfShop]:
    return lambda: PdfShop(tmp_path_factory.mktemp("shop"))
