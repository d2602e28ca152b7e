"""The opt-out mass as a decision."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.optout import decision_auroc, length_matched, risk_coverage_area, risk_coverage_curve

masses = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.2, 0.5]), st.booleans()), min_size=2, max_size=12)


def auroc(values, positive):
    """The AUROC with every row counted once."""
    return decision_auroc(values, positive)(np.ones((1, len(values))))[0]


def area(order, risk):
    """The area with every row counted once."""
    return risk_coverage_area(order, risk)(np.ones((1, len(order))))[0]


@given(masses)
@settings(deadline=None)
def test_the_auroc_counts_pairs_and_half_of_the_ties(rows):
    values, positive = np.array([v for v, _ in rows]), np.array([p for _, p in rows])
    pairs = [(v > w) + (v == w) / 2 for v in values[positive] for w in values[~positive]]
    expected = np.mean(pairs) if pairs else math.nan
    assert auroc(values, positive) == pytest.approx(expected, nan_ok=True)


def test_null_masses_take_no_part():
    assert auroc([math.nan, 0.3, 0.1, math.nan], [True, True, False, False]) == 1


def test_after_matching_the_length_says_nothing():
    rng = np.random.default_rng(9)
    positive = rng.random(400) < 0.3
    words = rng.integers(3, 9, size=400) + 4 * positive
    assert auroc(words, positive) > 0.8
    kept = length_matched(words, positive)
    assert auroc(words[kept], positive[kept]) == 0.5
    assert (kept & positive).sum() == (kept & ~positive).sum() > 0
    assert (length_matched(words, positive) == kept).all()


def test_the_risk_of_a_perfect_order_is_the_ideal():
    risk = [0, 0, 1, 1]
    assert area([0.1, 0.2, 0.3, 0.4], risk) == area(risk, risk) == pytest.approx((0 + 0 + 1 / 3 + 2 / 4) / 4)


def test_a_constant_opt_out_mass_costs_the_mean_risk():
    risk = [0.0, 0.5, 1.0, 0.25, 0.75]
    assert area([0.2] * 5, risk) == pytest.approx(np.mean(risk))


risks = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.2]), st.floats(0, 1)), min_size=1, max_size=6)


@given(risks)
@settings(deadline=None)
def test_sentences_of_equal_mass_each_cost_what_they_cost_on_average(rows):
    """The area is linear in each place's loss, so in expectation a tied place costs the mean of those tied."""
    rows = sorted(rows)
    mass, risk = np.array([m for m, _ in rows]), np.array([r for _, r in rows])
    expected = np.array([risk[mass == m].mean() for m in mass])
    in_turn = np.cumsum(expected) / np.arange(1, len(rows) + 1)
    assert area(mass, risk) == pytest.approx(in_turn.mean())


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20))
@settings(deadline=None)
def test_nothing_is_better_than_the_ideal(rows):
    mass, risk = [m for m, _ in rows], [r for _, r in rows]
    assert area(risk, risk) <= area(mass, risk) + 1e-12
    assert area(risk, risk) <= np.mean(risk) + 1e-12


@given(risks)
@settings(deadline=None)
def test_the_area_is_the_mean_of_the_curve_which_ends_at_the_mean_risk(rows):
    mass, risk = [m for m, _ in rows], [r for _, r in rows]
    curve = risk_coverage_curve(mass, risk)
    assert len(curve) == len(rows)
    assert curve.mean() == pytest.approx(area(mass, risk))
    assert curve[-1] == pytest.approx(np.mean(risk))


def test_what_is_null_shortens_the_curve():
    assert risk_coverage_curve([0.1, math.nan, 0.3], [0.0, 1.0, math.nan]).tolist() == [0.0]


tables = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.2, 0.5]), st.booleans(), st.floats(0, 1), st.integers(0, 3)),
    min_size=2,
    max_size=10,
)


@given(tables)
@settings(deadline=None)
def test_a_row_that_counts_twice_stands_for_two_rows(rows):
    mass, positive, risk, times = (np.array(column) for column in zip(*rows, strict=True))
    again = np.repeat(np.arange(len(rows)), times)
    weights = times[None].astype(float)
    assert decision_auroc(mass, positive)(weights)[0] == pytest.approx(auroc(mass[again], positive[again]), nan_ok=True)
    assert risk_coverage_area(mass, risk)(weights)[0] == pytest.approx(area(mass[again], risk[again]), nan_ok=True)


def test_null_risks_take_no_part():
    assert area([0.1, 0.2, 0.3], [0.5, math.nan, 0.5]) == 0.5


def test_without_sentences_there_is_no_figure():
    assert math.isnan(area([math.nan], [0.5]))
    assert math.isnan(area([], []))
    assert math.isnan(auroc([], []))


@pytest.mark.parametrize("compute", [decision_auroc, length_matched, risk_coverage_area, risk_coverage_curve])
def test_lengths_must_agree(compute):
    with pytest.raises(ValueError, match="expected one"):
        compute([0.1, 0.2], [True])


@given(masses)
@settings(deadline=None)
def test_the_auroc_goes_by_order_alone_and_turns_with_the_classes(rows):
    values, positive = np.array([v for v, _ in rows]), np.array([p for _, p in rows])
    found = auroc(values, positive)
    assert auroc(np.exp(3 * values) - 7, positive) == pytest.approx(found, nan_ok=True)
    assert auroc(-values, positive) == pytest.approx(1 - found, nan_ok=True)
    assert auroc(values, ~positive) == pytest.approx(1 - found, nan_ok=True)


@given(risks, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_the_rows_is_no_order_of_answers(rows, random):
    shuffled = random.sample(rows, len(rows))
    found, again = (area([m for m, _ in r], [x for _, x in r]) for r in (rows, shuffled))
    assert again == pytest.approx(found)


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=5))
@settings(deadline=None)
def test_random_order_costs_the_mean_risk_on_average_over_all_orders(risk):
    """Which is why a constant mass, answered in random order, costs just that."""
    orders = list(itertools.permutations(range(len(risk))))
    mean = np.mean([area(order, risk) for order in orders])
    assert mean == pytest.approx(np.mean(risk)) == pytest.approx(area([0.0] * len(risk), risk))


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.2]), st.floats(0, 1)), min_size=1, max_size=12))
@settings(deadline=None)
def test_every_order_lies_between_the_ideal_and_its_reverse(rows):
    mass, risk = np.array([m for m, _ in rows]), np.array([r for _, r in rows])
    assert area(risk, risk) - 1e-12 <= area(mass, risk) <= area(-risk, risk) + 1e-12


@given(risks, st.integers(0, 5), st.floats(0, 1))
@settings(deadline=None)
def test_a_riskier_sentence_never_makes_the_area_smaller(rows, which, more):
    mass, risk = np.array([m for m, _ in rows]), np.array([r for _, r in rows])
    before = area(mass, risk)
    risk[which % len(rows)] = max(risk[which % len(rows)], more)
    assert area(mass, risk) >= before - 1e-12
