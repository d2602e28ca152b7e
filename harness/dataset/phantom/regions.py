"""Named regions in Chest ImaGenome's vocabulary, their outlines in the body and their boxes in an image."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from harness.case import Box
from harness.dataset.phantom.anatomy import SIDES, Anatomy, Side, sign
from harness.dataset.phantom.view import View

Points = npt.NDArray[np.floating]
_LEAST_VISIBLE = 0.25
"""A region less of which than this share lies on the image is not named: nobody could point at it."""

ZONES = ("upper lung zone", "mid lung zone", "lower lung zone")
LUNG_PARTS = (*ZONES, "apical zone", "costophrenic angle", "hilar structures")
REGION_NAMES = (
    *(f"{side} {part}" for side in SIDES for part in ("lung", *LUNG_PARTS, "hemidiaphragm", "clavicle")),
    *("mediastinum", "upper mediastinum", "cardiac silhouette", "aortic arch", "trachea", "carina", "spine", "abdomen"),
)


def mirrored(name: str) -> str:
    """The region at the other side of the body; a region of the midline is its own."""
    if name.startswith("left "):
        return "right " + name.removeprefix("left ")
    if name.startswith("right "):
        return "left " + name.removeprefix("right ")
    return name


def lung_of(name: str) -> str | None:
    """The lung that contains a region, None if none does."""
    side, _, part = name.partition(" ")
    return f"{side} lung" if side in SIDES and part in LUNG_PARTS else None


def zone_span(anatomy: Anatomy, side: Side, zone: str) -> tuple[float, float]:
    """Top and bottom of a lung zone: thirds of the aerated height, the lowest one down to the angle."""
    base = anatomy.base(side)
    aerated = anatomy.dome_top(side) + 0.4 * (base - anatomy.dome_top(side))
    cut = {"upper lung zone": (0.0, 1 / 3), "mid lung zone": (1 / 3, 2 / 3), "lower lung zone": (2 / 3, 1.0)}[zone]
    return cut[0] * aerated, base if zone == "lower lung zone" else cut[1] * aerated


def outlines(anatomy: Anatomy) -> dict[str, Points]:
    """Every region as points (N, 2) in body units whose extremes are the region's."""
    shapes = dict(_midline_outlines(anatomy))
    for side in SIDES:
        shapes.update(_side_outlines(anatomy, side))
    return shapes


def region_boxes(anatomy: Anatomy, view: View) -> tuple[Box, ...]:
    """The boxes of all regions that the image shows, in the order of `REGION_NAMES`."""
    shapes = outlines(anatomy)
    boxes = (_box(name, view.to_image(shapes[name]), view.width, view.height) for name in REGION_NAMES)
    return tuple(box for box in boxes if box is not None)


def _box(name: str, points: Points, width: int, height: int) -> Box | None:
    low, high = points.min(axis=0), points.max(axis=0)
    x0, y0 = np.maximum(low, 0.0)
    x1, y1 = np.minimum(high, [width, height])
    if x1 - x0 < 1 or y1 - y0 < 1:
        return None
    if (x1 - x0) * (y1 - y0) < _LEAST_VISIBLE * np.prod(high - low):
        return None
    left, top, right, bottom = (round(float(value), 2) for value in (x0, y0, x1, y1))
    return Box(name, left, top, right, bottom)


def _lung_rows(anatomy: Anatomy, side: Side, top: float, bottom: float) -> Points:
    v = np.linspace(top, bottom, 65)
    lung = anatomy.lung(side)
    cap = lung.apex_width * np.sqrt(np.maximum(v, 0.0) / lung.apex_height)
    inner = np.maximum(anatomy.medial(side, v), lung.apex_u - cap)
    outer = np.minimum(anatomy.lateral(side, v), lung.apex_u + cap)
    u = sign(side) * np.concatenate([inner, np.maximum(inner, outer)])
    return np.stack([u, np.concatenate([v, v])], axis=1)


