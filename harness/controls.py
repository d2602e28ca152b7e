"""Maps that know less than a model, or more: what a model's numbers must be held against.

Without a model: `uniform` (knows nothing), `centre_prior` (knows where labels usually are) and `oracle` (knows the
label: the ceiling of the grid). From a model's own maps of the unperturbed sentences: `text_blind` (the same map for
every sentence of an image) and `image_blind` (the same map for a wording wherever it occurs). A model that beats
neither shows no evidence of reading or of seeing.
"""

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from harness.metrics.coverage import Boxes
from harness.metrics.scene import area_weights, ratio
from wronglung.geometry import Rect

Array = npt.NDArray[np.float64]


def uniform(count: int, grid: tuple[int, int]) -> Array:
    """(count, R, C): the same attention in every cell, summing to 1."""
    return np.full((count, *grid), 1.0 / (grid[0] * grid[1]))


def oracle(
    boxes: Sequence[Boxes],
    grid: tuple[int, int],
    *,
    frame_size: tuple[int, int] = (224, 224),
    domains: Sequence[Rect | None] | None = None,
) -> Array:
    """(N, R, C): each cell's label coverage in [0, 1], for boxes and domains as `score` takes them in profile `exact`.

    No map on this grid scores higher in exact AUROC, average precision, or precision, recall, F1 or IoU at k. NaN
    without a label inside the frame.
    """
    area, positive, _ = area_weights(boxes, grid, frame_size, domains)
    coverage = np.nan_to_num(ratio(positive, area))
    coverage[~(positive > 0).any(axis=1)] = np.nan
    return coverage.reshape(len(boxes), *grid)


def centre_prior(coverages: Array, patients: Sequence[str]) -> Array:
    """(N, R, C): for each sentence the mean of `coverages` (N, R, C: `oracle`) over all sentences of other patients.

    NaN rows of `coverages` take no part, but have a prior. NaN where no other patient has a label.
    """
    fine = np.round(coverages * 2.0**30) / 2.0**30  # sums are exact, so that what is equal stays equal
    return _mean_of_others(fine, [()] * len(coverages), list(patients))


def text_blind(values: npt.ArrayLike, images: Sequence[Hashable]) -> Array:
    """(N, …): for each sentence the mean of `values` over all sentences of its image; NaN for an image with one.

    Args:
        values: (N, …) of the model on the unperturbed sentences: maps (N, R, C), opt-out masses (N,). NaN for a
            sentence that failed: it takes no part.
        images: (N,) the image of each sentence.
    """
    array = np.asarray(values, dtype=np.float64)
    sums, counts, index = _group_sums(array, images)
    return _mean(sums[index], np.where(counts > 1, counts, 0)[index])


def image_blind(values: npt.ArrayLike, wordings: Sequence[Hashable], images: Sequence[Hashable]) -> Array:
    """(N, …): for each sentence the mean of `values` over the same wording on other images; NaN where there is none.

    Args:
        values: (N, …) as for `text_blind`.
        wordings: (N,) what each sentence says, e.g. the words that the model used.
        images: (N,) the image of each sentence.
    """
    return _mean_of_others(np.asarray(values, dtype=np.float64), wordings, images)


def _mean_of_others(values: Array, groups: Sequence[Hashable], owners: Sequence[Hashable]) -> Array:
    """(N, …): the mean over the members of a row's group that have another owner.

    A group's sum less the owner's part: float32 values of like size, and multiples of 2⁻³⁰, add up without rounding.
    """
    sums, counts, index = _group_sums(values, groups)
    own_sums, own_counts, own_index = _group_sums(values, list(zip(groups, owners, strict=True)))
    return _mean(sums[index] - own_sums[own_index], counts[index] - own_counts[own_index])


def _group_sums(values: Array, groups: Sequence[Hashable]) -> tuple[Array, Array, npt.NDArray[np.intp]]:
    """Sums (G, …) and numbers (G,) of each group's rows without NaN, and each row's group (N,)."""
    if len(groups) != len(values):
        raise ValueError(f"expected one group per row ({len(values)}), got {len(groups)}")
    numbers: dict[Hashable, int] = {}
    index = np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=np.intp)
    valid = ~np.isnan(values).any(axis=tuple(range(1, values.ndim)))
    sums = np.zeros((len(numbers), *values.shape[1:]))
    np.add.at(sums, index[valid], values[valid])
    return sums, np.bincount(index[valid], minlength=len(numbers)).astype(np.float64), index


def _mean(sums: Array, counts: Array) -> Array:
    """Row sums over row counts; NaN where the count is 0. Rounding never leaves a value below 0."""
    return ratio(np.maximum(sums, 0.0), counts.reshape(-1, *[1] * (sums.ndim - 1)))
