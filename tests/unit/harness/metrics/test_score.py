"""What holds for every metric, whatever the map and the boxes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmarks import per_pixel
from harness import controls
from harness.metrics import registered, score
from harness.metrics.scene import area_weights, pixel_weights

GRID = (4, 5)
FRAME = (40, 50)
MIRRORED = (slice(None), slice(None), slice(None, None, -1))

attention = hnp.arrays(np.float64, (1, *GRID), elements=st.sampled_from([0.0, 0.125, 0.25, 0.3, 1.0]))
boxes = st.lists(
    st.tuples(st.integers(-5, 45), st.integers(-5, 35), st.integers(1, 30), st.integers(1, 30)).map(
        lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
    ),
    max_size=3,
)
profiles = st.sampled_from(["paper", "exact"])


def scored(maps, label, profile="exact", **options):
    return score(maps, label, frame_size=FRAME, profile=profile, opt_out=np.zeros(len(maps)), **options)


def same(found, expected):
    assert set(found) == set(expected)
    for name, values in found.items():
        assert values == pytest.approx(expected[name], abs=1e-9, nan_ok=True), name


@given(attention, boxes, profiles)
@settings(deadline=None)
def test_every_value_lies_in_the_declared_range(maps, label, profile):
    found = scored(maps, [label], profile)
    for metric in registered(profile):
        value = found[metric.name][0]
        assert math.isnan(value) or metric.lowest <= value <= metric.highest, metric.name


@given(attention, profiles)
@settings(deadline=None)
def test_without_a_box_every_metric_of_the_label_is_null_and_no_other(maps, profile):
    found = scored(maps + 0.01, [[]], profile)
    null = {name for name, values in found.items() if np.isnan(values[0])}
    assert null - {"lost"} == {m.name for m in registered(profile) if m.empty_label == "null"}


@given(attention, boxes, profiles)
@settings(deadline=None)
def test_rank_metrics_do_not_change_under_a_monotone_map(maps, label, profile):
    ranked = [m for m in registered(profile) if m.name in {"auroc", "avg_precision", "pointing"} or "_at_" in m.name]
    assert len(ranked) >= 18
    same(
        scored(maps, [label], profile, metrics=ranked),
        scored(3 * maps**2 + maps + 0.5, [label], profile, metrics=ranked),
    )


@given(attention, boxes)
@settings(deadline=None)
def test_scaling_the_map_changes_no_metric_of_place(maps, label):
    same(scored(maps, [label]), scored(maps * 0.25, [label]))


@given(attention, boxes)
@settings(deadline=None)
def test_mirroring_map_and_boxes_together_changes_nothing(maps, label):
    mirrored = [[FRAME[1] - x1, y0, FRAME[1] - x0, y1] for x0, y0, x1, y1 in label]
    same(scored(maps, [label]), scored(maps[MIRRORED], [mirrored]))


def boxes_of(cells):
    """One box per cell of a mask (R, C)."""
    return [[10 * c, 10 * r, 10 * c + 10, 10 * r + 10] for r, c in np.argwhere(cells)]


@given(attention, hnp.arrays(bool, GRID), st.permutations(range(20)))
@settings(deadline=None)
def test_where_the_cells_lie_does_not_matter(maps, label, order):
    shuffled = label.ravel()[order].reshape(GRID)
    same(scored(maps, [boxes_of(label)]), scored(maps.reshape(1, 20)[:, order].reshape(1, *GRID), [boxes_of(shuffled)]))


@given(attention, boxes)
@settings(deadline=None)
def test_in_the_exact_profile_f1_and_iou_agree(maps, label):
    found = scored(maps, [label])
    for percent in (5, 10, 20, 30):
        f1 = found[f"f1_at_{percent}"]
        assert found[f"iou_at_{percent}"] == pytest.approx(f1 / (2 - f1), nan_ok=True)


@given(attention, boxes)
@settings(deadline=None)
def test_in_the_exact_profile_precision_says_recall_and_iou(maps, label):
    """With a selection of area k and a label of area s, hits are k · precision."""
    found, whole = scored(maps, [label]), scored(np.ones((1, *GRID)), [label])
    size = whole["precision_at_5"] * FRAME[0] * FRAME[1]
    for percent in (5, 10, 20, 30):
        area = FRAME[0] * FRAME[1] * percent / 100
        hits = found[f"precision_at_{percent}"] * area
        assert found[f"recall_at_{percent}"] == pytest.approx(hits / size, nan_ok=True)
        assert found[f"iou_at_{percent}"] == pytest.approx(hits / (area + size - hits), nan_ok=True)


@given(attention, boxes)
@settings(deadline=None)
def test_turning_a_map_upside_down_turns_auroc_around(maps, label):
    turned = scored(1.5 - maps, [label])["auroc"]
    assert turned == pytest.approx(1 - scored(maps, [label])["auroc"], nan_ok=True)


@given(attention, boxes)
@settings(deadline=None)
def test_the_oracle_is_beaten_by_no_map(maps, label):
    """The label's own coverage is the ceiling of the grid for ranking and for the top k %."""
    ceiling = scored(controls.oracle([label], GRID, frame_size=FRAME), [label])
    found = scored(maps, [label])
    for name in ("auroc", *(f"{kind}_at_{k}" for kind in ("precision", "recall", "iou") for k in (5, 10, 20, 30))):
        assert np.isnan(found[name][0]) or found[name][0] <= ceiling[name][0] + 1e-9, name


