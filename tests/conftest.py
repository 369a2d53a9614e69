"""A small print shop on disk, and the program run on it as its users run it: in a process of its own."""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from PIL import Image

from pipeline.machine import cpu_count, memory_limit

pytest_plugins = [
    *("tests.mockups", "tests.sections"),
    *(f"tests.servers.{kind}" for kind in ("postgres", "sftp", "s3", "http", "farshop", "gemini")),
]

# The same examples every time, so that a change is judged by what it changes; `make explore` tries others. There is no
# time limit: it would fail on a busy machine.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile("steady")
Image.MAX_IMAGE_PIXELS = None  # sheets are meant to be large

REPOSITORY = Path(__file__).parents[1]
TIMEOUT_S = float(os.environ.get("TILEPRESS_TEST_TIMEOUT_S", "300"))  # of one run of the program
SHARED_DESIGNS = REPOSITORY.parent / "shared" / "data" / "designs"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run more tests at once than there are CPUs: many wait for servers, disks and processes. Each may take a GB."""
    return max(1, min(cpu_count() * 3 // 2, memory_limit().bytes // 1_000_000_000))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have garbage looked for among what tests make, and not among themselves, which are there to the end."""
    gc.freeze()


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def messages(self) -> list[str]:
        return [json.loads(line)["message"] for line in self.stdout.splitlines() if line.startswith("{")]

    @property
    def text(self) -> str:
        return self.stdout + self.stderr


@dataclass
class Shop:
    """A folder with designs, orders and a pipeline file; `out` is where its parts go."""

    folder: Path
    job: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "designs").mkdir(parents=True, exist_ok=True)
        self.job = {
            "kind": "gangsheet",
            "name": "job",
            "sheet": {"width_in": 4, "height_in": 5, "dpi": 100, "spacing_in": 0.1},
            "orders": {"csv": "orders.csv"},
            "designs": {"root": "designs"},
            "quality": {"min_dpi": 0},
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
        content: dict[str, Any] = json.loads((self.out / "manifest.json").read_text())
        return content

    def parts(self) -> list[Path]:
        return sorted(path for path in self.out.glob("*") if path.name not in {"manifest.json", ".tilepress.lock"})

    def design(self, name: str, width: int = 60, height: int = 40, *, seed: int = 0, noise: bool = False) -> Path:
        """Write an RGBA PNG tagged 100 DPI: a coloured disc on transparency, or incompressible noise."""
        path = self.folder / "designs" / name
        rng = np.random.default_rng(seed + width * 7919 + height)
        pixels = np.zeros((height, width, 4), np.uint8)
        if noise:
            pixels[:] = rng.integers(0, 256, pixels.shape, np.uint8)
        else:
            y, x = np.ogrid[:height, :width]
            inside = ((x - width / 2 + 0.5) / (width / 2)) ** 2 + ((y - height / 2 + 0.5) / (height / 2)) ** 2 <= 1
            pixels[inside] = [*rng.integers(0, 256, 3), 255]
        Image.fromarray(pixels).save(path, dpi=(100, 100))
        return path

    @staticmethod
    def size_of(path: Path) -> tuple[int, int]:
        """Return width and height in pixels, as Pillow reads them."""
        with Image.open(path) as image:
            return image.size

    @staticmethod
    def pixels_of(path: Path) -> NDArray[np.uint8]:
        """Return the RGBA pixels, as Pillow decodes them."""
        with Image.open(path) as image:
            return np.array(image.convert("RGBA"))

    def orders(self, rows: Iterable[tuple[object, ...]]) -> None:
        lines = ["order,design,quantity,width_in,height_in"]
        lines += [",".join(str(cell) for cell in (*row, "", "")[:5]) for row in rows]
        (self.folder / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def write(self, **keys: Any) -> Path:
        content = {"version": 1, "name": "shop", **keys, "jobs": [self.job]}
        self.pipeline.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return self.pipeline

    def run(self, *arguments: object, command: str = "run", **environment: str) -> Outcome:
        if not self.pipeline.exists():
            self.write()
        return tilepress(command, self.pipeline, *arguments, **environment)

    def verify(self) -> Outcome:
        return tilepress("verify", self.out / "manifest.json")


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a program under test: warnings are errors there too."""
    clean = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "GANGSHEET_DYNAMIC_SIZING"}}
    return {**clean, "PYTHONWARNINGS": "error", "COLUMNS": "120", **extra}


def tilepress(*arguments: object, **extra: str) -> Outcome:
    """Run the program and wait for it."""
    command = [sys.executable, str(REPOSITORY / "cli.py"), *map(str, arguments)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment(extra),
        check=False,
        timeout=TIMEOUT_S,
        encoding="utf-8",
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def begin(*arguments: object, **extra: str) -> "subprocess.Popen[bytes]":
    """Start the program without waiting for it."""
    command = [sys.executable, str(REPOSITORY / "cli.py"), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(extra))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop")


@pytest.fixture(scope="module")
def make_shop(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Shop]:
    return lambda: Shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(name="tilepress")
def tilepress_command() -> Callable[..., Outcome]:
    return tilepress


@pytest.fixture(name="begin")
def begin_command() -> Callable[..., "subprocess.Popen[bytes]"]:
    return begin


@pytest.fixture(scope="session")
def shared_designs() -> Path:
    if not SHARED_DESIGNS.is_dir():
        pytest.skip("the shared artwork is not here")
    return SHARED_DESIGNS
