"""Each block of a soak has a capacity of its own, and tells what was refused and how busy the server was in it."""

import math
from dataclasses import replace

import pytest

from benchmarks.service.blocks import LEAST_PER_S, Block, Broken, Sample, Search
from benchmarks.service.calls import Ended
from benchmarks.service.pace import Look, Pace
from benchmarks.service.vitals import Vitals

BLOCK = Block(Search(12, [Ended(at, at, at + 0.5, "OK") for at in range(12)], 0.002), 100, 50, [])


def sample(at_s: float, cpu_s: float) -> Sample:
    return Sample(at_s, [Vitals(pid, "worker", 1, 1, 1, cpu_s / 2) for pid in (1, 2)])


def test_capacity_leaves_out_the_time_in_which_a_search_settles() -> None:
    early = [Ended(0.1 * number, 0.1 * number, 1, "OK") for number in range(10)]
    assert BLOCK.search.capacity_per_s == pytest.approx(1.0)
    assert replace(BLOCK.search, ended=[*early, *BLOCK.search.ended]).capacity_per_s == pytest.approx(1.0)


def test_a_share_of_capacity_follows_the_pace_of_the_processor() -> None:
    pace = Pace()
    pace.take(0.002)
    assert BLOCK.search.share_per_s(2.0, pace) == pytest.approx(2.0)
    for _ in range(20):
        pace.take(0.004)  # the same work takes twice the time by now
    assert replace(BLOCK.search, pace_s=0.008).share_per_s(0.8, pace) == pytest.approx(1.6)
    assert BLOCK.search.share_per_s(0.8, pace) == LEAST_PER_S
    assert BLOCK.pace_ms([Look(99, 1), Look(100, 0.003), Look(120, 0.002), Look(149, 0.009)]) == pytest.approx(3)


def test_only_refusals_of_its_own_time_count() -> None:
    broken = [Broken(99, "RESOURCE_EXHAUSTED"), Broken(100, "RESOURCE_EXHAUSTED"), Broken(149, "UNAVAILABLE")]
    assert BLOCK.refused(broken) == 1
    assert BLOCK.refused([Broken(150, "RESOURCE_EXHAUSTED")]) == 0


def test_busy_is_the_cpu_time_of_all_processes_per_second_of_the_load() -> None:
    assert BLOCK.busy([sample(90, 0), sample(100, 9), sample(140, 37), sample(155, 99)]) == pytest.approx(0.7)


def test_what_cannot_be_told_is_no_number() -> None:
    assert math.isnan(BLOCK.busy([sample(90, 0), sample(140, 37)]))  # one sample in it
    other = Sample(140, [Vitals(3, "worker", 1, 1, 1, 9.0)])
    assert math.isnan(BLOCK.busy([sample(110, 0), other]))
    assert math.isnan(BLOCK.cost_ms([sample(110, 0), sample(140, 37)]))  # nothing was answered
    assert math.isnan(BLOCK.pace_ms([]))


def test_cost_is_cpu_time_per_answer() -> None:
    answering = replace(BLOCK, ended=[Ended(at, at, at + 0.1, "OK") for at in range(50)])
    assert answering.cost_ms([sample(100, 0), sample(140, 20)]) == pytest.approx(500)
