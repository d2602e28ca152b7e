"""Region-box attention: one weight for each detected box becomes a map, painted as the maximum over the boxes.

The study's own overlay took x for the row; here x is the column, as in every box of this package.
"""

import json

import numpy as np
import numpy.typing as npt

from harness.case import Box
from harness.metrics.label import paper_boxes
from harness.sources.checks import UnusableMap, check_numbers
from harness.sources.config import RegionsConfig
from wronglung.geometry import Frame


def read_boxes(text: str, where: str) -> list[list[int]]:
    """``[[x0, y0, x1, y1], …]`` with inclusive maxima, as `attn_bboxes` writes them.

    Raises:
        UnusableMap: it is no list of lists of four whole numbers.
    """
    try:
        boxes: list[list[int]] = json.loads(text)
    except ValueError as error:
        raise UnusableMap("MAP_INVALID", f"{where}: attn_bboxes is no list of [x0, y0, x1, y1]: {error}") from error
    four = isinstance(boxes, list) and all(isinstance(box, list) and len(box) == 4 for box in boxes)
    if not four or not all(type(value) is int for box in boxes for value in box):
        raise UnusableMap("MAP_INVALID", f"{where}: attn_bboxes is a list of [x0, y0, x1, y1] of whole numbers")
    return boxes


def paint(
    weights: npt.NDArray[np.generic], boxes: list[list[int]], frame: Frame, config: RegionsConfig, where: str
) -> npt.NDArray[np.float64]:
    """(R, C): each cell has the largest weight of the boxes that hold its centre, 0 without one; scaled so that the map
    sums to what the weights sum to.

    Raises:
        UnusableMap: not one weight at least 0 for each box, or no box with a weight reaches into the frame.
    """
    if weights.shape != (len(boxes),):
        raise UnusableMap("MAP_INVALID", f"{where}: {len(boxes)} attn_bboxes, but weights of shape {weights.shape}")
    check_numbers(weights, where)
    grid = np.zeros((config.cells or frame.height, config.cells or frame.width))
    for weight, box in zip(weights.astype(np.float64), boxes, strict=True):
        for x0, y0, x1, y1 in [box] if config.pixels == "frame" else _carried(box, frame, where):
            rows = _centres(y0, y1 + 1, frame.height, grid.shape[0])
            cols = _centres(x0, x1 + 1, frame.width, grid.shape[1])
            grid[rows, cols] = np.maximum(grid[rows, cols], weight)
    if not grid.any():
        raise UnusableMap("MAP_INVALID", f"{where}: no box with a weight above 0 reaches into the frame")
    return np.asarray(grid * (weights.astype(np.float64).sum() / grid.sum()))


def _carried(box: list[int], frame: Frame, where: str) -> list[list[int]]:
    """A box of original pixels as one of frame pixels; none if nothing of it is left."""
    x0, y0, x1, y1 = box
    if x1 < x0 or y1 < y0:
        raise UnusableMap("MAP_INVALID", f"{where}: attn_bboxes hold {box}, which is inside out")
    return paper_boxes([Box("detected", x0, y0, x1 + 1, y1 + 1)], frame)


def _centres(low: int, high: int, size: int, cells: int) -> slice:
    """The cells whose centre lies in [low, high), in pixels; [−1, 0) is a box that was lost."""
    centres = (np.arange(cells) + 0.5) * size / cells
    return slice(int(np.searchsorted(centres, low)), int(np.searchsorted(centres, high)))
