"""Overlap of the label with the top k % of the frame: precision, recall, F1 and IoU."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from harness.metrics.scene import Array, Scene, over_cells, ratio

PERCENTS = (5, 10, 20, 30)


class Selection(NamedTuple):
    """What a threshold selects: `area` frame pixels² in all, `hit` of them under the label; both (N,)."""

    area: Array
    hit: Array


Select = Callable[[Scene, int], Selection]
Overlap = Callable[[Selection, Array], Array]


def by_expectation(scene: Scene, percent: int) -> Selection:
    """Exactly k % of the domain: the cells tied at the threshold enter with equal fractions of their area."""
    ranking = scene.ranking
    budget = scene.total_area * percent / 100
    room = budget[:, None] - ranking.area_before
    fraction = np.nan_to_num(np.clip(ratio(room, ranking.area_after - ranking.area_before), 0.0, 1.0))
    return Selection(budget, over_cells(fraction * ranking.positive))


def at_least_threshold(scene: Scene, percent: int) -> Selection:
    """The pixels >= t, where t is the largest value among the lowest (total − ⌊total · k⌋) pixels."""
    at = _threshold_cell(scene, percent)
    return Selection(_pick(scene.ranking.area_after, at), _pick(scene.ranking.positive_after, at))


def above_threshold(scene: Scene, percent: int) -> Selection:
    """The pixels > t, with the same t: fewer than k % when many pixels tie."""
    at = _threshold_cell(scene, percent)
    return Selection(_pick(scene.ranking.area_before, at), _pick(scene.ranking.positive_before, at))


def _threshold_cell(scene: Scene, percent: int) -> npt.NDArray[np.intp]:
    """(N,): the first ranked cell of the group that holds pixel number ⌊total · k⌋, counted from the top."""
    skipped = np.floor(scene.total_area * (percent / 100))[:, None]
    ranking = scene.ranking
    return np.asarray(np.argmax((ranking.area_before <= skipped) & (skipped < ranking.area_after), axis=1))


def _pick(values: Array, at: npt.NDArray[np.intp]) -> Array:
    return np.take_along_axis(values, at[:, None], axis=1)[:, 0]


def precision(selected: Selection, label: Array) -> Array:
    """(N,): the label's share of the selection."""
    return ratio(selected.hit, selected.area)


def recall(selected: Selection, label: Array) -> Array:
    """(N,): the selection's share of the label, whose area is `label` (N,)."""
    return ratio(selected.hit, label)


def f1(selected: Selection, label: Array) -> Array:
    """(N,): harmonic mean of precision and recall."""
    return ratio(2 * selected.hit, selected.area + label)


def iou(selected: Selection, label: Array) -> Array:
    """(N,): intersection over union of selection and label; equals F1 / (2 − F1)."""
    return ratio(selected.hit, selected.area + label - selected.hit)


def at(percent: int, select: Select, overlap: Overlap) -> Callable[[Scene], Array]:
    """The metric `overlap` of what `select` picks at `percent` %."""

    def compute(scene: Scene) -> Array:
        return np.clip(overlap(select(scene, percent), scene.total_positive), 0.0, 1.0)

    return compute
