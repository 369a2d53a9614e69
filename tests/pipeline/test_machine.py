"""The machine's limits, read from any container's files."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from pipeline.machine import MemoryLimit, anonymous_bytes, cpu_count, free_disk_bytes, memory_limit

V2_MOUNT = "30 23 0:26 {root} /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
V1_MOUNT = "36 29 0:31 {root} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
V1_CPU = "37 29 0:32 {root} /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"


def container(root: Path, mounts: str, groups: str, files: dict[str, str]) -> Path:
    """Lay out the files by which a container's limits are told."""
    for name, text in {"proc/self/mountinfo": mounts, "proc/self/cgroup": groups, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def host() -> MemoryLimit:
    return MemoryLimit(psutil.virtual_memory().total, "host")


def test_without_cgroups_the_host_is_the_limit(tmp_path: Path) -> None:
    assert memory_limit(tmp_path) == host()


def test_cgroup_v2_in_a_container_of_its_own_namespace(tmp_path: Path) -> None:
    root = container(tmp_path, V2_MOUNT.format(root="/"), "0::/\n", {"sys/fs/cgroup/memory.max": "268435456\n"})
    assert memory_limit(root) == MemoryLimit(268435456, "cgroup v2")


def test_cgroup_v2_without_a_limit(tmp_path: Path) -> None:
    root = container(tmp_path, V2_MOUNT.format(root="/"), "0::/\n", {"sys/fs/cgroup/memory.max": "max\n"})
    assert memory_limit(root) == host()


def test_the_least_of_nested_groups_counts(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/a/memory.max": "100000000\n",
        "sys/fs/cgroup/a/b/memory.max": "max\n",
        "sys/fs/cgroup/a/b/c/memory.max": "900000000\n",
    }
    root = container(tmp_path, V2_MOUNT.format(root="/"), "0::/a/b/c\n", files)
    assert memory_limit(root) == MemoryLimit(100000000, "cgroup v2")


def test_cgroup_v1_by_its_memory_controller(tmp_path: Path) -> None:
    groups = "5:cpu,cpuacct:/elsewhere\n4:memory:/docker/abc\n0::/\n"
    files = {
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "209715200\n",
    }
    root = container(tmp_path, V1_MOUNT.format(root="/"), groups, files)
    assert memory_limit(root) == MemoryLimit(209715200, "cgroup v1")


def test_cgroup_v1_seen_from_inside_its_container(tmp_path: Path) -> None:
    root = container(
        tmp_path,
        V1_MOUNT.format(root="/docker/abc"),
        "4:memory:/docker/abc\n",
        {"sys/fs/cgroup/memory/memory.limit_in_bytes": "209715200\n"},
    )
    assert memory_limit(root) == MemoryLimit(209715200, "cgroup v1")


def test_a_group_outside_the_mount_means_the_mount_itself(tmp_path: Path) -> None:
    root = container(
        tmp_path, V2_MOUNT.format(root="/pod"), "0::/../other\n", {"sys/fs/cgroup/memory.max": "77000000\n"}
    )
    assert memory_limit(root) == MemoryLimit(77000000, "cgroup v2")


def test_an_rlimit_below_all_else_is_the_limit() -> None:
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_DATA, (300_000_000, 300_000_000));"
        "from pipeline.machine import memory_limit; print(memory_limit())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(MemoryLimit(300_000_000, "RLIMIT_DATA"))


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="CPU affinity is Linux's")
def test_cpus_are_those_of_affinity_and_quota(tmp_path: Path) -> None:
    usable = len(os.sched_getaffinity(0))
    assert cpu_count(tmp_path) == usable

    v2 = container(tmp_path / "v2", V2_MOUNT.format(root="/"), "0::/\n", {"sys/fs/cgroup/cpu.max": "50000 100000\n"})
    assert cpu_count(v2) == 1

    files = {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}
    v1 = container(tmp_path / "v1", V1_CPU.format(root="/"), "3:cpu,cpuacct:/\n", files)
    assert cpu_count(v1) == usable


def test_memory_of_children_is_counted_and_that_of_mapped_files_is_not(tmp_path: Path) -> None:
    path = tmp_path / "mapped"
    path.write_bytes(bytes(80_000_000))
    before = anonymous_bytes()
    mapped = np.memmap(path, np.uint8, "r")
    assert int(mapped.sum()) == 0
    assert anonymous_bytes() - before < 20_000_000

    script = "data = bytearray(b'1') * 90_000_000; print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        assert anonymous_bytes() - before > 85_000_000
        child.communicate("\n")


def test_free_disk_of_a_folder_that_is_not_there_yet_is_its_ancestors(tmp_path: Path) -> None:
    assert free_disk_bytes(tmp_path / "not" / "yet") > 0
