"""Controls: maps that know less than a model, or more."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness import controls
from harness.metrics import score

GRID, FRAME = (4, 5), (40, 50)
CEILINGS = (
    "auroc",
    "avg_precision",
    *(f"{m}_at_{k}" for m in ("precision", "recall", "f1", "iou") for k in (5, 10, 20, 30)),
)

# Multiples of 1/64: a sliver of 1e-7 pixels would hold the ceiling to differences that are rounding.
real = st.integers(0, 50 * 64).map(lambda steps: steps / 64)
rectangles = st.tuples(real, real, real, real).map(lambda b: [*np.minimum(b[:2], b[2:]), *np.maximum(b[:2], b[2:])])
labels = st.lists(rectangles, min_size=1, max_size=4)
domains = st.one_of(st.none(), rectangles.filter(lambda d: d[2] - d[0] > 1 and d[3] - d[1] > 1).map(tuple))
attention = hnp.arrays(np.float64, (1, *GRID), elements=st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.7]))


@given(attention, labels, domains)
@settings(deadline=None, max_examples=300)
def test_no_map_beats_the_oracle(maps, label, domain):
    oracle = controls.oracle([label], GRID, frame_size=FRAME, domains=[domain])
    ours, best = (
        score(np.nan_to_num(m), [label], frame_size=FRAME, domains=[domain], opt_out=[0.0]) for m in (maps, oracle)
    )
    for name in CEILINGS:
        assert np.isnan(best[name][0]) or ours[name][0] <= best[name][0] + 1e-9, name


@given(labels, domains)
@settings(deadline=None)
def test_a_nudge_of_the_oracle_does_not_beat_it(label, domain):
    """The hardest rivals are close: one cell is raised or lowered a little."""
    oracle = np.nan_to_num(controls.oracle([label], GRID, frame_size=FRAME, domains=[domain]))
    rivals = np.clip(oracle.reshape(1, 20) + np.vstack([0.3 * np.eye(20), -0.3 * np.eye(20)]), 0, None)
    arguments = {"frame_size": FRAME, "opt_out": np.zeros(41), "domains": [domain] * 41}
    found = score(np.vstack([oracle.reshape(1, 20), rivals]).reshape(41, *GRID), [label] * 41, **arguments)
    for name in CEILINGS:
        assert np.isnan(found[name]).all() or (found[name] <= found[name][0] + 1e-9).all(), name


def test_the_oracle_is_each_cells_coverage():
    oracle = controls.oracle([[[0, 0, 5, 10], [0, 0, 2, 10]], []], GRID, frame_size=FRAME)
    assert oracle[0, 0, 0] == 0.5
    assert oracle[0].sum() == 0.5
    assert np.isnan(oracle[1]).all()


def test_the_oracle_covers_what_a_cell_keeps_inside_the_domain():
    oracle = controls.oracle([[[0, 0, 5, 40]]], GRID, frame_size=FRAME, domains=[(0.0, 0.0, 5.0, 40.0)])
    assert oracle[0, :, 0].tolist() == [1, 1, 1, 1]


def test_the_uniform_map_sums_to_one():
    uniform = controls.uniform(3, (19, 19))
    assert uniform.shape == (3, 19, 19)
    assert uniform.sum(axis=(1, 2)) == pytest.approx([1, 1, 1])
    assert np.ptp(uniform) == 0


def test_the_centre_prior_has_not_seen_the_patient():
    coverages = np.array([[[0.5, 0]], [[1.0, 0]], [[0, 0.5]], [[0, 1.0]], [[np.nan, np.nan]]])
    prior = controls.centre_prior(coverages, ["a", "a", "b", "b", "c"])
    assert prior[0].tolist() == prior[1].tolist() == [[0, 0.75]]
    assert prior[2].tolist() == [[0.75, 0]]
    assert prior[4].tolist() == [[0.375, 0.375]]


def test_a_single_patient_has_no_prior():
    assert np.isnan(controls.centre_prior(np.ones((3, 1, 1)), ["a"] * 3)).all()


def test_cells_that_are_alike_for_the_others_tie_exactly_in_the_prior():
    """Whatever the patient's own labels are: a difference by rounding would leak them into the ranking."""
    coverages = np.random.default_rng(6).random((200, 1, 30))
    coverages[10:] = coverages[10:, :, :1]
    prior = controls.centre_prior(coverages, ["own"] * 10 + [str(i) for i in range(190)])
    assert np.ptp(prior[0]) == 0


def test_text_blind_gives_every_sentence_the_mean_map_of_its_image():
    maps = np.random.default_rng(0).random((5, 2, 2)).astype(np.float32)
    blind = controls.text_blind(maps, ["a", "b", "a", "c", "b"])
    assert blind[0] == pytest.approx(maps[[0, 2]].mean(axis=0))
    assert (blind[0] == blind[2]).all()
    assert (blind[1] == blind[4]).all()
    assert np.isnan(blind[3]).all()


