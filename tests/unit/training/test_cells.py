"""Boxes follow the crop of their own image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.case import Box, Sentence
from training.cells import cell_weights, crop_frames
from wronglung.model.config import PreprocessConfig

PREPROCESS = PreprocessConfig(longer_side=32, crop=24)
corner = st.integers(0, 8)


def boxed(*boxes: tuple[float, float, float, float]) -> Sentence:
    return Sentence("s", "s", tuple(Box(str(i), *box) for i, box in enumerate(boxes)))


def weights(sentence: Sentence, top: int, left: int, grid: int = 4) -> tuple[np.ndarray, np.ndarray]:
    frames = crop_frames(np.array([[top, left]]), PREPROCESS)
    area, positive = cell_weights([sentence], frames, (grid, grid))
    return area[0].numpy(), positive[0].numpy()


@given(top=corner, left=corner, x=st.integers(0, 30), y=st.integers(0, 30), w=st.integers(1, 20), h=st.integers(1, 20))
def test_weights_are_the_pixels_of_the_cropped_mask(top: int, left: int, x: int, y: int, w: int, h: int) -> None:
    mask = np.zeros((32, 32))
    mask[y : y + h, x : x + w] = 1
    other = (5.0, 6.0, 9.0, 8.0)  # in part the same place: a union, not a sum
    mask[6:8, 5:9] = 1
    cropped = mask[top : top + 24, left : left + 24]
    expected = cropped.reshape(4, 6, 4, 6).sum((1, 3)).ravel()
    area, positive = weights(boxed((x, y, min(x + w, 32), min(y + h, 32)), other), top, left)
    np.testing.assert_allclose(positive, expected, atol=1e-4)
    np.testing.assert_allclose(area, 36)


def test_a_box_outside_of_the_crop_has_no_weight() -> None:
    assert weights(boxed((0, 0, 3, 3)), top=4, left=4)[1].sum() == 0
    assert weights(boxed((0, 0, 3, 3)), top=0, left=0)[1].sum() == pytest.approx(9)


def test_each_image_has_its_own_crop() -> None:
    frames = crop_frames(np.array([[0, 0], [6, 0]]), PREPROCESS)
    _, positive = cell_weights([boxed((0, 6, 6, 12))] * 2, frames, (4, 4))
    assert positive.argmax(1).tolist() == [4, 0]
