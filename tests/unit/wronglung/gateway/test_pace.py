"""How quickly a model gets through its work."""

import math

import pytest

from wronglung.gateway.pace import Pace


def after(gaps: list[float]) -> Pace:
    pace, now_s = Pace(), 7.0
    pace.begin(now_s)
    for gap in gaps:
        now_s += gap
        pace.answered(now_s)
    return pace


def test_before_the_first_answer_nothing_fits() -> None:
    assert math.isinf(Pace().seconds)
    assert Pace().fit_into(1.0, most=100) == 0


def test_batches_count_by_what_is_in_them() -> None:
    assert after([0.8, *[0.0] * 7] * 40).seconds == pytest.approx(0.1, rel=0.25)


def test_answers_fit_into_a_time_but_never_more_than_there_may_be() -> None:
    pace = after([0.1] * 20)
    assert pace.fit_into(1.05, most=100) == 10
    assert pace.fit_into(1.0, most=4) == 4
    assert after([0.0] * 3).fit_into(1.0, most=100) == 100


def test_it_changes_slowly() -> None:
    steady, jolted = after([0.1] * 50), after([*[0.1] * 50, 1.0])
    assert steady.seconds == pytest.approx(0.1)
    assert jolted.seconds == pytest.approx(0.145)
