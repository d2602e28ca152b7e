"""What can be wrong with a phantom patient: kinds of finding, where they sit, and which a study has."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from harness.case import Triple
from harness.dataset.phantom.anatomy import SIDES, Anatomy, Curve, Side, sign
from harness.dataset.phantom.regions import ZONES, lung_of, zone_span

Spread = Literal["focal", "diffuse", "base", "apex", "hilum", "heart", "diaphragm"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding. `implies`: labels that are true wherever this one is."""

    key: str
    label: str
    spread: Spread
    weight: float
    bilateral: float
    """Chance that both sides are affected at once."""
    implies: tuple[str, ...] = ()


KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind("nodule", "nodule", "focal", 1.2, 0.0, ("lung lesion",)),
        Kind("mass", "mass", "focal", 1.2, 0.0, ("lung lesion", "lung opacity")),
        Kind("consolidation", "consolidation", "focal", 1.3, 0.12, ("lung opacity",)),
        Kind("opacity", "lung opacity", "focal", 1.3, 0.12),
        Kind("atelectasis", "atelectasis", "focal", 1.1, 0.1, ("lung opacity",)),
        Kind("reticular", "increased reticular markings", "diffuse", 1.0, 0.35, ("lung opacity",)),
        Kind("edema", "pulmonary edema", "diffuse", 0.6, 1.0, ("lung opacity",)),
        Kind("effusion", "pleural effusion", "base", 1.3, 0.2, ("costophrenic angle blunting",)),
        Kind("pneumothorax", "pneumothorax", "apex", 1.2, 0.0),
        Kind("hilum", "enlarged hilum", "hilum", 0.9, 0.2),
        Kind("heart", "enlarged cardiac silhouette", "heart", 0.8, 0.0),
        Kind("diaphragm", "elevated hemidiaphragm", "diaphragm", 0.8, 0.0),
    )
}
_ORDER: dict[Spread, int] = {"focal": 0, "diffuse": 0, "apex": 1, "base": 1, "hilum": 1, "heart": 1, "diaphragm": 1}
"""Findings that may sit in any zone choose first, so that those bound to a place cannot unbalance the zones."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding in one body. `regions`: the smallest named regions that hold it, most telling first."""

    kind: Kind
    side: Side | None
    regions: tuple[str, ...]
    zones: tuple[str, ...]
    u: float
    v: float
    size: float
    strength: float
    large: bool = False

    @property
    def facts(self) -> frozenset[Triple]:
        """Everything that is true because of it: its regions, zones and lung, its label and what that implies."""
        lungs = (lung_of(region) for region in self.regions)
        regions = {*self.regions, *self.zones, *(lung for lung in lungs if lung)}
        labels = (self.kind.label, *self.kind.implies, "abnormal")
        return frozenset(Triple(region, label, True) for region in regions for label in labels)


def sample_findings(anatomy: Anatomy, rng: np.random.Generator) -> tuple[tuple[Finding, ...], Anatomy]:
    """Draw a study's findings, and the anatomy as they change it (a large heart, a high diaphragm)."""
    count = int(rng.choice(5, p=[0.2, 0.3, 0.25, 0.17, 0.08]))
    weights = np.array([kind.weight for kind in KINDS.values()])
    drawn = rng.choice(list(KINDS), size=count, replace=False, p=weights / weights.sum())
    kinds = sorted((KINDS[key] for key in drawn), key=lambda kind: _ORDER[kind.spread])
    placed: list[Finding] = []
    for kind in kinds:
        taken = {zone for finding in placed for zone in finding.zones}
        placed.extend(_place(kind, anatomy, taken, rng))
    changed = change_anatomy(anatomy, placed)
    return tuple(_settle(finding, changed, rng) for finding in placed), changed


def change_anatomy(anatomy: Anatomy, findings: tuple[Finding, ...] | list[Finding]) -> Anatomy:
    """The anatomy after those findings that move a border instead of adding a shadow."""
    for finding in findings:
        if finding.kind.key == "heart":
            heart, scale = anatomy.heart, finding.size
            heart = replace(
                heart, a=heart.a * scale, b=heart.b * scale, u=heart.u + 0.07, v=heart.v - 0.1 * (scale - 1)
            )
            anatomy = replace(anatomy, heart=heart)
        elif finding.kind.key == "diaphragm" and finding.side is not None:
            lung = anatomy.lung(finding.side)
            anatomy = anatomy.with_lung(finding.side, replace(lung, dome_lift=lung.dome_lift + finding.size))
    return anatomy


