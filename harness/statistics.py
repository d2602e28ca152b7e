"""Means with their uncertainty: patients, not sentences, are what was sampled.

Sentences of one patient are alike, so resamples draw whole patients, and sign flips turn all of a patient's deltas at
once. A table is a mapping of names to (N,) values, NaN for null; all its columns share one set of resamples, which
depends on the seed and the patients alone: not on the order of calls, columns or sentences.
"""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Table = Mapping[str, npt.ArrayLike]

RESAMPLES = 10_000
FEW_PATIENTS = 20
DETECTABLE = 2.80  # z(1 − .05/2) + z(.8): the effect found with power .8 at α .05, in standard errors

_STEP = 2_000_000  # random numbers drawn at a time


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over non-null values with its 95 % percentile interval; NaN throughout where all are null."""

    mean: float
    lo: float
    hi: float
    n: int
    """Values that are not null."""
    patients: int
    """Patients with at least one of them."""
    few_patients: bool
    """Fewer than 20: take the interval with caution."""


@dataclass(frozen=True, slots=True)
class Delta(Interval):
    """A mean paired difference, with the p-value of a sign-flip test and the smallest effect it could have found."""

    p: float
    """Two-sided; NaN without pairs."""
    mde: float
    """2.80 × the bootstrap's standard error: α .05, power .8, not adjusted for multiple tests."""


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
    differences = {name: _difference(values, table_b[name]) for name, values in table_a.items()}
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

    patients: int
    """Stands for the set of patients: the random numbers hang on it."""
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
        values[:, column] = np.bincount(index[valid], _summable(array[valid], largest_sum), len(names))
        counts[:, column] = np.bincount(index[valid], minlength=len(names))
    return _Sums(_digest(names), values, counts)


def _digest(names: npt.NDArray[np.str_]) -> int:
    return int.from_bytes(hashlib.sha256("\n".join(names).encode()).digest()[:8])


def _summable(values: Array, terms: int) -> Array:
    """`values` rounded to multiples of a power of two so fine that a sum of `terms` of them just fits 53 bits.

    Such sums are exact in any order, so that a matrix product gives the same bytes whatever the machine, its number of
    threads, or the order of the rows. The price is a relative error below 1e-9 for a million terms.
    """
    bound = terms * np.abs(values).max(initial=0.0)
    if bound == 0:
        return values
    unit = 2.0 ** (np.ceil(np.log2(bound)) - 53)
    return np.asarray(np.round(values / unit) * unit)


def _resampled_means(sums: _Sums, resamples: int, seed: int) -> Array:
    """(resamples, K): the mean of each column over patients drawn with replacement; NaN where none has a value."""
    count = len(sums.values)
    rng = np.random.default_rng([seed, sums.patients])
    parts = []
    for size in _steps(resamples, count):
        drawn = rng.integers(count, size=(size, count)) + count * np.arange(size)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count).astype(np.float64)
        total = weights @ sums.counts
        parts.append(np.where(total > 0, weights @ sums.values / np.maximum(total, 1), np.nan))
    return np.concatenate(parts)


def _sign_flip(sums: _Sums, resamples: int, seed: int) -> Array:
    """(K,): p-values; NaN for a column without values."""
    observed = np.abs(sums.values.sum(axis=0))
    rng = np.random.default_rng([seed, sums.patients, 1])  # not the stream of the resamples
    extreme = np.zeros(len(observed))
    for size in _steps(resamples, len(sums.values)):
        signs = rng.integers(2, size=(size, len(sums.values)), dtype=np.int8) * 2.0 - 1.0
        extreme += (np.abs(signs @ sums.values) >= observed - 1e-12).sum(axis=0)
    return np.where(sums.counts.sum(axis=0) > 0, (1 + extreme) / (resamples + 1), np.nan)


def _steps(resamples: int, patients: int) -> list[int]:
    """Sizes of the portions in which the resamples are drawn, so that memory stays bounded."""
    if resamples < 1:
        raise ValueError(f"at least 1 resample, got {resamples}")
    size = max(1, _STEP // max(patients, 1))
    return [min(size, resamples - start) for start in range(0, resamples, size)]


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
    lo, hi = np.percentile(means[~np.isnan(means)], (2.5, 97.5))
    mean = float(sums.values[:, column].sum()) / n
    return Interval(mean, float(lo), float(hi), n, patients, patients < FEW_PATIENTS)


def _delta(interval: Interval, means: Array, p: float) -> Delta:
    drawn = means[~np.isnan(means)]
    error = float(drawn.std(ddof=1)) if len(drawn) > 1 else np.nan
    return Delta(**dataclasses.asdict(interval), p=p, mde=DETECTABLE * error)
