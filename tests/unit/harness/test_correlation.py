"""Pearson's correlation with intervals over patients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.correlation import correlations

RNG = np.random.default_rng(3)
PATIENTS = [f"p{i // 2}" for i in range(60)]
X = RNG.random(60)
Y = 0.5 * X + 0.3 * RNG.random(60)

numbers = st.floats(-1e3, 1e3).map(lambda value: round(value, 3))
columns = st.lists(st.tuples(numbers, st.one_of(numbers, st.just(float("nan")))), min_size=3, max_size=30)


def one(x, y, patients=PATIENTS, **options):
    return correlations({"x": x}, y, patients, **{"resamples": 200, **options})["x"]


@given(columns)
@settings(deadline=None, max_examples=200)
def test_the_value_is_pearsons_r_over_the_pairs_without_a_null(pairs):
    x, y = np.array(pairs).T
    known = ~np.isnan(y)
    found = one(x, y, [f"p{i}" for i in range(len(x))], resamples=1)
    assert found.n == known.sum()
    if known.sum() < 3 or np.ptp(x[known]) < 1e-3 or np.ptp(y[known]) < 1e-3:
        assert np.isnan(found.mean)
    elif not np.isnan(found.mean):  # not every single resample has spread
        assert found.mean == pytest.approx(stats.pearsonr(x[known], y[known]).statistic, abs=1e-7)


def test_it_agrees_with_scipy_and_numpy_on_rows_of_many_patients():
    found = one(X, Y)
    assert found.mean == pytest.approx(stats.pearsonr(X, Y).statistic, abs=1e-9)
    assert found.mean == pytest.approx(np.corrcoef(X, Y)[0, 1], abs=1e-9)
    assert (found.n, found.patients, found.few_patients) == (60, 30, False)
    assert found.lo < found.mean < found.hi


def test_the_interval_is_that_of_resamples_of_patients_done_by_hand():
    names = sorted(set(PATIENTS))
    drawn = []
    for _ in range(4000):
        chosen = np.concatenate([[2 * k, 2 * k + 1] for k in RNG.integers(len(names), size=len(names))])
        drawn.append(np.corrcoef(X[chosen], Y[chosen])[0, 1])
    found = one(X, Y, resamples=4000)
    assert (found.lo, found.hi) == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.02)


@given(st.floats(0.001, 1000), st.floats(-1000, 1000))
@settings(deadline=None, max_examples=30)
def test_scale_and_shift_change_nothing_and_a_sign_turns_it(scale, shift):
    expected, moved, turned = one(X, Y), one(scale * X + shift, Y), one(-scale * X, Y)
    for name, sign, found in (("moved", 1, moved), ("turned", -1, turned)):
        assert found.mean == pytest.approx(sign * expected.mean, abs=1e-6), name
    assert (turned.lo, turned.hi) == pytest.approx((-expected.hi, -expected.lo), abs=1e-6)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X, np.full(60, 3.0)),
        (np.full(60, 0.1), Y),
        (np.where(np.arange(60) < 2, X, np.nan), Y),
        (np.full(60, np.nan), Y),
    ],
)
def test_without_spread_or_with_fewer_than_three_pairs_it_is_null(x, y):
    found = one(x, y)
    assert np.isnan([found.mean, found.lo, found.hi]).all()
    assert found.n == (~np.isnan(x)).sum()


def test_neither_the_order_of_rows_nor_other_columns_change_a_bit():
    order = RNG.permutation(60)
    alone = one(X, Y)
    shuffled = one(X[order], Y[order], [PATIENTS[i] for i in order])
    among = correlations({"other": RNG.random(60), "x": X}, Y, PATIENTS, resamples=200)["x"]
    assert alone == among
    assert (shuffled.lo, shuffled.hi) == pytest.approx((alone.lo, alone.hi), abs=1e-9)


def test_nothing_to_correlate_gives_nothing():
    assert correlations({}, Y, PATIENTS, resamples=10) == {}


@pytest.mark.parametrize("column", [X[:-1], np.append(X[:-1], np.inf)])
def test_a_column_that_does_not_fit_is_named(column):
    with pytest.raises(ValueError, match="'x' needs one finite value or NaN for each of 60"):
        one(column, Y)
