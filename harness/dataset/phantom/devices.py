"""Things on and in the patient, drawn independently of what is wrong with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.dataset.phantom.anatomy import SIDES, Anatomy, Side, sign
from harness.dataset.phantom.raster import Array, Grid, Points, add_ellipse, strokes

DeviceKind = Literal[
    "endotracheal tube",
    "central venous catheter",
    "nasogastric tube",
    "pacemaker",
    "chest tube",
    "monitoring lead",
]
Path = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Device:
    """A wire or tube along `path` (body units) with a solid body of radius `body` at its start if that is not 0.

    `regions`: where a report says it is; `side`: only of a device that reports name with its side.
    """

    kind: DeviceKind
    path: tuple[tuple[float, float], ...]
    level: float
    passes: int
    body: float = 0.0
    regions: tuple[str, ...] = ()
    side: Side | None = None


def sample_devices(anatomy: Anatomy, rng: np.random.Generator) -> tuple[Device, ...]:
    """Draw the devices of a study; their sides are fair coins of their own."""
    return tuple(_sample(anatomy, rng))


def _sample(anatomy: Anatomy, rng: np.random.Generator) -> Iterator[Device]:
    height, carina = anatomy.height, anatomy.carina * anatomy.height
    side: Side = SIDES[int(rng.integers(2))]
    s = sign(side)
    if rng.random() < 0.12:
        tube: Path = [(0.02, -0.8), (0.03, -0.3), (0.02, carina - rng.uniform(0.1, 0.3))]
        yield _tube("endotracheal tube", tube, 4, ("trachea",), rng)
    if rng.random() < 0.15:
        line: Path = [(s * 0.7, -0.25), (s * 0.35, 0.05), (-0.08, 0.25), (-0.16, 0.45), (-0.17, rng.uniform(0.7, 0.95))]
        yield _tube("central venous catheter", line, 2, ("upper mediastinum",), rng)
    if rng.random() < 0.1:
        tip = (rng.uniform(0.2, 0.5), height + rng.uniform(0.1, 0.3))
        feeding: Path = [(0.0, -0.8), (0.04, 0.3), (0.0, 0.8), (0.06, height - 0.2), tip]
        yield _tube("nasogastric tube", feeding, 2, ("mediastinum", "abdomen"), rng)
    if rng.random() < 0.1:
        lead = ((s * 0.5, 0.02), (-0.05, 0.25), (-0.14, 0.6), (-0.05, height - 0.6), (0.25, height - 0.45))
        level, can = rng.uniform(0.2, 0.35), rng.uniform(0.11, 0.16)
        yield Device("pacemaker", ((s * 0.8, 0.18), *lead), level, 1, can, ("cardiac silhouette",))
    if rng.random() < 0.1:
        entry, bend, tip_v = rng.uniform(0.6, 0.9), 0.5, rng.uniform(0.15, 0.4)
        drain: Path = [(s * 1.2, entry * height), (s * 0.8, bend * height), (s * 0.65, tip_v * height)]
        yield _tube("chest tube", drain, 4, (f"{side} lung",), rng, side)
    if rng.random() < 0.3:
        for lead_side in (-1.0, 1.0, s)[: int(rng.integers(1, 4))]:
            yield _lead(anatomy, lead_side, rng)


def _tube(
    kind: DeviceKind,
    path: Path,
    passes: int,
    regions: tuple[str, ...],
    rng: np.random.Generator,
    side: Side | None = None,
) -> Device:
    jitter = rng.normal(0, 0.015, (len(path), 2))
    points = tuple((float(u + du), float(v + dv)) for (u, v), (du, dv) in zip(path, jitter, strict=True))
    return Device(kind, points, float(rng.uniform(0.1, 0.22)), passes, regions=regions, side=side)


def _lead(anatomy: Anatomy, s: float, rng: np.random.Generator) -> Device:
    u, v = s * rng.uniform(0.3, 0.9), rng.uniform(0.05, 0.9) * anatomy.height
    drift = rng.normal(0, 1, 3) * [0.25, 0.4, 0.5]
    path = ((u, v), *((float(u + du), float(v + dv)) for du, dv in zip(drift, (0.4, 0.9, 1.6), strict=True)))
    return Device("monitoring lead", path, float(rng.uniform(0.12, 0.25)), 1, body=0.035)


def draw_devices(devices: tuple[Device, ...], grid: Grid) -> Array:
    """The attenuation that the devices add."""
    shadow = np.zeros(grid.shape, dtype=np.float32)
    for device in devices:
        path = _curve(np.array(device.path))[None]
        line = strokes(grid, path, np.full(path.shape[:2], device.level), device.passes)
        shadow += np.minimum(line, 1.5 * device.level)
        if device.body:
            add_ellipse(shadow, grid, 2.2 * device.level, (*device.path[0], device.body, 0.85 * device.body), 0.12)
    return shadow


def _curve(knots: Points, samples: int = 12) -> Points:
    """A smooth path through all knots (Catmull-Rom)."""
    ends = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    p0, p1, p2, p3 = (ends[i : i + len(knots) - 1, None] for i in range(4))
    t = np.linspace(0, 1, samples)[None, :, None]
    curve: Points = p1 + 0.5 * (
        (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * (p1 - p2) + p3 - p0) * t**3
    )
    return curve.reshape(-1, 2)
