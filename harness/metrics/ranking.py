"""Cells in descending order of their values, with ties kept together: what every rank metric starts from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """M cells of N maps, highest value first. Cells of equal value form one group, whose members share
    `area_before` … `positive_after`; areas are in frame pixels².
    """

    value: Array
    """(N, M) descending."""
    area: Array
    """(N, M): each cell's area."""
    positive: Array
    """(N, M): the part of it under the label."""
    area_before: Array
    """(N, M): total area of the groups above this cell's."""
    area_after: Array
    """(N, M): the same with this cell's group."""
    positive_before: Array
    """(N, M): the label's area in the groups above."""
    positive_after: Array
    """(N, M): the same with this cell's group."""


def rank(value: Array, area: Array, positive: Array) -> Ranking:
    """Sort the cells of every map; all arrays (N, M)."""
    order = np.argsort(-value, axis=1, kind="stable")
    value, area, positive = (np.take_along_axis(array, order, axis=1) for array in (value, area, positive))
    first, last = _group_bounds(value)
    area_sum, positive_sum = _running_sum(area), _running_sum(positive)
    return Ranking(
        value=value,
        area=area,
        positive=positive,
        area_before=np.take_along_axis(area_sum, first, axis=1),
        area_after=np.take_along_axis(area_sum, last + 1, axis=1),
        positive_before=np.take_along_axis(positive_sum, first, axis=1),
        positive_after=np.take_along_axis(positive_sum, last + 1, axis=1),
    )


def _group_bounds(value: Array) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """(N, M) twice: the index of the first and of the last cell of each cell's group."""
    count, cells = value.shape
    place = np.arange(cells)
    edge = np.ones((count, 1), dtype=bool)
    changes = value[:, 1:] != value[:, :-1]
    starts = np.where(np.hstack([edge, changes]), place, 0)
    ends = np.where(np.hstack([changes, edge]), place, cells - 1)
    return np.maximum.accumulate(starts, axis=1), np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]


def _running_sum(values: Array) -> Array:
    """(N, M + 1): sums of the first 0, 1, … M values."""
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
