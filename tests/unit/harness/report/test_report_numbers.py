"""Numbers as people read them."""

import pytest

from harness.report.numbers import count, interval, number, probability, thousands, with_interval
from harness.report.reader import Estimate


@pytest.mark.parametrize(
    ("value", "text"), [(0.7124, "0.712"), (-0.0391, "−0.039"), (-0.0001, "0.000"), (0.0, "0.000"), (None, "–")]
)
def test_a_number_has_three_decimals_a_true_minus_and_no_negative_zero(value: float | None, text: str) -> None:
    assert number(value) == text


def test_a_change_carries_its_sign_unless_it_rounds_to_nothing() -> None:
    assert number(0.02, signed=True) == "+0.020"
    assert number(-0.02, signed=True) == "−0.020"
    assert number(0.0002, signed=True) == "0.000"


def test_an_interval_without_bounds_is_not_written() -> None:
    assert interval(Estimate(0.5, None, None, 1)) == ""
    assert with_interval(Estimate(0.5, 0.4, 0.6, 9), 2) == "0.50 [0.40, 0.60]"


@pytest.mark.parametrize(("p", "text"), [(0.0001, "< 0.001"), (0.0, "< 0.001"), (0.043, "0.043"), (None, "–")])
def test_a_probability_is_never_rounded_to_zero(p: float | None, text: str) -> None:
    assert probability(p) == text


def test_counts_keep_together() -> None:
    assert thousands(1234567) == "1\u202f234\u202f567"
    assert " " not in count(1240)
