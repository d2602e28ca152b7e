"""Pixels into the frame."""

import numpy as np
import pytest

from wronglung.geometry import letterbox
from wronglung.model.config import PreprocessConfig
from wronglung.model.preprocess import preprocess, stretch_range


def test_the_frame_holds_the_image_where_the_geometry_says() -> None:
    pixels = np.full((100, 300), 255, np.uint8)
    frame, geometry = preprocess(pixels, PreprocessConfig())
    assert geometry == letterbox(300, 100)
    x0, y0, x1, y1 = (int(v) for v in geometry.image_rect)
    expected = np.full((224, 224), -1, np.float32)
    expected[y0:y1, x0:x1] = 1
    np.testing.assert_array_equal(frame, expected)


def test_a_bright_corner_lands_where_the_frame_maps_it() -> None:
    pixels = np.zeros((400, 300), np.uint8)
    pixels[200:220, 150:170] = 255
    frame, geometry = preprocess(pixels, PreprocessConfig())
    rows, cols = np.nonzero(frame > 0)
    x0, y0, x1, y1 = geometry.to_frame((150, 200, 170, 220))
    assert abs(cols.min() - x0) <= 1
    assert abs(cols.max() + 1 - x1) <= 1
    assert abs(rows.min() - y0) <= 1
    assert abs(rows.max() + 1 - y1) <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_full_range_becomes_minus_one_to_one(dtype: type) -> None:
    top = np.iinfo(dtype).max
    pixels = np.where(np.arange(256)[None, :] < 128, 0, top).astype(dtype).repeat(256, 0)
    frame, _ = preprocess(pixels, PreprocessConfig())
    assert (frame.min(), frame.max()) == (-1, 1)


def test_stretching_uses_the_images_own_range() -> None:
    pixels = np.array([[1000, 1510], [1255, 1000]], np.uint16)
    np.testing.assert_array_equal(stretch_range(pixels), [[0, 255], [127, 0]])
    np.testing.assert_array_equal(stretch_range(np.full((2, 2), 7, np.uint8)), np.zeros((2, 2)))
    stretched, _ = preprocess(pixels.repeat(128, 0).repeat(128, 1), PreprocessConfig(stretch=True))
    assert (stretched.min(), stretched.max()) == (-1, 1)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 500), (500, 1), (3000, 7)])
def test_extreme_shapes_pass(height: int, width: int) -> None:
    frame, _ = preprocess(np.zeros((height, width), np.uint8), PreprocessConfig())
    assert frame.shape == (224, 224)
    assert np.isfinite(frame).all()
