"""Load in blocks, before each of which capacity is taken anew, and how busy the server was in each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import NamedTuple

from benchmarks.service.calls import REFUSED, Ended
from benchmarks.service.figures import Figures, figures
from benchmarks.service.pace import Look, Pace
from benchmarks.service.vitals import Vitals

LEAST_PER_S = 1.0
"""Calls per second that a server gets, whatever was found of its capacity."""
SETTLING_S = 2.0
"""At the start of a search for capacity, while what came before is still in the server."""


class Sample(NamedTuple):
    """The server's processes at one moment."""

    at_s: float
    """On the clock of `time.perf_counter`."""
    processes: Sequence[Vitals]

    @property
    def pids(self) -> tuple[int, ...]:
        """Which processes there were."""
        return tuple(each.pid for each in self.processes)

    @property
    def cpu_s(self) -> float:
        """CPU time that all of them have taken."""
        return sum(each.cpu_s for each in self.processes)


class Broken(NamedTuple):
    """A try that was not answered; its call may have been, later."""

    at_s: float
    """On the clock of `time.perf_counter`."""
    status: str


@dataclass(frozen=True)
class Search:
    """A search for capacity: a few callers who wait for their answers."""

    seconds: float
    ended: Sequence[Ended]
    pace_s: float
    """The processor's pace at its end, see `Look`."""

    @cached_property
    def capacity_per_s(self) -> float:
        """Answers per second."""
        return figures([self.ended], self.seconds, SETTLING_S).goodput_per_s

    def share_per_s(self, share: float, pace: Pace) -> float:
        """A share of the capacity that there is at the moment, at whatever pace the processor works by now; but never
        less than `LEAST_PER_S`, so that a server that answered nothing is asked again."""
        return max(LEAST_PER_S, share * self.capacity_per_s * self.pace_s / pace.now_s)


@dataclass(frozen=True, slots=True)
class Block:
    """A search for capacity, and the load at a share of it."""

    search: Search
    begun_s: float
    """When the load began, on the clock of `time.perf_counter`."""
    seconds: float
    """How long calls were sent."""
    ended: Sequence[Ended]

    @property
    def load(self) -> Figures:
        """Figures of the load alone."""
        return figures([self.ended], self.seconds)

    def refused(self, broken: Sequence[Broken]) -> int:
        """Tries that were refused while it was sent."""
        return sum(each.status == REFUSED and self._holds(each.at_s) for each in broken)

    def busy(self, samples: Sequence[Sample]) -> float:
        """CPU time of the server per second of the load: 0…1 for a server that has one core; NaN where fewer than two
        samples were taken, or processes came and went between the first and the last of them."""
        inside = [each for each in samples if self._holds(each.at_s)]
        if len(inside) < 2 or inside[0].pids != inside[-1].pids:
            return math.nan
        return (inside[-1].cpu_s - inside[0].cpu_s) / (inside[-1].at_s - inside[0].at_s)

    def cost_ms(self, samples: Sequence[Sample]) -> float:
        """CPU time of the server per answer, in milliseconds; NaN where that cannot be told."""
        answered_per_s = self.load.goodput_per_s
        return 1000 * self.busy(samples) / answered_per_s if answered_per_s else math.nan

    def pace_ms(self, looks: Sequence[Look]) -> float:
        """The processor's pace during the load, see `Look`: the median, in milliseconds; NaN if nobody looked."""
        inside = [each.pace_s for each in looks if self._holds(each.at_s)]
        return 1000 * median(inside) if inside else math.nan

    def _holds(self, at_s: float) -> bool:
        return self.begun_s <= at_s < self.begun_s + self.seconds


def blocks_table(
    blocks: Sequence[Block], broken: Sequence[Broken], samples: Sequence[Sample], looks: Sequence[Look]
) -> str:
    """One row for each block, as Markdown; *pace* is that of the processor, see `Look`."""
    lines = [
        "| block | capacity /s | offered /s | p50 ms | p99 ms | refused tries | busy | CPU ms per answer | pace ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for number, block in enumerate(blocks, 1):
        load = block.load
        lines.append(
            f"| {number} | {block.search.capacity_per_s:.1f} | {load.offered_per_s:.1f} | {load.p50_ms:.0f} "
            f"| {load.p99_ms:.0f} | {block.refused(broken)} | {block.busy(samples):.2f} "
            f"| {block.cost_ms(samples):.2f} | {block.pace_ms(looks):.2f} |"
        )
    return "\n".join(lines)
