"""The opt-out mass as a decision: does the model withhold its attention from sentences that are false for the image?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Mean risk among the sentences answered, averaged over all coverages; each in [0, 1], lower is better."""

    area: float
    """Sentences answered in ascending order of the opt-out mass."""
    random: float
    """In random order: the mean risk."""
    ideal: float
    """In ascending order of the risk itself."""


def decision_auroc(values: npt.ArrayLike, positive: npt.ArrayLike) -> float:
    """The chance that a positive has a higher value than a negative, ties counted half (Mann–Whitney), in [0, 1].

    Args:
        values: (N,) opt-out masses, or numbers of words for the reference beside it; NaN takes no part.
        positive: (N,) bool: True for sentences of other patients' reports that are false for the image.

    Returns:
        NaN unless there are both positives and negatives.
    """
    array, is_positive = np.asarray(values, dtype=np.float64), np.asarray(positive, dtype=bool)
    if array.shape != is_positive.shape:
        raise ValueError(f"expected one class per value {array.shape}, got {is_positive.shape}")
    yes, no = array[is_positive & ~np.isnan(array)], np.sort(array[~is_positive & ~np.isnan(array)])
    if not len(yes) or not len(no):
        return float("nan")
    wins = np.searchsorted(no, yes, side="left").sum() + np.searchsorted(no, yes, side="right").sum()
    return float(wins) / (2 * len(yes) * len(no))


def length_matched(words: npt.ArrayLike, positive: npt.ArrayLike, *, seed: int = 0) -> npt.NDArray[np.bool_]:
    """(N,) bool: a subset in which each number of words is as frequent among the positives as among the negatives.

    An encoder's opt-out mass depends on the length of the sentence; on this subset `decision_auroc` of the number of
    words is 0.5. Of the more frequent class a random part is kept, fixed by `seed` and the order of the rows.
    """
    lengths, is_positive = np.asarray(words), np.asarray(positive, dtype=bool)
    if lengths.shape != is_positive.shape:
        raise ValueError(f"expected one class per number of words {lengths.shape}, got {is_positive.shape}")
    rng = np.random.default_rng(seed)
    kept = np.zeros(lengths.shape, dtype=bool)
    for length in np.unique(lengths):
        yes, no = (np.flatnonzero((lengths == length) & side) for side in (is_positive, ~is_positive))
        size = min(len(yes), len(no))
        kept[rng.permutation(yes)[:size]] = True
        kept[rng.permutation(no)[:size]] = True
    return kept


def risk_coverage(opt_out: npt.ArrayLike, risk: npt.ArrayLike) -> RiskCoverage:
    """The area under risk over coverage when sentences are answered in ascending order of their opt-out mass.

    Args:
        opt_out: (N,) opt-out masses; sentences with equal masses are answered in random order, in expectation.
        risk: (N,) in [0, 1]: 1 − pointing for the image's own sentences, 1 for random ones. NaN takes no part.

    Returns:
        NaN throughout without a sentence.
    """
    mass, loss = np.asarray(opt_out, dtype=np.float64), np.asarray(risk, dtype=np.float64)
    if mass.shape != loss.shape:
        raise ValueError(f"expected one risk per opt-out mass {mass.shape}, got {loss.shape}")
    valid = ~(np.isnan(mass) | np.isnan(loss))
    mass, loss = mass[valid], loss[valid]
    if not len(loss):
        return RiskCoverage(np.nan, np.nan, np.nan)
    return RiskCoverage(_area(_expected(mass, loss)), float(loss.mean()), _area(np.sort(loss)))


def _expected(mass: Array, loss: Array) -> Array:
    """Losses in ascending order of mass, each replaced by the mean of those tied with it."""
    _, group = np.unique(mass, return_inverse=True)
    means = np.bincount(group, loss) / np.bincount(group)
    return np.asarray(means[np.sort(group)])


def _area(losses: Array) -> float:
    """Mean over 1 … N of the mean of the first n losses."""
    return float((np.cumsum(losses) / np.arange(1, len(losses) + 1)).mean())
