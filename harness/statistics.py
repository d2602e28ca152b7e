"""Means with their uncertainty: patients, not sentences, are what was sampled.

Sentences of one patient are alike, so resamples draw whole patients, and sign flips turn all of a patient's deltas at
once. A table is a mapping of names to (N,) values, NaN for null; all its columns share one set of resamples, which
depends on the seed and the patients alone: not on the order of calls, columns or sentences.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.columns import LazyColumns
from harness.resampling import blocks, digest_names, draws, flips, summable

Array = npt.NDArray[np.float64]
Table = Mapping[str, npt.ArrayLike]
Statistic = Callable[[Array], Array]
"""(S, N) how often each row counts in each of S resamples → (S,) values, NaN where there is none."""

RESAMPLES = 10_000
FEW_PATIENTS = 20  # below it an interval is a rough guide only
_ROUNDING = 1e-12  # resampled means that differ by less are equal
DETECTABLE = 2.80  # z(1 − .05/2) + z(.8): the effect found with power .8 at α .05, in standard errors


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over non-null values with its 95 % percentile interval; NaN throughout where all are null."""

    mean: float
    lo: float
    hi: float
    n: int
    """Values that are not null."""
    patients: int
    """Patients with at least one of them; of a statistic that compares classes of rows: in its scarcest class."""
    few_patients: bool
    """Fewer than 20: take the interval with caution."""


@dataclass(frozen=True, slots=True)
class Delta(Interval):
    """A mean paired difference, with the p-value of a sign-flip test and the smallest effect it could have found."""

    p: float
    """Two-sided; NaN without pairs."""
    mde: float
    """2.80 × the bootstrap's standard error: α .05, power .8, not adjusted for multiple tests. NaN where no patient
    differs from another: nothing then tells how large an effect would have been found."""