@given(boxes, st.tuples(st.integers(0, 20), st.integers(0, 15), st.integers(30, 50), st.integers(25, 40)))
@settings(deadline=None)
def test_the_weights_of_the_cells_sum_to_the_areas(label, domain):
    area, positive, _ = area_weights([label], GRID, FRAME, [domain])
    width, height = domain[2] - domain[0], domain[3] - domain[1]
    assert area.sum() == pytest.approx(width * height)
    assert (positive >= 0).all()
    assert (positive <= area).all()
    drawn = per_pixel.draw(label, FRAME)[domain[1] : domain[3], domain[0] : domain[2]]
    assert positive.sum() == pytest.approx(drawn.sum())
    pixels, marked, _ = pixel_weights([[[x0, y0, x1 - 1, y1 - 1] for x0, y0, x1, y1 in label]], GRID, FRAME)
    assert pixels.sum() == FRAME[0] * FRAME[1]
    assert marked.sum() == per_pixel.draw(label, FRAME).sum()


@given(boxes, profiles)
@settings(deadline=None)
def test_a_uniform_map_knows_nothing(label, profile):
    found = scored(np.full((1, *GRID), 0.05), [label], profile)
    assert np.isnan(found["auroc"][0]) or found["auroc"][0] == pytest.approx(0.5, abs=1e-12)
    assert found["entropy"][0] == pytest.approx(math.log(20))
    if profile == "exact":
        prevalence = found["precision_at_5"]
        for name in ("avg_precision", "precision_at_30", "pointing", "mass_in_box"):
            assert found[name] == pytest.approx(prevalence, nan_ok=True)
        assert np.isnan(found["cnr"][0])
        assert found["tied_area"][0] == 1


@given(st.lists(st.tuples(attention, boxes), min_size=2, max_size=6), profiles)
@settings(deadline=None)
def test_a_map_scores_the_same_bytes_alone_and_among_others(cases, profile):
    maps = np.concatenate([grid for grid, _ in cases])
    together = scored(maps, [label for _, label in cases], profile)
    for i, (grid, label) in enumerate(cases):
        alone = scored(grid, [label], profile)
        assert all(np.array_equal(alone[name], together[name][i : i + 1], equal_nan=True) for name in alone)


def test_more_maps_than_one_batch_score_as_one_by_one():
    rng = np.random.default_rng(5)
    maps, label = rng.random((1500, 3, 3)), [[[i % 7, 0, 20, 9]] for i in range(1500)]
    together, last = score(maps, label, frame_size=(30, 30)), score(maps[1400:], label[1400:], frame_size=(30, 30))
    assert all(np.array_equal(together[name][1400:], last[name], equal_nan=True) for name in last)


def test_padding_counts_neither_way():
    """A map that attends to the padding only is as good as one that says nothing of the image."""
    maps = np.zeros((1, *GRID))
    maps[:, :, 0] = 1.0
    found = scored(maps, [[[20, 0, 30, 40]]], domains=[(10.0, 0.0, 50.0, 40.0)])
    assert found["auroc"][0] == pytest.approx(0.5)
    assert found["precision_at_5"][0] == pytest.approx(0.25)
    assert np.isnan(found["mass_in_box"][0])


def test_a_cell_loses_the_area_that_is_padding():
    maps = np.arange(20.0).reshape(1, *GRID)
    found = scored(maps, [[[40, 30, 50, 40]]], domains=[(0.0, 0.0, 45.0, 40.0)])
    assert found["pointing"][0] == 1
    assert found["precision_at_5"][0] == pytest.approx(50 / 90)


def test_overlapping_boxes_count_once():
    maps = np.random.default_rng(3).random((2, *GRID))
    found = scored(maps[[0, 0]], [[[0, 0, 30, 30], [10, 10, 40, 40]], [[0, 0, 30, 30], [10, 10, 40, 40]] * 3])
    assert all(values[0] == values[1] for values in found.values())


def test_boxes_outside_the_frame_are_lost_and_null():
    found = scored(np.ones((3, *GRID)), [[[60, 0, 70, 10]], [[45, 0, 55, 10]], [[0, 0, 10, 10]]])
    assert found["lost"].tolist() == [1.0, 0.5, 0.0]
    assert np.isnan(found["auroc"]).tolist() == [True, False, False]


def test_a_label_that_covers_everything_has_no_auroc():
    for profile, frame in (("paper", [0, 0, 49, 39]), ("exact", [-3, -3, 60.5, 70.25])):
        found = scored(np.random.default_rng(1).random((1, *GRID)), [[frame]], profile)
        assert np.isnan(found["auroc"][0])
        assert found["avg_precision"][0] == pytest.approx(1)


