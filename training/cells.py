"""How much of each cell of a frame's grid lies inside a sentence's boxes, wherever the frame was cut.

Shapes: B frames with a sentence each, N = R · C cells, row-major from the top left.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.case import Sentence
from harness.metrics.label import exact_boxes
from harness.metrics.scene import area_weights
from training.frames import Corners
from wronglung.geometry import Frame
from wronglung.model.config import PreprocessConfig


def crop_frames(corners_B2: Corners, preprocess: PreprocessConfig) -> list[Frame]:
    """Where each frame lies in its square: `Frame.to_frame` then carries boxes of the square into the frame.

    Args:
        corners_B2: row and column of each frame's first pixel in the square.
        preprocess: the sizes of both.
    """
    side, crop = preprocess.longer_side, preprocess.crop
    return [Frame(side, side, side, side, -left, -top, crop, crop) for top, left in corners_B2.tolist()]


def cell_weights(
    sentences: Sequence[Sentence], frames: Sequence[Frame], grid: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Each cell's area, and the part of it inside the boxes, in frame pixels²: (B, N) each, float32.

    So the boxes go through the image's own crop. Exact areas of their union, in the arithmetic of the metrics. The
    whole frame counts, padding too: attention to it is attention outside of the boxes.

    Args:
        sentences: their boxes are in pixels of the square.
        frames: of one size.
        grid: rows and columns.
    """
    boxes = [exact_boxes(sentence.boxes, frame) for sentence, frame in zip(sentences, frames, strict=True)]
    area, positive, _ = area_weights(boxes, grid, (frames[0].height, frames[0].width), None)
    return torch.from_numpy(area).float(), torch.from_numpy(positive).float()
