"""What calls under load amount to."""

import math

import pytest

from benchmarks.service.calls import Ended
from benchmarks.service.figures import figures


def call(intended_s: float, latency_s: float, status: str = "OK", late_s: float = 0.0) -> Ended:
    return Ended(intended_s, intended_s + late_s, intended_s + latency_s, status)


def test_answers_refusals_and_failures_are_told_apart() -> None:
    found = figures([[call(1, 0.1), call(2, 0.01, "RESOURCE_EXHAUSTED"), call(3, 5, "UNAVAILABLE"), call(4, 0.1)]], 10)
    assert (found.offered_per_s, found.goodput_per_s) == (0.4, 0.2)
    assert (found.refusals, found.failures) == (1, {"UNAVAILABLE": 1})
    assert found.refusals_p95_ms == pytest.approx(10)
    assert found.p99_ms == pytest.approx(100)


def test_what_settles_is_left_out_of_every_block_but_its_answers_count_when_they_come() -> None:
    blocks = [[call(0.5, 1.0), call(5, 0.1)], [call(0.5, 0.1), call(9.9, 0.5)]]
    found = figures(blocks, seconds=10, settling_s=1)
    assert found.offered_per_s == pytest.approx(2 / 18)
    assert found.goodput_per_s == pytest.approx(2 / 18)  # the first came at 1.5, the last only after the end
    assert found.p99_ms < 500


def test_a_late_generator_shows() -> None:
    assert figures([[call(1, 0.5, late_s=0.2)]], 10).late_p99_ms == pytest.approx(200)


def test_what_there_is_none_of_is_no_number() -> None:
    found = figures([[call(1, 0.1, "RESOURCE_EXHAUSTED")]], 10)
    assert math.isnan(found.p50_ms)
    assert found.goodput_per_s == 0
