"""The body of a phantom patient: a handful of numbers and the curves they draw.

Body units: half the inner width of the chest is about 1. Origin: on the midline at the height of the lungs' apices;
u grows to the patient's left (the right of the image), v grows downwards.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

Side = Literal["left", "right"]
Projection = Literal["PA", "AP"]
SIDES: tuple[Side, Side] = ("left", "right")
Curve = npt.NDArray[np.floating]


def sign(side: Side) -> float:
    """+1 for the patient's left, which lies at the image's right."""
    return 1.0 if side == "left" else -1.0


@dataclass(frozen=True, slots=True)
class Lung:
    """The outline of one lung. Distances from the midline are positive on either side."""

    width: float
    apex_u: float
    apex_width: float
    apex_height: float
    shoulder: float
    """Share of the full width reached at the apex; the rest is reached at `waist` of the height."""
    waist: float
    dome_depth: float
    dome_lift: float
    """How far this hemidiaphragm stands higher than the costophrenic angles."""


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse with half axes a and b; `tilt` in radians, clockwise."""

    u: float
    v: float
    a: float
    b: float
    tilt: float


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Everything that the picture and the boxes share."""

    height: float
    """Apex to costophrenic angle."""
    left: Lung
    right: Lung
    heart: Ellipse
    """The ventricles; `heart_parts` adds the right atrium."""
    mediastinum: float
    """Half width of the mediastinum above the heart."""
    turn: float
    """Shift of the mediastinum when the patient stands turned."""
    spine_bow: float
    spine_width: float
    carina: float
    """Height of the carina as a share of `height`."""
    arch_radius: float
    hilum_v: float
    hilum_size: float
    torso: float
    shoulders: float
    neck: float
    breast: float
    """Thickness of the breasts' shadow, 0 for none."""
    rib_spacing: float
    rib_phase: float
    rib_slope: float
    clavicle_drop: float
    clavicle_tilt: float

    def lung(self, side: Side) -> Lung:
        """The lung of a side."""
        return self.left if side == "left" else self.right

    def with_lung(self, side: Side, lung: Lung) -> "Anatomy":
        """A copy with another lung."""
        return replace(self, left=lung) if side == "left" else replace(self, right=lung)

    def midline(self, v: Curve) -> Curve:
        """Where the middle of the spine lies."""
        bow: Curve = self.spine_bow * np.sin(np.pi * v / self.height)
        return bow

    def lateral(self, side: Side, v: Curve) -> Curve:
        """Distance of the chest wall from the midline."""
        lung = self.lung(side)
        rise = np.sin(0.5 * np.pi * np.clip(v / (lung.waist * self.height), 0, 1)) ** 0.8
        narrowing = 0.05 * np.clip(v / self.height - lung.waist, 0, 1) ** 2
        wall: Curve = lung.width * (lung.shoulder + (1 - lung.shoulder) * rise - narrowing)
        return wall

    def medial(self, side: Side, v: Curve) -> Curve:
        """Distance of the mediastinal border of the lung from the midline (the heart comes on top)."""
        t = v / self.height
        waist = 1 + 0.25 * np.exp(-(((t - 0.45) / 0.12) ** 2)) - 0.15 * np.clip(t - 0.6, 0, 1)
        border: Curve = self.mediastinum * waist + sign(side) * self.turn
        return border

    def apex_cap(self, side: Side, x: Curve) -> Curve:
        """Top of the lung at a distance x from the midline."""
        lung = self.lung(side)
        return lung.apex_height * ((x - lung.apex_u) / lung.apex_width) ** 2

    def diaphragm(self, side: Side, x: Curve) -> Curve:
        """Height of the hemidiaphragm at a distance x from the midline."""
        lung = self.lung(side)
        bow = 1 - ((x - 0.52 * lung.width) / (0.5 * lung.width)) ** 2
        top: Curve = self.height - lung.dome_depth * bow - lung.dome_lift * np.clip(bow + 0.35, 0, 1)
        return top

    def dome_top(self, side: Side) -> float:
        """Highest point of the hemidiaphragm."""
        return float(self.diaphragm(side, np.array(0.52 * self.lung(side).width)))

    def base(self, side: Side) -> float:
        """Lowest point of the lung: where chest wall and hemidiaphragm meet."""
        return float(self.diaphragm(side, np.array(0.98 * self.lung(side).width)))

    def hilum(self, side: Side) -> tuple[float, float]:
        """Centre of the hilar structures; the left one lies a little higher."""
        v = self.hilum_v * self.height - (0.05 if side == "left" else 0.0)
        x = float(self.medial(side, np.array(v))) + 0.45 * self.hilum_size
        return sign(side) * x, v

    def heart_parts(self) -> tuple[Ellipse, Ellipse]:
        """Ventricles and right atrium, where the patient's stance puts them."""
        heart = replace(self.heart, u=self.heart.u + self.turn)
        atrium = Ellipse(heart.u - 0.5 * heart.a, heart.v - 0.02, 0.42 * heart.a, 0.66 * heart.a, 0.0)
        return heart, atrium

    def arch(self) -> tuple[float, float]:
        """Centre of the aortic knob."""
        v = (self.carina - 0.07) * self.height
        return float(self.medial("left", np.array(v))) - 0.25 * self.arch_radius, v


