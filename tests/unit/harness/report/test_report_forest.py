"""Dot-and-interval plots: where things lie on the axis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.forest import Axis, Mark, forest, nice_step
from harness.report.reader import Estimate

VALUES = st.floats(-100, 100, allow_nan=False)


@given(st.lists(VALUES, min_size=1, max_size=20))
def test_the_axis_holds_every_value_between_few_round_ticks(values: list[float]) -> None:
    axis = Axis.around(values)
    assert axis.low - 1e-9 <= min(values)
    assert axis.high + 1e-9 >= max(values)
    assert 2 <= len(axis.ticks(signed=False)) <= 8


@given(VALUES, VALUES)
def test_order_on_the_axis_is_the_order_of_the_numbers(a: float, b: float) -> None:
    axis = Axis.around([-100, 100])
    assert (axis.percent(a) <= axis.percent(b)) or a > b


@pytest.mark.parametrize(("span", "step"), [(1.0, 0.2), (0.9, 0.2), (0.09, 0.02), (10.0, 2.0), (12.0, 5.0)])
def test_steps_are_round(span: float, step: float) -> None:
    assert nice_step(span) == pytest.approx(step)


def test_ends_of_the_axis_are_0_and_100_percent() -> None:
    axis = Axis(-0.2, 0.2, 0.1)
    assert [tick.at for tick in axis.ticks(signed=True)] == [0.0, 25.0, 50.0, 75.0, 100.0]
    assert [tick.label for tick in axis.ticks(signed=True)] == ["−0.2", "−0.1", "0.0", "+0.1", "+0.2"]


def test_zero_keeps_its_label_where_others_are_dropped() -> None:
    for axis in (Axis(-0.3, 0.1, 0.1), Axis(-0.2, 0.2, 0.1), Axis(0.0, 0.5, 0.1)):
        zero = next(tick for tick in axis.ticks(signed=False) if tick.label == "0.0")
        assert not zero.minor


def test_a_reference_is_on_the_axis_even_when_no_estimate_is_near() -> None:
    plot = forest("", "", [Mark("m", 0, Estimate(0.9, 0.88, 0.92, 5))], references=[(0.5, "chance")])
    assert plot is not None
    assert 0 <= plot.references[0].at < plot.strips[0].low < plot.strips[0].at < plot.strips[0].high <= 100


def test_a_mean_without_an_interval_is_a_dot_and_null_is_nothing() -> None:
    plot = forest("", "", [Mark("m", 0, Estimate(0.7, None, None, 9)), Mark("x", 0, Estimate(None, None, None, 0))])
    assert plot is not None
    assert [(s.label, s.low == s.at == s.high, s.interval) for s in plot.strips] == [("m", True, "no interval")]
    assert forest("", "", [Mark("m", 0, Estimate(None, None, None, 0))]) is None


def test_rows_are_grouped_in_the_order_given() -> None:
    estimate = Estimate(0.5, 0.4, 0.6, 5)
    plot = forest("", "", [Mark("x", 0, estimate, "b"), Mark("y", 1, estimate, "a"), Mark("z", 0, estimate, "b")])
    assert plot is not None
    assert [(name, [s.label for s in strips]) for name, strips in plot.groups] == [("b", ["x", "z"]), ("a", ["y"])]
