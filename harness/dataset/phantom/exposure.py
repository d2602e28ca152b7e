"""From attenuation to grey levels: exposure, noise, blur, collimation."""

from dataclasses import dataclass

import numpy as np

from harness.dataset.phantom.raster import Array, smooth, smooth_noise


@dataclass(frozen=True, slots=True)
class Exposure:
    """How one image was taken and developed."""

    black: float
    """Attenuation shown as black."""
    white: float
    gamma: float
    noise: float
    """Standard deviation of the quantum noise, share of full scale, per pixel."""
    blur: int
    shading: float
    collimation: tuple[float, float, float, float]
    """Width of the dark border at the left, top, right and bottom, share of the image."""
    border: float
    """Grey level beyond the collimation."""

    def tone(self, attenuation: Array) -> Array:
        """Grey level (0 … 1) of an attenuation."""
        level = np.clip((attenuation - self.black) / (self.white - self.black), 0.0, None)
        shown = 1.0 - np.exp(-1.9 * level)  # film and displays flatten the bright end
        grey: Array = (np.power(shown, self.gamma) / (1.0 - np.exp(-1.9)) ** self.gamma).astype(np.float32)
        return grey


def sample_exposure(rng: np.random.Generator) -> Exposure:
    """Draw an exposure."""
    edges = np.where(rng.random(4) < 0.22, rng.uniform(0.01, 0.06, 4), 0.0)
    return Exposure(
        black=rng.uniform(-0.05, 0.12),
        white=rng.uniform(1.0, 1.45),
        gamma=rng.uniform(0.75, 1.6),
        noise=rng.uniform(0.006, 0.03),
        blur=int(rng.integers(0, 2)),
        shading=rng.uniform(0, 0.05),
        collimation=(float(edges[0]), float(edges[1]), float(edges[2]), float(edges[3])),
        border=0.0 if rng.random() < 0.85 else rng.uniform(0.6, 1.0),
    )


def develop(attenuation: Array, exposure: Exposure, rng: np.random.Generator) -> Array:
    """The picture (0 … 1) of an attenuation (H, W) in image pixels, noise included."""
    picture = exposure.tone(smooth(attenuation, exposure.blur))
    height, width = picture.shape
    picture += exposure.shading * smooth_noise(rng, picture.shape, 2)
    noise = rng.standard_normal(picture.shape, dtype=np.float32)
    picture += np.float32(exposure.noise) * noise * (0.6 + 0.4 * picture)
    left, top, right, bottom = (
        round(share * size) for share, size in zip(exposure.collimation, (width, height) * 2, strict=True)
    )
    level = np.float32(exposure.border)
    picture[:top], picture[height - bottom :] = level, level
    picture[:, :left], picture[:, width - right :] = level, level
    return picture
