"""How each kind of finding looks: the share of air that it displaces (negative: air that it adds)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harness.dataset.phantom.anatomy import Anatomy, Side, sign
from harness.dataset.phantom.body import lung_mask
from harness.dataset.phantom.findings import Finding
from harness.dataset.phantom.raster import Array, Grid, dome, ellipse, ramp, smooth, smooth_noise, strokes

Window = tuple[slice, slice]
_FREE_AIR = 1.12
"""Air in a pneumothorax, as a share of what an aerated lung holds: there is no tissue left in it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a finding is drawn into. `air` is the share of air per pixel before it."""

    anatomy: Anatomy
    grid: Grid
    air: Array


@dataclass(frozen=True, slots=True)
class Shadow:
    """The change that one finding makes inside a window of the grid."""

    window: Window
    fill: Array


def draw(finding: Finding, scene: Scene, rng: np.random.Generator) -> Shadow | None:
    """The shadow of a finding; None for those that change the anatomy itself."""
    painter = _PAINTERS.get(finding.kind.key)
    if painter is None:
        return None
    window = _window(finding, scene)
    part = Scene(scene.anatomy, scene.grid.crop(window), scene.air[window])
    return Shadow(window, finding.strength * painter(finding, part, rng))


def _window(finding: Finding, scene: Scene) -> Window:
    if finding.kind.spread == "focal":
        reach = 1.9 * finding.size + 0.1
        return scene.grid.window(finding.u - reach, finding.v - reach, finding.u + reach, finding.v + reach)
    u = sorted((0.0, sign(_side(finding)) * 1.15))
    return scene.grid.window(u[0], -0.1, u[1], scene.anatomy.height + 0.05)


def _side(finding: Finding) -> Side:
    if finding.side is None:
        raise ValueError(f"{finding.kind.key} has no side")
    return finding.side


def _nodule(finding: Finding, scene: Scene, rng: np.random.Generator) -> Array:
    squash, tilt = rng.uniform(0.85, 1.18), rng.uniform(0, np.pi)
    shape = ellipse(scene.grid, finding.u, finding.v, finding.size * squash, finding.size / squash, tilt)
    fill: Array = rng.uniform(0.4, 0.62) * dome(shape, 0.3) * np.sqrt(np.clip(1.3 - 0.6 * shape, 0.2, 1))
    return fill


def _mass(finding: Finding, scene: Scene, rng: np.random.Generator) -> Array:
    squash, tilt = rng.uniform(0.75, 1.3), rng.uniform(0, np.pi)
    shape = ellipse(scene.grid, finding.u, finding.v, finding.size * squash, finding.size / squash, tilt)
    shape = shape + 0.18 * smooth_noise(rng, scene.grid.shape, 7)
    fill: Array = rng.uniform(0.55, 0.8) * dome(shape, 0.22) * np.sqrt(np.clip(1.35 - 0.6 * shape, 0.2, 1))
    return fill


def _patchy(level: float, softness: float, relief: float) -> Callable[[Finding, Scene, np.random.Generator], Array]:
    def paint(finding: Finding, scene: Scene, rng: np.random.Generator) -> Array:
        squash, tilt = rng.uniform(0.75, 1.35), rng.uniform(0, np.pi)
        shape = ellipse(scene.grid, finding.u, finding.v, finding.size * squash, finding.size / squash, tilt)
        cloud = dome(shape + 0.45 * smooth_noise(rng, scene.grid.shape, 6), softness)
        texture = 1 + relief * smooth_noise(rng, scene.grid.shape, 18)
        fill: Array = level * rng.uniform(0.8, 1.15) * cloud * np.clip(texture, 0.3, 1.5)
        return fill

    return paint


def _atelectasis(finding: Finding, scene: Scene, rng: np.random.Generator) -> Array:
    count = int(rng.integers(1, 4))
    tilt = rng.uniform(-0.5, 0.5) + rng.normal(0, 0.12, count)
    along = np.linspace(-0.5, 0.5, 12)
    length = finding.size * rng.uniform(1.3, 2.0, (count, 1))
    bow = rng.uniform(-0.1, 0.1) * (1 - 4 * along**2)
    u = finding.u + length * along * np.cos(tilt)[:, None] + rng.normal(0, 0.03, (count, 1))
    offset = 0.11 * (np.arange(count) - 0.5 * (count - 1))[:, None]
    v = finding.v + length * (along * np.sin(tilt)[:, None] + bow) + offset
    weight = np.full(u.shape, 0.55) * np.sqrt(1.05 - 3.6 * along**2)
    lines = strokes(scene.grid, np.stack([u, v], axis=-1), weight, 7)
    haze = 0.16 * dome(ellipse(scene.grid, finding.u, finding.v, 1.1 * finding.size, 0.6 * finding.size), 0.5)
    return np.clip(lines + haze, 0, 0.75)


def _reticular(finding: Finding, scene: Scene, rng: np.random.Generator) -> Array:
    fine = smooth_noise(rng, scene.grid.shape, 55)
    coarse = smooth_noise(rng, scene.grid.shape, 36)
    net = np.exp(-((fine / 0.35) ** 2)) + 0.7 * np.exp(-((coarse / 0.3) ** 2))
    gradient = 0.75 + 0.35 * scene.grid.v / scene.anatomy.height
    fill: Array = np.clip(0.34 * net * gradient + 0.1, 0, 0.8).astype(np.float32) * _inside(finding, scene)
    return fill


def _edema(finding: Finding, scene: Scene, rng: np.random.Generator) -> Array:
    u, v = scene.anatomy.hilum(_side(finding))
    wings = np.exp(-0.5 * ellipse(scene.grid, u, v + 0.15, 0.42, 0.62))
    haze = wings * (1 + 0.2 * smooth_noise(rng, scene.grid.shape, 12)) + 0.16
    fill: Array = np.clip(0.55 * haze, 0, 0.85).astype(np.float32) * _inside(finding, scene)
    return fill


def _effusion(finding: Finding, scene: Scene, rng: np.random.Generator) -> Array:
    side = _side(finding)
    x = np.maximum(sign(side) * scene.grid.u, 0) / scene.anatomy.lung(side).width
    climb = rng.uniform(0.15, 0.35) * np.clip(x, 0, 1.1) ** 5 + 0.06 * np.clip(0.35 - x, 0, 1)
    surface = scene.anatomy.height - finding.size - climb
    return rng.uniform(0.85, 0.98) * ramp(scene.grid.v - surface, rng.uniform(0.05, 0.12))


def _pneumothorax(finding: Finding, scene: Scene, rng: np.random.Generator) -> Array:
    side = _side(finding)
    large = finding.regions[0].endswith(" lung")
    reach = 1.1 if large else rng.uniform(0.42, 0.55)
    inset = finding.size * np.clip((reach - scene.grid.v / scene.anatomy.height) / 0.3, 0, 1)
    drop = finding.size * rng.uniform(0.9, 1.5)
    whole = lung_mask(scene.anatomy, scene.grid, side)
    collapsed = lung_mask(scene.anatomy, scene.grid, side, inset, drop)
    pocket = np.clip(whole - collapsed, 0, 1)
    line = np.clip(4 * smooth(pocket, 1) * smooth(collapsed, 1), 0, 1)
    opened = 1 - _FREE_AIR / np.maximum(scene.air, 0.3)  # air in the pocket, whatever vessels were there
    fill: Array = (pocket * opened + 0.3 * line + 0.12 * collapsed).astype(np.float32)
    return fill


def _hilum(finding: Finding, scene: Scene, rng: np.random.Generator) -> Array:
    side = _side(finding)
    u, v = scene.anatomy.hilum(side)
    size = scene.anatomy.hilum_size * finding.size
    tilt = sign(side) * rng.uniform(-0.5, 0.1)
    shape = ellipse(scene.grid, u, v, 0.78 * size, 1.05 * size, tilt) + 0.15 * smooth_noise(rng, scene.grid.shape, 12)
    return rng.uniform(0.65, 0.85) * dome(shape, 0.3)


def _inside(finding: Finding, scene: Scene) -> Array:
    return lung_mask(scene.anatomy, scene.grid, _side(finding))


_PAINTERS: dict[str, Callable[[Finding, Scene, np.random.Generator], Array]] = {
    "nodule": _nodule,
    "mass": _mass,
    "consolidation": _patchy(0.62, 0.45, 0.22),
    "opacity": _patchy(0.36, 0.6, 0.12),
    "atelectasis": _atelectasis,
    "reticular": _reticular,
    "edema": _edema,
    "effusion": _effusion,
    "pneumothorax": _pneumothorax,
    "hilum": _hilum,
}
