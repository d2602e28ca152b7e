"""Specification of the frame: original pixels ↔ frame ↔ cells."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wronglung.geometry import Frame, letterbox

sides = st.integers(1, 5000)
SHAPES = [(640, 480), (480, 640), (512, 512), (3000, 1000), (1000, 3001), (100, 80), (20, 2000)]


@given(sides, sides)
def test_the_frame_and_back_is_where_it_began(width: int, height: int) -> None:
    frame = letterbox(width, height)
    rect = (0.25 * width, 0.125 * height, 0.75 * width, 0.5 * height)
    assert frame.to_original(frame.to_frame(rect)) == pytest.approx(rect, rel=1e-9, abs=1e-6)


@given(sides, sides)
def test_image_and_padding_fill_the_frame(width: int, height: int) -> None:
    frame = letterbox(width, height)
    x0, y0, x1, y1 = frame.image_rect
    left, top, right, bottom = frame.padding
    assert x1 - x0 + left + right == pytest.approx(frame.width)
    assert y1 - y0 + top + bottom == pytest.approx(frame.height)


@given(sides, sides, st.integers(1, 19), st.integers(1, 19))
def test_cells_tile_what_is_covered(width: int, height: int, rows: int, cols: int) -> None:
    frame = letterbox(width, height)
    cells = [frame.cell(r, c, rows, cols) for r in range(rows) for c in range(cols)]
    x0, y0, x1, y1 = frame.covered
    area = sum((c[2] - c[0]) * (c[3] - c[1]) for c in cells)
    assert area == pytest.approx((x1 - x0) * (y1 - y0), rel=1e-6)
    assert (cells[0][:2], cells[-1][2:]) == (pytest.approx((x0, y0)), pytest.approx((x1, y1)))


@given(sides, sides)
def test_the_longer_side_fills_the_padded_square(width: int, height: int) -> None:
    frame = letterbox(width, height)
    assert max(frame.resized_width, frame.resized_height) == 256
    assert min(frame.resized_width, frame.resized_height) == max(1, int(256 * min(width, height) / max(width, height)))


@pytest.mark.parametrize(("width", "height"), SHAPES)
def test_a_mark_lies_where_opencv_puts_it(width: int, height: int) -> None:
    """Resize, pad and crop a picture with one bright block the plain way; its centroid is where the frame says."""
    image = np.zeros((height, width), np.float32)
    rect = (int(0.4 * width), int(0.3 * height), max(int(0.6 * width), 1), max(int(0.5 * height), 1))
    image[rect[1] : rect[3], rect[0] : rect[2]] = 1.0
    frame = letterbox(width, height)
    resized = cv2.resize(image, (frame.resized_width, frame.resized_height), interpolation=cv2.INTER_AREA)
    square = np.zeros((256, 256), np.float32)
    left, top = (256 - frame.resized_width) // 2, (256 - frame.resized_height) // 2
    square[top : top + frame.resized_height, left : left + frame.resized_width] = resized
    crop = square[16:240, 16:240]
    ys, xs = np.mgrid[0.5:224, 0.5:224]
    x0, y0, x1, y1 = frame.to_frame(rect)
    assert (crop * xs).sum() / crop.sum() == pytest.approx((x0 + x1) / 2, abs=0.6)
    assert (crop * ys).sum() / crop.sum() == pytest.approx((y0 + y1) / 2, abs=0.6)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5)])
def test_an_image_without_pixels_has_no_frame(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        letterbox(*size)


def test_a_crop_larger_than_the_square_is_refused() -> None:
    with pytest.raises(ValueError, match="larger"):
        letterbox(10, 10, longer_side=100, crop=101)


def test_a_cell_outside_the_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        letterbox(10, 10).cell(19, 0, 19, 19)


def test_a_frame_of_no_size_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Frame(10, 10, 10, 10, 0, 0, 0, 224)
