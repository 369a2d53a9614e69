"""A shop that sells by photographs: designs, templates and a pipeline file on disk, and `tilepress` run on them."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from PIL import Image

from tests.conftest import Outcome, tilepress

Pixels = NDArray[np.uint8]

SIZE = (300, 200)  # of a photograph, width and height
RED, BLUE, GREY = (200, 30, 40), (20, 60, 240), (190, 180, 170)
CORNERS = [[60, 40], [240, 50], [230, 160], [70, 150]]


def flat(size: tuple[int, int], colour: Sequence[int]) -> Pixels:
    """Return a picture of one colour: RGB or RGBA, of a size (width, height)."""
    width, height = size
    return np.full((height, width, len(colour)), colour, np.uint8)


def area(name: str = "front", **keys: Any) -> dict[str, Any]:
    """Return an area of a template: with the usual corners, unless it is given a box or others."""
    place = {} if "box" in keys or "corners" in keys else {"corners": CORNERS}
    return {"name": name, **place, **keys}


@dataclass
class PhotoShop:
    """A folder with designs, templates and a pipeline file; `out` is where mock-ups go.

    Its pipeline file is written anew before every command, from `job` and `keys`.
    """

    folder: Path
    job: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("designs", "templates"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.job = {
            "kind": "mockups",
            "name": "job",
            "designs": {"root": "designs", "glob": "*.png"},
            "templates": {"root": "templates"},
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

    def entry(self, file: str) -> dict[str, Any]:
        """Return what the manifest says of a mock-up."""
        (found,) = (entry for entry in self.manifest["mockups"] if entry["file"] == file)
        return dict(found)

    def reasons(self) -> dict[str, str]:
        """Return why mock-ups could not be made, by file."""
        return {failure["file"]: failure["reason"] for failure in self.manifest["failed"]}

    def design(self, name: str, size: tuple[int, int] = (90, 60), colour: Sequence[int] = RED) -> Path:
        """Write artwork of one colour below designs/."""
        return self._picture(self.folder / "designs" / name, flat(size, colour))

    def noise(self, name: str, size: tuple[int, int], seed: int = 0) -> Path:
        """Write artwork of random pixels, which nothing compresses."""
        width, height = size
        pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
        return self._picture(self.folder / "designs" / name, pixels)

    def photo(self, name: str, size: tuple[int, int] = SIZE, colour: Sequence[int] = GREY) -> Path:
        """Write a picture of one colour below templates/."""
        return self._picture(self.folder / "templates" / name, flat(size, colour))

    def picture(self, name: str, pixels: Pixels) -> Path:
        """Write a picture of these pixels below templates/."""
        return self._picture(self.folder / "templates" / name, pixels)

    def template(self, name: str, *areas: Mapping[str, Any], **keys: Any) -> Path:
        """Write a template below templates/; with the usual area, on a grey photograph of its name, if none are given.

        `name` may have folders. A photograph is made unless the keys name one.
        """
        path = self.folder / "templates" / f"{name}.yaml"
        if "background" not in keys:
            keys["background"] = f"{path.stem}.png"
            self.photo(f"{name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {**keys, "areas": [dict(one) for one in areas] or [area()]}
        path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
        return path

    def output(self, **keys: Any) -> None:
        """Change keys of `output`."""
        self.job["output"].update(keys)

    def write(self) -> Path:
        content = {"version": 1, "name": "photos", **self.keys, "jobs": [self.job]}
        self.pipeline.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
        return self.pipeline

    def run(self, *arguments: object, command: str = "run", **environment: str) -> Outcome:
        return tilepress(command, self.write(), *arguments, **environment)

    def verify(self) -> Outcome:
        return tilepress("verify", self.out / "manifest.json")

    def files(self) -> list[str]:
        """Return the names of all files in the output folder, but for manifest and lock."""
        names = (path.name for path in self.out.iterdir())
        return sorted(name for name in names if name not in {"manifest.json", ".tilepress.lock"})

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of all files in the output folder, but for manifest and lock."""
        return {name: sha256(self.out / name) for name in self.files()}

    def inodes(self) -> dict[str, int]:
        """Return which files those in the output folder are: one that is made again is another."""
        return {name: (self.out / name).stat().st_ino for name in self.files()}

    def pixels(self, file: str) -> Pixels:
        """Return a mock-up as Pillow decodes it, with as many channels as it has."""
        with Image.open(self.out / file) as image:
            return np.array(image)

    def leftovers(self) -> list[str]:
        """Return the names of files that only exist while something is made."""
        aside = self.folder / ".tilepress/store/aside"
        found = [*self.folder.rglob("*.partial"), *(path for path in aside.glob("*") if path.suffix != ".lock")]
        return sorted(path.name for path in found)

    @staticmethod
    def _picture(path: Path, pixels: Pixels) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def photo_shop(tmp_path: Path) -> PhotoShop:
    return PhotoShop(tmp_path / "shop")


@pytest.fixture(scope="module")
def make_photo_shop(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], PhotoShop]:
    return lambda: PhotoShop(tmp_path_factory.mktemp("shop"))
