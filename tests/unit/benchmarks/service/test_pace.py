"""The pace of a processor is the CPU time of the same work on it, of late."""

import os
import time

from benchmarks.service.pace import Pace, look, watching


def test_the_pace_is_the_median_of_the_last_looks() -> None:
    pace = Pace()
    for spent_s in (9.0, 0.001, 0.002, 0.003):
        pace.take(spent_s)
    assert pace.cpu_s == 0.0025
    for _ in range(20):
        pace.take(0.005)
    assert pace.cpu_s == 0.005
    assert len(pace.looks) == 24


def test_time_in_which_others_have_the_processor_is_no_part_of_a_look() -> None:
    before = time.process_time()
    assert 0 < look() <= time.process_time() - before


def test_a_core_is_watched_during_a_block() -> None:
    with watching({min(os.sched_getaffinity(0))}) as pace:
        deadline = time.monotonic() + 20
        while len(pace.looks) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert pace.cpu_s > 0
    assert pace.looks == sorted(pace.looks)
