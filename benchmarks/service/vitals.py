"""What the processes of a server take, by what they are."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.service.served import Served

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Vitals:
    """One process at one moment."""

    pid: int
    role: str
    """See `role_of`; with a number where there are several."""
    pss_mib: float
    """Memory, of which what is shared with other processes counts in parts."""
    own_mib: float
    """Anonymous memory: what leaks. Unlike PSS it does not change with what other programs on the machine share."""
    files: int
    """Open file descriptors."""
    cpu_s: float
    """CPU time since its start, without that of its children."""


def take(server: Served) -> list[Vitals]:
    """Vitals of every process of a server, in the order in which they were started."""
    found = sorted(server.processes().items(), key=lambda each: each[0].pid)
    return [_vitals(process, role) for process, role in _numbered(found)]


def _numbered(found: Iterable[tuple[psutil.Process, str]]) -> Iterable[tuple[psutil.Process, str]]:
    seen: dict[str, int] = {}
    for process, role in found:
        seen[role] = seen.get(role, 0) + 1
        yield process, role if seen[role] == 1 else f"{role} {seen[role]}"


def _anonymous_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.findall(r"RssAnon:\s+(\d+) kB", status)[0])


def _vitals(process: psutil.Process, role: str) -> Vitals:
    memory, cpu = process.memory_full_info(), process.cpu_times()
    return Vitals(
        pid=process.pid,
        role=role,
        pss_mib=memory.pss / _MIB,
        own_mib=_anonymous_kib(process.pid) / 1024,
        files=process.num_fds(),
        cpu_s=cpu.user + cpu.system,
    )
