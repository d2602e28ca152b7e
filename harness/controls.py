"""Maps that know less than a model, or more: what a model's numbers must be held against.

Without a model: `uniform` (knows nothing), `centre_prior` (knows where labels usually are) and `oracle` (knows the
label: the ceiling of the grid). From a model's own maps of the unperturbed sentences: `text_blind` (the same map for
every sentence of an image) and `image_blind` (the mean map of the same wording on other patients' images, or, as
`image_blind_same_meaning`, of what says the same). Beating neither is no evidence of reading or of seeing.
"""

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from harness.metrics.coverage import Boxes
from harness.metrics.scene import area_weights, ratio
from harness.others import NOBODY, Groups, OtherPatients, SumsInMemory
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
    return _mean_of_other_patients(summable_coverage(coverages), [()] * len(coverages), patients)


def summable_coverage(coverages: Array) -> Array:
    """Coverages as multiples of 2⁻³⁰: their sums are exact, so that what is equal stays equal."""
    return np.asarray(np.round(coverages * 2.0**30) / 2.0**30)


def text_blind(values: npt.NDArray[np.floating], images: Sequence[Hashable]) -> Array:
    """(N, …): for each sentence the mean of `values` over all sentences of its image; NaN for an image with one.

    Args:
        values: (N, …) of the model on the unperturbed sentences: maps (N, R, C), opt-out masses (N,). NaN for a
            sentence that failed: it takes no part.
        images: (N,) the image of each sentence.

    Raises:
        ValueError: there is not one image per row.
    """
    blind = np.full(values.shape, np.nan)
    for members in _groups(values, images):
        sums, counts = _sums(values[members], np.zeros(len(members), dtype=np.intp), 1)
        blind[members] = _mean(sums, np.where(counts > 1, counts, 0))
    return blind


def image_blind(values: npt.NDArray[np.floating], says: Sequence[Hashable | None], patients: Sequence[str]) -> Array:
    """(N, …): for each sentence the mean of `values` over other patients' sentences that say the same; NaN where there
    is none.

    Another image of the same patient is no other image: what the two have in common would be seen, not read.

    Args:
        values: (N, …) as for `text_blind`.
        says: (N,) what each sentence says: equal for sentences that count as the same; None: like no other.
        patients: (N,) the patient of each sentence.

    Raises:
        ValueError: there is not one entry per row.
    """
    return _mean_of_other_patients(values, says, patients)


def _mean_of_other_patients(
    values: npt.NDArray[np.floating], groups: Sequence[Hashable | None], patients: Sequence[str]
) -> Array:
    """(N, …): the mean over the members of a row's group that are of other patients."""
    if len(groups) != len(values):
        raise ValueError(f"expected one group per row ({len(values)}), got {len(groups)}")
    numbers: dict[Hashable, int] = {}
    codes = [NOBODY if group is None else numbers.setdefault(group, len(numbers)) for group in groups]
    members = Groups(np.array(codes, dtype=np.intp), np.unique(patients, return_inverse=True)[1])
    others = OtherPatients(members, SumsInMemory(members.places, values.shape[1:]))
    others.add(0, values)
    return others.means(0, values)


def _groups(values: npt.NDArray[np.floating], groups: Sequence[Hashable | None]) -> list[npt.NDArray[np.intp]]:
    """The rows of each group; rows of the group None are in none."""
    if len(groups) != len(values):
        raise ValueError(f"expected one group per row ({len(values)}), got {len(groups)}")
    rows: dict[Hashable, list[int]] = {}
    for row, group in enumerate(groups):
        if group is not None:
            rows.setdefault(group, []).append(row)
    return [np.array(members, dtype=np.intp) for members in rows.values()]


def _sums(values: npt.NDArray[np.floating], index: npt.NDArray[np.intp], count: int) -> tuple[Array, Array]:
    """Sums (count, …) and numbers (count,) of the rows without NaN, by `index`."""
    valid = ~np.isnan(values).any(axis=tuple(range(1, values.ndim)))
    sums = np.zeros((count, *values.shape[1:]))
    np.add.at(sums, index[valid], values[valid])
    return sums, np.bincount(index[valid], minlength=count).astype(np.float64)


def _mean(sums: Array, counts: Array) -> Array:
    """Row sums over row counts; NaN where the count is 0. Rounding never leaves a value below 0."""
    return ratio(np.maximum(sums, 0.0), counts.reshape(-1, *[1] * (sums.ndim - 1)))
