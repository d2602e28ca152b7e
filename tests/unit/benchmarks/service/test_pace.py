"""The pace of a processor is the CPU time of the same work on it, of late."""

import io
import os
import time
from collections.abc import Iterator

import pytest

from benchmarks.service import pace as module
from benchmarks.service.pace import Pace, look, watching


def test_the_pace_is_the_median_of_the_last_looks() -> None:
    pace = Pace()
    for spent_s in (9.0, 0.001, 0.002, 0.003):
        pace.take(spent_s)
    assert pace.now_s == 0.0025
    for _ in range(20):
        pace.take(0.005)
    assert pace.now_s == 0.005
    assert len(pace.looks) == 24


def test_a_pace_that_nobody_looks_at_any_more_is_not_told() -> None:
    pace = Pace()
    with pytest.raises(RuntimeError, match="has not begun"):
        _ = pace.now_s
    module._read(io.StringIO("0.002\n0.003\n"), pace)
    assert [each.pace_s for each in pace.looks] == [0.002, 0.003]
    with pytest.raises(RuntimeError, match="has ended"):
        _ = pace.now_s


def test_only_the_threads_own_cpu_time_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    clock: Iterator[float] = iter([5.0, 5.25])
    monkeypatch.setattr(time, "thread_time", lambda: next(clock))
    assert look() == 0.25


def test_a_core_is_watched_during_a_block() -> None:
    with watching({min(os.sched_getaffinity(0))}) as pace:
        assert pace.now_s > 0
        deadline = time.monotonic() + 20
        while len(pace.looks) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    with pytest.raises(RuntimeError, match="has ended"):
        _ = pace.now_s


def test_a_watcher_that_cannot_begin_is_told() -> None:
    with watching({999_999}) as pace, pytest.raises(RuntimeError, match="has ended, or has not begun"):
        _ = pace.now_s