@pytest.mark.parametrize("cut", np.random.default_rng(4).uniform(0, 50, 20))
def test_two_boxes_that_meet_cover_everything_without_a_gap_of_rounding(cut):
    label = [[-1.0, -1.0, cut, 60.0], [cut, -1.0, 60.0, 60.0]]
    found = scored(np.arange(20.0).reshape(1, *GRID), [label], domains=[(0.1, 0.3, 49.7, 39.9)])
    assert np.isnan(found["auroc"][0])
    assert np.isnan(found["cnr"][0])


def test_a_box_that_touches_the_domain_by_rounding_lies_outside_it():
    found = scored(np.ones((1, *GRID)), [[[0, 0, 10 + 1e-12, 40]]], domains=[(10.0, 0.0, 50.0, 40.0)])
    assert np.isnan(found["precision_at_5"][0])


@pytest.mark.parametrize("value", [0.1, 0.3, 1 / 3])
def test_a_map_that_is_flat_inside_and_flat_outside_has_no_contrast_to_noise_ratio(value):
    maps = np.full((1, *GRID), value)
    maps[:, :2, :2] = 0.7
    assert np.isnan(scored(maps, [[[0, 0, 19.99, 20], [0.1, 0, 20, 20]]])["cnr"][0])


def test_what_lies_in_the_padding_gives_a_flat_map_no_contrast():
    """The highest value lies outside the image; inside it, the map is flat under the label and flat beside it."""
    maps = np.array([[[13.0], [0.0], [209.0]]])
    found = score(maps, [[[0, 0, 1, 6]]], frame_size=(18, 6), domains=[(0.0, 1.0, 1.0, 7.0)])
    assert np.isnan(found["cnr"][0])


def test_the_opt_out_mass_is_what_the_sum_leaves_unless_it_is_given():
    maps = np.full((1, *GRID), 0.6 / 20)
    assert score(maps, [[]])["opt_out_mass"][0] == pytest.approx(0.4)
    assert score(maps, [[]], opt_out=[0.25])["opt_out_mass"][0] == 0.25
    half = -0.4 * math.log(0.4) - 0.6 * math.log(0.03)
    assert score(maps, [[]])["entropy"][0] == pytest.approx(half)


def test_a_map_of_float32_that_sums_to_one_withholds_nothing():
    maps = np.random.default_rng(0).random((50, 19, 19)).astype(np.float32)
    maps /= maps.sum(axis=(1, 2), keepdims=True)
    assert (score(maps, [[]] * 50)["opt_out_mass"] == 0).all()


def test_an_opt_out_mass_that_is_not_known_makes_null_what_needs_it_and_nothing_else():
    maps = np.random.default_rng(2).random((1, *GRID))
    for profile in ("paper", "exact"):
        unknown = score(maps, [[[0, 0, 20, 20]]], frame_size=FRAME, opt_out=[np.nan], profile=profile)
        known = score(maps, [[[0, 0, 20, 20]]], frame_size=FRAME, opt_out=[0.1], profile=profile)
        null = {name for name in known if np.isnan(unknown[name][0])}
        assert null == {"entropy", "opt_out_mass"}
        assert all(unknown[name][0] == known[name][0] for name in known if name not in null)


def test_a_failed_sentence_is_null_throughout_and_disturbs_no_other():
    maps = np.random.default_rng(2).random((2, *GRID))
    maps[0] = np.nan
    label = [[[0, 0, 20, 20]]] * 2
    found = score(maps, label, frame_size=FRAME, opt_out=[np.nan, 0.5])
    alone = score(maps[1:], label[1:], frame_size=FRAME, opt_out=[0.5])
    assert all(np.isnan(values[0]) and values[1] == alone[name][0] for name, values in found.items())


def test_no_maps_score_nothing():
    for profile in ("paper", "exact"):
        found = score(np.zeros((0, *GRID)), [], profile=profile)
        assert set(found) == {m.name for m in registered(profile)}
        assert all(values.shape == (0,) for values in found.values())


def test_pointing_compares_in_float32():
    maps = np.zeros((1, *GRID))
    maps[0, 0, :2] = [1.0, 1.0 + 1e-9]
    assert scored(maps, [[[0, 0, 10, 10]]])["pointing"][0] == 0.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"maps": np.ones((2, 20))}, "rows, columns"),
        ({"maps": -np.ones((1, *GRID))}, "negative"),
        ({"maps": np.full((1, *GRID), np.inf)}, "infinite"),
        ({"maps": np.where(np.eye(4, 5) > 0, np.nan, 1.0)[None]}, "partly NaN"),
        ({"boxes": []}, "one list of boxes per map"),
        ({"opt_out": [0.1, 0.2]}, "one opt-out mass per map"),
        ({"opt_out": [1.5]}, "outside"),
        ({"domains": [None, None]}, "one domain per map"),
        ({"domains": [None], "profile": "paper"}, "leave out domains"),
        ({"profile": "papers"}, "profile is one of paper, exact"),
        ({"boxes": [[[0, 0, 1.5, 2]]], "profile": "paper"}, "whole pixels"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, message):
    arguments = {"maps": np.ones((1, *GRID)), "boxes": [[]], **changes}
    with pytest.raises(ValueError, match=message):
        score(**arguments)
