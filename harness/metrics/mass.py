"""Where the attention lies: its peak, its mass, its soft overlap with the label."""

import numpy as np

from harness.metrics.scene import Array, Scene, over_cells, ratio

_RELATIVE_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)


def pointing(scene: Scene) -> Array:
    """(N,): mean label coverage of the cells that hold the map's maximum, compared in float32."""
    single = np.where(scene.area > 0, scene.maps, -np.inf).astype(np.float32)
    holds = single == single.max(axis=1, keepdims=True)
    return ratio(over_cells(holds * scene.coverage), over_cells(holds))


def mass_in_box(scene: Scene) -> Array:
    """(N,): the share of the attention on the image that lies under the label; NaN for a map of zeros."""
    return ratio(over_cells(scene.maps * scene.positive), over_cells(scene.maps * scene.area))


def soft_iou(scene: Scene) -> Array:
    """(N,): area-weighted Σ min(r, c) / Σ max(r, c), r = map / its maximum, c = label coverage; NaN for a map of 0s."""
    relative = ratio(scene.maps, np.broadcast_to(scene.peak[:, None], scene.maps.shape))
    shared = over_cells(scene.area * np.minimum(relative, scene.coverage))
    return ratio(shared, over_cells(scene.area * np.maximum(relative, scene.coverage)))


def mean_iou(scene: Scene) -> Array:
    """(N,): IoU of the cells with m >= t · max m and the label, averaged over t = 0.1 … 0.5; NaN for a map of zeros."""
    each = [_iou_above(scene, t * scene.peak) for t in _RELATIVE_THRESHOLDS]
    return np.asarray(np.mean(each, axis=0))


def _iou_above(scene: Scene, threshold: Array) -> Array:
    chosen = scene.maps >= threshold[:, None]
    hit = over_cells(chosen * scene.positive)
    union = over_cells(chosen * scene.area) + scene.total_positive - hit
    return np.where(scene.peak > 0, ratio(hit, union), np.nan)


def tied_area(scene: Scene) -> Array:
    """(N,): the share of the domain in cells whose value another cell of the domain has too."""
    ranking = scene.ranking
    group = ranking.area_after - ranking.area_before
    tied = group > ranking.area * (1 + 1e-9)  # more than rounding
    return ratio(over_cells(tied * ranking.area), scene.total_area)
