"""Where a control group with a memory limit can be made, and how its files are called in cgroup v1 and v2.

Linux only. Reads and names; `bench.cage` makes, fills and removes.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class Dialect:
    """The files of a group that limit memory, with what is written into them (`None`: the limit), and that count kills.

    `required` must be there; `optional` ones exist only where the kernel has swap accounting or swap at all.
    """

    name: str
    required: dict[str, int | None]
    optional: dict[str, int | None]
    kills: str


# In v1 memory and swap together may not be limited below memory: the order of writing counts.
V1 = Dialect(
    "cgroup v1",
    {"memory.limit_in_bytes": None},
    {"memory.memsw.limit_in_bytes": None, "memory.swappiness": 0},
    "memory.oom_control",
)
V2 = Dialect("cgroup v2", {"memory.max": None}, {"memory.swap.max": 0}, "memory.events")


@dataclass(frozen=True, slots=True)
class Parent:
    """A group below which memory could be limited; whether this user may is known only by trying."""

    folder: Path
    dialect: Dialect


def parents(root: Path = Path("/")) -> Iterator[Parent]:
    """Yield this process's own group, and then those above it, wherever the memory controller is to be had.

    The own group comes first: what limits this process shall go on limiting what it starts. `root` is that of the
    file system, so that a test can show it any machine.
    """
    groups = _own_groups(root)
    for line in _read(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")  # proc(5): fields before and after the separator
        mounted, mount = before.split()[3:5]
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup" and "memory" in options.split(","):
            dialect, group = V1, groups.get("memory")
        elif kind == "cgroup2":
            dialect, group = V2, groups.get("")
        else:
            continue
        if group is not None:
            for folder in _up_to(root / mount.lstrip("/"), _below(group, mounted)):
                if dialect is V1 or "memory" in _read(folder / "cgroup.subtree_control").split():
                    yield Parent(folder, dialect)


def count(text: str, name: str) -> int:
    """Return the number after `name` in a file of lines `name number`; 0 when it is not there."""
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.isdigit():
            return int(value)
    return 0


def _own_groups(root: Path) -> dict[str, str]:
    """Return this process's group by controller; under "" the one of cgroup v2."""
    groups = {}
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        groups.update(dict.fromkeys(controllers.split(","), path))
    return groups


def _below(group: str, mounted: str) -> PurePosixPath:
    """Return the group's path below the mount; the mount itself when the group lies outside it, as in a container."""
    with suppress(ValueError):
        relative = PurePosixPath(group).relative_to(mounted)
        if ".." not in relative.parts:
            return relative
    return PurePosixPath()


def _up_to(mount: Path, relative: PurePosixPath) -> Iterator[Path]:
    yield mount / relative
    yield from (mount / parent for parent in relative.parents)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
