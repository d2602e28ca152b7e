"""The random draws behind every interval and p-value: which patients each resample holds, whose sign each flip turns.

They depend on a seed and on the set of patients alone, and come in portions, so that memory stays bounded.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_STEP = 2_000_000  # numbers held at a time


def digest_names(names: npt.NDArray[np.str_]) -> int:
    """64 bits that stand for a sorted set of patient ids: the random numbers hang on them."""
    return int.from_bytes(hashlib.sha256("\n".join(names).encode()).digest()[:8])


def draws(count: int, digest: int, resamples: int, seed: int) -> Iterator[Array]:
    """(S, count) portions, `resamples` rows in all: how often each of `count` patients was drawn, with replacement.

    Raises:
        ValueError: `resamples` is below 1.
    """
    rng = np.random.default_rng([seed, digest])
    for size in _portions(resamples, count):
        drawn = rng.integers(count, size=(size, count)) + count * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count).astype(np.float64)


def flips(count: int, digest: int, resamples: int, seed: int) -> Iterator[Array]:
    """(S, count) portions, `resamples` rows in all, of −1 and 1: whether each patient changes sign.

    Raises:
        ValueError: `resamples` is below 1.
    """
    rng = np.random.default_rng([seed, digest, 1])  # not the stream of the draws
    for size in _portions(resamples, count):
        yield np.asarray(rng.integers(2, size=(size, count), dtype=np.int8) * 2.0 - 1.0, dtype=np.float64)


def blocks(weights: Array, rows: int) -> Iterator[Array]:
    """The resamples (S, P) in blocks so small that one number for each of `rows` rows and resamples can be held."""
    size = max(1, _STEP // max(rows, 1))
    return (weights[start : start + size] for start in range(0, len(weights), size))


def summable(values: Array, terms: int) -> Array:
    """`values` rounded to multiples of a power of two so fine that a sum of `terms` of them just fits 53 bits.

    Such sums are exact in any order, so that a matrix product gives the same bytes whatever the machine, its number of
    threads, or the order of the rows. The price is a relative error below 1e-9 for a million terms.
    """
    bound = terms * np.abs(values).max(initial=0.0)
    if bound == 0:
        return values
    unit = 2.0 ** (np.ceil(np.log2(bound)) - 53)
    return np.asarray(np.round(values / unit) * unit)


def _portions(resamples: int, count: int) -> list[int]:
    if resamples < 1:
        raise ValueError(f"at least 1 resample, got {resamples}")
    size = max(1, _STEP // max(count, 1))
    return [min(size, resamples - start) for start in range(0, resamples, size)]
