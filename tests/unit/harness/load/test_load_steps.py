"""The arithmetic of the load test."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from harness.load.page import LoadResult
from harness.load.steps import Ended, Plan, Step, knee, measure

PLAN = Plan(callers=(1, 2, 4), step_s=10)


def steady(plan: Plan, latencies_ms: list[float]) -> list[Ended]:
    """Every caller gets one answer after another, of one latency per step, three sentences each."""
    ended = []
    for index, (callers, latency) in enumerate(zip(plan.callers, latencies_ms, strict=True)):
        per_caller = int(plan.step_s * 1000 / latency)
        start = index * plan.step_s
        ended += [Ended(start + (i + 0.5) * latency / 1000, latency, 3) for i in range(per_caller)] * callers
    return ended


def row(callers: int, rate: float, p95: float) -> Step:
    return Step(callers, rate, rate, p95, p95, refused=0, failed=0)


@pytest.mark.parametrize(
    ("elapsed", "step", "counted"),
    [(0.0, 0, False), (1.6, 0, True), (9.99, 0, True), (10.0, 1, False), (29.9, 2, True), (30.0, None, False)],
)
def test_time_falls_into_steps_and_their_beginnings_do_not_count(
    elapsed: float, step: int | None, counted: bool
) -> None:
    assert PLAN.step_at(elapsed) == step
    assert PLAN.counted(elapsed) is counted


@pytest.mark.parametrize(("callers", "step_s"), [((), 10), ((2, 2), 10), ((0, 1), 10), ((1, 2), 0)])
def test_a_plan_that_does_not_rise_is_refused(callers: tuple[int, ...], step_s: float) -> None:
    with pytest.raises(ValueError, match="rising"):
        Plan(callers, step_s)


def test_rates_and_latencies_are_those_of_the_answers() -> None:
    steps = measure(PLAN, steady(PLAN, [50, 50, 100]))
    assert [s.requests_per_s for s in steps] == pytest.approx([20, 40, 40], rel=0.01)
    assert [s.sentences_per_s for s in steps] == pytest.approx([60, 120, 120], rel=0.01)
    assert [s.p95_ms for s in steps] == [50, 50, 100]


def test_what_was_not_answered_is_counted_and_is_no_throughput() -> None:
    failed, refused = Ended(15.0, 1.0, 3, "failed"), Ended(25.0, 1.0, 3, "refused")
    steps = measure(PLAN, [*steady(PLAN, [50, 50, 50]), *[failed] * 7, *[refused] * 5])
    assert [(s.failed, s.refused) for s in steps] == [(0, 0), (7, 0), (0, 5)]
    assert [s.requests_per_s for s in steps] == pytest.approx([20, 40, 80], rel=0.01)


def test_a_step_without_answers_has_no_latency() -> None:
    assert all(math.isnan(s.p95_ms) and s.requests_per_s == 0 for s in measure(PLAN, []))


def test_the_knee_is_the_last_rate_before_callers_wait() -> None:
    steps = [row(1, 20, 50), row(2, 40, 55), row(4, 70, 99), row(8, 75, 140), row(16, 76, 90)]
    found = knee(steps)
    assert found is not None
    assert found.callers == 4


def test_more_callers_without_more_answers_are_not_the_knee() -> None:
    found = knee([row(1, 20, 50), row(2, 40, 55), row(4, 39, 95)])
    assert found is not None
    assert found.callers == 2


def test_a_step_in_which_the_server_refused_is_beyond_the_knee() -> None:
    found = knee([row(1, 20, 50), row(2, 40, 55), replace(row(4, 60, 56), refused=1)])
    assert found is not None
    assert found.callers == 2


def test_no_answers_no_knee() -> None:
    assert knee(measure(PLAN, [])) is None
    assert knee([]) is None


def test_the_page_names_the_knee_and_the_generator() -> None:
    lines = LoadResult([row(1, 20, 50), row(2, 40, 55), row(4, 41, 120)], generator_cpu=0.2).lines()
    assert lines[-2].startswith("knee: 40.0 requests/s with 2 callers")
    assert lines[-1] == "generator: 20% of one core"


def test_a_busy_generator_and_an_unreached_knee_are_said() -> None:
    lines = LoadResult([row(1, 20, 50), row(2, 40, 55)], generator_cpu=0.95).lines()
    assert "not passed" in lines[-2]
    assert "lower bounds" in lines[-1]


def test_the_file_is_json_even_without_answers(tmp_path: Path) -> None:
    LoadResult(measure(PLAN, []), 0.1).write(tmp_path / "load.json")
    tree = json.loads((tmp_path / "load.json").read_text())
    assert tree["knee"] is None
    assert tree["steps"][0]["p95_ms"] is None