def mean_interval(
    values: npt.ArrayLike, patients: Sequence[str], resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """`mean_intervals` of one column."""
    return mean_intervals({"": values}, patients, resamples, seed)[""]


def mean_intervals(
    table: Table, patients: Sequence[str], resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Interval]:
    """The mean of every column, Σ values / number of non-null values, with a patient-bootstrap interval.

    Args:
        table: name → (N,) values, NaN for null.
        patients: (N,) patient ids, one per value.
        resamples: how often patients are drawn with replacement.
        seed: with the patients it fixes every draw.

    Raises:
        ValueError: a column's length differs from the number of patients, or `resamples` is below 1.
    """
    sums = _sums(table, patients)
    means = _resampled_means(sums, resamples, seed)
    return {name: _interval(sums, column, means[:, column]) for column, name in enumerate(table)}


def statistic_interval(
    statistic: Statistic,
    counted: npt.ArrayLike,
    patients: Sequence[str],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Any statistic of the rows with a patient-bootstrap interval, from the draws that a mean of them would have.

    Args:
        statistic: a row that counts twice is to stand for two equal rows; all ones give the value itself.
        counted: (N,) bool: the rows that take part (the statistic leaves the others out by itself). (K, N) for a
            statistic that holds K classes of rows against each other: those of each. It then rests on no more patients
            than its scarcest class has.
        patients: (N,) patient ids, one per row.
        resamples: how often patients are drawn with replacement; those without a value are left out.
        seed: with the patients it fixes every draw.

    Raises:
        ValueError: `counted` is not one flag per row (and class), or `resamples` is below 1.
    """
    classes = np.atleast_2d(np.asarray(counted, dtype=bool))
    if classes.ndim != 2 or classes.shape[1] != len(patients):
        raise ValueError(f"expected one flag for each of {len(patients)} patient ids, got shape {classes.shape}")
    names, index = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
    n, with_a_value = int(classes.any(axis=0).sum()), min(len(np.unique(index[rows])) for rows in classes)
    value = float(statistic(np.ones((1, len(index))))[0]) if n else np.nan
    if np.isnan(value):
        return Interval(np.nan, np.nan, np.nan, n, with_a_value, True)
    drawn = draws(len(names), digest_names(names), resamples, seed)
    found = [statistic(block[:, index]) for weights in drawn for block in blocks(weights, len(index))]
    return Interval(value, *_percentiles(np.concatenate(found)), n, with_a_value, with_a_value < FEW_PATIENTS)


def paired_delta(
    values_a: npt.ArrayLike,
    values_b: npt.ArrayLike,
    patients: Sequence[str],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Delta:
    """`paired_deltas` of one column: a − b."""
    return paired_deltas({"": values_a}, {"": values_b}, patients, resamples, seed)[""]


def paired_deltas(
    table_a: Table, table_b: Table, patients: Sequence[str], resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Delta]:
    """The mean of a − b of every column of `table_a`, row by row; rows null in either are dropped.

    p = (1 + number of |T*| >= |T|) / (resamples + 1), where T is the sum of all differences and T* the same sum after
    each patient's share of it has changed sign or not, at random.

    Raises:
        ValueError: a column is missing in `table_b` or of another length, or `resamples` is below 1.
    """
    if set(table_a) - set(table_b):
        raise ValueError(f"nothing to pair with: {', '.join(sorted(set(table_a) - set(table_b)))}")
    differences = LazyColumns(table_a, lambda name: _difference(table_a[name], table_b[name]))
    sums = _sums(differences, patients)
    means = _resampled_means(sums, resamples, seed)
    p_values = _sign_flip(sums, resamples, seed)
    return {
        name: _delta(_interval(sums, column, means[:, column]), means[:, column], float(p_values[column]))
        for column, name in enumerate(differences)
    }


def benjamini_hochberg(p_values: npt.ArrayLike) -> Array:
    """(N,): q-values, the false discovery rate at which each test would just pass. NaN stays out and stays NaN."""
    p = np.asarray(p_values, dtype=np.float64)
    q = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    raw = p[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0)
    return q


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """What every patient contributes to each column: P patients, K columns."""

    digest: int
    """Stands for the set of patients."""
    values: Array
    """(P, K): sum of a patient's values."""
    counts: Array
    """(P, K): number of a patient's non-null values."""


def _sums(table: Table, patients: Sequence[str]) -> _Sums:
    names, index, rows = np.unique(np.asarray(patients, dtype=str), return_inverse=True, return_counts=True)
    largest_sum = len(names) * rows.max(initial=0)
    values, counts = np.zeros((len(names), len(table))), np.zeros((len(names), len(table)))
    for column, (name, given) in enumerate(table.items()):
        array = np.asarray(given, dtype=np.float64)
        if array.shape != index.shape or np.isinf(array).any():
            raise ValueError(f"column {name!r} needs one finite value or NaN for each of {len(index)} patient ids")
        valid = ~np.isnan(array)
        values[:, column] = np.bincount(index[valid], summable(array[valid], largest_sum), len(names))
        counts[:, column] = np.bincount(index[valid], minlength=len(names))
    return _Sums(digest_names(names), values, counts)


def _resampled_means(sums: _Sums, resamples: int, seed: int) -> Array:
    """(resamples, K): the mean of each column over patients drawn with replacement; NaN where none has a value."""
    parts = []
    for weights in draws(len(sums.values), sums.digest, resamples, seed):
        total = weights @ sums.counts
        parts.append(np.where(total > 0, weights @ sums.values / np.maximum(total, 1), np.nan))
    return np.concatenate(parts)


def _sign_flip(sums: _Sums, resamples: int, seed: int) -> Array:
    """(K,): p-values; NaN for a column without values."""
    observed = np.abs(sums.values.sum(axis=0))
    extreme = np.zeros(len(observed))
    for signs in flips(len(sums.values), sums.digest, resamples, seed):
        extreme += (np.abs(signs @ sums.values) >= observed - 1e-12).sum(axis=0)
    return np.where(sums.counts.sum(axis=0) > 0, (1 + extreme) / (resamples + 1), np.nan)


def _difference(values_a: npt.ArrayLike, values_b: npt.ArrayLike) -> Array:
    a, b = np.asarray(values_a, dtype=np.float64), np.asarray(values_b, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"paired columns have one length, got {a.shape} and {b.shape}")
    return a - b


def _interval(sums: _Sums, column: int, means: Array) -> Interval:
    n = int(sums.counts[:, column].sum())
    patients = int(np.count_nonzero(sums.counts[:, column]))
    if n == 0:
        return Interval(np.nan, np.nan, np.nan, 0, 0, True)
    mean = float(sums.values[:, column].sum()) / n
    return Interval(mean, *_percentiles(means), n, patients, patients < FEW_PATIENTS)


def _percentiles(values: Array) -> tuple[float, float]:
    """The bounds of the 95 % interval: 2.5 % and 97.5 % of the resamples that have a value, NaN if none has."""
    known = values[~np.isnan(values)]
    lo, hi = np.percentile(known, (2.5, 97.5)) if len(known) else (np.nan, np.nan)
    return float(lo), float(hi)


def _delta(interval: Interval, means: Array, p: float) -> Delta:
    drawn = means[~np.isnan(means)]
    error = float(drawn.std(ddof=1)) if len(drawn) > 1 else 0.0
    return Delta(**dataclasses.asdict(interval), p=p, mde=DETECTABLE * error if error > _ROUNDING else np.nan)
