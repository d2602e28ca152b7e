"""How far two maps are apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

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


cells = hnp.arrays(np.float64, (2, 3, 3), elements=st.floats(0.01, 1))
masses = st.tuples(st.floats(0.01, 0.9), st.floats(0.01, 0.9))
profiles = st.sampled_from(["paper", "exact"])


def pair(maps, masses):
    """Two maps that sum to what their opt-out masses leave of 1."""
    return [each[None] * (1 - mass) / each.sum() for each, mass in zip(maps, masses, strict=True)]


@given(cells, masses, profiles, st.permutations(range(9)))
@settings(deadline=None)
def test_the_divergence_is_symmetric_and_does_not_mind_where_cells_lie(maps, opt_out, profile, order):
    a, b = pair(maps, opt_out)
    options = {"opt_out": opt_out[:1], "profile": profile}
    found = symmetric_kl(a, b, other_opt_out=opt_out[1:], **options)
    back = symmetric_kl(b, a, opt_out=opt_out[1:], other_opt_out=opt_out[:1], profile=profile)
    moved = symmetric_kl(a.reshape(1, 9)[:, order], b.reshape(1, 9)[:, order], other_opt_out=opt_out[1:], **options)
    assert back == pytest.approx(found, abs=1e-12)
    assert moved == pytest.approx(found, abs=1e-12)
    assert symmetric_kl(a, a, other_opt_out=opt_out[:1], **options)[0] == 0


@given(cells, masses)
@settings(deadline=None)
def test_the_exact_divergence_is_that_of_distributions_with_the_opt_out_bin(maps, opt_out):
    a, b = pair(maps, opt_out)
    full = [np.append(each.ravel(), mass) for each, mass in zip((a, b), opt_out, strict=True)]
    found = symmetric_kl(a, b, opt_out=opt_out[:1], other_opt_out=opt_out[1:])[0]
    assert found >= 0
    assert found == pytest.approx((stats.entropy(*full) + stats.entropy(*full[::-1])) / 2, abs=1e-9)


def test_a_divergence_from_a_map_whose_opt_out_mass_is_not_known_is_null_in_the_exact_profile():
    assert np.isnan(symmetric_kl(A, B, opt_out=[np.nan], other_opt_out=[0.0])[0])
    assert np.isfinite(symmetric_kl(A, B, opt_out=[np.nan], other_opt_out=[0.0], profile="paper")[0])


@given(cells, st.floats(0.1, 10), st.floats(0, 5))
@settings(deadline=None)
def test_a_correlation_lies_between_its_ends_and_minds_neither_scale_nor_shift(maps, scale, shift):
    found = correlation(maps[:1], maps[1:])
    assert np.isnan(found[0]) or -1 <= found[0] <= 1
    if min(np.ptp(maps[0]), np.ptp(maps[1])) > 1e-3:
        assert correlation(scale * maps[:1] + shift, maps[1:]) == pytest.approx(found, abs=1e-6)


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1))
def test_of_two_sentences_one_at_most_beats_the_other(pairs):
    a, b = np.array(pairs, dtype=float).T
    assert (beats(a, b) + beats(b, a) == (a != b)).all()


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
