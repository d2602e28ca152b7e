"""Means with their uncertainty over patients."""

import dataclasses
import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.statistics import (
    Delta,
    Interval,
    benjamini_hochberg,
    mean_interval,
    mean_intervals,
    paired_delta,
    paired_deltas,
    statistic_interval,
)

RNG = np.random.default_rng(20)
PATIENTS = [f"p{i % 60:02d}" for i in range(300)]
VALUES = RNG.random(300)


def test_the_mean_is_over_values_that_are_not_null():
    interval = mean_interval([1.0, math.nan, 2.0, 6.0], ["a", "b", "c", "c"], resamples=100)
    assert (interval.mean, interval.n, interval.patients) == (3.0, 3, 2)


def test_without_a_value_everything_is_null():
    expected = Interval(math.nan, math.nan, math.nan, 0, 0, True)
    assert repr(mean_interval([math.nan] * 3, ["a", "b", "c"], resamples=10)) == repr(expected)
    assert repr(mean_interval([], [], resamples=10)) == repr(expected)
    assert math.isnan(paired_delta([math.nan], [1.0], ["a"], resamples=10).p)


def test_the_interval_agrees_with_the_textbook_for_independent_values():
    values = RNG.normal(size=4000)
    interval = mean_interval(values, [str(i) for i in range(4000)], resamples=4000)
    half = 1.96 * values.std(ddof=1) / math.sqrt(4000)
    assert interval.lo == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert interval.hi == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_patients_are_resampled_not_sentences():
    """A hundred copies of each patient's value say no more than one."""
    once = VALUES[:60]
    patients = PATIENTS[:60]
    many = mean_interval(np.repeat(once, 100), list(np.repeat(patients, 100)), resamples=2000)
    assert many.lo == pytest.approx(mean_interval(once, patients, resamples=2000).lo)


def test_the_mean_of_a_resample_is_over_its_non_null_values():
    """Two patients, one with 1 value and one with 3: a resample's mean is 0, 3/4 (not the 1/2 of two means) or 1."""
    values, patients = [0.0, 1.0, 1.0, 1.0], ["a", "b", "b", "b"]
    interval = mean_interval(values, patients, resamples=1000)
    assert (interval.mean, interval.lo, interval.hi) == (0.75, 0.0, 1.0)


@pytest.mark.parametrize(("patients", "few"), [(19, True), (20, False)])
def test_fewer_than_twenty_patients_with_a_value_are_flagged(patients, few):
    values = [1.0] * patients + [math.nan] * 10
    assert mean_interval(values, [str(i) for i in range(patients + 10)], resamples=10).few_patients is few


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        patients = rng.integers(40, size=120)
        values = rng.normal(size=40)[patients] + rng.normal(size=120)
        interval = mean_interval(values, [str(p) for p in patients], resamples=400)
        hits += interval.lo <= 0 <= interval.hi
    assert 0.88 <= hits / 200 <= 0.98


