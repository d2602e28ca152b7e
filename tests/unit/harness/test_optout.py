"""The opt-out mass as a decision."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.optout import decision_auroc, length_matched, risk_coverage

masses = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.2, 0.5]), st.booleans()), min_size=2, max_size=12)


@given(masses)
@settings(deadline=None)
def test_the_auroc_counts_pairs_and_half_of_the_ties(rows):
    values, positive = np.array([v for v, _ in rows]), np.array([p for _, p in rows])
    pairs = [(v > w) + (v == w) / 2 for v in values[positive] for w in values[~positive]]
    expected = np.mean(pairs) if pairs else math.nan
    assert decision_auroc(values, positive) == pytest.approx(expected, nan_ok=True)


def test_null_masses_take_no_part():
    assert decision_auroc([math.nan, 0.3, 0.1, math.nan], [True, True, False, False]) == 1


def test_after_matching_the_length_says_nothing():
    rng = np.random.default_rng(9)
    positive = rng.random(400) < 0.3
    words = rng.integers(3, 9, size=400) + 4 * positive
    assert decision_auroc(words, positive) > 0.8
    kept = length_matched(words, positive)
    assert decision_auroc(words[kept], positive[kept]) == 0.5
    assert (kept & positive).sum() == (kept & ~positive).sum() > 0
    assert (length_matched(words, positive) == kept).all()


def test_the_risk_of_a_perfect_order_is_the_ideal():
    curve = risk_coverage([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1])
    assert curve.area == curve.ideal == pytest.approx((0 + 0 + 1 / 3 + 2 / 4) / 4)
    assert curve.random == 0.5


def test_a_constant_opt_out_mass_is_the_random_reference():
    curve = risk_coverage([0.2] * 5, [0.0, 0.5, 1.0, 0.25, 0.75])
    assert curve.area == pytest.approx(curve.random)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.2]), st.floats(0, 1)), min_size=1, max_size=6), st.randoms())
@settings(deadline=None)
def test_ties_are_averaged_over_all_orders(rows, random):
    """The area is linear in each place's loss, so the mean over many shuffles of the ties comes close."""
    mass, risk = np.array([m for m, _ in rows]), np.array([r for _, r in rows])
    rng = np.random.default_rng(random.getrandbits(32))
    areas = []
    for _ in range(2000):
        order = np.lexsort((rng.random(len(mass)), mass))
        areas.append((np.cumsum(risk[order]) / np.arange(1, len(risk) + 1)).mean())
    assert risk_coverage(mass, risk).area == pytest.approx(np.mean(areas), abs=0.05)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20))
@settings(deadline=None)
def test_nothing_is_better_than_the_ideal(rows):
    curve = risk_coverage([m for m, _ in rows], [r for _, r in rows])
    assert curve.ideal <= curve.area + 1e-12
    assert curve.ideal <= curve.random + 1e-12


def test_without_sentences_there_is_no_area():
    assert math.isnan(risk_coverage([math.nan], [0.5]).area)
    assert math.isnan(decision_auroc([], []))


@pytest.mark.parametrize("compute", [decision_auroc, length_matched, risk_coverage])
def test_lengths_must_agree(compute):
    with pytest.raises(ValueError, match="expected one"):
        compute([0.1, 0.2], [True])