def _place(kind: Kind, anatomy: Anatomy, taken: set[str], rng: np.random.Generator) -> list[Finding]:
    """The finding on one side or on both; nothing where another finding is in the way."""
    sides: tuple[Side, ...] = SIDES if rng.random() < 0.5 else SIDES[::-1]
    zone, large = str(rng.choice(ZONES)), bool(rng.random() < 0.4)
    both = rng.random() < kind.bilateral
    size, strength = _size(kind, large, anatomy, rng), float(rng.uniform(0.7, 1.0))
    if kind.spread == "heart":
        return [Finding(kind, None, ("cardiac silhouette",), (), 0.0, 0.0, size, strength, large)]
    made = []
    for side in sides:
        regions, zones = _extent(kind, side, zone, large)
        if not taken & set(zones):
            made.append(Finding(kind, side, regions, zones, 0.0, 0.0, size, strength, large))
    if kind.bilateral == 1.0 and len(made) < 2:
        return []
    return made if both else made[:1]


def _extent(kind: Kind, side: Side, zone: str, large: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The regions that name the finding, and the zones in which nothing else may be."""
    all_zones = tuple(f"{side} {part}" for part in ZONES)
    match kind.spread:
        case "focal":
            return (f"{side} {zone}",), (f"{side} {zone}",)
        case "diffuse":
            return (f"{side} lung",), all_zones
        case "base":
            angle = f"{side} costophrenic angle"
            return ((f"{side} lower lung zone", angle) if large else (angle,)), all_zones[2:]
        case "apex":
            return ((f"{side} lung",), all_zones) if large else ((f"{side} apical zone",), all_zones[:2])
        case "hilum":
            return (f"{side} hilar structures",), all_zones[1:2]
        case "diaphragm":
            return (f"{side} hemidiaphragm",), all_zones[2:]
        case _:
            raise ValueError(f"{kind.key} has no extent on one side")


def _size(kind: Kind, large: bool, anatomy: Anatomy, rng: np.random.Generator) -> float:
    """In body units: a radius, a height, a shift of a border; of hilum and heart, how many times the normal size."""
    depth = anatomy.left.dome_depth
    ranges = {
        "nodule": (0.06, 0.11),
        "mass": (0.15, 0.24),
        "consolidation": (0.2, 0.34),
        "opacity": (0.2, 0.36),
        "atelectasis": (0.22, 0.4),
        "effusion": (depth + 0.15, depth + 0.6) if large else (0.7 * depth, 0.95 * depth),
        "pneumothorax": (0.16, 0.3) if large else (0.1, 0.2),
        "hilum": (1.35, 1.9),
        "heart": (0.57 / anatomy.heart.a, 0.7 / anatomy.heart.a),
        "diaphragm": (0.28, 0.5),
    }
    filling = (1.0, 1.0)  # diffuse kinds are as large as their lung
    return float(rng.uniform(*ranges.get(kind.key, filling)))


def _settle(finding: Finding, anatomy: Anatomy, rng: np.random.Generator) -> Finding:
    """Choose the centre of a focal finding inside its zone, in the open: clear of the heart and the diaphragm."""
    side = finding.side
    if side is None or finding.kind.spread != "focal":
        return finding
    zone = finding.regions[0].removeprefix(f"{side} ")
    top, bottom = zone_span(anatomy, side, zone)
    margin = min(0.6 * finding.size, 0.3 * (bottom - top))
    v = rng.uniform(top + margin, bottom - margin, 64)
    lung = anatomy.lung(side)
    inner = np.maximum(anatomy.medial(side, v), lung.apex_u - lung.apex_width * np.sqrt(v / lung.apex_height))
    outer = np.minimum(anatomy.lateral(side, v), lung.apex_u + lung.apex_width * np.sqrt(v / lung.apex_height))
    pad = np.minimum(0.7 * finding.size, 0.35 * (outer - inner))
    x = rng.uniform(inner + pad, outer - pad)
    best = int(np.argmin(_obstruction(anatomy, side, x, v, 0.7 * finding.size)))
    return replace(finding, u=float(sign(side) * x[best]), v=float(v[best]))


def _obstruction(anatomy: Anatomy, side: Side, x: Curve, v: Curve, reach: float) -> Curve:
    """How far each place reaches into the heart or the diaphragm; 0 in the open. The first open place wins."""
    heart = anatomy.heart
    du, dv = sign(side) * x - heart.u - anatomy.turn, v - heart.v
    cos, sin = np.cos(heart.tilt), np.sin(heart.tilt)
    radius = np.hypot((du * cos + dv * sin) / (heart.a + reach), (dv * cos - du * sin) / (heart.b + reach))
    below = v + reach - anatomy.diaphragm(side, x)
    overlap: Curve = np.maximum(1 - radius, 0) + np.maximum(below, 0)
    return overlap