@given(st.permutations(range(300)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_the_sentences_changes_not_a_bit(order):
    shuffled = mean_interval(VALUES[order], [PATIENTS[i] for i in order], resamples=200)
    assert shuffled == mean_interval(VALUES, PATIENTS, resamples=200)


def test_a_column_has_the_same_bytes_alone_and_in_a_table():
    table = {f"m{k}": RNG.normal(size=300) * 10.0**k for k in range(-3, 30)}
    together = mean_intervals(table, PATIENTS, resamples=500)
    assert all(mean_interval(values, PATIENTS, resamples=500) == together[name] for name, values in table.items())
    deltas = paired_deltas(table, {name: values / 2 for name, values in table.items()}, PATIENTS, resamples=500)
    assert all(paired_delta(v, v / 2, PATIENTS, resamples=500) == deltas[name] for name, v in table.items())


def test_calls_before_it_change_nothing_and_the_seed_does():
    first = mean_interval(VALUES, PATIENTS, resamples=500)
    mean_interval(VALUES[:60], PATIENTS[:60], resamples=500)
    assert mean_interval(VALUES, PATIENTS, resamples=500) == first
    assert mean_interval(VALUES, PATIENTS, resamples=500, seed=1) != first


def test_other_patients_are_other_draws():
    renamed = [f"q{patient}" for patient in PATIENTS]
    assert mean_interval(VALUES, renamed, resamples=500) != mean_interval(VALUES, PATIENTS, resamples=500)


def test_the_standard_error_is_that_of_a_sample():
    """Of two resamples a and b the interval spans 0.95 |a − b|, and the standard deviation is |a − b| / √2."""
    delta = paired_delta(VALUES, 0 * VALUES, PATIENTS, resamples=2)
    assert delta.mde == pytest.approx(2.80 * (delta.hi - delta.lo) / 0.95 / math.sqrt(2))


def weighted_mean(weights):
    return weights @ VALUES / weights.sum(axis=1)


def test_a_statistic_is_resampled_by_the_draws_of_a_mean():
    """The mean as a statistic has the interval of the mean, but for the rounding of the sums."""
    found = statistic_interval(weighted_mean, np.full(300, True), PATIENTS, resamples=500, seed=3)
    mean = mean_interval(VALUES, PATIENTS, resamples=500, seed=3)
    assert (found.mean, found.lo, found.hi) == pytest.approx((mean.mean, mean.lo, mean.hi), rel=1e-9)
    assert (found.n, found.patients, found.few_patients) == (300, 60, False)


def test_the_portions_in_which_resamples_are_drawn_change_nothing(monkeypatch):
    whole = statistic_interval(weighted_mean, np.full(300, True), PATIENTS, resamples=200)
    monkeypatch.setattr("harness.resampling._STEP", 1000)
    parts = statistic_interval(weighted_mean, np.full(300, True), PATIENTS, resamples=200)
    assert (parts.lo, parts.hi) == pytest.approx((whole.lo, whole.hi), rel=1e-12)


def test_a_statistic_counts_the_rows_that_take_part():
    found = statistic_interval(lambda w: w[:, 0], [True, False, False], ["a", "b", "b"], resamples=100)
    assert (found.mean, found.n, found.patients, found.few_patients) == (1.0, 1, 1, True)


def test_resamples_without_a_value_are_left_out_of_the_interval():
    """Patient b alone has a value: a resample of a twice has none."""
    found = statistic_interval(lambda w: np.where(w[:, 1] > 0, 5.0, np.nan), [False, True], ["a", "b"], resamples=100)
    assert (found.mean, found.lo, found.hi) == (5.0, 5.0, 5.0)


def test_a_statistic_without_a_value_is_null():
    for counted in ([True, True], [False, False]):
        found = statistic_interval(lambda w: np.full(len(w), np.nan), counted, ["a", "b"], resamples=10)
        assert math.isnan(found.mean)
        assert math.isnan(found.lo)
    with pytest.raises(ValueError, match="one flag for each of 2"):
        statistic_interval(weighted_mean, [True], ["a", "b"], resamples=10)


def test_a_delta_is_paired_and_drops_pairs_that_are_null_in_either_arm():
    a, b = [5.0, math.nan, 3.0, 1.0], [4.0, 2.0, math.nan, 3.0]
    delta = paired_delta(a, b, ["a", "b", "c", "d"], resamples=100)
    assert (delta.mean, delta.n, delta.patients) == (-0.5, 2, 2)


def test_a_delta_of_nothing_has_no_width_and_does_not_say_what_would_have_been_found():
    delta = paired_delta(VALUES, VALUES, PATIENTS, resamples=500)
    assert math.isnan(delta.mde)
    assert dataclasses.replace(delta, mde=0.0) == Delta(0.0, 0.0, 0.0, 300, 60, False, p=1.0, mde=0.0)
    shifted = paired_delta(VALUES + 0.1, VALUES, PATIENTS, resamples=500)
    assert (shifted.lo, shifted.hi) == pytest.approx((0.1, 0.1))
    assert math.isnan(shifted.mde)


def test_a_statistic_of_classes_rests_on_the_patients_of_the_scarcest():
    first = np.array(PATIENTS) == PATIENTS[0]
    classes = np.stack([first, ~first])
    found = statistic_interval(weighted_mean, classes, PATIENTS, resamples=100)
    assert (found.n, found.patients, found.few_patients) == (300, 1, True)
    assert statistic_interval(weighted_mean, classes.any(0), PATIENTS, resamples=100).patients == 60


def test_the_p_value_is_that_of_all_sign_flips_of_patient_sums():
    differences, patients = np.array([0.5, 0.4, 1.0, -0.2, 0.3, 0.6]), ["a", "a", "b", "c", "d", "e"]
    sums = np.array([0.9, 1.0, -0.2, 0.3, 0.6])
    flips = [abs(np.dot(signs, sums)) for signs in itertools.product((-1, 1), repeat=5)]
    exact = np.mean([flip >= sums.sum() - 1e-12 for flip in flips])
    found = paired_delta(differences, np.zeros(6), patients, resamples=20_000).p
    assert found == pytest.approx(exact, abs=0.006)


def test_the_smallest_p_value_is_one_in_resamples_plus_one():
    assert paired_delta(VALUES + 1, VALUES, PATIENTS, resamples=999).p == 1 / 1000


def test_the_p_value_is_uniform_when_nothing_differs():
    rng = np.random.default_rng(8)
    found = []
    for _ in range(300):
        patients = [str(p) for p in rng.integers(30, size=90)]
        found.append(paired_delta(rng.normal(size=90), np.zeros(90), patients, resamples=199).p)
    assert stats.kstest(found, "uniform").pvalue > 0.01


def test_the_detectable_effect_is_found_about_four_times_in_five():
    rng = np.random.default_rng(4)
    patients = [str(i) for i in range(80)]
    effect = 2.80 / math.sqrt(80)
    deltas = [paired_delta(rng.normal(size=80) + effect, np.zeros(80), patients, resamples=199) for _ in range(200)]
    assert np.mean([delta.mde for delta in deltas]) == pytest.approx(effect, rel=0.05)
    assert 0.7 <= np.mean([delta.p <= 0.05 for delta in deltas]) <= 0.9


def test_q_values_are_those_of_benjamini_and_hochberg():
    p = RNG.random(50)
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))


