"""What users get: the wheel in an empty virtualenv, the examples, the terminal."""

import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Outcome, Shop

REPOSITORY = Path(__file__).parents[1]
EXAMPLES = REPOSITORY / "config" / "examples"


def sources(target: Path) -> Path:
    """Copy the tree as it would be committed: building must not leave anything beside the sources."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    ).stdout.split("\n")
    for name in filter(None, names):
        source = REPOSITORY / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / name)
    return target


@pytest.mark.slow
def test_the_wheel_installs_into_a_virtualenv_of_its_own_and_the_demo_runs_from_there(tmp_path: Path) -> None:
    if not (REPOSITORY / ".git").exists() or shutil.which("git") is None:
        pytest.skip("the tree to build is told by git, which is not here")
    tree = sources(tmp_path / "tree")
    pip = ["-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheels = tmp_path / "wheels"
    build = [sys.executable, *pip, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, tree]
    subprocess.run([*map(str, build)], check=True)
    (wheel,) = wheels.glob("tilepress-*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, *pip, "--python", python, "install", "--no-deps", wheel], check=True)
    (site,) = (tmp_path / "venv" / "lib").glob("*/site-packages")
    (site / "packages.pth").write_text(sysconfig.get_path("purelib"))  # that the lock suffices, the image shows
    shutil.rmtree(tree)

    program = tmp_path / "venv" / "bin" / "tilepress"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(
        [program, "demo", "--out", tmp_path / "demo"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    manifest = json.loads((tmp_path / "demo/out/sheets/manifest.json").read_text())
    assert [(part["width_px"], part["height_px"], part["dpi"]) for part in manifest["parts"]] == [(6400, 8000, 400)] * 2
    assert manifest["sheet"]["source"] == "database"
    assert (tmp_path / "demo/out/layout.png").stat().st_size > 10_000
    assert re.search(r"^\d+\.\d seconds, peak memory \d+ MB$", done.stdout, re.MULTILINE)


def test_the_demo_can_be_run_twice_and_proven(tmp_path: Path, tilepress: "Callable[..., Outcome]") -> None:
    for _ in range(2):
        assert tilepress("demo", "--out", tmp_path / "demo").exit_code == 0
    assert tilepress("verify", tmp_path / "demo/out/sheets/manifest.json").exit_code == 0


def test_the_demo_leaves_a_folder_of_others_alone(tmp_path: Path, tilepress: "Callable[..., Outcome]") -> None:
    (tmp_path / "precious.txt").write_text("mine")
    outcome = tilepress("demo", "--out", tmp_path)
    assert (outcome.exit_code, outcome.stderr.splitlines()[0]) == (
        2,
        f"error: {tmp_path}: not empty, and no former demo",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("gangsheet*.yaml")), ids=lambda path: path.stem)
def test_every_example_runs_and_is_proven(example: Path, tmp_path: Path, tilepress: "Callable[..., Outcome]") -> None:
    shutil.copytree(EXAMPLES, tmp_path / "shop")
    pipeline = tmp_path / "shop" / example.name
    if "database:" in example.read_text():
        assert tilepress("db", "init", "--pipeline", pipeline).exit_code == 0
        assert tilepress("db", "import", "--pipeline", pipeline, tmp_path / "shop" / "shop.yaml").exit_code == 0

    outcome = tilepress("run", pipeline)

    assert outcome.exit_code == 0, outcome.text
    (manifest,) = (tmp_path / "shop" / "out").glob("*/manifest.json")
    assert tilepress("verify", manifest).exit_code == 0


def test_on_a_terminal_there_are_words_and_a_progress_bar(shop: "Shop") -> None:
    shop.design("noise.png", 700, 700, noise=True)
    shop.orders([("1", "noise.png", 8)])
    shop.job["sheet"] = {"width_in": 29, "height_in": 36, "dpi": 100}
    shop.write()

    screen = on_a_terminal(str(REPOSITORY / "cli.py"), "run", str(shop.pipeline))

    assert 'Gang sheet dimensions: 29.0"×36.0" = 2900×3600 pixels at 100 DPI' in screen
    assert "Part 1/1 ━" in screen
    assert "{" not in screen


def on_a_terminal(*arguments: str) -> str:
    """Run the program on a terminal of 40 rows and 100 columns; return all that it wrote there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen([sys.executable, *arguments], stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        written = b""
        with suppress(OSError):  # how Linux says that nobody holds the other end any more
            while data := os.read(ours, 65536):
                written += data
        os.close(ours)
        assert process.wait() == 0
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode("utf-8", "replace"))  # without colours and moves


def test_help_and_version_need_no_libvips(tilepress: "Callable[..., Outcome]") -> None:
    script = (
        "import atexit, sys; sys.argv = ['tilepress', '--help']; import cli\n"
        "heavy = ('pyvips', 'numpy', 'sqlalchemy', 'pydantic')\n"
        "atexit.register(lambda: print([name for name in heavy if name in sys.modules]))\n"
        "cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert "Exit codes: 0 all done" in " ".join(done.stdout.split())
    assert done.stdout.splitlines()[-1] == "[]"
    assert tilepress("--version").stdout.startswith("tilepress, version ")


def test_store_stats_and_prune(shop: "Shop", tilepress: "Callable[..., Outcome]") -> None:
    shop.design("a.png")
    shop.orders([("1", "a.png", 1)])
    shop.run()
    assert ": 1 designs, " in tilepress("store", "stats", shop.pipeline).stdout
    assert tilepress("store", "prune", shop.pipeline).stdout == "0 B freed\n"
    assert tilepress("store", "prune", shop.pipeline, "--all").exit_code == 0
    assert ": 0 designs, 0 B of 5GB" in tilepress("store", "stats", shop.pipeline).stdout
