"""The cage in which the benchmark, and tests of memory, run commands: real limits, or a reason why there are none."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.cage import Cage, NoCageError, why_no_cage
from bench.cgroup import V1, V2, Parent, count, parents
from bench.pagecache import forget

MB = 1_000_000

no_cage = why_no_cage()
caged = pytest.mark.skipif(no_cage is not None, reason=f"no cage can be made here: {no_cage}")


@caged
@pytest.mark.parametrize("grandchild", [False, True])
def test_what_outgrows_its_cage_is_killed_by_the_kernel(grandchild: bool) -> None:
    grows = [sys.executable, "-c", "held = b'x' * 120_000_000"]
    survives = [sys.executable, "-c", f"import subprocess; subprocess.run({grows})"]

    with Cage.of(90 * MB) as cage:
        run = cage.run(survives if grandchild else grows, timeout_s=60)

    assert (run.exit_code, run.oom_kills, run.survived) == (0 if grandchild else -9, 1, False)


@caged
def test_what_fits_its_cage_survives(tmp_path: Path) -> None:
    with Cage.of(90 * MB) as cage:
        fits = cage.run(
            [sys.executable, "-c", "held = b'x' * 40_000_000; print('fits')"], timeout_s=60, log=tmp_path / "log"
        )
        fails = cage.run([sys.executable, "-c", "raise SystemExit(3)"], timeout_s=60)

    assert (fits.survived, (tmp_path / "log").read_text()) == (True, "fits\n")
    assert (fails.exit_code, fails.oom_kills, fails.survived) == (3, 0, False)


@caged
def test_the_page_cache_counts_in_a_cage_and_does_not_kill(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(100 * MB))
    forget([tmp_path])
    reads = f"for block in iter(lambda f=open({str(tmp_path / 'large')!r}, 'rb'): f.read(1 << 20), b''): pass"
    says = "print([line for line in open('/proc/self/cgroup') if 'tilepress-cage' in line] and 'caged')"

    with Cage.of(60 * MB) as cage:
        run = cage.run([sys.executable, "-c", f"{reads}\n{says}"], timeout_s=60, log=tmp_path / "log")

    assert (run.survived, (tmp_path / "log").read_text()) == (True, "caged\n")


@caged
def test_nothing_survives_its_cage(tmp_path: Path) -> None:
    leaves = "import subprocess; print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid)"

    with Cage.of(60 * MB) as cage:
        run = cage.run([sys.executable, "-c", leaves], timeout_s=60, log=tmp_path / "log")
        hangs = cage.run(["sleep", "60"], timeout_s=0.2)
        groups = set(cages())

    assert (run.exit_code, hangs.exit_code, hangs.timed_out, hangs.survived) == (0, -9, True, False)
    assert not Path(f"/proc/{(tmp_path / 'log').read_text().strip()}/exe").exists()
    assert groups
    assert not groups & set(cages())


def test_where_there_are_no_groups_no_cage_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.cage.parents", lambda: iter(()))

    with pytest.raises(NoCageError, match="memory controller"), Cage.of(60 * MB):
        pass
    assert why_no_cage() == "no group here has the memory controller"


def test_a_group_that_cannot_be_made_is_told_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("bench.cage.parents", lambda: iter([Parent(tmp_path / "file", V2)]))

    assert (why_no_cage() or "").startswith("cgroup v2: Not a directory: ")


def test_groups_of_version_1_are_found_from_the_own_one_up(tmp_path: Path) -> None:
    machine(tmp_path, "4:memory:/shop/job\n", "35 31 0:32 / /cg/memory rw - cgroup cgroup rw,memory\n")

    folders = [parent.folder.relative_to(tmp_path).as_posix() for parent in parents(tmp_path)]

    assert folders == ["cg/memory/shop/job", "cg/memory/shop", "cg/memory"]
    assert {parent.dialect.name for parent in parents(tmp_path)} == {V1.name}


def test_groups_of_version_2_are_those_that_hand_the_controller_down(tmp_path: Path) -> None:
    machine(tmp_path, "0::/user/shell\n", "35 31 0:32 / /cg rw - cgroup2 cgroup2 rw\n")
    (tmp_path / "cg/user/shell").mkdir(parents=True)
    (tmp_path / "cg/user/cgroup.subtree_control").write_text("cpu memory pids\n")
    (tmp_path / "cg/user/shell/cgroup.subtree_control").write_text("")

    (parent,) = parents(tmp_path)

    assert (parent.folder, parent.dialect) == (tmp_path / "cg/user", V2)


def test_counters_are_read_by_name() -> None:
    assert count("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", "oom_kill") == 2
    assert count("low 0\n", "oom_kill") == 0


def machine(root: Path, own_groups: str, mounts: str) -> None:
    """Make a file system that tells of control groups."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(own_groups)
    (root / "proc/self/mountinfo").write_text(mounts)


def cages() -> Iterator[Path]:
    """Yield the groups that cages of this process are now."""
    for parent in parents():
        yield from parent.folder.glob(f"tilepress-cage-{os.getpid()}-*")
