"""What one input costs, and what it must not do: take long, take memory, or compute with values that are no numbers."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_MIB = 1 << 20
_STATUS = Path("/proc/self/status")
_CLEAR_PEAK = Path("/proc/self/clear_refs"), "5"


class Finding(AssertionError):
    """Something that an input must not do."""


@dataclass(frozen=True)
class Allowance:
    """What an input may take: so much, and so much more for each megapixel of an image that passes the limits."""

    cpu_s: float = 1.0
    cpu_s_per_megapixel: float = 0.04
    mib: float = 128
    mib_per_megapixel: float = 14

    def cpu_limit_s(self, megapixels: float) -> float:
        return self.cpu_s + megapixels * self.cpu_s_per_megapixel

    def mib_limit(self, megapixels: float) -> float:
        return self.mib + megapixels * self.mib_per_megapixel


Check = Callable[[bytes], float]
"""Raises if an input is not answered as it should be; returns the megapixels it may claim time and memory for."""


def examine(check: Check, data: bytes, allowance: Allowance) -> None:
    """Hold one input against its target's check and allowance.

    CPU time is that of this process and of its children: what else the machine does is no finding.

    Raises:
        Finding: it took too much, or computed with what is no number.
        Exception: whatever the check raises.
    """
    before_mib, started_s = _resident_mib(), _cpu_s()
    with _numbers_only():
        megapixels = check(data)
    taken_s, taken_mib = _cpu_s() - started_s, _peak_mib() - before_mib
    if taken_s > allowance.cpu_limit_s(megapixels):
        raise Finding(f"{taken_s:.2f} s of CPU time for {len(data)} bytes and {megapixels:.2f} megapixels")
    if taken_mib > allowance.mib_limit(megapixels):
        raise Finding(f"{taken_mib:.0f} MiB for {len(data)} bytes and {megapixels:.2f} megapixels")


@contextmanager
def _numbers_only() -> Iterator[None]:
    """Tell of values that numpy finds invalid, even where the exception of a decoder would be taken for damage."""
    seen: list[str] = []
    with np.errstate(invalid="call", call=lambda kind, _flag: seen.append(kind)):
        yield
    if seen:
        raise Finding(f"computed with what is no number: {seen[0]}")


def _cpu_s() -> float:
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def _resident_mib() -> float:
    """Memory of this process now; from here on its peak is counted anew."""
    path, command = _CLEAR_PEAK
    path.write_text(command)
    return _figure_mib("VmRSS")


def _peak_mib() -> float:
    return _figure_mib("VmHWM")


def _figure_mib(name: str) -> float:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024 / _MIB
    raise RuntimeError(f"no {name} in {_STATUS}: fuzzing needs Linux")