def test_image_blind_gives_the_mean_map_of_what_says_the_same_of_other_patients():
    maps = np.arange(6.0).reshape(6, 1, 1)
    says, patients = ["x", "x", "x", "y", "x", "z"], ["a", "b", "c", "a", "a", "a"]
    blind = controls.image_blind(maps, says, patients)
    assert blind.ravel() == pytest.approx([1.5, 2, 5 / 3, np.nan, 1.5, np.nan], nan_ok=True)


def test_a_sentence_like_no_other_has_no_image_blind_map_and_gives_none():
    blind = controls.image_blind(np.array([1.0, 2.0, 3.0]), [None, None, None], ["a", "b", "c"])
    assert np.isnan(blind).all()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 64)), min_size=1, max_size=12))
@settings(deadline=None)
def test_each_image_blind_value_is_the_mean_over_the_others(rows):
    says, patients, values = zip(*rows, strict=True)
    blind = controls.image_blind(np.array(values, dtype=float), says, [str(p) for p in patients])
    for said, patient, found in zip(says, patients, blind, strict=True):
        others = [v for s, p, v in rows if s == said and p != patient]
        assert found == pytest.approx(np.mean(others) if others else np.nan, nan_ok=True)


def test_a_failed_sentence_takes_no_part():
    maps = np.array([1.0, np.nan, 3.0]).reshape(3, 1, 1)
    assert controls.text_blind(maps, ["a"] * 3).ravel().tolist() == [2, 2, 2]
    assert controls.image_blind(maps, ["x"] * 3, ["a", "b", "c"]).ravel().tolist() == [3, 2, 1]


def test_opt_out_masses_are_averaged_like_maps():
    assert controls.text_blind(np.array([0.25, 0.75, 0.5]), ["a", "a", "b"]) == pytest.approx(
        [0.5, 0.5, np.nan], nan_ok=True
    )


def test_a_blind_uniform_model_stays_uniform_to_the_last_bit():
    maps = np.full((300, 19, 19), np.float32(1 / 361))
    images = [str(i % 7) for i in range(300)]
    for blind in (controls.text_blind(maps, images), controls.image_blind(maps, ["w"] * 300, images)):
        assert (np.ptp(blind, axis=(1, 2)) == 0).all()


def test_every_row_needs_a_group():
    with pytest.raises(ValueError, match="one group per row"):
        controls.text_blind(np.ones((2, 1, 1)), ["a"])


sentences = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 64)), min_size=1, max_size=12)


@given(sentences)
@settings(deadline=None)
def test_text_blind_keeps_the_mean_of_an_image_and_is_blind_once_for_all(rows):
    images, values = [i for i, _, _ in rows], np.array([v for _, _, v in rows], dtype=float)
    blind = controls.text_blind(values, images)
    for image in set(images):
        own = np.array([i == image for i in images])
        assert np.isnan(blind[own]).all() == (own.sum() == 1)
        assert own.sum() == 1 or blind[own] == pytest.approx(np.full(own.sum(), values[own].mean()))
    seen = ~np.isnan(blind)
    twice = controls.text_blind(blind[seen], [i for i, s in zip(images, seen, strict=True) if s])
    assert twice == pytest.approx(blind[seen])


@given(sentences, st.integers(0, 3), st.integers(0, 64))
@settings(deadline=None)
def test_no_blind_map_nor_prior_depends_on_what_the_patients_own_maps_are(rows, patient, other):
    says, patients, values = ([row[k] for row in rows] for k in range(3))
    names, own = [str(p) for p in patients], np.array(patients) == patient
    before = np.array(values, dtype=float).reshape(-1, 1, 1)
    after = before.copy()
    after[own] = other
    for blind in (
        lambda maps: controls.image_blind(maps, says, names),
        lambda maps: controls.centre_prior(maps, names),
    ):
        assert np.array_equal(blind(before)[own], blind(after)[own], equal_nan=True)


@given(sentences, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_the_sentences_changes_no_control(rows, random):
    order = random.sample(range(len(rows)), len(rows))

    def blind(chosen):
        says, patients, values = ([rows[i][k] for i in chosen] for k in range(3))
        maps, names = np.array(values, dtype=float).reshape(-1, 1, 1), [str(p) for p in patients]
        found = controls.text_blind(maps, says), controls.image_blind(maps, says, names)
        return np.stack([*found, controls.centre_prior(maps / 64, names)])[..., 0, 0]

    assert np.array_equal(blind(order), blind(range(len(rows)))[:, order], equal_nan=True)


@given(labels, domains)
@settings(deadline=None)
def test_the_oracle_is_a_share_of_each_cell(label, domain):
    oracle = controls.oracle([label], GRID, frame_size=FRAME, domains=[domain])
    assert (np.isnan(oracle) | (oracle >= 0) & (oracle <= 1 + 1e-12)).all()
    assert np.isnan(oracle).all() or oracle.max() > 0
