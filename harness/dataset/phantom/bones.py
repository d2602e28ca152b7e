"""Spine, ribs and shoulder girdle, as attenuation."""

import numpy as np

from harness.dataset.phantom.anatomy import SIDES, Anatomy, Side, sign
from harness.dataset.phantom.raster import Array, Grid, Points, add_ellipse, ramp, strokes
from harness.dataset.phantom.regions import clavicle_ends


def spine(anatomy: Anatomy, grid: Grid, rng: np.random.Generator) -> Array:
    """Vertebral column with its discs, and the dark windpipe in front of it."""
    level, depth, period, start = rng.uniform(0.08, 0.18), rng.uniform(0.2, 0.5), rng.uniform(0.17, 0.22), rng.uniform()
    air = rng.uniform(0.1, 0.18)
    shadow = np.zeros(grid.shape, dtype=np.float32)
    window = grid.window(-0.4, -9.0, 0.4, 9.0)
    part = grid.crop(window)
    u, width = part.u - anatomy.midline(part.v), anatomy.spine_width
    disc = np.cos(2 * np.pi * (part.v / period + start)) ** 8
    pedicles = 0.25 * np.exp(-(((np.abs(u) - 0.6 * width) / 0.03) ** 2)) * (1 - disc)
    column = level * ramp(width - np.abs(u), 0.06) * (1 - depth * disc + pedicles)
    carina = anatomy.carina * anatomy.height
    windpipe = ramp(0.065 - np.abs(part.u - anatomy.turn - 0.02), 0.05) * ramp(carina - part.v, 0.06)
    shadow[window] = column - air * windpipe * ramp(part.v + 0.7, 0.3)
    return shadow


def ribs(anatomy: Anatomy, grid: Grid, rng: np.random.Generator) -> Array:
    """Posterior and anterior ribs of both sides as curved bands with brighter edges."""
    bones = np.zeros(grid.shape, dtype=np.float32)
    posterior, anterior = rng.uniform(0.05, 0.16), rng.uniform(0.02, 0.08)
    for side in SIDES:
        half = grid.half(int(sign(side)))
        bones[half] = _rib_cage(anatomy, grid.crop(half), side, posterior, anterior)
    return bones


def _rib_cage(anatomy: Anatomy, grid: Grid, side: Side, posterior: float, anterior: float) -> Array:
    x = np.abs(grid.u)
    wall = ramp(anatomy.lateral(side, np.maximum(grid.v, 0)) + 0.05 - x, 0.04) * ramp(x - 0.09, 0.05)
    wall *= ramp(grid.v - anatomy.apex_cap(side, x) + 0.05, 0.08) * (
        0.45 + 0.55 * ramp(anatomy.diaphragm(side, x) - grid.v, 0.3)
    )
    bend = anatomy.rib_slope * x**2 - 0.16 * x + 0.45 * x**7
    back = _bands((grid.v - bend) / anatomy.rib_spacing + anatomy.rib_phase, 0.4)
    slant = 0.75 * np.maximum(1.1 - x, 0) ** 1.3
    front = _bands((grid.v - slant) / (1.15 * anatomy.rib_spacing), 0.5)
    cage: Array = wall * (posterior * back + anterior * ramp(x - 0.5, 0.35) * front)
    return cage


_PHASES = np.linspace(0, 1, 256, endpoint=False, dtype=np.float32)


def _bands(phase: Points, width: float) -> Array:
    """A periodic band profile: 0 between ribs, about 0.6 in the marrow, 1 at the cortical edges."""
    middle = np.abs(_PHASES - 0.5) / (0.5 * width)
    table = np.where(middle < 1, 0.6 + 0.4 * middle**4, np.clip(1 - 6 * (middle - 1), 0, 1)).astype(np.float32)
    bands: Array = table.take((phase * 256).astype(np.intp) & 255)
    return bands


def shoulder_girdle(anatomy: Anatomy, grid: Grid, rng: np.random.Generator) -> Array:
    """Clavicles, the borders of the scapulae and the heads of the humeri."""
    bones = np.zeros(grid.shape, dtype=np.float32)
    level = rng.uniform(0.1, 0.2)
    blades = []
    for side in SIDES:
        s = sign(side)
        _add_clavicle(bones, anatomy, grid, side, level)
        add_ellipse(bones, grid, 0.12, (s * (anatomy.shoulders - 0.16), 0.0, 0.19, 0.22), 0.25)
        u = s * (rng.uniform(0.92, 1.12) + 0.12 * np.linspace(-1, 1, 16) ** 2)
        blades.append(np.stack([u, np.linspace(0.05, 0.45, 16) * anatomy.height], axis=1))
    bones += strokes(grid, np.array(blades), np.full((2, 16), 0.06), 3)
    return bones


def _add_clavicle(bones: Array, anatomy: Anatomy, grid: Grid, side: Side, level: float) -> None:
    (u0, v0), (u1, v1) = clavicle_ends(anatomy, side)
    s = sign(side)
    window = grid.window(min(u0, u1) - 0.3, v1 - 0.2, max(u0, u1) + 0.3, v0 + 0.2)
    part = grid.crop(window)
    along = np.clip((part.u - u0) / (u1 - u0), 0, 1.25)
    middle = v0 + (v1 - v0) * along + 0.035 * np.sin(2 * np.pi * along)
    distance = np.abs(part.v - middle)
    ends = ramp(s * (part.u - u0), 0.04) * ramp(1.2 - along, 0.1)
    half = 0.042 + 0.025 * np.abs(2 * along - 1)
    bones[window] += level * ends * ramp(half - distance, 0.03) * (0.65 + 0.35 * np.clip(distance / half, 0, 1) ** 2)
