"""How quick a processor is at the moment, by the CPU time that the same small work takes on it.

On a virtual machine this changes from one minute to the next, with what its neighbours do: a load that was 0.8 of the
capacity may be all of it soon after, and nothing that is seen of the server tells one from the other.
"""

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

_ADDITIONS = 25_000
_EVERY_S = 0.25
_LOOKS = 20
"""What counts as the moment: five seconds."""


class Look(NamedTuple):
    """One measurement."""

    at_s: float
    """On the clock of `time.perf_counter`."""
    cpu_s: float


class Pace:
    """What was seen, and what it amounts to at the moment."""

    def __init__(self) -> None:
        self._recent = deque[float](maxlen=_LOOKS)
        self._begun = threading.Event()
        self.looks: list[Look] = []

    @property
    def cpu_s(self) -> float:
        """CPU time of the work at the moment, in seconds: the more, the slower."""
        self._begun.wait()
        return median(self._recent)

    def take(self, cpu_s: float) -> None:
        """One look was taken."""
        self._recent.append(cpu_s)
        self.looks.append(Look(time.perf_counter(), cpu_s))
        self._begun.set()


@contextmanager
def watching(cores: Set[int]) -> Iterator[Pace]:
    """Look at cores during the block, from a process of its own: one that waits for a busy core must not keep the
    generator of load waiting."""
    pace = Pace()
    command = [sys.executable, "-m", "benchmarks.service.pace", *map(str, sorted(cores))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        reader = threading.Thread(target=_read, args=(process.stdout, pace), name="pace", daemon=True)
        reader.start()
        try:
            yield pace
        finally:
            process.terminate()
            reader.join()


def _read(lines: Iterable[str], pace: Pace) -> None:
    for line in lines:
        pace.take(float(line))


def look() -> float:
    """Do the work; returns the CPU time that it took, in seconds."""
    started, total = time.thread_time(), 0
    for number in range(_ADDITIONS):
        total += number * number
    return time.thread_time() - started


def main(cores: Set[int]) -> None:
    """Print a look every now and then, until ended."""
    os.sched_setaffinity(0, cores)
    while True:
        print(look(), flush=True)
        time.sleep(_EVERY_S)


if __name__ == "__main__":
    main({int(core) for core in sys.argv[1:]})
