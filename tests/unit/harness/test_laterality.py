"""Does the map follow "left" and "right"?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.case import Box
from harness.laterality import mirror_consistency, mirrored_name, preference, sided_regions

FRAME = {"frame_size": (8, 8)}
LEFT, RIGHT = [[4, 0, 8, 8]], [[0, 0, 4, 8]]  # the patient's left is on the right of the image


def half(share_left):
    """(1, 4, 4): a map with `share_left` of its attention on the patient's left."""
    return np.concatenate([np.full((1, 4, 2), (1 - share_left) / 8), np.full((1, 4, 2), share_left / 8)], axis=2)


@pytest.mark.parametrize(
    ("name", "mirrored"),
    [
        ("left lung", "right lung"),
        ("right lower lung zone", "left lower lung zone"),
        ("left costophrenic angle", "right costophrenic angle"),
        ("cardiac silhouette", None),
        ("upright abdomen", None),
    ],
)
def test_a_region_is_mirrored_by_whole_words(name, mirrored):
    assert mirrored_name(name) == mirrored


def test_only_sided_boxes_with_a_counterpart_in_the_image_take_part():
    left, right = Box("left lung", 5, 0, 9, 9), Box("right lung", 0, 0, 4, 9)
    spine, clavicle = Box("spine", 4, 0, 5, 9), Box("left clavicle", 5, 0, 9, 1)
    found = sided_regions([left, spine, clavicle], [right, spine, left])
    assert found is not None
    assert (found.own, found.mirrored) == ((left,), (right,))
    assert sided_regions([spine, clavicle], [right, spine, left]) is None


def test_a_region_with_two_boxes_is_mirrored_once():
    left, right = Box("left lung", 5, 0, 9, 9), Box("right lung", 0, 0, 4, 9)
    found = sided_regions([left, left], [right, left])
    assert found is not None
    assert found.mirrored == (right,)


def test_a_map_prefers_the_side_on_which_it_lies():
    for share in (0.0, 0.3, 1.0):
        assert preference(half(share), [LEFT], [RIGHT], **FRAME)[0] == share


def test_the_preference_is_a_share_of_the_two_sides_not_of_the_image():
    maps = half(0.75)
    maps[:, 2:] = 0  # half of the attention is elsewhere, in no region
    own, mirrored = [[4, 0, 8, 4]], [[0, 0, 4, 4]]
    assert preference(maps, [own], [mirrored], **FRAME)[0] == pytest.approx(0.75)


def test_what_both_sides_share_counts_for_neither():
    maps = np.zeros((1, 4, 4))
    maps[0, :, 1] = 1.0  # only where the two overlap
    maps[0, 0, 3] = 1.0
    assert preference(maps, [[[2, 0, 8, 8]]], [[[0, 0, 4, 8]]], **FRAME)[0] == 1


def test_too_little_attention_on_both_sides_is_no_preference():
    for mass, null in ((0.9e-6, True), (1.1e-6, False)):
        assert np.isnan(preference(half(0.5) * mass, [LEFT], [RIGHT], **FRAME)[0]) == null


def test_a_region_that_is_its_own_mirror_image_is_no_preference():
    assert np.isnan(preference(half(0.5), [LEFT + RIGHT], [RIGHT + LEFT], **FRAME)[0])


@given(hnp.arrays(np.float64, (1, 4, 4), elements=st.floats(0, 1)), st.tuples(*[st.floats(0, 8)] * 4))
@settings(deadline=None)
def test_the_preferences_of_the_two_sides_add_up_to_one(maps, box):
    x0, y0, x1, y1 = box
    own = [[min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)]]
    here, there = preference(maps, [own], [LEFT], **FRAME)[0], preference(maps, [LEFT], [own], **FRAME)[0]
    assert np.isnan(here) == np.isnan(there)
    assert np.isnan(here) or here + there == pytest.approx(1)


def test_a_failed_sentence_is_null():
    assert np.isnan(preference(np.full((1, 4, 4), np.nan), [LEFT], [RIGHT], **FRAME)[0])


def test_a_model_that_treats_both_sides_alike_is_consistent_under_mirroring():
    maps = np.random.default_rng(3).random((4, 5, 6))
    assert mirror_consistency(maps, maps[..., ::-1]) == pytest.approx([1] * 4)
    assert (mirror_consistency(maps, maps) < 0.9).all()


def test_one_list_of_boxes_per_map_and_side_is_wanted():
    with pytest.raises(ValueError, match="two box lists each"):
        preference(half(0.5), [LEFT], [], **FRAME)


attentions = hnp.arrays(np.float64, (2, 4, 4), elements=st.integers(0, 64).map(lambda n: n / 64))
corners = st.tuples(*[st.integers(0, 8)] * 4)
rectangles = corners.map(lambda b: [min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3])])


def flipped(box):
    """A box in the mirrored frame."""
    return [8 - box[2], box[1], 8 - box[0], box[3]]


@given(attentions, rectangles, rectangles, st.sampled_from([0.25, 2.0, 1024.0]))
@settings(deadline=None)
def test_a_preference_is_a_share_whatever_the_map_sums_to(maps, own, mirrored, factor):
    found = preference(maps, [[own]] * 2, [[mirrored]] * 2, **FRAME)
    scaled = preference(maps * factor, [[own]] * 2, [[mirrored]] * 2, **FRAME)
    assert ((found >= 0) & (found <= 1) | np.isnan(found)).all()
    assert np.array_equal(found, scaled, equal_nan=True)


@given(attentions, rectangles, rectangles)
@settings(deadline=None)
def test_left_and_right_are_treated_alike(maps, own, mirrored):
    found = preference(maps, [[own]] * 2, [[mirrored]] * 2, **FRAME)
    other = preference(maps[..., ::-1], [[flipped(own)]] * 2, [[flipped(mirrored)]] * 2, **FRAME)
    assert other == pytest.approx(found, nan_ok=True)


@given(attentions, st.integers(0, 3), st.integers(0, 1), st.integers(2, 3), st.integers(1, 64))
@settings(deadline=None)
def test_attention_that_changes_sides_changes_the_preference(maps, row, right, left, steps):
    moved = maps + 1 / 64  # every cell has some to give
    before = preference(moved, [LEFT] * 2, [RIGHT] * 2, **FRAME)
    amount = np.minimum(moved[:, row, right], steps / 64)
    moved[:, row, right] -= amount
    moved[:, row, left] += amount
    assert (preference(moved, [LEFT] * 2, [RIGHT] * 2, **FRAME) > before).all()


@given(st.lists(st.sampled_from(["left", "right", "lung", "upper", "zone", "upright"]), min_size=1, max_size=5))
def test_mirroring_a_name_twice_gives_it_back(words):
    name = " ".join(words)
    once = mirrored_name(name)
    assert (once is None) == (not {"left", "right"} & set(words))
    assert once is None or mirrored_name(once) == name


@given(attentions, attentions)
@settings(deadline=None)
def test_mirror_consistency_is_a_correlation_that_does_not_ask_which_came_first(maps, others):
    found = mirror_consistency(maps, others)
    assert ((np.abs(found) <= 1 + 1e-12) | np.isnan(found)).all()
    assert mirror_consistency(others, maps) == pytest.approx(found, nan_ok=True)
