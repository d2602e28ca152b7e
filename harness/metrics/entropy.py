"""How spread the attention is, how much of it is withheld, and how far two maps are apart."""

import numpy as np
import numpy.typing as npt

from harness.metrics.scene import Array, Scene, over_cells

_ROUNDING = 1e-6  # float32 maps that sum to 1 miss it by less


def entropy(scene: Scene) -> Array:
    """(N,): entropy in nats of the M cells and the opt-out bin, renormalised; ln M for a uniform map without opt-out.

    NaN for a map of zeros that withholds nothing.
    """
    return shannon(with_opt_out(scene.maps, scene.opt_out))


def opt_out_mass(scene: Scene) -> Array:
    """(N,): the attention withheld from the image."""
    return scene.opt_out


def with_opt_out(maps: Array, opt_out: Array) -> Array:
    """(N, M + 1): the full distribution, opt-out bin last, summing to 1; NaN where everything is 0."""
    bins = np.concatenate([maps, opt_out[:, None]], axis=1)
    total = bins.sum(axis=1, keepdims=True)
    return np.where(total > 0, bins / np.where(total > 0, total, 1.0), np.nan)


def shannon(bins: Array) -> Array:
    """(N,): −Σ p ln p, with 0 ln 0 = 0."""
    return 0.0 - over_cells(bins * np.log(np.where(bins > 0, bins, 1.0)))


def withheld(maps: Array) -> Array:
    """(N,): the opt-out mass that maps (N, M) imply, 1 − Σ map in [0, 1]; 0 where the sum misses 1 only by rounding."""
    rest = 1.0 - over_cells(maps)
    return np.where(rest > _ROUNDING, rest, 0.0)


def published_withheld(maps: Array) -> Array:
    """(N,): the same as the code published with arXiv 2210.06565 computes it, in float32 and in that order of addition.

    Where a map sums to 1 the rounding remains as an opt-out mass of about 1e-7, which moves the published entropy by
    up to 2e-6. A negative remainder, at which that code raises, counts 0.
    """
    rest = np.float32(1) - _float32_sum(maps.astype(np.float32))
    return np.asarray(np.maximum(rest, 0), dtype=np.float64)


def _float32_sum(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(N,): row sums as torch adds them on AVX2: four vectors of eight lanes, then the tail and the lanes in turn."""
    count, cells = values.shape
    vectors = values[:, : cells // 8 * 8].reshape(count, cells // 8, 8)
    blocked = vectors.shape[1] // 4 * 4
    lanes = np.zeros((count, 4, 8), dtype=np.float32)
    for start in range(0, blocked, 4):
        lanes += vectors[:, start : start + 4]
    for rest in range(blocked, vectors.shape[1]):
        lanes[:, 0] += vectors[:, rest]
    folded = ((lanes[:, 0] + lanes[:, 1]) + lanes[:, 2]) + lanes[:, 3]
    in_turn = np.concatenate([values[:, cells // 8 * 8 :], folded], axis=1)
    return np.asarray(np.cumsum(in_turn, axis=1, dtype=np.float32)[:, -1])
