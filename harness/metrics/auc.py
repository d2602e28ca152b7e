"""Ranking quality over all thresholds: AUROC and average precision, area-weighted."""

import numpy as np

from harness.metrics.scene import Array, Scene, over_cells, ratio


def auroc(scene: Scene) -> Array:
    """(N,): the chance that a point of the label outranks a point outside it, ties counted half.

    NaN where the label is empty or covers everything.
    """
    ranking = scene.ranking
    outside = scene.total_area - scene.total_positive
    above = ranking.area_before - ranking.positive_before
    not_below = ranking.area_after - ranking.positive_after
    beaten = outside[:, None] - (above + not_below) / 2
    return np.clip(ratio(over_cells(ranking.positive * beaten), scene.total_positive * outside), 0.0, 1.0)


def stepwise_average_precision(scene: Scene) -> Array:
    """(N,): Σ (recall step · precision after the step), one step per distinct value (tied cells enter at once)."""
    ranking = scene.ranking
    return _mean_over_label(scene, ratio(ranking.positive_after, ranking.area_after))


def expected_average_precision(scene: Scene) -> Array:
    """(N,): average precision with tied cells entering in random order, point by point, in expectation.

    While the fraction f of a group enters, precision is (T + f p) / (A + f a) and recall grows by p df; the integral
    over f from 0 to 1, divided by p, is s + (T − A s) ln(1 + a / A) / a with s = p / a, or s where A = 0.
    """
    ranking = scene.ranking
    before = ranking.area_before
    group = ranking.area_after - before
    share = np.nan_to_num(ratio(ranking.positive_after - ranking.positive_before, group))
    log = np.log1p(np.where(before > 0, ratio(group, before), 0.0))
    drift = np.nan_to_num(ratio((ranking.positive_before - before * share) * log, group))
    return _mean_over_label(scene, share + drift)


def _mean_over_label(scene: Scene, precision: Array) -> Array:
    """(N,): a precision per ranked cell, averaged over the label's area."""
    gained = over_cells(scene.ranking.positive * np.nan_to_num(precision))
    return np.clip(ratio(gained, scene.total_positive), 0.0, 1.0)
