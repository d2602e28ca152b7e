"""Boxes of the original image, seen in the frame of the model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness.case import Box
from harness.mask import cut_to_content, encode
from harness.metrics import score
from harness.metrics.coverage import even_edges, pack, union_areas
from harness.metrics.label import exact_boxes, paper_boxes
from wronglung.geometry import Frame, letterbox


@st.composite
def boxes_in_images(draw):
    width, height = draw(st.integers(12, 45)), draw(st.integers(12, 45))
    x0, y0 = draw(st.integers(0, width - 2)), draw(st.integers(0, height - 2))
    x1, y1 = draw(st.integers(x0 + 1, width)), draw(st.integers(y0 + 1, height))
    return letterbox(width, height, longer_side=12, crop=9), Box("region", x0, y0, x1, y1)


def box_of_the_mask(box: Box, frame: Frame) -> list[list[int]]:
    """Draw the box, shrink the drawing by area, pad, crop, keep pixels more than half covered, take first and last."""
    width, height, out_width, out_height = (
        frame.image_width,
        frame.image_height,
        frame.resized_width,
        frame.resized_height,
    )
    original = np.zeros((height, width), dtype=int)
    original[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = 1
    fine = original.repeat(out_height, axis=0).repeat(out_width, axis=1)  # in whole numbers: half is exactly half
    covered = fine.reshape(out_height, height, out_width, width).sum(axis=(1, 3))
    padded = np.pad(2 * covered > width * height, 40)
    top, left = 40 - frame.offset_y, 40 - frame.offset_x
    rows, cols = np.nonzero(padded[top : top + frame.height, left : left + frame.width])
    return [[int(cols.min()), int(rows.min()), int(cols.max()), int(rows.max())]] if len(rows) else []


@given(boxes_in_images())
@settings(deadline=None, max_examples=200)
def test_a_box_goes_through_resize_pad_and_crop_as_a_mask_would(case):
    frame, box = case
    assert paper_boxes([box], frame) == box_of_the_mask(box, frame)


def test_a_pixel_of_which_exactly_half_is_covered_does_not_belong():
    """2/3 × 3/4 of a pixel, a product that floating point makes a little more than a half."""
    frame, box = letterbox(12, 32, longer_side=12, crop=9), Box("region", 10, 6, 12, 8)
    assert paper_boxes([box], frame) == box_of_the_mask(box, frame) == []


def test_in_a_frame_without_scaling_a_box_keeps_its_pixels():
    assert paper_boxes([Box("region", 10, 20, 31, 41)], letterbox(256, 256)) == [[0, 4, 14, 24]]


def test_a_box_that_the_crop_removes_is_left_out():
    frame = letterbox(256, 256)
    assert paper_boxes([Box("edge", 0, 0, 16, 200), Box("middle", 100, 100, 120, 120)], frame) == [[84, 84, 103, 103]]


def test_exact_boxes_are_carried_over_unrounded_and_unclipped():
    assert exact_boxes([Box("region", 0, 3, 100, 512)], letterbox(512, 512)) == [(-16.0, -14.5, 34.0, 240.0)]


def test_what_the_crop_cuts_off_is_lost():
    frame = letterbox(256, 256)
    edge, middle, outside = Box("edge", 0, 16, 32, 240), Box("middle", 20, 20, 40, 40), Box("outside", 0, 0, 16, 16)
    labels = [exact_boxes(boxes, frame) for boxes in ([edge], [middle], [outside], [])]
    lost = score(np.ones((4, 7, 7)), labels, opt_out=[0.0] * 4)["lost"]
    assert lost == pytest.approx([0.5, 0, 1, np.nan], nan_ok=True)


@st.composite
def masks_in_images(draw):
    width, height = draw(st.integers(12, 45)), draw(st.integers(12, 45))
    bitmap = draw(arrays.arrays(bool, (height, width), elements=st.booleans()))
    bitmap[draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))] = True
    (x0, y0, x1, y1), mask = cut_to_content(bitmap)
    return letterbox(width, height, longer_side=12, crop=9), bitmap, Box("region", x0, y0, x1, y1, mask)


def in_frame(bitmap, frame: Frame):
    """How much of each frame pixel a drawing covers, in multiples of 1 / (width · height)."""
    height, width = bitmap.shape
    fine = bitmap.astype(int).repeat(frame.resized_height, axis=0).repeat(frame.resized_width, axis=1)
    covered = fine.reshape(frame.resized_height, height, frame.resized_width, width).sum(axis=(1, 3))
    top, left = 40 - frame.offset_y, 40 - frame.offset_x
    return np.pad(covered, 40)[top : top + frame.height, left : left + frame.width]


@given(masks_in_images())
@settings(deadline=None, max_examples=50)
def test_a_mask_keeps_the_pixels_that_are_more_than_half_covered(case):
    frame, bitmap, box = case
    drawn = np.zeros((frame.height, frame.width), dtype=int)
    for x0, y0, x1, y1 in paper_boxes([box], frame):
        drawn[y0 : y1 + 1, x0 : x1 + 1] += 1
    assert (drawn == (2 * in_frame(bitmap, frame) > bitmap.size)).all()


@given(masks_in_images())
@settings(deadline=None, max_examples=50)
def test_a_mask_reaches_the_exact_metrics_without_loss(case):
    frame, bitmap, box = case
    covered = in_frame(bitmap, frame) / bitmap.size
    edges = even_edges(frame.height, frame.height)
    found = union_areas(pack([exact_boxes([box], frame)]), edges, edges)[0]
    assert found == pytest.approx(covered, abs=1e-9)


def test_a_mask_that_fills_its_box_scores_like_the_box():
    frame, box = letterbox(512, 400), Box("region", 100, 90, 300, 250)
    masked = Box("region", 100, 90, 300, 250, encode(np.ones((160, 200), dtype=bool)))
    maps = np.random.default_rng(0).random((1, 7, 7))
    for profile, carry in (("exact", exact_boxes), ("paper", paper_boxes)):
        mine, theirs = (score(maps, [carry([b], frame)], profile=profile) for b in (box, masked))
        assert {n: v[0] for n, v in mine.items()} == pytest.approx({n: v[0] for n, v in theirs.items()}, nan_ok=True)