def sample_anatomy(rng: np.random.Generator) -> Anatomy:
    """Draw a patient."""
    height = rng.uniform(1.65, 2.25)
    heart_a = rng.uniform(0.4, 0.48)
    depth = rng.uniform(0.28, 0.5)
    lung = Lung(
        width=rng.uniform(0.94, 1.06),
        apex_u=rng.uniform(0.4, 0.5),
        apex_width=rng.uniform(0.26, 0.36),
        apex_height=rng.uniform(0.18, 0.3),
        shoulder=rng.uniform(0.5, 0.62),
        waist=rng.uniform(0.6, 0.85),
        dome_depth=depth,
        dome_lift=0.0,
    )
    right_lift = rng.uniform(0.03, 0.12)
    return Anatomy(
        height=height,
        left=replace(lung, width=lung.width * rng.uniform(0.95, 1.05)),
        right=replace(lung, dome_lift=right_lift),
        heart=Ellipse(
            u=rng.uniform(0.13, 0.2),
            v=height - 0.5 * depth - rng.uniform(0.32, 0.4),
            a=heart_a,
            b=heart_a * rng.uniform(0.68, 0.8),
            tilt=rng.uniform(0.55, 0.9),
        ),
        mediastinum=rng.uniform(0.17, 0.25),
        turn=0.0,
        spine_bow=rng.normal(0, 0.03),
        spine_width=rng.uniform(0.13, 0.18),
        carina=rng.uniform(0.31, 0.38),
        arch_radius=rng.uniform(0.11, 0.16),
        hilum_v=rng.uniform(0.43, 0.5),
        hilum_size=rng.uniform(0.12, 0.18),
        torso=rng.uniform(1.1, 1.45),
        shoulders=rng.uniform(1.45, 1.9),
        neck=rng.uniform(0.34, 0.48),
        breast=rng.uniform(0.05, 0.16) if rng.random() < 0.45 else 0.0,
        rib_spacing=rng.uniform(0.2, 0.27),
        rib_phase=rng.uniform(0, 1),
        rib_slope=rng.uniform(0.1, 0.35),
        clavicle_drop=rng.uniform(0.12, 0.32),
        clavicle_tilt=rng.uniform(0.1, 0.35),
    )


def visit(anatomy: Anatomy, projection: Projection, rng: np.random.Generator) -> Anatomy:
    """The same patient on another day: another breath, another stance.

    In a bedside picture (AP) the breath is shallower and the heart, farther from the detector, a little larger.
    """
    bedside = projection == "AP"
    breath = rng.uniform(0.82, 0.96) if bedside else rng.uniform(0.93, 1.06)
    scale = 1.05 if bedside else 1.0
    heart = replace(anatomy.heart, a=anatomy.heart.a * scale, b=anatomy.heart.b * scale)
    return replace(
        anatomy,
        height=anatomy.height * breath,
        left=replace(anatomy.left, dome_depth=anatomy.left.dome_depth * rng.uniform(0.9, 1.1)),
        right=replace(anatomy.right, dome_depth=anatomy.right.dome_depth * rng.uniform(0.9, 1.1)),
        heart=replace(heart, v=heart.v + anatomy.height * (breath - 1)),
        turn=rng.normal(0, 0.03),
        clavicle_drop=anatomy.clavicle_drop + rng.normal(0, 0.04) - (0.08 if bedside else 0.0),
    )
