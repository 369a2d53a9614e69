"""What the doctor says of a machine, of healthy ones and of ones that no machine of ours is like."""

import errno
import multiprocessing
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from config.errors import ExitCode
from pipeline import doctor
from pipeline.doctor import Finding, describe_deflater, examine, file_system, memory_for_a_sheet, place, spoken
from pipeline.machine import MemoryLimit
from tiles.sinks.deflate import CANDIDATES, choose_deflater
from tiles.vips import LOADERS

if TYPE_CHECKING:
    from tests.conftest import Outcome

NOBODY = 65534
ALL = dict.fromkeys(LOADERS, True)


@dataclass(frozen=True)
class Mount:
    """What psutil says of a mounted file system, as far as it is asked."""

    mountpoint: str
    fstype: str


def said(findings: Iterator[Finding]) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}


def test_a_library_that_deflates_is_named_with_the_faster_ones_that_are_missing() -> None:
    said = [describe_deflater(choose_deflater([candidate])) for candidate in CANDIDATES]
    assert said == [
        "isal, level 1",
        "zlib-ng, level 2; isal is faster, and not installed",
        "zlib, level 1; isal or zlib-ng is faster, and not installed",
    ]


def test_the_command_tells_it_all_and_a_sound_machine_ends_with_0(
    tmp_path: Path, tilepress: "Callable[..., Outcome]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = tilepress("doctor")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert [line.split(":")[0] for line in outcome.stdout.splitlines()] == [
        "memory limit",
        "memory policy",
        "memory in use",
        "memory needed",
        "CPUs",
        "python",
        "libvips",
        "formats",
        "PDF",
        "deflate",
        "protocols",
        "threads",
        "locks",
        "log",
        "folder",
        "temporary",
        "database",
    ]
    assert "PROBLEM" not in outcome.stdout
    assert "PNG, JPEG, TIFF, WebP, HEIF/AVIF, SVG\n" in outcome.stdout
    assert "isal, level 1\n" in outcome.stdout
    assert "https, s3, sftp, postgresql\n" in outcome.stdout
    assert "none named\n" in outcome.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_database_named_and_not_there_is_a_problem_and_its_password_is_not_shown(
    tmp_path: Path, tilepress: "Callable[..., Outcome]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for outcome in (
        tilepress("doctor", DATABASE_URL="postgresql+psycopg://press:hush-hush@127.0.0.1:1/shop"),
        tilepress("doctor", "--database", "sqlite:///none.db"),
    ):
        assert outcome.exit_code == ExitCode.STORAGE
        assert outcome.stdout.splitlines()[-1].startswith("database:       PROBLEM: ")
        assert "hush" not in outcome.text


def test_a_database_url_that_cannot_be_read_ends_with_2(tmp_path: Path) -> None:
    assert said(examine(tmp_path, "no url", {}))["database"].code == ExitCode.CONFIGURATION


