"""Things on and in the patient, drawn independently of what is wrong with them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.dataset.phantom.anatomy import Anatomy
from harness.dataset.phantom.raster import Array, Grid, dome, ellipse, strokes

DeviceKind = Literal[
    "endotracheal tube", "central venous catheter", "nasogastric tube", "pacemaker", "monitoring leads", "chest tube"
]


@dataclass(frozen=True, slots=True)
class Device:
    """A wire or tube along `path` (body units), with a solid body of radius `body` at its start if that is not 0."""

    kind: DeviceKind
    path: tuple[tuple[float, float], ...]
    level: float
    passes: int
    body: float = 0.0


def sample_devices(anatomy: Anatomy, rng: np.random.Generator) -> tuple[Device, ...]:
    """Draw the devices of a study; sides are fair coins of their own."""
    devices: list[Device] = []
    side = rng.choice([-1.0, 1.0], 4)
    height, carina = anatomy.height, anatomy.carina * anatomy.height
    if rng.random() < 0.12:
        end = carina - rng.uniform(0.1, 0.3)
        devices.append(_device("endotracheal tube", [(0.02, -0.8), (0.03, -0.3), (0.02, end)], rng, 4))
    if rng.random() < 0.15:
        path = [
            (side[0] * 0.7, -0.25),
            (side[0] * 0.35, 0.05),
            (-0.08, 0.25),
            (-0.16, 0.45),
            (-0.17, rng.uniform(0.7, 0.95)),
        ]
        devices.append(_device("central venous catheter", path, rng, 2))
    if rng.random() < 0.1:
        tip = (rng.uniform(0.2, 0.5), height + rng.uniform(0.1, 0.3))
        devices.append(
            _device("nasogastric tube", [(0.0, -0.8), (0.04, 0.3), (0.0, 0.8), (0.06, height - 0.2), tip], rng, 2)
        )
    if rng.random() < 0.1:
        s = side[1]
        path = [
            (s * 0.8, 0.18),
            (s * 0.5, 0.02),
            (-0.05, 0.25),
            (-0.14, 0.6),
            (-0.05, height - 0.6),
            (0.25, height - 0.45),
        ]
        devices.append(Device("pacemaker", tuple(path), rng.uniform(0.2, 0.35), 1, rng.uniform(0.11, 0.16)))
    if rng.random() < 0.1:
        s = side[2]
        path = [
            (s * 1.2, rng.uniform(0.6, 0.9) * height),
            (s * 0.8, 0.5 * height),
            (s * 0.65, rng.uniform(0.15, 0.4) * height),
        ]
        devices.append(_device("chest tube", path, rng, 4))
    if rng.random() < 0.3:
        devices += [_lead(anatomy, s, rng) for s in (-1.0, 1.0, side[3])[: int(rng.integers(1, 4))]]
    return tuple(devices)


def _device(kind: DeviceKind, path: list[tuple[float, float]], rng: np.random.Generator, passes: int) -> Device:
    jitter = rng.normal(0, 0.015, (len(path), 2))
    points = tuple((float(u + du), float(v + dv)) for (u, v), (du, dv) in zip(path, jitter, strict=True))
    return Device(kind, points, float(rng.uniform(0.1, 0.22)), passes)


def _lead(anatomy: Anatomy, s: float, rng: np.random.Generator) -> Device:
    u, v = s * rng.uniform(0.3, 0.9), rng.uniform(0.05, 0.9) * anatomy.height
    path = [
        (u, v),
        (u + rng.normal(0, 0.25), v + 0.4),
        (u + rng.normal(0, 0.4), v + 0.9),
        (u + rng.normal(0, 0.5), v + 1.6),
    ]
    return Device(
        "monitoring leads", tuple((float(a), float(b)) for a, b in path), float(rng.uniform(0.12, 0.25)), 1, 0.035
    )


def draw_devices(devices: tuple[Device, ...], grid: Grid) -> Array:
    """The attenuation that the devices add."""
    shadow = np.zeros(grid.shape, dtype=np.float32)
    for device in devices:
        path = _curve(np.array(device.path))[None]
        shadow += np.minimum(
            strokes(grid, path, np.full(path.shape[:2], device.level), device.passes), 1.5 * device.level
        )
        if device.body:
            u, v = device.path[0]
            shadow += 2.2 * device.level * dome(ellipse(grid, u, v, device.body, 0.85 * device.body), 0.12)
    return shadow


def _curve(knots: np.ndarray, samples: int = 12) -> np.ndarray:
    """A smooth path through all knots (Catmull-Rom)."""
    ends = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    p0, p1, p2, p3 = (ends[i : i + len(knots) - 1, None] for i in range(4))
    t = np.linspace(0, 1, samples)[None, :, None]
    curve = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    return curve.reshape(-1, 2)
