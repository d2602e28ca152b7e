"""Hila and the vessels that branch from them, as the share of air that they displace."""

import numpy as np

from harness.dataset.phantom.anatomy import SIDES, Anatomy, Side, sign
from harness.dataset.phantom.raster import Array, Grid, Points, add_ellipse, strokes

_TRUNKS = 12
_KNOTS = 16


def vessels(anatomy: Anatomy, grid: Grid, rng: np.random.Generator) -> Array:
    """The vascular tree of both lungs, for a coarse grid."""
    level = rng.uniform(0.14, 0.28)
    lines, weight = map(np.concatenate, zip(*(_tree(anatomy, side, rng) for side in SIDES), strict=True))
    fine = strokes(grid, lines, level * weight, 1)
    thick = strokes(grid, lines[:, :8], level * np.clip(weight[:, :8] - 0.4, 0, 1), 2)
    tree: Array = np.minimum(fine + thick, 0.6)
    return tree


def _tree(anatomy: Anatomy, side: Side, rng: np.random.Generator) -> tuple[Points, Points]:
    """Paths (N, knots, 2) and their weights (N, knots): trunks, and two generations of twigs."""
    size = anatomy.hilum_size
    roots = np.array([anatomy.hilum(side)]) + rng.normal(0, 1, (_TRUNKS, 2)) * [0.35 * size, 0.75 * size]
    angle = np.linspace(-1.3, 1.4, _TRUNKS) + rng.normal(0, 0.25, _TRUNKS)
    strength = 0.75 + 0.25 * np.sin(angle)  # the lower lung is better perfused
    trunks = _wander(roots, angle if side == "left" else np.pi - angle, 0.055, rng)
    paths, weights = [trunks], [strength[:, None] * np.linspace(1, 0.12, _KNOTS)]
    for share in (0.6, 0.4):
        trunks, strength = _twigs(trunks, rng), np.repeat(strength, 2) * rng.uniform(0.6, 1.0, 2 * len(strength))
        paths.append(trunks)
        weights.append(share * strength[:, None] * np.linspace(1, 0.1, _KNOTS))
    return np.concatenate(paths), np.concatenate(weights)


def _twigs(parents: Points, rng: np.random.Generator) -> Points:
    """Two twigs per parent that leave it somewhere in its first half, to either side."""
    count = len(parents)
    knot = rng.integers(3, _KNOTS // 2 + 2, 2 * count)
    parent = np.repeat(np.arange(count), 2)
    start = parents[parent, knot]
    du, dv = (parents[parent, knot] - parents[parent, knot - 2]).T
    fork = np.tile([-1.0, 1.0], count) * rng.uniform(0.3, 0.9, 2 * count)
    return _wander(start, np.arctan2(dv, du) + fork, 0.04, rng)


def _wander(start: Points, angle: Points, stride: float, rng: np.random.Generator) -> Points:
    """Paths that leave `start` (N, 2) in direction `angle` (N,) and bend as they go."""
    bends = np.cumsum(rng.normal(0, 0.17, (len(start), _KNOTS)), axis=1) + angle[:, None]
    length = stride * rng.uniform(0.6, 1.3, (len(start), 1))
    steps = np.stack([np.cos(bends), np.sin(bends)], axis=-1) * length[..., None]
    steps[:, 0] = 0
    return start[:, None] + np.cumsum(steps, axis=1)


def hila(anatomy: Anatomy, grid: Grid, rng: np.random.Generator) -> Array:
    """The hilar shadows: a few overlapping knots on either side."""
    shadow = np.zeros(grid.shape, dtype=np.float32)
    size = anatomy.hilum_size
    for side in SIDES:
        u, v = anatomy.hilum(side)
        for along in (-0.7, 0.0, 0.7):
            du, dv = rng.normal(0, 0.15, 2) * size
            place = (u + du + sign(side) * 0.25 * size * abs(along), v + dv + along * size, 0.6 * size, 0.7 * size)
            add_ellipse(shadow, grid, rng.uniform(0.15, 0.3), place, 0.8)
    return shadow
