"""The metrics one pixel at a time: draw the mask, upsample the map, sort the pixels.

Slow and plain on purpose. The closed form over grid cells is measured against it, and tests hold the two equal.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Boxes = Sequence[Sequence[float]]


def upsample(grid: Array, frame_size: tuple[int, int]) -> Array:
    """(H, W): nearest neighbour, source index ⌊i · cells / size⌋."""
    height, width = frame_size
    rows = np.arange(height) * grid.shape[0] // height
    cols = np.arange(width) * grid.shape[1] // width
    return np.asarray(grid[rows][:, cols])


def draw(boxes: Boxes, frame_size: tuple[int, int]) -> Mask:
    """(H, W): the union of half-open boxes on whole pixels."""
    mask = np.zeros(frame_size, dtype=bool)
    for x0, y0, x1, y1 in np.asarray(boxes, dtype=int).reshape(-1, 4):
        mask[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = True
    return mask


def paper(grid: Array, inclusive_boxes: Boxes, frame_size: tuple[int, int] = (224, 224)) -> dict[str, float]:
    """Every metric of profile `paper` that needs a label, for one map (R, C) and its boxes; NaN for null."""
    values = upsample(grid, frame_size).ravel()
    label = draw([[x0, y0, x1 + 1, y1 + 1] for x0, y0, x1, y1 in inclusive_boxes], frame_size).ravel()
    result = {"auroc": auroc(values, label), "avg_precision": stepwise_average_precision(values, label)}
    for percent in (5, 10, 20, 30):
        lowest = np.sort(values)[: len(values) - int(len(values) * (percent / 100))]
        reached, passed = values >= lowest[-1], values > lowest[-1]
        result[f"precision_at_{percent}"] = _share(reached & label, reached, label)
        result[f"recall_at_{percent}"] = _share(reached & label, label, label)
        result[f"f1_at_{percent}"] = (
            2 * (reached & label).sum() / (reached.sum() + label.sum()) if label.any() else np.nan
        )
        result[f"iou_at_{percent}"] = _share(passed & label, passed | label, label)
    return result


def auroc(values: Array, label: Mask) -> float:
    """Mann–Whitney by midranks over pixels."""
    inside, outside = int(label.sum()), int((~label).sum())
    if not inside or not outside:
        return np.nan
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    midranks = np.cumsum(counts) - (counts - 1) / 2
    return float(midranks[index][label].sum() - inside * (inside + 1) / 2) / (inside * outside)


def stepwise_average_precision(values: Array, label: Mask) -> float:
    """Σ (recall step · precision after the step), one step per distinct value."""
    if not label.any():
        return np.nan
    _, index = np.unique(-values, return_inverse=True)
    hits = np.cumsum(np.bincount(index, label))
    precision = hits / np.cumsum(np.bincount(index))
    return float((np.diff(hits, prepend=0) / hits[-1] * precision).sum())


def _share(part: Mask, whole: Mask, label: Mask) -> float:
    return float(part.sum() / whole.sum()) if label.any() else np.nan
