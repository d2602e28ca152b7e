"""How far two maps are apart."""

import numpy as np
import pytest

from harness.metrics.pairs import beats, correlation, symmetric_kl

RNG = np.random.default_rng(11)
A, B = RNG.dirichlet(np.ones(9), 2).reshape(2, 1, 3, 3)


def divergence(p, q):
    return float((p * np.log(p / q)).sum())


@pytest.mark.parametrize("profile", ["paper", "exact"])
def test_the_divergence_is_the_mean_of_both_directions(profile):
    expected = (divergence(A, B) + divergence(B, A)) / 2
    assert symmetric_kl(A, B, profile=profile)[0] == pytest.approx(expected)
    assert symmetric_kl(B, A, profile=profile)[0] == pytest.approx(expected)
    assert symmetric_kl(A, A, profile=profile)[0] == 0


def test_the_exact_profile_counts_the_opt_out_bin_and_the_paper_profile_does_not():
    withheld, other = 0.5 * A, 0.75 * B
    full = np.append(withheld, 0.5), np.append(other, 0.25)
    expected = (divergence(*full) + divergence(*full[::-1])) / 2
    assert symmetric_kl(withheld, other)[0] == pytest.approx(expected)
    assert symmetric_kl(withheld, other, opt_out=[0.5], other_opt_out=[0.25])[0] == pytest.approx(expected)
    raw = (divergence(withheld, other) + divergence(other, withheld)) / 2
    assert symmetric_kl(withheld, other, profile="paper")[0] == pytest.approx(raw)


def test_an_infinite_divergence_and_a_failed_map_are_null():
    hole = A.copy()
    hole[0, 1, 1] = 0.0
    assert symmetric_kl(hole, hole)[0] == 0
    assert np.isnan(symmetric_kl(hole, A)[0])
    assert np.isnan(symmetric_kl(np.full_like(A, np.nan), A)[0])


def test_rounding_in_float32_is_no_opt_out_mass():
    single = A.astype(np.float32)
    assert np.isfinite(symmetric_kl(single, single / single.sum(dtype=np.float64), other_opt_out=[0.0])[0])


def test_correlation_is_pearsons_and_null_for_a_constant_map():
    assert correlation(A, B)[0] == pytest.approx(np.corrcoef(A.ravel(), B.ravel())[0, 1])
    assert correlation(A, 3 * A + 1)[0] == pytest.approx(1)
    assert np.isnan(correlation(A, np.full_like(A, 0.1))[0])
    assert np.isnan(correlation(A, np.full_like(A, np.nan))[0])


def test_a_sentence_beats_another_only_by_a_higher_similarity():
    assert beats([0.5, 0.5, 0.4, np.nan], [0.4, 0.5, 0.5, 0.1]) == pytest.approx([1, 0, 0, np.nan], nan_ok=True)


@pytest.mark.parametrize("compare", [symmetric_kl, correlation])
def test_maps_of_different_grids_are_not_compared(compare):
    with pytest.raises(ValueError, match="cell by cell"):
        compare(A, np.ones((1, 4, 4)))


@pytest.mark.parametrize("compare", [symmetric_kl, correlation])
def test_no_maps_compare_to_nothing(compare):
    assert compare(np.zeros((0, 3, 3)), np.zeros((0, 3, 3))).shape == (0,)
