"""The normal chest as attenuation: soft tissue, bones, and how much of each place is air."""

import numpy as np

from harness.dataset.phantom.anatomy import SIDES, Anatomy, Side, sign
from harness.dataset.phantom.raster import Array, Grid, dome, ellipse, ramp, smooth_noise, strokes
from harness.dataset.phantom.regions import clavicle_ends

AIR_CONTRAST = 0.62
"""Attenuation that a fully aerated lung takes away from the chest."""
_EDGE = 0.025
"""Width of a sharp anatomical border, body units."""


def lung_mask(anatomy: Anatomy, grid: Grid, side: Side, inset: float = 0.0, drop: float = 0.0) -> Array:
    """How much of each pixel is lung (0 … 1), the heart left out of account.

    `inset` draws the chest wall inwards, `drop` lowers the apex: the outline of a collapsed lung.
    """
    x, v = sign(side) * grid.u, grid.v
    outside = anatomy.lateral(side, np.maximum(v, 0)) - inset - x
    inside = x - anatomy.medial(side, v)
    above = v - anatomy.apex_cap(side, x) - drop
    below = anatomy.diaphragm(side, x) - v
    mask = ramp(outside, _EDGE) * ramp(inside, 1.6 * _EDGE)
    return mask * (ramp(above, 1.5 * _EDGE) * ramp(below, _EDGE))


def heart_mask(anatomy: Anatomy, grid: Grid) -> Array:
    """The cardiac silhouette (0 … 1)."""
    heart = anatomy.heart
    return dome(ellipse(grid, heart.u + anatomy.turn, heart.v, heart.a, heart.b, heart.tilt), 0.06)


def air(anatomy: Anatomy, grid: Grid) -> Array:
    """Share of air in the beam (0 … 1): both lungs, less what the heart, the great vessels and the hila cover."""
    lungs = lung_mask(anatomy, grid, "left") + lung_mask(anatomy, grid, "right")
    knob = 0.85 * dome(ellipse(grid, *anatomy.arch(), anatomy.arch_radius, anatomy.arch_radius), 0.15)
    lungs *= (1 - 0.93 * heart_mask(anatomy, grid)) * (1 - knob)
    return lungs


def soft_tissue(anatomy: Anatomy, grid: Grid) -> Array:
    """Attenuation of the body without its bones and as if the lungs were solid; 0 outside the body."""
    knots = [-2.0, -0.6, -0.42, -0.25, -0.05, 0.3, 0.75, 1.2, 4.0]
    reach, neck, torso = anatomy.shoulders, anatomy.neck, anatomy.torso
    widths = [neck, neck, 1.25 * neck, 0.75 * reach, 0.96 * reach, reach, 0.5 * (reach + torso), torso, torso * 1.06]
    outline = np.interp(grid.v, knots, widths).astype(np.float32)
    body = ramp(outline - np.abs(grid.u), 0.05)
    rounding = 0.16 * (grid.u / outline) ** 2
    depth = 0.72 + 0.14 * np.clip((grid.v - 0.55 * anatomy.height) / anatomy.height, -0.4, 1) - rounding
    middle = 0.13 * np.exp(-(((grid.u - anatomy.turn) / (1.3 * anatomy.mediastinum)) ** 2))
    tissue = body * (depth + middle).astype(np.float32)
    tissue += 0.1 * heart_mask(anatomy, grid)
    for side in SIDES:
        below = ramp(grid.v - anatomy.diaphragm(side, sign(side) * grid.u), 0.06)
        tissue += (0.12 * body) * below * ramp(sign(side) * grid.u, 0.1)
    return tissue


def breasts(anatomy: Anatomy, grid: Grid) -> Array:
    """The shadow of the breasts."""
    shadow = np.zeros(grid.shape, dtype=np.float32)
    if anatomy.breast == 0:
        return shadow
    for side in SIDES:
        shape = ellipse(grid, sign(side) * 0.66, 0.78 * anatomy.height, 0.42, 0.42)
        shadow += anatomy.breast * dome(shape, 0.12) * np.clip(1.2 - 0.6 * shape, 0.3, 1)
    return shadow


