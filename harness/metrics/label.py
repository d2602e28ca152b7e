"""Boxes of the original image become boxes of the model's frame, as each profile wants them.

Original boxes are half-open (`harness.case.Box`); a source with inclusive maxima added 1 when it was read. A box with a
mask becomes the disjoint rectangles that the mask consists of.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from harness.case import Box
from harness.mask import BoxMask, bitmap_rectangles, rectangles
from harness.metrics.coverage import Boxes, sum_areas
from wronglung.geometry import Frame, Rect

_ROUNDING = 1e-9  # of a pixel, by which a product of lengths or a sum of areas may be off: half is not more than half


class CarriesRects(Protocol):
    """Knows where rectangles of a picture lie in a frame, as `Frame` does."""

    def to_frame(self, rect: Rect) -> Rect:
        """Carry a rectangle into the frame (not clipped)."""


def exact_boxes(boxes: Iterable[Box], frame: CarriesRects) -> Boxes:
    """Real-valued half-open rectangles of the frame, not clipped to it: profile `exact` counts what is lost.

    A list of tuples; (B, 4) if a box has a mask, of which thousands of rectangles may come.
    """
    found = tuple(boxes)
    if not any(box.mask for box in found):
        return [frame.to_frame(box.xyxy) for box in found]
    return np.concatenate([_exact(box, frame) for box in found])


def _exact(box: Box, frame: CarriesRects) -> npt.NDArray[np.float64]:
    whole = np.array([frame.to_frame(box.xyxy)])
    return whole if box.mask is None else stretch(box.mask, frame.to_frame(box.xyxy))


def stretch(mask: BoxMask, rect: Rect) -> npt.NDArray[np.float64]:
    """(B, 4): the rectangles of a mask laid over a rectangle. Those that touched still touch."""
    x0, y0, x1, y1 = rect
    size = np.array([x1 - x0, y1 - y0, x1 - x0, y1 - y0])
    return np.asarray(np.array([x0, y0, x0, y0]) + rectangles(mask) * size)


def paper_boxes(boxes: Iterable[Box], frame: Frame) -> list[list[int]]:
    """``[x0, y0, x1, y1]`` on whole frame pixels, maxima inclusive; boxes of which no pixel remains are left out.

    As in arXiv 2210.06565 each box is resized, padded and cropped as a mask, in which a pixel belongs to the box if
    more than half of it is covered, and becomes a box again by the first and last row and column. A pixel's covered
    share is the product of its covered width and height, so no mask has to be drawn. A box with a mask keeps the very
    pixels that are more than half covered, as rectangles.
    """
    carried: list[list[int]] = []
    for box in boxes:
        rect = frame.to_frame(box.xyxy)
        carried += _paper_box(rect, frame) if box.mask is None else _paper_mask(box.mask, rect, frame)
    return carried


def _paper_box(rect: Rect, frame: Frame) -> list[list[int]]:
    x0, y0, x1, y1 = rect
    widths = _covered(x0, x1, frame.width)
    heights = _covered(y0, y1, frame.height)
    columns = np.flatnonzero(widths * heights.max() > 0.5 + _ROUNDING)
    rows = np.flatnonzero(heights * widths.max() > 0.5 + _ROUNDING)
    if not len(columns) or not len(rows):
        return []
    return [[int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])]]


def _paper_mask(mask: BoxMask, rect: Rect, frame: Frame) -> list[list[int]]:
    return _pixels(mask, rect, (frame.width, frame.height)).tolist()  # type: ignore[no-any-return]


@lru_cache(maxsize=4096)
def _pixels(mask: BoxMask, rect: Rect, size: tuple[int, int]) -> npt.NDArray[np.int32]:
    """(B, 4): the frame's pixels that are more than half covered, maxima inclusive. Kept, as each arm and each control
    asks for them anew; they take some hundreds of bytes."""
    left, right = _window(rect[0], rect[2], size[0])
    top, bottom = _window(rect[1], rect[3], size[1])
    covered = sum_areas(stretch(mask, rect), np.arange(top, bottom + 1.0), np.arange(left, right + 1.0))
    pixels = bitmap_rectangles(covered > 0.5 + _ROUNDING)
    return np.asarray(pixels + np.array([left, top, left - 1, top - 1]), dtype=np.int32)


def _window(low: float, high: float, size: int) -> tuple[int, int]:
    """The whole pixels of the frame that an interval touches: first and one past the last."""
    first, last = np.clip([np.floor(low), np.ceil(high)], 0, size)
    return int(first), int(last)


def _covered(low: float, high: float, size: int) -> npt.NDArray[np.float64]:
    """(size,): how much of each pixel's length lies between `low` and `high`."""
    first = np.arange(size)
    return np.asarray(np.clip(np.minimum(high, first + 1) - np.maximum(low, first), 0.0, 1.0))
