"""What lives in a Java process's heap, beside what the heap has touched.

Java uses one page of its heap after the other, up to `-Xmx`, before it looks for what of them is not needed any more.
Memory of the process that grows says nothing of a leak, therefore; what is left after a collection does.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.service.vitals import Vitals

_GENERATION = re.compile(r"^ *\S.* total .*\bused (?P<used>\d+)K (?P<places>\[0x.*\))$", re.MULTILINE)
"""A line of jcmd's `GC.heap_info`: `tenured generation   total 258048K, used 42589K [0x…, 0x…, 0x…)`."""
_PLACE = re.compile(r"0x[0-9a-f]+")
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) ")
_ANONYMOUS = re.compile(r"Anonymous: +(\d+) kB")
"""The first line of an entry of `/proc/PID/smaps`, and the one that tells how much of it is the process's own."""
_JCMD_S = 60.0


@dataclass(frozen=True, slots=True)
class JavaHeap:
    """The heap of a process that runs Java, after a collection."""

    pid: int
    first: int
    """Its first address."""
    end: int
    """The one after its last."""
    live_mib: float
    """What was left in it."""

    def instead_of_touched(self, vitals: Vitals) -> Vitals:
        """Vitals of the process whose own memory holds of the heap what lives in it alone; others as they are.

        Raises:
            OSError: the process has ended.
            RuntimeError: memory that lies half in the heap.
        """
        if vitals.pid != self.pid:
            return vitals
        return replace(vitals, own_mib=self.beside_mib(_smaps(self.pid)) + self.live_mib)

    def beside_mib(self, smaps: str) -> float:
        """The anonymous memory beside the heap, in MiB.

        Raises:
            RuntimeError: memory that lies half in the heap.
        """
        return sum(kib for first, end, kib in mappings(smaps) if not self._holds(first, end)) / 1024

    def _holds(self, first: int, end: int) -> bool:
        if first >= self.end or end <= self.first:
            return False
        if self.first <= first and end <= self.end:
            return True
        raise RuntimeError(f"memory from {first:x} to {end:x} lies half in Java's heap, {self.first:x} to {self.end:x}")


def collected(pid: int) -> JavaHeap:
    """Collect what a Java process does not need any more, and look at what is left.

    Raises:
        RuntimeError: jcmd is not installed, does not reach the process, or says what is not understood.
    """
    _jcmd(pid, "GC.run")
    return heap_in(pid, _jcmd(pid, "GC.heap_info"))


def heap_in(pid: int, said: str) -> JavaHeap:
    """The heap by what jcmd's `GC.heap_info` said.

    Raises:
        RuntimeError: it names no generation of a heap.
    """
    generations = list(_GENERATION.finditer(said))
    if not generations:
        raise RuntimeError(f"no heap in what jcmd says of process {pid}:\n{said}")
    places = [int(place, 16) for found in generations for place in _PLACE.findall(found["places"])]
    return JavaHeap(pid, min(places), max(places), sum(int(found["used"]) for found in generations) / 1024)


def mappings(smaps: str) -> list[tuple[int, int, int]]:
    """First address of each mapping, the one after its last, and its anonymous memory in KiB.

    Args:
        smaps: what `/proc/PID/smaps` says.
    """
    found: list[tuple[int, int, int]] = []
    for line in smaps.splitlines():
        if place := _MAPPING.match(line):
            found.append((int(place[1], 16), int(place[2], 16), 0))
        elif (anonymous := _ANONYMOUS.match(line)) and found:
            found[-1] = (*found[-1][:2], int(anonymous[1]))
    return found


def _smaps(pid: int) -> str:
    return Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8")


def _jcmd(pid: int, command: str) -> str:
    jcmd = shutil.which("jcmd")
    if jcmd is None:
        raise RuntimeError("Java's heap is looked at by jcmd: install a JDK, such as openjdk-17-jdk-headless")
    try:
        done = subprocess.run([jcmd, str(pid), command], capture_output=True, text=True, timeout=_JCMD_S, check=True)
    except subprocess.CalledProcessError as failed:
        raise RuntimeError(f"jcmd {pid} {command} failed: {failed.stderr or failed.stdout}") from failed
    except subprocess.TimeoutExpired as late:
        raise RuntimeError(f"jcmd {pid} {command} was not answered within {_JCMD_S:g} s") from late
    return done.stdout
