"""Masks in COCO's compressed run lengths: read, written, drawn, and cut into rectangles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness.mask import (
    BoxMask,
    MaskError,
    bitmap_rectangles,
    compressed,
    cut_to_content,
    decode,
    encode,
    rectangles,
    run_lengths,
)

bitmaps = arrays.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def checked(bitmap):
    return [list(row) for row in bitmap.astype(int)]


def test_the_text_is_the_one_of_the_reference_implementation():
    """Written by pycocotools 2.0.11 for rows 3 … 8 and columns 4 … 19 of an image of 20 x 30, and for the two below."""
    bitmap = np.zeros((20, 30), dtype=bool)
    bitmap[3:9, 4:20] = True
    assert encode(bitmap) == BoxMask(20, 30, "c26>00000000000000000000000000000U6")
    board = np.indices((5, 7)).sum(axis=0) % 3 == 0
    assert encode(board).counts == "01201000O10O1000O10OO"
    assert encode(np.ones((4, 4), dtype=bool)).counts == "0`0"


@given(bitmaps)
@settings(deadline=None)
def test_what_is_written_is_read_back(bitmap):
    assert (decode(encode(bitmap)) == bitmap).all()


@given(st.lists(st.integers(0, 2**32), max_size=8))
def test_any_runs_are_read_back(runs):
    assert run_lengths(compressed(runs)) == runs


@given(bitmaps)
@settings(deadline=None)
def test_the_rectangles_are_disjoint_and_cover_the_mask_exactly(bitmap):
    drawn = np.zeros(bitmap.shape, dtype=int)
    for x0, y0, x1, y1 in bitmap_rectangles(bitmap).astype(int):
        drawn[y0:y1, x0:x1] += 1
    assert checked(drawn) == checked(bitmap)


@given(bitmaps)
@settings(deadline=None)
def test_a_mask_cut_to_its_content_is_the_same_part_of_the_image(bitmap):
    found = cut_to_content(bitmap)
    if found is None:
        assert not bitmap.any()
        return
    (x0, y0, x1, y1), mask = found
    drawn = np.zeros_like(bitmap)
    drawn[y0:y1, x0:x1] = decode(mask)
    assert (drawn == bitmap).all()
    part = decode(mask)
    assert all(edge.any() for edge in (part[0], part[-1], part[:, 0], part[:, -1]))


@given(bitmaps)
@settings(deadline=None)
def test_a_mirrored_mask_is_the_mask_of_the_mirrored_picture(bitmap):
    assert (decode(encode(bitmap).mirrored()) == bitmap[:, ::-1]).all()


def test_rectangles_are_shares_of_the_box():
    bitmap = np.zeros((4, 10), dtype=bool)
    bitmap[1:3, 5:] = True
    assert rectangles(encode(bitmap)).tolist() == [[0.5, 0.25, 1.0, 0.75]]


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (BoxMask(4, 4, "0"), "add up to 0 pixels, 4 x 4"),
        (BoxMask(4, 4, "4000"), "add up to"),
        (BoxMask(4, 4, "ÿ"), "no compressed run length"),
        (BoxMask(4, 4, "4 4"), "run 2 .* no compressed run length"),
        (BoxMask(4, 4, "ooooooooooooooooo"), "no compressed run length"),
        (BoxMask(4, 4, "ooo"), "breaks off"),
        (BoxMask(4, 4, "O"), "below 0"),
        (BoxMask(4, 4, ""), "add up to 0"),
    ],
)
def test_runs_that_are_damaged_are_refused_with_the_reason(mask, words):
    with pytest.raises(MaskError, match=words):
        decode(mask)
