"""The normal chest as attenuation: soft tissue, and how much of each place is air."""

import numpy as np

from harness.dataset.phantom.anatomy import SIDES, Anatomy, Side, sign
from harness.dataset.phantom.raster import Array, Grid, add_ellipse, dome, ellipse, ramp, smooth_noise

AIR_CONTRAST = 0.62
"""Attenuation that a fully aerated lung takes away from the chest."""
_EDGE = 0.028
"""Width of a sharp anatomical border, body units."""


def lung_mask(anatomy: Anatomy, grid: Grid, side: Side, inset: float | Array = 0.0, drop: float = 0.0) -> Array:
    """How much of each pixel is lung (0 … 1), the heart left out of account.

    `inset` draws the chest wall inwards, `drop` lowers the apex: the outline of a collapsed lung.
    """
    x, v = sign(side) * grid.u, grid.v
    outside = anatomy.lateral(side, np.maximum(v, 0)) - inset - x
    inside = x - anatomy.medial(side, v)
    above = v - anatomy.apex_cap(side, x) - drop
    below = anatomy.diaphragm(side, x) - v
    mask: Array = ramp(outside, _EDGE) * ramp(inside, 2 * _EDGE) * ramp(above, 1.6 * _EDGE) * ramp(below, _EDGE)
    return mask


def heart_mask(anatomy: Anatomy, grid: Grid) -> Array:
    """The cardiac silhouette (0 … 1)."""
    ventricles, atrium = (
        dome(ellipse(grid, part.u, part.v, part.a, part.b, part.tilt), 0.1) for part in anatomy.heart_parts()
    )
    return np.maximum(ventricles, atrium)


def air(anatomy: Anatomy, grid: Grid, heart: Array) -> Array:
    """Share of air in the beam (0 … 1): both lungs, less what the heart and the great vessels cover.

    `heart`: its mask.
    """
    lungs = np.zeros(grid.shape, dtype=np.float32)
    for side in SIDES:
        half = grid.half(int(sign(side)))
        lungs[half] = lung_mask(anatomy, grid.crop(half), side)
    u, v = anatomy.arch()
    radius = anatomy.arch_radius
    vessels = np.zeros(grid.shape, dtype=np.float32)
    add_ellipse(vessels, grid, 0.85, (u, v, radius, 1.05 * radius), 0.18)
    add_ellipse(vessels, grid, 0.75, (u - 0.02, v + 2.0 * radius, radius, 1.25 * radius), 0.4)
    covered = np.maximum(0.9 * heart, np.minimum(vessels, 0.9))
    share: Array = lungs * (1 - covered)
    return share


def soft_tissue(anatomy: Anatomy, grid: Grid, heart: Array) -> Array:
    """Attenuation of the body without its bones and as if the lungs were solid; 0 outside the body."""
    outline = _outline(anatomy, grid.v[:, 0])[:, None]
    body = ramp(outline - np.abs(grid.u), 0.05)
    thickness = 0.72 + 0.16 * np.clip((grid.v - 0.55 * anatomy.height) / anatomy.height, -0.4, 1)
    middle = 0.12 * np.exp(-(((grid.u - anatomy.turn) / (1.4 * anatomy.mediastinum)) ** 2))
    tissue: Array = body * (thickness - 0.2 * (grid.u / outline) ** 2 + middle).astype(np.float32)
    tissue += 0.09 * heart
    for side in SIDES:
        half = grid.half(int(sign(side)))
        part = grid.crop(half)
        below = ramp(part.v - anatomy.diaphragm(side, sign(side) * part.u), 0.06)
        tissue[half] += 0.12 * body[half] * below
    return tissue


def _outline(anatomy: Anatomy, v: Array) -> Array:
    """Half the body's width at each height: neck, shoulders, torso, without corners."""
    knots = [-2.0, -0.6, -0.42, -0.25, -0.05, 0.3, 0.75, 1.2, 4.0]
    reach, neck, torso = anatomy.shoulders, anatomy.neck, anatomy.torso
    widths = [neck, neck, 1.25 * neck, 0.75 * reach, 0.96 * reach, reach, 0.5 * (reach + torso), torso, torso * 1.06]
    blurred = [np.interp(v + shift, knots, widths) for shift in np.linspace(-0.2, 0.2, 9)]
    smooth: Array = np.mean(blurred, axis=0).astype(np.float32)
    return smooth


def breasts(anatomy: Anatomy, grid: Grid) -> Array:
    """The shadow of the breasts."""
    shadow = np.zeros(grid.shape, dtype=np.float32)
    if anatomy.breast == 0:
        return shadow
    for side in SIDES:
        u, v = sign(side) * 0.68, 0.76 * anatomy.height
        window = grid.window(u - 0.5, v - 0.5, u + 0.5, v + 0.5)
        shape = ellipse(grid.crop(window), u, v, 0.44, 0.42)
        shadow[window] += anatomy.breast * dome(shape, 0.15) * np.clip(0.4 + 0.6 * shape, 0.3, 1)
    return shadow


def gas(anatomy: Anatomy, grid: Grid, rng: np.random.Generator) -> Array:
    """Gas in the stomach, under the left hemidiaphragm, and in the bowel: the attenuation that it takes away."""
    bubble = np.zeros(grid.shape, dtype=np.float32)
    a, b = rng.uniform(0.14, 0.3), rng.uniform(0.06, 0.14)
    place = (rng.uniform(0.3, 0.6), anatomy.dome_top("left") + b + rng.uniform(0.05, 0.1), a, b)
    add_ellipse(bubble, grid, rng.uniform(0.1, 0.3), place, 0.2)
    for _ in range(int(rng.integers(0, 4))):
        place = (rng.uniform(-0.7, 0.8), anatomy.height + rng.uniform(0.15, 0.6), *rng.uniform(0.06, 0.2, 2))
        add_ellipse(bubble, grid, rng.uniform(0.04, 0.14), place, 0.4)
    return bubble


def grain(grid: Grid, rng: np.random.Generator) -> Array:
    """Uneven thickness of the tissue, as a factor about 1."""
    return 1 + 0.015 * smooth_noise(rng, grid.shape, 40) + 0.025 * smooth_noise(rng, grid.shape, 9)
