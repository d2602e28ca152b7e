"""Boxes of the original image become boxes of the model's frame, as each profile wants them.

Original boxes are half-open (`harness.case.Box`); a source with inclusive maxima added 1 when it was read.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from harness.case import Box
from wronglung.geometry import Frame, Rect


def exact_boxes(boxes: Iterable[Box], frame: Frame) -> list[Rect]:
    """Real-valued half-open rectangles of the frame, not clipped to it: profile `exact` counts what is lost."""
    return [frame.to_frame(box.xyxy) for box in boxes]


def paper_boxes(boxes: Iterable[Box], frame: Frame) -> list[list[int]]:
    """``[x0, y0, x1, y1]`` on whole frame pixels, maxima inclusive; boxes of which no pixel remains are left out.

    As in arXiv 2210.06565 each box is resized, padded and cropped as a mask, in which a pixel belongs to the box if
    more than half of it is covered, and becomes a box again by the first and last row and column. A pixel's covered
    share is the product of its covered width and height, so no mask has to be drawn.
    """
    carried = (_paper_box(rect, frame) for rect in exact_boxes(boxes, frame))
    return [box for box in carried if box is not None]


def _paper_box(rect: Rect, frame: Frame) -> list[int] | None:
    x0, y0, x1, y1 = rect
    widths = _covered(x0, x1, frame.width)
    heights = _covered(y0, y1, frame.height)
    columns = np.flatnonzero(widths * heights.max() > 0.5)
    rows = np.flatnonzero(heights * widths.max() > 0.5)
    if not len(columns) or not len(rows):
        return None
    return [int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])]


def _covered(low: float, high: float, size: int) -> npt.NDArray[np.float64]:
    """(size,): how much of each pixel's length lies between `low` and `high`."""
    first = np.arange(size)
    return np.asarray(np.clip(np.minimum(high, first + 1) - np.maximum(low, first), 0.0, 1.0))