def stomach(anatomy: Anatomy, grid: Grid, rng: np.random.Generator) -> Array:
    """Gas under the left hemidiaphragm and in the bowel (positive: how much attenuation it takes away)."""
    top = anatomy.dome_top("left")
    a, b = rng.uniform(0.14, 0.3), rng.uniform(0.06, 0.14)
    gas = rng.uniform(0.1, 0.3) * dome(
        ellipse(grid, rng.uniform(0.3, 0.6), top + b + rng.uniform(0.05, 0.1), a, b), 0.2
    )
    for _ in range(int(rng.integers(0, 4))):
        place = ellipse(
            grid, rng.uniform(-0.7, 0.8), anatomy.height + rng.uniform(0.15, 0.6), *rng.uniform(0.06, 0.2, 2)
        )
        gas += rng.uniform(0.04, 0.14) * dome(place, 0.3)
    return gas


def spine(anatomy: Anatomy, grid: Grid, rng: np.random.Generator) -> Array:
    """Vertebral column with its discs, and the dark windpipe in front of it."""
    u = grid.u - anatomy.midline(grid.v)
    width = anatomy.spine_width
    column = ramp(width - np.abs(u), 0.05) * rng.uniform(0.1, 0.2)
    period = rng.uniform(0.17, 0.22)
    disc = np.cos(2 * np.pi * (grid.v / period + rng.uniform())) ** 8
    bones = column * (1 - rng.uniform(0.2, 0.5) * disc)
    carina = anatomy.carina * anatomy.height
    windpipe = ramp(0.065 - np.abs(grid.u - anatomy.turn - 0.02), 0.04) * ramp(carina - grid.v, 0.05)
    return (bones - rng.uniform(0.12, 0.2) * windpipe * ramp(grid.v + 0.7, 0.3)).astype(np.float32)


def ribs(anatomy: Anatomy, grid: Grid, rng: np.random.Generator) -> Array:
    """Posterior and anterior ribs of both sides as curved bands with brighter edges."""
    bones = np.zeros(grid.shape, dtype=np.float32)
    posterior, anterior = rng.uniform(0.05, 0.13), rng.uniform(0.02, 0.07)
    for side in SIDES:
        x = np.maximum(sign(side) * grid.u, 0)
        wall = ramp(anatomy.lateral(side, np.maximum(grid.v, 0)) + 0.05 - x, 0.04) * ramp(x - 0.09, 0.05)
        wall *= ramp(grid.v + 0.12 + 0.1 * (1 - x), 0.1) * ramp(anatomy.height * 1.08 - grid.v, 0.2)
        bend = anatomy.rib_slope * x**2 - 0.16 * x + 0.5 * x**8
        bones += posterior * wall * _bands((grid.v - bend) / anatomy.rib_spacing + anatomy.rib_phase, 0.42)
        front = 0.75 * np.maximum(1.1 - x, 0) ** 1.3
        fade = ramp(x - 0.5, 0.35)
        bones += anterior * wall * fade * _bands((grid.v - front) / (1.15 * anatomy.rib_spacing), 0.5)
    return bones


_PROFILE = np.linspace(0, 1, 256, endpoint=False, dtype=np.float32)


def _bands(phase: np.ndarray, width: float) -> Array:
    """A periodic band profile: 0 between ribs, about 0.7 in the marrow, 1 at the cortical edges."""
    middle = np.abs(_PROFILE - 0.5) / (0.5 * width)
    table = np.where(middle < 1, 0.6 + 0.4 * middle**4, np.clip(1 - 6 * (middle - 1), 0, 1)).astype(np.float32)
    return table[(phase * 256).astype(np.int32) & 255]


