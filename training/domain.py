"""Domain randomisation: what a frame may look like, so that real radiographs are but one more case of it.

A phantom is drawn by one program and developed by another; a model that has seen nothing else may lean on anything they
always do. So each training picture is taken out of its square anew (place, size and aspect of the crop) and developed
anew (grey scale, sharpness, shading, noise, windows burnt in or cut out).
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from wronglung.geometry import Rect
from wronglung.model.strict import StrictModel

Picture = npt.NDArray[np.float32]


class DomainConfig(StrictModel):
    """How far a training picture may be from the one that was rendered. 0 everywhere: the centre crop as it is."""

    shift: float = Field(default=0.12, ge=0, lt=0.5)
    """Largest shift of the crop, as a share of its side."""
    zoom: float = Field(default=0.18, ge=0, lt=1)
    """Largest relative change of the crop's side."""
    aspect: float = Field(default=0.12, ge=0, lt=1)
    """Largest relative change of width against height."""
    gamma: float = Field(default=0.7, ge=0)
    """The exponent on the grey levels lies between e^-gamma and e^gamma."""
    contrast: float = Field(default=0.4, ge=0, lt=1)
    """Largest relative change of the contrast about the middle grey."""
    brightness: float = Field(default=0.15, ge=0, lt=1)
    """Largest shift of the grey levels, as a share of their range."""
    inverted: float = Field(default=0.08, ge=0, le=1)
    """Probability of bones being dark and air bright."""
    equalised: float = Field(default=0.2, ge=0, le=1)
    """Probability of a local equalisation of contrast (CLAHE), as consoles do it."""
    blur: float = Field(default=1.2, ge=0)
    """Largest standard deviation of a blur, in frame pixels; half of the pictures have one."""
    sharpen: float = Field(default=1.0, ge=0)
    """Largest weight of an unsharp mask; a third of the pictures have one."""
    shading: float = Field(default=0.25, ge=0, lt=1)
    """Largest amplitude of a slow change of brightness over the picture; half of the pictures have one."""
    noise: float = Field(default=0.06, ge=0, lt=1)
    """Largest standard deviation of noise, as a share of the range; half of the pictures have one."""
    patches: int = Field(default=3, ge=0)
    """Largest number of bright or dark rectangles (labels, shields); a third of the pictures have some."""


@dataclass(frozen=True, slots=True)
class Crop:
    """``x_frame = (x_square - x) * scale_x``, y likewise; the frame has `side` pixels each way."""

    x: float
    y: float
    scale_x: float
    scale_y: float
    side: int

    def to_frame(self, rect: Rect) -> Rect:
        """Carry a rectangle of the square into the frame (not clipped)."""
        x0, y0, x1, y1 = rect
        return (
            (x0 - self.x) * self.scale_x,
            (y0 - self.y) * self.scale_y,
            (x1 - self.x) * self.scale_x,
            (y1 - self.y) * self.scale_y,
        )

    def cut(self, square: npt.NDArray[np.uint8]) -> Picture:
        """(side, side) grey levels in [0, 1], bilinear; beyond the square it is black."""
        x, y = -self.x * self.scale_x, -self.y * self.scale_y
        matrix = np.array([[self.scale_x, 0, x], [0, self.scale_y, y]], dtype=np.float64)
        # cv2 places a pixel's centre at a whole number, our coordinates its corner.
        matrix[:, 2] += 0.5 * matrix[:, :2].sum(1) - 0.5
        cut = cv2.warpAffine(square, matrix, (self.side, self.side), flags=cv2.INTER_LINEAR)
        return cut.astype(np.float32) / np.float32(255)


def centre_crop(square_side: int, crop: int, side: int) -> Crop:
    """The frame as served, resized to `side`."""
    corner = (square_side - crop) // 2
    return Crop(corner, corner, side / crop, side / crop, side)


def draw_crop(square_side: int, crop: int, side: int, config: DomainConfig, rng: np.random.Generator) -> Crop:
    """A crop about the served one, of another size, aspect and place."""
    size = crop * np.exp(rng.uniform(-1, 1) * config.zoom)
    stretch = np.exp(rng.uniform(-0.5, 0.5) * config.aspect)
    width, height = size * stretch, size / stretch
    dx, dy = rng.uniform(-1, 1, 2) * config.shift * crop
    x, y = (square_side - width) / 2 + dx, (square_side - height) / 2 + dy
    return Crop(float(x), float(y), side / float(width), side / float(height), side)


def develop(picture: Picture, config: DomainConfig, rng: np.random.Generator) -> Picture:
    """Grey levels in [0, 1], changed at random; what was exactly black (padding) stays so."""
    padding = picture == 0
    if rng.random() < config.equalised:
        tiles = int(rng.integers(2, 7))
        clahe = cv2.createCLAHE(clipLimit=float(rng.uniform(1.5, 4)), tileGridSize=(tiles, tiles))
        picture = clahe.apply((picture * 255).astype(np.uint8)).astype(np.float32) / np.float32(255)
    grey = picture ** np.float32(np.exp(rng.uniform(-1, 1) * config.gamma))
    grey = (grey - 0.5) * np.float32(1 + rng.uniform(-1, 1) * config.contrast) + 0.5
    grey += np.float32(rng.uniform(-1, 1) * config.brightness)
    if rng.random() < 1 / 2:
        grey += _shading(picture.shape, rng) * np.float32(rng.uniform(0, config.shading))
    if rng.random() < 1 / 2 and (sigma := rng.uniform(0, config.blur)) > 0.2:
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), sigma), np.float32)
    if rng.random() < 1 / 3:
        grey += np.float32(rng.uniform(0, config.sharpen)) * (grey - cv2.GaussianBlur(grey, (0, 0), rng.uniform(1, 6)))
    if rng.random() < 1 / 2:
        grey += np.float32(rng.uniform(0, config.noise)) * rng.standard_normal(picture.shape, dtype=np.float32)
    if config.patches and rng.random() < 1 / 3:
        for _ in range(int(rng.integers(1, config.patches + 1))):
            _patch(grey, rng)
    grey = np.clip(grey, 0, 1)
    if rng.random() < config.inverted:
        grey = 1 - grey
    grey[padding] = 0
    return np.ascontiguousarray(grey, np.float32)


def _shading(shape: tuple[int, ...], rng: np.random.Generator) -> Picture:
    coarse = rng.uniform(-1, 1, (3, 3)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC))


def _patch(grey: Picture, rng: np.random.Generator) -> None:
    """A small rectangle of one grey level, anywhere."""
    side = len(grey)
    width, height = rng.integers(2, side // 6, 2)
    x, y = int(rng.integers(0, side - width)), int(rng.integers(0, side - height))
    grey[y : y + height, x : x + width] = rng.choice([0.0, 1.0, rng.random()])
