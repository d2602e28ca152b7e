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
from contextlib import contextmanager, suppress
from statistics import median
from typing import NamedTuple

_ADDITIONS = 25_000
_EVERY_S = 0.25
_LOOKS = 20
"""What counts as the moment: five seconds."""
_FIRST_S = 60.0


class Look(NamedTuple):
    """One measurement."""

    at_s: float
    """On the clock of `time.perf_counter`."""
    pace_s: float
    """CPU time of the work, in seconds: the more, the slower."""


class Pace:
    """What was seen, and what it amounts to at the moment."""

    def __init__(self) -> None:
        self._recent = deque[float](maxlen=_LOOKS)
        self._ended = False
        self.begun = threading.Event()
        """There is a first look, or there will be none."""
        self.looks: list[Look] = []

    @property
    def now_s(self) -> float:
        """The pace at the moment.

        Raises:
            RuntimeError: nobody looks any more.
        """
        if self._ended or not self._recent:
            raise RuntimeError("the process that looks at the pace of the core has ended, or has not begun")
        return median(self._recent)

    def take(self, pace_s: float) -> None:
        """One look was taken."""
        self._recent.append(pace_s)
        self.looks.append(Look(time.perf_counter(), pace_s))
        self.begun.set()

    def end(self) -> None:
        """There will be no other look."""
        self._ended = True
        self.begun.set()


@contextmanager
def watching(cores: Set[int]) -> Iterator[Pace]:
    """Look at cores during the block, from a process of its own: one that waits for a busy core must not keep the
    generator of load waiting.

    Raises:
        RuntimeError: there was no look within `_FIRST_S`.
    """
    pace = Pace()
    command = [sys.executable, "-m", "benchmarks.service.pace", *map(str, sorted(cores))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        reader = threading.Thread(target=_read, args=(process.stdout, pace), name="pace", daemon=True)
        reader.start()
        try:
            if not pace.begun.wait(_FIRST_S):
                raise RuntimeError(f"no look at the pace of the core within {_FIRST_S:g} s")
            yield pace
        finally:
            process.terminate()
            reader.join()


def _read(lines: Iterable[str], pace: Pace) -> None:
    for line in lines:
        pace.take(float(line))
    pace.end()


def look() -> float:
    """Do the work; returns the CPU time that it took, in seconds."""
    started, total = time.thread_time(), 0
    for number in range(_ADDITIONS):
        total += number * number
    return time.thread_time() - started


def main(cores: Set[int]) -> None:
    """Print a look every now and then, until ended or nobody reads them."""
    os.sched_setaffinity(0, cores)
    with suppress(BrokenPipeError):  # nobody listens any more
        while True:
            print(look(), flush=True)
            time.sleep(_EVERY_S)


if __name__ == "__main__":
    main({int(core) for core in sys.argv[1:]})
