"""Weights of boxes are painted as the maximum over the boxes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.sources.checks import UnusableMap
from harness.sources.config import RegionsConfig
from harness.sources.regions import paint
from wronglung.geometry import letterbox

FRAME = letterbox(64, 48, longer_side=32, crop=24)
boxes = st.lists(
    st.tuples(st.integers(0, 23), st.integers(0, 23), st.integers(0, 20), st.integers(0, 20)).map(
        lambda b: [b[0], b[1], min(b[0] + b[2], 23), min(b[1] + b[3], 23)]
    ),
    min_size=1,
    max_size=5,
)


@given(boxes, st.data())
@settings(deadline=None)
def test_every_pixel_has_the_largest_weight_of_the_boxes_that_hold_it(detected, data):
    weights = np.array(data.draw(st.lists(st.integers(1, 9), min_size=len(detected), max_size=len(detected)))) / 50
    layers = np.zeros((len(detected), 24, 24))
    for layer, weight, (x0, y0, x1, y1) in zip(layers, weights, detected, strict=True):
        layer[y0 : y1 + 1, x0 : x1 + 1] = weight
    painted = paint(weights, detected, FRAME, RegionsConfig(), "here")
    assert painted.sum() == pytest.approx(weights.sum())
    np.testing.assert_allclose(painted / painted.max(), layers.max(axis=0) / weights.max())


def test_boxes_in_original_pixels_are_carried_into_the_frame():
    """64 x 48 at half the size is padded by 4 rows at the top and cut by 4 pixels on every side."""
    painted = paint(np.array([1.0]), [[8, 0, 31, 15]], FRAME, RegionsConfig(pixels="original"), "here")
    assert np.argwhere(painted)[[0, -1]].tolist() == [[0, 0], [7, 11]]


@pytest.mark.parametrize("box", [[-1, -1, -1, -1], [30, 0, 40, 10]])
def test_a_box_outside_the_frame_paints_nothing(box):
    both = paint(np.array([0.5, 0.5]), [box, [0, 0, 11, 23]], FRAME, RegionsConfig(), "here")
    assert not both[:, 12:].any()
    with pytest.raises(UnusableMap, match="no box with a weight above 0"):
        paint(np.array([0.5]), [box], FRAME, RegionsConfig(), "here")


@pytest.mark.parametrize("weights", [[-0.1], [np.nan], [0.0]])
def test_weights_that_are_no_attention_are_named(weights):
    with pytest.raises(UnusableMap, match="here"):
        paint(np.array(weights), [[0, 0, 5, 5]], FRAME, RegionsConfig(), "here")


def test_a_box_of_original_pixels_that_is_inside_out_is_named():
    with pytest.raises(UnusableMap, match="inside out"):
        paint(np.array([1.0]), [[8, 0, 3, 15]], FRAME, RegionsConfig(pixels="original"), "here")