def test_tests_without_a_p_value_are_not_counted():
    assert benjamini_hochberg([0.01, math.nan, 0.02]) == pytest.approx([0.02, math.nan, 0.02], nan_ok=True)
    assert benjamini_hochberg([]).shape == (0,)


@pytest.mark.parametrize(
    ("values", "patients", "resamples"),
    [([1.0, 2.0], ["a"], 10), ([math.inf], ["a"], 10), ([1.0], ["a"], 0), ([[1.0]], ["a"], 10)],
)
def test_what_makes_no_sense_is_refused(values, patients, resamples):
    with pytest.raises(ValueError):
        mean_interval(values, patients, resamples=resamples)


def test_a_delta_needs_a_partner_of_its_length():
    with pytest.raises(ValueError, match="nothing to pair with: iou"):
        paired_deltas({"auroc": [1.0], "iou": [1.0]}, {"auroc": [1.0]}, ["a"])
    with pytest.raises(ValueError, match="one length"):
        paired_delta([1.0], [1.0, 2.0], ["a"])


def test_a_whole_table_takes_seconds():
    table = {f"m{k}": RNG.random(2500) for k in range(40)}
    patients = [f"p{i % 500}" for i in range(2500)]
    start = time.process_time()  # not the clock: other work on the machine must not fail this
    mean_intervals(table, patients, resamples=10_000)
    assert time.process_time() - start < 10
