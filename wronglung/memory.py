"""How much memory is left for what is started now: in a container less than the machine has."""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class _Files(NamedTuple):
    """What a control group calls its files, and the line of `memory.stat` that counts files kept in memory, which give
    way when memory runs short."""

    limit: str
    usage: str
    reclaimable: str


_V1 = _Files("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_V2 = _Files("memory.max", "memory.current", "inactive_file")


def available_memory(membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes that this process and its children can still have: what the machine has left, or less where a control
    group limits them.

    Args:
        membership: names the control groups of this process.
        root: where control groups are mounted.
    """
    import psutil

    left = [_left(group, files) for group, files in _groups(membership, root)]
    return min([psutil.virtual_memory().available, *(each for each in left if each is not None)])


def can_have(size: int) -> bool:
    """Whether this process can still get so many bytes from the system at once. They are given back untouched."""
    try:
        mmap.mmap(-1, size).close()
    except OSError:
        return False
    return True


def _groups(membership: Path, root: Path) -> Iterator[tuple[Path, _Files]]:
    """The control groups that count this process's memory, each with those above it: the strictest one decides.

    In a container the path may be one that only the host knows; the mounted root is then the container's own group.
    """
    try:
        lines = membership.read_text().splitlines()
    except OSError:  # another system than Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            mount, files = root / "memory", _V1
        elif not controllers:
            mount, files = root, _V2
        else:
            continue
        group = mount / path.lstrip("/")
        yield from ((each, files) for each in (group, *group.parents) if each.is_relative_to(mount))


def _left(group: Path, files: _Files) -> int | None:
    """Bytes that the group may still take; None where it has no limit, or is not to be seen."""
    try:
        limit = (group / files.limit).read_text().strip()
        if limit == "max":
            return None
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        taken = int((group / files.usage).read_text()) - int(statistics.get(files.reclaimable, 0))
    except OSError:
        return None
    return max(0, int(limit) - taken)
