"""The opt-out mass as a decision: does the model withhold its attention from sentences that are false for the image?

The figures are statistics for `harness.statistics.statistic_interval`: functions of how often each row counts.
"""

import numpy as np
import numpy.typing as npt

from harness.metrics.scene import over_cells, ratio
from harness.statistics import Statistic

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]


def decision_auroc(values: npt.ArrayLike, positive: npt.ArrayLike) -> Statistic:
    """The chance that a positive has a higher value than a negative, ties counted half (Mann–Whitney), in [0, 1].

    Args:
        values: (N,) opt-out masses, or numbers of words for the reference beside it; NaN takes no part.
        positive: (N,) bool: True for sentences of other patients' reports that are false for the image.

    Returns:
        A statistic of N rows; NaN unless both positives and negatives count.
    """
    array, is_positive = np.asarray(values, dtype=np.float64), np.asarray(positive, dtype=bool)
    if array.shape != is_positive.shape:
        raise ValueError(f"expected one class per value {array.shape}, got {is_positive.shape}")
    rows, starts = _ascending(array)

    def auroc(weights: Array) -> Array:
        """Whole and half pairs are counted, so that no sum is rounded."""
        yes = _totals(weights * is_positive, rows, starts)
        no = _totals(weights * ~is_positive, rows, starts)
        wins = over_cells(yes * (np.cumsum(no, axis=1) - no / 2))
        return ratio(wins, over_cells(yes) * over_cells(no))

    return auroc


def risk_coverage_area(order: npt.ArrayLike, risk: npt.ArrayLike) -> Statistic:
    """The area under risk over coverage: the mean risk of the first n sentences answered, averaged over n = 1 … N.

    Args:
        order: (N,) sentences are answered in ascending order of it: opt-out masses, or the risk itself for the ideal.
            Those with equal values are answered in random order, in expectation. NaN takes no part.
        risk: (N,) in [0, 1]: 1 − pointing for the image's own sentences, 1 for random ones. NaN takes no part.

    Returns:
        A statistic of N rows, in [0, 1], lower is better; NaN if none counts.
    """
    keys, loss = np.asarray(order, dtype=np.float64), np.asarray(risk, dtype=np.float64)
    if keys.shape != loss.shape:
        raise ValueError(f"expected one risk per place in the order {keys.shape}, got {loss.shape}")
    rows, starts = _ascending(np.where(np.isnan(loss), np.nan, keys))
    known = np.nan_to_num(loss)

    def area(weights: Array) -> Array:
        return _area(_totals(weights, rows, starts), _totals(weights * known, rows, starts))

    return area


def risk_coverage_curve(order: npt.ArrayLike, risk: npt.ArrayLike) -> Array:
    """(N,): the mean risk of the first n sentences answered, for n = 1 … N; its mean is `risk_coverage_area`.

    Args:
        order: (N,) as for `risk_coverage_area`.
        risk: (N,) in [0, 1], likewise; sentences whose order or risk is NaN take no part, and the curve is shorter.
    """
    keys, loss = np.asarray(order, dtype=np.float64), np.asarray(risk, dtype=np.float64)
    if keys.shape != loss.shape:
        raise ValueError(f"expected one risk per place in the order {keys.shape}, got {loss.shape}")
    counted = ~np.isnan(keys) & ~np.isnan(loss)
    _, group, sizes = np.unique(keys[counted], return_inverse=True, return_counts=True)
    expected = np.repeat(np.bincount(group, loss[counted], len(sizes)) / sizes, sizes)
    return np.asarray(np.cumsum(expected) / np.arange(1, len(expected) + 1))


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


def _ascending(values: Array) -> tuple[Index, Index]:
    """The rows that are not NaN in ascending order (M,), and where each of G groups of equal values begins (G,)."""
    order = np.argsort(values, kind="stable")
    rows = order[: len(values) - int(np.isnan(values).sum())]  # NaN is sorted to the end
    _, starts = np.unique(values[rows], return_index=True)
    return rows, starts


def _totals(weights: Array, rows: Index, starts: Index) -> Array:
    """(S, G): the sums of the groups in each of S resamples; (S, 0) without rows."""
    if not len(starts):
        return np.zeros((len(weights), 0))
    return np.asarray(np.add.reduceat(weights[:, rows], starts, axis=1))


def _area(counts: Array, losses: Array) -> Array:
    """(S,): the area, for groups that hold `counts` sentences with `losses` in all; both (S, G), in order.

    Within a group of c sentences each is expected to cost m, the group's mean. If n sentences that cost A came before,
    the mean loss after k more is (A + k m) / (n + k); the sum over k = 1 … c is c m + (A − n m) (H(n + c) − H(n)) with
    the harmonic numbers H.
    """
    after = np.cumsum(counts, axis=1).astype(np.intp)
    before = after - counts.astype(np.intp)
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, after.max(initial=0) + 1))])
    paid = np.cumsum(losses, axis=1) - losses
    mean = np.nan_to_num(ratio(losses, counts))
    sums = losses + (paid - before * mean) * (harmonic[after] - harmonic[before])
    return ratio(over_cells(sums), over_cells(counts))