def shoulder_girdle(anatomy: Anatomy, grid: Grid, rng: np.random.Generator) -> Array:
    """Clavicles, the borders of the scapulae and the heads of the humeri."""
    bones = np.zeros(grid.shape, dtype=np.float32)
    level = rng.uniform(0.08, 0.16)
    for side in SIDES:
        s = sign(side)
        (u0, v0), (u1, v1) = clavicle_ends(anatomy, side)
        along = np.clip((grid.u - u0) / (u1 - u0), 0, 1)
        middle = v0 + (v1 - v0) * along + 0.05 * s * np.sin(2 * np.pi * along) * s
        distance = np.abs(grid.v - middle)
        within = ramp(s * (grid.u - u0), 0.04) * ramp(s * (u1 - grid.u) + 0.25, 0.1)
        half = 0.045 + 0.025 * np.abs(2 * along - 1)
        bones += level * within * ramp(half - distance, 0.03) * (0.7 + 0.3 * np.clip(distance / half, 0, 1) ** 2)
        head = ellipse(grid, s * (anatomy.shoulders - 0.18), 0.02, 0.17, 0.19)
        bones += 0.14 * dome(head, 0.15)
        x = s * (rng.uniform(0.95, 1.15) + 0.12 * np.linspace(-1, 1, 16) ** 2)
        path = np.stack([x, np.linspace(0.05, 0.85, 16) * 0.6 * anatomy.height / 1.2], axis=1)[None]
        bones += strokes(grid, path, np.full((1, 16), 0.06), 4)
    return bones


def vessels(anatomy: Anatomy, grid: Grid, rng: np.random.Generator) -> Array:
    """Branching vessels that leave the hila, as the share of air that they displace."""
    paths, weights = [], []
    for side in SIDES:
        trunk = _branches(np.array([anatomy.hilum(side)] * 16), _fan(side, 16, rng), 16, rng)
        start = trunk[:, 4 + rng.integers(0, 6)]
        turn = np.arctan2(*(trunk[:, 8] - trunk[:, 6]).T[::-1])
        twigs = _branches(np.repeat(start, 2, axis=0), np.repeat(turn, 2) + rng.choice([-0.6, 0.6], 32), 16, rng)
        paths += [trunk, twigs]
        weights += [np.linspace(1, 0.15, 16)[None].repeat(16, 0), np.linspace(0.55, 0.1, 16)[None].repeat(32, 0)]
    level = rng.uniform(0.12, 0.24)
    lines, weight = np.concatenate(paths), np.concatenate(weights)
    fine = strokes(grid, lines, level * weight, 2)
    thick = strokes(grid, lines[:, :8], level * np.clip(weight[:, :8] - 0.4, 0, 1), 8)
    return np.clip(fine + thick, 0, 0.6)


def _fan(side: Side, count: int, rng: np.random.Generator) -> np.ndarray:
    """Directions of travel from the hilum, spread over the lung."""
    angle = np.linspace(-1.25, 1.35, count) + rng.normal(0, 0.15, count)
    return angle if side == "left" else np.pi - angle


def _branches(start: np.ndarray, angle: np.ndarray, knots: int, rng: np.random.Generator) -> np.ndarray:
    """Paths (N, knots, 2) that wander from `start` (N, 2) in direction `angle` (N,)."""
    bends = np.cumsum(rng.normal(0, 0.16, (len(start), knots)), axis=1) + angle[:, None]
    stride = rng.uniform(0.035, 0.065, (len(start), 1))
    steps = np.stack([np.cos(bends), np.sin(bends)], axis=-1) * stride[..., None]
    steps[:, 0] = 0
    return start[:, None] + np.cumsum(steps, axis=1)


def hila(anatomy: Anatomy, grid: Grid, rng: np.random.Generator) -> Array:
    """The hilar shadows, as the share of air that they displace."""
    shadow = np.zeros(grid.shape, dtype=np.float32)
    for side in SIDES:
        u, v = anatomy.hilum(side)
        size = anatomy.hilum_size
        shape = ellipse(grid, u, v, 0.75 * size, 1.25 * size, sign(side) * -0.25)
        shadow += rng.uniform(0.25, 0.45) * np.exp(-shape).astype(np.float32)
    return shadow


def grain(grid: Grid, rng: np.random.Generator) -> Array:
    """Uneven thickness of the tissue, mean 0."""
    return 0.014 * smooth_noise(rng, grid.shape, 40) + 0.022 * smooth_noise(rng, grid.shape, 9)
