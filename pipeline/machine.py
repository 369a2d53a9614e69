"""What the machine, or the container, lets a process have: memory, CPUs, disk. Reads only; decides nothing.

The limit of memory is the least of the host's, every cgroup's (v1 and v2, each ancestor) and the rlimits'. The root
of the file system is a parameter, so that a test can show it any container.
"""

import math
import os
import re
import resource
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

_UNLIMITED = 1 << 60  # cgroup v1 writes "no limit" as a number near 2⁶³
_PROPORTIONAL = re.compile(rb"^Pss_(?:Anon|Shmem): *(\d+) kB", re.MULTILINE)  # proc(5): shared pages by their share
_PAGE = resource.getpagesize()


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """How much memory there is, in bytes, and which limit says so."""

    bytes: int
    source: str


def memory_limit(root: Path = Path("/")) -> MemoryLimit:
    """Return the least of all limits in force."""
    limits = [MemoryLimit(psutil.virtual_memory().total, "host"), *_rlimits(), *_cgroup_limits(root)]
    return min(limits, key=lambda limit: limit.bytes)


def cpu_count(root: Path = Path("/")) -> int:
    """Return the CPUs this process may use: of its affinity, and of its cgroup's quota, rounded up; at least 1."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [math.ceil(quota) for quota in _cpu_quotas(root)]
    return max(1, min([available, *quotas]))


def free_disk_bytes(folder: Path) -> int:
    """Return the free bytes on the disk that holds `folder`, or its nearest ancestor that exists."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def anonymous_bytes() -> int:
    """Return the memory that this process and all below it hold and no file backs.

    Page cache and mapped files are not counted: the kernel takes them back when it needs them. What a child shares
    with the process it was forked off counts once.
    """
    own = os.getpid()
    tree = dict(_tree(own, parent=0))
    forked = {pid for pid, parent in tree.items() if parent not in {0, own}}  # this process itself only spawns
    sharing = forked | {tree[pid] for pid in forked}
    return sum(_share(pid) if pid in sharing else _unshared(pid) for pid in tree)


def _tree(pid: int, parent: int) -> Iterator[tuple[int, int]]:
    """Yield `pid` and its descendants, each with its parent; by /proc's lists, which cost less than all processes."""
    yield pid, parent
    try:
        tasks = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - names are wanted, ten times a second
    except OSError:
        tasks = []
    lists = [Path(f"/proc/{pid}/task/{task}/children") for task in tasks]
    if any(path.exists() for path in lists):
        for path in lists:
            with suppress(OSError):  # a thread that has ended meanwhile; its children are another's now
                for child in path.read_text().split():
                    yield from _tree(int(child), pid)
        return
    with suppress(psutil.Error):
        yield from ((child.pid, child.ppid()) for child in psutil.Process(pid).children(recursive=True))


def _share(pid: int) -> int:
    """Return the memory of a process, of pages it shares with others its share only."""
    with suppress(OSError):
        found = _PROPORTIONAL.findall(Path(f"/proc/{pid}/smaps_rollup").read_bytes())
        if found:
            return sum(int(kilobytes) * 1024 for kilobytes in found)
    return _unshared(pid)  # an older kernel, or a sandbox that is none


def _unshared(pid: int) -> int:
    """Return the memory of a process that shares none, which costs a hundredth of finding the shares."""
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/statm").read_text().split()
        return (int(fields[1]) - int(fields[2])) * _PAGE
    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def _rlimits() -> Iterator[MemoryLimit]:
    for name in ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_RSS"):
        kind = getattr(resource, name, None)
        if kind is not None:
            soft, _ = resource.getrlimit(kind)
            if soft != resource.RLIM_INFINITY:
                yield MemoryLimit(soft, name)


def _cgroup_limits(root: Path) -> Iterator[MemoryLimit]:
    for version, folder in _cgroup_folders(root, "memory"):
        name = "memory.max" if version == "cgroup v2" else "memory.limit_in_bytes"
        text = _read(folder / name)
        if text.isdigit() and int(text) < _UNLIMITED:
            yield MemoryLimit(int(text), version)


def _cpu_quotas(root: Path) -> Iterator[float]:
    for version, folder in _cgroup_folders(root, "cpu"):
        if version == "cgroup v2":
            quota, _, period = _read(folder / "cpu.max").partition(" ")
        else:
            quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period):
            yield int(quota) / int(period)


def _cgroup_folders(root: Path, controller: str) -> Iterator[tuple[str, Path]]:
    """Yield (version, folder) of this process's group and all its ancestors that can be seen from here."""
    groups = _own_groups(root)
    for line in _read(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")  # proc(5): fields before and after the separator
        mounted, place = before.split()[3:5] if len(before.split()) > 4 else ("", "")  # noqa: PLR2004
        kind, _, options = after.partition(" ")
        if kind == "cgroup2":
            version, group = "cgroup v2", groups.get("")
        elif kind == "cgroup" and controller in options.split(" ")[-1].split(","):
            version, group = "cgroup v1", groups.get(controller)
        else:
            continue
        if group is not None:
            mount = root / place.lstrip("/")
            yield from ((version, folder) for folder in _up_to(mount, _below(group, mounted)))


def _own_groups(root: Path) -> dict[str, str]:
    """Return this process's group by controller; under "" the one of cgroup v2."""
    groups = {}
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        for controller in controllers.split(","):
            groups[controller] = path
    return groups


def _below(group: str, mounted: str) -> PurePosixPath:
    """Return the group's path below the mount; the mount itself when the group lies outside it, as in a container."""
    with suppress(ValueError):
        relative = PurePosixPath(group).relative_to(mounted)
        if ".." not in relative.parts:
            return relative
    return PurePosixPath()


def _up_to(mount: Path, relative: PurePosixPath) -> Iterator[Path]:
    folder = mount / relative
    while True:
        yield folder
        if folder == mount:
            return
        folder = folder.parent


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