def test_the_database_in_the_folder_is_looked_at_unasked(
    tmp_path: Path, tilepress: "Callable[..., Outcome]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tilepress("db", "init").exit_code == 0
    outcome = tilepress("doctor")
    assert outcome.exit_code == 0
    assert outcome.stdout.endswith("tilepress.db answers and has its tables\n")


def test_a_database_with_tables_of_other_names_is_no_problem_of_the_machine(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "shop.db").close()
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.execute("create table film_machines (label text)")
    shop.close()
    finding = said(examine(tmp_path, "sqlite:///shop.db", {}))["database"]
    assert (finding.code, finding.worry) == (ExitCode.DONE, True)
    assert finding.text.startswith("answers, but ")


def test_a_limit_in_which_no_everyday_sheet_can_be_rendered_is_a_problem() -> None:
    assert memory_for_a_sheet(MemoryLimit(256_000_000, "cgroup v2"), 2).code == ExitCode.DONE
    tight = memory_for_a_sheet(MemoryLimit(256_000_000, "cgroup v2"), 48)
    assert tight.code == ExitCode.BUDGET
    assert str(tight).startswith("memory needed:  PROBLEM: a sheet of 9200 pixels' width takes ")


@pytest.mark.parametrize(
    ("missing", "code"), [("SVG", ExitCode.DONE), ("PNG", ExitCode.STORAGE), ("JPEG", ExitCode.STORAGE)]
)
def test_without_the_formats_everybody_sends_nothing_can_be_printed(missing: str, code: ExitCode) -> None:
    findings = said(doctor.readable_formats({**ALL, missing: False}))
    assert missing not in findings["formats"].text
    assert (findings["missing"].text, findings["missing"].code) == (f"{missing}: libvips was built without", code)
    assert list(doctor.readable_formats(ALL)) == [Finding("formats", ", ".join(LOADERS))]


def test_a_package_that_is_there_and_broken_is_told_from_one_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_there.py").write_text("import a_library_it_needs_and_nobody_has\n")
    monkeypatch.syspath_prepend(tmp_path)
    protocols = {"https": ("json",), "gopher": ("gopherlib_of_old",), "sftp": ("half_there",)}
    assert list(spoken(protocols)) == [
        Finding("protocols", "https; not installed: gopher"),
        Finding(
            "broken",
            "sftp: No module named 'a_library_it_needs_and_nobody_has'; install it anew",
            ExitCode.STORAGE,
        ),
    ]


def test_a_machine_on_which_processes_cannot_share_a_lock_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.locks().code == ExitCode.DONE

    def refuse() -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(multiprocessing, "Lock", refuse)
    assert doctor.locks().code == ExitCode.STORAGE
    assert "/dev/shm" in doctor.locks().text


def test_a_folder_that_cannot_be_written_to_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("")
    for folder in (tmp_path / "none", tmp_path / "in-the-way"):
        assert place("folder", folder).code == ExitCode.STORAGE


def test_a_folder_of_root_is_a_problem_for_another_user(tmp_path: Path) -> None:
    """As a volume is in a container that does not run as root."""
    if sys.platform != "linux" or psutil.Process().uids().effective != 0:
        pytest.skip("only root can become another user")
    (tmp_path / "volume").mkdir(mode=0o755)
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.stat().st_uid == 0 and folder.stat().st_mode & 0o001 == 0:
            folder.chmod(folder.stat().st_mode | 0o011)  # pytest's own, which would be in the way
    script = (
        "import os, sys; from pathlib import Path; from pipeline.doctor import place\n"
        f"os.setuid({NOBODY}); sys.stdout.write(str(place('folder', Path(sys.argv[1]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "volume"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("folder:         PROBLEM: ")
    assert "Permission denied" in done.stdout


def test_a_folder_in_memory_is_a_worry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kinds = {tmp_path: "ext4", tmp_path / "memory": "tmpfs", tmp_path / "layer": "overlay"}
    mounts = [Mount(str(path), kind) for path, kind in kinds.items()]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounts)
    for path in kinds:
        path.mkdir(exist_ok=True)
    (tmp_path / "memory" / "below").mkdir()

    assert file_system(tmp_path / "memory" / "below") == "tmpfs"
    assert place("folder", tmp_path / "memory" / "below").worry
    assert place("folder", tmp_path / "layer").text.endswith("on overlay: gone with the container")
    assert place("folder", tmp_path).text.endswith("on ext4")


def test_a_temporary_folder_that_cannot_be_used_is_told(tmp_path: Path, tilepress: "Callable[..., Outcome]") -> None:
    outcome = tilepress("doctor", TMPDIR=str(tmp_path / "none"))
    (line,) = (line for line in outcome.stdout.splitlines() if line.startswith("temporary:"))
    assert line.startswith(f"temporary:      warning: TMPDIR is {tmp_path / 'none'}, which cannot be used; ")
    assert outcome.exit_code == 0


def test_a_temporary_folder_whose_path_leaves_no_room_for_a_socket_is_a_problem(
    tmp_path: Path, tilepress: "Callable[..., Outcome]"
) -> None:
    (tmp_path / ("d" * 80)).mkdir()
    outcome = tilepress("doctor", TMPDIR=str(tmp_path / ("d" * 80)))
    assert "temporary:      PROBLEM: " in outcome.stdout
    assert outcome.exit_code == ExitCode.STORAGE


def test_threads_that_would_wait_busily_are_a_worry(tmp_path: Path) -> None:
    tame, busy = (said(examine(tmp_path, None, {"OPENBLAS_NUM_THREADS": count})) for count in ("1", "8"))
    assert (tame["threads"].worry, busy["threads"].worry) == (False, True)
    arenas = said(examine(tmp_path, None, {"MALLOC_ARENA_MAX": "7"}))["threads"]
    assert arenas.text.startswith("malloc arenas: 7; ")
