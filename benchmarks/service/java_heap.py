"""What lives in a Java process's heap, beside what the heap has touched.

Java uses one page of its heap after the other, up to `-Xmx`, before it looks for what of them is not needed any more.
Memory of the process that grows says nothing of a leak, therefore; what is left after a collection does.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.service.vitals import Vitals

_GENERATION = re.compile(r"^ *\S.* total \d+K, used (?P<used>\d+)K (?P<places>\[0x.*\))$", re.MULTILINE)
"""A line of jcmd's `GC.heap_info`: `tenured generation   total 258048K, used 42589K [0x…, 0x…, 0x…)`."""
_PLACE = re.compile(r"0x[0-9a-f]+")
_MAPPING = re.compile(r"^(?P<first>[0-9a-f]+)-(?P<last>[0-9a-f]+) .*?^Anonymous: +(?P<kib>\d+) kB$", re.M | re.S)
"""An entry of `/proc/PID/smaps`."""
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

    @property
    def touched_mib(self) -> float:
        """What of the process's anonymous memory it takes now."""
        text = Path(f"/proc/{self.pid}/smaps").read_text(encoding="utf-8")
        return sum(kib for first, last, kib in _mappings(text) if self.first <= first and last <= self.end) / 1024

    def instead_of_touched(self, vitals: Vitals) -> Vitals:
        """Vitals of the process whose own memory holds of the heap what lives in it alone; others as they are."""
        if vitals.pid != self.pid:
            return vitals
        return replace(vitals, own_mib=vitals.own_mib - self.touched_mib + self.live_mib)


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


def _mappings(smaps: str) -> Iterator[tuple[int, int, int]]:
    """Ends of each mapping, and its anonymous memory in KiB."""
    for found in _MAPPING.finditer(smaps):
        yield int(found["first"], 16), int(found["last"], 16), int(found["kib"])


def _jcmd(pid: int, command: str) -> str:
    jcmd = shutil.which("jcmd")
    if jcmd is None:
        raise RuntimeError("Java's heap is looked at by jcmd: install a JDK, such as openjdk-17-jdk-headless")
    try:
        done = subprocess.run([jcmd, str(pid), command], capture_output=True, text=True, timeout=_JCMD_S, check=True)
    except subprocess.CalledProcessError as failed:
        raise RuntimeError(f"jcmd {pid} {command} failed: {failed.stderr or failed.stdout}") from failed
    return done.stdout
