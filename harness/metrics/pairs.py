"""Numbers about two maps, or two similarities, of one image: how far a change of the text moved them."""

import math

import numpy as np
import numpy.typing as npt

from harness.metrics.entropy import with_opt_out, withheld
from harness.metrics.registry import Profile
from harness.metrics.scene import Array, over_cells, ratio


def symmetric_kl(
    maps: npt.ArrayLike,
    others: npt.ArrayLike,
    *,
    opt_out: npt.ArrayLike | None = None,
    other_opt_out: npt.ArrayLike | None = None,
    profile: Profile = "exact",
) -> Array:
    """(N,): mean of KL(map ‖ other) and KL(other ‖ map) in nats; maps (N, R, C) or (N, M).

    Profile `paper` takes the maps as they are, even if they do not sum to 1, and leaves the opt-out mass out (so it can
    be below 0). Profile `exact` takes full distributions, opt-out bin included; None there: what the sum leaves of 1.
    NaN for a failed map, and where only one of the two gives a cell nothing (the divergence is infinite).

    Raises:
        ValueError: the shapes differ.
    """
    a, b = _flat(maps), _flat(others)
    if a.shape != b.shape:
        raise ValueError(f"two maps are compared cell by cell, got shapes {a.shape} and {b.shape}")
    if profile == "exact":
        a, b = _distribution(a, opt_out), _distribution(b, other_opt_out)
    infinite = ((a > 0) != (b > 0)).any(axis=1)
    logs = np.log(np.where(a > 0, a, 1.0)) - np.log(np.where(b > 0, b, 1.0))
    return np.where(infinite, np.nan, over_cells((a - b) * logs) / 2)


def correlation(maps: npt.ArrayLike, others: npt.ArrayLike) -> Array:
    """(N,): Pearson's correlation of two maps' cells, in [−1, 1]; NaN where either is constant or failed.

    Raises:
        ValueError: the shapes differ.
    """
    a, b = _flat(maps), _flat(others)
    if a.shape != b.shape:
        raise ValueError(f"two maps are compared cell by cell, got shapes {a.shape} and {b.shape}")
    a, b = _centred(a), _centred(b)
    return np.clip(ratio(over_cells(a * b), np.sqrt(over_cells(a * a) * over_cells(b * b))), -1.0, 1.0)


def beats(similarity: npt.ArrayLike, other: npt.ArrayLike) -> Array:
    """(N,): 1 where a sentence's similarity to the image is above the other sentence's, else 0; NaN if either is.

    Its mean is the matching accuracy.
    """
    a, b = np.asarray(similarity, dtype=np.float64), np.asarray(other, dtype=np.float64)
    return np.where(np.isnan(a) | np.isnan(b), np.nan, a > b)


def _flat(maps: npt.ArrayLike) -> Array:
    array = np.asarray(maps, dtype=np.float64)
    return array.reshape(len(array), math.prod(array.shape[1:]))


def _distribution(maps: Array, opt_out: npt.ArrayLike | None) -> Array:
    return with_opt_out(maps, withheld(maps) if opt_out is None else np.asarray(opt_out, dtype=np.float64))


def _centred(maps: Array) -> Array:
    """Shifted to mean 0 and scaled to range 1; a constant map becomes exactly 0."""
    low = maps.min(axis=1, keepdims=True)
    relative = np.nan_to_num(ratio(maps - low, maps.max(axis=1, keepdims=True) - low))
    return np.asarray(relative - relative.mean(axis=1, keepdims=True))
