"""How the body falls onto the image: field of view, size, aspect ratio, rotation."""

from dataclasses import dataclass

import numpy as np

from harness.dataset.phantom.anatomy import Anatomy, Curve, Projection

LONGER_SIDE = (320, 448)
"""Range of an image's longer side, pixels."""


@dataclass(frozen=True, slots=True)
class View:
    """An affine map of the body plane onto `width` x `height` pixels: ``image = matrix @ body + offset``."""

    width: int
    height: int
    matrix: tuple[tuple[float, float], tuple[float, float]]
    offset: tuple[float, float]

    def to_image(self, points: Curve) -> Curve:
        """Body units (N, 2) → image pixels (N, 2)."""
        image: Curve = points @ np.array(self.matrix).T + np.array(self.offset)
        return image

    def to_body(self, points: Curve) -> Curve:
        """Image pixels (N, 2) → body units (N, 2)."""
        body: Curve = (points - np.array(self.offset)) @ np.linalg.inv(np.array(self.matrix)).T
        return body

    @property
    def step(self) -> float:
        """Body units per pixel (geometric mean of both axes)."""
        return float(1.0 / np.sqrt(abs(np.linalg.det(np.array(self.matrix)))))

    @property
    def field(self) -> tuple[float, float, float, float]:
        """The rectangle of the body plane that holds the whole image."""
        corners = np.array([(0, 0), (self.width, 0), (0, self.height), (self.width, self.height)], dtype=float)
        body = self.to_body(corners)
        (u0, v0), (u1, v1) = body.min(axis=0).tolist(), body.max(axis=0).tolist()
        return u0, v0, u1, v1


def sample_projection(rng: np.random.Generator) -> Projection:
    """Two thirds upright (PA), one third at the bedside (AP)."""
    return "AP" if rng.random() < 1 / 3 else "PA"


def sample_view(anatomy: Anatomy, rng: np.random.Generator) -> View:
    """Draw a field of view around the lungs.

    Every margin is drawn for itself, so that the lungs' place and size in the image vary by far more than 10 %.
    """
    left, right = rng.uniform(0.03, 0.5, 2)
    top, bottom = rng.uniform(0.05, 0.55, 2)
    body_width, body_height = 2.0 + left + right, anatomy.height + top + bottom
    stretch = rng.uniform(0.93, 1.08)
    longer = int(rng.integers(*LONGER_SIDE, endpoint=True))
    scale = longer / max(body_width * stretch, body_height)
    width, height = round(body_width * stretch * scale), round(body_height * scale)
    angle, shear = np.deg2rad(rng.uniform(-8, 8)), rng.uniform(-0.05, 0.05)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = scale * np.diag([stretch, 1.0]) @ turn @ np.array([[1.0, shear], [0.0, 1.0]])
    centre = np.array([0.5 * (right - left), 0.5 * (anatomy.height + bottom - top)])
    offset = np.array([width, height]) / 2 - matrix @ centre
    (a, b), (c, d) = matrix.tolist()
    x, y = offset.tolist()
    return View(width, height, ((a, b), (c, d)), (x, y))
