"""Contrast-to-noise ratio of the attention inside the label against outside."""

import numpy as np

from harness.metrics.scene import Array, Scene, over_cells, ratio


def cnr(scene: Scene) -> Array:
    """(N,): (μ_in − μ_out) / √(σ²_in + σ²_out), area-weighted; NaN where nothing varies on either side.

    Shift and scale of a map cancel, so the map is first brought to 0…1 over the domain: one that is flat on either side
    is then exactly 0 or 1 there, and has no spread by rounding.
    """
    inside = scene.area > 0
    low = np.where(inside, scene.maps, scene.peak[:, None]).min(axis=1, keepdims=True)
    span = scene.peak[:, None] - low
    relative = np.where(inside & (span > 0), (scene.maps - low) / np.where(span > 0, span, 1.0), 0.0)
    mean_in, variance_in = _moments(relative, scene.positive)
    mean_out, variance_out = _moments(relative, scene.area - scene.positive)
    return ratio(mean_in - mean_out, np.sqrt(variance_in + variance_out))


def cnr_abs(scene: Scene) -> Array:
    """(N,): the absolute value of `cnr`, which the literature calls CNR."""
    return np.abs(cnr(scene))


def _moments(values: Array, weights: Array) -> tuple[Array, Array]:
    """Weighted mean and variance per map; NaN where the weights are all 0."""
    total = over_cells(weights)
    mean = ratio(over_cells(weights * values), total)
    return mean, ratio(over_cells(weights * (values - mean[:, None]) ** 2), total)