def _thickened(line: Points, du: float, dv: float) -> Points:
    reach = np.array([du, dv])
    return np.concatenate([line - reach, line + reach])


def _rectangle(u0: float, v0: float, u1: float, v1: float) -> Points:
    return np.array([(u0, v0), (u1, v0), (u1, v1), (u0, v1)])


def _side_outlines(anatomy: Anatomy, side: Side) -> Iterator[tuple[str, Points]]:
    lung, base, s = anatomy.lung(side), anatomy.base(side), sign(side)
    yield f"{side} lung", _lung_rows(anatomy, side, 0.0, base)
    for zone in ZONES:
        yield f"{side} {zone}", _lung_rows(anatomy, side, *zone_span(anatomy, side, zone))
    yield f"{side} apical zone", _lung_rows(anatomy, side, 0.0, 0.5 * zone_span(anatomy, side, "upper lung zone")[1])
    wall = lung.width
    yield f"{side} costophrenic angle", _rectangle(s * 0.68 * wall, base - 0.3, s * wall, base)
    u, v = anatomy.hilum(side)
    size = anatomy.hilum_size
    yield f"{side} hilar structures", _rectangle(u - 1.15 * size, v - 1.5 * size, u + 1.15 * size, v + 1.5 * size)
    inner = float(anatomy.medial(side, np.array(base)))
    x = np.linspace(inner, 0.98 * wall, 16)
    dome = np.stack([s * x, anatomy.diaphragm(side, x)], axis=1)
    yield f"{side} hemidiaphragm", _thickened(dome, 0.0, 0.04)
    ends = clavicle_ends(anatomy, side)
    yield f"{side} clavicle", _thickened(ends, 0.0, 0.06)


def clavicle_ends(anatomy: Anatomy, side: Side) -> Points:
    """Sternal and acromial end (2, 2)."""
    s = sign(side)
    return np.array(
        [
            (s * 0.14 + anatomy.turn, anatomy.clavicle_drop + 0.06),
            (s * 1.0, anatomy.clavicle_drop - anatomy.clavicle_tilt),
        ]
    )


def heart_outline(anatomy: Anatomy) -> Points:
    """The borders of ventricles and atrium (N, 2)."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    borders = []
    for part in anatomy.heart_parts():
        x, y = part.a * np.cos(angle), part.b * np.sin(angle)
        cos, sin = np.cos(part.tilt), np.sin(part.tilt)
        borders.append(np.stack([part.u + x * cos - y * sin, part.v + x * sin + y * cos], axis=1))
    return np.concatenate(borders)


def _midline_outlines(anatomy: Anatomy) -> Iterator[tuple[str, Points]]:
    height, half, turn = anatomy.height, anatomy.mediastinum, anatomy.turn
    carina = anatomy.carina * height
    heart = heart_outline(anatomy)
    upper = _rectangle(turn - 1.2 * half, 0.05, turn + 1.35 * half, carina)
    yield "upper mediastinum", upper
    yield "mediastinum", np.concatenate([upper, heart])
    yield "cardiac silhouette", heart
    u, v = anatomy.arch()
    radius = anatomy.arch_radius
    yield "aortic arch", _rectangle(u - 1.6 * radius, v - 1.1 * radius, u + 1.1 * radius, v + 1.1 * radius)
    yield "trachea", _rectangle(turn - 0.08, -0.35, turn + 0.08, carina)
    yield "carina", _rectangle(turn - 0.14, carina - 0.06, turn + 0.14, carina + 0.1)
    spine = np.linspace(-0.3, height + 0.2, 12)
    line = np.stack([anatomy.midline(spine), spine], axis=1)
    yield "spine", _thickened(line, anatomy.spine_width, 0.0)
    yield "abdomen", _rectangle(-1.0, min(map(anatomy.dome_top, SIDES)), 1.0, height + 0.45)
