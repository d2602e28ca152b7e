"""Pearson's correlation of one column with many, with patient-bootstrap intervals.

Like every statistic here: resamples draw whole patients, all columns share one set of draws, and sums are of numbers so
rounded that they are exact in any order, so that the bytes do not depend on the machine.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from harness.resampling import digest_names, draws, summable
from harness.statistics import FEW_PATIENTS, RESAMPLES, Interval

Array = npt.NDArray[np.float64]

FEWEST = 3
"""Pairs below which there is no correlation: two points always lie on a line."""
_FLAT = 1e-9  # share of the spread of all pairs below which a resample has none


def correlations(
    table: Mapping[str, npt.ArrayLike],
    values: npt.ArrayLike,
    patients: Sequence[str],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Interval]:
    """Pearson's r of every column with `values`, over the rows where neither is null, in [−1, 1].

    Null (`mean` NaN) with fewer than 3 such rows, or where either does not vary over them. A resample in which either
    does not vary is left out.

    Args:
        table: name → (N,) values, NaN for null.
        values: (N,), NaN for null.
        patients: (N,) patient ids, one per row.
        resamples: how often patients are drawn with replacement.
        seed: with the patients it fixes every draw.

    Raises:
        ValueError: a column's length differs from the number of patients, or `resamples` is below 1.
    """
    names, index = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
    other = _column("values", values, len(index))
    columns = [_column(name, given, len(index)) for name, given in table.items()]
    sums = [_moments(column, other, index, len(names)) for column in columns]
    if not sums:
        return {}
    stacked = np.concatenate(sums, axis=1)
    whole = _pearson(stacked.sum(axis=0, keepdims=True))[0]
    drawn = [_pearson(weights @ stacked) for weights in draws(len(names), digest_names(names), resamples, seed)]
    resampled = np.concatenate(drawn)
    return {name: _interval(float(whole[k]), resampled[:, k], sums[k]) for k, name in enumerate(table)}


def _column(name: str, given: npt.ArrayLike, rows: int) -> Array:
    array = np.asarray(given, dtype=np.float64)
    if array.shape != (rows,) or np.isinf(array).any():
        raise ValueError(f"column {name!r} needs one finite value or NaN for each of {rows} patient ids")
    return array


def _moments(x: Array, y: Array, index: npt.NDArray[np.intp], patients: int) -> Array:
    """(P, 6): each patient's n, Σx, Σy, Σxx, Σyy, Σxy over the pairs, both standardised over all pairs; no pairs at all
    where either does not vary."""
    pairs = ~np.isnan(x) & ~np.isnan(y)
    x, y = _standardised(x[pairs]), _standardised(y[pairs])
    products = (np.ones(len(x)), x, y, x * x, y * y, x * y)
    terms = patients * int(np.bincount(index).max(initial=0))
    return np.stack([np.bincount(index[pairs], summable(each, terms), patients) for each in products], axis=1)


def _standardised(values: Array) -> Array:
    """Mean 0 and deviation 1; zeros for values that do not vary beyond rounding."""
    if not len(values):
        return values
    spread = values.std()
    centred = values - values.mean()
    return centred / spread if spread > _FLAT * np.abs(values).max() else np.zeros_like(values)


def _pearson(sums: Array) -> Array:
    """(S, K) from (S, 6 K) sums; NaN with fewer than 3 pairs or without spread."""
    n, x, y, xx, yy, xy = np.moveaxis(sums.reshape(len(sums), -1, 6), 2, 0)
    count = np.maximum(n, 1.0)
    variances = (xx - x * x / count) / count, (yy - y * y / count) / count
    covariance = (xy - x * y / count) / count
    varies = (n >= FEWEST) & (variances[0] > _FLAT) & (variances[1] > _FLAT)
    product = np.where(varies, variances[0] * variances[1], 1.0)
    return np.where(varies, np.clip(covariance / np.sqrt(product), -1.0, 1.0), np.nan)


def _interval(value: float, resampled: Array, sums: Array) -> Interval:
    """`sums` (P, 6): what each patient contributes to the column."""
    n, patients = int(sums[:, 0].sum()), int(np.count_nonzero(sums[:, 0]))
    known = resampled[~np.isnan(resampled)]
    if np.isnan(value) or not len(known):
        return Interval(np.nan, np.nan, np.nan, n, patients, True)
    lo, hi = np.percentile(known, (2.5, 97.5))
    return Interval(value, float(lo), float(hi), n, patients, patients < FEW_PATIENTS)
