"""The image: what its Dockerfile promises, and its install steps, run here as far as they can be without an engine.

Not run here: the base image, its user, and the layers. What the steps of the build stage make is made in a folder, by
this machine's Python, and then run with the environment of the image and nothing writable but its volume.
"""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config import VERSION
from config.loader import load_pipeline

REPOSITORY = Path(__file__).parents[1]
SITE = "/opt/tilepress/lib/python3.11/site-packages"
SECRET = re.compile(r"pass|secret|token|key|credential", re.IGNORECASE)
PRIVATE_MOUNTS = ["unshare", "--mount", "--propagation", "private"]
LEFT = ("/proc", "/sys", "/dev/pts", "/dev/mqueue", "/dev/shm")  # no files; and locks, in memory every container has


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a Dockerfile; `words` as exec form says them, or split at blanks."""

    name: str
    text: str

    @property
    def exec_form(self) -> bool:
        return self.text.startswith("[")

    @property
    def words(self) -> list[str]:
        words: list[str] = json.loads(self.text) if self.exec_form else self.text.split()
        return words

    @property
    def operands(self) -> list[str]:
        return [word for word in self.words if not word.startswith("--")]

    @property
    def settings(self) -> dict[str, str]:
        """The variables of an ENV or ARG."""
        pairs = (word.partition("=") for word in self.words)
        return {name: value for name, _, value in pairs}


def dockerfile() -> list[list[Instruction]]:
    """Return the instructions, stage by stage."""
    text = re.sub(r"^\s*#.*\n", "", (REPOSITORY / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    stages: list[list[Instruction]] = []
    for line in filter(str.strip, text.replace("\\\n", " ").splitlines()):
        name, _, rest = line.strip().partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append(Instruction(name, rest.strip()))
    return stages


STAGES = dockerfile()
BUILD, FINAL = STAGES
EVERY = [instruction for stage in STAGES for instruction in stage]


def of(stage: list[Instruction], name: str) -> list[Instruction]:
    return [instruction for instruction in stage if instruction.name == name]


def environment() -> dict[str, str]:
    """Return the variables that the image sets."""
    return {name: value for instruction in of(FINAL, "ENV") for name, value in instruction.settings.items()}


def ignored() -> list[tuple[bool, re.Pattern[str]]]:
    """Return .dockerignore: whether a pattern leaves out or takes back, and what it matches, folders with all below."""
    rules = []
    for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!").strip("/")
        if pattern and not line.startswith("#"):
            form = re.escape(pattern).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*").replace(r"\[", "[")
            rules.append((not line.startswith("!"), re.compile(form.replace(r"\]", "]") + "(/.*)?")))
    return rules


def context() -> Iterator[str]:
    """Yield the files of the repository that a build would be sent; the last pattern that matches a name counts."""
    rules = ignored()
    for folder, folders, names in os.walk(REPOSITORY):
        folders[:] = [name for name in folders if name not in {".venv", ".git", ".hypothesis", ".mypy_cache"}]
        for name in names:
            path = (Path(folder) / name).relative_to(REPOSITORY).as_posix()
            if not next((leaves_out for leaves_out, form in reversed(rules) if form.fullmatch(path)), False):
                yield path


def copied() -> Iterator[tuple[str, str]]:
    """Yield (source, target) of everything copied out of the repository, arguments as they are by default."""
    for stage in STAGES:
        defaults: dict[str, str] = {}
        for instruction in stage:
            if instruction.name == "ARG":
                defaults |= instruction.settings
            if instruction.name == "COPY" and "--from=" not in instruction.text:
                *sources, target = instruction.operands
                for source in sources:
                    yield re.sub(r"\$\{(\w+)\}", lambda match: defaults[match[1]], source), target  # noqa: B023


def test_what_builds_is_left_behind_and_both_stages_stand_on_the_same_pinned_debian() -> None:
    bases = [of(stage, "FROM")[0].words[0] for stage in STAGES]
    assert bases == ["python:3.11-slim-bookworm"] * 2
    assert [instruction.text for instruction in of(FINAL, "COPY") if "--from" in instruction.text] == [
        "--from=build /opt/tilepress /opt/tilepress"
    ]


def test_it_runs_as_nobody_in_particular_and_is_tried_as_such() -> None:
    names = [instruction.name for instruction in FINAL]
    (user,) = of(FINAL, "USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user.text)
    assert names.index("USER") < names.index("ENTRYPOINT")
    uid, gid = user.text.split(":")
    assert f"--uid {uid} " in FINAL[1].text
    assert f"--gid {gid} " in FINAL[1].text
    last_run = of(FINAL, "RUN")[-1]
    assert last_run.words == ["tilepress", "doctor"]
    assert FINAL.index(last_run) > names.index("USER")


def test_a_signal_reaches_the_program_itself() -> None:
    (entry,), (command,) = of(FINAL, "ENTRYPOINT"), of(FINAL, "CMD")
    assert entry.exec_form
    assert command.exec_form
    assert entry.words + command.words == [
        "tilepress",
        "run",
        "/etc/tilepress/pipeline.yaml",
        "--log-format",
        "json",
    ]


def test_every_package_comes_by_its_hash_and_nothing_else_is_fetched() -> None:
    by_pip = [instruction.text for instruction in of(EVERY, "RUN") if re.search(r" pip .* install ", instruction.text)]
    assert by_pip
    assert [text for text in by_pip if "--require-hashes" not in text and "--no-index" not in text] == []
    assert [
        text for text in by_pip if "--only-binary :all: -r" not in text and "--no-build-isolation" not in text
    ] == []
    assert not re.search(r"curl|wget|apt-get|git |https?:", " ".join(instruction.text for instruction in EVERY))
    assert of(EVERY, "ADD") == []


def test_the_build_tool_is_one_package_by_its_hashes(tmp_path: Path) -> None:
    (extract,) = [instruction.text for instruction in of(BUILD, "RUN") if instruction.text.startswith("sed ")]
    locked = subprocess.run(
        [
            "sh",
            "-c",
            extract.replace("/src/requirements-dev.lock", str(REPOSITORY / "requirements-dev.lock")).replace(
                "> /src/build.lock", ""
            ),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert re.findall(r"^[\w-]+==[\w.]+", locked, re.MULTILINE) == re.findall(
        r"^setuptools==[\w.]+", locked, re.MULTILINE
    )
    assert locked.count("--hash=sha256:") >= 1


def test_no_secret_is_built_in() -> None:
    named = [name for instruction in of(EVERY, "ARG") + of(EVERY, "ENV") for name in instruction.settings]
    assert [name for name in named if SECRET.search(name)] == []
    assert "--mount=type=secret" not in " ".join(instruction.text for instruction in EVERY)


def test_railway_would_build_it() -> None:
    """It rejects a Dockerfile that declares a volume; a check of health would wait for a port."""
    assert of(EVERY, "VOLUME") == of(EVERY, "EXPOSE") == of(EVERY, "HEALTHCHECK") == []


def test_all_that_is_written_is_written_to_the_volume() -> None:
    (folder,) = of(FINAL, "WORKDIR")
    variables = environment()
    assert [folder.text, variables["HOME"], variables["TMPDIR"]] == ["/work"] * 3
    assert variables["MALLOC_ARENA_MAX"] == "2"
    pipeline = load_pipeline(
        REPOSITORY / "config/examples/nightly.yaml",
        {name: name for name in re.findall(r"\$\{(\w+)\}", (REPOSITORY / "config/examples/nightly.yaml").read_text())},
    )
    assert pipeline.store.path.startswith("/work/")
    assert all(job.output.to.startswith(("/work/", "sftp://", "s3://")) for job in pipeline.jobs)


def test_everything_copied_is_there_and_nothing_enters_the_image_that_should_not() -> None:
    sent = set(context())
    for source, _ in copied():
        below = {path for path in sent if path == source or path.startswith(f"{source}/")}
        assert below, f"{source} is not there, or .dockerignore leaves it out"
    assert {path.split("/")[0] for path in sent if not path.endswith(".yaml")} == {
        "README.md",
        "cli.py",
        "config",
        "pipeline",
        "pyproject.toml",
        "requirements-dev.lock",
        "requirements.lock",
        "tiles",
    }
    assert [path for path in sent if re.search(r"__pycache__|\.pyc$|\.db$|\.env|\.git|\.pem$|/id_\w+$", path)] == []


@dataclass(frozen=True, slots=True)
class Image:
    """What the Dockerfile's steps made, below a folder."""

    root: Path

    def path(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def here(self, text: str) -> str:
        """Return a text that names the image's paths with the paths they have here."""
        return re.sub(r"(?<![\w.*-])/(opt|src|work|etc/tilepress)\b", rf"{self.root}/\1", text)

    def build(self) -> None:
        """Do what the Dockerfile says, but for the base image and what only root does to it."""
        sent = set(context())
        for source, target in copied():
            for path in (path for path in sent if path == source or path.startswith(f"{source}/")):
                place = self.path(target) / (Path(path).name if target.endswith("/") else "")
                place = place / Path(path).relative_to(source) if path != source else place
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(REPOSITORY / path, place)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        kept["PATH"] = f"{Path(sys.executable).parent}:{kept['PATH']}"
        for instruction in of(BUILD, "RUN"):
            subprocess.run(["sh", "-c", self.here(instruction.text)], env=kept, check=True, cwd=self.root)

    def run(self, *words: object, before: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
        """Run the image with these words after its entry point, in its environment."""
        variables = {name: self.here(value) for name, value in environment().items()}
        return subprocess.run(
            [*before, *(str(self.path(f"/opt/tilepress/bin/{word}")) for word in of(FINAL, "ENTRYPOINT")[0].words)]
            + [str(word) for word in words],
            cwd=self.path("/work"),
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def why_no_private_mounts() -> str:
    """Return why mounts cannot be changed for one process alone; empty if they can."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare") is None:
        return "mounting needs root on Linux"
    tried = subprocess.run([*PRIVATE_MOUNTS, "mount", "--bind", "/", "/"], capture_output=True, text=True, check=False)
    return tried.stderr.strip()


def with_nothing_writable_but(folder: Path) -> tuple[str, ...]:
    """Return the words before a command by which it sees every file system read-only, and this folder as it is."""
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    places = [place for place in dict.fromkeys(mounted) if not place.startswith(LEFT)]
    script = f'mount --bind "{folder}" "{folder}"; '
    script += "; ".join(f'mount -o remount,bind,ro "{place}" 2> /dev/null' for place in places)
    script += f'; touch "$0" 2> /dev/null && exit 99; cd "{folder}" && exec "$@"'
    return (*PRIVATE_MOUNTS, "sh", "-c", script, str(folder.parent / "must-not-be"))


ROLL = """\
version: 1
name: roll
store: {{path: {work}/store}}
jobs:
  - kind: gangsheet
    name: roll
    sheet: {{width_in: 12, height_in: 20, dpi: 150, spacing_in: 0.2}}
    orders: {{items: [{{order: 1, design: sunset.png, quantity: 6, width_in: 3}}]}}
    designs: {{root: {work}/demo/designs}}
    output: {{to: {work}/out}}
"""


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder for the image: with a short path, as the image's own are; a socket's has to fit 108 bytes."""
    with tempfile.TemporaryDirectory(prefix="press-") as folder:
        yield Path(folder)


@pytest.mark.slow
def test_the_image_prints_with_nothing_writable_but_its_volume(root: Path) -> None:
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the image has Python 3.11, and installs what is built for that")
    image = Image(root)
    image.path("/work").mkdir(parents=True)
    image.build()

    compiled = {path.name.split(".")[0] for path in image.path(f"{SITE}/pipeline/__pycache__").iterdir()}
    assert compiled == {path.stem for path in image.path(f"{SITE}/pipeline").glob("*.py")}
    assert not {"pip", "setuptools", "wheel"} & {path.name for path in image.path(SITE).iterdir()}
    assert stat.S_IMODE(image.path("/opt/tilepress/bin/tilepress").stat().st_mode) == 0o755
    assert image.run("--version").stdout == f"tilepress, version {VERSION}\n"

    why_not = why_no_private_mounts()
    before = () if why_not else with_nothing_writable_but(image.path("/work"))

    health = image.run("doctor", before=before)
    assert (health.returncode, health.stderr) == (0, ""), health.stdout
    assert "PROBLEM" not in health.stdout
    assert "PNG, JPEG, TIFF, WebP, HEIF/AVIF, SVG\n" in health.stdout
    assert "isal, level 1\n" in health.stdout
    assert "https, s3, sftp, postgresql\n" in health.stdout
    assert "malloc arenas: 2; of numpy's BLAS: 1\n" in health.stdout

    demo = image.run("demo", "--out", "demo", before=before)
    assert (demo.returncode, demo.stderr) == (0, ""), demo.stdout
    assert image.run("verify", "demo/out/sheets/manifest.json", before=before).returncode == 0

    roll = image.path("/etc/tilepress/pipeline.yaml")
    roll.write_text(ROLL.format(work=image.path("/work")))
    (command,) = of(FINAL, "CMD")
    night = image.run(*map(image.here, command.words), before=before)
    assert (night.returncode, night.stderr) == (0, ""), night.stdout
    assert {"message", "level", "time"} <= json.loads(night.stdout.splitlines()[0]).keys()
    assert image.run("verify", "out/manifest.json", before=before).returncode == 0
    assert [path.name for path in roll.parent.iterdir()] == ["pipeline.yaml"]

    if why_not:
        pytest.skip(f"the image prints; whether it does so read-only cannot be tried: {why_not}")
